package awscall

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/value"
)

// ParameterError says which parameters a call cannot be made of.
type ParameterError struct {
	// Unknown names the members that the operation does not have, Text any other
	// reason.
	Unknown []string
	Text    string
}

func (e *ParameterError) Error() string {
	if e.Text != "" {
		return e.Text
	}
	return "unknown parameters: " + strings.Join(e.Unknown, ", ")
}

func mismatch(path, want string, v any) error {
	return &ParameterError{Text: fmt.Sprintf("%s must be %s, not %s", path, want, describe(v))}
}

func describe(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case []any:
		return "an array"
	case *value.Object:
		return "an object"
	}
	return "a number"
}

// asText reads a string: numbers and booleans are taken by their text.
func asText(path string, v any) (string, error) {
	switch t := v.(type) {
	case string:
		return t, nil
	case []any, *value.Object, nil:
		return "", mismatch(path, "a string", v)
	}
	return value.String(v), nil
}

func asBool(path string, v any) (bool, error) {
	switch t := v.(type) {
	case bool:
		return t, nil
	case string:
		if b, err := strconv.ParseBool(strings.ToLower(t)); err == nil {
			return b, nil
		}
	}
	return false, mismatch(path, "a boolean", v)
}

// asNumber reads a number or the text of one and returns its text.
func asNumber(path string, kind Kind, v any) (string, error) {
	if n, ok := numeral(v); ok {
		v = n
	}
	if kind == Integer {
		i, ok := value.Integer(v)
		if !ok {
			return "", mismatch(path, "an integer", v)
		}
		return strconv.FormatInt(i, 10), nil
	}
	f, ok := value.Number(v)
	if !ok || math.IsNaN(f) || math.IsInf(f, 0) {
		return "", mismatch(path, "a number", v)
	}
	if n, ok := v.(json.Number); ok {
		return string(n), nil
	}
	return strconv.FormatFloat(f, 'g', -1, 64), nil
}

// numeral reads the text of a number.
func numeral(v any) (json.Number, bool) {
	s, ok := v.(string)
	if !ok {
		return "", false
	}
	s = strings.TrimSpace(s)
	if s == "" || !strings.Contains("-0123456789", s[:1]) || !json.Valid([]byte(s)) {
		return "", false
	}
	return json.Number(s), true
}

// asBytes reads a blob: the bytes of a text, the JSON text of anything else.
func asBytes(v any) []byte {
	if s, ok := v.(string); ok {
		return []byte(s)
	}
	return value.Append(nil, v)
}

// asTime reads a time: ISO 8601, or seconds since 1970.
func asTime(path string, v any) (time.Time, error) {
	if s, ok := v.(string); ok {
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05Z0700", "2006-01-02", time.RFC1123} {
			if t, err := time.Parse(layout, s); err == nil {
				return t.UTC(), nil
			}
		}
		if n, ok := numeral(v); ok {
			v = n
		}
	}
	f, ok := value.Number(v)
	if !ok || math.Abs(f) > 1e15 {
		return time.Time{}, mismatch(path, "a timestamp", v)
	}
	sec, frac := math.Modf(f)
	return time.Unix(int64(sec), int64(math.Round(frac*1e6))*1000).UTC(), nil
}

// The formats of timestamps on the wire.
const (
	isoFormat  = "iso8601"
	httpFormat = "rfc822"
	unixFormat = "unixTimestamp"
)

func formatTime(t time.Time, format string) string {
	switch format {
	case httpFormat:
		return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
	case unixFormat:
		if t.Nanosecond() == 0 {
			return strconv.FormatInt(t.Unix(), 10)
		}
		return strconv.FormatFloat(float64(t.UnixMicro())/1e6, 'f', -1, 64)
	}
	if t.Nanosecond() == 0 {
		return t.UTC().Format("2006-01-02T15:04:05Z")
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}

// timeFormat chooses a member's format: its own, its shape's, the place's.
func timeFormat(m *Member, s *Shape, otherwise string) string {
	if m != nil && m.format != "" {
		return m.format
	}
	if s.format != "" {
		return s.format
	}
	return otherwise
}

// showTime is how an answer's times are given to callers: ISO 8601 with as many
// digits of a second as it has, to the millisecond.
func showTime(t time.Time) string {
	if t.Nanosecond() == 0 {
		return t.UTC().Format("2006-01-02T15:04:05Z")
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// parseTime reads a time of an answer, whatever the format: services do not
// always keep to their models.
func parseTime(v any) (string, bool) {
	if s, ok := v.(string); ok {
		if t, err := time.Parse("Mon, 02 Jan 2006 15:04:05 MST", s); err == nil {
			return showTime(t), true
		}
	}
	t, err := asTime("", v)
	if err != nil {
		return "", false
	}
	return showTime(t), true
}

// showBytes gives a blob as text; what is no UTF-8 stays in base64.
func showBytes(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return base64.StdEncoding.EncodeToString(b)
}
