package jsonata

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"github.com/leat-dev/leat/internal/value"
)

// Undefined is the absence of a value, which JSONata tells from null. As the
// input of an evaluation it says that there is none; as an argument of a
// Function that it was not given.
type Undefined struct{}

func isUndefined(v any) bool {
	_, ok := v.(Undefined)
	return ok
}

// list is an array that the evaluation has to know more about. Lists are never
// within arrays and objects: what is stored becomes a plain []any.
type list struct {
	items []any
	// seq: found by a path or function; one item stands for itself, none is
	// undefined, unless keep is set. Else it is an array that was constructed.
	seq, keep bool
	cons      bool // an array that a path does not flatten
	outer     bool // the input of the evaluation, wrapped since it is an array
}

// sequence returns a list of what was found.
func sequence(items ...any) *list { return &list{items: items, seq: true} }

// plain is a value as users see it.
func plain(v any) any {
	if l, ok := v.(*list); ok {
		if l.items == nil {
			return []any{}
		}
		return l.items
	}
	return v
}

// elements returns the items of an array and whether v is one.
func elements(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case *list:
		return v.items, true
	}
	return nil, false
}

// each returns the items of an array, of anything else itself, of undefined
// none.
func each(v any) []any {
	if items, ok := elements(v); ok {
		return items
	}
	if isUndefined(v) {
		return nil
	}
	return []any{v}
}

// settle makes of a sequence what it stands for.
func settle(v any, keepArray bool) any {
	l, ok := v.(*list)
	if !ok || !l.seq {
		return v
	}
	if keepArray {
		l.keep = true
	}
	switch {
	case len(l.items) == 0:
		return Undefined{}
	case len(l.items) == 1 && !l.keep:
		return l.items[0]
	}
	return l
}

// toNumber returns a number as a float64, and whether v is one. Numbers beyond
// the range of doubles are infinite, as in JavaScript.
func toNumber(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case json.Number:
		f, err := strconv.ParseFloat(string(n), 64)
		return f, err == nil || math.IsInf(f, 0)
	case int64:
		return float64(n), true
	case int:
		return float64(n), true
	}
	return 0, false
}

// numeric is toNumber for an operand: what no number can be is an error.
func numeric(v any) (float64, bool, error) {
	f, ok := toNumber(v)
	if !ok || math.IsNaN(f) {
		return 0, false, nil
	}
	if math.IsInf(f, 0) {
		return 0, false, failValue("D1001", f)
	}
	return f, true, nil
}

// truth is JSONata's cast to boolean; undefined is false.
func truth(v any) bool {
	for {
		items, ok := elements(v)
		if !ok {
			break
		}
		if len(items) != 1 {
			return slices.ContainsFunc(items, truth)
		}
		v = items[0]
	}
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v != ""
	case *value.Object:
		return v.Len() > 0
	}
	f, ok := toNumber(v)
	return ok && f != 0 && !math.IsNaN(f)
}

func isFunction(v any) bool {
	_, ok := v.(function)
	return ok
}

// IsFunction reports whether a value is a function, which has no JSON text.
func IsFunction(v any) bool { return isFunction(v) }

// HasFunction reports whether a value is a function or holds one.
func HasFunction(v any) bool {
	switch v := v.(type) {
	case []any:
		if slices.ContainsFunc(v, HasFunction) {
			return true
		}
	case *value.Object:
		for _, item := range v.All() {
			if HasFunction(item) {
				return true
			}
		}
	}
	return isFunction(v)
}
