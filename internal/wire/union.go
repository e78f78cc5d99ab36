package wire

import (
	"encoding/json"
	"reflect"
)

// Member is one of the types that a value may have.
type Member struct {
	// Name stands in the place of an error, such as list[int].
	Name string
	// Decode reads the value and returns what is wrong in it.
	Decode func(raw json.RawMessage) []FieldError
}

// Of is a member that is read into what dst points to.
func Of(name string, dst any) Member {
	return Member{name, func(raw json.RawMessage) []FieldError { return FieldErrors(Decode(raw, dst), raw) }}
}

// Union reads a value by its members in their order until one takes it. When none
// does, the errors are those of all of them, as pydantic lists them.
func Union(raw json.RawMessage, members ...Member) []FieldError {
	var all []FieldError
	for _, m := range members {
		errs := m.Decode(raw)
		if len(errs) == 0 {
			return nil
		}
		for _, e := range errs {
			e.Loc = append([]any{m.Name}, e.Loc...)
			all = append(all, e)
		}
	}
	return all
}

// JSON is JSON that is kept and shown as it is, and known to be that of a T.
type JSON[T any] json.RawMessage

// MarshalJSON implements json.Marshaler.
func (j JSON[T]) MarshalJSON() ([]byte, error) { return json.RawMessage(j).MarshalJSON() }

// UnmarshalJSON implements json.Unmarshaler.
func (j *JSON[T]) UnmarshalJSON(data []byte) error { return (*json.RawMessage)(j).UnmarshalJSON(data) }

// DecodeWire checks the JSON by the rules of T.
func (j *JSON[T]) DecodeWire(raw json.RawMessage) []FieldError {
	var v struct {
		V T `json:"v"`
	}
	errs := FieldErrors(Decode([]byte(`{"v":`+string(raw)+`}`), &v), raw)
	for i := range errs {
		errs[i].Loc = errs[i].Loc[1:]
	}
	*j = JSON[T](raw)
	return errs
}

// WireSchema is that of T.
func (*JSON[T]) WireSchema(of func(reflect.Type) *Schema) *Schema { return of(reflect.TypeFor[T]()) }
