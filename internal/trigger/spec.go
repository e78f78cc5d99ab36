package trigger

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/core"
)

// spec selects resources: each label must have one of its values. An empty one
// selects all. Prefect: ResourceSpecification.
type spec []labelSpec

type labelSpec struct {
	key    string
	values []string
}

// UnmarshalJSON implements json.Unmarshaler: an object of texts or lists of texts.
func (s *spec) UnmarshalJSON(raw []byte) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return err
	}
	*s = nil
	for key, value := range object {
		var one string
		l := labelSpec{key: key}
		if json.Unmarshal(value, &one) == nil {
			l.values = []string{one}
		} else if err := json.Unmarshal(value, &l.values); err != nil {
			return fmt.Errorf("label %q: %w", key, err)
		}
		*s = append(*s, l)
	}
	return nil
}

// specs reads one specification or a list of them.
func specs(raw json.RawMessage) ([]spec, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	if raw[0] == '[' {
		var list []spec
		return list, json.Unmarshal(raw, &list)
	}
	var one spec
	if err := json.Unmarshal(raw, &one); err != nil {
		return nil, err
	}
	return []spec{one}, nil
}

func (s spec) includes(r core.Labels) bool {
	for _, l := range s {
		if !r.Has(l.key) {
			return false
		}
		value := r.Get(l.key)
		if !slices.ContainsFunc(l.values, func(v string) bool { return v == value || matches(v, value) }) {
			return false
		}
	}
	return true
}

// findLabel is the value of a label of the event's resource, or, written
// "related:ROLE:LABEL", of the first related resource in the role.
func findLabel(e *core.Event, label string) string {
	if rest, ok := strings.CutPrefix(label, "related:"); ok {
		if at := strings.LastIndex(rest, ":"); at >= 0 {
			for _, r := range e.Related {
				if r.Get(core.ResourceRole) == rest[:at] {
					return r.Get(rest[at+1:])
				}
			}
		}
	}
	return e.Resource.Get(label)
}
