package client

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/schedule"
	"github.com/leat-dev/leat/internal/wire"
)

// ImportBatch is the body of leat's own route POST /leat/import.
type ImportBatch struct {
	_ struct{} `wire:"forbid"`
	// Kind says what the rows are, such as flow_runs.
	Kind string `json:"kind" wire:"required"`
	// Rows are as the API shows them, a run with its states and inputs beside it.
	Rows []json.RawMessage `json:"rows" wire:"required"`
	// Paused stores deployments that are new here as paused.
	Paused bool `json:"paused"`
}

// ImportResult answers an ImportBatch.
type ImportResult struct {
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	// Mapped are the ids, by those of the rows, of what was there under another id.
	Mapped map[core.ID]core.ID `json:"mapped"`
	// Refused are rows that were not stored, Notes what else there is to know of rows.
	Refused []ImportRemark `json:"refused"`
	Notes   []ImportRemark `json:"notes"`
}

// ImportRemark says something about a row.
type ImportRemark struct {
	ID   core.ID `json:"id"`
	Text string  `json:"text"`
}

// ImportKnown is the body of leat's own route POST /leat/import/known.
type ImportKnown struct {
	_ struct{} `wire:"forbid"`
	// Source names where the runs come from.
	Source string `json:"source" wire:"required"`
	// FlowRuns are when runs were updated last at the source, by their ids.
	FlowRuns []ImportVersion `json:"flow_runs"`
}

// ImportVersion is a row as it was updated last.
type ImportVersion struct {
	ID      core.ID   `json:"id" wire:"required"`
	Updated wire.Time `json:"updated" wire:"required"`
}

// ImportAnswer answers an ImportKnown.
type ImportAnswer struct {
	// Last is when the last import from the source that came to its end began.
	Last *wire.Time `json:"last"`
	// FlowRuns are those that are here as they are at the source, or newer.
	FlowRuns []core.ID `json:"flow_runs"`
}

// ImportMark is a row of the kind marks: an import came to its end.
type ImportMark struct {
	Source string    `json:"source"`
	Began  wire.Time `json:"began"`
}

// RecordedFlowRun is a flow run with its history, a row of the kind flow_runs.
type RecordedFlowRun struct {
	FlowRun
	States []State        `json:"states"`
	Inputs []FlowRunInput `json:"inputs"`
}

// RecordedTaskRun is a task run with its history, a row of the kind task_runs.
type RecordedTaskRun struct {
	TaskRun
	States []State `json:"states"`
}

// Core returns the flow as the domain keeps it.
func (f *Flow) Core() *core.Flow {
	return &core.Flow{
		ID: f.ID, Created: f.Created.Time, Updated: f.Updated.Time, Name: f.Name, Tags: f.Tags, Labels: notNull(json.RawMessage(f.Labels)),
	}
}

// Core returns the limit as the domain keeps it: without the slots that others
// hold at its server.
func (l *ConcurrencyLimit) Core() *core.ConcurrencyLimit {
	return &core.ConcurrencyLimit{
		ID: l.ID, Created: l.Created.Time, Updated: l.Updated.Time, Name: l.Name, Limit: l.Limit, Active: l.Active,
		SlotDecayPerSecond: float64(l.SlotDecayPerSecond), AvgSlotOccupancySeconds: float64(l.AvgSlotOccupancySeconds),
	}
}

// rawOf is JSON as the domain keeps it: null is none.
func rawOf[T any](j wire.JSON[T]) json.RawMessage { return notNull(json.RawMessage(j)) }

// unpolled is a status at a server that nobody has polled yet.
func unpolled(s core.Readiness) core.Readiness {
	if s == core.Ready {
		return core.NotReady
	}
	return s
}

// Core returns the pool as the domain keeps it: not ready, for its workers are
// those of another server.
func (p *WorkPool) Core() *core.WorkPool {
	out := &core.WorkPool{
		ID: p.ID, Created: p.Created.Time, Updated: p.Updated.Time, Name: p.Name, Description: p.Description, Type: p.Type,
		BaseJobTemplate: orEmpty(notNull(p.BaseJobTemplate)), IsPaused: p.IsPaused, ConcurrencyLimit: p.ConcurrencyLimit,
		DefaultQueueID: p.DefaultQueueID, StorageConfiguration: p.Storage.JSON(),
	}
	if p.Status != nil {
		status := unpolled(*p.Status)
		out.Status = &status
	}
	return out
}

// Core returns the queue as the domain keeps it: not ready, for nobody has polled it here.
func (q *WorkQueue) Core() *core.WorkQueue {
	return &core.WorkQueue{
		ID: q.ID, Created: q.Created.Time, Updated: q.Updated.Time, WorkPoolID: q.WorkPoolID, Name: q.Name, Description: q.Description,
		IsPaused: q.IsPaused, ConcurrencyLimit: q.ConcurrencyLimit, Priority: q.Priority, LastPolled: q.LastPolled.Ptr(),
		Status: unpolled(q.Status), Filter: rawOf(q.Filter),
	}
}

// Core returns the type as the domain keeps it.
func (b *BlockType) Core() *core.BlockType {
	return &core.BlockType{
		ID: b.ID, Created: b.Created.Time, Updated: b.Updated.Time, Name: b.Name, Slug: b.Slug, LogoURL: b.LogoURL,
		DocumentationURL: b.DocumentationURL, Description: b.Description, CodeExample: b.CodeExample, Protected: b.IsProtected,
	}
}

// Core returns the schema as the domain keeps it.
func (s *BlockSchema) Core() *core.BlockSchema {
	return &core.BlockSchema{
		ID: s.ID, Created: s.Created.Time, Updated: s.Updated.Time, Checksum: s.Checksum, Fields: s.Fields, BlockTypeID: s.BlockTypeID,
		Capabilities: s.Capabilities, Version: s.Version,
	}
}

// Core returns the document, without its data, as the domain keeps it.
func (d *BlockDocument) Core() *core.BlockDocument {
	return &core.BlockDocument{
		ID: d.ID, Created: d.Created.Time, Updated: d.Updated.Time, Name: d.Name, BlockTypeID: d.BlockTypeID, BlockSchemaID: d.BlockSchemaID,
		Anonymous: d.IsAnonymous,
	}
}

// Core returns the variable as the domain keeps it.
func (v *Variable) Core() *core.Variable {
	return &core.Variable{ID: v.ID, Created: v.Created.Time, Updated: v.Updated.Time, Name: v.Name, Value: v.Value, Tags: v.Tags}
}

// Core returns the deployment with its schedules as the domain keeps it, not
// ready. A schedule that cannot be read is an error.
func (d *Deployment) Core(now time.Time) (*core.Deployment, error) {
	out := &core.Deployment{
		ID: d.ID, Created: d.Created.Time, Updated: d.Updated.Time, Name: d.Name, Version: d.Version, Description: d.Description,
		FlowID: d.FlowID, Paused: d.Paused, ConcurrencyOptions: rawOf(d.ConcurrencyOptions), JobVariables: orEmpty(notNull(d.JobVariables)),
		Parameters: orEmpty(notNull(d.Parameters)), ParameterSchema: notNull(d.ParameterSchema),
		EnforceParameterSchema: d.EnforceParameterSchema, Tags: d.Tags, Labels: notNull(json.RawMessage(d.Labels)),
		PullSteps: rawOf(d.PullSteps), Path: d.Path, Entrypoint: d.Entrypoint, WorkQueueID: d.WorkQueueID, QueueName: d.WorkQueueName,
		StorageDocumentID: d.StorageDocumentID, InfrastructureDocumentID: d.InfrastructureDocumentID, CreatedBy: rawOf(d.CreatedBy),
		UpdatedBy: rawOf(d.UpdatedBy), LastPolled: d.LastPolled.Ptr(), Status: core.NotReady,
	}
	if d.GlobalConcurrencyLimit != nil {
		out.ConcurrencyLimitID = &d.GlobalConcurrencyLimit.ID
	}
	for i := range d.Schedules {
		s := &d.Schedules[i]
		if _, err := schedule.Parse(json.RawMessage(s.Schedule), now); err != nil {
			return nil, fmt.Errorf("schedule %s: %w", s.ID, err)
		}
		out.Schedules = append(out.Schedules, &core.DeploymentSchedule{
			ID: s.ID, Created: s.Created.Time, Updated: s.Updated.Time, DeploymentID: d.ID, Schedule: json.RawMessage(s.Schedule), Active: s.Active,
			MaxScheduledRuns: s.MaxScheduledRuns, Parameters: orEmpty(notNull(s.Parameters)), Slug: s.Slug, Policy: s.policy(),
		})
	}
	return out, nil
}

// policy is what becomes of the schedule's runs that are late or meet each other.
func (s *DeploymentSchedule) policy() core.SchedulePolicy {
	p := core.SchedulePolicy{Overlap: s.Overlap, MaxWaiting: s.MaxWaiting}
	if s.CatchupWindow != nil {
		window := time.Duration(*s.CatchupWindow * float64(time.Second))
		p.CatchupWindow = &window
	}
	return p
}

// Core returns the automation as the domain keeps it. A trigger or an action
// that cannot be read is an error.
func (a *Automation) Core() (*core.Automation, error) {
	var trigger AutomationTrigger
	if err := wire.Decode(json.RawMessage(a.Trigger), &trigger); err != nil {
		return nil, fmt.Errorf("trigger: %w", err)
	}
	out := &core.Automation{
		ID: a.ID, Created: a.Created.Time, Updated: a.Updated.Time, Name: a.Name, Description: a.Description, Enabled: a.Enabled,
		Tags: a.Tags, Trigger: json.RawMessage(a.Trigger),
	}
	for _, list := range []struct {
		dst *json.RawMessage
		raw json.RawMessage
	}{
		{&out.Actions, json.RawMessage(a.Actions)},
		{&out.ActionsOnTrigger, json.RawMessage(a.ActionsOnTrigger)},
		{&out.ActionsOnResolve, json.RawMessage(a.ActionsOnResolve)},
	} {
		if len(list.raw) == 0 {
			list.raw = json.RawMessage("[]")
		}
		var actions []AutomationAction
		if err := wire.Decode(list.raw, &actions); err != nil {
			return nil, fmt.Errorf("actions: %w", err)
		}
		*list.dst = list.raw
	}
	return out, nil
}

// Core returns the search as the domain keeps it.
func (s *SavedSearch) Core() *core.SavedSearch {
	return &core.SavedSearch{ID: s.ID, Created: s.Created.Time, Updated: s.Updated.Time, Name: s.Name, Filters: json.RawMessage(s.Filters)}
}

// Core returns the state as the domain keeps it; nil for nil.
func (s *State) Core() *core.State {
	if s == nil {
		return nil
	}
	return &core.State{
		ID: s.ID, Type: s.Type, Name: s.Name, Timestamp: s.Timestamp.Time, Message: s.Message, Data: notNull(s.Data), Details: s.Details.Core(),
	}
}

// coreStates returns states as the domain keeps them.
func coreStates(states []State) []*core.State {
	out := make([]*core.State, len(states))
	for i := range states {
		out[i] = states[i].Core()
	}
	return out
}

// Core returns the run and its states as the domain keeps them.
func (r *RecordedFlowRun) Core() (*core.FlowRun, []*core.State) {
	return &core.FlowRun{
		ID: r.ID, Created: r.Created.Time, Updated: r.Updated.Time, Name: r.Name, FlowID: r.FlowID, DeploymentID: r.DeploymentID,
		DeploymentVersion: r.DeploymentVersion, WorkQueueID: r.WorkQueueID, QueueName: r.WorkQueueName, FlowVersion: r.FlowVersion,
		Parameters:     notNull(r.Parameters),
		IdempotencyKey: r.IdempotencyKey, Context: notNull(r.Context), Policy: r.Policy.Core(), Tags: r.Tags,
		Labels: notNull(json.RawMessage(r.Labels)), JobVariables: notNull(r.JobVariables), CreatedBy: rawOf(r.CreatedBy),
		ParentTaskRunID: r.ParentTaskRunID, AutoScheduled: r.AutoScheduled, InfrastructureDocumentID: r.InfrastructureDocumentID,
		InfrastructurePID: r.InfrastructurePID, RunCount: r.RunCount, ExpectedStartTime: r.ExpectedStartTime.Ptr(),
		NextScheduledStartTime: r.NextScheduledStartTime.Ptr(), StartTime: r.StartTime.Ptr(), EndTime: r.EndTime.Ptr(),
		TotalRunTime: duration(r.TotalRunTime), State: r.State.Core(),
	}, coreStates(r.States)
}

// duration is a number of seconds, in the resolution in which it is stored.
func duration(seconds wire.Float) time.Duration {
	return time.Duration(float64(seconds)*1e6+0.5) * time.Microsecond
}

// Core returns the input as the domain keeps it.
func (i *FlowRunInput) Core() *core.FlowRunInput {
	return &core.FlowRunInput{
		ID: i.ID, Created: i.Created.Time, Updated: i.Updated.Time, FlowRunID: i.FlowRunID, Key: i.Key, Value: i.Value, Sender: i.Sender,
	}
}

// Core returns the run and its states as the domain keeps them.
func (r *RecordedTaskRun) Core() (*core.TaskRun, []*core.State) {
	return &core.TaskRun{
		ID: r.ID, Created: r.Created.Time, Updated: r.Updated.Time, Name: r.Name, FlowRunID: r.FlowRunID, TaskKey: r.TaskKey,
		DynamicKey: r.DynamicKey, CacheKey: r.CacheKey, CacheExpiration: r.CacheExpiration.Ptr(), TaskVersion: r.TaskVersion,
		Policy: r.Policy.Core(), Tags: r.Tags, Labels: notNull(json.RawMessage(r.Labels)), TaskInputs: rawOf(r.TaskInputs),
		RunCount: r.RunCount, FlowRunRunCount: r.FlowRunRunCount, ExpectedStartTime: r.ExpectedStartTime.Ptr(),
		NextScheduledStartTime: r.NextScheduledStartTime.Ptr(), StartTime: r.StartTime.Ptr(), EndTime: r.EndTime.Ptr(),
		TotalRunTime: duration(r.TotalRunTime), State: r.State.Core(),
	}, coreStates(r.States)
}

// Core returns the line as the domain keeps it; it gets another id.
func (l *Log) Core() *core.Log {
	return &core.Log{
		Created: l.Created.Time, Name: l.Name, Level: l.Level, Message: l.Message, Timestamp: l.Timestamp.Time, FlowRunID: l.FlowRunID,
		TaskRunID: l.TaskRunID,
	}
}

// Core returns the artifact as the domain keeps it.
func (a *Artifact) Core() *core.Artifact {
	return &core.Artifact{
		ID: a.ID, Created: a.Created.Time, Updated: a.Updated.Time, Key: a.Key, Type: a.Type, Description: a.Description,
		Data: notNull(a.Data), Metadata: notNull(json.RawMessage(a.Metadata)), FlowRunID: a.FlowRunID, TaskRunID: a.TaskRunID,
	}
}

// Core returns the collection as the domain keeps it.
func (c *ArtifactCollection) Core() *core.ArtifactCollection {
	return &core.ArtifactCollection{ID: c.ID, Created: c.Created.Time, Updated: c.Updated.Time, Key: c.Key, LatestID: c.LatestID}
}

// Core returns the event as the domain keeps it.
func (e *Event) Core() *core.Event {
	out := &core.Event{
		ID: e.ID, Occurred: e.Occurred.Time, Received: e.Occurred.Time, Event: e.Event, Resource: e.Resource, Related: NotNil(e.Related),
		Payload: notNull(e.Payload), Follows: e.Follows,
	}
	if e.Received != nil {
		out.Received = e.Received.Time
	}
	return out
}
