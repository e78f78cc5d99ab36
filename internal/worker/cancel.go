package worker

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/launch"
)

// followCancelling hears at once of runs that are to be cancelled.
func (w *Worker) followCancelling(ctx context.Context) {
	wait := time.Second
	for ctx.Err() == nil {
		now := w.cfg.Now()
		began := now
		err := w.cfg.Client.FollowEvents(ctx, map[string]any{
			"event":        map[string]any{"name": []string{"prefect.flow-run.Cancelling"}},
			"any_resource": map[string]any{"id": []string{"prefect.work-pool." + w.workPool().ID.String()}},
			"occurred":     map[string]any{"since": now.Add(-time.Minute), "until": now.AddDate(1, 0, 0)},
		}, func(e client.Event) {
			for _, l := range e.Resource {
				if id, ok := strings.CutPrefix(l.Value, "prefect.flow-run."); ok && l.Key == "prefect.resource.id" {
					w.cancelByID(ctx, id)
				}
			}
		})
		if ctx.Err() != nil {
			return
		}
		w.cfg.Log.Debug("the event connection ended; polling sees cancelled runs meanwhile", "error", err)
		if w.cfg.Now().Sub(began) > time.Minute {
			wait = time.Second
		}
		_ = sleep(ctx, wait)
		wait = min(2*wait, 30*time.Second)
	}
}

// pollCancelling finds the runs to be cancelled that no event told of.
func (w *Worker) pollCancelling(ctx context.Context) {
	for {
		runs, err := w.cfg.Client.FlowRuns(ctx, client.Query{
			"flow_runs":  map[string]any{"state": map[string]any{"type": map[string]any{"any_": []core.StateType{core.Cancelling}}}},
			"work_pools": map[string]any{"name": map[string]any{"any_": []string{w.cfg.Pool}}},
			"limit":      200,
		})
		if err != nil && ctx.Err() == nil {
			w.cfg.Log.Debug("asking for cancelled runs", "error", err)
		}
		for i := range runs {
			w.cancel(ctx, runs[i])
		}
		if sleep(ctx, w.cfg.CancelEvery) != nil {
			return
		}
	}
}

func (w *Worker) cancelByID(ctx context.Context, text string) {
	id, err := core.ParseID(text)
	if err != nil {
		return
	}
	run, err := w.cfg.Client.FlowRun(ctx, id)
	if err != nil {
		w.cfg.Log.Debug("reading a cancelled run", "flow_run_id", text, "error", err)
		return
	}
	if run.State != nil && run.State.Type == core.Cancelling {
		w.cancel(ctx, run)
	}
}

// cancel ends a run's job, if it is here, and says that the run is Cancelled. It
// returns at once: the job may take its time.
func (w *Worker) cancel(ctx context.Context, run client.FlowRun) {
	a := w.attempts()[run.ID]
	if a == nil {
		if a = w.adopt(ctx, run); a == nil {
			return
		}
	}
	a.mu.Lock()
	again, launched := a.cancelling, a.launched
	a.cancelling = true
	a.mu.Unlock()
	if again {
		return
	}
	a.log().Info("cancelling flow run")
	w.cancels.Go(func() {
		if launched {
			told := w.control.cancel(run.ID)
			a.log().Debug("ending the job", "told", told)
			a.kill(ctx)
		}
		// The flow's own process may have said so already, with its own message.
		if now, err := w.cfg.Client.FlowRun(ctx, run.ID); err == nil && now.State != nil && now.State.Type.Terminal() {
			return
		}
		a.cancelled(ctx, "The flow run was cancelled, and its worker ended its processes.", false)
	})
}

// adopt finds a run that is to be cancelled and that no attempt of this worker
// executes: one of an earlier worker on this machine, or one that nobody started.
func (w *Worker) adopt(ctx context.Context, run client.FlowRun) *attempt {
	a := &attempt{w: w, run: run, over: make(chan struct{})}
	if run.InfrastructurePID == nil {
		if run.StartTime != nil {
			return nil // it runs somewhere, started by nobody that we know
		}
		return a
	}
	err := w.cfg.Launcher.Adopt(ctx, run.ID.String(), *run.InfrastructurePID)
	if err != nil {
		if !errors.Is(err, launch.ErrNotFound) {
			w.cfg.Log.Warn("adopting a cancelled run", "flow_run_id", run.ID.String(), "error", err)
		}
		return nil // another worker's
	}
	a.launched = true
	return a
}
