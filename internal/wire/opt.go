package wire

import (
	"bytes"
	"encoding/json"
)

// Opt is a value that may be absent or null. As a field it is tagged omitzero,
// so that an absent one is not written.
type Opt[T any] struct {
	// Set is true when the key was there, also with null.
	Set bool
	// Null is true when the value was null.
	Null  bool
	Value T
}

// Some returns an Opt that holds v.
func Some[T any](v T) Opt[T] { return Opt[T]{Set: true, Value: v} }

// Null returns an Opt that is there and null.
func Null[T any]() Opt[T] { return Opt[T]{Set: true, Null: true} }

// Get returns the value, and whether there is one: neither absent nor null.
func (o Opt[T]) Get() (T, bool) { return o.Value, o.Set && !o.Null }

// Or returns the value, or v when it is absent or null.
func (o Opt[T]) Or(v T) T {
	if o.Set && !o.Null {
		return o.Value
	}
	return v
}

// Ptr returns a pointer to a copy of the value, nil when it is absent or null.
func (o Opt[T]) Ptr() *T {
	if !o.Set || o.Null {
		return nil
	}
	v := o.Value
	return &v
}

// IsZero reports whether the value is absent; the tag omitzero asks it.
func (o Opt[T]) IsZero() bool { return !o.Set }

// MarshalJSON writes null for an absent value, too.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if !o.Set || o.Null {
		return []byte("null"), nil
	}
	return Marshal(o.Value)
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *Opt[T]) UnmarshalJSON(data []byte) error {
	if bytes.Equal(bytes.TrimSpace(data), []byte("null")) {
		*o = Opt[T]{Set: true, Null: true}
		return nil
	}
	*o = Opt[T]{Set: true}
	return json.Unmarshal(data, &o.Value)
}

// optional is what Decode needs of an Opt of any type.
type optional interface {
	// setNull makes it null; setValue makes it set and returns a pointer to the value.
	setNull()
	setValue() any
}

func (o *Opt[T]) setNull() { *o = Opt[T]{Set: true, Null: true} }

func (o *Opt[T]) setValue() any {
	*o = Opt[T]{Set: true}
	return &o.Value
}
