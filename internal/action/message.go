package action

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/jinja"
	"github.com/leat-dev/leat/internal/notify"
	"github.com/leat-dev/leat/internal/value"
)

func number(n int) string { return strconv.Itoa(n) }

// block reads the action's block document with its secrets; noun is what it
// should be, for the failure.
func (t *task) block(ctx context.Context, noun string) (*notify.Block, error) {
	doc, err := t.Engine.BlockDocument(ctx, t.ws, t.fields.BlockDocumentID, true)
	if err != nil {
		return nil, err
	}
	parsed, err := value.Parse(doc.Data)
	data, ok := parsed.(*value.Object)
	if err != nil || !ok {
		return nil, failf("The %s block was invalid: its data are no JSON object", noun)
	}
	return &notify.Block{TypeSlug: doc.Type.Slug, Data: data}, t.tellLoaded(ctx, doc)
}

// tellLoaded tells that the block was used.
func (t *task) tellLoaded(ctx context.Context, doc *engine.Document) error {
	now := t.Now().UTC()
	id, slug, name := "prefect.block-document."+doc.ID.String(), doc.Type.Slug, doc.Name
	kind := core.Labels{{Key: core.ResourceID, Value: "prefect.block-type." + slug}, {Key: core.ResourceRole, Value: "block-type"}}
	ev := &core.Event{
		ID: core.NewID(now), Occurred: now, Received: now, Event: "prefect.block." + slug + ".loaded",
		Resource: core.Labels{{Key: core.ResourceID, Value: id}, {Key: core.ResourceName, Value: name}}, Related: []core.Labels{kind},
	}
	if err := t.Engine.TouchByAction(ctx, t.ws, []string{"prefect.event." + ev.ID.String()}, t.action.Depth); err != nil {
		return err
	}
	if err := t.Engine.RecordEvents(ctx, t.ws, []*core.Event{ev}); err != nil {
		return err
	}
	t.used = []core.Labels{{
		{Key: core.ResourceID, Value: id}, {Key: core.ResourceName, Value: name}, {Key: core.ResourceRole, Value: "block"},
	}, kind}
	return nil
}

func (t *task) sendNotification(ctx context.Context) error {
	block, err := t.block(ctx, "notification")
	if err != nil {
		return err
	}
	if !notify.Supports(block.TypeSlug) {
		return failure("The referenced block was not a notification block")
	}
	t.result.Related = append(t.result.Related, t.used...)
	texts, err := t.render(ctx, t.fields.Subject, t.fields.Body)
	if err != nil {
		return err
	}
	err = t.Sender.Send(ctx, *block, texts[0], texts[1])
	if invalid, ok := errors.AsType[*notify.Invalid](err); ok {
		return failf("The notification block was invalid: %s", invalid.Reason)
	}
	if err != nil {
		t.detail("notification_log", err.Error())
		return failure("Notification failed")
	}
	return nil
}

// maxAnswer is how many characters of a webhook's answer its event holds.
const maxAnswer = 1000

func (t *task) callWebhook(ctx context.Context) error {
	block, err := t.block(ctx, "webhook")
	if err != nil {
		return err
	}
	payload := ""
	if t.fields.Payload != nil {
		texts, err := t.render(ctx, *t.fields.Payload)
		if err != nil {
			return err
		}
		payload = texts[0]
	}
	answer, err := t.Sender.CallWebhook(ctx, *block, payload)
	if _, ok := errors.AsType[*notify.Unsupported](err); ok {
		return failure("The referenced block was not a webhook block")
	}
	t.result.Related = append(t.result.Related, t.used...)
	if err != nil {
		return failf("Webhook call failed: %s", err)
	}
	t.detail("status_code", answer.Status)
	t.detail("response_body", shortened(answer.Body))
	t.detail("response_headers", shownHeaders(answer.Header))
	return nil
}

// shortened leaves out the middle of a long text.
func shortened(text string) string {
	runes := []rune(text)
	if len(runes) <= maxAnswer {
		return text
	}
	half := maxAnswer / 2
	return string(runes[:half]) + "...[" + number(len(runes)-maxAnswer) + " additional characters]..." + string(runes[len(runes)-half:])
}

// shownHeaders leaves out headers that are secret or of no interest.
func shownHeaders(h http.Header) map[string]string {
	out := map[string]string{}
	for key, values := range h {
		name := strings.ToLower(key)
		hidden := name == "authorization" || name == "traceparent" || name == "via"
		for _, prefix := range []string{"x-forwarded", "x-b3", "x-cloud-trace", "x-envoy", "x-prefect"} {
			hidden = hidden || strings.HasPrefix(name, prefix)
		}
		if !hidden {
			out[name] = strings.Join(values, ", ")
		}
	}
	return out
}

// render renders the action's templates; what they name is read once for all.
func (t *task) render(ctx context.Context, templates ...string) ([]string, error) {
	vars, err := t.variables(ctx, strings.Join(templates, "\n"))
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(templates))
	for i, template := range templates {
		texts[i], err = t.Templates.Render(template, vars)
		if failed, ok := errors.AsType[*jinja.RenderError](err); ok {
			t.detail("template_error", failed.Error())
			t.detail("template_source", template)
			_, what, _ := strings.Cut(failed.Error(), "following error: ")
			return nil, failf("Template rendering failed: %s", what)
		}
		if err != nil {
			return nil, err
		}
	}
	return texts, nil
}
