package wire

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/core"
)

// Schema says in the words of JSON schema, as OpenAPI uses them, which JSON a Go
// type is read from or written as.
type Schema struct {
	Ref              string             `json:"$ref,omitempty"`
	Type             string             `json:"type,omitempty"`
	Format           string             `json:"format,omitempty"`
	Pattern          string             `json:"pattern,omitempty"`
	Enum             []any              `json:"enum,omitempty"`
	Const            any                `json:"const,omitempty"`
	AnyOf            []*Schema          `json:"anyOf,omitempty"`
	Items            *Schema            `json:"items,omitempty"`
	Properties       map[string]*Schema `json:"properties,omitempty"`
	Required         []string           `json:"required,omitempty"`
	Additional       json.RawMessage    `json:"additionalProperties,omitempty"`
	Values           *Schema            `json:"-"` // additionalProperties that are a schema
	Default          json.RawMessage    `json:"default,omitempty"`
	Minimum          *float64           `json:"minimum,omitempty"`
	ExclusiveMinimum *float64           `json:"exclusiveMinimum,omitempty"`
	Maximum          *float64           `json:"maximum,omitempty"`
	ExclusiveMaximum *float64           `json:"exclusiveMaximum,omitempty"`
	MinLength        *int               `json:"minLength,omitempty"`
	MaxLength        *int               `json:"maxLength,omitempty"`
	MinItems         *int               `json:"minItems,omitempty"`
	MaxItems         *int               `json:"maxItems,omitempty"`
}

// MarshalJSON writes the schema with its Values.
func (s *Schema) MarshalJSON() ([]byte, error) {
	type plain Schema
	out := plain(*s)
	if s.Values != nil {
		b, err := json.Marshal(s.Values)
		if err != nil {
			return nil, err
		}
		out.Additional = b
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Schema) UnmarshalJSON(data []byte) error {
	type plain Schema
	if err := json.Unmarshal(data, (*plain)(s)); err != nil {
		return err
	}
	if len(s.Additional) > 0 && s.Additional[0] == '{' {
		s.Values = &Schema{}
		return json.Unmarshal(s.Additional, s.Values)
	}
	return nil
}

// Or is one of some schemas.
func Or(choices ...*Schema) *Schema { return &Schema{AnyOf: choices} }

// OrNull is the schema or null.
func OrNull(s *Schema) *Schema {
	if s.Type == "" && s.Ref == "" && len(s.AnyOf) == 0 && len(s.Enum) == 0 {
		return s // anything is null, too
	}
	if len(s.AnyOf) > 0 {
		if slices.ContainsFunc(s.AnyOf, func(c *Schema) bool { return c.Type == "null" }) {
			return s
		}
		c := *s
		c.AnyOf = append(slices.Clone(s.AnyOf), &Schema{Type: "null"})
		return &c
	}
	return Or(s, &Schema{Type: "null"})
}

// OneOf is one of some strings.
func OneOf(values ...string) *Schema {
	s := &Schema{Type: "string"}
	for _, v := range values {
		s.Enum = append(s.Enum, v)
	}
	return s
}

// Closed is an object that has none but the properties.
func Closed(properties map[string]*Schema, required ...string) *Schema {
	return &Schema{Type: "object", Properties: properties, Required: required, Additional: json.RawMessage("false")}
}

// selfDescriber is a type that reads or writes itself and says as what. The
// function describes other types in the same direction.
type selfDescriber interface {
	WireSchema(of func(reflect.Type) *Schema) *Schema
}

// Describer makes schemas of Go types and keeps those that have names.
type Describer struct {
	// Schemas holds the schemas of named types, to which others refer by
	// "#/components/schemas/" and the name.
	Schemas map[string]*Schema
	names   map[direction]string
}

// direction is a type as it is read or as it is written.
type direction struct {
	typ    reflect.Type
	answer bool
}

// RefPrefix stands before the name of a schema in a reference to it.
const RefPrefix = "#/components/schemas/"

// NewDescriber returns an empty one.
func NewDescriber() *Describer {
	return &Describer{Schemas: map[string]*Schema{}, names: map[direction]string{}}
}

// Input describes what Decode reads into a type.
func (d *Describer) Input(t reflect.Type) *Schema { return d.ref(direction{t, false}) }

// Output describes what Marshal writes of a type.
func (d *Describer) Output(t reflect.Type) *Schema { return d.ref(direction{t, true}) }

// Field describes a value of the type with the options of a wire tag, such as a
// parameter of a query, and tells whether it is required.
func (d *Describer) Field(t reflect.Type, tag string) (s *Schema, required bool) {
	r := parseRules(tag)
	return d.ruled(d.Input(t), planOf(t), &r), r.required
}

// ref describes a type, exported structs by reference.
func (d *Describer) ref(of direction) *Schema {
	t := of.typ
	named := t.Kind() == reflect.Struct && t.PkgPath() != "" && !strings.Contains(t.Name(), "[") && reflect.PointerTo(t).Elem().Name() != "" &&
		t.Name()[0] >= 'A' && t.Name()[0] <= 'Z' && t != reflect.TypeFor[Time]() && t.PkgPath() != "time"
	if !named {
		return d.describe(of)
	}
	if name, ok := d.names[of]; ok {
		return &Schema{Ref: RefPrefix + name}
	}
	name := t.Name()
	if _, taken := d.Schemas[name]; taken {
		name += map[bool]string{true: "-Output", false: "-Input"}[of.answer]
	}
	if _, taken := d.Schemas[name]; taken {
		panic("wire: two types have the name " + name)
	}
	d.names[of], d.Schemas[name] = name, &Schema{}
	*d.Schemas[name] = *d.describe(of)
	return &Schema{Ref: RefPrefix + name}
}

func (d *Describer) describe(of direction) *Schema {
	if self, ok := reflect.TypeAssert[selfDescriber](reflect.New(of.typ)); ok {
		return self.WireSchema(func(t reflect.Type) *Schema { return d.ref(direction{t, of.answer}) })
	}
	if of.typ == reflect.TypeFor[core.Labels]() {
		return &Schema{Type: "object", Values: &Schema{Type: "string"}}
	}
	if of.answer {
		return d.output(of.typ)
	}
	return d.input(planOf(of.typ))
}

// scalars are the schemas of forms that need no more.
func scalar(p *plan) *Schema {
	switch p.form {
	case formString, formText:
		return &Schema{Type: "string"}
	case formInt, formUint:
		return &Schema{Type: "integer"}
	case formFloat:
		return &Schema{Type: "number"}
	case formBool:
		return &Schema{Type: "boolean"}
	case formEnum:
		return OneOf(p.enum...)
	case formID:
		return &Schema{Type: "string", Format: "uuid"}
	case formTime:
		return &Schema{Type: "string", Format: "date-time"}
	case formStruct, formSlice, formMap, formPointer, formOpt, formRaw, formAny, formCustom, formJSON:
	}
	return &Schema{}
}

// input describes what a plan reads.
func (d *Describer) input(p *plan) *Schema {
	switch p.form {
	case formPointer, formOpt:
		return OrNull(d.Input(p.elem.typ))
	case formSlice:
		return &Schema{Type: "array", Items: d.Input(p.elem.typ)}
	case formMap:
		return &Schema{Type: "object", Values: d.Input(p.elem.typ)}
	case formStruct:
		return d.inputObject(p)
	case formCustom, formJSON:
		panic(fmt.Sprintf("wire: %s reads itself and does not say what; it lacks WireSchema", p.typ))
	case formString, formInt, formUint, formFloat, formBool, formEnum, formID, formTime, formRaw, formAny, formText:
	}
	return scalar(p)
}

func (d *Describer) inputObject(p *plan) *Schema {
	s := &Schema{Type: "object", Properties: map[string]*Schema{}}
	if p.forbid {
		s.Additional = json.RawMessage("false")
	}
	for i := range p.fields {
		f := &p.fields[i]
		s.Properties[f.name] = d.ruled(d.Input(f.plan.typ), f.plan, &f.rules)
		if f.rules.required {
			s.Required = append(s.Required, f.name)
		}
	}
	return s
}

// ruled adds what a field's tag says to the schema of its type.
func (d *Describer) ruled(s *Schema, p *plan, r *rules) *Schema {
	out := *s
	s = &out
	nullable := r.nullable
	if len(s.AnyOf) == 2 && s.AnyOf[1].Type == "null" {
		*s, nullable = *s.AnyOf[0], true
	}
	inner := p
	for inner.form == formPointer || inner.form == formOpt {
		inner, nullable = inner.elem, true
	}
	s = withObject(s, inner, r)
	s.Minimum, s.ExclusiveMinimum = orFloat(r.ge, s.Minimum), orFloat(r.gt, s.ExclusiveMinimum)
	s.Maximum, s.ExclusiveMaximum = orFloat(r.le, s.Maximum), orFloat(r.lt, s.ExclusiveMaximum)
	if s.Type == "array" {
		s.MinItems, s.MaxItems = r.min, r.max
	} else if r.min != nil || r.max != nil {
		s.MinLength, s.MaxLength = r.min, r.max
	}
	if r.pattern != nil {
		s.Pattern = r.pattern.String()
	}
	if nullable {
		s = OrNull(s)
	}
	switch {
	case r.required:
	case r.fallback != nil:
		s.Default = r.fallback.canonical(0)
	default:
		s.Default = zeroDefault(p, r)
	}
	return s
}

// withObject makes a schema of free JSON one of objects or lists, as the tag says.
func withObject(s *Schema, p *plan, r *rules) *Schema {
	switch {
	case p.form == formRaw && r.object:
		return &Schema{Type: "object", Additional: json.RawMessage("true")}
	case p.form == formRaw && r.array:
		return &Schema{Type: "array"}
	case p.form == formSlice && p.elem.form == formRaw && r.object:
		return &Schema{Type: "array", Items: &Schema{Type: "object", Additional: json.RawMessage("true")}}
	}
	return s
}

// zeroDefault is what an absent field of a plain type means. What has a type that
// tells absent from given has no default here: its user decides.
func zeroDefault(p *plan, r *rules) json.RawMessage {
	switch p.form {
	case formInt, formUint, formFloat:
		return json.RawMessage("0")
	case formBool:
		return json.RawMessage("false")
	case formString:
		return json.RawMessage(`""`)
	case formPointer:
		return json.RawMessage("null")
	case formSlice:
		if r.nullable {
			return json.RawMessage("null")
		}
		return json.RawMessage("[]")
	case formMap, formOpt, formRaw, formAny, formCustom, formText, formJSON, formEnum, formID, formTime, formStruct:
	}
	return nil
}

func orFloat(a, b *float64) *float64 {
	if a != nil {
		return a
	}
	return b
}

// output describes what encoding/json writes of a type.
func (d *Describer) output(t reflect.Type) *Schema {
	if t.Kind() == reflect.Pointer {
		return OrNull(d.Output(t.Elem()))
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[optional]()) {
		value, _ := t.FieldByName("Value")
		return OrNull(d.Output(value.Type))
	}
	switch t {
	case reflect.TypeFor[json.RawMessage]():
		return &Schema{}
	case reflect.TypeFor[Float]():
		return &Schema{Type: "number"}
	case reflect.TypeFor[Time](), reflect.TypeFor[core.ID]():
		return scalar(planOf(t))
	}
	if t.Implements(reflect.TypeFor[json.Marshaler]()) {
		panic(fmt.Sprintf("wire: %s writes itself and does not say what; it lacks WireSchema", t))
	}
	if t.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
		return &Schema{Type: "string"}
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		elem := t.Elem()
		if elem.Kind() == reflect.Pointer {
			elem = elem.Elem() // no list holds nil
		}
		return &Schema{Type: "array", Items: d.Output(elem)}
	case reflect.Map:
		return &Schema{Type: "object", Values: d.Output(t.Elem())}
	case reflect.Struct:
		s := &Schema{Type: "object", Properties: map[string]*Schema{}}
		d.outputFields(s, t)
		return s
	case reflect.Interface:
		return &Schema{}
	default:
		return scalar(planOf(t))
	}
}

func (d *Describer) outputFields(s *Schema, t reflect.Type) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			d.outputFields(s, f.Type)
			continue
		}
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		if f.Type == reflect.TypeFor[*struct{}]() {
			delete(s.Properties, name) // hides the field of an embedded struct
			continue
		}
		r := parseRules(f.Tag.Get("wire"))
		value := d.Output(f.Type)
		switch f.Type {
		case reflect.TypeFor[json.RawMessage](), reflect.TypeFor[[]json.RawMessage]():
			value = withObject(value, planOf(f.Type), &r)
		case reflect.TypeFor[Opt[json.RawMessage]]():
			value = OrNull(withObject(value, planOf(reflect.TypeFor[json.RawMessage]()), &r))
		}
		if r.nullable {
			value = OrNull(value)
		}
		s.Properties[name] = value
		if !strings.Contains(options, "omit") {
			s.Required = append(s.Required, name)
		}
	}
}
