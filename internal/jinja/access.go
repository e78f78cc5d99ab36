package jinja

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// changesList tells whether a method of lists would change its list. The sandbox
// does not give those out.
func changesList(name string) bool {
	switch name {
	case "append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove":
		return true
	}
	return false
}

// changesDict is changesList of dictionaries.
func changesDict(name string) bool {
	switch name {
	case "clear", "pop", "popitem", "setdefault", "update":
		return true
	}
	return false
}

// attr is `of.name`: an attribute, else an item.
func (st *state) attr(of any, name string) (any, error) {
	if u, ok := of.(*undefined); ok {
		if strings.HasPrefix(name, "__") && strings.HasSuffix(name, "__") {
			if everywhere(name) {
				return unsafe(u, name), nil
			}
			return &undefined{of: u, hasOf: true, name: name}, nil
		}
		return u.chain()
	}
	if v, ok, err := st.attribute(of, name); ok || err != nil {
		return v, err
	}
	v, err := st.index(of, name)
	if err != nil {
		return nil, err
	}
	if v == missing {
		return &undefined{of: of, hasOf: true, name: name}, nil
	}
	return v, nil
}

// item is `of[key]`: an item, else an attribute.
func (st *state) item(of, key any) (any, error) {
	if u, ok := of.(*undefined); ok {
		return u.chain()
	}
	v, err := st.index(of, key)
	if err != nil {
		return nil, err
	}
	if v != missing {
		return v, nil
	}
	if name, ok := key.(string); ok {
		if v, found, err := st.attribute(of, name); found || err != nil {
			return v, err
		}
	}
	return &undefined{of: of, hasOf: true, name: key}, nil
}

func unsafe(of any, name string) *undefined {
	return &undefined{
		name: name, of: of, hasOf: true, security: true,
		hint: "access to attribute " + pyrepr.String(name) + " of " + pyrepr.String(typeName(of)) + " object is unsafe.",
	}
}

// everywhere tells whether every object of Python has the attribute; the sandbox
// refuses those.
func everywhere(name string) bool {
	switch name {
	case "__class__", "__delattr__", "__dir__", "__doc__", "__eq__", "__format__", "__ge__",
		"__getattribute__", "__getstate__", "__gt__", "__hash__", "__init__", "__init_subclass__",
		"__le__", "__lt__", "__ne__", "__new__", "__reduce__", "__reduce_ex__", "__repr__",
		"__setattr__", "__sizeof__", "__str__", "__subclasshook__":
		return true
	}
	return false
}

// attribute finds an attribute or a method of a value.
func (st *state) attribute(of any, name string) (any, bool, error) {
	if everywhere(name) {
		return unsafe(of, name), true, nil
	}
	switch v := of.(type) {
	case string, markup:
		return st.strMethod(v, name)
	case *list:
		if changesList(name) {
			return unsafe(of, name), true, nil
		}
		return sequenceMethod(v.items, "list", name)
	case *tuple:
		if i := slices.Index(v.names, name); i >= 0 {
			return v.items[i], true, nil
		}
		return sequenceMethod(v.items, "tuple", name)
	case *dict:
		if changesDict(name) {
			return unsafe(of, name), true, nil
		}
		return dictMethod(v, name)
	case rangeValue:
		return rangeAttribute(v, name)
	case bool, int64, float64:
		return numberAttribute(v, name)
	case datetime:
		return v.attribute(name)
	case date:
		return v.attribute(name)
	case timedelta:
		return v.attribute(name)
	case *loop:
		return v.attribute(name)
	case *namespace:
		out, ok := v.attrs.get(textKey(name))
		return out, ok, nil
	case *cycler:
		return v.attribute(name)
	case *macro:
		return macroAttribute(v, name)
	case Model:
		if strings.HasPrefix(name, "_") {
			return unsafe(of, name), true, nil
		}
		out, ok := v.Attr(name)
		return fromGo(out), ok, nil
	}
	return nil, false, nil
}

func macroAttribute(m *macro, name string) (any, bool, error) {
	switch name {
	case "name":
		return m.name, true, nil
	case "catch_kwargs":
		return m.wants.kwargs, true, nil
	case "catch_varargs":
		return m.wants.varargs, true, nil
	case "caller":
		return m.wants.caller, true, nil
	case "arguments":
		items := make([]any, len(m.sig.args))
		for i, a := range m.sig.args {
			items[i] = a
		}
		return newTuple(items...), true, nil
	}
	return nil, false, nil
}

func rangeAttribute(r rangeValue, name string) (any, bool, error) {
	switch name {
	case "start":
		return r.start, true, nil
	case "stop":
		return r.stop, true, nil
	case "step":
		return r.step, true, nil
	}
	return nil, false, nil
}

// absence is the type of missing alone, which so equals no value of a template.
type absence int

// missing is what an index finds nothing of.
const missing absence = 0

// index is Python's of[key]; missing when it raises a TypeError or LookupError.
func (st *state) index(of, key any) (any, error) {
	if s, ok := key.(sliceValue); ok {
		return st.sliceOf(of, s)
	}
	switch v := of.(type) {
	case *dict:
		k, err := st.hash(key)
		if err != nil {
			if e, ok := err.(*pyError); ok && e.class == "TypeError" { //nolint:errorlint // never wrapped inside the package
				return missing, nil
			}
			return nil, err
		}
		if out, ok := v.get(k); ok {
			return out, nil
		}
	case *list:
		return at(v.items, key), nil
	case *tuple:
		return at(v.items, key), nil
	case string, markup:
		n, ok := intOf(key)
		if !ok {
			return missing, nil
		}
		text, _ := textOf(v)
		c, ok := runeAt(text, n)
		if !ok {
			return missing, st.spend(len(text))
		}
		if _, isMarkup := v.(markup); isMarkup {
			return markup(c), st.spend(len(text))
		}
		return c, st.spend(len(text))
	case rangeValue:
		n, ok := intOf(key)
		if n < 0 {
			n += v.len()
		}
		if ok && n >= 0 && n < v.len() {
			return v.start + n*v.step, nil
		}
	case Model:
		if g, ok := v.(interface{ Item(key string) (any, bool) }); ok {
			if name, isText := key.(string); isText {
				if out, found := g.Item(name); found {
					return fromGo(out), nil
				}
			}
		}
	}
	return missing, nil
}

func at(items []any, key any) any {
	n, ok := intOf(key)
	if n < 0 {
		n += int64(len(items))
	}
	if !ok || n < 0 || n >= int64(len(items)) {
		return missing
	}
	return items[n]
}

func runeAt(s string, n int64) (string, bool) {
	count := int64(utf8.RuneCountInString(s))
	if n < 0 {
		n += count
	}
	if n < 0 || n >= count {
		return "", false
	}
	for _, r := range s {
		if n == 0 {
			return string(r), true
		}
		n--
	}
	return "", false
}

// sliceBounds are the indices of Python's slice over n items.
func sliceBounds(s sliceValue, n int64) (start, stop, step int64, err error) {
	part := func(v any, fallback int64) (int64, error) {
		if v == nil {
			return fallback, nil
		}
		if !isInt(v) {
			return 0, typeError("slice indices must be integers or None or have an __index__ method")
		}
		i, ok := intOf(v)
		if !ok {
			i = int64(bigOf(v).Sign()) * math.MaxInt32
		}
		return max(min(i, math.MaxInt32), math.MinInt32), nil
	}
	if step, err = part(s.step, 1); err != nil {
		return 0, 0, 0, err
	}
	if step == 0 {
		return 0, 0, 0, valueError("slice step cannot be zero")
	}
	low, high := int64(0), n
	if step < 0 {
		low, high = -1, n-1
	}
	clamp := func(i int64) int64 {
		if i < 0 {
			i += n
		}
		return max(low, min(i, high))
	}
	start, stop = low, high
	if step < 0 {
		start, stop = high, low
	}
	if s.start != nil {
		if start, err = part(s.start, 0); err != nil {
			return 0, 0, 0, err
		}
		start = clamp(start)
	}
	if s.stop != nil {
		if stop, err = part(s.stop, 0); err != nil {
			return 0, 0, 0, err
		}
		stop = clamp(stop)
	}
	return start, stop, step, nil
}

// sliceOf is of[start:stop:step]. A slice of the wrong type raises TypeError,
// which an access takes for an item that is not there.
func (st *state) sliceOf(of any, s sliceValue) (any, error) {
	var items []any
	switch v := of.(type) {
	case *list:
		items = v.items
	case *tuple:
		items = v.items
	case rangeValue:
		start, stop, step, err := sliceBounds(s, v.len())
		if err != nil {
			return sliceFailure(err)
		}
		return rangeValue{v.start + start*v.step, v.start + stop*v.step, v.step * step}, nil
	case string, markup:
		return st.sliceText(v, s)
	default:
		return missing, nil
	}
	start, stop, step, err := sliceBounds(s, int64(len(items)))
	if err != nil {
		return sliceFailure(err)
	}
	out := []any{}
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		out = append(out, items[i])
	}
	if _, ok := of.(*tuple); ok {
		return newTuple(out...), st.spend(len(out))
	}
	return newList(out), st.spend(len(out))
}

func sliceFailure(err error) (any, error) {
	if e, ok := err.(*pyError); ok && e.class == "TypeError" { //nolint:errorlint // never wrapped inside the package
		return missing, nil
	}
	return nil, err
}

func (st *state) sliceText(of any, s sliceValue) (any, error) {
	text, _ := textOf(of)
	if err := st.spend(len(text)); err != nil {
		return nil, err
	}
	runes := []rune(text)
	start, stop, step, err := sliceBounds(s, int64(len(runes)))
	if err != nil {
		return sliceFailure(err)
	}
	var b strings.Builder
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		b.WriteRune(runes[i])
	}
	if _, ok := of.(markup); ok {
		return markup(b.String()), nil
	}
	return b.String(), nil
}
