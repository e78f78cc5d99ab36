package jinja

import (
	"encoding/json"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/pyrepr"
	"github.com/leat-dev/leat/internal/value"
)

// Values of a template are nil, bool, int64, *big.Int (out of int64's range),
// float64, string, markup, *list, *tuple, *dict, *view, rangeValue, *iterator,
// *undefined, datetime, date, timedelta, sliceValue, Model, and what may be
// called: *builtin, *macro, *loop and the objects of objects.go.
type (
	// markup is a text that is HTML already.
	markup string
	list   struct{ items []any }
	tuple  struct {
		items []any
		names []string // of a named tuple
	}
	// view is a dictionary's keys, values or items.
	view struct {
		of   *dict
		kind string
	}
	rangeValue struct{ start, stop, step int64 }
	sliceValue struct{ start, stop, step any }
	// iterator is a generator of Python: its items are computed when it is first
	// asked for one, and each is given once.
	iterator struct {
		class string
		fill  func() ([]any, error)
		items []any
	}
	// undefined is a name or an attribute that is not there.
	undefined struct {
		hint     string
		of       any
		hasOf    bool
		name     any
		security bool
		plain    bool // an attribute of it is an error, not undefined again
	}
)

// Bounds on the values of a template.
const (
	maxText   = 1 << 20 // bytes of one text, and of what is rendered
	maxItems  = 100_000 // of one list
	maxBits   = 1 << 16 // of one integer
	maxDigits = 4300    // of an integer that is written, as in Python
	maxLevels = 400     // of values within values
)

func newList(items []any) *list    { return &list{items: items} }
func newTuple(items ...any) *tuple { return &tuple{items: items} }

// dict is a dictionary that keeps its order.
type dict struct {
	keys   []any
	values []any
	index  map[hashKey]int
}

// hashKey is equal for values that Python's dictionaries hold for equal.
type hashKey struct {
	kind byte
	text string
	num  int64
	of   any // an object that is only equal to itself
}

func newDict() *dict { return &dict{index: map[hashKey]int{}} }

func (d *dict) get(k hashKey) (any, bool) {
	if i, ok := d.index[k]; ok {
		return d.values[i], true
	}
	return nil, false
}

func (d *dict) set(k hashKey, key, v any) {
	if i, ok := d.index[k]; ok {
		d.values[i] = v
		return
	}
	d.index[k] = len(d.keys)
	d.keys = append(d.keys, key)
	d.values = append(d.values, v)
}

func (d *dict) setText(key string, v any) { d.set(textKey(key), key, v) }

func textKey(s string) hashKey { return hashKey{kind: 's', text: s} }

func (v *view) items() []any {
	switch v.kind {
	case "keys":
		return v.of.keys
	case "values":
		return v.of.values
	}
	out := make([]any, len(v.of.keys))
	for i, k := range v.of.keys {
		out[i] = newTuple(k, v.of.values[i])
	}
	return out
}

func (r rangeValue) len() int64 {
	switch {
	case r.step > 0 && r.start < r.stop:
		return (r.stop-r.start-1)/r.step + 1
	case r.step < 0 && r.start > r.stop:
		return (r.start-r.stop-1)/-r.step + 1
	}
	return 0
}

func (r rangeValue) items() []any {
	out := make([]any, r.len())
	for i := range out {
		out[i] = r.start + int64(i)*r.step
	}
	return out
}

func newIterator(class string, fill func() ([]any, error)) *iterator {
	return &iterator{class: class, fill: fill}
}

// rest returns what was not given yet, and gives it.
func (it *iterator) rest() ([]any, error) {
	if err := it.start(); err != nil {
		return nil, err
	}
	items := it.items
	it.items = nil
	return items, nil
}

func (it *iterator) start() error {
	if it.fill == nil {
		return nil
	}
	fill := it.fill
	it.fill = nil
	var err error
	it.items, err = fill()
	return err
}

// one returns the next item.
func (it *iterator) one() (any, bool, error) {
	if err := it.start(); err != nil || len(it.items) == 0 {
		return nil, false, err
	}
	v := it.items[0]
	it.items = it.items[1:]
	return v, true, nil
}

// normal makes an integer small if it can be.
func normal(n *big.Int) any {
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}

// bigOf returns an integer or a bool as a big one.
func bigOf(v any) *big.Int {
	switch v := v.(type) {
	case bool:
		if v {
			return big.NewInt(1)
		}
		return new(big.Int)
	case int64:
		return big.NewInt(v)
	case *big.Int:
		return v
	}
	return nil
}

// intOf returns an integer or bool that fits an int64.
func intOf(v any) (int64, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return v, true
	}
	return 0, false
}

func isInt(v any) bool {
	switch v.(type) {
	case bool, int64, *big.Int:
		return true
	}
	return false
}

// floatOf returns a number as a float; ok is false for what is none and for
// integers that are too large.
func floatOf(v any) (f float64, ok bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	case *big.Int:
		f, _ = new(big.Float).SetInt(v).Float64()
		return f, !math.IsInf(f, 0)
	case bool:
		n, _ := intOf(v)
		return float64(n), true
	}
	return 0, false
}

// textOf returns a str or a Markup as text.
func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case markup:
		return string(v), true
	}
	return "", false
}

// fromGo turns a value of the caller into one of a template.
func fromGo(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case int32:
		return int64(v)
	case float32:
		return float64(v)
	case json.Number:
		return fromNumber(string(v))
	case json.RawMessage:
		if doc, err := value.Parse(v); err == nil {
			return fromGo(doc)
		}
		return string(v)
	case time.Time:
		return datetime{t: v.Round(time.Microsecond)}
	case time.Duration:
		return timedelta(v / time.Microsecond)
	case *string:
		if v == nil {
			return nil
		}
		return *v
	case *time.Time:
		if v == nil {
			return nil
		}
		return fromGo(*v)
	}
	return fromGoCollection(v)
}

// fromGoCollection is fromGo for lists and mappings; anything else is as it was.
func fromGoCollection(v any) any {
	switch v := v.(type) {
	case []any:
		items := make([]any, len(v))
		for i, e := range v {
			items[i] = fromGo(e)
		}
		return newList(items)
	case []string:
		items := make([]any, len(v))
		for i, e := range v {
			items[i] = e
		}
		return newList(items)
	case *value.Object:
		d := newDict()
		for k, e := range v.All() {
			d.setText(k, fromGo(e))
		}
		return d
	case map[string]any:
		d := newDict()
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			d.setText(k, fromGo(v[k]))
		}
		return d
	case map[string]string:
		d := make(map[string]any, len(v))
		for k, e := range v {
			d[k] = e
		}
		return fromGo(d)
	}
	return v
}

func fromNumber(s string) any {
	if !strings.ContainsAny(s, ".eE") {
		if n, ok := new(big.Int).SetString(s, 10); ok && len(s) <= maxDigits {
			return normal(n)
		}
	}
	f, _ := strconv.ParseFloat(s, 64)
	return f
}

// typeName is Python's name of a value's type.
func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case markup:
		return "Markup"
	case *list:
		return "list"
	case *tuple:
		if v.names != nil {
			return "_GroupTuple"
		}
		return "tuple"
	case *dict:
		return "dict"
	case *view:
		return "dict_" + v.kind
	case rangeValue:
		return "range"
	case sliceValue:
		return "slice"
	case *iterator:
		return v.class
	case *undefined:
		return "ChainableUndefined"
	case datetime:
		return "datetime.datetime"
	case date:
		return "datetime.date"
	case timedelta:
		return "datetime.timedelta"
	case *builtin:
		return v.class()
	case *macro:
		return "Macro"
	case *loop:
		return "LoopContext"
	case *namespace:
		return "Namespace"
	case *cycler:
		return "Cycler"
	case *joiner:
		return "Joiner"
	case interface{ TypeName() string }:
		return v.TypeName()
	}
	return "object"
}

// objectName is how messages about an undefined attribute name its object.
func objectName(v any) string {
	if v == nil {
		return "None"
	}
	name := typeName(v)
	switch v.(type) {
	case markup:
		name = "markupsafe.Markup"
	case *macro, *loop, *undefined:
		name = "jinja2.runtime." + name
	case *namespace, *cycler, *joiner:
		name = "jinja2.utils." + name
	}
	return name + " object"
}

func (u *undefined) message() string {
	switch {
	case u.hint != "":
		return u.hint
	case !u.hasOf:
		return repr(u.name) + " is undefined"
	}
	if _, ok := u.name.(string); !ok {
		return objectName(u.of) + " has no element " + repr(u.name)
	}
	return pyrepr.String(objectName(u.of)) + " has no attribute " + repr(u.name)
}

// fail is the error of an operation on something undefined.
func (u *undefined) fail() error {
	if u.security {
		return &pyError{"SecurityError", u.message()}
	}
	return &pyError{"UndefinedError", u.message()}
}

// chain is an attribute or item of something undefined.
func (u *undefined) chain() (any, error) {
	if u.plain {
		return nil, u.fail()
	}
	return u, nil
}
