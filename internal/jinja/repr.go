package jinja

import (
	"fmt"
	"html"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// repr is the literal of a value that is known to be small, for messages.
func repr(v any) string {
	w := &writer{limit: maxText}
	if w.repr(v, 0) != nil {
		return "..."
	}
	return w.b.String()
}

// writer builds the text of a value within a limit.
type writer struct {
	b      strings.Builder
	limit  int
	sorted bool // dictionaries by their keys, as pprint shows them
}

var errTooLarge = &pyError{"MemoryError", "the template makes a text or list that is too large"}

func (w *writer) put(s string) error {
	if w.b.Len()+len(s) > w.limit {
		return errTooLarge
	}
	w.b.WriteString(s)
	return nil
}

func (w *writer) repr(v any, level int) error {
	if level > maxLevels {
		return errRecursion
	}
	switch v := v.(type) {
	case string:
		return w.put(pyrepr.String(v))
	case markup:
		return w.put("Markup(" + pyrepr.String(string(v)) + ")")
	case *list:
		return w.sequence("[", v.items, "]", level)
	case *tuple:
		if len(v.items) == 1 {
			return w.sequence("(", v.items, ",)", level)
		}
		return w.sequence("(", v.items, ")", level)
	case *dict:
		return w.dict(v, level)
	case *view:
		if err := w.put("dict_" + v.kind + "("); err != nil {
			return err
		}
		return w.sequence("[", v.items(), "])", level)
	case datetime:
		return w.put(v.repr())
	case date:
		return w.put(v.repr())
	case timedelta:
		return w.put(v.repr())
	case *undefined:
		return w.put("Undefined")
	case *big.Int:
		s, err := bigText(v)
		if err != nil {
			return err
		}
		return w.put(s)
	case *namespace:
		if err := w.put("<Namespace "); err != nil {
			return err
		}
		if err := w.repr(v.attrs, level+1); err != nil {
			return err
		}
		return w.put(">")
	case Model:
		return w.put(modelRepr(v))
	}
	return w.put(plainRepr(v))
}

// plainRepr is the text of what holds no other values.
func plainRepr(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return pyrepr.Float(v)
	case rangeValue:
		if v.step == 1 {
			return fmt.Sprintf("range(%d, %d)", v.start, v.stop)
		}
		return fmt.Sprintf("range(%d, %d, %d)", v.start, v.stop, v.step)
	case sliceValue:
		return "slice(" + repr(v.start) + ", " + repr(v.stop) + ", " + repr(v.step) + ")"
	case *iterator:
		return "<" + v.class + " object>"
	case *builtin:
		if typ, method, ok := strings.Cut(v.name, "."); ok {
			return "<built-in method " + method + " of " + typ + " object>"
		}
		return "<function " + v.name + ">"
	case *macro:
		if v.anonymous {
			return "<Macro anonymous>"
		}
		return "<Macro " + pyrepr.String(v.name) + ">"
	case *loop:
		return fmt.Sprintf("<LoopContext %d/%d>", v.index0+1, len(v.items))
	}
	return "<" + objectName(v) + ">"
}

func modelRepr(m Model) string {
	if r, ok := m.(interface{ Repr() string }); ok {
		return r.Repr()
	}
	return m.String()
}

func (w *writer) sequence(open string, items []any, end string, level int) error {
	if err := w.put(open); err != nil {
		return err
	}
	for i, v := range items {
		if i > 0 {
			if err := w.put(", "); err != nil {
				return err
			}
		}
		if err := w.repr(v, level+1); err != nil {
			return err
		}
	}
	return w.put(end)
}

func (w *writer) dict(d *dict, level int) error {
	if err := w.put("{"); err != nil {
		return err
	}
	for n, i := range w.order(d) {
		k := d.keys[i]
		if n > 0 {
			if err := w.put(", "); err != nil {
				return err
			}
		}
		if err := w.repr(k, level+1); err != nil {
			return err
		}
		if err := w.put(": "); err != nil {
			return err
		}
		if err := w.repr(d.values[i], level+1); err != nil {
			return err
		}
	}
	return w.put("}")
}

// order is the order in which a dictionary's items are shown.
func (w *writer) order(d *dict) []int {
	order := make([]int, len(d.keys))
	for i := range order {
		order[i] = i
	}
	if w.sorted {
		slices.SortStableFunc(order, func(i, j int) int {
			a, _ := textOf(d.keys[i])
			b, _ := textOf(d.keys[j])
			return strings.Compare(a, b)
		})
	}
	return order
}

func bigText(n *big.Int) (string, error) {
	s := n.String()
	if len(strings.TrimPrefix(s, "-")) > maxDigits {
		return "", &pyError{"ValueError", "Exceeds the limit (4300 digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit"}
	}
	return s, nil
}

// str is Python's str() of a value.
func (st *state) str(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case markup:
		return string(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case *undefined:
		return "", nil
	case datetime:
		return v.isoformat(" "), nil
	case date:
		return v.String(), nil
	case timedelta:
		return v.String(), nil
	case Model:
		return v.String(), nil
	}
	w := &writer{limit: maxText}
	err := w.repr(v, 0)
	if err == nil {
		err = st.spend(w.b.Len())
	}
	return w.b.String(), err
}

// softStr is str, which leaves a Markup what it is.
func (st *state) softStr(v any) (any, error) {
	switch v.(type) {
	case string, markup:
		return v, nil
	}
	return st.str(v)
}

// escapeHTML makes HTML of text.
func escapeHTML(s string) string { return html.EscapeString(s) }

// escape makes HTML of a value.
func (st *state) escape(v any) (markup, error) {
	if m, ok := v.(markup); ok {
		return m, nil
	}
	s, err := st.str(v)
	if err != nil {
		return "", err
	}
	return markup(escapeHTML(s)), nil
}
