package engine

import (
	"context"
	"encoding/json"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// NewFlowRun describes a run to be made.
type NewFlowRun struct {
	FlowID core.ID
	// Name is generated when empty.
	Name              string
	Deployment        *core.Deployment
	DeploymentVersion *string
	WorkQueueID       *core.ID
	QueueName         *string // the queue that the run or its deployment named, there or not
	FlowVersion       *string
	Parameters        json.RawMessage
	Context           json.RawMessage
	Policy            core.RunPolicy
	Tags              []string
	Labels            json.RawMessage
	JobVariables      json.RawMessage
	CreatedBy         json.RawMessage
	ParentTaskRunID   *core.ID
	// IdempotencyKey makes a second creation with the same flow and key return the first run.
	IdempotencyKey           *string
	InfrastructureDocumentID *core.ID
	InfrastructurePID        *string
	AutoScheduled            bool
	// ScheduleID is the schedule that makes the run, or nil.
	ScheduleID *core.ID
	// State is the first state; nil stands for Pending.
	State *core.State
	// id is the run's, when it is known before; nil makes one.
	id *core.ID
	// namedDeployment is the id of the deployment that the run itself names. A
	// run keeps it though no deployment has it.
	namedDeployment *core.ID
}

// CreateFlowRun makes a run, or returns the one that was made with the same
// idempotency key, and reports which. An unknown flow or parent is a Conflict.
// Prefect REST: POST /flow_runs/.
func (e *Engine) CreateFlowRun(ctx context.Context, ws core.WorkspaceID, in NewFlowRun) (*core.FlowRun, bool, error) {
	var run *core.FlowRun
	var created bool
	err := e.store.Update(ctx, ws, func(tx core.Tx) (err error) {
		run, created, err = createFlowRun(tx, e.now(), in)
		return err
	})
	return run, created, err
}

func createFlowRun(tx core.Tx, now time.Time, in NewFlowRun) (*core.FlowRun, bool, error) {
	flow, err := tx.Flow(in.FlowID)
	if core.CodeOf(err) == core.NotFound {
		return nil, false, integrityConflict()
	}
	if err != nil {
		return nil, false, err
	}
	if in.IdempotencyKey != nil {
		run, err := tx.FlowRunByIdempotencyKey(in.FlowID, *in.IdempotencyKey)
		if err == nil || core.CodeOf(err) != core.NotFound {
			return run, false, err
		}
	}
	if err := checkRunReferences(tx, in); err != nil {
		return nil, false, err
	}
	run := newFlowRun(now, flow, in)
	if err := fillQueue(tx, run); err != nil {
		return nil, false, err
	}
	state := firstState(now, in.State)
	Decide(run, state, Facts{Now: now, Force: true}).Apply(run)
	finishState(run)
	if err := tx.InsertFlowRun(run); err != nil {
		return nil, false, err
	}
	if in.AutoScheduled {
		tx.Wake(core.TopicScheduledRuns)
		return run, true, nil // the scheduler makes many at once, far ahead: no event tells of each
	}
	return run, true, announceFlowRun(tx, run, nil, now)
}

// checkRunReferences refuses a run that refers to what is not there.
func checkRunReferences(tx core.Tx, in NewFlowRun) error {
	var err error
	if in.ParentTaskRunID != nil {
		_, err = tx.TaskRun(*in.ParentTaskRunID)
	}
	if in.InfrastructureDocumentID != nil && err == nil {
		_, err = tx.BlockDocument(*in.InfrastructureDocumentID)
	}
	if missing(err) {
		return integrityConflict()
	}
	return err
}

// newState is a state of the type that leat itself makes.
func newState(kind core.StateType, now time.Time) core.State {
	return core.State{
		ID: core.NewID(now), Type: kind, Name: kind.DefaultName(), Timestamp: now, Details: core.StateDetails{Deferred: new(bool)},
	}
}

func firstState(now time.Time, given *core.State) core.State {
	if given == nil {
		return newState(core.Pending, now)
	}
	s := *given
	s.ID, s.Timestamp = core.NewID(now), now
	if s.Type == core.Scheduled && s.Details.ScheduledTime == nil {
		s.Details.ScheduledTime = &now
	}
	return s
}

func newFlowRun(now time.Time, flow *core.Flow, in NewFlowRun) *core.FlowRun {
	run := &core.FlowRun{
		ID: core.NewID(now), Created: now, Updated: now, Name: in.Name, FlowID: flow.ID, FlowName: flow.Name, FlowTags: flow.Tags,
		DeploymentVersion: in.DeploymentVersion, WorkQueueID: in.WorkQueueID, QueueName: in.QueueName, FlowVersion: in.FlowVersion, Parameters: in.Parameters,
		IdempotencyKey: in.IdempotencyKey, Context: in.Context, Policy: in.Policy, Tags: in.Tags, JobVariables: in.JobVariables,
		CreatedBy: in.CreatedBy, ParentTaskRunID: in.ParentTaskRunID, AutoScheduled: in.AutoScheduled, ScheduleID: in.ScheduleID,
		InfrastructureDocumentID: in.InfrastructureDocumentID, InfrastructurePID: in.InfrastructurePID,
	}
	if in.id != nil {
		run.ID = *in.id
	}
	if run.Name == "" {
		run.Name = runName(run.ID)
	}
	if run.JobVariables == nil && (in.IdempotencyKey == nil || in.Deployment != nil && in.namedDeployment == nil) {
		// The reference leaves them null for a run with a key of its own.
		run.JobVariables = json.RawMessage("{}")
	}
	if in.Deployment == nil {
		run.DeploymentID = in.namedDeployment
		run.Labels = mergeObjects(flow.Labels, object("prefect.flow.id", flow.ID.String()), in.Labels)
		return run
	}
	d := in.Deployment
	run.DeploymentID, run.DeploymentName, run.DeploymentTags = &d.ID, &d.Name, d.Tags
	run.ConcurrencyLimitID, run.ConcurrencyOptions = d.ConcurrencyLimitID, d.ConcurrencyOptions
	run.Labels = mergeObjects(d.Labels, object("prefect.flow.id", flow.ID.String(), "prefect.deployment.id", d.ID.String()), in.Labels)
	return run
}

// fillQueue brings the names of the queue and the pool that the run goes to.
func fillQueue(tx core.Tx, run *core.FlowRun) error {
	if run.WorkQueueID == nil {
		return nil
	}
	queue, err := tx.WorkQueue(*run.WorkQueueID)
	if core.CodeOf(err) == core.NotFound {
		return integrityConflict()
	}
	if err != nil {
		return err
	}
	pool, err := tx.WorkPool(queue.WorkPoolID)
	if err != nil {
		return err
	}
	run.WorkQueueName, run.WorkPoolID, run.WorkPoolName, run.WorkPoolType = &queue.Name, &pool.ID, &pool.Name, &pool.Type
	return nil
}

// finishState completes what a flow run's state says of its place.
func finishState(run *core.FlowRun) {
	id := run.ID
	run.State.Details.FlowRunID = &id
	if run.ParentTaskRunID != nil {
		run.State.Details.TaskRunID = run.ParentTaskRunID
	}
}

// announceFlowRun stores the event that tells of the run's new state, hands the
// state on to the task run that stands for the run in its parent, and wakes the
// state of a state machine that waits for the run's end.
func announceFlowRun(tx core.Tx, run *core.FlowRun, from *core.State, now time.Time) error {
	var parent *core.TaskRun
	if run.ParentTaskRunID != nil {
		var err error
		if parent, err = mirrorState(tx, run, now); err != nil {
			return err
		}
	}
	if run.State.Type == core.Scheduled || run.State.Type.Terminal() && run.ScheduleID != nil {
		tx.Wake(core.TopicScheduledRuns) // the end of a run may be what the next of its schedule waits for
	}
	if err := wakeCaller(tx, run, now); err != nil {
		return err
	}
	return tx.InsertEvents([]*core.Event{flowRunEvent(run, from, parent, now)})
}

// mirrorState gives the parent's task run the state of its subflow run.
func mirrorState(tx core.Tx, run *core.FlowRun, now time.Time) (*core.TaskRun, error) {
	parent, err := tx.TaskRun(*run.ParentTaskRunID)
	if core.CodeOf(err) == core.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s := *run.State
	child := run.ID
	s.ID, s.Timestamp, s.Details.ChildFlowRunID = core.NewID(now), now, &child
	setTaskState(parent, &s)
	parent.Updated = now
	return parent, tx.SetTaskRunState(parent)
}
