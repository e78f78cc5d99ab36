package core

import (
	"slices"
	"strings"
	"time"
)

// EventFilter selects events. All parts that are set must match; nil and empty
// lists match everything.
type EventFilter struct {
	Since, Until *time.Time
	IDs          []ID
	Names        []string
	// Prefixes match the beginning of the event's name.
	Prefixes        []string
	ExcludeNames    []string
	ExcludePrefixes []string
	// Resource must match the event's own resource.
	Resource *ResourceFilter
	// Related must each match one of the related resources.
	Related []ResourceFilter
	// Any must each match the event's own resource or a related one.
	Any []ResourceFilter
	// Text must occur in the name, the resources or the payload, in any case.
	Text string
}

// ResourceFilter selects resources.
type ResourceFilter struct {
	IDs        []string
	IDPrefixes []string
	Roles      []string
	// InRoles lists pairs of id and role, one of which must match.
	InRoles [][2]string
	// Labels must all match one of their values.
	Labels []LabelSpec
}

// LabelSpec is a label and the values that it may have. A value may end in *;
// one that begins with ! excludes.
type LabelSpec struct {
	Key    string
	Values []string
}

// Matches reports whether the filter selects the event.
func (f *EventFilter) Matches(e *Event) bool {
	switch {
	case f.Since != nil && e.Occurred.Before(*f.Since), f.Until != nil && e.Occurred.After(*f.Until):
		return false
	case len(f.IDs) > 0 && !slices.Contains(f.IDs, e.ID):
		return false
	case !f.matchesName(e.Event):
		return false
	case f.Resource != nil && !f.Resource.Matches(e.Resource):
		return false
	case f.Text != "" && !containsText(e, f.Text):
		return false
	}
	for i := range f.Related {
		if !slices.ContainsFunc(e.Related, f.Related[i].Matches) && !f.Related[i].ofNoRole(e) {
			return false
		}
	}
	for i := range f.Any {
		if !f.Any[i].Matches(e.Resource) && !slices.ContainsFunc(e.Related, f.Any[i].Matches) {
			return false
		}
	}
	return true
}

// ofNoRole reports whether the filter asks for the role "", which the event's own
// resource has, and selects that.
func (f *ResourceFilter) ofNoRole(e *Event) bool {
	return slices.Contains(f.Roles, "") && f.Matches(e.Resource)
}

func (f *EventFilter) matchesName(name string) bool {
	prefixed := func(p string) bool { return strings.HasPrefix(name, p) }
	if slices.Contains(f.ExcludeNames, name) || slices.ContainsFunc(f.ExcludePrefixes, prefixed) {
		return false
	}
	if len(f.Names) == 0 && len(f.Prefixes) == 0 {
		return true
	}
	return slices.Contains(f.Names, name) || slices.ContainsFunc(f.Prefixes, prefixed)
}

func containsText(e *Event, text string) bool {
	text = strings.ToLower(text)
	holds := func(s string) bool { return strings.Contains(strings.ToLower(s), text) }
	if holds(e.Event) || holds(string(e.Payload)) {
		return true
	}
	for _, r := range append([]Labels{e.Resource}, e.Related...) {
		for _, l := range r {
			if holds(l.Value) {
				return true
			}
		}
	}
	return false
}

// Matches reports whether the filter selects the resource.
func (f *ResourceFilter) Matches(r Labels) bool {
	id := r.Get(ResourceID)
	if len(f.IDs) > 0 && !slices.Contains(f.IDs, id) {
		return false
	}
	if len(f.IDPrefixes) > 0 && !slices.ContainsFunc(f.IDPrefixes, func(p string) bool { return strings.HasPrefix(id, p) }) {
		return false
	}
	role := r.Get(ResourceRole)
	if len(f.Roles) > 0 && !slices.Contains(f.Roles, role) {
		return false
	}
	if len(f.InRoles) > 0 && !slices.Contains(f.InRoles, [2]string{id, role}) {
		return false
	}
	return !slices.ContainsFunc(f.Labels, func(s LabelSpec) bool { return !s.matches(r) })
}

func (s LabelSpec) matches(r Labels) bool {
	value, wanted := r.Get(s.Key), false
	for _, v := range s.Values {
		pattern, not := strings.CutPrefix(v, "!")
		hit := r.Has(s.Key) && matchesPattern(value, pattern)
		if not {
			if hit {
				return false
			}
			wanted = true
			continue
		}
		if hit {
			return true
		}
	}
	// Values that only exclude are content with what they do not exclude.
	return wanted && !slices.ContainsFunc(s.Values, func(v string) bool { return !strings.HasPrefix(v, "!") })
}

func matchesPattern(value, pattern string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(value, prefix)
	}
	return value == pattern
}
