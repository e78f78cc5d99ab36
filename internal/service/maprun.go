package service

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/value"
)

// Items reads the items of distributed Map states and writes their results.
type Items interface {
	// Read reads at most so many items (0: all, below 0 is an error) from where the transfer says.
	Read(ctx context.Context, t integration.Task, from *asl.Transfer, most int64) ([]any, *integration.TaskError)
	// Write writes the results of a map run's executions and returns the state's result.
	Write(ctx context.Context, t integration.Task, to *asl.Transfer, run *core.MapRun, results []*core.Execution) (any, *integration.TaskError)
}

// stopWait is how long a redrive waits before it looks again whether the attempt
// before it has been stopped.
const stopWait = 100 * time.Millisecond

// mapRun carries a map run on: it makes it, starts the executions that it may
// have, and ends it when they have ended.
func (s *States) mapRun(ctx context.Context, a *core.ExecutionAction) error {
	spec, err := engine.DecodeSpec(a)
	if err != nil {
		return err
	}
	run, err := s.Engine.BeginMapRun(ctx, a.Workspace, a, spec)
	if core.CodeOf(err) == core.Unavailable && spec.Redrive != "" {
		return s.Engine.DelayAction(ctx, a.Workspace, a, s.Now().Add(stopWait))
	}
	if err != nil {
		return s.unless(ctx, a, err)
	}
	task, _, err := s.task(ctx, a, spec) // a map run calls no resource of its own
	if err != nil {
		return s.unless(ctx, a, err)
	}
	if !run.Known {
		if failure, err := s.readItems(ctx, a, task, spec, run); err != nil || ctx.Err() != nil {
			return s.unless(ctx, a, err)
		} else if failure != nil {
			return s.failMapRun(ctx, a, run, *failure)
		}
	}
	if run, err = s.Engine.FillMapRun(ctx, a.Workspace, run.ID); err != nil {
		return err
	}
	switch {
	case engine.Exceeded(run):
		return s.exceeded(ctx, a, task, spec.Run, run)
	case engine.Complete(run):
		return s.finishMapRun(ctx, a, task, spec.Run, run)
	}
	return s.Engine.RestMapRun(ctx, a.Workspace, a, run.ID)
}

// readItems finds the items of a map run and stores what its executions get.
func (s *States) readItems(
	ctx context.Context, a *core.ExecutionAction, t integration.Task, spec *asl.Action, run *core.MapRun,
) (*asl.Failure, error) {
	items := spec.Run.Items
	if spec.Run.Reader != nil {
		read, failed := s.Items.Read(ctx, t, spec.Run.Reader, spec.Run.MaxItems)
		if failed != nil {
			f := failureOf(failed)
			return &f, nil
		}
		var failure *asl.Failure
		var err error
		if items, failure, err = s.Engine.SelectMapRunItems(ctx, a.Workspace, a, spec.Run.Reader, read); err != nil || failure != nil {
			return failure, err
		}
	}
	return nil, s.Engine.SetMapRunItems(ctx, a.Workspace, run.ID, inputs(spec.Run, items))
}

// inputs are what the executions of a map run get, as they are stored.
func inputs(r *asl.MapRun, items []any) []core.MapRunItem {
	list := r.Inputs(items)
	out := make([]core.MapRunItem, len(list))
	for i, in := range list {
		out[i] = core.MapRunItem{Input: value.String(in.Input), Items: in.Items}
	}
	return out
}

// finishMapRun gives the state its result.
func (s *States) finishMapRun(ctx context.Context, a *core.ExecutionAction, t integration.Task, r *asl.MapRun, run *core.MapRun) error {
	results, err := s.results(ctx, a.Workspace, run)
	if err != nil {
		return err
	}
	var out any
	if r.Writer != nil {
		var failure *integration.TaskError
		if out, failure = s.Items.Write(ctx, t, r.Writer, run, results); failure != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // the server stops: the action is taken up again
			}
			return s.failMapRun(ctx, a, run, failureOf(failure))
		}
	} else {
		list := make([]any, 0, len(results))
		for _, x := range results {
			if x.Output != nil {
				v, err := value.Parse([]byte(*x.Output))
				if err != nil {
					return err
				}
				list = append(list, v)
			}
		}
		out = list
	}
	if err := s.Engine.EndMapRun(ctx, a.Workspace, run.ID, asl.Succeeded, len(results)); err != nil {
		return err
	}
	return s.give(ctx, a, asl.Input{Kind: asl.InputSucceeded, Key: a.Key, Output: out})
}

func (s *States) failMapRun(ctx context.Context, a *core.ExecutionAction, run *core.MapRun, why asl.Failure) error {
	if err := s.Engine.EndMapRun(ctx, a.Workspace, run.ID, asl.Failed, 0); err != nil {
		return err
	}
	if err := s.Engine.AbortMapRun(ctx, a.Workspace, run.ID); err != nil {
		return err
	}
	return s.give(ctx, a, asl.Input{Kind: asl.InputFailed, Key: a.Key, Failure: why})
}

// exceeded ends a map run of which too many executions failed. What came of it
// is written all the same.
func (s *States) exceeded(ctx context.Context, a *core.ExecutionAction, t integration.Task, r *asl.MapRun, run *core.MapRun) error {
	if r.Writer == nil || r.Writer.Resource == "" {
		return s.failMapRun(ctx, a, run, asl.ToleranceExceeded())
	}
	if err := s.Engine.AbortMapRun(ctx, a.Workspace, run.ID); err != nil {
		return err
	}
	results, err := s.results(ctx, a.Workspace, run)
	if err != nil {
		return err
	}
	written := run.Next // those that were never started have no results
	if _, failed := s.Items.Write(ctx, t, r.Writer, run, results); failed != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the server stops: the action is taken up again
		}
		s.Log.Warn("the results of a map run that failed were not written", "map_run", run.ARN, "error", failed.Cause)
		written = 0
	}
	if err := s.Engine.EndMapRun(ctx, a.Workspace, run.ID, asl.Failed, written); err != nil {
		return err
	}
	return s.failMapRun(ctx, a, run, asl.ToleranceExceeded())
}

// results lists the executions of a map run, with those that were never started.
func (s *States) results(ctx context.Context, ws core.WorkspaceID, run *core.MapRun) (list []*core.Execution, err error) {
	err = s.Engine.Store().View(ctx, ws, func(tx core.Tx) error {
		if list, err = tx.MapRunResults(run.ID); err != nil {
			return err
		}
		for n := run.Next; n < run.Total; n++ {
			item, err := tx.MapRunItem(run.ID, n)
			if err != nil {
				return err
			}
			list = append(list, &core.Execution{
				Name: run.Label, MachineARN: run.MachineARN, Status: integration.Pending, Input: item.Input, MapRunID: &run.ID, Item: n,
			})
		}
		return nil
	})
	return list, err
}

// stopMapRun ends a map run that nobody waits for any more.
func (s *States) stopMapRun(ctx context.Context, a *core.ExecutionAction, id core.ID) error {
	if err := s.Engine.EndMapRun(ctx, a.Workspace, id, asl.Aborted, 0); err != nil {
		return s.unless(ctx, a, err)
	}
	if err := s.Engine.AbortMapRun(ctx, a.Workspace, id); err != nil {
		return err
	}
	return s.Engine.DropAction(ctx, a.Workspace, a)
}
