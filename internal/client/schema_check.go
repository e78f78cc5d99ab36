package client

import (
	"encoding/json"
	"reflect"

	"github.com/leat-dev/leat/internal/wire"
)

// SchemaCheck says what is wrong with values. Prefect REST: SchemaValuesValidationResponse.
type SchemaCheck struct {
	Errors []SchemaError `json:"errors"`
	Valid  bool          `json:"valid"`
}

// SchemaError is something that is wrong: one of its fields is set.
type SchemaError struct {
	Message  *string
	Property *SchemaPropertyError
	Index    *SchemaIndexError
}

// MarshalJSON writes the field that is set.
func (e SchemaError) MarshalJSON() ([]byte, error) {
	switch {
	case e.Property != nil:
		return json.Marshal(e.Property)
	case e.Index != nil:
		return json.Marshal(e.Index)
	}
	return json.Marshal(e.Message)
}

// WireSchema describes the alternatives.
func (SchemaError) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return &wire.Schema{AnyOf: []*wire.Schema{
		{Type: "string"}, of(reflect.TypeFor[SchemaPropertyError]()), of(reflect.TypeFor[SchemaIndexError]()),
	}}
}

// SchemaPropertyError is what is wrong with a property. Prefect REST: SchemaValuePropertyError.
type SchemaPropertyError struct {
	Property string        `json:"property"`
	Errors   []SchemaError `json:"errors"`
}

// SchemaIndexError is what is wrong with an element of a list. Prefect REST: SchemaValueIndexError.
type SchemaIndexError struct {
	Index  int           `json:"index"`
	Errors []SchemaError `json:"errors"`
}

// AddSchemaError puts a message where the path, of names and indexes, leads to.
// The last step always makes an entry of its own.
func AddSchemaError(list []SchemaError, path []any, message string) []SchemaError {
	if len(path) == 0 {
		return append(list, SchemaError{Message: &message})
	}
	if len(path) > 1 {
		for _, e := range list {
			if inner := e.at(path[0]); inner != nil {
				*inner = AddSchemaError(*inner, path[1:], message)
				return list
			}
		}
	}
	inner := AddSchemaError([]SchemaError{}, path[1:], message)
	if i, ok := path[0].(int); ok {
		return append(list, SchemaError{Index: &SchemaIndexError{Index: i, Errors: inner}})
	}
	name, _ := path[0].(string)
	return append(list, SchemaError{Property: &SchemaPropertyError{Property: name, Errors: inner}})
}

// at returns the errors below the step, if this is its entry.
func (e SchemaError) at(step any) *[]SchemaError {
	switch name := step.(type) {
	case string:
		if e.Property != nil && e.Property.Property == name {
			return &e.Property.Errors
		}
	case int:
		if e.Index != nil && e.Index.Index == name {
			return &e.Index.Errors
		}
	}
	return nil
}
