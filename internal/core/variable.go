package core

import (
	"encoding/json"
	"time"
)

// Variable is a named value that flows read.
type Variable struct {
	ID      ID
	Created time.Time
	Updated time.Time
	Name    string
	// Value is any JSON value.
	Value json.RawMessage
	Tags  []string
}

// VariableTx reads and writes variables.
type VariableTx interface {
	// InsertVariable stores a new variable; the name must be free.
	InsertVariable(v *Variable) error
	// Variable returns the variable, or a NotFound error.
	Variable(id ID) (*Variable, error)
	// VariableByName returns the variable, or a NotFound error.
	VariableByName(name string) (*Variable, error)
	// UpdateVariable stores name, value and tags of an existing variable.
	UpdateVariable(v *Variable) error
	// DeleteVariable removes the variable and reports whether it existed.
	DeleteVariable(id ID) (bool, error)
	// FilterVariables lists variables.
	FilterVariables(q Query) ([]*Variable, error)
	// CountVariables counts variables; sort, limit and offset do not matter.
	CountVariables(q Query) (int, error)
}
