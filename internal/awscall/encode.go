package awscall

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// wireRequest is a request before it has an endpoint and a signature.
type wireRequest struct {
	method string
	path   string // escaped, from the service's root
	query  url.Values
	header http.Header
	body   []byte
	host   map[string]string // members that are part of the host's name
}

// encode puts parameters on the wire.
func encode(op *Operation, params *value.Object, newToken func() string) (*wireRequest, error) {
	e := &encoder{newToken: newToken}
	w := &wireRequest{method: op.method, path: "/", query: url.Values{}, header: http.Header{}, host: map[string]string{}}
	var err error
	switch op.Service.protocol {
	case "json":
		err = e.jsonRequest(w, op, params)
	case "query", "ec2":
		var form string
		form, err = e.queryBody(op, params)
		w.body = []byte(form)
		w.header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	default:
		err = e.restRequest(w, op, params)
	}
	if err != nil {
		return nil, err
	}
	if err := e.finish(); err != nil {
		return nil, err
	}
	e.hostLabels(w, op, params)
	return w, nil
}

func (e *encoder) hostLabels(w *wireRequest, op *Operation, params *value.Object) {
	if op.Input == nil || op.hostPrefix == "" {
		return
	}
	for key, v := range params.All() {
		if m, ok := op.Input.Member(key); ok && m.host {
			w.host[m.Name], _ = v.(string)
		}
	}
}

func (e *encoder) jsonRequest(w *wireRequest, op *Operation, params *value.Object) error {
	w.header.Set("X-Amz-Target", targetOf(op))
	w.header.Set("Content-Type", "application/x-amz-json-"+op.Service.jsonVersion)
	if op.Service.queryErrors {
		w.header.Set("X-Amzn-Query-Mode", "true")
	}
	w.body = []byte("{}")
	if op.Input == nil {
		return nil
	}
	var err error
	w.body, err = e.jsonStructure(nil, op.Input, params, "", nil)
	return err
}

// restRequest spreads parameters over path, query, headers and body.
func (e *encoder) restRequest(w *wireRequest, op *Operation, params *value.Object) error {
	path, static, _ := strings.Cut(op.path, "?")
	for pair := range strings.SplitSeq(static, "&") {
		if k, v, _ := strings.Cut(pair, "="); k != "" {
			w.query.Add(k, v)
		}
	}
	if op.Input == nil {
		w.path = path
		return nil
	}
	given, err := e.members(op.Input, params, "")
	if err != nil {
		return err
	}
	labels := map[string]string{}
	for i := range op.Input.Members {
		m := &op.Input.Members[i]
		if m.location == "uri" && given[i] == nil {
			return &ParameterError{Text: m.Name + " cannot be empty."}
		}
		if given[i] == nil {
			continue
		}
		if err := w.place(m, given[i], labels); err != nil {
			return err
		}
	}
	if w.path, err = expand(path, labels); err != nil {
		return err
	}
	return e.restBody(w, op, params, given)
}

// place puts a member where its location says; members of the body wait.
func (w *wireRequest) place(m *Member, v any, labels map[string]string) error {
	switch m.location {
	case "uri":
		t, err := scalarText(m, m.Shape, v, m.Name, isoFormat)
		if err == nil && t == "" {
			err = &ParameterError{Text: m.Name + " cannot be empty."}
		}
		labels[m.wireName()] = t
		return err
	case "querystring":
		return w.placeQuery(m, v)
	case "header":
		t, err := headerText(m, v)
		if err == nil {
			w.header.Set(m.wireName(), t)
		}
		return err
	case "headers":
		o, ok := v.(*value.Object)
		if !ok {
			return mismatch(m.Name, "an object", v)
		}
		for k, x := range o.All() {
			t, err := asText(m.Name+"."+k, x)
			if err != nil {
				return err
			}
			w.header.Set(m.wire+k, t)
		}
	}
	return nil
}

func (w *wireRequest) placeQuery(m *Member, v any) error {
	switch m.Shape.Kind {
	case List:
		list, ok := v.([]any)
		if !ok {
			return mismatch(m.Name, "an array", v)
		}
		for _, x := range list {
			t, err := scalarText(nil, m.Shape.Element, x, m.Name, isoFormat)
			if err != nil {
				return err
			}
			w.query.Add(m.wireName(), t)
		}
	case Map:
		o, ok := v.(*value.Object)
		if !ok {
			return mismatch(m.Name, "an object", v)
		}
		for k, x := range o.All() {
			list, ok := x.([]any)
			if !ok {
				list = []any{x}
			}
			for _, y := range list {
				t, err := asText(m.Name, y)
				if err != nil {
					return err
				}
				w.query.Add(k, t)
			}
		}
	default:
		t, err := scalarText(m, m.Shape, v, m.Name, isoFormat)
		if err != nil {
			return err
		}
		w.query.Add(m.wireName(), t)
	}
	return nil
}

func headerText(m *Member, v any) (string, error) {
	if m.jsonText {
		return base64.StdEncoding.EncodeToString(asBytes(v)), nil
	}
	if list, ok := v.([]any); ok && m.Shape.Kind == List {
		parts := make([]string, 0, len(list))
		for _, x := range list {
			t, err := scalarText(nil, m.Shape.Element, x, m.Name, httpFormat)
			if err != nil {
				return "", err
			}
			if strings.ContainsAny(t, `,"`) {
				t = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(t) + `"`
			}
			parts = append(parts, t)
		}
		return strings.Join(parts, ","), nil
	}
	return scalarText(m, m.Shape, v, m.Name, httpFormat)
}

// expand fills the labels of a path; a greedy label keeps its slashes.
func expand(path string, labels map[string]string) (string, error) {
	var b strings.Builder
	for path != "" {
		before, rest, ok := strings.Cut(path, "{")
		b.WriteString(before)
		if !ok {
			break
		}
		label, after, ok := strings.Cut(rest, "}")
		if !ok {
			return "", &ParameterError{Text: "malformed path of the model: " + path}
		}
		name, greedy := strings.CutSuffix(label, "+")
		b.WriteString(escapePath(labels[name], greedy))
		path = after
	}
	return b.String(), nil
}

// escapePath percent-encodes all but unreserved characters.
func escapePath(s string, keepSlash bool) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			c == '-', c == '_', c == '.', c == '~', c == '/' && keepSlash:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}

func (e *encoder) restBody(w *wireRequest, op *Operation, params *value.Object, given []any) error {
	if op.Input.payload != "" {
		i := op.Input.byName[op.Input.payload]
		return e.restPayload(w, op, &op.Input.Members[i], given[i])
	}
	inBody := 0
	for i := range op.Input.Members {
		if op.Input.Members[i].location == "" {
			inBody++
		}
	}
	if inBody == 0 {
		return nil
	}
	elsewhere := func(m *Member) bool { return m.location != "" }
	var err error
	if op.Service.protocol == "rest-json" {
		w.header.Set("Content-Type", "application/json")
		w.body, err = e.jsonStructure(nil, op.Input, params, "", elsewhere)
		return e.once(err)
	}
	present := false
	for i := range op.Input.Members {
		present = present || op.Input.Members[i].location == "" && given[i] != nil
	}
	if !present {
		return nil
	}
	x := &xmlWriter{e: e}
	name := op.inputName
	if name == "" {
		name = op.Name + "Request"
	}
	err = x.structure(name, op.inputNamespace, op.Input, params, "", elsewhere)
	w.header.Set("Content-Type", "application/xml")
	w.body = []byte(x.b.String())
	return e.once(err)
}

// once drops what was found unknown twice, as the top is walked for the places
// outside the body and again for the body.
func (e *encoder) once(err error) error {
	seen := map[string]bool{}
	kept := e.unknown[:0]
	for _, u := range e.unknown {
		if !seen[u] {
			kept = append(kept, u)
		}
		seen[u] = true
	}
	e.unknown = kept
	return err
}

// restPayload makes a member the whole body.
func (e *encoder) restPayload(w *wireRequest, op *Operation, m *Member, v any) error {
	if v == nil {
		if m.Shape.Kind == Structure && op.Service.protocol == "rest-json" {
			w.body = []byte("{}")
			w.header.Set("Content-Type", "application/json")
		}
		return nil
	}
	kind := func(t string) {
		if w.header.Get("Content-Type") == "" {
			w.header.Set("Content-Type", t)
		}
	}
	var err error
	switch m.Shape.Kind {
	case Blob:
		w.body = asBytes(v)
		if m.streaming || m.Shape.streaming {
			kind("text/plain; charset=UTF-8") // what the SDK for Java calls a text
		} else {
			kind("application/octet-stream")
		}
	case Structure:
		if op.Service.protocol == "rest-json" {
			kind("application/json")
			w.body, err = e.jsonValue(nil, m, m.Shape, v, m.Name)
			return err
		}
		kind("application/xml")
		x := &xmlWriter{e: e}
		name := m.wire
		if name == "" {
			name = m.Shape.xmlName
		}
		if name == "" {
			name = m.Name
		}
		err = x.structure(name, m.namespace, m.Shape, v, m.Name, nil)
		w.body = []byte(x.b.String())
	case Document, List, Map:
		kind("application/json")
		w.body, err = e.jsonValue(nil, m, m.Shape, v, m.Name)
	default:
		var t string
		t, err = asText(m.Name, v)
		kind("text/plain")
		w.body = []byte(t)
	}
	return err
}
