package client

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/leat-dev/leat/internal/wire"
)

// Texts is null or an object of strings; it is kept as JSON.
type Texts json.RawMessage

// MarshalJSON implements json.Marshaler.
func (t Texts) MarshalJSON() ([]byte, error) { return json.RawMessage(t).MarshalJSON() }

// UnmarshalJSON implements json.Unmarshaler.
func (t *Texts) UnmarshalJSON(data []byte) error { return (*json.RawMessage)(t).UnmarshalJSON(data) }

// DecodeWire implements wire's interface for types that decode themselves.
func (t *Texts) DecodeWire(raw json.RawMessage) []wire.FieldError {
	out, errs := readTexts(raw, func(text string) string { return text })
	*t = out
	return errs
}

// WireSchema implements wire's interface for types that describe themselves.
func (*Texts) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema { return textsSchema() }

func textsSchema() *wire.Schema {
	return wire.OrNull(&wire.Schema{Type: "object", Values: &wire.Schema{Type: "string"}})
}

// readTexts reads null or an object of strings, each of which change may change.
func readTexts(raw json.RawMessage, change func(string) string) ([]byte, []wire.FieldError) {
	if string(raw) == "null" {
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, []wire.FieldError{{Type: "dict_type", Msg: "Input should be a valid dictionary", Input: raw}}
	}
	out := []byte{'{'}
	var errs []wire.FieldError
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return out, errs
		}
		name, _ := key.(string)
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return out, errs
		}
		var text string
		if len(value) == 0 || value[0] != '"' || json.Unmarshal(value, &text) != nil {
			errs = append(errs, wire.FieldError{Type: "string_type", Loc: []any{name}, Msg: "Input should be a valid string", Input: value})
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, wire.Quote([]byte(name))...), ':'), wire.Quote([]byte(change(text)))...)
	}
	return append(out, '}'), errs
}
