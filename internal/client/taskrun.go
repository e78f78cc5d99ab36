package client

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"time"
	"unicode/utf8"

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

// taskRunPolicy is TaskRunPolicy without its check of the whole.
type taskRunPolicy TaskRunPolicy

// DecodeWire reads the policy; the old names stand for the new ones.
func (p *TaskRunPolicy) DecodeWire(raw json.RawMessage) []wire.FieldError {
	if len(raw) == 0 || raw[0] != '{' {
		return []wire.FieldError{{
			Type: "model_attributes_type", Msg: "Input should be a valid dictionary or object to extract fields from", Input: raw,
		}}
	}
	raw = withRetries(raw)
	return wire.FieldErrors(wire.Decode(raw, (*taskRunPolicy)(p)), raw)
}

// WireSchema implements wire's interface for types that describe themselves.
func (*TaskRunPolicy) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return of(reflect.TypeFor[taskRunPolicy]())
}

// Core returns the policy as the domain keeps it.
func (p TaskRunPolicy) Core() core.RunPolicy {
	out := core.RunPolicy{
		MaxRetries: p.MaxRetries, RetryDelaySeconds: float64(p.RetryDelaySeconds), Retries: p.Retries, RetryDelay: notNull(json.RawMessage(p.RetryDelay)),
		RetryJitterFactor: (*float64)(p.RetryJitterFactor),
	}
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

// DecodeWire gives inputs that do not say what they are the type that their key
// tells, and refuses what is no input.
func (t *taskInputs) DecodeWire(raw json.RawMessage) []wire.FieldError {
	var inputs map[string]json.RawMessage
	if json.Unmarshal(raw, &inputs) != nil || inputs == nil {
		return []wire.FieldError{{Type: "dict_type", Msg: "Input should be a valid dictionary", Input: raw}}
	}
	var errs []wire.FieldError
	changed := false
	for _, key := range slices.Sorted(maps.Keys(inputs)) {
		var list []json.RawMessage
		if json.Unmarshal(inputs[key], &list) != nil || list == nil {
			errs = append(errs, wire.FieldError{Type: "list_type", Loc: []any{key}, Msg: "Input should be a valid list", Input: inputs[key]})
			continue
		}
		for i, input := range list {
			typed, more := typedInput(input)
			for _, e := range more {
				e.Loc = append([]any{key, i}, e.Loc...)
				errs = append(errs, e)
			}
			list[i], changed = typed, changed || len(typed) != len(input)
		}
		inputs[key] = mustJSON(list)
	}
	if *t = taskInputs(raw); changed && len(errs) == 0 {
		*t = taskInputs(mustJSON(inputs))
	}
	return errs
}

// typedInput reads an input of a task run by the kinds that there are.
func typedInput(raw json.RawMessage) (json.RawMessage, []wire.FieldError) {
	kind := ""
	errs := wire.Union(raw, inputOf[inputID](&kind, "TaskRunResult", "task_run"), inputOf[inputID](&kind, "FlowRunResult", "flow_run"),
		inputOf[inputName](&kind, "Parameter", "parameter"), inputOf[inputType](&kind, "Constant", "constant"))
	if len(errs) > 0 {
		return raw, errs
	}
	var input map[string]json.RawMessage
	if json.Unmarshal(raw, &input) == nil && input["input_type"] == nil {
		input["input_type"] = mustJSON(kind)
		return mustJSON(input), nil
	}
	return raw, nil
}

// What names an input, by its kind.
type (
	inputID struct {
		ID core.ID `json:"id" wire:"required"`
	}
	inputName struct {
		Name string `json:"name" wire:"required"`
	}
	inputType struct {
		Type string `json:"type" wire:"required"`
	}
)

// inputOf is the member of one kind of input; it sets chosen when it takes a value.
func inputOf[T any](chosen *string, name, kind string) wire.Member {
	return wire.Member{Name: name, Decode: func(raw json.RawMessage) []wire.FieldError {
		var input struct {
			Type json.RawMessage `json:"input_type"`
		}
		var errs []wire.FieldError
		if json.Unmarshal(raw, &input) == nil && input.Type != nil {
			var word string
			for _, e := range literal(&word, input.Type, "'"+kind+"'", kind) {
				e.Loc = []any{"input_type"}
				errs = append(errs, e)
			}
		}
		var rest T
		errs = append(errs, wire.FieldErrors(wire.Decode(raw, &rest), raw)...)
		if len(errs) == 0 {
			*chosen = kind
		}
		return errs
	}}
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

// CacheKey is the key under which a task's result is cached.
type CacheKey string

// maxCacheKey is the most characters of a key.
const maxCacheKey = 2000

// DecodeWire implements wire's interface for types that decode themselves.
func (k *CacheKey) DecodeWire(raw json.RawMessage) []wire.FieldError {
	if errs := wire.FieldErrors(wire.Decode(raw, (*string)(k)), raw); len(errs) > 0 {
		return errs
	}
	if utf8.RuneCountInString(string(*k)) > maxCacheKey {
		return []wire.FieldError{valueError("Cache key exceeded maximum allowed length of 2000 characters.", raw)}
	}
	return nil
}

// WireSchema implements wire's interface for types that describe themselves.
func (*CacheKey) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	return &wire.Schema{Type: "string"}
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
	CacheKey        *CacheKey             `json:"cache_key"`
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
