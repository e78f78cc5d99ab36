package client

import (
	"encoding/json"
	"errors"
	"reflect"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/jsonschema"
	"github.com/leat-dev/leat/internal/schedule"
	"github.com/leat-dev/leat/internal/wire"
)

// Deployment is a deployment as the API shows it. Prefect REST: DeploymentResponse.
type Deployment struct {
	ID          core.ID              `json:"id"`
	Created     wire.Time            `json:"created"`
	Updated     wire.Time            `json:"updated"`
	Name        string               `json:"name"`
	Version     *string              `json:"version"`
	Description *string              `json:"description"`
	FlowID      core.ID              `json:"flow_id"`
	Paused      bool                 `json:"paused"`
	Schedules   []DeploymentSchedule `json:"schedules"`
	// ConcurrencyLimit is always null: the reference shows the limit beside it.
	ConcurrencyLimit         *int                           `json:"concurrency_limit"`
	GlobalConcurrencyLimit   *GlobalConcurrencyLimit        `json:"global_concurrency_limit"`
	ConcurrencyOptions       wire.JSON[*ConcurrencyOptions] `json:"concurrency_options"`
	JobVariables             json.RawMessage                `json:"job_variables" wire:"object"`
	Parameters               json.RawMessage                `json:"parameters" wire:"object"`
	Tags                     []string                       `json:"tags"`
	Labels                   wire.Labels                    `json:"labels"`
	WorkQueueName            *string                        `json:"work_queue_name"`
	WorkQueueID              *core.ID                       `json:"work_queue_id"`
	LastPolled               *wire.Time                     `json:"last_polled"`
	ParameterSchema          json.RawMessage                `json:"parameter_openapi_schema" wire:"object,nullable"`
	Path                     *string                        `json:"path"`
	PullSteps                wire.JSON[*[]map[string]any]   `json:"pull_steps"`
	Entrypoint               *string                        `json:"entrypoint"`
	StorageDocumentID        *core.ID                       `json:"storage_document_id"`
	InfrastructureDocumentID *core.ID                       `json:"infrastructure_document_id"`
	CreatedBy                wire.JSON[*Creator]            `json:"created_by"`
	UpdatedBy                wire.JSON[*Creator]            `json:"updated_by"`
	WorkPoolName             *string                        `json:"work_pool_name"`
	Status                   core.Readiness                 `json:"status"`
	EnforceParameterSchema   bool                           `json:"enforce_parameter_schema"`
}

// DeploymentOf shows a deployment with the limit that it uses, nil for none, as
// it stands now.
func DeploymentOf(d *core.Deployment, limit *core.ConcurrencyLimit, now time.Time) Deployment {
	out := Deployment{
		ID: d.ID, Created: wire.FromTime(d.Created), Updated: wire.FromTime(d.Updated), Name: d.Name, Version: d.Version,
		Description: d.Description, FlowID: d.FlowID, Paused: d.Paused, Schedules: []DeploymentSchedule{},
		ConcurrencyOptions: wire.JSON[*ConcurrencyOptions](d.ConcurrencyOptions), JobVariables: orEmpty(d.JobVariables), Parameters: orEmpty(d.Parameters),
		Tags: NotNil(d.Tags), Labels: wire.Labels(d.Labels), WorkQueueName: d.WorkQueueName, WorkQueueID: d.WorkQueueID,
		LastPolled: wire.FromTimePtr(d.LastPolled), ParameterSchema: d.ParameterSchema, Path: d.Path, PullSteps: wire.JSON[*[]map[string]any](d.PullSteps),
		Entrypoint: d.Entrypoint, StorageDocumentID: d.StorageDocumentID, InfrastructureDocumentID: d.InfrastructureDocumentID,
		CreatedBy: wire.JSON[*Creator](d.CreatedBy), UpdatedBy: wire.JSON[*Creator](d.UpdatedBy), WorkPoolName: d.WorkPoolName, Status: d.Status,
		EnforceParameterSchema: d.EnforceParameterSchema,
	}
	for _, s := range d.Schedules {
		out.Schedules = append(out.Schedules, DeploymentScheduleOf(s))
	}
	if limit != nil {
		shown := GlobalConcurrencyLimitOf(limit, now)
		out.GlobalConcurrencyLimit = &shown
	}
	return out
}

// DeploymentSchedule is a schedule as the API shows it. Prefect REST: DeploymentSchedule.
type DeploymentSchedule struct {
	ID               core.ID             `json:"id"`
	Created          wire.Time           `json:"created"`
	Updated          wire.Time           `json:"updated"`
	DeploymentID     core.ID             `json:"deployment_id"`
	Schedule         wire.JSON[Schedule] `json:"schedule"`
	Active           bool                `json:"active"`
	MaxScheduledRuns *int                `json:"max_scheduled_runs"`
	Parameters       json.RawMessage     `json:"parameters" wire:"object"`
	Slug             *string             `json:"slug"`
	// The policy is leat's own; what is not set is not shown, as in the reference.
	CatchupWindow *float64     `json:"catchup_window_seconds,omitempty"`
	Overlap       core.Overlap `json:"overlap,omitempty"`
	MaxWaiting    *int         `json:"max_waiting,omitempty"`
}

// DeploymentScheduleOf shows a schedule.
func DeploymentScheduleOf(s *core.DeploymentSchedule) DeploymentSchedule {
	out := DeploymentSchedule{
		ID: s.ID, Created: wire.FromTime(s.Created), Updated: wire.FromTime(s.Updated), DeploymentID: s.DeploymentID,
		Schedule: wire.JSON[Schedule](s.Schedule), Active: s.Active, MaxScheduledRuns: s.MaxScheduledRuns, Parameters: orEmpty(s.Parameters), Slug: s.Slug,
		Overlap: s.Policy.Overlap, MaxWaiting: s.Policy.MaxWaiting,
	}
	if s.Policy.CatchupWindow != nil {
		seconds := s.Policy.CatchupWindow.Seconds()
		out.CatchupWindow = &seconds
	}
	return out
}

// Creator is who made or changed something. Prefect REST: CreatedBy, UpdatedBy.
type Creator struct {
	ID           *core.ID `json:"id"`
	Type         *string  `json:"type"`
	DisplayValue *string  `json:"display_value"`
}

// VersionInfo is the version of a deployment's code as clients tell it. Prefect
// REST: VersionInfo.
type VersionInfo struct {
	Type    string `json:"type" wire:"required"`
	Version string `json:"version" wire:"required"`
}

// Schedule is an interval, cron or recurrence rule as a client sends it.
type Schedule json.RawMessage

// MarshalJSON writes the schedule as it came.
func (s Schedule) MarshalJSON() ([]byte, error) { return json.RawMessage(s).MarshalJSON() }

// UnmarshalJSON takes what Decode takes.
func (s *Schedule) UnmarshalJSON(data []byte) error { return wire.Decode(data, s) }

// DecodeWire checks the schedule; what is wrong is told for each of the three kinds.
func (s *Schedule) DecodeWire(raw json.RawMessage) []wire.FieldError {
	// Only the form is looked at here, for which the time does not matter.
	_, err := schedule.Parse(raw, time.Unix(0, 0))
	var refused *schedule.Error
	switch {
	case err == nil:
		*s = Schedule(raw)
		return nil
	case !errors.As(err, &refused):
		return []wire.FieldError{valueError(err.Error(), raw)}
	}
	var all []wire.FieldError
	for _, d := range refused.Details {
		e := wire.FieldError{Type: d.Type, Msg: d.Msg, Input: d.Input, Ctx: d.Ctx}
		for _, step := range d.Loc {
			e.Loc = append(e.Loc, step)
		}
		all = append(all, e)
	}
	return all
}

// WireSchema implements wire's interface for types that describe themselves.
func (*Schedule) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema { return scheduleSchema() }

// valueError is an error that a validator of the reference words.
func valueError(text string, input json.RawMessage) wire.FieldError {
	return wire.FieldError{
		Type: "value_error", Msg: "Value error, " + text, Input: input, Ctx: map[string]any{"error": struct{}{}},
	}
}

// RunCount is a number of runs that a schedule may have at once.
type RunCount int

// DecodeWire reads a number from 1 to 50.
func (n *RunCount) DecodeWire(raw json.RawMessage) []wire.FieldError {
	var v int
	if errs := wire.FieldErrors(wire.Decode(raw, &v), raw); len(errs) > 0 {
		return errs
	}
	switch {
	case v <= 0:
		return []wire.FieldError{{Type: "greater_than", Msg: "Input should be greater than 0", Input: raw, Ctx: map[string]any{"gt": 0}}}
	case v > 50:
		return []wire.FieldError{valueError("`max_scheduled_runs` must be less than or equal to 50.", raw)}
	}
	*n = RunCount(v)
	return nil
}

// WireSchema implements wire's interface for types that describe themselves.
func (*RunCount) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	var none float64
	return &wire.Schema{Type: "integer", ExclusiveMinimum: &none}
}

// ScheduleCreate is a schedule to make. Prefect REST: DeploymentScheduleCreate.
type ScheduleCreate struct {
	_                struct{}               `wire:"forbid"`
	Active           bool                   `json:"active" wire:"default=true"`
	Schedule         Schedule               `json:"schedule" wire:"required"`
	MaxScheduledRuns *RunCount              `json:"max_scheduled_runs"`
	Parameters       json.RawMessage        `json:"parameters,omitempty" wire:"object"`
	Slug             *string                `json:"slug"`
	Replaces         *string                `json:"replaces"`
	CatchupWindow    wire.Opt[float64]      `json:"catchup_window_seconds,omitzero" wire:"gt=0,le=3153600000"`
	Overlap          wire.Opt[core.Overlap] `json:"overlap,omitzero"`
	MaxWaiting       wire.Opt[int]          `json:"max_waiting,omitzero" wire:"gt=0"`
}

// ScheduleUpdate is a change of a schedule. Prefect REST: DeploymentScheduleUpdate.
type ScheduleUpdate struct {
	_                struct{}               `wire:"forbid"`
	Active           *bool                  `json:"active,omitempty"`
	Schedule         *Schedule              `json:"schedule,omitempty"`
	MaxScheduledRuns *RunCount              `json:"max_scheduled_runs,omitempty"`
	Parameters       json.RawMessage        `json:"parameters,omitempty" wire:"object"`
	Slug             *string                `json:"slug,omitempty"`
	Replaces         *string                `json:"replaces,omitempty"`
	CatchupWindow    wire.Opt[float64]      `json:"catchup_window_seconds,omitzero" wire:"gt=0,le=3153600000"`
	Overlap          wire.Opt[core.Overlap] `json:"overlap,omitzero"`
	MaxWaiting       wire.Opt[int]          `json:"max_waiting,omitzero" wire:"gt=0"`
}

// CollisionStrategy says what becomes of a run for which there is no slot.
type CollisionStrategy string

// Enum lists the values.
func (CollisionStrategy) Enum() []string { return []string{"ENQUEUE", "CANCEL_NEW"} }

// ConcurrencyOptions is how a deployment's limit is applied. Prefect REST: ConcurrencyOptions.
type ConcurrencyOptions struct {
	CollisionStrategy  CollisionStrategy `json:"collision_strategy" wire:"required"`
	GracePeriodSeconds *int              `json:"grace_period_seconds" wire:"ge=60,le=86400"`
}

// NotNull is a value that may be absent but not null.
type NotNull[T any] struct {
	set   bool
	value T
}

// Given is a NotNull that is there.
func Given[T any](v T) NotNull[T] { return NotNull[T]{true, v} }

// Get returns the value and whether it was there.
func (n NotNull[T]) Get() (T, bool) { return n.value, n.set }

// Opt returns the value as one that might have been null.
func (n NotNull[T]) Opt() wire.Opt[T] { return wire.Opt[T]{Value: n.value, Set: n.set} }

// IsZero reports whether the value is absent; the tag omitzero asks it.
func (n NotNull[T]) IsZero() bool { return !n.set }

// MarshalJSON writes the value.
func (n NotNull[T]) MarshalJSON() ([]byte, error) { return wire.Marshal(n.value) }

// DecodeWire reads the value as a field of the plain type would.
func (n *NotNull[T]) DecodeWire(raw json.RawMessage) []wire.FieldError {
	var field struct {
		Value T `json:"v"`
	}
	errs := wire.FieldErrors(wire.Decode([]byte(`{"v":`+string(raw)+`}`), &field), raw)
	for i := range errs {
		errs[i].Loc = errs[i].Loc[1:]
	}
	n.set, n.value = true, field.Value
	return errs
}

// WireSchema implements wire's interface for types that describe themselves.
func (*NotNull[T]) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return of(reflect.TypeFor[T]())
}

// DeploymentUpdate is the body of PATCH /deployments/{id}.
type DeploymentUpdate deploymentUpdate

// DecodeWire reads the body; before all else it refuses two limits.
func (d *DeploymentUpdate) DecodeWire(raw json.RawMessage) []wire.FieldError {
	if string(raw) == "null" {
		return []wire.FieldError{{Type: "missing", Msg: "Field required", Input: raw}}
	}
	if errs := twoLimits(raw); len(errs) > 0 {
		return errs
	}
	return wire.FieldErrors(wire.Decode(raw, (*deploymentUpdate)(d)), raw)
}

// WireSchema implements wire's interface for types that describe themselves.
func (*DeploymentUpdate) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return of(reflect.TypeFor[deploymentUpdate]())
}

// twoLimits refuses a deployment with a limit of its own and a shared one.
func twoLimits(raw json.RawMessage) []wire.FieldError {
	var given map[string]json.RawMessage
	if json.Unmarshal(raw, &given) != nil || falsy(given["concurrency_limit"]) || falsy(given["global_concurrency_limit_id"]) {
		return nil
	}
	return []wire.FieldError{valueError("A deployment cannot have both a concurrency limit and a global concurrency limit.", raw)}
}

// deploymentUpdate is DeploymentUpdate without its check of the whole.
type deploymentUpdate struct {
	_                        struct{}                     `wire:"forbid"`
	Version                  wire.Opt[string]             `json:"version,omitzero"`
	Description              wire.Opt[string]             `json:"description,omitzero"`
	Paused                   NotNull[bool]                `json:"paused,omitzero"`
	Schedules                NotNull[[]ScheduleUpdate]    `json:"schedules,omitzero"`
	ConcurrencyLimit         wire.Opt[int]                `json:"concurrency_limit,omitzero" wire:"gt=0"`
	ConcurrencyOptions       wire.Opt[ConcurrencyOptions] `json:"concurrency_options,omitzero"`
	GlobalConcurrencyLimitID wire.Opt[core.ID]            `json:"global_concurrency_limit_id,omitzero"`
	Parameters               wire.Opt[json.RawMessage]    `json:"parameters,omitzero" wire:"object"`
	ParameterSchema          wire.Opt[json.RawMessage]    `json:"parameter_openapi_schema,omitzero" wire:"object"`
	Tags                     NotNull[[]string]            `json:"tags,omitzero"`
	WorkQueueName            wire.Opt[string]             `json:"work_queue_name,omitzero"`
	WorkPoolName             wire.Opt[string]             `json:"work_pool_name,omitzero"`
	Path                     wire.Opt[string]             `json:"path,omitzero"`
	JobVariables             wire.Opt[json.RawMessage]    `json:"job_variables,omitzero" wire:"object"`
	PullSteps                wire.Opt[[]json.RawMessage]  `json:"pull_steps,omitzero" wire:"object"`
	Entrypoint               wire.Opt[string]             `json:"entrypoint,omitzero"`
	StorageDocumentID        wire.Opt[core.ID]            `json:"storage_document_id,omitzero"`
	InfrastructureDocumentID wire.Opt[core.ID]            `json:"infrastructure_document_id,omitzero"`
	EnforceParameterSchema   wire.Opt[bool]               `json:"enforce_parameter_schema,omitzero"`
	VersionInfo              *VersionInfo                 `json:"version_info,omitempty"`
}

// deploymentCreate is DeploymentCreate without its checks of the whole.
type deploymentCreate struct {
	_                        struct{}                     `wire:"forbid"`
	Name                     string                       `json:"name" wire:"required"`
	FlowID                   core.ID                      `json:"flow_id" wire:"required"`
	Paused                   NotNull[bool]                `json:"paused,omitzero"`
	Schedules                []ScheduleCreate             `json:"schedules"`
	ConcurrencyLimit         wire.Opt[int]                `json:"concurrency_limit,omitzero" wire:"gt=0"`
	ConcurrencyOptions       wire.Opt[ConcurrencyOptions] `json:"concurrency_options,omitzero"`
	GlobalConcurrencyLimitID wire.Opt[core.ID]            `json:"global_concurrency_limit_id,omitzero"`
	EnforceParameterSchema   NotNull[bool]                `json:"enforce_parameter_schema,omitzero"`
	ParameterSchema          wire.Opt[json.RawMessage]    `json:"parameter_openapi_schema,omitzero" wire:"object"`
	Parameters               wire.Opt[json.RawMessage]    `json:"parameters,omitzero" wire:"object"`
	Tags                     NotNull[[]string]            `json:"tags,omitzero"`
	Labels                   wire.Opt[wire.Labels]        `json:"labels,omitzero"`
	PullSteps                wire.Opt[[]json.RawMessage]  `json:"pull_steps,omitzero" wire:"object"`
	WorkQueueName            wire.Opt[string]             `json:"work_queue_name,omitzero"`
	WorkPoolName             wire.Opt[string]             `json:"work_pool_name,omitzero"`
	StorageDocumentID        wire.Opt[core.ID]            `json:"storage_document_id,omitzero"`
	InfrastructureDocumentID wire.Opt[core.ID]            `json:"infrastructure_document_id,omitzero"`
	Description              wire.Opt[string]             `json:"description,omitzero"`
	Path                     wire.Opt[string]             `json:"path,omitzero"`
	Version                  wire.Opt[string]             `json:"version,omitzero"`
	Entrypoint               wire.Opt[string]             `json:"entrypoint,omitzero"`
	JobVariables             json.RawMessage              `json:"job_variables,omitempty" wire:"object"`
	VersionInfo              *VersionInfo                 `json:"version_info,omitempty"`
}

// DeploymentCreate is the body of POST /deployments/.
type DeploymentCreate deploymentCreate

// DecodeWire reads the body; parameters that the body's own schema refuses are
// an error of the whole, as in the reference.
func (d *DeploymentCreate) DecodeWire(raw json.RawMessage) []wire.FieldError {
	if string(raw) == "null" {
		return []wire.FieldError{{Type: "missing", Msg: "Field required", Input: raw}}
	}
	if errs := twoLimits(raw); len(errs) > 0 {
		return errs
	}
	if err := checkOwnSchema(raw); err != nil {
		return []wire.FieldError{valueError(err.Error(), raw)}
	}
	errs := wire.FieldErrors(wire.Decode(raw, (*deploymentCreate)(d)), raw)
	if d.Parameters.Null {
		errs = append(errs, wire.FieldError{
			Type: "dict_type", Loc: []any{"parameters"}, Msg: "Input should be a valid dictionary", Input: json.RawMessage("null"),
		})
	}
	return errs
}

// WireSchema implements wire's interface for types that describe themselves.
func (*DeploymentCreate) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return of(reflect.TypeFor[deploymentCreate]())
}

func checkOwnSchema(raw json.RawMessage) error {
	var body struct {
		Enforce    bool            `json:"enforce_parameter_schema"`
		Schema     json.RawMessage `json:"parameter_openapi_schema"`
		Parameters json.RawMessage `json:"parameters"`
	}
	if json.Unmarshal(raw, &body) != nil || !body.Enforce || len(body.Schema) == 0 || body.Schema[0] != '{' {
		return nil //nolint:nilerr // what cannot be read is refused with its fields
	}
	if err := jsonschema.CheckSchema(body.Schema); err != nil {
		text := err.Error()
		if e, ok := errors.AsType[*jsonschema.Error](err); ok {
			text = e.Message
		}
		return errors.New("The provided schema is not a valid json schema. Schema error: " + text)
	}
	if len(body.Parameters) == 0 || body.Parameters[0] != '{' {
		return nil
	}
	return jsonschema.Validate(body.Parameters, body.Schema, jsonschema.Options{IgnoreRequired: true})
}

// DeploymentFlowRunCreate is the body of POST /deployments/{id}/create_flow_run.
type DeploymentFlowRunCreate struct {
	_                        struct{}              `wire:"forbid"`
	State                    *StateCreate          `json:"state"`
	Name                     RunName               `json:"name,omitzero"`
	Parameters               json.RawMessage       `json:"parameters,omitempty" wire:"object"`
	EnforceParameterSchema   *bool                 `json:"enforce_parameter_schema"`
	Context                  json.RawMessage       `json:"context,omitempty" wire:"object"`
	InfrastructureDocumentID *core.ID              `json:"infrastructure_document_id"`
	Policy                   FlowRunPolicy         `json:"empirical_policy,omitzero"`
	Tags                     []string              `json:"tags"`
	IdempotencyKey           *string               `json:"idempotency_key"`
	Labels                   wire.Opt[wire.Labels] `json:"labels,omitzero"`
	ParentTaskRunID          *core.ID              `json:"parent_task_run_id"`
	WorkQueueName            *string               `json:"work_queue_name"`
	JobVariables             json.RawMessage       `json:"job_variables,omitempty" wire:"object,nullable"`
}

// BulkResult is what became of one run of many. Prefect REST: FlowRunCreateResult.
type BulkResult struct {
	FlowRunID *core.ID   `json:"flow_run_id"`
	Status    BulkStatus `json:"status"`
	Error     *string    `json:"error"`
}

// BulkStatus is what became of one run of many.
type BulkStatus string

// Enum lists the values.
func (BulkStatus) Enum() []string { return []string{"CREATED", "FAILED"} }

// BulkResults is the answer to create_flow_run/bulk. Prefect REST: FlowRunBulkCreateResponse.
type BulkResults struct {
	Results []BulkResult `json:"results"`
}

// Deleted is the answer to bulk_delete. Prefect REST: DeploymentBulkDeleteResponse.
type Deleted struct {
	Deleted []core.ID `json:"deleted"`
}
