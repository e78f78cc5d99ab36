package client

import (
	"encoding/json"
	"reflect"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// scheduleSchema describes the three kinds of schedules.
func scheduleSchema() *wire.Schema {
	text := &wire.Schema{Type: "string"}
	interval := &wire.Schema{Type: "number", Format: "duration"}
	anchor := &wire.Schema{Type: "string", Format: "date-time"}
	zone := wire.OrNull(text)
	dayOr := &wire.Schema{Type: "boolean", Default: json.RawMessage("true")}
	inUTC := *zone
	inUTC.Default = json.RawMessage(`"UTC"`)
	return wire.Or(
		wire.Closed(map[string]*wire.Schema{"interval": interval, "anchor_date": anchor, "timezone": zone}, "interval"),
		wire.Closed(map[string]*wire.Schema{"cron": text, "timezone": zone, "day_or": dayOr}, "cron"),
		wire.Closed(map[string]*wire.Schema{"rrule": text, "timezone": &inUTC}, "rrule"),
	)
}

// actionKinds lists the types of actions.
func actionKinds() []string {
	return []string{
		"do-nothing", "run-deployment", "pause-deployment", "resume-deployment", "cancel-flow-run", "change-flow-run-state",
		"pause-work-queue", "resume-work-queue", "send-notification", "call-webhook", "pause-automation", "resume-automation",
		"suspend-flow-run", "resume-flow-run", "pause-work-pool", "resume-work-pool", "delete-flow-run",
	}
}

// actionSchema describes an action by its fields.
func actionSchema(kind string) *wire.Schema {
	fields, _ := actionFields(kind)
	out := &wire.Schema{
		Type: "object", Properties: map[string]*wire.Schema{"type": {Type: "string", Const: kind, Default: mustJSON(kind)}},
	}
	for _, f := range fields {
		s := actionFieldSchema(f.name)
		if f.fallback == "" {
			out.Required = append(out.Required, f.name)
		} else {
			c := *s
			c.Default = json.RawMessage(f.fallback)
			s = &c
		}
		out.Properties[f.name] = s
	}
	return out
}

func actionFieldSchema(name string) *wire.Schema {
	text := &wire.Schema{Type: "string"}
	switch name {
	case "source":
		return wire.OneOf("selected", "inferred")
	case "deployment_id", "work_queue_id", "work_pool_id", "automation_id":
		return wire.OrNull(&wire.Schema{Type: "string", Format: "uuid"})
	case "block_document_id":
		return &wire.Schema{Type: "string", Format: "uuid"}
	case "parameters", "job_variables":
		return wire.OrNull(&wire.Schema{Type: "object", Additional: json.RawMessage("true")})
	case "schedule_after":
		return &wire.Schema{Type: "number", Format: "duration"}
	case "state":
		return wire.NewDescriber().Input(reflect.TypeFor[core.StateType]())
	case "force":
		return &wire.Schema{Type: "boolean"}
	case "name", "message":
		return wire.OrNull(text)
	}
	return text
}
