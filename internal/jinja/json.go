package jinja

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// jsonWriter writes JSON as json.dumps of Python does: keys sorted, characters
// outside ASCII escaped.
type jsonWriter struct {
	b      strings.Builder
	indent string
	plain  bool // no indentation: ", " between items
}

// toJSON is the filter tojson: JSON that is safe within HTML.
func (st *state) toJSON(v, indent any) (any, error) {
	w := &jsonWriter{plain: indent == nil}
	if indent != nil {
		if s, ok := textOf(indent); ok {
			w.indent = s
		} else {
			n, err := widthOf(indent)
			if err != nil {
				return nil, err
			}
			if n > maxWidth {
				return nil, errTooLarge
			}
			w.indent = strings.Repeat(" ", n)
		}
	}
	if err := w.value(st, v, 0); err != nil {
		return nil, err
	}
	safe := strings.NewReplacer("<", "\\u003c", ">", "\\u003e", "&", "\\u0026", "'", "\\u0027").Replace(w.b.String())
	return markup(safe), st.spend(len(safe))
}

func (w *jsonWriter) value(st *state, v any, level int) error {
	if level > maxLevels {
		return errRecursion
	}
	if w.b.Len() > maxText {
		return errTooLarge
	}
	if err := st.spend(0); err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
		w.b.WriteString("null")
	case bool:
		w.b.WriteString(strconv.FormatBool(v))
	case int64:
		w.b.WriteString(strconv.FormatInt(v, 10))
	case *big.Int:
		s, err := bigText(v)
		if err != nil {
			return err
		}
		w.b.WriteString(s)
	case float64:
		w.b.WriteString(jsonFloat(v))
	case string, markup:
		s, _ := textOf(v)
		w.text(s)
	case *list:
		return w.items(st, v.items, level)
	case *tuple:
		return w.items(st, v.items, level)
	case *dict:
		return w.dict(st, v, level)
	case interface{ JSON() any }:
		return w.value(st, fromGo(v.JSON()), level+1)
	default:
		name := typeName(v)
		if i := strings.LastIndexByte(name, '.'); i >= 0 {
			name = name[i+1:]
		}
		return typeError("Object of type " + name + " is not JSON serializable")
	}
	return nil
}

func jsonFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return pyrepr.Float(f)
}

func (w *jsonWriter) text(s string) {
	w.b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			w.b.WriteByte('\\')
			w.b.WriteRune(r)
		case r == '\n':
			w.b.WriteString(`\n`)
		case r == '\r':
			w.b.WriteString(`\r`)
		case r == '\t':
			w.b.WriteString(`\t`)
		case r == '\b':
			w.b.WriteString(`\b`)
		case r == '\f':
			w.b.WriteString(`\f`)
		case r >= ' ' && r < 0x7f:
			w.b.WriteRune(r)
		case r == 0x7f:
			w.b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			w.unit(high)
			w.unit(low)
		default:
			w.unit(r)
		}
	}
	w.b.WriteByte('"')
}

func (w *jsonWriter) unit(r rune) {
	s := strconv.FormatInt(int64(r), 16)
	w.b.WriteString(`\u` + strings.Repeat("0", 4-len(s)) + s)
}

// gap goes to the next item, on a line of its own if there is an indentation.
func (w *jsonWriter) gap(first bool, level int) {
	switch {
	case w.plain && first:
	case w.plain:
		w.b.WriteString(", ")
	default:
		if !first {
			w.b.WriteByte(',')
		}
		w.b.WriteByte('\n')
		for range level {
			w.b.WriteString(w.indent)
		}
	}
}

func (w *jsonWriter) items(st *state, items []any, level int) error {
	w.b.WriteByte('[')
	for i, v := range items {
		w.gap(i == 0, level+1)
		if err := w.value(st, v, level+1); err != nil {
			return err
		}
	}
	if !w.plain && len(items) > 0 {
		w.gap(true, level)
	}
	w.b.WriteByte(']')
	return nil
}

func (w *jsonWriter) dict(st *state, d *dict, level int) error {
	order := make([]int, len(d.keys))
	for i := range order {
		order[i] = i
	}
	var failed error
	slices.SortStableFunc(order, func(i, j int) int {
		before, err := st.less("<", d.keys[i], d.keys[j])
		if err != nil {
			failed = err
			return 0
		}
		if before {
			return -1
		}
		after, err := st.less("<", d.keys[j], d.keys[i])
		if err == nil && after {
			return 1
		}
		return 0
	})
	if failed != nil {
		return failed
	}
	w.b.WriteByte('{')
	for n, i := range order {
		w.gap(n == 0, level+1)
		key, err := jsonKey(d.keys[i])
		if err != nil {
			return err
		}
		w.text(key)
		w.b.WriteString(": ")
		if err := w.value(st, d.values[i], level+1); err != nil {
			return err
		}
	}
	if !w.plain && len(order) > 0 {
		w.gap(true, level)
	}
	w.b.WriteByte('}')
	return nil
}

func jsonKey(k any) (string, error) {
	switch k := k.(type) {
	case string, markup:
		s, _ := textOf(k)
		return s, nil
	case nil:
		return "null", nil
	case bool:
		return strconv.FormatBool(k), nil
	case int64:
		return strconv.FormatInt(k, 10), nil
	case *big.Int:
		return bigText(k)
	case float64:
		return jsonFloat(k), nil
	}
	return "", typeError("keys must be str, int, float, bool or None, not " + typeName(k))
}
