package client

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// WorkPool is a work pool as the API shows it. Prefect REST: WorkPoolResponse.
type WorkPool struct {
	ID               core.ID              `json:"id"`
	Created          wire.Time            `json:"created"`
	Updated          wire.Time            `json:"updated"`
	Name             string               `json:"name"`
	Description      *string              `json:"description"`
	Type             string               `json:"type"`
	BaseJobTemplate  json.RawMessage      `json:"base_job_template" wire:"object"`
	IsPaused         bool                 `json:"is_paused"`
	ConcurrencyLimit *int                 `json:"concurrency_limit"`
	Status           *core.Readiness      `json:"status"`
	DefaultQueueID   *core.ID             `json:"default_queue_id"`
	Storage          StorageConfiguration `json:"storage_configuration"`
	// ActiveSlots is null for pools without a limit.
	ActiveSlots *int `json:"active_slots"`
}

// WorkPoolOf shows a pool; used is nil or the number of slots in use.
func WorkPoolOf(p *core.WorkPool, used *int) WorkPool {
	out := WorkPool{
		ID: p.ID, Created: wire.FromTime(p.Created), Updated: wire.FromTime(p.Updated), Name: p.Name, Description: p.Description,
		Type: p.Type, BaseJobTemplate: orEmpty(p.BaseJobTemplate), IsPaused: p.IsPaused, ConcurrencyLimit: p.ConcurrencyLimit,
		Status: p.Status, DefaultQueueID: p.DefaultQueueID,
	}
	if err := json.Unmarshal(p.StorageConfiguration, &out.Storage); err != nil {
		out.Storage = StorageConfiguration{}
	}
	if p.ConcurrencyLimit != nil {
		out.ActiveSlots = used
	}
	return out
}

// StorageConfiguration says where a pool's runs keep code and results. Prefect REST: WorkPoolStorageConfiguration.
type StorageConfiguration struct {
	_                      struct{}                  `wire:"forbid"`
	BundleUploadStep       wire.Opt[json.RawMessage] `json:"bundle_upload_step" wire:"object"`
	BundleExecutionStep    wire.Opt[json.RawMessage] `json:"bundle_execution_step" wire:"object"`
	DefaultResultStorageID *core.ID                  `json:"default_result_storage_block_id"`
}

// JSON is the configuration as it is stored.
func (s StorageConfiguration) JSON() json.RawMessage { return mustJSON(s) }

// JobTemplate is a base job template as a client sends it.
type JobTemplate json.RawMessage

// MarshalJSON writes {} for none.
func (t JobTemplate) MarshalJSON() ([]byte, error) {
	if len(t) == 0 {
		return []byte("{}"), nil
	}
	return t, nil
}

// UnmarshalJSON takes what Decode takes.
func (t *JobTemplate) UnmarshalJSON(data []byte) error { return wire.Decode(data, t) }

// DecodeWire checks that every variable that the job uses is declared.
func (t *JobTemplate) DecodeWire(raw json.RawMessage) []wire.FieldError {
	var template map[string]json.RawMessage
	if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &template) != nil {
		return []wire.FieldError{{Type: "dict_type", Msg: "Input should be a valid dictionary", Input: raw}}
	}
	*t = JobTemplate(raw)
	if len(template) == 0 {
		return nil
	}
	job, hasJob := template["job_configuration"]
	variables, hasVariables := template["variables"]
	if !hasJob || !hasVariables {
		return []wire.FieldError{valueError(
			"The `base_job_template` must contain both a `job_configuration` key and a `variables` key.", raw)}
	}
	if missing := undeclared(job, variables); len(missing) > 0 {
		return []wire.FieldError{valueError("The variables specified in the job configuration template must be present as properties"+
			" in the variables schema. Your job configuration uses the following undeclared variable(s): "+
			strings.Join(missing, " ,")+".", raw)}
	}
	return nil
}

// WireSchema implements wire's interface for types that describe themselves.
func (*JobTemplate) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	return &wire.Schema{Type: "object", Additional: json.RawMessage("true")}
}

// undeclared lists the variables that a job configuration uses and the schema does not have.
func undeclared(job, variables json.RawMessage) []string {
	var schema struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(variables, &schema); err != nil {
		schema.Properties = nil
	}
	placeholder := regexp.MustCompile(`\{\{\s*([\w\.\-\[\]$]+)\s*\}\}`)
	var names []string
	for _, s := range texts(job) {
		for _, m := range placeholder.FindAllStringSubmatch(s, -1) {
			name := m[1]
			if _, ok := schema.Properties[name]; !ok && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// texts lists the strings within a JSON value.
func texts(raw json.RawMessage) []string {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil
	}
	var found []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			found = append(found, v)
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(v)
	return found
}

// PoolName is the name of a work pool or queue.
type PoolName string

// DecodeWire refuses what cannot stand in a path.
func (n *PoolName) DecodeWire(raw json.RawMessage) []wire.FieldError {
	var named struct {
		Name string `json:"name" wire:"pattern=name"`
	}
	if string(raw) == `""` {
		return []wire.FieldError{valueError("name cannot be an empty string", raw)}
	}
	errs := wire.FieldErrors(wire.Decode([]byte(`{"name":`+string(raw)+`}`), &named), raw)
	for i := range errs {
		errs[i].Loc = nil
	}
	*n = PoolName(named.Name)
	return errs
}

// WireSchema implements wire's interface for types that describe themselves.
func (*PoolName) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	return &wire.Schema{Type: "string", Pattern: wire.Pattern("name")}
}

// WorkPoolCreate is the body of POST /work_pools/.
type WorkPoolCreate struct {
	_                struct{}             `wire:"forbid"`
	Name             PoolName             `json:"name" wire:"required"`
	Description      *string              `json:"description"`
	Type             string               `json:"type" wire:"default=prefect-agent"`
	BaseJobTemplate  JobTemplate          `json:"base_job_template"`
	IsPaused         bool                 `json:"is_paused"`
	ConcurrencyLimit *int                 `json:"concurrency_limit" wire:"ge=0"`
	Storage          StorageConfiguration `json:"storage_configuration"`
}

// WorkPoolUpdate is the body of PATCH /work_pools/{name}.
type WorkPoolUpdate struct {
	_                struct{}                       `wire:"forbid"`
	Description      wire.Opt[string]               `json:"description,omitzero"`
	IsPaused         wire.Opt[bool]                 `json:"is_paused,omitzero"`
	BaseJobTemplate  wire.Opt[JobTemplate]          `json:"base_job_template,omitzero"`
	ConcurrencyLimit wire.Opt[int]                  `json:"concurrency_limit,omitzero" wire:"ge=0"`
	Storage          wire.Opt[StorageConfiguration] `json:"storage_configuration,omitzero"`
}

// WorkQueue is a work queue as the API shows it. Prefect REST: WorkQueueResponse.
type WorkQueue struct {
	BareWorkQueue
	WorkPoolName string         `json:"work_pool_name"`
	Status       core.Readiness `json:"status"`
	ActiveSlots  *int           `json:"active_slots"`
}

// BareWorkQueue is a queue without what is found out about it. Prefect REST: WorkQueue.
type BareWorkQueue struct {
	ID               core.ID                 `json:"id"`
	Created          wire.Time               `json:"created"`
	Updated          wire.Time               `json:"updated"`
	Name             string                  `json:"name"`
	Description      string                  `json:"description"`
	IsPaused         bool                    `json:"is_paused"`
	ConcurrencyLimit *int                    `json:"concurrency_limit"`
	Priority         int                     `json:"priority"`
	WorkPoolID       core.ID                 `json:"work_pool_id"`
	Filter           wire.JSON[*QueueFilter] `json:"filter"`
	LastPolled       *wire.Time              `json:"last_polled"`
}

// BareWorkQueueOf shows a queue.
func BareWorkQueueOf(q *core.WorkQueue) BareWorkQueue {
	return BareWorkQueue{
		ID: q.ID, Created: wire.FromTime(q.Created), Updated: wire.FromTime(q.Updated), Name: q.Name, Description: q.Description,
		IsPaused: q.IsPaused, ConcurrencyLimit: q.ConcurrencyLimit, Priority: q.Priority, WorkPoolID: q.WorkPoolID, Filter: wire.JSON[*QueueFilter](q.Filter),
		LastPolled: wire.FromTimePtr(q.LastPolled),
	}
}

// WorkQueueOf shows a queue; used is nil or the number of slots in use.
func WorkQueueOf(q *core.WorkQueue, used *int) WorkQueue {
	out := WorkQueue{BareWorkQueue: BareWorkQueueOf(q), WorkPoolName: q.WorkPoolName, Status: q.Status}
	if q.ConcurrencyLimit != nil {
		out.ActiveSlots = used
	}
	return out
}

// QueueFilter is what queues of the oldest clients select runs by. Prefect REST: QueueFilter.
type QueueFilter struct {
	Tags          *[]string  `json:"tags"`
	DeploymentIDs *[]core.ID `json:"deployment_ids"`
}

// JSON is the filter as it is stored; nil is nil.
func (f *QueueFilter) JSON() json.RawMessage {
	if f == nil {
		return nil
	}
	return mustJSON(f)
}

// WorkQueueCreate is the body of POST /work_pools/{name}/queues and POST /work_queues/.
type WorkQueueCreate struct {
	_                struct{}     `wire:"forbid"`
	Name             string       `json:"name" wire:"required,pattern=name"`
	Description      *string      `json:"description"`
	IsPaused         bool         `json:"is_paused"`
	ConcurrencyLimit *int         `json:"concurrency_limit" wire:"ge=0"`
	Priority         *int         `json:"priority" wire:"gt=0"`
	Filter           *QueueFilter `json:"filter"`
}

// WorkQueueUpdate is the body of PATCH /work_pools/{name}/queues/{name} and PATCH /work_queues/{id}.
type WorkQueueUpdate struct {
	_                struct{}              `wire:"forbid"`
	Name             wire.Opt[string]      `json:"name,omitzero"`
	Description      wire.Opt[string]      `json:"description,omitzero"`
	IsPaused         NotNull[bool]         `json:"is_paused,omitzero"`
	ConcurrencyLimit wire.Opt[int]         `json:"concurrency_limit,omitzero" wire:"ge=0"`
	Priority         wire.Opt[int]         `json:"priority,omitzero" wire:"gt=0"`
	LastPolled       wire.Opt[wire.Time]   `json:"last_polled,omitzero"`
	Filter           wire.Opt[QueueFilter] `json:"filter,omitzero"`
}

// Worker is a worker as the API shows it. Prefect REST: WorkerResponse.
type Worker struct {
	ID                core.ID           `json:"id"`
	Created           wire.Time         `json:"created"`
	Updated           wire.Time         `json:"updated"`
	Name              string            `json:"name"`
	WorkPoolID        core.ID           `json:"work_pool_id"`
	LastHeartbeatTime wire.Time         `json:"last_heartbeat_time"`
	HeartbeatInterval *int              `json:"heartbeat_interval_seconds"`
	Status            core.WorkerStatus `json:"status"`
}

// WorkerOf shows a worker.
func WorkerOf(w *core.Worker) Worker {
	return Worker{
		ID: w.ID, Created: wire.FromTime(w.Created), Updated: wire.FromTime(w.Updated), Name: w.Name, WorkPoolID: w.WorkPoolID,
		LastHeartbeatTime: wire.FromTime(w.LastHeartbeat), HeartbeatInterval: w.HeartbeatInterval, Status: w.Status,
	}
}

// WorkerFlowRun is a run that a worker may start. Prefect REST: WorkerFlowRunResponse.
type WorkerFlowRun struct {
	WorkPoolID  core.ID   `json:"work_pool_id"`
	WorkQueueID core.ID   `json:"work_queue_id"`
	FlowRun     PolledRun `json:"flow_run"`
}

// PolledRun is a run as a poll shows it: without its pool, with null for its
// state, and with the name of the queue only where one was named. The fields here stand in for those of FlowRun, in
// the reference's order. Prefect REST: FlowRun.
type PolledRun struct {
	FlowRun
	WorkPoolID   *struct{}       `json:"work_pool_id,omitempty"`
	WorkPoolName *struct{}       `json:"work_pool_name,omitempty"`
	WorkQueueID  *core.ID        `json:"work_queue_id"`
	State        *State          `json:"state"`
	JobVariables json.RawMessage `json:"job_variables" wire:"object,nullable"`
}

// PolledRunOf shows a run, which named the queue, to a worker that polls.
func PolledRunOf(r FlowRun, queue *string) PolledRun {
	r.WorkQueueName = queue
	return PolledRun{FlowRun: r, WorkQueueID: r.WorkQueueID, JobVariables: r.JobVariables}
}

// SlotHolder is a run that holds a slot. Prefect REST: FlowRunSlotSummary.
type SlotHolder struct {
	ID                 core.ID         `json:"id"`
	Name               string          `json:"name"`
	StateType          *core.StateType `json:"state_type"`
	StateName          *string         `json:"state_name"`
	StartTime          *wire.Time      `json:"start_time"`
	StateTimestamp     *wire.Time      `json:"state_timestamp"`
	TimeInCurrentState *wire.Float     `json:"time_in_current_state"`
}

// SlotHolderOf shows a run that holds a slot now.
func SlotHolderOf(r *core.FlowRun, now time.Time) SlotHolder {
	out := SlotHolder{ID: r.ID, Name: r.Name, StartTime: wire.FromTimePtr(r.StartTime)}
	if s := r.State; s != nil {
		since := seconds(now.Sub(s.Timestamp))
		out.StateType, out.StateName, out.TimeInCurrentState = &s.Type, &s.Name, &since
		out.StateTimestamp = wire.FromTimePtr(&s.Timestamp)
	}
	return out
}

// QueueSlots is how a queue's slots are used. Prefect REST: WorkQueueConcurrencyStatus.
type QueueSlots struct {
	ActiveSlots      int          `json:"active_slots"`
	ConcurrencyLimit *int         `json:"concurrency_limit"`
	FlowRuns         []SlotHolder `json:"flow_runs"`
	Count            int          `json:"count"`
	Limit            int          `json:"limit"`
	Pages            int          `json:"pages"`
	Page             int          `json:"page"`
}

// PoolSlots is how a pool's slots are used. Prefect REST: WorkPoolConcurrencyStatus.
type PoolSlots struct {
	ActiveSlots      int              `json:"active_slots"`
	ConcurrencyLimit *int             `json:"concurrency_limit"`
	Queues           []PoolQueueSlots `json:"queues"`
	Count            int              `json:"count"`
	Limit            int              `json:"limit"`
	Pages            int              `json:"pages"`
	Page             int              `json:"page"`
}

// PoolQueueSlots is how one queue of a pool uses slots. Prefect REST: WorkQueueConcurrencyStatusDetail.
type PoolQueueSlots struct {
	QueueID          core.ID      `json:"queue_id"`
	QueueName        string       `json:"queue_name"`
	ActiveSlots      int          `json:"active_slots"`
	ConcurrencyLimit *int         `json:"concurrency_limit"`
	FlowRuns         []SlotHolder `json:"flow_runs"`
	FlowRunCount     int          `json:"flow_run_count"`
}

// QueueStatus says whether a queue is served. Prefect REST: WorkQueueStatusDetail.
type QueueStatus struct {
	Healthy    bool              `json:"healthy"`
	LateRuns   int               `json:"late_runs_count"`
	LastPolled *wire.Time        `json:"last_polled"`
	Policy     QueueHealthPolicy `json:"health_check_policy"`
}

// QueueHealthPolicy is when a queue counts as served. Prefect REST: WorkQueueHealthPolicy.
type QueueHealthPolicy struct {
	MaximumLateRuns         int `json:"maximum_late_runs"`
	MaximumSecondsSincePoll int `json:"maximum_seconds_since_last_polled"`
}
