package client

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/leat-dev/leat/internal/wire"
)

// RetryType says how a flow run is tried again: by the process that ran it, or by
// being scheduled anew.
type RetryType string

// DecodeWire implements wire's interface for types that decode themselves.
func (r *RetryType) DecodeWire(raw json.RawMessage) []wire.FieldError {
	return literal((*string)(r), raw, "'in_process' or 'reschedule'", "in_process", "reschedule")
}

// WireSchema implements wire's interface for types that describe themselves.
func (*RetryType) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	return wire.OneOf("in_process", "reschedule")
}

// RetryDelay is the number of seconds before a task run is tried again, or a list
// of them, one for each retry. It is kept as JSON.
type RetryDelay json.RawMessage

// maxRetryDelays is the most delays in a list.
const maxRetryDelays = 50

// MarshalJSON implements json.Marshaler.
func (d RetryDelay) MarshalJSON() ([]byte, error) { return json.RawMessage(d).MarshalJSON() }

// UnmarshalJSON implements json.Unmarshaler.
func (d *RetryDelay) UnmarshalJSON(data []byte) error {
	return (*json.RawMessage)(d).UnmarshalJSON(data)
}

// DecodeWire reads whole numbers where all are, else numbers.
func (d *RetryDelay) DecodeWire(raw json.RawMessage) []wire.FieldError {
	if string(raw) == "null" {
		*d = nil
		return nil
	}
	var (
		whole  int64
		number wire.Float
		wholes []int64
		many   []wire.Float
		chosen any
	)
	as := func(m wire.Member, v any) wire.Member {
		decode := m.Decode
		m.Decode = func(raw json.RawMessage) []wire.FieldError {
			errs := decode(raw)
			if len(errs) == 0 {
				chosen = v
			}
			return errs
		}
		return m
	}
	errs := wire.Union(raw, as(wire.Of("int", &whole), &whole), as(wire.Of("float", &number), &number),
		as(wire.Of("list[int]", &wholes), &wholes), as(wire.Of("list[float]", &many), &many))
	switch {
	case len(errs) > 0:
		return errs
	case len(wholes) > maxRetryDelays || len(many) > maxRetryDelays:
		return []wire.FieldError{valueError("Can not configure more than 50 retry delays per task.", raw)}
	}
	*d = RetryDelay(mustJSON(chosen))
	if chosen == &whole && raw[0] != '"' && raw[0] != 't' && raw[0] != 'f' {
		*d = RetryDelay(raw) // 2.0 stays a float
	}
	return nil
}

// WireSchema implements wire's interface for types that describe themselves.
func (*RetryDelay) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return wire.OrNull(wire.Or(
		of(reflect.TypeFor[int]()), of(reflect.TypeFor[float64]()), of(reflect.TypeFor[[]int]()), of(reflect.TypeFor[[]float64]())))
}

// Jitter is a factor of retry delays.
type Jitter wire.Float

// MarshalJSON implements json.Marshaler.
func (j Jitter) MarshalJSON() ([]byte, error) { return wire.Float(j).MarshalJSON() }

// DecodeWire reads a number that is not negative.
func (j *Jitter) DecodeWire(raw json.RawMessage) []wire.FieldError {
	var v wire.Float
	if errs := wire.FieldErrors(wire.Decode(raw, &v), raw); len(errs) > 0 {
		return errs
	}
	if v < 0 {
		return []wire.FieldError{valueError("`retry_jitter_factor` must be >= 0.", raw)}
	}
	*j = Jitter(v)
	return nil
}

// WireSchema implements wire's interface for types that describe themselves.
func (*Jitter) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	return &wire.Schema{Type: "number"}
}

// withRetries lets the old names of a policy's fields stand for the new ones that
// are absent, null or 0, before anything is read: what is wrong with an old name
// is then wrong with the new one, too.
func withRetries(raw json.RawMessage) json.RawMessage {
	if !bytes.Contains(raw, []byte(`"max_retries"`)) && !bytes.Contains(raw, []byte(`"retry_delay_seconds"`)) {
		return raw
	}
	var policy map[string]json.RawMessage
	if json.Unmarshal(raw, &policy) != nil {
		return raw
	}
	changed := false
	for older, newer := range map[string]string{"max_retries": "retries", "retry_delay_seconds": "retry_delay"} {
		if value, ok := policy[older]; ok && falsy(policy[newer]) && !zero(value) {
			policy[newer], changed = value, true
		}
	}
	if !changed {
		return raw
	}
	return mustJSON(policy)
}

// falsy tells whether Python takes a JSON value for nothing.
func falsy(raw json.RawMessage) bool {
	switch string(raw) {
	case "", `""`, "null", "[]", "{}":
		return true
	}
	return zero(raw)
}

// zero tells whether a JSON value equals 0 in Python.
func zero(raw json.RawMessage) bool {
	switch string(raw) {
	case "false", "0", "0.0", "-0.0", "-0":
		return true
	}
	return false
}
