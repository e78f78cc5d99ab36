package jinja

import (
	"math"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// loop is what a for statement calls loop.
type loop struct {
	st      *state
	items   []any
	index0  int
	depth0  int
	changed []any
	recurse func(any) (any, error)
}

func (l *loop) attribute(name string) (any, bool, error) {
	n := int64(len(l.items))
	i := int64(l.index0)
	switch name {
	case "index":
		return i + 1, true, nil
	case "index0":
		return i, true, nil
	case "revindex":
		return n - i, true, nil
	case "revindex0":
		return n - i - 1, true, nil
	case "first":
		return i == 0, true, nil
	case "last":
		return i == n-1, true, nil
	case "length":
		return n, true, nil
	case "depth":
		return int64(l.depth0 + 1), true, nil
	case "depth0":
		return int64(l.depth0), true, nil
	case "previtem":
		if i == 0 {
			return &undefined{hint: "there is no previous item"}, true, nil
		}
		return l.items[i-1], true, nil
	case "nextitem":
		if i == n-1 {
			return &undefined{hint: "there is no next item"}, true, nil
		}
		return l.items[i+1], true, nil
	case "cycle":
		return &builtin{name: "cycle", method: "method", call: func(_ *state, args []any, _ []kwarg) (any, error) {
			if len(args) == 0 {
				return nil, typeError("no items for cycling given")
			}
			return args[l.index0%len(args)], nil
		}}, true, nil
	case "changed":
		return &builtin{name: "changed", method: "method", call: l.hasChanged}, true, nil
	}
	return nil, false, nil
}

func (l *loop) hasChanged(st *state, args []any, _ []kwarg) (any, error) {
	if l.changed != nil {
		same, err := st.equalItems(l.changed, args, 0)
		if err != nil || same {
			return false, err
		}
	}
	l.changed = append([]any{}, args...)
	return true, nil
}

type namespace struct{ attrs *dict }

// cycler and joiner are made by the globals of these names.
type (
	cycler struct {
		items []any
		pos   int
	}
	joiner struct {
		sep  any
		used bool
	}
)

func (j *joiner) call() any {
	if !j.used {
		j.used = true
		return ""
	}
	return j.sep
}

func (c *cycler) attribute(name string) (any, bool, error) {
	switch name {
	case "current":
		return c.items[c.pos], true, nil
	case "pos":
		return int64(c.pos), true, nil
	case "items":
		return newTuple(c.items...), true, nil
	case "next":
		return function("Cycler.next", func(*state, []any) (any, error) {
			v := c.items[c.pos]
			c.pos = (c.pos + 1) % len(c.items)
			return v, nil
		}), true, nil
	case "reset":
		return function("Cycler.reset", func(*state, []any) (any, error) {
			c.pos = 0
			return nil, nil
		}), true, nil
	}
	return nil, false, nil
}

// global finds what every template may use by name.
func (st *state) global(name string) any {
	switch name {
	case "range":
		return &builtin{name: "_check_template_range", method: "function", call: rangeGlobal}
	case "dict":
		return &builtin{name: "dict", method: "type", call: dictGlobal}
	case "namespace":
		return &builtin{name: "Namespace", method: "type", call: func(st *state, args []any, kw []kwarg) (any, error) {
			v, err := dictGlobal(st, args, kw)
			if err != nil {
				return nil, err
			}
			d, _ := v.(*dict)
			return &namespace{attrs: d}, nil
		}}
	case "cycler":
		return &builtin{name: "Cycler", method: "type", call: func(_ *state, args []any, kw []kwarg) (any, error) {
			if len(kw) > 0 {
				return nil, typeError("Cycler.__init__() got an unexpected keyword argument " + pyrepr.String(kw[0].name))
			}
			if len(args) == 0 {
				return nil, &pyError{"RuntimeError", "at least one item has to be provided"}
			}
			return &cycler{items: args}, nil
		}}
	case "joiner":
		return function("Joiner.__init__", func(_ *state, a []any) (any, error) {
			return &joiner{sep: a[0]}, nil
		}, opt("sep", ", "))
	}
	return nil
}

func rangeGlobal(_ *state, args []any, kw []kwarg) (any, error) {
	if len(kw) > 0 {
		return nil, typeError("_check_template_range() got an unexpected keyword argument " + pyrepr.String(kw[0].name))
	}
	var n [3]int64
	for i, a := range args {
		if i > 2 {
			break
		}
		if _, ok := a.(*undefined); ok {
			return nil, typeError("'ChainableUndefined' object cannot be interpreted as an integer")
		}
		if !isInt(a) {
			return nil, typeError(pyrepr.String(typeName(a)) + " object cannot be interpreted as an integer")
		}
		v, ok := intOf(a)
		if !ok || v > math.MaxInt32 || v < math.MinInt32 {
			v = int64(bigOf(a).Sign()) * math.MaxInt32
		}
		n[i] = v
	}
	r := rangeValue{0, n[0], 1}
	switch len(args) {
	case 0:
		return nil, typeError("range expected at least 1 argument, got 0")
	case 1:
	case 2:
		r = rangeValue{n[0], n[1], 1}
	case 3:
		if n[2] == 0 {
			return nil, valueError("range() arg 3 must not be zero")
		}
		r = rangeValue{n[0], n[1], n[2]}
	default:
		return nil, typeError("range expected at most 3 arguments, got " + plainRepr(int64(len(args))))
	}
	if r.len() > maxRange {
		return nil, &pyError{"OverflowError", "Range too big. The sandbox blocks ranges larger than MAX_TEMPLATE_RANGE=100."}
	}
	return r, nil
}

// dictGlobal is dict(...): a mapping or pairs, and names.
func dictGlobal(st *state, args []any, kw []kwarg) (any, error) {
	out := newDict()
	if len(args) > 1 {
		return nil, typeError("dict expected at most 1 argument, got " + plainRepr(int64(len(args))))
	}
	for _, a := range args {
		if d, ok := a.(*dict); ok {
			for i, k := range d.keys {
				h, err := st.hash(k)
				if err != nil {
					return nil, err
				}
				out.set(h, k, d.values[i])
			}
			continue
		}
		items, err := st.iterate(a)
		if err != nil {
			return nil, err
		}
		for i, item := range items {
			pair, err := st.iterate(item)
			if err != nil {
				return nil, typeError("cannot convert dictionary update sequence element #" + plainRepr(int64(i)) + " to a sequence")
			}
			if len(pair) != 2 {
				return nil, valueError("dictionary update sequence element #" + plainRepr(int64(i)) + " has length " +
					plainRepr(int64(len(pair))) + "; 2 is required")
			}
			h, err := st.hash(pair[0])
			if err != nil {
				return nil, err
			}
			out.set(h, pair[0], pair[1])
		}
	}
	for _, k := range kw {
		out.setText(k.name, k.value)
	}
	return out, nil
}
