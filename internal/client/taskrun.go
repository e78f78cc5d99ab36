package client

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// TaskRun is a task run as the API shows it. Prefect REST: TaskRun.
type TaskRun struct {
	ID                      core.ID               `json:"id"`
	Created                 wire.Time             `json:"created"`
	Updated                 wire.Time             `json:"updated"`
	Name                    string                `json:"name"`
	FlowRunID               *core.ID              `json:"flow_run_id"`
	TaskKey                 string                `json:"task_key"`
	DynamicKey              string                `json:"dynamic_key"`
	CacheKey                *string               `json:"cache_key"`
	CacheExpiration         *wire.Time            `json:"cache_expiration"`
	TaskVersion             *string               `json:"task_version"`
	Policy                  TaskRunPolicy         `json:"empirical_policy"`
	Tags                    []string              `json:"tags"`
	Labels                  wire.Labels           `json:"labels"`
	StateID                 *core.ID              `json:"state_id"`
	TaskInputs              wire.JSON[taskInputs] `json:"task_inputs"`
	StateType               *core.StateType       `json:"state_type"`
	StateName               *string               `json:"state_name"`
	RunCount                int                   `json:"run_count"`
	FlowRunRunCount         int                   `json:"flow_run_run_count"`
	ExpectedStartTime       *wire.Time            `json:"expected_start_time"`
	NextScheduledStartTime  *wire.Time            `json:"next_scheduled_start_time"`
	StartTime               *wire.Time            `json:"start_time"`
	EndTime                 *wire.Time            `json:"end_time"`
	TotalRunTime            wire.Float            `json:"total_run_time"`
	EstimatedRunTime        wire.Float            `json:"estimated_run_time"`
	EstimatedStartTimeDelta wire.Float            `json:"estimated_start_time_delta"`
	State                   *State                `json:"state"`
}

// TaskRunPolicy is a task run's empirical policy. Prefect REST: TaskRunPolicy.
type TaskRunPolicy struct {
	MaxRetries        int        `json:"max_retries"`
	RetryDelaySeconds wire.Float `json:"retry_delay_seconds"`
	Retries           *int       `json:"retries"`
	RetryDelay        RetryDelay `json:"retry_delay"`
	RetryJitterFactor *Jitter    `json:"retry_jitter_factor"`
}

// Core returns the policy as the domain keeps it.
func (p TaskRunPolicy) Core() core.RunPolicy {
	out := core.RunPolicy{
		MaxRetries: p.MaxRetries, RetryDelaySeconds: float64(p.RetryDelaySeconds), Retries: p.Retries, RetryDelay: notNull(json.RawMessage(p.RetryDelay)),
		RetryJitterFactor: (*float64)(p.RetryJitterFactor),
	}
	fillRetries(&out)
	return out
}

// TaskRunOf shows a run; what is estimated is so for the time now.
func TaskRunOf(r *core.TaskRun, now time.Time) TaskRun {
	p := r.Policy
	out := TaskRun{
		ID: r.ID, Created: wire.FromTime(r.Created), Updated: wire.FromTime(r.Updated), Name: r.Name, FlowRunID: r.FlowRunID,
		TaskKey: r.TaskKey, DynamicKey: r.DynamicKey, CacheKey: r.CacheKey, CacheExpiration: wire.FromTimePtr(r.CacheExpiration),
		TaskVersion: r.TaskVersion,
		Policy: TaskRunPolicy{
			MaxRetries: p.MaxRetries, RetryDelaySeconds: wire.Float(p.RetryDelaySeconds), Retries: p.Retries, RetryDelay: RetryDelay(p.RetryDelay),
			RetryJitterFactor: (*Jitter)(p.RetryJitterFactor),
		},
		Tags: NotNil(r.Tags), Labels: wire.Labels(r.Labels), TaskInputs: wire.JSON[taskInputs](orEmpty(r.TaskInputs)), RunCount: r.RunCount,
		FlowRunRunCount: r.FlowRunRunCount, ExpectedStartTime: wire.FromTimePtr(r.ExpectedStartTime),
		NextScheduledStartTime: wire.FromTimePtr(r.NextScheduledStartTime), StartTime: wire.FromTimePtr(r.StartTime),
		EndTime: wire.FromTimePtr(r.EndTime), TotalRunTime: seconds(r.TotalRunTime), State: StateOf(r.State),
	}
	if r.State != nil {
		out.StateID, out.StateType, out.StateName = &r.State.ID, &r.State.Type, &r.State.Name
	}
	out.EstimatedRunTime = seconds(core.EstimatedRunTime(r.TotalRunTime, r.State, now))
	out.EstimatedStartTimeDelta = seconds(core.EstimatedLateness(r.ExpectedStartTime, r.StartTime, r.State, now))
	return out
}

// taskInputs are the inputs of a task run by the names of its parameters.
type taskInputs json.RawMessage

// MarshalJSON writes the inputs as they came.
func (t taskInputs) MarshalJSON() ([]byte, error) { return json.RawMessage(t).MarshalJSON() }

// DecodeWire gives inputs that do not say what they are the type that their key tells.
func (t *taskInputs) DecodeWire(raw json.RawMessage) []wire.FieldError {
	var object struct {
		V json.RawMessage `json:"v" wire:"object"`
	}
	wrapped := append(append([]byte(`{"v":`), raw...), '}')
	if errs := wire.FieldErrors(wire.Decode(wrapped, &object), wrapped); len(errs) > 0 {
		errs[0].Loc = nil
		return errs[:1]
	}
	*t = taskInputs(raw)
	var inputs map[string][]map[string]any
	if json.Unmarshal(raw, &inputs) != nil {
		return nil
	}
	changed := false
	for _, list := range inputs {
		for _, input := range list {
			if _, typed := input["input_type"]; typed {
				continue
			}
			for key, kind := range map[string]string{"id": "task_run", "name": "parameter", "type": "constant"} {
				if input[key] != nil {
					input["input_type"], changed = kind, true
				}
			}
		}
	}
	if changed {
		*t = taskInputs(mustJSON(inputs))
	}
	return nil
}

// WireSchema implements wire's interface for types that describe themselves.
func (*taskInputs) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	input := wire.Or(kindOfInput("task_run", "id"), kindOfInput("flow_run", "id"), kindOfInput("parameter", "name"), kindOfInput("constant", "type"))
	return &wire.Schema{Type: "object", Values: &wire.Schema{Type: "array", Items: input}}
}

// kindOfInput describes an input of a task run: its type and what names it.
func kindOfInput(kind, key string) *wire.Schema {
	name := &wire.Schema{Type: "string"}
	if key == "id" {
		name.Format = "uuid"
	}
	return &wire.Schema{
		Type: "object", Required: []string{key},
		Properties: map[string]*wire.Schema{"input_type": {Type: "string", Const: kind, Default: mustJSON(kind)}, key: name},
	}
}

// TaskRunCreate is the body of POST /task_runs/.
type TaskRunCreate struct {
	_               struct{}              `wire:"forbid"`
	ID              *core.ID              `json:"id"`
	State           *StateCreate          `json:"state"`
	Name            RunName               `json:"name,omitzero"`
	FlowRunID       *core.ID              `json:"flow_run_id"`
	TaskKey         string                `json:"task_key" wire:"required"`
	DynamicKey      string                `json:"dynamic_key" wire:"required"`
	CacheKey        *string               `json:"cache_key"`
	CacheExpiration *wire.Time            `json:"cache_expiration"`
	TaskVersion     *string               `json:"task_version"`
	Policy          TaskRunPolicy         `json:"empirical_policy,omitzero"`
	Tags            []string              `json:"tags"`
	Labels          wire.Opt[wire.Labels] `json:"labels,omitzero"`
	TaskInputs      taskInputs            `json:"task_inputs,omitempty"`
}

// TaskRunUpdate is the body of PATCH /task_runs/{id}.
type TaskRunUpdate struct {
	_    struct{}         `wire:"forbid"`
	Name NotNull[RunName] `json:"name,omitzero"`
}
