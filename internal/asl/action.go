package asl

import (
	"time"

	"github.com/leat-dev/leat/internal/value"
)

// ActionKind is what others are to do for an execution.
type ActionKind string

// The kinds of actions.
const (
	// ActionTask: call the resource, then give InputSubmitted, InputSucceeded or InputFailed.
	ActionTask ActionKind = "task"
	// ActionActivity: offer the work to workers of the activity.
	ActionActivity ActionKind = "activity"
	// ActionTimer: give InputTimer at the time.
	ActionTimer ActionKind = "timer"
	// ActionMapRun: run the items as executions of their own, and give
	// InputRunStarted, then InputSucceeded or InputFailed.
	ActionMapRun ActionKind = "map_run"
)

// Action is to be performed once the step that asked for it is stored. Whoever
// performs it names its Key in the input that comes of it.
type Action struct {
	Key  int64
	Kind ActionKind
	// State is the name of the state that asks.
	State string
	// At is when a timer is over.
	At time.Time
	// Resource and Parameters are of a task or activity.
	Resource   string
	Parameters any
	// RoleARN is the role of the state's Credentials; "" for the machine's own.
	RoleARN string
	// Token is the task token in the action's parameters; "" when it has none.
	Token string
	// Timeout and Heartbeat bound the action, in seconds; 0 is no bound.
	Timeout, Heartbeat int64
	// Run is what a map run is to do.
	Run *MapRun
	// Redrive is the ARN of the map run that goes on, for the time with the number
	// Redrives; "" makes a new one.
	Redrive  string
	Redrives int
}

// MapRun says what a distributed Map is to do.
type MapRun struct {
	// Items are given, or Reader says where they are read.
	Items  []any
	Reader *Transfer
	// MaxItems bounds the items that are read; 0 does not, below 0 is an error of reading.
	MaxItems int64
	// Concurrency bounds the executions at once; 0 does not.
	Concurrency int64
	// ToleratedCount and ToleratedPercentage are how many may fail; -1 for not given.
	ToleratedCount      int64
	ToleratedPercentage float64
	// BatchInput, BatchItems and BatchBytes group items; BatchItems and BatchBytes 0 do not.
	Batch                  bool
	BatchInput             any
	BatchItems, BatchBytes int64
	Writer                 *Transfer
	ExecutionType, Label   string
}

// Transfer is how items are read or results are written.
type Transfer struct {
	Resource   string
	Parameters any
	Config     *value.Object
}

// InputKind is what has happened.
type InputKind string

// The kinds of inputs.
const (
	// InputStart begins the execution.
	InputStart InputKind = "start"
	// InputSubmitted: the service accepted a job, or a request that waits for a token.
	InputSubmitted InputKind = "submitted"
	// InputSucceeded: the action ended with Output.
	InputSucceeded InputKind = "succeeded"
	// InputFailed: the action ended with Failure.
	InputFailed InputKind = "failed"
	// InputTimer: the timer is over.
	InputTimer InputKind = "timer"
	// InputTimedOut: the action took longer than its Timeout or Heartbeat.
	InputTimedOut InputKind = "timed_out"
	// InputWorker: a worker has taken the activity's task.
	InputWorker InputKind = "worker"
	// InputRunStarted: the map run named by Text has begun.
	InputRunStarted InputKind = "run_started"
	// InputAbort ends the execution with Failure.
	InputAbort InputKind = "abort"
	// InputRedrive goes on where the execution failed.
	InputRedrive InputKind = "redrive"
)

// Input is something that happened to an execution.
type Input struct {
	Kind InputKind
	// Key is of the action that it is about.
	Key     int64
	Output  any
	Failure Failure
	// Text is the input as it was given (InputStart), a worker's name
	// (InputWorker) or a map run's ARN (InputRunStarted).
	Text string
	// ByToken: the outcome was sent with the task token, not found by who made the call.
	ByToken bool
	// StartFailed: the service could not be asked at all.
	StartFailed bool
	// VersionARN and AliasARN are what was started, when it was not the machine itself.
	VersionARN, AliasARN string
}
