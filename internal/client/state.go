package client

import (
	"encoding/json"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// State is a state of a run as the API shows it. Prefect REST: State.
type State struct {
	ID        core.ID         `json:"id"`
	Type      core.StateType  `json:"type"`
	Name      string          `json:"name"`
	Timestamp wire.Time       `json:"timestamp"`
	Message   *string         `json:"message"`
	Data      json.RawMessage `json:"data"`
	Details   StateDetails    `json:"state_details"`
}

// StateDetails is what a state says beyond its type and name. Prefect REST: StateDetails.
type StateDetails struct {
	FlowRunID                    *core.ID       `json:"flow_run_id"`
	TaskRunID                    *core.ID       `json:"task_run_id"`
	ChildFlowRunID               *core.ID       `json:"child_flow_run_id"`
	ScheduledTime                *wire.Time     `json:"scheduled_time"`
	CacheKey                     *string        `json:"cache_key"`
	CacheExpiration              *wire.Time     `json:"cache_expiration"`
	Deferred                     wire.Opt[bool] `json:"deferred"`
	UntrackableResult            bool           `json:"untrackable_result"`
	PauseTimeout                 *wire.Time     `json:"pause_timeout"`
	PauseReschedule              bool           `json:"pause_reschedule"`
	PauseKey                     *string        `json:"pause_key"`
	RunInputKeyset               Texts          `json:"run_input_keyset"`
	RefreshCache                 *bool          `json:"refresh_cache"`
	Retriable                    *bool          `json:"retriable"`
	TransitionID                 *core.ID       `json:"transition_id"`
	TaskParametersID             *core.ID       `json:"task_parameters_id"`
	Traceparent                  *string        `json:"traceparent"`
	DeploymentConcurrencyLeaseID *core.ID       `json:"deployment_concurrency_lease_id"`
}

// StateCreate is a state that a client proposes. Prefect REST: StateCreate.
type StateCreate struct {
	_       struct{}        `wire:"forbid"`
	Type    core.StateType  `json:"type" wire:"required"`
	Name    *string         `json:"name"`
	Message *string         `json:"message"`
	Data    json.RawMessage `json:"data"`
	Details StateDetails    `json:"state_details,omitzero"`
}

// Core returns the proposed state; the engine gives it its id and time.
func (s *StateCreate) Core() core.State {
	out := core.NewState(s.Type, s.Message)
	out.Data, out.Details = notNull(s.Data), s.Details.Core()
	if s.Name != nil {
		out.Name = *s.Name
	}
	return out
}

// notNull drops a null, so that it is stored as none.
func notNull(raw json.RawMessage) json.RawMessage {
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// Core returns the details as the domain keeps them.
func (d *StateDetails) Core() core.StateDetails {
	deferred := d.Deferred.Ptr()
	if !d.Deferred.Set {
		deferred = new(bool)
	}
	return core.StateDetails{
		FlowRunID: d.FlowRunID, TaskRunID: d.TaskRunID, ChildFlowRunID: d.ChildFlowRunID, ScheduledTime: d.ScheduledTime.Ptr(),
		CacheKey: d.CacheKey, CacheExpiration: d.CacheExpiration.Ptr(), Deferred: deferred, UntrackableResult: d.UntrackableResult,
		PauseTimeout: d.PauseTimeout.Ptr(), PauseReschedule: d.PauseReschedule, PauseKey: d.PauseKey,
		RunInputKeyset: notNull(json.RawMessage(d.RunInputKeyset)), RefreshCache: d.RefreshCache, Retriable: d.Retriable, TransitionID: d.TransitionID,
		TaskParametersID: d.TaskParametersID, Traceparent: d.Traceparent, DeploymentConcurrencyLeaseID: d.DeploymentConcurrencyLeaseID,
	}
}

// StateOf shows a state, nil for none.
func StateOf(s *core.State) *State {
	if s == nil {
		return nil
	}
	d := s.Details
	deferred := wire.Null[bool]()
	if d.Deferred != nil {
		deferred = wire.Some(*d.Deferred)
	}
	return &State{
		ID: s.ID, Type: s.Type, Name: s.Name, Timestamp: wire.FromTime(s.Timestamp), Message: s.Message, Data: s.Data,
		Details: StateDetails{
			FlowRunID: d.FlowRunID, TaskRunID: d.TaskRunID, ChildFlowRunID: d.ChildFlowRunID, ScheduledTime: wire.FromTimePtr(d.ScheduledTime),
			CacheKey: d.CacheKey, CacheExpiration: wire.FromTimePtr(d.CacheExpiration), Deferred: deferred, UntrackableResult: d.UntrackableResult,
			PauseTimeout: wire.FromTimePtr(d.PauseTimeout), PauseReschedule: d.PauseReschedule, PauseKey: d.PauseKey,
			RunInputKeyset: Texts(d.RunInputKeyset), RefreshCache: d.RefreshCache, Retriable: d.Retriable, TransitionID: d.TransitionID,
			TaskParametersID: d.TaskParametersID, Traceparent: d.Traceparent, DeploymentConcurrencyLeaseID: d.DeploymentConcurrencyLeaseID,
		},
	}
}

// SetState is the body of POST …/set_state.
type SetState struct {
	_     struct{}    `wire:"embed"`
	State StateCreate `json:"state" wire:"required"`
	Force bool        `json:"force"`
}

// Orchestration answers a proposed state. Prefect REST: OrchestrationResult.
type Orchestration struct {
	State   *State         `json:"state"`
	Status  SetStateStatus `json:"status"`
	Details map[string]any `json:"details"`
	status  int
}

// SetStateStatus is what became of a proposed state.
type SetStateStatus string

// Enum lists the values.
func (SetStateStatus) Enum() []string { return []string{"ACCEPT", "REJECT", "ABORT", "WAIT"} }

// StatusCode implements api.StatusCoder: 201 when a state was written, 200 when not.
func (o Orchestration) StatusCode() int { return o.status }

// OrchestrationOf shows an answer; code is its HTTP status.
func OrchestrationOf(state *core.State, status, reason string, delay, code int) Orchestration {
	o := Orchestration{State: StateOf(state), Status: SetStateStatus(status), status: code}
	switch status {
	case "ACCEPT":
		o.Details = map[string]any{"type": "accept_details"}
	case "WAIT":
		o.Details = map[string]any{"type": "wait_details", "delay_seconds": delay, "reason": reason}
	case "REJECT":
		o.Details = map[string]any{"type": "reject_details", "reason": reason}
	default:
		o.Details = map[string]any{"type": "abort_details", "reason": reason}
	}
	return o
}
