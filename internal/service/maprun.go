package service

import (
	"context"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/value"
)

// Items reads the items of distributed Map states and writes their results.
type Items interface {
	// Read reads at most max items (0: all) from where the transfer says.
	Read(ctx context.Context, t integration.Task, from *asl.Transfer, most int64) ([]any, *integration.TaskError)
	// Write writes the results of a map run's executions and returns the state's result.
	Write(ctx context.Context, t integration.Task, to *asl.Transfer, run *core.MapRun, results []*core.Execution) (any, *integration.TaskError)
}

// mapRun carries a map run on: it makes it, starts the executions that it may
// have, and ends it when they have ended.
func (s *States) mapRun(ctx context.Context, a *core.ExecutionAction) error {
	spec, err := engine.DecodeSpec(a)
	if err != nil {
		return err
	}
	run, err := s.Engine.BeginMapRun(ctx, a.Workspace, a, spec)
	if err != nil {
		return s.unless(ctx, a, err)
	}
	task, failure, err := s.task(ctx, a, spec)
	if err != nil {
		return s.unless(ctx, a, err)
	}
	if !run.Known {
		items := spec.Run.Items
		if spec.Run.Reader != nil {
			items, failure = s.Items.Read(ctx, task, spec.Run.Reader, spec.Run.MaxItems)
		} else {
			failure = nil
		}
		if ctx.Err() != nil {
			return nil
		}
		if failure != nil {
			return s.failMapRun(ctx, a, run, failureOf(failure))
		}
		if err := s.Engine.SetMapRunItems(ctx, a.Workspace, run.ID, inputs(spec.Run, items)); err != nil {
			return err
		}
	}
	if run, err = s.Engine.FillMapRun(ctx, a.Workspace, run.ID); err != nil {
		return err
	}
	switch {
	case engine.Exceeded(run):
		return s.failMapRun(ctx, a, run, asl.ToleranceExceeded())
	case run.Next == run.Total && run.Running == 0:
		return s.finishMapRun(ctx, a, task, spec.Run, run)
	}
	return s.Engine.RestMapRun(ctx, a.Workspace, a, run.ID)
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
	var results []*core.Execution
	if err := s.Engine.Store().View(ctx, a.Workspace, func(tx core.Tx) (err error) {
		results, err = tx.MapRunResults(run.ID)
		return err
	}); err != nil {
		return err
	}
	var out any
	if r.Writer != nil {
		var failure *integration.TaskError
		if out, failure = s.Items.Write(ctx, t, r.Writer, run, results); failure != nil {
			if ctx.Err() != nil {
				return nil
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
