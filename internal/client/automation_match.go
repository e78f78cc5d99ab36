package client

import (
	"encoding/json"
	"reflect"
	"slices"

	"github.com/leat-dev/leat/internal/wire"
)

// resourceMatch says which labels a resource must have: an object whose values
// are texts or lists of them. It is kept as JSON. Prefect REST: ResourceSpecification.
type resourceMatch json.RawMessage

// MarshalJSON implements json.Marshaler.
func (m resourceMatch) MarshalJSON() ([]byte, error) { return json.RawMessage(m).MarshalJSON() }

// DecodeWire implements wire's interface for types that decode themselves.
func (m *resourceMatch) DecodeWire(raw json.RawMessage) []wire.FieldError {
	var labels map[string]json.RawMessage
	if json.Unmarshal(raw, &labels) != nil || labels == nil {
		return []wire.FieldError{{Type: "dict_type", Msg: "Input should be a valid dictionary", Input: raw}}
	}
	var errs []wire.FieldError
	for key, value := range labels {
		var text string
		var list []string
		for _, e := range wire.Union(value, wire.Of("str", &text), wire.Of("list[str]", &list)) {
			e.Loc = append([]any{key}, e.Loc...)
			errs = append(errs, e)
		}
	}
	*m = resourceMatch(raw)
	return errs
}

// WireSchema implements wire's interface for types that describe themselves.
func (*resourceMatch) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return &wire.Schema{Type: "object", Values: wire.Or(of(reflect.TypeFor[string]()), of(reflect.TypeFor[[]string]()))}
}

// resourceMatches is a resourceMatch or a list of them, each for one of the
// resources that are related.
type resourceMatches json.RawMessage

// MarshalJSON implements json.Marshaler.
func (m resourceMatches) MarshalJSON() ([]byte, error) { return json.RawMessage(m).MarshalJSON() }

// DecodeWire implements wire's interface for types that decode themselves.
func (m *resourceMatches) DecodeWire(raw json.RawMessage) []wire.FieldError {
	var one resourceMatch
	var list []resourceMatch
	*m = resourceMatches(raw)
	return wire.Union(raw, wire.Of("ResourceSpecification", &one), wire.Of("list[ResourceSpecification]", &list))
}

// WireSchema implements wire's interface for types that describe themselves.
func (*resourceMatches) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return wire.Or(of(reflect.TypeFor[resourceMatch]()), of(reflect.TypeFor[[]resourceMatch]()))
}

// requiredCount is how many triggers must fire: a number, "any" or "all".
type requiredCount json.RawMessage

// MarshalJSON implements json.Marshaler.
func (c requiredCount) MarshalJSON() ([]byte, error) { return json.RawMessage(c).MarshalJSON() }

// DecodeWire implements wire's interface for types that decode themselves.
func (c *requiredCount) DecodeWire(raw json.RawMessage) []wire.FieldError {
	var number int
	var word string
	errs := wire.Union(raw, wire.Of("int", &number), wire.Member{
		Name: "literal['any','all']",
		Decode: func(raw json.RawMessage) []wire.FieldError {
			return literal(&word, raw, "'any' or 'all'", "any", "all")
		},
	})
	*c = requiredCount(raw)
	if len(errs) == 0 && word == "" && slices.Contains([]byte{'"', 't', 'f'}, raw[0]) {
		*c = requiredCount(mustJSON(number))
	}
	return errs
}

// WireSchema implements wire's interface for types that describe themselves.
func (*requiredCount) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return wire.Or(of(reflect.TypeFor[int]()), wire.OneOf("any", "all"))
}
