package awscall

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// encoder holds what serialisation needs besides parameters.
type encoder struct {
	newToken func() string // for members that are idempotency tokens
	unknown  []string
}

// members pairs a structure's members with the parameters given for them, in the
// model's order. Nulls are as if absent.
func (e *encoder) members(s *Shape, v any, path string) ([]any, error) {
	o, ok := v.(*value.Object)
	if !ok {
		return nil, mismatch(path, "an object", v)
	}
	given := make([]any, len(s.Members))
	for key, val := range o.All() {
		m, ok := s.Member(key)
		if !ok {
			e.unknown = append(e.unknown, join(path, key))
			continue
		}
		if val != nil {
			given[s.byName[m.Name]] = val
		}
	}
	for i := range s.Members {
		if given[i] == nil && s.Members[i].token {
			given[i] = e.newToken()
		}
	}
	return given, nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// jsonValue appends the JSON of a value of a shape.
func (e *encoder) jsonValue(dst []byte, m *Member, s *Shape, v any, path string) ([]byte, error) {
	if m != nil && m.jsonText {
		return value.AppendString(dst, string(asBytes(v))), nil
	}
	switch s.Kind {
	case Structure:
		return e.jsonStructure(dst, s, v, path, nil)
	case List:
		list, ok := v.([]any)
		if !ok {
			return nil, mismatch(path, "an array", v)
		}
		dst = append(dst, '[')
		for i, x := range list {
			if i > 0 {
				dst = append(dst, ',')
			}
			var err error
			if dst, err = e.jsonElement(dst, s.Element, x, path+"["+strconv.Itoa(i)+"]"); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case Map:
		o, ok := v.(*value.Object)
		if !ok {
			return nil, mismatch(path, "an object", v)
		}
		dst = append(dst, '{')
		first := true
		for k, x := range o.All() {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(value.AppendString(dst, k), ':')
			var err error
			if dst, err = e.jsonElement(dst, s.Element, x, join(path, k)); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	default:
		return jsonScalar(dst, m, s, v, path)
	}
}

// jsonElement allows null in arrays and maps.
func (e *encoder) jsonElement(dst []byte, s *Shape, v any, path string) ([]byte, error) {
	if v == nil {
		return append(dst, "null"...), nil
	}
	return e.jsonValue(dst, nil, s, v, path)
}

// jsonStructure writes the members for which skip, if given, is false.
func (e *encoder) jsonStructure(dst []byte, s *Shape, v any, path string, skip func(*Member) bool) ([]byte, error) {
	given, err := e.members(s, v, path)
	if err != nil {
		return nil, err
	}
	dst = append(dst, '{')
	first := true
	for i := range s.Members {
		m := &s.Members[i]
		if given[i] == nil || skip != nil && skip(m) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(value.AppendString(dst, m.wireName()), ':')
		if dst, err = e.jsonValue(dst, m, m.Shape, given[i], join(path, m.Name)); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

func jsonScalar(dst []byte, m *Member, s *Shape, v any, path string) ([]byte, error) {
	switch s.Kind {
	case Integer, Float:
		n, err := asNumber(path, s.Kind, v)
		return append(dst, n...), err
	case Boolean:
		b, err := asBool(path, v)
		return strconv.AppendBool(dst, b), err
	case Blob:
		return value.AppendString(dst, base64.StdEncoding.EncodeToString(asBytes(v))), nil
	case Timestamp:
		t, err := asTime(path, v)
		if err != nil {
			return nil, err
		}
		format := timeFormat(m, s, unixFormat)
		text := formatTime(t, format)
		if format == unixFormat {
			return append(dst, text...), nil
		}
		return value.AppendString(dst, text), nil
	case Document:
		return value.Append(dst, v), nil
	default:
		t, err := asText(path, v)
		return value.AppendString(dst, t), err
	}
}

// scalarText is a scalar's text in queries, headers and XML.
func scalarText(m *Member, s *Shape, v any, path, times string) (string, error) {
	switch s.Kind {
	case Integer, Float:
		return asNumber(path, s.Kind, v)
	case Boolean:
		b, err := asBool(path, v)
		return strconv.FormatBool(b), err
	case Blob:
		return base64.StdEncoding.EncodeToString(asBytes(v)), nil
	case Timestamp:
		t, err := asTime(path, v)
		return formatTime(t, timeFormat(m, s, times)), err
	case Document:
		return value.String(v), nil
	case List, Map, Structure:
		return "", mismatch(path, "a scalar", v)
	default:
		return asText(path, v)
	}
}

// finish turns the unknown members met on the way into an error.
func (e *encoder) finish() error {
	if len(e.unknown) == 0 {
		return nil
	}
	return &ParameterError{Unknown: e.unknown, Text: "unknown parameters: " + strings.Join(e.unknown, ", ")}
}
