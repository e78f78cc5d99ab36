package action

import (
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/jinja"
	"github.com/leat-dev/leat/internal/trigger"
	"github.com/leat-dev/leat/internal/value"
)

// record is an object of the API as a template sees it: its fields are
// attributes, times are dates and lengths of time durations.
type record struct {
	fields *value.Object
	kind   string
}

var (
	_ jinja.Linked = (*record)(nil)
	_ jinja.Linked = (*event)(nil)
	_ jinja.Model  = (*resource)(nil)
	_ jinja.Model  = (*diver)(nil)
)

// Kind implements jinja.Linked.
func (r *record) Kind() string { return r.kind }

// Attr implements jinja.Model.
func (r *record) Attr(name string) (any, bool) {
	v, ok := r.fields.Get(name)
	if !ok {
		return nil, false
	}
	return typed(name, v), true
}

// String implements jinja.Model.
func (r *record) String() string {
	var parts []string
	for key, v := range r.fields.All() {
		parts = append(parts, key+"="+string(value.Append(nil, v)))
	}
	return strings.Join(parts, " ")
}

// typed gives a field's value the type that it has in the reference's models.
func typed(name string, v any) any {
	switch v := v.(type) {
	case string:
		if isTime(name) {
			if at, err := time.Parse(time.RFC3339Nano, strings.Replace(v, " ", "T", 1)); err == nil {
				return at.UTC()
			}
		}
	case *value.Object:
		switch name {
		case "state", "state_details", "empirical_policy", "trigger", "created_by", "updated_by":
			return &record{fields: v}
		case "triggering_event":
			return &record{fields: v}
		}
	case []any:
		if name == "triggering_firings" || name == "triggers" {
			list := make([]any, len(v))
			for i, item := range v {
				if list[i] = item; item != nil {
					if object, ok := item.(*value.Object); ok {
						list[i] = &record{fields: object}
					}
				}
			}
			return list
		}
	default:
		if isDuration(name) {
			if seconds, ok := value.Number(v); ok {
				return time.Duration(seconds * float64(time.Second))
			}
		}
	}
	return v
}

func isTime(name string) bool {
	switch name {
	case "created", "updated", "occurred", "received", "timestamp", "triggered", "last_polled", "cache_expiration":
		return true
	}
	return strings.HasSuffix(name, "_time") || strings.HasSuffix(name, "_timeout")
}

func isDuration(name string) bool {
	switch name {
	case "total_run_time", "estimated_run_time", "estimated_start_time_delta", "within":
		return true
	}
	return false
}

// event is an event as a template sees it. Prefect: ReceivedEvent.
type event struct{ *trigger.SeenEvent }

// Kind implements jinja.Linked.
func (e *event) Kind() string { return "received-event" }

// Attr implements jinja.Model.
func (e *event) Attr(name string) (any, bool) {
	switch name {
	case "id":
		return e.ID.String(), true
	case "event":
		return e.Event, true
	case "occurred":
		return e.Occurred.UTC(), true
	case "received":
		return e.Received.UTC(), true
	case "follows":
		if e.Follows == nil {
			return nil, true
		}
		return e.Follows.String(), true
	case "payload":
		parsed, err := value.Parse(e.Payload)
		if err != nil {
			return value.NewObject(0), true
		}
		return parsed, true
	case "resource":
		return &resource{e.Resource}, true
	case "related":
		return resources(e.Related), true
	case "involved_resources":
		return resources(append([]core.Labels{e.Resource}, e.Related...)), true
	case "resource_in_role", "resources_in_role":
		return e.byRole(name == "resources_in_role"), true
	}
	return nil, false
}

// byRole maps roles to the first related resource, or to all of them.
func (e *event) byRole(all bool) *value.Object {
	out := value.NewObject(0)
	for _, l := range e.Related {
		role := l.Get(core.ResourceRole)
		former, there := out.Get(role)
		switch {
		case all:
			list, _ := former.([]any)
			out.Set(role, append(list, &resource{l}))
		case !there:
			out.Set(role, &resource{l})
		}
	}
	return out
}

// String implements jinja.Model.
func (e *event) String() string {
	raw, err := e.MarshalJSON()
	if err != nil {
		return e.Event
	}
	return string(raw)
}

func resources(list []core.Labels) []any {
	out := make([]any, len(list))
	for i, l := range list {
		out[i] = &resource{l}
	}
	return out
}

// resource is a resource of an event as a template sees it. Prefect: Resource.
type resource struct{ core.Labels }

// Item finds a label.
func (r *resource) Item(key string) (any, bool) { return r.Get(key), r.Has(key) }

// Attr implements jinja.Model.
func (r *resource) Attr(name string) (any, bool) {
	key := ""
	switch name {
	case "id":
		key = core.ResourceID
	case "role":
		key = core.ResourceRole
	case "name":
		key = core.ResourceName
	case "labels":
		return newDiver(r.Labels), true
	default:
		return nil, false
	}
	if !r.Has(key) {
		return nil, name == "name"
	}
	return r.Get(key), true
}

// String implements jinja.Model.
func (r *resource) String() string {
	return "root=" + string(r.AppendJSON(nil))
}

// diver lets a template walk labels by the dots in their names: labels.hello.world
// is the label "hello.world". Prefect: LabelDiver.
type diver struct {
	labels core.Labels
	value  string
}

func newDiver(l core.Labels) *diver { return &diver{labels: l} }

// Item finds a label below by the rest of its name.
func (d *diver) Item(key string) (any, bool) { return d.labels.Get(key), d.labels.Has(key) }

// Attr implements jinja.Model.
func (d *diver) Attr(name string) (any, bool) {
	out, found := &diver{}, false
	for _, l := range d.labels {
		head, tail, deeper := strings.Cut(l.Key, ".")
		switch {
		case head != name:
			continue
		case deeper && tail != "":
			out.labels = append(out.labels, core.Label{Key: tail, Value: l.Value})
		default:
			out.value = l.Value
		}
		found = true
	}
	if !found {
		return nil, false
	}
	return out, true
}

// String implements jinja.Model.
func (d *diver) String() string { return d.value }
