package engine

import (
	"context"
	"encoding/json"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// UpdateFlowRun lets change edit the run and stores it, or returns a NotFound
// error. Prefect REST: PATCH /flow_runs/{id}.
func (e *Engine) UpdateFlowRun(ctx context.Context, ws core.WorkspaceID, id core.ID, change func(*core.FlowRun)) error {
	return e.changeFlowRun(ctx, ws, id, func(_ core.Tx, run *core.FlowRun) error {
		change(run)
		return nil
	})
}

// UpdateFlowRunVariables is UpdateFlowRun for a change that names job
// variables: only a run of a deployment that has not begun takes them.
func (e *Engine) UpdateFlowRunVariables(
	ctx context.Context, ws core.WorkspaceID, id core.ID, variables json.RawMessage, change func(*core.FlowRun),
) error {
	return e.changeFlowRun(ctx, ws, id, func(tx core.Tx, run *core.FlowRun) error {
		if run.State != nil && run.State.Type != core.Scheduled {
			return core.Errorf(core.BadRequest, "Job variables for a flow run in state %s cannot be updated", run.State.Type)
		}
		noDeployment := core.Errorf(core.BadRequest, "A deployment for the flow run could not be found")
		if run.DeploymentID == nil {
			return noDeployment
		}
		if _, err := tx.Deployment(*run.DeploymentID); missing(err) {
			return noDeployment
		} else if err != nil {
			return err
		}
		change(run)
		run.JobVariables = variables
		return nil
	})
}

func (e *Engine) changeFlowRun(ctx context.Context, ws core.WorkspaceID, id core.ID, change func(core.Tx, *core.FlowRun) error) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		run, err := tx.FlowRun(id)
		if err != nil {
			return err
		}
		if err := change(tx, run); err != nil {
			return err
		}
		run.Updated = e.now()
		if run.Name == "" {
			run.Name = runName(core.NewID(run.Updated))
		}
		return tx.UpdateFlowRun(run)
	})
}

// MergeFlowRunLabels lays labels over the run's, or returns a NotFound error.
// Prefect REST: PATCH /flow_runs/{id}/labels.
func (e *Engine) MergeFlowRunLabels(ctx context.Context, ws core.WorkspaceID, id core.ID, labels json.RawMessage) error {
	return e.UpdateFlowRun(ctx, ws, id, func(run *core.FlowRun) { run.Labels = mergeObjects(run.Labels, labels) })
}

// DeleteFlowRun removes the run with its task runs and logs and gives back the
// slot it holds, or returns a NotFound error. Prefect REST: DELETE /flow_runs/{id}.
func (e *Engine) DeleteFlowRun(ctx context.Context, ws core.WorkspaceID, id core.ID) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error { return deleteFlowRun(tx, e.now(), id) })
}

func deleteFlowRun(tx core.Tx, now time.Time, id core.ID) error {
	run, err := tx.FlowRun(id)
	if err != nil {
		return err
	}
	if run.State != nil && run.State.Details.DeploymentConcurrencyLeaseID != nil {
		if err := releaseLease(tx, now, *run.State.Details.DeploymentConcurrencyLeaseID); err != nil && !missing(err) {
			return err
		}
	}
	_, err = tx.DeleteFlowRun(id)
	return err
}

// UpdateTaskRun renames the task run, or returns a NotFound error. Prefect REST: PATCH /task_runs/{id}.
func (e *Engine) UpdateTaskRun(ctx context.Context, ws core.WorkspaceID, id core.ID, name string) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		run, err := tx.TaskRun(id)
		if err != nil {
			return err
		}
		run.Name, run.Updated = name, e.now()
		if run.Name == "" {
			run.Name = runName(core.NewID(run.Updated))
		}
		return tx.UpdateTaskRun(run)
	})
}

// DeleteTaskRun removes the run, or returns a NotFound error. Prefect REST: DELETE /task_runs/{id}.
func (e *Engine) DeleteTaskRun(ctx context.Context, ws core.WorkspaceID, id core.ID) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		found, err := tx.DeleteTaskRun(id)
		if err == nil && !found {
			err = core.Errorf(core.NotFound, "Task not found")
		}
		return err
	})
}
