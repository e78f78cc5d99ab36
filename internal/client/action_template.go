package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/leat-dev/leat/internal/jinja"
	"github.com/leat-dev/leat/internal/value"
	"github.com/leat-dev/leat/internal/wire"
)

// placeholderKey marks an object that stands for a value.
const placeholderKey = "__prefect_kind"

// templateError is the refusal of an action's field that should be a template
// and is none, nil if there is nothing to refuse.
func templateError(kind, field string, raw json.RawMessage) []wire.FieldError {
	problem, model := "", ""
	switch kind + " " + field {
	case "send-notification subject", "send-notification body":
		problem, model = textProblem(field, raw), "SendNotification"
	case "call-webhook payload":
		problem, model = textProblem(field, webhookPayload(raw)), "CallWebhook"
	case "run-deployment parameters":
		problem, model = parameterProblems(raw), "function-after[selected_deployment_requires_id(), RunDeployment]"
	}
	if problem == "" {
		return nil
	}
	refusal := valueError(problem, raw)
	refusal.Loc = []any{model, field}
	return []wire.FieldError{refusal}
}

// webhookPayload makes a text of a payload that is given as an object.
func webhookPayload(raw json.RawMessage) json.RawMessage {
	doc, err := value.Parse(raw)
	if err != nil {
		return raw
	}
	switch doc.(type) {
	case nil, string:
		return raw
	}
	var text bytes.Buffer
	if err := json.Indent(&text, value.Append(nil, doc), "", "  "); err != nil {
		return raw
	}
	return value.AppendString(nil, text.String())
}

func textProblem(field string, raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return ""
	}
	if _, err := jinja.Parse(text); err != nil {
		return "'" + field + "' is not a valid template: " + err.Error()
	}
	return ""
}

// parameterProblems lists what is wrong with the templates and placeholders in
// the parameters with which an action runs a deployment. As in the reference,
// what lies in lists is not looked at before it is used.
func parameterProblems(raw json.RawMessage) string {
	doc, err := value.Parse(raw)
	if err != nil {
		return ""
	}
	parameters, ok := doc.(*value.Object)
	if !ok {
		return ""
	}
	var found []string
	if _, placeholder := parameters.Get(placeholderKey); placeholder {
		if err := placeholderProblem(parameters); err != nil {
			found = append(found, " "+err.Error())
		}
	} else {
		found = objectProblems(parameters, "")
	}
	if len(found) == 0 {
		return ""
	}
	return "Invalid parameters: \n" + strings.Join(found, "\n  ")
}

func objectProblems(o *value.Object, prefix string) []string {
	var found []string
	for key, v := range o.All() {
		var err error
		switch v := v.(type) {
		case *value.Object:
			if _, placeholder := v.Get(placeholderKey); !placeholder {
				found = append(found, objectProblems(v, prefix+key+".")...)
				continue
			}
			err = placeholderProblem(v)
		case string:
			err = plainProblem(v)
		}
		if err != nil {
			found = append(found, prefix+key+": "+err.Error())
		}
	}
	return found
}

// plainProblem checks a plain text, which is a template if it looks like one.
// The value of a single expression keeps its type, by way of JSON.
func plainProblem(s string) error {
	if !jinja.MaybeTemplate(s) {
		return nil
	}
	trimmed := strings.TrimSpace(s)
	if len(trimmed) >= 4 && strings.HasPrefix(trimmed, "{{") && strings.HasSuffix(trimmed, "}}") && strings.Count(trimmed, "{{") == 1 {
		s = "{{ " + strings.TrimSpace(trimmed[2:len(trimmed)-2]) + " | tojson }}"
	}
	return templateProblem(s)
}

func templateProblem(s string) error {
	if _, err := jinja.Parse(s); err != nil {
		return fmt.Errorf("Invalid jinja: %w", err) //nolint:staticcheck // the reference's text
	}
	return nil
}

// placeholderProblem checks an object that stands for a value.
func placeholderProblem(o *value.Object) error {
	kind, _ := o.Get(placeholderKey)
	name, _ := kind.(string)
	field := map[string]string{"jinja": "template", "json": "value", "none": "value"}[name]
	if field == "" {
		return nil
	}
	v, ok := o.Get(field)
	switch {
	case !ok && name == "json":
		return nil
	case !ok:
		return errors.New("Missing '" + field + "' key in __prefect object")
	}
	if inner, nested := v.(*value.Object); nested {
		if _, placeholder := inner.Get(placeholderKey); placeholder {
			return placeholderProblem(inner)
		}
	}
	text, isText := v.(string)
	switch {
	case name == "jinja" && isText:
		return templateProblem(text)
	case name == "json" && isText:
		var doc json.RawMessage
		if malformed, bad := errors.AsType[*wire.Malformed](wire.Decode([]byte(text), &doc)); bad {
			return fmt.Errorf("Invalid JSON: %s", malformed.In(text)) //nolint:staticcheck // the reference's text
		}
	}
	return nil
}
