package awscall

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// fromJSON reads a value of a shape out of JSON; nil when it is absent or of
// another type than the model says.
func fromJSON(m *Member, s *Shape, v any) any {
	if v == nil {
		return nil
	}
	switch s.Kind {
	case Structure:
		o, ok := v.(*value.Object)
		if !ok {
			return nil
		}
		return structureFromJSON(s, o)
	case List:
		list, ok := v.([]any)
		if !ok {
			return nil
		}
		out := make([]any, len(list))
		for i, x := range list {
			out[i] = fromJSON(nil, s.Element, x)
		}
		return out
	case Map:
		o, ok := v.(*value.Object)
		if !ok {
			return nil
		}
		out := value.NewObject(o.Len())
		for k, x := range o.All() {
			if x != nil {
				out.Set(k, fromJSON(nil, s.Element, x))
			}
		}
		return out
	case Timestamp:
		if t, ok := parseTime(v); ok {
			return t
		}
		return v
	case Blob:
		t, ok := v.(string)
		if !ok {
			return v
		}
		b, err := base64.StdEncoding.DecodeString(t)
		if err != nil {
			return t
		}
		return showBytes(b)
	case String:
		if t, ok := v.(string); ok && m != nil && m.jsonText {
			if inner, err := value.Parse([]byte(t)); err == nil {
				return inner
			}
		}
	case Integer, Float, Boolean, Document:
	}
	return v
}

func structureFromJSON(s *Shape, o *value.Object) *value.Object {
	out := value.NewObject(o.Len())
	for i := range s.Members {
		m := &s.Members[i]
		if m.location != "" {
			continue
		}
		v, ok := o.Get(m.wireName())
		if !ok {
			continue
		}
		if v := fromJSON(m, m.Shape, v); v != nil {
			out.Set(m.Name, v)
		}
	}
	return out
}

// fromText reads a scalar out of XML text or a header.
func fromText(s *Shape, t string) any {
	switch s.Kind {
	case Integer, Float:
		t = strings.TrimSpace(t)
		if json.Valid([]byte(t)) {
			return json.Number(t)
		}
		return t
	case Boolean:
		return strings.EqualFold(strings.TrimSpace(t), "true")
	case Timestamp:
		if shown, ok := parseTime(strings.TrimSpace(t)); ok {
			return shown
		}
		return t
	case Blob:
		if b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(t)); err == nil {
			return showBytes(b)
		}
		return t
	default:
		return t
	}
}
