package prefect3

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// eventFilter is a filter of events as clients send it. Prefect REST: EventFilter.
type eventFilter struct {
	_        struct{} `wire:"forbid"`
	Occurred struct {
		_     struct{}   `wire:"forbid"`
		Since *wire.Time `json:"since"`
		Until *wire.Time `json:"until"`
	} `json:"occurred"`
	Event *struct {
		_             struct{} `wire:"forbid"`
		Prefix        []string `json:"prefix" wire:"nullable"`
		ExcludePrefix []string `json:"exclude_prefix" wire:"nullable"`
		Name          []string `json:"name" wire:"nullable"`
		ExcludeName   []string `json:"exclude_name" wire:"nullable"`
	} `json:"event"`
	Resource    *resourceFilter              `json:"resource"`
	Related     oneOrMany[relatedFilter]     `json:"related"`
	AnyResource oneOrMany[anyResourceFilter] `json:"any_resource"`
	ID          struct {
		_  struct{}  `wire:"forbid"`
		ID []core.ID `json:"id" wire:"nullable"`
	} `json:"id"`
	Text *struct {
		_     struct{} `wire:"forbid"`
		Query string   `json:"query" wire:"required,max=200"`
	} `json:"text"`
	Order eventOrder `json:"order" wire:"default=DESC"`
}

// eventOrder is the order in which events are shown, by the time they occurred.
type eventOrder string

// Enum lists the values.
func (eventOrder) Enum() []string { return []string{"ASC", "DESC"} }

// resourceFilter is a filter of an event's own resource. Prefect REST: EventResourceFilter.
type resourceFilter struct {
	_        struct{}              `wire:"forbid"`
	ID       []string              `json:"id" wire:"nullable"`
	IDPrefix []string              `json:"id_prefix" wire:"nullable"`
	Labels   map[string]labelValue `json:"labels" wire:"nullable"`
	Distinct bool                  `json:"distinct"`
}

// relatedFilter is a filter of related resources. Prefect REST: EventRelatedFilter.
type relatedFilter struct {
	_                struct{}              `wire:"forbid"`
	ID               []string              `json:"id" wire:"nullable"`
	Role             []string              `json:"role" wire:"nullable"`
	ResourcesInRoles []inRole              `json:"resources_in_roles" wire:"nullable"`
	Labels           map[string]labelValue `json:"labels" wire:"nullable"`
}

func (relatedFilter) member() string { return "EventRelatedFilter" }

// anyResourceFilter is a filter of resources of both kinds. Prefect REST: EventAnyResourceFilter.
type anyResourceFilter struct {
	_        struct{}              `wire:"forbid"`
	ID       []string              `json:"id" wire:"nullable"`
	IDPrefix []string              `json:"id_prefix" wire:"nullable"`
	Labels   map[string]labelValue `json:"labels" wire:"nullable"`
}

func (anyResourceFilter) member() string { return "EventAnyResourceFilter" }

// inRole is the id of a resource and the role that it has.
type inRole [2]string

// DecodeWire implements wire's interface for types that decode themselves.
func (p *inRole) DecodeWire(raw json.RawMessage) []wire.FieldError {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return []wire.FieldError{{Type: "tuple_type", Msg: "Input should be a valid tuple", Input: raw}}
	}
	if len(list) > len(p) {
		return []wire.FieldError{{
			Type: "too_long", Msg: fmt.Sprintf("Tuple should have at most 2 items after validation, not %d", len(list)), Input: raw,
			Ctx: map[string]any{"field_type": "Tuple", "max_length": 2, "actual_length": len(list)},
		}}
	}
	var errs []wire.FieldError
	for i := range p {
		if i >= len(list) {
			errs = append(errs, wire.FieldError{Type: "missing", Loc: []any{i}, Msg: "Field required", Input: raw})
			continue
		}
		s, more := decoded[string](list[i])
		for _, e := range more {
			e.Loc = append([]any{i}, e.Loc...)
			errs = append(errs, e)
		}
		p[i] = s
	}
	return errs
}

// WireSchema implements wire's interface for types that describe themselves.
func (*inRole) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	two := 2
	return &wire.Schema{Type: "array", MinItems: &two, MaxItems: &two}
}

// labelValue is a string or a list of strings.
type labelValue []string

// DecodeWire implements wire's interface for types that decode themselves.
func (l *labelValue) DecodeWire(raw json.RawMessage) []wire.FieldError {
	s, errs := decoded[string](raw)
	if *l = []string{s}; len(errs) == 0 {
		return nil
	}
	list, more := decoded[[]string](raw)
	if *l = list; len(more) == 0 {
		return nil
	}
	for i := range errs {
		errs[i].Loc = append([]any{"str"}, errs[i].Loc...)
	}
	for i := range more {
		more[i].Loc = append([]any{"list[str]"}, more[i].Loc...)
	}
	return append(errs, more...)
}

// WireSchema implements wire's interface for types that describe themselves.
func (*labelValue) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return wire.Or(of(reflect.TypeFor[string]()), of(reflect.TypeFor[[]string]()))
}

// oneOrMany is a value, a list of values, or null. T names itself in errors.
type oneOrMany[T interface{ member() string }] []T

// DecodeWire implements wire's interface for types that decode themselves.
func (o *oneOrMany[T]) DecodeWire(raw json.RawMessage) []wire.FieldError {
	if isNull(raw) {
		return nil
	}
	var v T
	var list []T
	single := wire.Of(v.member(), &v)
	decode := single.Decode
	single.Decode = func(raw json.RawMessage) []wire.FieldError {
		errs := decode(raw)
		if len(errs) == 0 {
			list = []T{v}
		}
		return errs
	}
	errs := wire.Union(raw, single, wire.Of("list["+v.member()+"]", &list))
	*o = list
	return errs
}

// WireSchema implements wire's interface for types that describe themselves.
func (*oneOrMany[T]) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return wire.OrNull(wire.Or(of(reflect.TypeFor[T]()), of(reflect.TypeFor[[]T]())))
}

// core returns the filter as the domain knows it.
func (f *eventFilter) core() *core.EventFilter {
	out := &core.EventFilter{Since: f.Occurred.Since.Ptr(), Until: f.Occurred.Until.Ptr(), IDs: f.ID.ID}
	if e := f.Event; e != nil {
		out.Names, out.Prefixes, out.ExcludeNames, out.ExcludePrefixes = e.Name, e.Prefix, e.ExcludeName, e.ExcludePrefix
	}
	if f.Resource != nil {
		r := f.Resource.core()
		out.Resource = &r
	}
	for i := range f.Related {
		if !f.Related[i].empty() {
			out.Related = append(out.Related, f.Related[i].core())
		}
	}
	for i := range f.AnyResource {
		if !f.AnyResource[i].empty() {
			out.Any = append(out.Any, f.AnyResource[i].core())
		}
	}
	if f.Text != nil {
		out.Text = f.Text.Query
	}
	return out
}

// empty tells whether the filter asks for nothing, not even that there be a resource.
func (f *relatedFilter) empty() bool {
	return len(f.ID)+len(f.Role)+len(f.ResourcesInRoles)+len(f.Labels) == 0
}

func (f *anyResourceFilter) empty() bool { return len(f.ID)+len(f.IDPrefix)+len(f.Labels) == 0 }

func (f *resourceFilter) core() core.ResourceFilter {
	return core.ResourceFilter{IDs: f.ID, IDPrefixes: f.IDPrefix, Labels: labelSpecs(f.Labels)}
}

func (f *relatedFilter) core() core.ResourceFilter {
	out := core.ResourceFilter{IDs: f.ID, Roles: f.Role, Labels: labelSpecs(f.Labels)}
	for _, pair := range f.ResourcesInRoles {
		out.InRoles = append(out.InRoles, pair)
	}
	return out
}

func (f *anyResourceFilter) core() core.ResourceFilter {
	return core.ResourceFilter{IDs: f.ID, IDPrefixes: f.IDPrefix, Labels: labelSpecs(f.Labels)}
}

func labelSpecs(labels map[string]labelValue) (out []core.LabelSpec) {
	for key, values := range labels {
		out = append(out, core.LabelSpec{Key: key, Values: values})
	}
	return out
}
