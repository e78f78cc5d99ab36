package asl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// maxSeconds is the most seconds that a field may hold.
const maxSeconds = 99999999

// fields reads an object of a definition field by field and notes which it has read.
type fields struct {
	p    *parser
	o    *value.Object
	at   string
	read map[string]bool
}

// fields takes raw for an object; it reports and returns nil when it is none.
func (p *parser) fields(raw any, at string) *fields {
	o, ok := raw.(*value.Object)
	if !ok {
		p.schema(at, "Expected value of type Object")
		return nil
	}
	return &fields{p: p, o: o, at: at, read: map[string]bool{"Comment": true}}
}

func (f *fields) get(name string) (any, bool) {
	f.read[name] = true
	return f.o.Get(name)
}

func (f *fields) has(name string) bool {
	_, ok := f.o.Get(name)
	return ok
}

func (f *fields) wrong(name, format string, args ...any) {
	f.p.schema(f.at+"/"+name, format, args...)
}

func (f *fields) require(names ...string) {
	missing := slices.DeleteFunc(slices.Clone(names), f.has)
	if len(missing) > 0 {
		f.p.schema(f.at, "These fields are required: [%s]", strings.Join(missing, ", "))
	}
}

// exactlyOne reports unless one of the fields is there.
func (f *fields) exactlyOne(names ...string) {
	n := 0
	for _, name := range names {
		if f.has(name) {
			n++
		}
	}
	if n != 1 {
		f.p.schema(f.at, "Exactly one of these fields is required: [%s]", strings.Join(names, ", "))
	}
}

// conflict reports when more than one of the fields is there.
func (f *fields) conflict(names ...string) {
	n := 0
	for _, name := range names {
		if f.has(name) {
			n++
		}
	}
	if n > 1 {
		f.p.schema(f.at, "Only one of these fields may be given: [%s]", strings.Join(names, ", "))
	}
}

// unknown reports the fields that nobody has asked for.
func (f *fields) unknown() {
	for k := range f.o.All() {
		if !f.read[k] {
			f.wrong(k, "Field is not supported")
		}
	}
}

func (f *fields) text(name string) string {
	v, ok := f.get(name)
	if !ok {
		return ""
	}
	s, ok := v.(string)
	if !ok {
		f.wrong(name, "Expected value of type String")
	}
	return s
}

func (f *fields) flag(name string) bool {
	v, ok := f.get(name)
	b, isBool := v.(bool)
	if ok && !isBool {
		f.wrong(name, "Expected value of type Boolean")
	}
	return b
}

// oneOf reads a string that must be among the choices.
func (f *fields) oneOf(name string, choices ...string) string {
	if !f.has(name) {
		f.read[name] = true
		return ""
	}
	s := f.text(name)
	if !slices.Contains(choices, s) {
		f.wrong(name, "The field '%s' should have one of these values: [%s]", name, strings.Join(choices, ", "))
	}
	return s
}

func (f *fields) language(inherited Language) Language {
	if !f.has("QueryLanguage") {
		f.read["QueryLanguage"] = true
		return inherited
	}
	l := Language(f.oneOf("QueryLanguage", string(JSONPath), string(JSONata)))
	if l == JSONPath && inherited == JSONata {
		f.p.schema(f.at, "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine")
	}
	return l
}

func (f *fields) integer(name string, least, most int64) (int64, bool) {
	v, ok := f.get(name)
	if !ok {
		return 0, false
	}
	n, ok := value.Integer(v)
	if !ok {
		f.wrong(name, "Expected value of type Integer")
		return 0, false
	}
	f.inRange(name, float64(n), float64(least), float64(most))
	return n, true
}

func (f *fields) number(name string, least, most float64) (float64, bool) {
	v, ok := f.get(name)
	if !ok {
		return 0, false
	}
	n, ok := value.Number(v)
	if !ok {
		f.wrong(name, "Expected value of type Number")
		return 0, false
	}
	f.inRange(name, n, least, most)
	return n, true
}

func (f *fields) inRange(name string, n, least, most float64) {
	switch {
	case n < least:
		f.wrong(name, "Value must be greater than or equal to %s", value.String(least))
	case n > most:
		f.wrong(name, "Value must be less than or equal to %s", value.String(most))
	}
}

func (f *fields) object(name string) *fields {
	v, ok := f.get(name)
	if !ok {
		return nil
	}
	return f.p.fields(v, f.at+"/"+name)
}

func (f *fields) list(name string) ([]any, bool) {
	v, ok := f.get(name)
	if !ok {
		return nil, false
	}
	l, ok := v.([]any)
	if !ok {
		f.wrong(name, "Expected value of type Array")
	}
	return l, ok
}

// path reads a field that holds a path; with intrinsics, a call as well.
func (f *fields) path(name string, intrinsics bool) *pathField {
	v, ok := f.get(name)
	if !ok {
		return nil
	}
	out, err := newPathField(v, intrinsics)
	if err != nil {
		what := "a valid JSONPath"
		if intrinsics {
			what += " or a valid intrinsic function call"
		}
		f.wrong(name, "The value for the field '%s' must be %s", name, what)
		return nil
	}
	return out
}

func (f *fields) reference(name string) *pathField {
	v, ok := f.get(name)
	if !ok {
		return nil
	}
	out, err := newReference(v)
	if err != nil {
		f.wrong(name, "The value for the field '%s' must be a valid Reference Path", name)
		return nil
	}
	return out
}

// template reads a field whose value may hold expressions.
func (f *fields) template(name string, language Language) *template {
	v, ok := f.get(name)
	if !ok {
		return nil
	}
	t, err := compileTemplate(v, language, f.at+"/"+name)
	if err != nil {
		f.p.templateError(err, language)
		return nil
	}
	return t
}

func (p *parser) templateError(err *templateError, language Language) {
	switch {
	case language == JSONata:
		p.schema(err.Location, "The JSONata expression is not valid: %s", errorText(err.syntax))
	case err.Field != "":
		p.schema(err.Location, "The value for the field '%s' must be a valid JSONPath or a valid intrinsic function call", err.Field)
	default:
		p.schema(err.Location, "%v", err.syntax)
	}
}

// objectTemplate is template for a field whose value is an object, or in
// JSONata an expression that gives one.
func (f *fields) objectTemplate(name string, language Language) *template {
	v, ok := f.o.Get(name)
	if _, isObject := v.(*value.Object); ok && !isObject && (language != JSONata || !isQuery(v)) {
		f.get(name)
		f.wrong(name, "Expected value of type Object")
		return nil
	}
	return f.template(name, language)
}

// scalarKind says what a scalar field takes.
type scalarKind struct {
	least, most float64
	whole       bool
	text        bool
}

// scalar reads a literal, in JSONata an expression, or in JSONPath the ...Path
// form of the field.
func (f *fields) scalar(name string, language Language, kind scalarKind) *scalar {
	if language == JSONPath && f.has(name+"Path") {
		f.conflict(name, name+"Path")
		q := f.path(name+"Path", kind.text)
		f.read[name] = true
		if q == nil || q.Null {
			if q != nil {
				f.wrong(name+"Path", "The value for the field '%sPath' must be a valid JSONPath", name)
			}
			return nil
		}
		return &scalar{Field: name + "Path", path: q}
	}
	raw, ok := f.o.Get(name)
	if !ok {
		return nil
	}
	if language == JSONata && isQuery(raw) {
		t := f.template(name, language)
		if t == nil {
			return nil
		}
		return &scalar{Field: name, tmpl: t}
	}
	s := &scalar{Field: name}
	switch {
	case kind.text:
		s.Literal = f.text(name)
	case kind.whole:
		s.Literal, _ = f.integer(name, int64(kind.least), int64(kind.most))
	default:
		s.Literal, _ = f.number(name, kind.least, kind.most)
	}
	return s
}

// index is the location of an element of a list field.
func (f *fields) index(name string, i int) string { return fmt.Sprintf("%s/%s[%d]", f.at, name, i) }
