package jsonschema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// kind is a JSON type.
type kind int

const (
	null kind = iota
	boolean
	integer
	float
	text
	array
	object
)

// Value is a JSON value whose objects keep the order of their keys.
type Value struct {
	kind kind
	// str holds a string, or the digits of an integer.
	str  string
	num  float64
	yes  bool
	list []*Value
	keys []string
	vals map[string]*Value
}

// Parse reads a JSON text.
func Parse(raw []byte) (*Value, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	v, err := read(d)
	if err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	return v, nil
}

func read(d *json.Decoder) (*Value, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case nil:
		return &Value{kind: null}, nil
	case bool:
		return &Value{kind: boolean, yes: t}, nil
	case string:
		return &Value{kind: text, str: t}, nil
	case json.Number:
		return number(t.String()), nil
	case json.Delim:
		if t == '[' {
			return readArray(d)
		}
		return readObject(d)
	}
	return nil, fmt.Errorf("unexpected token %v", t)
}

func number(digits string) *Value {
	if !strings.ContainsAny(digits, ".eE") {
		f, _ := strconv.ParseFloat(digits, 64) // out of range is infinite, as wanted
		return &Value{kind: integer, str: digits, num: f}
	}
	f, _ := strconv.ParseFloat(digits, 64)
	return &Value{kind: float, num: f}
}

func readArray(d *json.Decoder) (*Value, error) {
	v := &Value{kind: array}
	for d.More() {
		item, err := read(d)
		if err != nil {
			return nil, err
		}
		v.list = append(v.list, item)
	}
	_, err := d.Token()
	return v, err
}

func readObject(d *json.Decoder) (*Value, error) {
	v := newObject()
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, _ := t.(string)
		item, err := read(d)
		if err != nil {
			return nil, err
		}
		v.set(key, item)
	}
	_, err := d.Token()
	return v, err
}

func newObject() *Value { return &Value{kind: object, vals: map[string]*Value{}} }

func (v *Value) set(key string, item *Value) {
	if _, ok := v.vals[key]; !ok {
		v.keys = append(v.keys, key)
	}
	v.vals[key] = item
}

func (v *Value) drop(key string) {
	if _, ok := v.vals[key]; ok {
		delete(v.vals, key)
		v.keys = slices.DeleteFunc(v.keys, func(k string) bool { return k == key })
	}
}

// get returns the value under the key; nil when v is no object or has no such key.
func (v *Value) get(key string) *Value { return v.vals[key] }

// clone copies v with all that it holds.
func (v *Value) clone() *Value {
	c := *v
	c.list = make([]*Value, len(v.list))
	for i, item := range v.list {
		c.list[i] = item.clone()
	}
	c.keys = slices.Clone(v.keys)
	if v.vals != nil {
		c.vals = make(map[string]*Value, len(v.vals))
		for k, item := range v.vals {
			c.vals[k] = item.clone()
		}
	}
	return &c
}

// is tells whether v is of the JSON Schema type.
func (v *Value) is(name string) bool {
	switch name {
	case "null":
		return v.kind == null
	case "boolean":
		return v.kind == boolean
	case "integer":
		return v.kind == integer || v.kind == float && v.num == math.Trunc(v.num) && !math.IsInf(v.num, 0)
	case "number":
		return v.isNumber()
	case "string":
		return v.kind == text
	case "array":
		return v.kind == array
	case "object":
		return v.kind == object
	}
	return false
}

func (v *Value) isNumber() bool { return v.kind == integer || v.kind == float }

// compare compares two numbers exactly.
func (v *Value) compare(w *Value) int { return v.rat().Cmp(w.rat()) }

func (v *Value) rat() *big.Rat {
	r := new(big.Rat)
	if v.kind == integer {
		r.SetString(v.str)
		return r
	}
	if r.SetFloat64(v.num) == nil { // infinite
		r = new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 2000))
		if v.num < 0 {
			r.Neg(r)
		}
	}
	return r
}

// equal compares as JSON Schema does: 1 is 1.0, but true is not 1.
func equal(v, w *Value) bool {
	switch {
	case v.isNumber() && w.isNumber():
		return v.compare(w) == 0
	case v.kind != w.kind:
		return false
	}
	switch v.kind {
	case boolean:
		return v.yes == w.yes
	case text:
		return v.str == w.str
	case array:
		return slices.EqualFunc(v.list, w.list, equal)
	case object:
		if len(v.keys) != len(w.keys) {
			return false
		}
		for k, item := range v.vals {
			if other, ok := w.vals[k]; !ok || !equal(item, other) {
				return false
			}
		}
	case null, integer, float:
	}
	return true
}

// repr writes v as Python shows it.
func (v *Value) repr() string {
	switch v.kind {
	case null:
		return "None"
	case boolean:
		if v.yes {
			return "True"
		}
		return "False"
	case integer:
		return v.str
	case float:
		return pyrepr.Float(v.num)
	case text:
		return pyrepr.String(v.str)
	case array:
		parts := make([]string, 0, len(v.list))
		for _, item := range v.list {
			parts = append(parts, item.repr())
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case object:
		parts := make([]string, 0, len(v.keys))
		for _, k := range v.keys {
			parts = append(parts, pyrepr.String(k)+": "+v.vals[k].repr())
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return ""
}
