package wire

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"unicode/utf8"
)

// Decode reads a request body into what dst points to. The error is an *Invalid
// with all that is wrong in the order in which pydantic reports it, a *Malformed,
// a *TooDeep or a *BadEncoding; dst is then of no use.
//
// An empty body is an error, unless dst is a pointer, an Opt or embedded
// parameters (the tag embed): the reference wants a body even for a model whose
// keys are all optional.
func Decode(data []byte, dst any) error {
	target := reflect.ValueOf(dst)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		panic(fmt.Sprintf("wire: Decode into %T, which is no pointer", dst))
	}
	p := planOf(target.Type().Elem())
	empty := len(data) == 0
	if empty {
		data = []byte("null")
	}
	doc, err := parse(data)
	if err != nil {
		return err
	}
	return decode(doc, empty, p, target.Elem())
}

// DecodeText reads a body whose content type is not JSON: the reference hands it
// on as a text, which is no model, and which endpoints that take parameters
// ignore.
func DecodeText(text []byte, dst any) error {
	target := reflect.ValueOf(dst).Elem()
	p := planOf(target.Type())
	if p.form == formStruct && p.embed {
		text = nil
	} else {
		text = Quote(text)
	}
	return Decode(text, dst)
}

// decode reads a parsed body; empty tells that the null was none.
func decode(doc *document, empty bool, p *plan, dst reflect.Value) error {
	d := decoder{document: doc}
	switch {
	case doc.nodes[0].kind == kindNull && (p.form == formStruct && !p.embed || empty && (p.form == formSlice || p.form == formMap || p.form == formRaw)):
		d.missing(-1)
	default:
		d.walk(0, p, &rules{}, dst)
	}
	if len(d.errs) > 0 {
		return &Invalid{Errors: d.errs}
	}
	return nil
}

// step is one part of the way to a value.
type step struct {
	key   string
	index int // -1 for a key
}

type decoder struct {
	*document
	loc  []step
	errs []FieldError
	// shown counts the bytes of the errors' inputs.
	shown int
}

// An answer is not to be much larger than the request that caused it: after
// maxErrors the rest is not reported, and after maxShown bytes inputs are null.
// The reference has no such limits.
const (
	maxErrors = 1000
	maxShown  = 1 << 20
)

// fail records an error at the current place; node -1 stands for null.
func (d *decoder) fail(i int, kind, msg string, ctx map[string]any) {
	if len(d.errs) >= maxErrors {
		return
	}
	e := FieldError{Type: kind, Loc: d.place(), Msg: msg, Ctx: ctx, Input: json.RawMessage("null")}
	if i >= 0 && d.shown <= maxShown {
		e.Input = d.canonical(i)
		d.shown += len(e.Input)
	}
	d.errs = append(d.errs, e)
}

func (d *decoder) place() []any {
	loc := make([]any, 0, len(d.loc))
	for _, s := range d.loc {
		if s.index >= 0 {
			loc = append(loc, s.index)
		} else {
			loc = append(loc, s.key)
		}
	}
	return loc
}

func (d *decoder) missing(i int) { d.fail(i, "missing", "Field required", nil) }

func (d *decoder) push(key string) { d.loc = append(d.loc, step{key, -1}) }
func (d *decoder) pop()            { d.loc = d.loc[:len(d.loc)-1] }

// walk reads node i into dst.
func (d *decoder) walk(i int, p *plan, r *rules, dst reflect.Value) {
	if r.nullable && d.nodes[i].kind == kindNull && p.form != formRaw {
		return
	}
	switch p.form {
	case formPointer:
		if d.nodes[i].kind == kindNull {
			dst.SetZero()
			return
		}
		value := reflect.New(p.elem.typ)
		d.walk(i, p.elem, r, value.Elem())
		dst.Set(value)
	case formOpt:
		o := dst.Addr().Interface().(optional)
		if d.nodes[i].kind == kindNull {
			o.setNull()
			return
		}
		d.walk(i, p.elem, r, reflect.ValueOf(o.setValue()).Elem())
	case formStruct:
		d.object(i, p, dst)
	case formSlice:
		d.list(i, p, r, dst)
	case formMap:
		d.dict(i, p, r, dst)
	case formRaw, formAny, formCustom, formJSON:
		d.whole(i, p, r, dst)
	case formString, formInt, formUint, formFloat, formBool, formEnum, formID, formTime, formText:
		d.scalar(i, p, r, dst)
	}
}

// object reads a model, or the parameters of an endpoint.
func (d *decoder) object(i int, p *plan, dst reflect.Value) {
	n := d.nodes[i]
	if n.kind != kindObject && !p.embed {
		d.fail(i, "model_attributes_type", "Input should be a valid dictionary or object to extract fields from", nil)
		return
	}
	// found holds the node of each field's value; 0, the root, stands for none.
	var few [48]int32
	found := few[:min(len(p.fields), len(few))]
	if len(p.fields) > len(few) {
		found = make([]int32, len(p.fields))
	}
	var extra []int32
	if n.kind == kindObject {
		extra = d.match(i, p, found)
	}
	for k := range p.fields {
		f := &p.fields[k]
		at := int(found[k])
		if at > 0 && p.embed && d.nodes[at].kind == kindNull {
			at = 0
		}
		if at == 0 {
			d.absent(i, p, f, dst)
			continue
		}
		d.push(f.name)
		d.walk(at, f.plan, &f.rules, fieldOf(dst, f.at))
		d.pop()
	}
	for _, key := range extra {
		d.push(d.str(int(key)))
		d.fail(int(key)+1, "extra_forbidden", "Extra inputs are not permitted", nil)
		d.pop()
	}
}

// match finds the value of each field; a key that comes twice counts with its
// last value. It returns the keys that a model does not permit.
func (d *decoder) match(i int, p *plan, found []int32) (extra []int32) {
	j := i + 1
	for range int(d.nodes[i].count) {
		key := &d.nodes[j]
		var k int
		var ok bool
		if key.escaped {
			k, ok = p.index[d.str(j)]
		} else {
			k, ok = p.index[string(d.data[key.start+1:key.end-1])]
		}
		if ok {
			found[k] = int32(j + 1)
		} else if p.forbid {
			extra = append(extra, int32(j))
		}
		j = int(d.nodes[j+1].next)
	}
	return extra
}

// absent is what happens to field f of the object at node i without a value.
func (d *decoder) absent(i int, p *plan, f *field, dst reflect.Value) {
	switch {
	case f.rules.required, p.embed && d.nodes[i].kind != kindObject && d.nodes[i].kind != kindNull:
		d.push(f.name)
		if p.embed {
			i = -1
		}
		d.missing(i)
		d.pop()
	case f.rules.fallback != nil:
		sub := decoder{document: f.rules.fallback}
		sub.walk(0, f.plan, &f.rules, fieldOf(dst, f.at))
		if len(sub.errs) > 0 {
			panic(fmt.Sprintf("wire: default of %s of %s: %s", f.name, p.typ, sub.errs[0].Msg))
		}
	}
}

func fieldOf(v reflect.Value, at []int) reflect.Value {
	for _, k := range at {
		v = v.Field(k)
	}
	return v
}

// sequence marks a list that the reference declares as a Sequence, set one that
// it declares as a set: it words the refusal of another value differently.
type (
	sequence interface{ Sequence() }
	set      interface{ Set() }
)

func (d *decoder) list(i int, p *plan, r *rules, dst reflect.Value) {
	n := d.nodes[i]
	if n.kind != kindArray {
		if _, ok := reflect.TypeAssert[set](dst); ok {
			d.fail(i, "set_type", "Input should be a valid set", nil)
			return
		}
		if _, ok := reflect.TypeAssert[sequence](dst); ok && n.kind == kindString {
			d.fail(i, "sequence_str", "'str' instances are not allowed as a Sequence value", map[string]any{"type_name": "str"})
			return
		} else if ok {
			d.fail(i, "is_instance_of", "Input should be an instance of Sequence", map[string]any{"class": "Sequence"})
			return
		}
		d.fail(i, "list_type", "Input should be a valid list", nil)
		return
	}
	if !d.sized(i, int(n.count), "List", r) {
		return
	}
	value := reflect.MakeSlice(p.typ, int(n.count), int(n.count))
	j := i + 1
	for k := range int(n.count) {
		d.loc = append(d.loc, step{"", k})
		d.walk(j, p.elem, &rules{object: r.object && p.elem.form == formRaw}, value.Index(k))
		d.pop()
		j = int(d.nodes[j].next)
	}
	dst.Set(value)
}

func (d *decoder) dict(i int, p *plan, r *rules, dst reflect.Value) {
	n := d.nodes[i]
	if n.kind != kindObject {
		d.fail(i, "dict_type", "Input should be a valid dictionary", nil)
		return
	}
	if !d.sized(i, int(n.count), "Dictionary", r) {
		return
	}
	value := reflect.MakeMapWithSize(p.typ, int(n.count))
	j := i + 1
	for range int(n.count) {
		key := d.str(j)
		d.push(key)
		if d.stored(j, j+1) {
			item := reflect.New(p.elem.typ).Elem()
			d.walk(j+1, p.elem, &rules{}, item)
			value.SetMapIndex(reflect.ValueOf(key).Convert(p.typ.Key()), item)
		}
		d.pop()
		j = int(d.nodes[j+1].next)
	}
	dst.Set(value)
}

// sized checks the number of values in a list or map.
func (d *decoder) sized(i, count int, what string, r *rules) bool {
	switch {
	case r.min != nil && count < *r.min:
		d.fail(i, "too_short", fmt.Sprintf("%s should have at least %s after validation, not %d", what, items(*r.min), count),
			map[string]any{"field_type": what, "min_length": *r.min, "actual_length": count})
		return false
	case r.max != nil && count > *r.max:
		d.fail(i, "too_long", fmt.Sprintf("%s should have at most %s after validation, not %d", what, items(*r.max), count),
			map[string]any{"field_type": what, "max_length": *r.max, "actual_length": count})
		return false
	}
	return true
}

func items(n int) string { return plural(n, "item") }

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// whole reads a value that is kept, or read by its own type, as JSON.
func (d *decoder) whole(i int, p *plan, r *rules, dst reflect.Value) {
	n := d.nodes[i]
	switch {
	case r.nullable && n.kind == kindNull && p.form == formRaw:
	case r.object && n.kind != kindObject:
		d.fail(i, "dict_type", "Input should be a valid dictionary", nil)
		return
	case r.array && n.kind != kindArray:
		d.fail(i, "list_type", "Input should be a valid list", nil)
		return
	case !d.stored(i, int(n.next)):
		return
	}
	raw := d.canonical(i)
	switch p.form {
	case formRaw:
		dst.SetBytes(raw)
	case formCustom:
		for _, e := range dst.Addr().Interface().(selfDecoder).DecodeWire(raw) {
			e.Loc = append(d.place(), e.Loc...)
			d.errs = append(d.errs, e)
		}
	case formJSON:
		if err := dst.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(raw); err != nil {
			d.refused(i, err)
		}
	default:
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		if err := dec.Decode(dst.Addr().Interface()); err != nil {
			d.refused(i, err)
		}
	}
}

// refused reports what a type's own method did not take.
func (d *decoder) refused(i int, err error) {
	d.fail(i, "value_error", "Value error, "+err.Error(), map[string]any{"error": struct{}{}})
}

// stored checks that the nodes from the first to before the last can be given
// back by a database. The reference fails with 500 on such values, at once or
// when it reads them again.
func (d *decoder) stored(first, last int) bool {
	if !d.unfit {
		return true
	}
	for j := first; j < last; j++ {
		switch d.nodes[j].unfit {
		case fit:
			continue
		case unfitSurrogate:
			d.fail(j, "string_unicode", "Input should be a valid string, unable to parse raw data as a unicode string", nil)
		case unfitNUL:
			d.fail(j, "value_error", `Value error, text must not contain the NUL character (\u0000)`, map[string]any{"error": struct{}{}})
		case unfitInfinite:
			d.fail(j, "finite_number", "Input should be a finite number", nil)
		}
		return false
	}
	return true
}

// text reads a string by the type's own method.
func (d *decoder) text(i int, dst reflect.Value) {
	if d.nodes[i].kind != kindString {
		d.fail(i, "string_type", "Input should be a valid string", nil)
		return
	}
	if err := dst.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(d.str(i))); err != nil {
		d.refused(i, err)
	}
}

// lengthOf counts as Python does.
func lengthOf(s string) int { return utf8.RuneCountInString(s) }
