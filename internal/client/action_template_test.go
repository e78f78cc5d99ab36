package client_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/client"
)

func TestTemplatesOfActionsAreChecked(t *testing.T) {
	t.Parallel()
	notify := `{"type": "send-notification", "block_document_id": "00000000-0000-0000-0000-000000000001", `
	hook := `{"type": "call-webhook", "block_document_id": "00000000-0000-0000-0000-000000000001", "payload": `
	run := `{"type": "run-deployment", "deployment_id": "00000000-0000-0000-0000-000000000001", "parameters": `
	const model = "function-after[selected_deployment_requires_id(), RunDeployment]"
	unended := "unexpected end of template, expected 'end of print statement'."
	for _, tt := range []struct {
		name, action, message string
		loc                   []any
	}{
		{"a subject", notify + `"subject": "{{ x", "body": "b"}`, "'subject' is not a valid template: " + unended, []any{"SendNotification", "subject"}},
		{"a body", notify + `"body": "{% for %}"}`, "'body' is not a valid template: Expected an expression, got 'end of statement block'", []any{"SendNotification", "body"}},
		{"sound ones", notify + `"subject": "{{ 1 }}", "body": "{{ x }}"}`, "", nil},
		{"a payload that is an object", hook + `{"message": "{{ x"}}`, "'payload' is not a valid template: unexpected char '\"' at 20", []any{"CallWebhook", "payload"}},
		{"parameters at several places", run + `{"a": "{{ x", "b": "{{ y | }}", "c": {"d": "{% if"}}}`, "Invalid parameters: \na: Invalid jinja: " + unended +
			"\n  b: Invalid jinja: expected token 'name', got '|'\n  c.d: Invalid jinja: unexpected 'end of template'", []any{model, "parameters"}},
		{"parameters in lists are not looked at", run + `{"a": ["{{ x", {"b": "{{ x"}]}}`, "", nil},
		{"a placeholder without template", run + `{"a": {"__prefect_kind": "jinja"}}}`, "Invalid parameters: \na: Missing 'template' key in __prefect object", []any{model, "parameters"}},
		{"a placeholder within another", run + `{"a": {"__prefect_kind": "json", "value": {"__prefect_kind": "jinja", "template": "{{ x"}}}}`, "Invalid parameters: \na: Invalid jinja: " + unended, []any{model, "parameters"}},
		{
			"a placeholder of JSON", run + `{"a": {"__prefect_kind": "json", "value": "{"}}}`,
			"Invalid parameters: \na: Invalid JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
			[]any{model, "parameters"},
		},
		{"parameters that are a placeholder", run + `{"__prefect_kind": "jinja", "template": "{{ x"}}`, "Invalid parameters: \n Invalid jinja: " + unended, []any{model, "parameters"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var a client.AutomationAction
			errs := a.DecodeWire(json.RawMessage(tt.action))
			if tt.message == "" {
				if len(errs) > 0 {
					t.Fatal(errs)
				}
				return
			}
			if len(errs) != 1 || errs[0].Msg != "Value error, "+tt.message {
				t.Fatalf("got %v, want %s", errs, tt.message)
			}
			if diff := cmp.Diff(tt.loc, errs[0].Loc); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPayloadsOfWebhooksBecomeTexts(t *testing.T) {
	t.Parallel()
	var a client.AutomationAction
	if errs := a.DecodeWire(json.RawMessage(`{"type": "call-webhook", "block_document_id": "b", "payload": {"message": "{{ x }}"}}`)); len(errs) > 0 {
		t.Fatal(errs)
	}
	var got struct{ Payload string }
	if err := json.Unmarshal(a, &got); err != nil {
		t.Fatal(err)
	}
	if want := "{\n  \"message\": \"{{ x }}\"\n}"; got.Payload != want {
		t.Errorf("got %q, want %q", got.Payload, want)
	}
}
