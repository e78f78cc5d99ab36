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

// BeginMapRun makes the map run of an action, goes on with the one that it redrives,
// or returns the one that has begun. It is Unavailable while an earlier attempt is
// still being stopped.
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
		write := tx.InsertMapRun
		if spec.Redrive == "" {
			run = e.newMapRun(x, a, spec)
		} else {
			write = tx.UpdateMapRun
			if run, err = e.redrivenMapRun(tx, a, spec); err != nil {
				return err
			}
		}
		if now.Watch, err = json.Marshal(watchedRun{run.ID}); err != nil {
			return err
		}
		if err := tx.UpdateExecutionAction(now); err != nil {
			return err
		}
		return write(run)
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

// RestMapRun puts the action of a map run back until an execution of it ends,
// unless there is something to do already.
func (e *Engine) RestMapRun(ctx context.Context, ws core.WorkspaceID, a *core.ExecutionAction, id core.ID) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		run, err := tx.MapRun(id)
		if err != nil {
			return ignoring(err)
		}
		now, err := tx.ExecutionAction(a.RunID, a.Key)
		if err != nil || now.Kind != a.Kind { // gone, or to be stopped by now
			return ignoring(err)
		}
		now.Owner, now.Due = "", nil
		if mayStart(run) || Exceeded(run) || Complete(run) {
			at := e.now()
			now.Due = &at
		}
		return tx.UpdateExecutionAction(now)
	})
}

// SelectMapRunItems applies the ItemSelector of the Map state that an action is
// for to items that were read for it.
func (e *Engine) SelectMapRunItems(ctx context.Context, ws core.WorkspaceID, a *core.ExecutionAction, reader *asl.Transfer, items []any) (out []any, failure *asl.Failure, err error) {
	defer e.runs.lock(a.RunID)()
	err = e.store.View(ctx, ws, func(tx core.Tx) error {
		row, err := tx.Execution(a.RunID)
		if err != nil {
			return err
		}
		p, err := e.load(tx, row)
		if err == nil {
			out, failure = p.x.Selected(a.Key, reader, items)
		}
		return err
	})
	return out, failure, err
}
