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
	// ClaimTaskRun takes the background task run that waits longest for one of
	// the tasks and keeps others off it until the time; NotFound when none waits.
	ClaimTaskRun(taskKeys []string, now, until time.Time) (*TaskRun, error)
	// AbandonedTaskRuns lists at most limit task runs that have not ended though
	// their flow run was cancelled since the time.
	AbandonedTaskRuns(since time.Time, limit int) ([]ID, error)
	// TaskRunWaits reports whether ClaimTaskRun would find a run.
	TaskRunWaits(taskKeys []string, now time.Time) (bool, error)
	// CacheTaskState keeps a Completed state under a cache key.
	CacheTaskState(key string, s *State) error
	// CachedTaskState returns the newest state under the key that has not
	// expired by now, or a NotFound error.
	CachedTaskState(key string, now time.Time) (*State, error)
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

// EstimatedRunTime is a run's time in Running states, the current one included.
func EstimatedRunTime(total time.Duration, s *State, now time.Time) time.Duration {
	if s.Is(Running) {
		return total + max(0, now.Sub(s.Timestamp))
	}
	return total
}

// EstimatedLateness is how long after its time a run started, or has been
// waiting when it should have started.
func EstimatedLateness(expected, start *time.Time, s *State, now time.Time) time.Duration {
	switch {
	case expected == nil:
		return 0
	case start != nil:
		return max(0, start.Sub(*expected))
	case s != nil && s.Type.Terminal():
		return 0
	}
	return max(0, now.Sub(*expected))
}
