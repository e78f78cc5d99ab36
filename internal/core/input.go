package core

import "time"

// FlowRunInput is a value that was sent to a flow run.
type FlowRunInput struct {
	ID        ID
	Created   time.Time
	Updated   time.Time
	FlowRunID ID
	Key       string
	Value     string
	// Sender names who sent it, such as "prefect.flow-run.{id}"; nil for nobody known.
	Sender *string
}

// FlowRunInputTx reads and writes the inputs of flow runs.
type FlowRunInputTx interface {
	// InsertFlowRunInput stores a new input; the run's key must be free.
	InsertFlowRunInput(in *FlowRunInput) error
	// FlowRunInput returns the input, or a NotFound error.
	FlowRunInput(runID ID, key string) (*FlowRunInput, error)
	// FlowRunInputs lists at most limit inputs whose key has the prefix and is
	// none of the excluded, the oldest first.
	FlowRunInputs(runID ID, prefix string, exclude []string, limit int) ([]*FlowRunInput, error)
	// DeleteFlowRunInput removes the input and reports whether it existed.
	DeleteFlowRunInput(runID ID, key string) (bool, error)
}
