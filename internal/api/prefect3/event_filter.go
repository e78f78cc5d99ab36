package prefect3

import (
	"bytes"
	"encoding/json"
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
	Resource    *resourceFilter           `json:"resource"`
	Related     oneOrMany[resourceFilter] `json:"related"`
	AnyResource oneOrMany[resourceFilter] `json:"any_resource"`
	ID          struct {
		_  struct{}  `wire:"forbid"`
		ID []core.ID `json:"id" wire:"nullable"`
	} `json:"id"`
	Text *struct {
		_     struct{} `wire:"forbid"`
		Query string   `json:"query" wire:"required"`
	} `json:"text"`
	Order eventOrder `json:"order" wire:"default=DESC"`
}

// eventOrder is the order in which events are shown, by the time they occurred.
type eventOrder string

// Enum lists the values.
func (eventOrder) Enum() []string { return []string{"ASC", "DESC"} }

// resourceFilter is a filter of resources as clients send it.
type resourceFilter struct {
	_                struct{}              `wire:"forbid"`
	ID               []string              `json:"id" wire:"nullable"`
	IDPrefix         []string              `json:"id_prefix" wire:"nullable"`
	Role             []string              `json:"role" wire:"nullable"`
	ResourcesInRoles [][]string            `json:"resources_in_roles" wire:"nullable"`
	Labels           map[string]labelValue `json:"labels" wire:"nullable"`
	Distinct         bool                  `json:"distinct"`
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

// oneOrMany is a value, a list of values, or null.
type oneOrMany[T any] []T

// DecodeWire implements wire's interface for types that decode themselves.
func (o *oneOrMany[T]) DecodeWire(raw json.RawMessage) []wire.FieldError {
	if isNull(raw) {
		return nil
	}
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte{'['}) {
		list, errs := decoded[[]T](raw)
		*o = list
		return errs
	}
	v, errs := decoded[T](raw)
	*o = []T{v}
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
func (f *resourceFilter) empty() bool {
	return len(f.ID)+len(f.IDPrefix)+len(f.Role)+len(f.ResourcesInRoles)+len(f.Labels) == 0
}

func (f *resourceFilter) core() core.ResourceFilter {
	out := core.ResourceFilter{IDs: f.ID, IDPrefixes: f.IDPrefix, Roles: f.Role}
	for _, pair := range f.ResourcesInRoles {
		if len(pair) == 2 {
			out.InRoles = append(out.InRoles, [2]string{pair[0], pair[1]})
		}
	}
	for key, values := range f.Labels {
		out.Labels = append(out.Labels, core.LabelSpec{Key: key, Values: values})
	}
	return out
}
