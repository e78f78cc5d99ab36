package engine

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/value"
)

// WebhookRequest is a request to a webhook. Templates see its parts as body,
// headers and method.
type WebhookRequest struct {
	Method string
	Header WebhookHeader
	Body   []byte
	// At is when it came.
	At time.Time
}

// WebhookHeader are the headers of a request, as a template sees them: by name,
// whatever the case.
type WebhookHeader map[string][]string

// Item implements the subscript of templates, headers["X-Name"].
func (h WebhookHeader) Item(name string) (any, bool) {
	for key, values := range h {
		if strings.EqualFold(key, name) {
			return strings.Join(values, ", "), true
		}
	}
	return nil, false
}

// Attr implements jinja.Model: headers.x_name is headers["X-Name"].
func (h WebhookHeader) Attr(name string) (any, bool) {
	return h.Item(strings.ReplaceAll(name, "_", "-"))
}

// String implements jinja.Model.
func (h WebhookHeader) String() string { return value.String(h.shown()) }

func (h WebhookHeader) text(name string) string {
	v, _ := h.Item(name)
	s, _ := v.(string)
	return s
}

// shown are the headers by lower-case name, without those that let one in.
func (h WebhookHeader) shown() *value.Object {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	o := value.NewObject(len(names))
	for _, name := range names {
		name = strings.ToLower(name)
		text := strings.ToValidUTF8(h.text(name), "\uFFFD")
		if name == "authorization" || name == "cookie" || name == "proxy-authorization" {
			text = "********"
		}
		o.Set(name, text)
	}
	return o
}

// body is the body as templates see it: JSON, the fields of a form, or a text.
func (r *WebhookRequest) body() any {
	text := strings.ToValidUTF8(string(r.Body), "\uFFFD")
	if form, ok := r.form(text); ok {
		return fieldsOf(form)
	}
	if v, err := value.Parse([]byte(text)); err == nil {
		return v
	}
	return text
}

// form are the fields of a form, of either kind; of files only the text counts.
func (r *WebhookRequest) form(text string) (url.Values, bool) {
	kind, params, err := mime.ParseMediaType(r.Header.text("Content-Type"))
	if err != nil {
		return nil, false
	}
	switch kind {
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(text)
		return form, err == nil
	case "multipart/form-data":
		form := url.Values{}
		parts := multipart.NewReader(bytes.NewReader(r.Body), params["boundary"])
		for {
			part, err := parts.NextPart()
			if errors.Is(err, io.EOF) {
				return form, true
			}
			if err != nil {
				return nil, false
			}
			content, err := io.ReadAll(part)
			if err != nil {
				return nil, false
			}
			form.Add(strings.ToValidUTF8(part.FormName(), "\uFFFD"), strings.ToValidUTF8(string(content), "\uFFFD"))
		}
	}
	return nil, false
}

// fieldsOf shows a form: a field that comes twice is a list.
func fieldsOf(form url.Values) *value.Object {
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	o := value.NewObject(len(names))
	for _, name := range names {
		if len(form[name]) == 1 {
			o.Set(name, form[name][0])
			continue
		}
		list := make([]any, len(form[name]))
		for i, v := range form[name] {
			list[i] = v
		}
		o.Set(name, list)
	}
	return o
}

// cloudEventName is the variable that stands for body|from_cloud_event(headers).
const cloudEventName = "leat_cloud_event"

// webhookSource is a template with that filter's use replaced by the variable:
// it belongs to webhooks alone, and depends on the request as a whole.
func webhookSource(template string) string {
	return regexp.MustCompile(`\bbody\s*\|\s*from_cloud_event\s*\(\s*headers\s*\)`).ReplaceAllString(template, cloudEventName)
}

// shownEvent is an event as a template sees it: JSON when it is printed.
type shownEvent struct{ *value.Object }

// Item implements the subscript of templates.
func (s shownEvent) Item(name string) (any, bool) { return s.Get(name) }

// Attr implements jinja.Model.
func (s shownEvent) Attr(name string) (any, bool) { return s.Get(name) }

// String implements jinja.Model.
func (s shownEvent) String() string { return value.String(s.Object) }

// cloudEvent makes an event of a CloudEvent, whose attributes stand beside its
// data in the body or in headers of their own. Its subject, or else its source,
// is the resource. CloudEvents 1.0, HTTP protocol binding.
func cloudEvent(body any, header WebhookHeader) (shownEvent, error) {
	about, data := value.NewObject(8), body
	envelope, isObject := body.(*value.Object)
	if _, structured := attribute(envelope, isObject, "specversion"); structured {
		data = nil
		for name, v := range envelope.All() {
			switch name {
			case "data":
				data = v
			case "data_base64":
				data = decoded(v)
			default:
				about.Set(name, v)
			}
		}
	} else {
		for _, name := range header.shown().Keys() {
			if short, ok := strings.CutPrefix(name, "ce-"); ok {
				about.Set(short, header.text(name))
			}
		}
		if kind := header.text("Content-Type"); about.Len() > 0 && kind != "" {
			about.Set("datacontenttype", kind)
		}
	}
	texts := map[string]string{}
	for _, name := range []string{"specversion", "type", "source", "id"} {
		text, ok := attribute(about, true, name)
		if !ok || text == "" {
			return shownEvent{}, fmt.Errorf("the request is no CloudEvent: it has no %q", name)
		}
		texts[name] = text
	}
	resource := texts["source"]
	if subject, ok := attribute(about, true, "subject"); ok && subject != "" {
		resource = subject
	}
	event := value.Of("event", texts["type"], "resource", value.Of(core.ResourceID, resource),
		"payload", value.Of("cloudevents", about, "data", data))
	if at, ok := attribute(about, true, "time"); ok {
		if _, err := time.Parse(time.RFC3339Nano, at); err != nil {
			return shownEvent{}, errors.New("the request is no CloudEvent: its time is none")
		}
		event.Set("occurred", at)
	}
	return shownEvent{event}, nil
}

func attribute(o *value.Object, is bool, name string) (string, bool) {
	if !is {
		return "", false
	}
	v, _ := o.Get(name)
	text, ok := v.(string)
	return text, ok
}

// decoded is binary data as text where it is some, else as it came.
func decoded(v any) any {
	text, _ := v.(string)
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return v
	}
	if doc, err := value.Parse(b); err == nil {
		return doc
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}
