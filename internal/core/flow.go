package core

import (
	"encoding/json"
	"time"
)

// Flow is a named piece of work of which runs are made.
type Flow struct {
	ID      ID
	Created time.Time
	Updated time.Time
	Name    string
	Tags    []string
	// Labels is a JSON object of scalar values.
	Labels json.RawMessage
}

// FlowTx reads and writes flows.
type FlowTx interface {
	// InsertFlow stores a new flow; the name must be free.
	InsertFlow(f *Flow) error
	// Flow returns the flow, or a NotFound error.
	Flow(id ID) (*Flow, error)
	// FlowByName returns the flow, or a NotFound error.
	FlowByName(name string) (*Flow, error)
	// UpdateFlow stores tags and labels of an existing flow.
	UpdateFlow(f *Flow) error
	// DeleteFlow removes the flow with its deployments and runs, and reports whether it existed.
	DeleteFlow(id ID) (bool, error)
	// FilterFlows lists flows.
	FilterFlows(q Query) ([]*Flow, error)
	// CountFlows counts flows; sort, limit and offset do not matter.
	CountFlows(q Query) (int, error)
}
