package jinja

import (
	"math"
	"math/big"
	"strings"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// pyError is an exception of Python.
type pyError struct {
	class   string
	message string
}

func (e *pyError) Error() string { return e.class + ": " + e.message }

func typeError(message string) error  { return &pyError{"TypeError", message} }
func valueError(message string) error { return &pyError{"ValueError", message} }

var (
	errRecursion = &pyError{"RecursionError", "maximum recursion depth exceeded"}
	errBudget    = &pyError{"TimeoutError", "the template takes too many steps"}
	errIntFloat  = &pyError{"OverflowError", "int too large to convert to float"}
)

// truth is Python's bool() of a value.
func truth(v any) bool {
	switch v := v.(type) {
	case nil, *undefined:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case markup:
		return v != ""
	case *list:
		return len(v.items) > 0
	case *tuple:
		return len(v.items) > 0
	case *dict:
		return len(v.keys) > 0
	case *view:
		return len(v.of.keys) > 0
	case rangeValue:
		return v.len() > 0
	case timedelta:
		return v != 0
	case *loop:
		return len(v.items) > 0
	}
	return true
}

// hash is a value's place in a dictionary; lists and dictionaries have none.
func (st *state) hash(v any) (hashKey, error) { return st.hashAt(v, 0) }

func (st *state) hashAt(v any, level int) (hashKey, error) {
	if level > maxLevels {
		return hashKey{}, errRecursion
	}
	if err := st.spend(0); err != nil {
		return hashKey{}, err
	}
	switch v := v.(type) {
	case string:
		return textKey(v), st.spend(len(v))
	case markup:
		return textKey(string(v)), st.spend(len(v))
	case bool, int64:
		n, _ := intOf(v)
		return hashKey{kind: 'i', num: n}, nil
	case *big.Int:
		return hashKey{kind: 'b', text: string(v.Bytes()), num: int64(v.Sign())}, nil
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<62 {
			return hashKey{kind: 'i', num: int64(v)}, nil
		}
		return hashKey{kind: 'f', num: int64(math.Float64bits(v))}, nil //nolint:gosec // bits, not a number
	case *tuple:
		var b strings.Builder
		for _, item := range v.items {
			k, err := st.hashAt(item, level+1)
			if err != nil {
				return hashKey{}, err
			}
			if k.of != nil {
				return hashKey{kind: 'o', of: v}, nil
			}
			b.WriteByte(k.kind)
			b.WriteString(pyrepr.String(k.text))
			b.WriteString(plainRepr(k.num))
			if b.Len() > maxText {
				return hashKey{}, errTooLarge
			}
		}
		return hashKey{kind: 't', text: b.String()}, nil
	case nil:
		return hashKey{kind: 'n'}, nil
	case *undefined:
		return hashKey{kind: 'u'}, nil
	case datetime:
		return hashKey{kind: 'd', num: v.t.UnixMicro()}, nil
	case date:
		return hashKey{kind: 'D', num: v.t.Unix()}, nil
	case timedelta:
		return hashKey{kind: 'T', num: int64(v)}, nil
	case *list, *dict, sliceValue:
		return hashKey{}, typeError("unhashable type: " + pyrepr.String(typeName(v)))
	case *view, rangeValue:
		return hashKey{kind: 'r', text: repr(v)}, nil
	}
	return hashKey{kind: 'o', of: v}, nil
}

// number compares two numbers: -1, 0, 1, or 2 when one of them is NaN; ok is
// false when one is no number.
func number(a, b any) (c int, ok bool) {
	if isInt(a) && isInt(b) {
		x, okX := intOf(a)
		y, okY := intOf(b)
		if okX && okY {
			return compareOrdered(x, y), true
		}
		return bigOf(a).Cmp(bigOf(b)), true
	}
	x, okX := a.(float64)
	y, okY := b.(float64)
	switch {
	case okX && math.IsNaN(x), okY && math.IsNaN(y):
		return 2, okX && (okY || isInt(b)) || okY && isInt(a)
	case okX && okY:
		return compareOrdered(x, y), true
	case okX && isInt(b):
		return -floatInt(x, bigOf(b)), true
	case okY && isInt(a):
		return floatInt(y, bigOf(a)), true
	}
	return 0, false
}

// floatInt compares an integer with a float.
func floatInt(f float64, n *big.Int) int {
	if math.IsInf(f, 0) {
		if f > 0 {
			return -1
		}
		return 1
	}
	return new(big.Float).SetInt(n).Cmp(big.NewFloat(f))
}

func compareOrdered[T int64 | float64 | string](x, y T) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// equal is Python's ==.
func (st *state) equal(a, b any) (bool, error) { return st.equalAt(a, b, 0) }

func (st *state) equalAt(a, b any, level int) (bool, error) {
	if level > maxLevels {
		return false, errRecursion
	}
	if err := st.spend(0); err != nil {
		return false, err
	}
	if c, ok := number(a, b); ok {
		return c == 0, nil
	}
	if x, ok := textOf(a); ok {
		y, isText := textOf(b)
		return isText && x == y, st.spend(min(len(x), len(y)))
	}
	switch a := a.(type) {
	case nil:
		return b == nil, nil
	case *undefined:
		_, ok := b.(*undefined)
		return ok, nil
	case *list, *tuple, *dict, rangeValue, *view:
		return st.equalCollections(a, b, level)
	case datetime:
		y, ok := b.(datetime)
		return ok && a.naive == y.naive && a.t.Equal(y.t), nil
	case date:
		y, ok := b.(date)
		return ok && a.t.Equal(y.t), nil
	case sliceValue:
		return false, nil
	}
	if _, ok := b.(sliceValue); ok {
		return false, nil
	}
	return identifiable(a) && identifiable(b) && a == b, nil
}

// equalCollections is equal for a collection and any value.
func (st *state) equalCollections(a, b any, level int) (bool, error) {
	switch x := a.(type) {
	case *list:
		if y, ok := b.(*list); ok {
			return st.equalItems(x.items, y.items, level)
		}
	case *tuple:
		if y, ok := b.(*tuple); ok {
			return st.equalItems(x.items, y.items, level)
		}
	case *dict:
		if y, ok := b.(*dict); ok {
			return st.equalDicts(x, y, level)
		}
	case rangeValue:
		if y, ok := b.(rangeValue); ok {
			return st.equalItems(x.items(), y.items(), level)
		}
	case *view:
		y, ok := b.(*view)
		if ok && x.kind != "values" {
			return st.equalItems(x.items(), y.items(), level)
		}
		return ok && x == y, nil
	}
	return false, nil
}

// identifiable tells whether two values are equal only if they are one.
func identifiable(v any) bool {
	switch v.(type) {
	case string, markup, bool, int64, float64, timedelta, Model:
		return true
	case nil:
		return true
	case *iterator, *builtin, *macro, *loop, *namespace, *cycler, *joiner:
		return true
	}
	return false
}

func (st *state) equalItems(a, b []any, level int) (bool, error) {
	if len(a) != len(b) {
		return false, nil
	}
	for i := range a {
		if ok, err := st.equalAt(a[i], b[i], level+1); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (st *state) equalDicts(a, b *dict, level int) (bool, error) {
	if len(a.keys) != len(b.keys) {
		return false, nil
	}
	for k, i := range a.index {
		y, ok := b.get(k)
		if !ok {
			return false, nil
		}
		if same, err := st.equalAt(a.values[i], y, level+1); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

// less is one of Python's <, <=, >, >=.
func (st *state) less(op string, a, b any) (bool, error) { return st.lessAt(op, a, b, 0) }

func (st *state) lessAt(op string, a, b any, level int) (bool, error) {
	if level > maxLevels {
		return false, errRecursion
	}
	if err := st.spend(0); err != nil {
		return false, err
	}
	for _, v := range []any{a, b} {
		if u, ok := v.(*undefined); ok {
			return false, u.fail()
		}
	}
	if c, ok := number(a, b); ok {
		return c != 2 && ordered(op, c), nil
	}
	x, okX := textOf(a)
	y, okY := textOf(b)
	if okX && okY {
		return ordered(op, compareOrdered(x, y)), st.spend(min(len(x), len(y)))
	}
	switch x := a.(type) {
	case *list:
		if y, ok := b.(*list); ok {
			return st.lessItems(op, x.items, y.items, level)
		}
	case *tuple:
		if y, ok := b.(*tuple); ok {
			return st.lessItems(op, x.items, y.items, level)
		}
	case datetime:
		if y, ok := b.(datetime); ok {
			if x.naive != y.naive {
				return false, typeError("can't compare offset-naive and offset-aware datetimes")
			}
			return ordered(op, x.t.Compare(y.t)), nil
		}
	case date:
		if y, ok := b.(date); ok {
			return ordered(op, x.t.Compare(y.t)), nil
		}
	case timedelta:
		if y, ok := b.(timedelta); ok {
			return ordered(op, compareOrdered(int64(x), int64(y))), nil
		}
	}
	return false, typeError("'" + op + "' not supported between instances of " +
		pyrepr.String(typeName(a)) + " and " + pyrepr.String(typeName(b)))
}

func ordered(op string, c int) bool {
	switch op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

func (st *state) lessItems(op string, a, b []any, level int) (bool, error) {
	for i := range min(len(a), len(b)) {
		same, err := st.equalAt(a[i], b[i], level+1)
		if err != nil {
			return false, err
		}
		if !same {
			return st.lessAt(op, a[i], b[i], level+1)
		}
	}
	return ordered(op, compareOrdered(int64(len(a)), int64(len(b)))), nil
}

// contains is Python's `item in container`.
func (st *state) contains(container, item any) (bool, error) {
	switch c := container.(type) {
	case string, markup:
		text, _ := textOf(c)
		part, ok := textOf(item)
		if !ok {
			return false, typeError("'in <string>' requires string as left operand, not " + typeName(item))
		}
		return strings.Contains(text, part), st.spend(len(text))
	case *dict:
		k, err := st.hash(item)
		if err != nil {
			return false, err
		}
		_, ok := c.get(k)
		return ok, nil
	case *view:
		if c.kind == "keys" {
			return st.contains(c.of, item)
		}
	}
	items, err := st.iterate(container)
	if err != nil {
		if e, ok := err.(*pyError); ok && strings.HasSuffix(e.message, "is not iterable") { //nolint:errorlint // never wrapped inside the package
			return false, typeError("argument of type " + pyrepr.String(typeName(container)) + " is not iterable")
		}
		return false, err
	}
	for _, v := range items {
		if same, err := st.equal(v, item); same || err != nil {
			return same, err
		}
	}
	return false, nil
}

// length is Python's len().
func length(v any) (int, error) {
	switch v := v.(type) {
	case string:
		return utf8.RuneCountInString(v), nil
	case markup:
		return utf8.RuneCountInString(string(v)), nil
	case *list:
		return len(v.items), nil
	case *tuple:
		return len(v.items), nil
	case *dict:
		return len(v.keys), nil
	case *view:
		return len(v.of.keys), nil
	case rangeValue:
		return int(v.len()), nil
	case *undefined:
		return 0, nil
	case *loop:
		return len(v.items), nil
	}
	return 0, typeError("object of type " + pyrepr.String(typeName(v)) + " has no len()")
}

// iterate returns the items of what Python can iterate over.
func (st *state) iterate(v any) ([]any, error) {
	items, err := st.itemsOf(v)
	if err != nil {
		return nil, err
	}
	if len(items) > maxItems {
		return nil, errTooLarge
	}
	return items, st.spend(len(items))
}

func (st *state) itemsOf(v any) ([]any, error) {
	switch v := v.(type) {
	case *list:
		return v.items, nil
	case *tuple:
		return v.items, nil
	case *dict:
		return v.keys, nil
	case *view:
		return v.items(), nil
	case rangeValue:
		return v.items(), nil
	case *iterator:
		return v.rest()
	case *undefined:
		return nil, nil
	case string, markup:
		text, _ := textOf(v)
		if len(text) > 4*maxItems {
			return nil, errTooLarge
		}
		var items []any
		for _, r := range text {
			if _, ok := v.(markup); ok {
				items = append(items, markup(string(r)))
			} else {
				items = append(items, string(r))
			}
		}
		return items, nil
	case interface{ Items() []any }:
		items, _ := fromGo(v.Items()).(*list)
		return items.items, nil
	}
	return nil, typeError(pyrepr.String(typeName(v)) + " object is not iterable")
}
