package core

import (
	"encoding/json"
	"time"
)

// StateType is the kind of state a run is in; rules look at it, names are for people.
type StateType string

// The state types.
const (
	Scheduled  StateType = "SCHEDULED"
	Pending    StateType = "PENDING"
	Running    StateType = "RUNNING"
	Completed  StateType = "COMPLETED"
	Failed     StateType = "FAILED"
	Cancelled  StateType = "CANCELLED"
	Crashed    StateType = "CRASHED"
	Paused     StateType = "PAUSED"
	Cancelling StateType = "CANCELLING"
)

// StateTypes lists every state type in the order in which a run usually meets them.
func StateTypes() []StateType {
	return []StateType{Scheduled, Pending, Running, Completed, Failed, Cancelled, Crashed, Paused, Cancelling}
}

// Valid reports whether t is one of the state types.
func (t StateType) Valid() bool { return t.DefaultName() != "" }

// Terminal reports whether a run in a state of this type has ended.
func (t StateType) Terminal() bool {
	switch t {
	case Completed, Failed, Cancelled, Crashed:
		return true
	case Scheduled, Pending, Running, Paused, Cancelling:
		return false
	}
	return false
}

// DefaultName is the name of a state of this type when none is given.
func (t StateType) DefaultName() string {
	switch t {
	case Scheduled:
		return "Scheduled"
	case Pending:
		return "Pending"
	case Running:
		return "Running"
	case Completed:
		return "Completed"
	case Failed:
		return "Failed"
	case Cancelled:
		return "Cancelled"
	case Crashed:
		return "Crashed"
	case Paused:
		return "Paused"
	case Cancelling:
		return "Cancelling"
	}
	return ""
}

// Names of states that rules and services know beyond the default ones.
const (
	NameLate                    = "Late"
	NameAwaitingRetry           = "AwaitingRetry"
	NameAwaitingConcurrencySlot = "AwaitingConcurrencySlot"
	NameResuming                = "Resuming"
	NameRetrying                = "Retrying"
	NameSuspended               = "Suspended"
	NameSkipped                 = "Skipped"
)

// State is one state of a run. A run's states are kept; the last one is the
// run's current state.
type State struct {
	ID        ID
	Type      StateType
	Name      string
	Timestamp time.Time
	Message   *string
	// Data is the client's own record of the result, kept as it came; nil for none.
	Data    json.RawMessage
	Details StateDetails
}

// NewState is a state of the type with the type's own name, not yet one of a run.
func NewState(kind StateType, message *string) State {
	return State{Type: kind, Name: kind.DefaultName(), Message: message}
}

// StateDetails is what a state says beyond its type and name. The JSON form is
// the stored one; absent keys are unset.
type StateDetails struct {
	FlowRunID         *ID        `json:"flow_run_id,omitempty"`
	TaskRunID         *ID        `json:"task_run_id,omitempty"`
	ChildFlowRunID    *ID        `json:"child_flow_run_id,omitempty"`
	ScheduledTime     *time.Time `json:"scheduled_time,omitempty"`
	CacheKey          *string    `json:"cache_key,omitempty"`
	CacheExpiration   *time.Time `json:"cache_expiration,omitempty"`
	Deferred          *bool      `json:"deferred,omitempty"`
	UntrackableResult bool       `json:"untrackable_result,omitempty"`
	PauseTimeout      *time.Time `json:"pause_timeout,omitempty"`
	PauseReschedule   bool       `json:"pause_reschedule,omitempty"`
	PauseKey          *string    `json:"pause_key,omitempty"`
	// RunInputKeyset maps the names of a pause's input keys, as the client chose them.
	RunInputKeyset   json.RawMessage `json:"run_input_keyset,omitempty"`
	RefreshCache     *bool           `json:"refresh_cache,omitempty"`
	Retriable        *bool           `json:"retriable,omitempty"`
	TransitionID     *ID             `json:"transition_id,omitempty"`
	TaskParametersID *ID             `json:"task_parameters_id,omitempty"`
	Traceparent      *string         `json:"traceparent,omitempty"`
	// DeploymentConcurrencyLeaseID is the lease by which the run holds a slot of its deployment's limit.
	DeploymentConcurrencyLeaseID *ID `json:"deployment_concurrency_lease_id,omitempty"`
}

// Is reports whether s is of type t; a nil state is of no type.
func (s *State) Is(t StateType) bool { return s != nil && s.Type == t }
