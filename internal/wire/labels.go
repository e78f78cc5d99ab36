package wire

import (
	"encoding/json"
	"reflect"
	"slices"
)

// Labels is the type of the labels of flows, runs and deployments: an object
// whose values are booleans, integers, numbers or strings. It is kept as it came.
type Labels json.RawMessage

// MarshalJSON writes {} for none.
func (l Labels) MarshalJSON() ([]byte, error) {
	if len(l) == 0 {
		return []byte("{}"), nil
	}
	return l, nil
}

// UnmarshalJSON takes what Decode takes.
func (l *Labels) UnmarshalJSON(data []byte) error { return Decode(data, l) }

// DecodeWire checks the values; a wrong one is reported for each member of the union.
func (l *Labels) DecodeWire(raw json.RawMessage) []FieldError {
	d, err := parse(raw)
	if err != nil {
		return []FieldError{{Type: "value_error", Msg: "Value error, " + err.Error(), Input: raw}}
	}
	if d.nodes[0].kind != kindObject {
		return []FieldError{{Type: "dict_type", Msg: "Input should be a valid dictionary", Input: raw}}
	}
	var errs []FieldError
	j := 1
	for range int(d.nodes[0].count) {
		key, value := d.str(j), j+1
		switch d.nodes[value].kind {
		case kindNull, kindArray, kindObject:
			for _, member := range [][3]string{
				{"bool_type", "bool", "Input should be a valid boolean"},
				{"int_type", "int", "Input should be a valid integer"},
				{"float_type", "float", "Input should be a valid number"},
				{"string_type", "str", "Input should be a valid string"},
			} {
				errs = append(errs, FieldError{
					Type: member[0], Loc: []any{key, member[1]}, Msg: member[2], Input: d.canonical(value),
				})
			}
		case kindFalse, kindTrue, kindNumber, kindString:
		}
		j = int(d.nodes[value].next)
	}
	if len(errs) == 0 {
		*l = Labels(slices.Clone(raw))
	}
	return errs
}

// WireSchema implements wire's interface for types that describe themselves.
func (*Labels) WireSchema(func(reflect.Type) *Schema) *Schema {
	return &Schema{Type: "object", Values: Or(&Schema{Type: "boolean"}, &Schema{Type: "integer"}, &Schema{Type: "number"}, &Schema{Type: "string"})}
}
