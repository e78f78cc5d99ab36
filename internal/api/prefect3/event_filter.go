package prefect3

import (
	"bytes"
	"encoding/json"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// eventFilter is a filter of events as clients send it. Prefect REST: EventFilter.
type eventFilter struct {
	Occurred struct {
		Since *wire.Time `json:"since"`
		Until *wire.Time `json:"until"`
	} `json:"occurred"`
	Event *struct {
		Prefix        []string `json:"prefix" wire:"nullable"`
		ExcludePrefix []string `json:"exclude_prefix" wire:"nullable"`
		Name          []string `json:"name" wire:"nullable"`
		ExcludeName   []string `json:"exclude_name" wire:"nullable"`
	} `json:"event"`
	Resource    *resourceFilter           `json:"resource"`
	Related     oneOrMany[resourceFilter] `json:"related"`
	AnyResource oneOrMany[resourceFilter] `json:"any_resource"`
	ID          struct {
		ID []core.ID `json:"id" wire:"nullable"`
	} `json:"id" wire:"nullable"`
	Text *struct {
		Query string `json:"query" wire:"required"`
	} `json:"text"`
	Order *string `json:"order"`
}

// resourceFilter is a filter of resources as clients send it.
type resourceFilter struct {
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
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte{'['}) {
		list, errs := decoded[[]string](raw)
		*l = list
		return errs
	}
	s, errs := decoded[string](raw)
	*l = []string{s}
	return errs
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
		out.Related = append(out.Related, f.Related[i].core())
	}
	for i := range f.AnyResource {
		out.Any = append(out.Any, f.AnyResource[i].core())
	}
	if f.Text != nil {
		out.Text = f.Text.Query
	}
	return out
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
