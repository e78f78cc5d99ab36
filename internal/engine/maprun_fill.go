package engine

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
)

// fillBatch is how many executions of a map run are started in one transaction:
// enough that the commit costs little of each, and few enough that other writers
// do not wait for long.
const fillBatch = 64

// startingItem is an item whose execution is started.
type startingItem struct {
	number int
	core.MapRunItem
	// replaces is an express execution that was to be redriven, which had the status.
	replaces *core.Execution
	status   asl.Status

	input    any
	standing *standing
	step     *step
}

// FillMapRun starts or redrives the executions that a map run may have, and
// returns how it stands then.
func (e *Engine) FillMapRun(ctx context.Context, ws core.WorkspaceID, id core.ID) (*core.MapRun, error) {
	for {
		var run *core.MapRun
		var t *machineTarget
		var items []*startingItem
		var redrives []*core.Execution
		err := e.store.View(ctx, ws, func(tx core.Tx) (err error) {
			if run, err = tx.MapRun(id); err != nil || !mayStart(run) {
				return err
			}
			n := min(fillBatch, most(run)-run.Running)
			if run.Pending > 0 {
				redrives, items, err = e.pendingItems(tx, run, n)
			} else {
				items, err = nextItems(tx, run, n)
			}
			if err == nil && len(items) > 0 {
				t, err = parentOf(tx, run)
			}
			return err
		})
		if err != nil || !mayStart(run) || ctx.Err() != nil {
			return run, err
		}
		for _, x := range redrives {
			if _, err := e.AdvanceExecution(ctx, ws, x.RunID, asl.Input{Kind: asl.InputRedrive}); err != nil {
				return nil, err
			}
		}
		if err := e.startItems(ctx, ws, t, run, items); err != nil {
			return nil, err
		}
	}
}

// nextItems are those that no execution was started for.
func nextItems(tx core.Tx, run *core.MapRun, n int) ([]*startingItem, error) {
	var items []*startingItem
	for number := run.Next; number < min(run.Next+n, run.Total); number++ {
		item, err := tx.MapRunItem(run.ID, number)
		if err != nil {
			return nil, err
		}
		items = append(items, &startingItem{number: number, MapRunItem: item})
	}
	return items, nil
}

// pendingItems are the executions to redrive, and the items of those that are
// started anew.
func (e *Engine) pendingItems(tx core.Tx, run *core.MapRun, n int) (redrives []*core.Execution, items []*startingItem, err error) {
	list, err := tx.ListExecutions(core.ExecutionQuery{MapRunID: &run.ID, Status: core.PendingRedrive, Limit: n})
	for _, x := range list {
		if err != nil {
			return nil, nil, err
		}
		if !x.Express {
			redrives = append(redrives, x)
			continue
		}
		i := &startingItem{number: x.Item, replaces: x}
		if i.status, err = e.statusBefore(tx, x); err == nil {
			i.MapRunItem, err = tx.MapRunItem(run.ID, x.Item)
		}
		items = append(items, i)
	}
	if err == nil && len(list) == 0 {
		err = core.Errorf(core.Internal, "the map run %s counts executions to redrive that are not there", run.ARN)
	}
	return redrives, items, err
}

// statusBefore is how an execution ended that is to be redriven.
func (e *Engine) statusBefore(tx core.Tx, x *core.Execution) (asl.Status, error) {
	p, err := e.load(tx, x)
	if err != nil {
		return "", err
	}
	return p.x.Status(), nil
}

// parentOf is what the executions of a map run are of: the revision of its parent.
func parentOf(tx core.Tx, run *core.MapRun) (*machineTarget, error) {
	x, err := tx.Execution(run.RunID)
	if err != nil {
		return nil, err
	}
	t := &machineTarget{}
	if t.machine, err = tx.StateMachine(x.MachineID); err != nil {
		return nil, err
	}
	t.revision, err = tx.StateMachineRevision(x.RevisionID)
	return t, err
}

// startItems starts executions in one transaction, unless another replica has.
func (e *Engine) startItems(ctx context.Context, ws core.WorkspaceID, t *machineTarget, run *core.MapRun, items []*startingItem) error {
	if len(items) == 0 {
		return nil
	}
	for _, i := range items {
		var err error
		if i.input, err = parseInput(i.Input); err != nil {
			return err
		}
		if i.standing, err = e.begin(t, NewExecution{Name: randomUUID(), Input: i.Input, mapRun: run, item: i.number}, i.input); err != nil {
			return err
		}
		now := i.standing.row.Started
		i.step = e.newStep(i.standing, i.standing.x.Step(now, asl.Input{Kind: asl.InputStart, Text: i.Input}), now)
	}
	mine := false
	err := e.store.Update(ctx, ws, func(tx core.Tx) error {
		now, err := tx.MapRun(run.ID)
		if err != nil {
			return err
		}
		if mine, err = takeItems(tx, now, items); err != nil || !mine {
			return err
		}
		if err := e.insertItems(tx, now, items); err != nil {
			return err
		}
		return tx.UpdateMapRun(now)
	})
	if err != nil || !mine {
		return err
	}
	for _, i := range items {
		e.stored(ws, i.standing, i.step)
	}
	return nil
}

// insertItems stores executions after their first steps, and counts those that
// have ended with it.
func (e *Engine) insertItems(tx core.Tx, run *core.MapRun, items []*startingItem) error {
	var visits []*core.TaskRun
	for _, i := range items {
		now := i.standing.row.Started
		visits = append(visits, visitRuns(i.standing.row, i.step.result, now)...)
		if err := e.insertStarted(tx, i.standing, i.step, i.input, now); err != nil {
			return err
		}
		if i.step.result.Ended {
			countEnded(run, i.step.result.Status, i.Items)
		}
	}
	return tx.RecordTaskRuns(visits)
}

// takeItems counts executions of a map run that start; false tells that another
// replica started them, or that they may not be started any more.
func takeItems(tx core.Tx, run *core.MapRun, items []*startingItem) (bool, error) {
	if !mayStart(run) || run.Running+len(items) > most(run) {
		return false, nil
	}
	if items[0].replaces == nil && run.Next != items[0].number {
		return false, nil
	}
	for _, i := range items {
		if old := i.replaces; old == nil {
			run.Next++
		} else {
			x, err := tx.Execution(old.RunID)
			if err != nil {
				return false, err
			}
			if x.Status != core.PendingRedrive {
				return false, core.Errorf(core.Unavailable, "the redrive of %s was given up", x.ARN)
			}
			if err := tx.ReplaceMapRunExecution(old.RunID, string(i.status), -1-i.number); err != nil {
				return false, err
			}
			run.Pending--
			run.PendingItems -= i.Items
		}
		run.Running++
		run.Items.Running += i.Items
	}
	return true, nil
}

// countInMapRun counts an execution of a map run that has ended, and has
// somebody look after the run.
func countInMapRun(tx core.Tx, x *core.Execution, status asl.Status, now time.Time) error {
	run, err := tx.MapRun(*x.MapRunID)
	if err != nil {
		return ignoring(err)
	}
	item, err := tx.MapRunItem(run.ID, x.Item)
	if err != nil {
		return err
	}
	countEnded(run, status, item.Items)
	if err := tx.UpdateMapRun(run); err != nil || run.Status != string(asl.Running) {
		return err
	}
	return lookAfter(tx, run, now)
}

// countEnded counts an execution that ran and has ended.
func countEnded(run *core.MapRun, status asl.Status, items int) {
	run.Running--
	run.Items.Running -= items
	countAs(run, status, 1, items)
}

// countAs adds executions that ended so.
func countAs(run *core.MapRun, status asl.Status, executions, items int) {
	switch status {
	case asl.Succeeded:
		run.Succeeded += executions
		run.Items.Succeeded += items
	case asl.TimedOut:
		run.TimedOut += executions
		run.Items.TimedOut += items
	case asl.Aborted:
		run.Aborted += executions
		run.Items.Aborted += items
	case asl.Failed, asl.Running:
		run.Failed += executions
		run.Items.Failed += items
	}
}

// most is how many executions of the map run may run at once.
func most(run *core.MapRun) int {
	if run.Concurrency <= 0 {
		return maxMapConcurrency
	}
	return run.Concurrency
}

// mayStart reports whether one more execution of the map run may be started.
func mayStart(run *core.MapRun) bool {
	return run.Status == string(asl.Running) && run.Known && (run.Next < run.Total || run.Pending > 0) && run.Running < most(run) && !Exceeded(run)
}

// Complete reports whether all executions of a map run have ended.
func Complete(run *core.MapRun) bool {
	return run.Next == run.Total && run.Running == 0 && run.Pending == 0
}

// Exceeded reports whether more of a map run's items failed than may.
func Exceeded(run *core.MapRun) bool {
	return !asl.Tolerates(int64(run.Count), run.Percentage, run.Items.Failed+run.Items.TimedOut, run.ItemTotal)
}
