package engine

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/value"
)

// maxMapConcurrency is how many executions of a map run run at once when its
// definition does not say.
const maxMapConcurrency = 1000

// watchedRun is what the action of a map run keeps of it.
type watchedRun struct {
	MapRun core.ID `json:"map_run"`
}

// WatchedMapRun is the map run that an action has begun.
func WatchedMapRun(a *core.ExecutionAction) (core.ID, bool) {
	var w watchedRun
	if len(a.Watch) == 0 || json.Unmarshal(a.Watch, &w) != nil {
		return w.MapRun, false
	}
	return w.MapRun, w.MapRun != core.ID{}
}

// BeginMapRun makes the map run of an action, or returns the one that was made before.
func (e *Engine) BeginMapRun(ctx context.Context, ws core.WorkspaceID, a *core.ExecutionAction, spec *asl.Action) (*core.MapRun, error) {
	var run *core.MapRun
	err := e.store.Update(ctx, ws, func(tx core.Tx) (err error) {
		if run, err = tx.MapRunOf(a.RunID, a.Key); !missing(err) {
			return err
		}
		x, err := tx.Execution(a.RunID)
		if err != nil {
			return err
		}
		now, err := tx.ExecutionAction(a.RunID, a.Key)
		if err != nil {
			return err
		}
		run = e.newMapRun(x, a, spec)
		if now.Watch, err = json.Marshal(watchedRun{run.ID}); err != nil {
			return err
		}
		if err := tx.UpdateExecutionAction(now); err != nil {
			return err
		}
		return tx.InsertMapRun(run)
	})
	if err != nil {
		return nil, err
	}
	_, err = e.AdvanceExecution(ctx, ws, a.RunID, asl.Input{Kind: asl.InputRunStarted, Key: a.Key, Text: run.ARN})
	return run, err
}

func (e *Engine) newMapRun(x *core.Execution, a *core.ExecutionAction, spec *asl.Action) *core.MapRun {
	now := e.now()
	label := spec.Run.Label
	if label == "" {
		label = randomUUID()
	}
	machineARN, _, _ := strings.Cut(x.MachineARN, "/")
	r := &core.MapRun{
		ID: core.NewID(now), RunID: a.RunID, Key: a.Key, Label: label, State: spec.State, Status: string(asl.Running),
		MachineARN: machineARN + "/" + label, Started: now,
	}
	r.ARN = strings.Replace(r.MachineARN, ":stateMachine:", ":mapRun:", 1) + ":" + randomUUID()
	items := spec.Run.Items
	spec.Run.Items = nil
	r.Spec = value.Append(nil, encodeMapRun(spec.Run))
	spec.Run.Items = items
	r.Concurrency, r.Count, r.Percentage = int(spec.Run.Concurrency), int(spec.Run.ToleratedCount), spec.Run.ToleratedPercentage
	return r
}

// SetMapRunItems stores what the executions of a map run get.
func (e *Engine) SetMapRunItems(ctx context.Context, ws core.WorkspaceID, id core.ID, items []core.MapRunItem) error {
	const batch = 512
	for from := 0; from < len(items); from += batch {
		part := items[from:min(from+batch, len(items))]
		if err := e.store.Update(ctx, ws, func(tx core.Tx) error { return tx.InsertMapRunItems(id, from, part) }); err != nil {
			return err
		}
	}
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		run, err := tx.MapRun(id)
		if err != nil || run.Known {
			return err
		}
		run.Known, run.Total = true, len(items)
		for _, i := range items {
			run.ItemTotal += i.Items
		}
		return tx.UpdateMapRun(run)
	})
}

// FillMapRun starts the executions that a map run may have, and returns how it
// stands then.
func (e *Engine) FillMapRun(ctx context.Context, ws core.WorkspaceID, id core.ID) (*core.MapRun, error) {
	for {
		var run *core.MapRun
		var item core.MapRunItem
		err := e.store.View(ctx, ws, func(tx core.Tx) (err error) {
			if run, err = tx.MapRun(id); err != nil || !mayStart(run) {
				return err
			}
			item, err = tx.MapRunItem(id, run.Next)
			return err
		})
		if err != nil || !mayStart(run) {
			return run, err
		}
		if _, err := e.startItem(ctx, ws, run, item); err != nil {
			return nil, err
		}
	}
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
	run.Running--
	run.Items.Running -= item.Items
	switch status {
	case asl.Succeeded:
		run.Succeeded++
		run.Items.Succeeded += item.Items
	case asl.TimedOut:
		run.TimedOut++
		run.Items.TimedOut += item.Items
	case asl.Aborted:
		run.Aborted++
		run.Items.Aborted += item.Items
	case asl.Failed, asl.Running:
		run.Failed++
		run.Items.Failed += item.Items
	}
	if err := tx.UpdateMapRun(run); err != nil || run.Status != string(asl.Running) {
		return err
	}
	return lookAfter(tx, run, now)
}

// lookAfter has somebody look after a map run.
func lookAfter(tx core.Tx, run *core.MapRun, now time.Time) error {
	a, err := tx.ExecutionAction(run.RunID, run.Key)
	if err != nil {
		return ignoring(err)
	}
	if a.Owner != "" {
		return nil // who has it in hand looks again before he lets it rest
	}
	a.Due = &now
	return tx.UpdateExecutionAction(a)
}

// EndMapRun writes how a map run ended, unless it has ended.
func (e *Engine) EndMapRun(ctx context.Context, ws core.WorkspaceID, id core.ID, status asl.Status, written int) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		run, err := tx.MapRun(id)
		if err != nil || run.Status != string(asl.Running) {
			return err
		}
		now := e.now()
		run.Status, run.Stopped, run.Written = string(status), &now, written
		return tx.UpdateMapRun(run)
	})
}

// AbortMapRun stops the executions of a map run that still run.
func (e *Engine) AbortMapRun(ctx context.Context, ws core.WorkspaceID, id core.ID) error {
	for {
		var left []*core.Execution
		if err := e.store.View(ctx, ws, func(tx core.Tx) (err error) {
			left, err = tx.ListExecutions(core.ExecutionQuery{MapRunID: &id, Status: string(asl.Running), Limit: 200})
			return err
		}); err != nil || len(left) == 0 {
			return err
		}
		for _, x := range left {
			if _, err := e.AdvanceExecution(ctx, ws, x.RunID, asl.Input{Kind: asl.InputAbort}); err != nil {
				return err
			}
		}
	}
}

// UpdateMapRun changes what bounds a map run that runs; nil leaves a bound.
// Step Functions: UpdateMapRun.
func (e *Engine) UpdateMapRun(ctx context.Context, ws core.WorkspaceID, arn string, concurrency, count *int, percentage *float64) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		run, err := tx.MapRunByARN(arn)
		if err != nil {
			return or(err, noResource(arn))
		}
		if run.Status != string(asl.Running) {
			return notValid("Map Run is not running: '%s'", arn)
		}
		if concurrency != nil {
			run.Concurrency = *concurrency
		}
		if count != nil {
			run.Count = *count
		}
		if percentage != nil {
			run.Percentage = *percentage
		}
		if err := tx.UpdateMapRun(run); err != nil {
			return err
		}
		return lookAfter(tx, run, e.now())
	})
}

// mayStart reports whether one more execution of the map run may be started.
func mayStart(run *core.MapRun) bool {
	most := run.Concurrency
	if most <= 0 {
		most = maxMapConcurrency
	}
	return run.Status == string(asl.Running) && run.Known && run.Next < run.Total && run.Running < most && !Exceeded(run)
}

// Exceeded reports whether more of a map run's items failed than may.
func Exceeded(run *core.MapRun) bool {
	return !asl.Tolerates(int64(run.Count), run.Percentage, run.Items.Failed+run.Items.TimedOut, run.ItemTotal)
}

// startItem starts the next execution of a map run, unless another replica has.
func (e *Engine) startItem(ctx context.Context, ws core.WorkspaceID, run *core.MapRun, item core.MapRunItem) (*core.Execution, error) {
	base, _, _ := strings.Cut(run.MachineARN, "/")
	return e.StartExecution(ctx, ws, NewExecution{ARN: base, Name: randomUUID(), Input: item.Input, mapRun: run, item: run.Next, items: item.Items})
}

// RestMapRun puts the action of a map run back until an execution of it ends,
// unless there is something to do already.
func (e *Engine) RestMapRun(ctx context.Context, ws core.WorkspaceID, a *core.ExecutionAction, id core.ID) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		run, err := tx.MapRun(id)
		if err != nil {
			return ignoring(err)
		}
		now, err := tx.ExecutionAction(a.RunID, a.Key)
		if err != nil {
			return ignoring(err)
		}
		now.Owner, now.Due = "", nil
		if mayStart(run) || Exceeded(run) || run.Next == run.Total && run.Running == 0 {
			at := e.now()
			now.Due = &at
		}
		return tx.UpdateExecutionAction(now)
	})
}

// SelectMapRunItems applies the ItemSelector of the Map state that an action is
// for to items that were read for it.
func (e *Engine) SelectMapRunItems(ctx context.Context, ws core.WorkspaceID, a *core.ExecutionAction, items []any) (out []any, failure *asl.Failure, err error) {
	defer e.runs.lock(a.RunID)()
	err = e.store.View(ctx, ws, func(tx core.Tx) error {
		row, err := tx.Execution(a.RunID)
		if err != nil {
			return err
		}
		p, err := e.load(tx, row)
		if err == nil {
			out, failure = p.x.Selected(a.Key, items)
		}
		return err
	})
	return out, failure, err
}
