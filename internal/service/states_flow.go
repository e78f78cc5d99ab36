package service

import (
	"context"
	"errors"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/value"
)

// Flows runs deployments for states of state machines. A run's end wakes the
// state that waits for it; it is looked at in between in case that was missed.
type Flows struct {
	Engine *engine.Engine
	Now    func() time.Time
	// Workspace returns the workspace of an AWS account.
	Workspace func(ctx context.Context, account string) (core.WorkspaceID, error)
}

var _ integration.Flows = Flows{}

const (
	// maxFlowResult is how large a run's result may be, in bytes, to be shown.
	maxFlowResult = 64 << 10
	// A run is looked at again after a tenth of the time for which it was
	// watched, within these bounds.
	minFlowLook = 500 * time.Millisecond
	maxFlowLook = 30 * time.Second
)

// StartFlow implements integration.Flows.
func (f Flows) StartFlow(ctx context.Context, t integration.Task) (string, *value.Object, *integration.TaskError) {
	asked, failure := integration.ReadFlowRun(t.Parameters)
	if failure != nil {
		return "", nil, failure
	}
	ws, err := f.Workspace(ctx, t.Account)
	if err != nil {
		return "", nil, flowFailure(err)
	}
	id, err := f.deployment(ctx, ws, asked)
	if err != nil {
		return "", nil, flowFailure(err)
	}
	run, _, err := f.Engine.CreateDeploymentRun(ctx, ws, id, engine.DeploymentRun{
		Name: asked.Name, Parameters: asked.Parameters, Tags: asked.Tags, JobVariables: asked.JobVariables,
		IdempotencyKey: flowKey(asked.IdempotencyKey, t.Call), Labels: engine.CallerLabels(t.ExecutionARN, t.State, t.Call),
	})
	if err != nil {
		return "", nil, flowFailure(err)
	}
	return run.ID.String(), flowOutput(run), nil
}

// flowKey is the key by which a call that is made again finds the run that it made.
func flowKey(given, call string) *string {
	if given == "" && call != "" {
		given = "execution:" + call
	}
	if given == "" {
		return nil
	}
	return &given
}

func (f Flows) deployment(ctx context.Context, ws core.WorkspaceID, asked integration.FlowRun) (id core.ID, err error) {
	if asked.DeploymentID != "" {
		if id, err = core.ParseID(asked.DeploymentID); err != nil {
			err = core.Errorf(core.NotFound, "no deployment has the id %q", asked.DeploymentID)
		}
		return id, err
	}
	err = f.Engine.Store().View(ctx, ws, func(tx core.Tx) error {
		flow, err := tx.FlowByName(asked.Flow)
		if err != nil {
			return err
		}
		d, err := tx.DeploymentByName(flow.ID, asked.Deployment)
		if err == nil {
			id = d.ID
		}
		return err
	})
	if core.CodeOf(err) == core.NotFound {
		err = core.Errorf(core.NotFound, "there is no deployment %s/%s", asked.Flow, asked.Deployment)
	}
	return id, err
}

// FlowProgress implements integration.Flows.
func (f Flows) FlowProgress(ctx context.Context, w integration.Watch) integration.Progress {
	run, _, err := f.run(ctx, w)
	switch {
	case core.CodeOf(err) == core.NotFound:
		return integration.Progress{Done: true, Watch: w, Error: flowFailure(err)}
	case err != nil || run.State == nil || !run.State.Type.Terminal():
		w.Looks++
		return integration.Progress{Watch: w, After: min(max(f.Now().Sub(w.Started)/10, minFlowLook), maxFlowLook)}
	case run.State.Type != core.Completed:
		return integration.Progress{Done: true, Watch: w, Error: &integration.TaskError{Error: flowError(run.State), Cause: flowMessage(run)}}
	}
	return integration.Progress{Done: true, Watch: w, Output: flowOutput(run)}
}

// StopFlow implements integration.Flows.
func (f Flows) StopFlow(ctx context.Context, w integration.Watch, cause string) error {
	run, ws, err := f.run(ctx, w)
	if err != nil || run.State != nil && run.State.Type.Terminal() {
		return ignoreMissing(err)
	}
	_, err = f.Engine.SetFlowRunState(ctx, ws, run.ID, engine.Proposal{State: core.NewState(core.Cancelling, &cause)})
	return ignoreMissing(err)
}

func (f Flows) run(ctx context.Context, w integration.Watch) (run *core.FlowRun, ws core.WorkspaceID, err error) {
	if ws, err = f.Workspace(ctx, w.Account); err != nil {
		return nil, ws, err
	}
	if len(w.IDs) != 1 {
		return nil, ws, core.Errorf(core.NotFound, "the flow run is not known")
	}
	id, err := core.ParseID(w.IDs[0])
	if err != nil {
		return nil, ws, core.Errorf(core.NotFound, "%q is no id of a flow run", w.IDs[0])
	}
	err = f.Engine.Store().View(ctx, ws, func(tx core.Tx) (err error) {
		run, err = tx.FlowRun(id)
		return err
	})
	if core.CodeOf(err) == core.NotFound {
		err = core.Errorf(core.NotFound, "flow run %s was deleted", id)
	}
	return run, ws, err
}

// flowFailure is why no run was made, or why it is not known any more.
func flowFailure(err error) *integration.TaskError {
	switch code := core.CodeOf(err); code {
	case core.NotFound:
		return &integration.TaskError{Error: "Flow.NotFound", Cause: err.Error()}
	case core.Internal, core.Unavailable:
		return &integration.TaskError{Error: "Flow.Unavailable", Cause: "the run could not be made"}
	default:
		var known *core.Error
		errors.As(err, &known)
		return &integration.TaskError{Error: "Flow.Refused", Cause: known.Message}
	}
}

// flowError names what became of a run as a state may catch it.
func flowError(s *core.State) string {
	if s.Type == core.Failed && s.Name == "TimedOut" {
		return "Flow.TimedOut"
	}
	return "Flow." + s.Type.DefaultName()
}

func flowMessage(run *core.FlowRun) string {
	if run.State.Message != nil && *run.State.Message != "" {
		return *run.State.Message
	}
	return "flow run " + run.ID.String() + " is " + run.State.Name
}

// flowOutput is a run as states see it.
func flowOutput(run *core.FlowRun) *value.Object {
	state := value.NewObject(0)
	var result any
	if s := run.State; s != nil {
		var message any
		if s.Message != nil {
			message = *s.Message
		}
		state = value.Of("Type", string(s.Type), "Name", s.Name, "Message", message, "Timestamp", s.Timestamp.UTC().Format("2006-01-02T15:04:05.000Z"))
		if len(s.Data) > 0 && len(s.Data) <= maxFlowResult {
			if v, err := value.Parse(s.Data); err == nil {
				result = v
			}
		}
	}
	return value.Of("FlowRunId", run.ID.String(), "Name", run.Name, "State", state, "Result", result)
}
