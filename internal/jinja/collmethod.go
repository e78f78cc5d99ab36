package jinja

import (
	"maps"
	"math"
)

// sequenceMethod finds a method of a list or tuple.
func sequenceMethod(items []any, typ, name string) (any, bool, error) {
	switch name {
	case "index":
		return function(typ+".index", func(st *state, a []any) (any, error) {
			for i, v := range items {
				same, err := st.equal(v, a[0])
				if err != nil {
					return nil, err
				}
				if same {
					return int64(i), nil
				}
			}
			if typ == "tuple" {
				return nil, valueError("tuple.index(x): x not in tuple")
			}
			return nil, valueError(repr(a[0]) + " is not in list")
		}, req("value")), true, nil
	case "count":
		return function(typ+".count", func(st *state, a []any) (any, error) {
			n := int64(0)
			for _, v := range items {
				same, err := st.equal(v, a[0])
				if err != nil {
					return nil, err
				}
				if same {
					n++
				}
			}
			return n, nil
		}, req("value")), true, nil
	case "copy":
		if typ == "list" {
			return function("list.copy", func(st *state, _ []any) (any, error) {
				return newList(append([]any{}, items...)), st.spend(len(items))
			}), true, nil
		}
	}
	return nil, false, nil
}

func dictMethod(d *dict, name string) (any, bool, error) {
	switch name {
	case "keys", "values", "items":
		return function("dict."+name, func(*state, []any) (any, error) { return &view{of: d, kind: name}, nil }), true, nil
	case "get":
		return &builtin{name: "dict.get", call: func(st *state, args []any, kw []kwarg) (any, error) {
			if len(kw) > 0 {
				return nil, typeError("dict.get() takes no keyword arguments")
			}
			switch {
			case len(args) == 0:
				return nil, typeError("get expected at least 1 argument, got 0")
			case len(args) > 2:
				return nil, typeError("get expected at most 2 arguments, got " + plainRepr(int64(len(args))))
			}
			k, err := st.hash(args[0])
			if err != nil {
				return nil, err
			}
			if v, ok := d.get(k); ok {
				return v, nil
			}
			if len(args) == 2 {
				return args[1], nil
			}
			return nil, nil
		}}, true, nil
	case "copy":
		return function("dict.copy", func(st *state, _ []any) (any, error) {
			out := newDict()
			maps.Copy(out.index, d.index)
			out.keys = append(out.keys, d.keys...)
			out.values = append(out.values, d.values...)
			return out, st.spend(len(d.keys))
		}), true, nil
	}
	return nil, false, nil
}

// numberAttribute finds an attribute of an int, bool or float.
func numberAttribute(v any, name string) (any, bool, error) {
	f, isFloat := v.(float64)
	switch name {
	case "real":
		if b, ok := v.(bool); ok {
			return normal(bigOf(b)), true, nil
		}
		return v, true, nil
	case "imag":
		if isFloat {
			return 0.0, true, nil
		}
		return int64(0), true, nil
	case "numerator":
		if !isFloat {
			return normal(bigOf(v)), true, nil
		}
	case "denominator":
		if !isFloat {
			return int64(1), true, nil
		}
	case "is_integer":
		if isFloat {
			return function("float.is_integer", func(*state, []any) (any, error) { return f == math.Trunc(f), nil }), true, nil
		}
	case "bit_length":
		if !isFloat {
			return function("int.bit_length", func(*state, []any) (any, error) { return int64(bigOf(v).BitLen()), nil }), true, nil
		}
	case "conjugate":
		return function("conjugate", func(*state, []any) (any, error) { return v, nil }), true, nil
	}
	return nil, false, nil
}
