package engine

import (
	"context"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
)

// redrivenMapRun is the map run that an action goes on with. Its executions that
// did not succeed wait to be redriven; those that cannot be stay as they ended.
func (e *Engine) redrivenMapRun(tx core.Tx, a *core.ExecutionAction, spec *asl.Action) (*core.MapRun, error) {
	run, err := tx.MapRunByARN(spec.Redrive)
	if err != nil {
		return nil, err
	}
	if _, err := tx.ExecutionAction(run.RunID, run.Key); !missing(err) {
		if err == nil {
			err = core.Errorf(core.Unavailable, "the map run %s is still being stopped", run.ARN)
		}
		return nil, err
	}
	now := e.now()
	run.Key, run.Status, run.Stopped, run.Redrives, run.Redriven, run.Written = a.Key, string(asl.Running), nil, spec.Redrives, &now, 0
	pended, err := tx.PendRedrives(run.ID, mostRedrivable(e.runs.limits.Events), now.Add(-redrivePeriod))
	for _, p := range pended {
		countAs(run, asl.Status(p.Status), -p.Executions, -p.Items)
		run.Pending += p.Executions
		run.PendingItems += p.Items
	}
	run.NotRedrivable = run.Failed + run.TimedOut + run.Aborted
	run.NotRedrivableItems = run.Items.Failed + run.Items.TimedOut + run.Items.Aborted
	return run, err
}

// countRedriven counts an execution of a map run that is being redriven.
func countRedriven(tx core.Tx, x *core.Execution) error {
	run, err := tx.MapRun(*x.MapRunID)
	if err != nil {
		return ignoring(err)
	}
	item, err := tx.MapRunItem(run.ID, x.Item)
	if err != nil {
		return err
	}
	run.Pending--
	run.PendingItems -= item.Items
	run.Running++
	run.Items.Running += item.Items
	return tx.UpdateMapRun(run)
}

// AbortMapRun stops the executions of a map run that still run. Those that were
// to be redriven stay as they ended before.
func (e *Engine) AbortMapRun(ctx context.Context, ws core.WorkspaceID, id core.ID) error {
	if err := e.eachOfMapRun(ctx, ws, id, core.PendingRedrive, func(x *core.Execution) error { return e.giveUpRedrive(ctx, ws, x) }); err != nil {
		return err
	}
	return e.eachOfMapRun(ctx, ws, id, string(asl.Running), func(x *core.Execution) error {
		_, err := e.AdvanceExecution(ctx, ws, x.RunID, asl.Input{Kind: asl.InputAbort})
		return err
	})
}

// eachOfMapRun calls do for executions of a map run until none has the status.
func (e *Engine) eachOfMapRun(ctx context.Context, ws core.WorkspaceID, id core.ID, status string, do func(*core.Execution) error) error {
	for {
		var left []*core.Execution
		if err := e.store.View(ctx, ws, func(tx core.Tx) (err error) {
			left, err = tx.ListExecutions(core.ExecutionQuery{MapRunID: &id, Status: status, Limit: 200})
			return err
		}); err != nil || len(left) == 0 {
			return err
		}
		for _, x := range left {
			if err := do(x); err != nil {
				return err
			}
		}
	}
}

// giveUpRedrive makes an execution that was to be redriven as it was.
func (e *Engine) giveUpRedrive(ctx context.Context, ws core.WorkspaceID, x *core.Execution) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		now, err := tx.Execution(x.RunID)
		if err != nil || now.Status != core.PendingRedrive {
			return err
		}
		status, err := e.statusBefore(tx, now)
		if err != nil {
			return err
		}
		run, err := tx.MapRun(*now.MapRunID)
		if err != nil {
			return err
		}
		item, err := tx.MapRunItem(run.ID, now.Item)
		if err != nil {
			return err
		}
		run.Pending--
		run.PendingItems -= item.Items
		countAs(run, status, 1, item.Items)
		if err := tx.UpdateMapRun(run); err != nil {
			return err
		}
		return tx.ReplaceMapRunExecution(now.RunID, string(status), now.Item)
	})
}
