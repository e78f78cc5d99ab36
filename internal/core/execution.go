package core

import (
	"encoding/json"
	"time"
)

// Execution is what the States Language adds to a flow run: an execution of a
// state machine. The run has the same id; its parameters are the input.
type Execution struct {
	RunID ID
	// ARN names the execution to clients; Name is its last part.
	ARN, Name string
	MachineID ID
	// MachineARN is the machine's own, with "/label" for one of a map run.
	MachineARN string
	RevisionID ID
	// VersionARN and AliasARN are what was started, when it was not the machine itself.
	VersionARN, AliasARN *string
	Express              bool
	// Status is RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED or PENDING_REDRIVE.
	Status  string
	Started time.Time
	Stopped *time.Time
	Input   string
	// Output is nil unless it succeeded.
	Output, Error, Cause *string
	// Events is the length of the history.
	Events int64
	// Version counts the changes: who changes the execution names the one he saw.
	Version  int64
	Redrives int
	Redriven *time.Time
	// MapRunID and Item are of an execution that a distributed Map state made.
	MapRunID *ID
	// Item is -1-n when another execution took its place for item n.
	Item int
	// TraceHeader came with the start.
	TraceHeader *string
	// Seed makes its chances its own.
	Seed int64
}

// PendingRedrive is the status of an execution that its map run will redrive.
const PendingRedrive = "PENDING_REDRIVE"

// ExecutionChange is what one step of an execution writes.
type ExecutionChange struct {
	// Execution has the new values; Version is the one that was seen.
	Execution *Execution
	// Events is the JSON array of the events from First to Last; empty for none.
	Events      string
	First, Last int64
	// Pieces that changed; nil stands for one that is gone.
	Pieces map[string][]byte
	// Insert and Delete are actions by their keys.
	Insert []*ExecutionAction
	Delete []int64
	// Stop are the keys of actions that nobody waits for any more: those that
	// have begun a job become ActionStop, due at once, the others go.
	Stop []int64
	Due  time.Time
	// Clean removes all pieces and actions but ActionStop: the execution has ended well.
	Clean bool
}

// The kinds of actions.
const (
	// ActionGo: the execution has more to do by itself.
	ActionGo = "go"
	// ActionStop: a job to stop, of an action that nobody waits for any more.
	ActionStop = "stop"
	// ActionControl: somebody wants the run cancelled, or tried again.
	ActionControl = "control"
	// ActionTokens keeps the client tokens of redrives; nothing is to be done.
	ActionTokens = "tokens"
	// ActionTimer: a time to wait for.
	ActionTimer = "timer"
	// ActionTask: a call to a service, a job that it runs, or a token that comes back.
	ActionTask = "task"
	// ActionActivity: work that a worker of the activity fetches.
	ActionActivity = "activity"
	// ActionMapRun: executions of their own for the items of a Map state.
	ActionMapRun = "map_run"
)

// ExecutionAction is something that an execution waits for.
type ExecutionAction struct {
	RunID ID
	Key   int64
	Kind  string
	// Due is when somebody must look at it; nil for when nobody need.
	Due *time.Time
	// Owner is the replica that has it in hand until Due; "" for none.
	Owner string
	// Resource is the activity's ARN, while its task is to be fetched.
	Resource string
	// Spec is what is to be done, as JSON; Watch is the job that was begun, nil before.
	Spec, Watch json.RawMessage
	// Deadline and Beat are when it has timed out, and when the next heartbeat
	// must have come; nil for never.
	Deadline, Beat *time.Time
	Created        time.Time
	// Workspace is filled when actions of all workspaces are read.
	Workspace WorkspaceID
}

// Next is when somebody must look at the action: at its deadline, when its next
// heartbeat must have come, or at one of the other times; nil for never.
func (a *ExecutionAction) Next(others ...*time.Time) *time.Time {
	var next *time.Time
	for _, at := range append([]*time.Time{a.Deadline, a.Beat}, others...) {
		if at != nil && (next == nil || at.Before(*next)) {
			next = at
		}
	}
	return next
}

// HistoryChunk is a part of an execution's history.
type HistoryChunk struct {
	First, Last int64
	// Events is a JSON array.
	Events string
}

// ExecutionQuery asks for executions, the newest first.
type ExecutionQuery struct {
	// MachineID, VersionARN, AliasARN or MapRunID says of what.
	MachineID            *ID
	VersionARN, AliasARN *string
	MapRunID             *ID
	// Status "" is any.
	Status string
	// Redriven filters for those that were or were not; nil is any.
	Redriven *bool
	// Before is the position after which the page begins; nil is the first page.
	Before *ExecutionPosition
	Limit  int
}

// ExecutionPosition is a place in a list of executions.
type ExecutionPosition struct {
	Started time.Time
	RunID   ID
}

// MapRun is a distributed Map state at work.
type MapRun struct {
	ID ID
	// RunID and Key are the execution and the action that it is for.
	RunID ID
	Key   int64
	ARN   string
	// MachineARN is that of its executions, with "/label".
	MachineARN string
	Label      string
	// State is the name of the Map state.
	State  string
	Status string // RUNNING, SUCCEEDED, FAILED, ABORTED
	// Spec is the map run's asl.MapRun without its items, as JSON.
	Spec json.RawMessage
	MapRunCounts
	Started time.Time
	Stopped *time.Time
}

// MapRunItem is what one execution of a map run gets.
type MapRunItem struct {
	// Input is JSON; Items is the number of items in it.
	Input string
	Items int
}

// MapRunCounts is what changes in a map run while it works.
type MapRunCounts struct {
	// Known tells that the items have been read; Total is the number of
	// executions, ItemTotal of items.
	Known     bool `json:"known"`
	Total     int  `json:"total"`
	ItemTotal int  `json:"item_total"`
	// Next is the number of the next execution to start.
	Next int `json:"next"`
	// Counted lists how many executions ended how: it follows the executions.
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
	TimedOut  int `json:"timed_out"`
	Aborted   int `json:"aborted"`
	Running   int `json:"running"`
	// Items count the same by items.
	Items struct {
		Succeeded int `json:"succeeded"`
		Failed    int `json:"failed"`
		TimedOut  int `json:"timed_out"`
		Aborted   int `json:"aborted"`
		Running   int `json:"running"`
	} `json:"items"`
	// Written is the number of results that the parent has been given.
	Written     int     `json:"written"`
	Concurrency int     `json:"concurrency"`
	Count       int     `json:"tolerated_count"`
	Percentage  float64 `json:"tolerated_percentage"`
	// Pending is how many are to be redriven, PendingItems their items.
	Pending      int `json:"pending_redrive,omitempty"`
	PendingItems int `json:"pending_redrive_items,omitempty"`
	// NotRedrivable is how many did not succeed when it was redriven, and cannot be.
	NotRedrivable      int `json:"not_redrivable,omitempty"`
	NotRedrivableItems int `json:"not_redrivable_items,omitempty"`
	Redrives           int `json:"redrives"`
	// Redriven is when it was redriven last.
	Redriven *time.Time `json:"redriven,omitempty"`
}

// PendedRedrives are executions of a map run that are to be redriven.
type PendedRedrives struct {
	// Status is the one that they had.
	Status            string
	Executions, Items int
}

// ExecutionTx reads and writes executions.
type ExecutionTx interface {
	// InsertExecution stores a new execution; its flow run is stored apart.
	InsertExecution(x *Execution) error
	// Execution returns an execution by its run, or a NotFound error.
	Execution(runID ID) (*Execution, error)
	// ExecutionByARN returns an execution, or a NotFound error.
	ExecutionByARN(arn string) (*Execution, error)
	// ChangeExecution writes a step, and reports false when the execution is not
	// of the version that was seen any more: then nothing is written.
	ChangeExecution(c *ExecutionChange) (bool, error)
	// WriteExecutionStep writes the first step of an execution that was inserted
	// in the same transaction.
	WriteExecutionStep(c *ExecutionChange) error
	// ExecutionPieces returns the pieces of an execution's position.
	ExecutionPieces(runID ID) (map[string][]byte, error)
	// ExecutionHistory returns the parts of the history that hold the events from
	// the first to the last number, in order.
	ExecutionHistory(runID ID, first, last int64) ([]HistoryChunk, error)
	// ListExecutions lists executions.
	ListExecutions(q ExecutionQuery) ([]*Execution, error)
	// RunningExecutions reports whether any of the machine's executions runs.
	RunningExecutions(machineID ID) (bool, error)
	// ExecutionAction returns an action, or a NotFound error. In Update it is locked.
	ExecutionAction(runID ID, key int64) (*ExecutionAction, error)
	// UpdateExecutionAction stores all that may change in an action.
	UpdateExecutionAction(a *ExecutionAction) error
	// ActivityTask takes the oldest task of an activity that nobody has fetched,
	// or returns a NotFound error.
	ActivityTask(resource string) (*ExecutionAction, error)
	MapRunTx
}

// MapRunTx reads and writes map runs.
type MapRunTx interface {
	// InsertMapRun stores a new map run.
	InsertMapRun(m *MapRun) error
	// MapRun returns a map run, or a NotFound error. In Update it is locked.
	MapRun(id ID) (*MapRun, error)
	// MapRunByARN returns a map run, or a NotFound error.
	MapRunByARN(arn string) (*MapRun, error)
	// MapRunOf returns the map run of an action, or a NotFound error.
	MapRunOf(runID ID, key int64) (*MapRun, error)
	// UpdateMapRun stores all that may change in a map run.
	UpdateMapRun(m *MapRun) error
	// InsertMapRunItems stores what the executions with the numbers from the given
	// one on get; those that are there stay.
	InsertMapRunItems(id ID, from int, items []MapRunItem) error
	// MapRunItem returns what one execution gets, or a NotFound error.
	MapRunItem(id ID, number int) (MapRunItem, error)
	// PendRedrives makes PENDING_REDRIVE the executions of a map run that did not
	// succeed, have fewer events and stopped later, and counts them by the status
	// that they had. Express ones have no events to count.
	PendRedrives(id ID, events int64, since time.Time) ([]PendedRedrives, error)
	// ReplaceMapRunExecution notes that another execution takes the place of one
	// that was PENDING_REDRIVE, which has the status again that it had.
	ReplaceMapRunExecution(runID ID, status string, item int) error
	// MapRunResults lists the executions of a map run by their numbers, without
	// those that others took the place of.
	MapRunResults(id ID) ([]*Execution, error)
	// ListMapRuns lists an execution's map runs, the newest first.
	ListMapRuns(runID ID, before *ExecutionPosition, limit int) ([]*MapRun, error)
}

// ExecutionType is STANDARD or EXPRESS: of the executions that the map run makes.
func (m *MapRun) ExecutionType() string {
	var spec struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(m.Spec, &spec) != nil || spec.Type == "" {
		return string(StandardMachine)
	}
	return spec.Type
}
