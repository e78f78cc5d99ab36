package wire

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// form says how a value of a Go type is read.
type form uint8

const (
	formString form = iota
	formInt
	formUint
	formFloat
	formBool
	formEnum
	formID
	formTime
	formStruct
	formSlice
	formMap
	formPointer
	formOpt
	formRaw
	formAny
	formCustom
	formText
	formJSON
)

// plan is what Decode knows of a Go type.
type plan struct {
	form form
	typ  reflect.Type
	elem *plan // of a pointer, slice, map or Opt
	// enum holds the accepted strings, expected their list as pydantic words it.
	enum     []string
	expected string
	fields   []field
	index    map[string]int // keys to fields
	forbid   bool
	embed    bool
}

// field is one key of an object.
type field struct {
	name  string
	at    []int // as for reflect.Value.FieldByIndex
	plan  *plan
	rules rules
}

// rules are the options of a field's tag.
type rules struct {
	required, nullable, object, array bool
	ge, gt, le, lt                    *float64
	min, max                          *int
	pattern                           *regexp.Regexp
	// fallback is the default as a document of one value.
	fallback *document
}

// patterns are the regular expressions that the pattern option names, as the
// Prefect API shows them in its errors.
var patterns = map[string]*regexp.Regexp{ //nolint:gochecknoglobals // a table that nothing changes
	"name": regexp.MustCompile(`^[^/%&><]+$`),
}

// Pattern is the regular expression that tags call by the name.
func Pattern(name string) string { return patterns[name].String() }

// plans remembers the plan of each type that was decoded into.
var plans sync.Map //nolint:gochecknoglobals // a cache of pure facts about types

type enumerated interface{ Enum() []string }

type selfDecoder interface {
	DecodeWire(raw json.RawMessage) []FieldError
}

// planOf returns the plan of a type; it panics when a tag is wrong.
func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	known := map[reflect.Type]*plan{}
	p := makePlan(t, known)
	plans.Store(t, p)
	return p
}

// makePlan makes plans for the type and all that it holds; known has those that
// are made already or being made.
func makePlan(t reflect.Type, known map[reflect.Type]*plan) *plan {
	if p, ok := known[t]; ok {
		return p
	}
	p := &plan{typ: t}
	known[t] = p
	ptr := reflect.PointerTo(t)
	switch {
	case ptr.Implements(reflect.TypeFor[selfDecoder]()):
		p.form = formCustom
	case t == reflect.TypeFor[Time](), t == reflect.TypeFor[time.Time]():
		p.form = formTime
	case t == reflect.TypeFor[core.ID]():
		p.form = formID
	case t == reflect.TypeFor[json.RawMessage]():
		p.form = formRaw
	case ptr.Implements(reflect.TypeFor[optional]()):
		value, _ := t.FieldByName("Value")
		p.form, p.elem = formOpt, makePlan(value.Type, known)
	case t == reflect.TypeFor[core.StateType]():
		p.form = formEnum
		for _, s := range core.StateTypes() {
			p.enum = append(p.enum, string(s))
		}
		p.expected = oneOf(p.enum)
	case t.Kind() == reflect.String && t.Implements(reflect.TypeFor[enumerated]()):
		p.form = formEnum
		p.enum = reflect.Zero(t).Interface().(enumerated).Enum()
		p.expected = oneOf(p.enum)
	case ptr.Implements(reflect.TypeFor[json.Unmarshaler]()):
		p.form = formJSON
	case ptr.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		p.form = formText
	default:
		p.ofKind(known)
	}
	return p
}

// ofKind completes the plan of a type that has no ways of its own.
func (p *plan) ofKind(known map[reflect.Type]*plan) {
	zero := reflect.Zero(p.typ)
	switch k := p.typ.Kind(); {
	case k == reflect.String:
		p.form = formString
	case zero.CanInt():
		p.form = formInt
	case zero.CanUint():
		p.form = formUint
	case zero.CanFloat():
		p.form = formFloat
	case k == reflect.Bool:
		p.form = formBool
	case k == reflect.Pointer:
		p.form, p.elem = formPointer, makePlan(p.typ.Elem(), known)
	case k == reflect.Slice:
		p.form, p.elem = formSlice, makePlan(p.typ.Elem(), known)
	case k == reflect.Map:
		if p.typ.Key().Kind() != reflect.String {
			panic(fmt.Sprintf("wire: keys of %s are not strings", p.typ))
		}
		p.form, p.elem = formMap, makePlan(p.typ.Elem(), known)
	case k == reflect.Interface:
		p.form = formAny
	case k == reflect.Struct:
		p.form, p.index = formStruct, map[string]int{}
		p.addFields(p.typ, nil, known)
	default:
		panic(fmt.Sprintf("wire: cannot decode into %s", p.typ))
	}
}

// addFields adds the fields of t, which lies within p.typ at the given place.
func (p *plan) addFields(t reflect.Type, at []int, known map[reflect.Type]*plan) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("wire")
		if f.Name == "_" {
			p.forbid = p.forbid || tag == "forbid"
			p.embed = p.embed || tag == "embed"
			continue
		}
		where := append(slices.Clone(at), i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			p.addFields(f.Type, where, known)
			continue
		}
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		p.index[name] = len(p.fields)
		p.fields = append(p.fields, field{
			name: name, at: where, plan: makePlan(f.Type, known), rules: parseRules(tag),
		})
	}
}

// parseRules reads a tag. The pattern's name and the default hold no comma.
func parseRules(tag string) rules {
	var r rules
	if tag == "" {
		return r
	}
	for option := range strings.SplitSeq(tag, ",") {
		name, value, _ := strings.Cut(option, "=")
		switch name {
		case "required":
			r.required = true
		case "nullable":
			r.nullable = true
		case "object":
			r.object = true
		case "array":
			r.array = true
		case "ge":
			r.ge = tagNumber(tag, value)
		case "gt":
			r.gt = tagNumber(tag, value)
		case "le":
			r.le = tagNumber(tag, value)
		case "lt":
			r.lt = tagNumber(tag, value)
		case "min":
			r.min = tagLength(tag, value)
		case "max":
			r.max = tagLength(tag, value)
		case "pattern":
			if r.pattern = patterns[value]; r.pattern == nil {
				panic(fmt.Sprintf("wire: no pattern %q in the table", value))
			}
		case "default":
			r.fallback = defaultOf(value)
		default:
			panic(fmt.Sprintf("wire: unknown option %q in tag %q", name, tag))
		}
	}
	return r
}

// defaultOf reads a default: a JSON value, or else a string.
func defaultOf(text string) *document {
	if d, err := parse([]byte(text)); err == nil {
		return d
	}
	d, err := parse(Quote([]byte(text)))
	if err != nil {
		panic(fmt.Sprintf("wire: default %q: %v", text, err))
	}
	return d
}

func tagNumber(tag, value string) *float64 {
	f, err := strconv.ParseFloat(value, 64)
	if err != nil {
		panic(fmt.Sprintf("wire: tag %q: %v", tag, err))
	}
	return &f
}

func tagLength(tag, value string) *int {
	n, err := strconv.Atoi(value)
	if err != nil {
		panic(fmt.Sprintf("wire: tag %q: %v", tag, err))
	}
	return &n
}

// oneOf words a choice: 'A', 'B' or 'C'.
func oneOf(values []string) string {
	var b strings.Builder
	for i, v := range values {
		switch {
		case i == 0:
		case i == len(values)-1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString("'" + v + "'")
	}
	return b.String()
}
