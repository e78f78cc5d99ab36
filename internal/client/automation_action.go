package client

import (
	"encoding/json"
	"reflect"

	"github.com/leat-dev/leat/internal/wire"
)

// AutomationAction is an action of an automation with all its fields, as the API
// shows it.
type AutomationAction json.RawMessage

// actionField is a field of an action. An empty fallback means that the field is required.
type actionField struct{ name, fallback string }

// actionFields lists the fields of an action's type after "type". Prefect REST:
// the schemas RunDeployment, PauseDeployment and so on.
func actionFields(kind string) ([]actionField, bool) {
	target := func(id string, more ...actionField) ([]actionField, bool) {
		return append([]actionField{{"source", `"selected"`}, {id, "null"}}, more...), true
	}
	switch kind {
	case "do-nothing", "cancel-flow-run", "delete-flow-run", "suspend-flow-run", "resume-flow-run":
		return nil, true
	case "run-deployment":
		return target("deployment_id", actionField{"parameters", "null"}, actionField{"job_variables", "null"}, actionField{"schedule_after", "0.0"})
	case "pause-deployment", "resume-deployment":
		return target("deployment_id")
	case "pause-work-queue", "resume-work-queue":
		return target("work_queue_id")
	case "pause-work-pool", "resume-work-pool":
		return target("work_pool_id")
	case "pause-automation", "resume-automation":
		return target("automation_id")
	case "change-flow-run-state":
		return []actionField{{"name", "null"}, {"state", ""}, {"message", "null"}, {"force", "false"}}, true
	case "send-notification":
		return []actionField{{"block_document_id", ""}, {"subject", `"Prefect automated notification"`}, {"body", ""}}, true
	case "call-webhook":
		return []actionField{{"block_document_id", ""}, {"payload", `""`}}, true
	}
	return nil, false
}

// MarshalJSON implements json.Marshaler.
func (a AutomationAction) MarshalJSON() ([]byte, error) { return json.RawMessage(a).MarshalJSON() }

// DecodeWire implements wire's interface for types that decode themselves. The
// errors are those of the type that is named; the reference lists those of all
// other types, too.
func (a *AutomationAction) DecodeWire(raw json.RawMessage) []wire.FieldError {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(raw, &given); err != nil || given == nil {
		return []wire.FieldError{{
			Type: "model_attributes_type", Msg: "Input should be a valid dictionary or object to extract fields from", Input: raw,
		}}
	}
	kind := ""
	if err := json.Unmarshal(given["type"], &kind); err != nil {
		kind = ""
	}
	if _, named := given["type"]; !named {
		kind = likelyAction(given)
		given["type"] = mustJSON(kind)
	}
	fields, ok := actionFields(kind)
	if !ok {
		return []wire.FieldError{{
			Type: "literal_error", Loc: []any{"DoNothing", "type"}, Msg: "Input should be 'do-nothing'", Input: given["type"],
			Ctx: map[string]any{"expected": "'do-nothing'"},
		}}
	}
	out := append([]byte(`{"type":`), given["type"]...)
	for _, f := range fields {
		value, there := given[f.name]
		switch {
		case !there && f.fallback == "":
			return []wire.FieldError{{Type: "missing", Loc: []any{f.name}, Msg: "Field required", Input: raw}}
		case !there:
			value = json.RawMessage(f.fallback)
		case f.fallback == "0.0":
			var seconds timeSpan
			if errs := wire.FieldErrors(wire.Decode(value, &seconds), value); len(errs) > 0 {
				return errs
			}
			value, _ = seconds.MarshalJSON() // floats always marshal
		}
		if f.fallback == "null" && string(value) == "null" && string(given["source"]) != `"inferred"` && needsTarget(f.name, kind) {
			return []wire.FieldError{valueError(f.name+" is required", raw)}
		}
		if needsTarget(f.name, kind) && string(value) != "null" && string(given["source"]) == `"inferred"` {
			return []wire.FieldError{valueError(f.name+" is not allowed", raw)}
		}
		if errs := templateError(kind, f.name, value); errs != nil {
			return errs
		}
		if kind == "call-webhook" && f.name == "payload" {
			value = webhookPayload(value)
		}
		out = append(append(out, `,"`+f.name+`":`...), value...)
	}
	*a = append(out, '}')
	return nil
}

// WireSchema implements wire's interface for types that describe themselves.
func (*AutomationAction) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	out := &wire.Schema{}
	for _, kind := range actionKinds() {
		out.AnyOf = append(out.AnyOf, actionSchema(kind))
	}
	return out
}

// likelyAction names the type of an action that does not: the first one of
// which most fields are given and no required one is missing.
func likelyAction(given map[string]json.RawMessage) string {
	best, most := "do-nothing", 0
	for _, kind := range []string{
		"run-deployment", "pause-deployment", "resume-deployment", "change-flow-run-state", "pause-work-queue", "resume-work-queue",
		"send-notification", "call-webhook", "pause-automation", "resume-automation", "pause-work-pool", "resume-work-pool",
	} {
		fields, _ := actionFields(kind)
		count, able := 0, true
		for _, f := range fields {
			value, there := given[f.name]
			if there {
				count++
			}
			able = able && (there || f.fallback != "")
			if target := there && string(value) != "null"; needsTarget(f.name, kind) && target == (string(given["source"]) == `"inferred"`) {
				able = false
			}
		}
		if able && count > most {
			best, most = kind, count
		}
	}
	return best
}

// needsTarget tells whether a selected source must be named by the field.
func needsTarget(field, kind string) bool {
	switch field {
	case "deployment_id", "work_queue_id", "work_pool_id", "automation_id":
		return kind != "change-flow-run-state"
	}
	return false
}
