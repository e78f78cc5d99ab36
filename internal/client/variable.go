package client

import (
	"encoding/json"
	"reflect"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// Variable is a variable as the API shows it. Prefect REST: Variable.
type Variable struct {
	ID      core.ID         `json:"id"`
	Created wire.Time       `json:"created"`
	Updated wire.Time       `json:"updated"`
	Name    string          `json:"name"`
	Value   json.RawMessage `json:"value"`
	Tags    []string        `json:"tags"`
}

// VariableOf shows a variable.
func VariableOf(v *core.Variable) Variable {
	return Variable{
		ID: v.ID, Created: wire.FromTime(v.Created), Updated: wire.FromTime(v.Updated), Name: v.Name, Value: v.Value, Tags: NotNil(v.Tags),
	}
}

// VariableCreate is the body of POST /variables/.
type VariableCreate struct {
	_     struct{}      `wire:"forbid"`
	Name  VariableName  `json:"name" wire:"required"`
	Value VariableValue `json:"value" wire:"required"`
	Tags  []string      `json:"tags"`
}

// VariableUpdate is the body of PATCH /variables/{id}.
type VariableUpdate struct {
	_     struct{}                `wire:"forbid"`
	Name  wire.Opt[VariableName]  `json:"name,omitzero"`
	Value wire.Opt[VariableValue] `json:"value,omitzero"`
	Tags  wire.Opt[[]string]      `json:"tags,omitzero"`
}

// VariableValue is any JSON value of limited length.
type VariableValue json.RawMessage

// maxVariableValue is the most characters of a value in Python's JSON.
const maxVariableValue = 5000

// MarshalJSON implements json.Marshaler.
func (v VariableValue) MarshalJSON() ([]byte, error) { return json.RawMessage(v).MarshalJSON() }

// DecodeWire implements wire's interface for types that decode themselves.
func (v *VariableValue) DecodeWire(raw json.RawMessage) []wire.FieldError {
	if pythonLength(raw) > maxVariableValue {
		return []wire.FieldError{valueError("Variable value must be less than 5000 characters", raw)}
	}
	*v = VariableValue(append([]byte{}, raw...))
	return nil
}

// WireSchema implements wire's interface for types that describe themselves.
func (*VariableValue) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema { return &wire.Schema{} }

// pythonLength is the length of compact JSON as json.dumps would write it: with
// blanks after commas and colons, and everything but ASCII escaped.
func pythonLength(raw []byte) int {
	n, inside := 0, false
	for i := 0; i < len(raw); {
		r, size := utf8.DecodeRune(raw[i:])
		switch {
		case r >= utf8.RuneSelf:
			n += 6 * utf16.RuneLen(r)
		case inside && r == '\\':
			n, size = n+2, 2
		case r == '"':
			inside = !inside
			n++
		case !inside && (r == ',' || r == ':'):
			n += 2
		default:
			n++
		}
		i += size
	}
	return n
}
