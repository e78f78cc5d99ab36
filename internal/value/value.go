// Package value holds JSON values as the States Language and JSONata see them:
// objects keep the order of their keys, and a number that nobody computed with
// keeps its text.
//
// A value is nil, a bool, a string, a number (json.Number as it was read,
// float64 or int64 as it was computed), a []any or an *Object. Values are
// shared, not copied: whoever changes one has made it.
package value

import (
	"encoding/json"
	"iter"
	"math"
	"slices"
	"strconv"
)

// indexFrom is the number of keys from which an object is searched by a map.
const indexFrom = 12

// Object is a JSON object that keeps the order in which keys were set.
type Object struct {
	keys   []string
	values []any
	index  map[string]int // nil while the object is small
}

// NewObject returns an empty object with room for n keys.
func NewObject(n int) *Object {
	return &Object{keys: make([]string, 0, n), values: make([]any, 0, n)}
}

// Of returns an object of keys and values in turn.
func Of(pairs ...any) *Object {
	o := NewObject(len(pairs) / 2)
	for i := 0; i+1 < len(pairs); i += 2 {
		key, _ := pairs[i].(string)
		o.Set(key, pairs[i+1])
	}
	return o
}

// Len is the number of keys.
func (o *Object) Len() int { return len(o.keys) }

// At returns the key and value in a place of the order.
func (o *Object) At(i int) (string, any) { return o.keys[i], o.values[i] }

func (o *Object) find(key string) int {
	if o.index != nil {
		if i, ok := o.index[key]; ok {
			return i
		}
		return -1
	}
	return slices.Index(o.keys, key)
}

// Get returns the value of a key and whether there is one.
func (o *Object) Get(key string) (any, bool) {
	if i := o.find(key); i >= 0 {
		return o.values[i], true
	}
	return nil, false
}

// Set gives a key its value; a key that is there keeps its place.
func (o *Object) Set(key string, v any) {
	if i := o.find(key); i >= 0 {
		o.values[i] = v
		return
	}
	o.keys = append(o.keys, key)
	o.values = append(o.values, v)
	if o.index != nil {
		o.index[key] = len(o.keys) - 1
	} else if len(o.keys) >= indexFrom {
		o.index = make(map[string]int, 2*len(o.keys))
		for i, k := range o.keys {
			o.index[k] = i
		}
	}
}

// Delete removes a key and reports whether it was there.
func (o *Object) Delete(key string) bool {
	i := o.find(key)
	if i < 0 {
		return false
	}
	o.keys = slices.Delete(o.keys, i, i+1)
	o.values = slices.Delete(o.values, i, i+1)
	if o.index != nil {
		delete(o.index, key)
		for j := i; j < len(o.keys); j++ {
			o.index[o.keys[j]] = j
		}
	}
	return true
}

// Clone copies the object, not its values.
func (o *Object) Clone() *Object {
	c := NewObject(len(o.keys) + 1)
	for i, k := range o.keys {
		c.Set(k, o.values[i])
	}
	return c
}

// All yields keys and values in order.
func (o *Object) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for i, k := range o.keys {
			if !yield(k, o.values[i]) {
				return
			}
		}
	}
}

// Keys lists the keys in order.
func (o *Object) Keys() []string { return slices.Clone(o.keys) }

// MarshalJSON implements json.Marshaler.
func (o *Object) MarshalJSON() ([]byte, error) { return Append(nil, o), nil }

// Number returns a number as a float64, and whether v is one.
func Number(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case int64:
		return float64(n), true
	case int:
		return float64(n), true
	case json.Number:
		f, err := strconv.ParseFloat(string(n), 64)
		return f, err == nil
	}
	return 0, false
}

// Integer returns a number that is whole and fits, and whether v is one.
func Integer(v any) (int64, bool) {
	switch n := v.(type) {
	case int64:
		return n, true
	case int:
		return int64(n), true
	case json.Number:
		if i, err := strconv.ParseInt(string(n), 10, 64); err == nil {
			return i, true
		}
	}
	f, ok := Number(v)
	if !ok || f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
		return 0, false
	}
	return int64(f), true
}

// Equal compares values: numbers by what they stand for, objects whatever the
// order of their keys.
func Equal(a, b any) bool {
	if x, ok := Number(a); ok {
		y, ok := Number(b)
		return ok && x == y
	}
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, Equal)
	case *Object:
		y, ok := b.(*Object)
		if !ok || x.Len() != y.Len() {
			return false
		}
		for k, v := range x.All() {
			if w, ok := y.Get(k); !ok || !Equal(v, w) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case []any, *Object:
		return false
	}
	return a == b
}
