package client

import (
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// FlowRun is a flow run as the API shows it. Prefect REST: FlowRunResponse.
type FlowRun struct {
	ID                       core.ID             `json:"id"`
	Created                  wire.Time           `json:"created"`
	Updated                  wire.Time           `json:"updated"`
	Name                     string              `json:"name"`
	FlowID                   core.ID             `json:"flow_id"`
	StateID                  *core.ID            `json:"state_id"`
	DeploymentID             *core.ID            `json:"deployment_id"`
	DeploymentVersion        *string             `json:"deployment_version"`
	WorkQueueID              *core.ID            `json:"work_queue_id"`
	WorkQueueName            *string             `json:"work_queue_name"`
	FlowVersion              *string             `json:"flow_version"`
	Parameters               json.RawMessage     `json:"parameters" wire:"object"`
	IdempotencyKey           *string             `json:"idempotency_key"`
	Context                  json.RawMessage     `json:"context" wire:"object"`
	Policy                   FlowRunPolicy       `json:"empirical_policy"`
	Tags                     []string            `json:"tags"`
	Labels                   wire.Labels         `json:"labels"`
	ParentTaskRunID          *core.ID            `json:"parent_task_run_id"`
	StateType                *core.StateType     `json:"state_type"`
	StateName                *string             `json:"state_name"`
	RunCount                 int                 `json:"run_count"`
	ExpectedStartTime        *wire.Time          `json:"expected_start_time"`
	NextScheduledStartTime   *wire.Time          `json:"next_scheduled_start_time"`
	StartTime                *wire.Time          `json:"start_time"`
	EndTime                  *wire.Time          `json:"end_time"`
	TotalRunTime             wire.Float          `json:"total_run_time"`
	EstimatedRunTime         wire.Float          `json:"estimated_run_time"`
	EstimatedStartTimeDelta  wire.Float          `json:"estimated_start_time_delta"`
	AutoScheduled            bool                `json:"auto_scheduled"`
	InfrastructureDocumentID *core.ID            `json:"infrastructure_document_id"`
	InfrastructurePID        *string             `json:"infrastructure_pid"`
	CreatedBy                wire.JSON[*Creator] `json:"created_by"`
	WorkPoolID               *core.ID            `json:"work_pool_id"`
	WorkPoolName             *string             `json:"work_pool_name"`
	State                    *State              `json:"state"`
	JobVariables             json.RawMessage     `json:"job_variables" wire:"object,nullable"`
}

// FlowRunPolicy is a flow run's empirical policy. Prefect REST: FlowRunPolicy.
type FlowRunPolicy struct {
	MaxRetries        int                 `json:"max_retries"`
	RetryDelaySeconds wire.Float          `json:"retry_delay_seconds"`
	Retries           *int                `json:"retries"`
	RetryDelay        *int                `json:"retry_delay"`
	PauseKeys         wire.Opt[PauseKeys] `json:"pause_keys"`
	Resuming          wire.Opt[bool]      `json:"resuming"`
	RetryType         *RetryType          `json:"retry_type"`
}

// PauseKeys are the keys of the pauses that a run has seen: a set.
type PauseKeys []string

// Set tells wire how the reference declares the type.
func (PauseKeys) Set() {}

// flowRunPolicy is FlowRunPolicy without its check of the whole.
type flowRunPolicy FlowRunPolicy

// DecodeWire reads the policy. The old names stand for the new ones; a pause is
// observed once.
func (p *FlowRunPolicy) DecodeWire(raw json.RawMessage) []wire.FieldError {
	if len(raw) == 0 || raw[0] != '{' {
		return []wire.FieldError{{
			Type: "model_attributes_type", Msg: "Input should be a valid dictionary or object to extract fields from", Input: raw,
		}}
	}
	raw = withRetries(raw)
	errs := wire.FieldErrors(wire.Decode(raw, (*flowRunPolicy)(p)), raw)
	slices.Sort(p.PauseKeys.Value)
	p.PauseKeys.Value = slices.Compact(p.PauseKeys.Value)
	return errs
}

// WireSchema implements wire's interface for types that describe themselves.
func (*FlowRunPolicy) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return of(reflect.TypeFor[flowRunPolicy]())
}

// Core returns the policy as the domain keeps it.
func (p FlowRunPolicy) Core() core.RunPolicy {
	out := core.RunPolicy{
		MaxRetries: p.MaxRetries, RetryDelaySeconds: float64(p.RetryDelaySeconds), Retries: p.Retries,
		PauseKeys: p.PauseKeys.Value, NullPauseKeys: p.PauseKeys.Null,
		Resuming: p.Resuming.Ptr(), RetryType: (*string)(p.RetryType),
	}
	if !p.Resuming.Set {
		out.Resuming = new(bool)
	}
	if p.RetryDelay != nil {
		out.RetryDelay = mustJSON(*p.RetryDelay)
	}
	return out
}

// mustJSON marshals a value that always can be.
func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func flowRunPolicyOf(p core.RunPolicy) FlowRunPolicy {
	out := FlowRunPolicy{
		MaxRetries: p.MaxRetries, RetryDelaySeconds: wire.Float(p.RetryDelaySeconds), Retries: p.Retries,
		PauseKeys: wire.Some(PauseKeys(NotNil(p.PauseKeys))),
		Resuming:  wire.Null[bool](), RetryType: (*RetryType)(p.RetryType),
	}
	if p.PauseKeys == nil && p.NullPauseKeys {
		out.PauseKeys = wire.Null[PauseKeys]()
	}
	if p.Resuming != nil {
		out.Resuming = wire.Some(*p.Resuming)
	}
	if len(p.RetryDelay) > 0 && string(p.RetryDelay) != "null" {
		delay := int(p.Delay(1))
		out.RetryDelay = &delay
	}
	return out
}

// FlowRunOf shows a run; what is estimated is so for the time now.
func FlowRunOf(r *core.FlowRun, now time.Time) FlowRun {
	out := FlowRun{
		ID: r.ID, Created: wire.FromTime(r.Created), Updated: wire.FromTime(r.Updated), Name: r.Name, FlowID: r.FlowID,
		DeploymentID: r.DeploymentID, DeploymentVersion: r.DeploymentVersion, WorkQueueID: r.WorkQueueID, WorkQueueName: r.WorkQueueName,
		FlowVersion: r.FlowVersion, Parameters: orEmpty(r.Parameters), IdempotencyKey: r.IdempotencyKey, Context: orEmpty(r.Context),
		Policy: flowRunPolicyOf(r.Policy), Tags: NotNil(r.Tags), Labels: wire.Labels(r.Labels), ParentTaskRunID: r.ParentTaskRunID,
		RunCount: r.RunCount, ExpectedStartTime: wire.FromTimePtr(r.ExpectedStartTime),
		NextScheduledStartTime: wire.FromTimePtr(r.NextScheduledStartTime), StartTime: wire.FromTimePtr(r.StartTime),
		EndTime: wire.FromTimePtr(r.EndTime), TotalRunTime: seconds(r.TotalRunTime),
		AutoScheduled: r.AutoScheduled, InfrastructureDocumentID: r.InfrastructureDocumentID, InfrastructurePID: r.InfrastructurePID,
		CreatedBy: wire.JSON[*Creator](r.CreatedBy), WorkPoolID: r.WorkPoolID, WorkPoolName: r.WorkPoolName, State: StateOf(r.State),
		JobVariables: r.JobVariables,
	}
	if out.WorkQueueName == nil {
		out.WorkQueueName = r.QueueName
	}
	if r.State != nil {
		out.StateID, out.StateType, out.StateName = &r.State.ID, &r.State.Type, &r.State.Name
	}
	out.EstimatedRunTime = seconds(core.EstimatedRunTime(r.TotalRunTime, r.State, now))
	out.EstimatedStartTimeDelta = seconds(core.EstimatedLateness(r.ExpectedStartTime, r.StartTime, r.State, now))
	return out
}

func seconds(d time.Duration) wire.Float { return wire.Float(d.Truncate(time.Microsecond).Seconds()) }

func orEmpty(raw json.RawMessage) json.RawMessage {
	if raw == nil {
		return json.RawMessage("{}")
	}
	return raw
}

// FlowRunCreate is the body of POST /flow_runs/.
type FlowRunCreate struct {
	_                        struct{}              `wire:"forbid"`
	State                    *StateCreate          `json:"state"`
	Name                     RunName               `json:"name,omitzero"`
	FlowID                   core.ID               `json:"flow_id" wire:"required"`
	FlowVersion              *string               `json:"flow_version"`
	Parameters               json.RawMessage       `json:"parameters,omitempty" wire:"object"`
	Context                  json.RawMessage       `json:"context,omitempty" wire:"object"`
	ParentTaskRunID          *core.ID              `json:"parent_task_run_id"`
	InfrastructureDocumentID *core.ID              `json:"infrastructure_document_id"`
	Policy                   FlowRunPolicy         `json:"empirical_policy,omitzero"`
	Tags                     []string              `json:"tags"`
	Labels                   wire.Opt[wire.Labels] `json:"labels,omitzero"`
	IdempotencyKey           *string               `json:"idempotency_key"`
	WorkPoolName             *string               `json:"work_pool_name"`
	WorkQueueName            *string               `json:"work_queue_name"`
	JobVariables             json.RawMessage       `json:"job_variables,omitempty" wire:"object,nullable"`
	DeploymentID             *core.ID              `json:"deployment_id"`
}

// FlowRunUpdate is the body of PATCH /flow_runs/{id}.
type FlowRunUpdate struct {
	_                 struct{}                  `wire:"forbid"`
	Name              NotNull[RunName]          `json:"name,omitzero"`
	FlowVersion       wire.Opt[string]          `json:"flow_version,omitzero"`
	Parameters        json.RawMessage           `json:"parameters,omitempty" wire:"object"`
	Policy            NotNull[FlowRunPolicy]    `json:"empirical_policy,omitzero"`
	Tags              NotNull[[]string]         `json:"tags,omitzero"`
	InfrastructurePID wire.Opt[string]          `json:"infrastructure_pid,omitzero"`
	JobVariables      wire.Opt[json.RawMessage] `json:"job_variables,omitzero" wire:"object"`
}
