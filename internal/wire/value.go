package wire

import (
	"fmt"
	"reflect"
)

// Value reads single parameters of a request, such as those of a query, by the
// same rules as the values of a body.
type Value struct {
	plan  *plan
	rules rules
}

// ValueOf returns the reader of values of type t with the options of a wire tag.
// It panics when t or the tag is wrong.
func ValueOf(t reflect.Type, tag string) *Value {
	v := &Value{plan: planOf(t), rules: parseRules(tag)}
	if v.rules.fallback != nil {
		v.Default(reflect.New(t).Elem())
	}
	return v
}

// Required reports whether the tag says so.
func (v *Value) Required() bool { return v.rules.required }

// Default sets dst, of the type given to ValueOf, to the tag's default, if it has one.
func (v *Value) Default(dst reflect.Value) {
	if v.rules.fallback == nil {
		return
	}
	d := decoder{document: v.rules.fallback}
	d.walk(0, v.plan, &v.rules, dst)
	if len(d.errs) > 0 {
		panic(fmt.Sprintf("wire: default of %s: %s", v.plan.typ, d.errs[0].Msg))
	}
}

// Read reads the texts, of which there is at least one, into dst. A list takes
// all of them, anything else the last.
func (v *Value) Read(texts []string, dst reflect.Value) []FieldError {
	list := v.plan
	for list.form == formPointer || list.form == formOpt {
		list = list.elem
	}
	body := []byte(Quote([]byte(texts[len(texts)-1])))
	if list.form == formSlice {
		body = []byte{'['}
		for i, text := range texts {
			if i > 0 {
				body = append(body, ',')
			}
			body = append(body, Quote([]byte(text))...)
		}
		body = append(body, ']')
	}
	doc, err := parse(body)
	if err != nil {
		return []FieldError{{Type: "value_error", Msg: "Value error, " + err.Error(), Input: body}}
	}
	d := decoder{document: doc}
	d.walk(0, v.plan, &v.rules, dst)
	return d.errs
}
