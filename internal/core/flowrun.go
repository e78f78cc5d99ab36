package core

import (
	"encoding/json"
	"time"
)

// FlowRun is one run of a flow. Its current state lies in the same row, so
// that a transition reads one row only.
type FlowRun struct {
	ID      ID
	Created time.Time
	Updated time.Time
	Name    string
	FlowID  ID
	// FlowName is the flow's name, which never changes.
	FlowName                 string
	DeploymentID             *ID
	DeploymentVersion        *string
	WorkQueueID              *ID
	QueueName                *string // the queue that the run or its deployment named, there or not
	FlowVersion              *string
	Parameters               json.RawMessage
	IdempotencyKey           *string
	Context                  json.RawMessage
	Policy                   RunPolicy
	Tags                     []string
	Labels                   json.RawMessage
	JobVariables             json.RawMessage
	CreatedBy                json.RawMessage
	ParentTaskRunID          *ID
	AutoScheduled            bool
	ScheduleID               *ID // the schedule that made it, or nil
	InfrastructureDocumentID *ID
	InfrastructurePID        *string
	RunCount                 int
	ExpectedStartTime        *time.Time
	NextScheduledStartTime   *time.Time
	StartTime                *time.Time
	EndTime                  *time.Time
	// ClaimedBy is the worker that claimed the run last; nil when none said so.
	ClaimedBy *string
	// TotalRunTime is the time spent in Running states that have ended.
	TotalRunTime time.Duration
	// State is nil only for a run made without one.
	State *State

	// What comes with a run when it is read, and is not stored with it.
	FlowTags       []string
	DeploymentName *string // nil for a run whose deployment is gone
	DeploymentTags []string
	WorkQueueName  *string
	WorkPoolID     *ID
	WorkPoolName   *string
	WorkPoolType   *string
	// ConcurrencyLimitID is the limit that the deployment's runs share.
	ConcurrencyLimitID *ID
	// ConcurrencyOptions is a JSON object or nil.
	ConcurrencyOptions json.RawMessage
}

// RunPolicy is a run's empirical policy: what the client asked for about
// retries, and what the rules remember about pauses.
type RunPolicy struct {
	MaxRetries        int     `json:"max_retries"`
	RetryDelaySeconds float64 `json:"retry_delay_seconds"`
	Retries           *int    `json:"retries"`
	// RetryDelay is a number of seconds, a list with one for each retry, or null.
	RetryDelay json.RawMessage `json:"retry_delay"`
	PauseKeys  []string        `json:"pause_keys"`
	// NullPauseKeys tells that a client gave null for pause keys, where nil is an empty set else.
	NullPauseKeys     bool     `json:"null_pause_keys,omitempty"`
	Resuming          *bool    `json:"resuming"`
	RetryType         *string  `json:"retry_type"`
	RetryJitterFactor *float64 `json:"retry_jitter_factor,omitempty"`
}

// Delay returns how many seconds to wait before the retry with the number, from 1.
func (p RunPolicy) Delay(retry int) float64 {
	var one float64
	if len(p.RetryDelay) == 0 || json.Unmarshal(p.RetryDelay, &one) == nil {
		return one
	}
	var each []float64
	if json.Unmarshal(p.RetryDelay, &each) != nil || len(each) == 0 {
		return 0
	}
	return each[min(max(retry, 1), len(each))-1]
}

// FlowRunTx reads and writes flow runs and their states.
type FlowRunTx interface {
	// InsertFlowRun stores a new run and, when it has one, its state.
	InsertFlowRun(r *FlowRun) error
	// FlowRun returns the run, or a NotFound error. In Update the row is locked.
	FlowRun(id ID) (*FlowRun, error)
	// FlowRunByIdempotencyKey returns the flow's run with the key, or a NotFound error.
	FlowRunByIdempotencyKey(flowID ID, key string) (*FlowRun, error)
	// FlowRunByParentTask returns the subflow run of a task run, or a NotFound error.
	FlowRunByParentTask(taskRunID ID) (*FlowRun, error)
	// UpdateFlowRun stores all that may change in a run, its state not included.
	UpdateFlowRun(r *FlowRun) error
	// SetFlowRunState appends r.State and stores the run with it. The caller has
	// read the run in the same transaction; was are its times as they were then.
	SetFlowRunState(r *FlowRun, was RunTimes) error
	// FlowRunStates lists a run's states from the oldest to the newest.
	FlowRunStates(runID ID) ([]*State, error)
	// FlowRunState returns one state by its id, or a NotFound error.
	FlowRunState(stateID ID) (*State, error)
	// DeleteFlowRun removes the run with its states, logs and task runs, and reports whether it existed.
	DeleteFlowRun(id ID) (bool, error)
	// FilterFlowRuns lists runs.
	FilterFlowRuns(q Query) ([]*FlowRun, error)
	// CountFlowRuns counts runs; sort, limit and offset do not matter.
	CountFlowRuns(q Query) (int, error)
	// LateFlowRuns lists at most limit runs that are Scheduled (by name) and were due before the time.
	LateFlowRuns(before time.Time, limit int) ([]ID, error)
	// OrphanedFlowRuns lists at most limit subflow runs that have not ended and
	// whose parent's flow run is Cancelled.
	OrphanedFlowRuns(limit int) ([]ID, error)
	// ExpiredPauses lists at most limit Paused runs whose pause timeout is over.
	ExpiredPauses(now time.Time, limit int) ([]ID, error)
	// StaleFlowRuns lists at most limit runs in a state of the type that nothing
	// was heard of since the time.
	StaleFlowRuns(t StateType, since time.Time, limit int) ([]StaleRun, error)
	// StaleFlowRun returns what is known of one run's signs of life, or a NotFound error.
	StaleFlowRun(id ID) (StaleRun, error)
	// TouchFlowRuns records that the runs showed a sign of life.
	TouchFlowRuns(beats []Heartbeat) error
	// LoseFlowRun records that the run's connection ended without a word.
	LoseFlowRun(id ID, at time.Time) error
}

// RunTimes are the times of a run by which runs are found.
type RunTimes struct {
	Expected, Start, End *time.Time
}

// Times returns the run's times.
func (r *FlowRun) Times() RunTimes { return RunTimes{r.ExpectedStartTime, r.StartTime, r.EndTime} }

// Heartbeat is a sign of life of a flow run.
type Heartbeat struct {
	FlowRunID ID
	// At is when the server received it.
	At time.Time
	// Beat tells a heartbeat proper from other signs (an event, a log): only
	// those show the run's rhythm.
	Beat bool
}

// StaleRun is a run that has been silent.
type StaleRun struct {
	ID ID
	// Since is the time of its current state.
	Since time.Time
	// LastBeat is when its last heartbeat came; nil when it never sent one.
	LastBeat *time.Time
	// LastSeen is when any sign of life came last; nil when none came.
	LastSeen *time.Time
	// Lost is when its connection ended without a word; nil when it did not.
	Lost *time.Time
	// Rhythm is the longest time seen between two of its heartbeats; 0 when fewer than two came.
	Rhythm time.Duration
}
