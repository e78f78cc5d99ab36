package jinja

import "math/big"

// testNamed finds a test of `is`.
func testNamed(name string) (*builtin, bool) {
	if f := plainTest(name); f != nil {
		return function("test_"+name, func(_ *state, a []any) (any, error) { return f(a[0]), nil }, req("value")), true
	}
	switch name {
	case "odd":
		return remainder("test_odd", 1), true
	case "even":
		return remainder("test_even", 0), true
	case "divisibleby":
		return function("test_divisibleby", func(st *state, a []any) (any, error) { return st.divisible(a[0], a[1], 0) }, req("value"), req("num")), true
	case "filter":
		return function("test_filter", func(_ *state, a []any) (any, error) { return known(a[0], filterNamed) }, req("value")), true
	case "test":
		return function("test_test", func(_ *state, a []any) (any, error) { return known(a[0], testNamed) }, req("value")), true
	case "lower", "upper":
		return function("test_"+name, func(st *state, a []any) (any, error) {
			s, err := st.str(a[0])
			return hasCase(s, name == "lower"), err
		}, req("value")), true
	case "sameas":
		return function("test_sameas", func(_ *state, a []any) (any, error) { return same(a[0], a[1]), nil }, req("value"), req("other")), true
	case "in":
		return function("test_in", func(st *state, a []any) (any, error) { return st.contains(a[1], a[0]) }, req("value"), req("seq")), true
	}
	op, ok := map[string]string{
		"==": "eq", "eq": "eq", "equalto": "eq", "!=": "ne", "ne": "ne", ">": "gt", "gt": "gt", "greaterthan": "gt",
		"ge": "gteq", ">=": "gteq", "<": "lt", "lt": "lt", "lessthan": "lt", "<=": "lteq", "le": "lteq",
	}[name]
	if !ok {
		return nil, false
	}
	return &builtin{name: op, call: func(st *state, args []any, kw []kwarg) (any, error) {
		pyName := map[string]string{"gteq": "ge", "lteq": "le"}[op]
		if pyName == "" {
			pyName = op
		}
		if len(kw) > 0 {
			return nil, typeError("_operator." + pyName + "() takes no keyword arguments")
		}
		if len(args) != 2 {
			return nil, typeError(pyName + " expected 2 arguments, got " + plainRepr(int64(len(args))))
		}
		return st.compare(op, args[0], args[1])
	}}, true
}

func known(v any, find func(string) (*builtin, bool)) (any, error) {
	name, ok := textOf(v)
	if !ok {
		return false, nil
	}
	_, found := find(name)
	return found, nil
}

func remainder(name string, want int64) *builtin {
	return function(name, func(st *state, a []any) (any, error) { return st.divisible(a[0], int64(2), want) }, req("value"))
}

func (st *state) divisible(v, by any, want int64) (any, error) {
	r, err := st.binary("mod", v, by)
	if err != nil {
		return nil, err
	}
	return st.equal(r, want)
}

// same is Python's `is`, as far as values of templates have an identity.
func same(a, b any) bool {
	if typeName(a) != typeName(b) {
		return false
	}
	switch a.(type) {
	case nil, bool, int64, string, *list, *tuple, *dict, *undefined, *builtin, *macro, *loop, *namespace, Model:
		return a == b
	}
	return false
}

// plainTest finds a test that looks at the type of a value only; nil is none.
func plainTest(name string) func(any) bool {
	switch name {
	case "defined":
		return func(v any) bool { _, ok := v.(*undefined); return !ok }
	case "undefined":
		return func(v any) bool { _, ok := v.(*undefined); return ok }
	case "none":
		return func(v any) bool { return v == nil }
	case "boolean":
		return func(v any) bool { _, ok := v.(bool); return ok }
	case "false":
		return func(v any) bool { return v == false }
	case "true":
		return func(v any) bool { return v == true }
	case "integer":
		return func(v any) bool {
			switch v.(type) {
			case int64, *big.Int:
				return true
			}
			return false
		}
	case "float":
		return func(v any) bool { _, ok := v.(float64); return ok }
	case "string":
		return func(v any) bool { _, ok := textOf(v); return ok }
	case "mapping":
		return func(v any) bool { _, ok := v.(*dict); return ok }
	case "number":
		return isNumber
	case "escaped":
		return func(v any) bool {
			switch v.(type) {
			case markup, *undefined:
				return true
			}
			return false
		}
	case "sequence":
		return countable
	case "iterable":
		return iterable
	case "callable":
		return callable
	}
	return nil
}

// countable tells what the test `sequence` holds true of.
func countable(v any) bool {
	switch v.(type) {
	case string, markup, *list, *tuple, *dict, rangeValue, *undefined:
		return true
	}
	return false
}

// iterable tells what the test of that name holds true of.
func iterable(v any) bool {
	switch v.(type) {
	case string, markup, *list, *tuple, *dict, rangeValue, *undefined, *view, *iterator, *loop:
		return true
	case interface{ Items() []any }:
		return true
	}
	return false
}

// callable tells what the test of that name holds true of.
func callable(v any) bool {
	switch v.(type) {
	case *builtin, *macro, *undefined, *loop, *joiner:
		return true
	}
	return false
}
