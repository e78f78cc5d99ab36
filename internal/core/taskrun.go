package core

import (
	"encoding/json"
	"time"
)

// TaskRun is one run of a task, within a flow run or by itself.
type TaskRun struct {
	ID                ID
	Created           time.Time
	Updated           time.Time
	Name              string
	FlowRunID         *ID
	TaskKey           string
	DynamicKey        string
	CacheKey          *string
	CacheExpiration   *time.Time
	TaskVersion       *string
	Policy            RunPolicy
	Tags              []string
	Labels            json.RawMessage
	TaskInputs        json.RawMessage
	RunCount          int
	FlowRunRunCount   int
	ExpectedStartTime *time.Time
	// NextScheduledStartTime is when a waiting run may start.
	NextScheduledStartTime *time.Time
	StartTime              *time.Time
	EndTime                *time.Time
	TotalRunTime           time.Duration
	State                  *State
}

// TaskRunTx reads and writes task runs and their states.
type TaskRunTx interface {
	// InsertTaskRun stores a new run and, when it has one, its state.
	InsertTaskRun(r *TaskRun) error
	// TaskRun returns the run, or a NotFound error. In Update the row is locked.
	TaskRun(id ID) (*TaskRun, error)
	// TaskRunByKey finds a run by what the client calls it, or returns a NotFound error.
	TaskRunByKey(flowRunID *ID, taskKey, dynamicKey string) (*TaskRun, error)
	// UpdateTaskRun stores all that may change in a run, its state not included.
	UpdateTaskRun(r *TaskRun) error
	// SetTaskRunState appends r.State and stores the run with it.
	SetTaskRunState(r *TaskRun) error
	// RecordTaskRuns stores states that clients announced by events: states that
	// are there already are left alone, and a run shows the state with the
	// latest timestamp, whatever the order of arrival.
	RecordTaskRuns(runs []*TaskRun) error
	// TaskRunStates lists a run's states from the oldest to the newest.
	TaskRunStates(runID ID) ([]*State, error)
	// TaskRunState returns one state by its id, or a NotFound error.
	TaskRunState(stateID ID) (*State, error)
	// DeleteTaskRun removes the run with its states and logs, and reports whether it existed.
	DeleteTaskRun(id ID) (bool, error)
	// FilterTaskRuns lists runs.
	FilterTaskRuns(q Query) ([]*TaskRun, error)
	// CountTaskRuns counts runs; sort, limit and offset do not matter.
	CountTaskRuns(q Query) (int, error)
}
