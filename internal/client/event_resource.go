package client

import (
	"encoding/json"
	"fmt"
	"reflect"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// The most that an event may have. Prefect: the settings of server.events.
const (
	maxEventLabels  = 500
	maxRelated      = 100
	maxEventNameLen = 1024
)

type (
	// EventResource is what an event is about: labels, of which one is its id.
	EventResource core.Labels
	// RelatedResource is an EventResource with a role.
	RelatedResource core.Labels
	// RelatedResources are those of one event.
	RelatedResources []RelatedResource
	// EventName is the name of an event.
	EventName string
)

// DecodeWire implements wire's interface for types that decode themselves.
func (r *EventResource) DecodeWire(raw json.RawMessage) []wire.FieldError {
	return readResource((*core.Labels)(r), raw)
}

// DecodeWire implements wire's interface for types that decode themselves.
func (r *RelatedResource) DecodeWire(raw json.RawMessage) []wire.FieldError {
	if errs := readResource((*core.Labels)(r), raw); len(errs) > 0 {
		return errs
	}
	switch labels := core.Labels(*r); {
	case !labels.Has(core.ResourceRole):
		return []wire.FieldError{valueError("Related Resources must include the prefect.resource.role label", raw)}
	case labels.Get(core.ResourceRole) == "":
		return []wire.FieldError{valueError("The prefect.resource.role label must be non-empty", raw)}
	}
	return nil
}

// Labels are the resources as the domain keeps them.
func (r RelatedResources) Labels() []core.Labels {
	out := make([]core.Labels, len(r))
	for i := range r {
		out[i] = core.Labels(r[i])
	}
	return out
}

// readResource reads labels and refuses those of nothing.
func readResource(dst *core.Labels, raw json.RawMessage) []wire.FieldError {
	if dst.UnmarshalJSON(raw) != nil {
		var labels map[string]string
		if errs := wire.FieldErrors(wire.Decode(raw, &labels), raw); len(errs) > 0 {
			return errs
		}
	}
	switch {
	case len(*dst) > maxEventLabels:
		return []wire.FieldError{valueError(fmt.Sprintf("The maximum number of labels per resource is %d", maxEventLabels), raw)}
	case !dst.Has(core.ResourceID):
		return []wire.FieldError{valueError("Resources must include the prefect.resource.id label", raw)}
	case dst.Get(core.ResourceID) == "":
		return []wire.FieldError{valueError("The prefect.resource.id label must be non-empty", raw)}
	}
	return nil
}

// DecodeWire implements wire's interface for types that decode themselves.
func (r *RelatedResources) DecodeWire(raw json.RawMessage) []wire.FieldError {
	var list []RelatedResource
	errs := wire.FieldErrors(wire.Decode(raw, &list), raw)
	if len(errs) == 0 && string(raw) == "null" {
		errs = []wire.FieldError{{Type: "list_type", Msg: "Input should be a valid list", Input: raw}}
	}
	if len(errs) == 0 && len(list) > maxRelated {
		errs = []wire.FieldError{valueError(fmt.Sprintf("The maximum number of related resources is %d", maxRelated), raw)}
	}
	*r = list
	return errs
}

// DecodeWire implements wire's interface for types that decode themselves.
func (n *EventName) DecodeWire(raw json.RawMessage) []wire.FieldError {
	if errs := wire.FieldErrors(wire.Decode(raw, (*string)(n)), raw); len(errs) > 0 {
		return errs
	}
	if utf8.RuneCountInString(string(*n)) > maxEventNameLen {
		return []wire.FieldError{valueError(fmt.Sprintf("Event name must be at most %d characters", maxEventNameLen), raw)}
	}
	return nil
}

// WireSchema implements wire's interface for types that describe themselves.
func (*EventResource) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return of(reflect.TypeFor[core.Labels]())
}

// WireSchema implements wire's interface for types that describe themselves.
func (*RelatedResource) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return of(reflect.TypeFor[core.Labels]())
}

// WireSchema implements wire's interface for types that describe themselves.
func (*RelatedResources) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return of(reflect.TypeFor[[]RelatedResource]())
}

// WireSchema implements wire's interface for types that describe themselves.
func (*EventName) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return of(reflect.TypeFor[string]())
}
