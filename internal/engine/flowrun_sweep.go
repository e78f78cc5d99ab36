package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// MarkLate marks a run late that should have been started, or cancels it where
// its deployment wants that. A run that is no longer waiting is left alone.
func (e *Engine) MarkLate(ctx context.Context, ws core.WorkspaceID, id core.ID) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		run, err := tx.FlowRun(id)
		if err != nil || !run.State.Is(core.Scheduled) || run.State.Name != core.Scheduled.DefaultName() {
			return err
		}
		late := core.State{Type: core.Scheduled, Name: core.NameLate}
		late.Details.ScheduledTime = run.State.Details.ScheduledTime
		_, err = e.propose(tx, e.now(), run, Proposal{State: late, LateMarker: true})
		return err
	})
}

// ExpirePause fails a run whose pause nobody ended in time.
func (e *Engine) ExpirePause(ctx context.Context, ws core.WorkspaceID, id core.ID) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		now := e.now()
		run, err := tx.FlowRun(id)
		if err != nil || !run.State.Is(core.Paused) || run.State.Details.PauseTimeout == nil || run.State.Details.PauseTimeout.After(now) {
			return err
		}
		text := "The flow was paused and never resumed."
		_, err = e.propose(tx, now, run, Proposal{State: core.NewState(core.Failed, &text), Force: true})
		return err
	})
}

// CrashSilent ends a running run when judge gives a reason, asked with what is
// known of the run in the same transaction.
func (e *Engine) CrashSilent(ctx context.Context, ws core.WorkspaceID, id core.ID, judge func(core.StaleRun) string) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		run, err := tx.FlowRun(id)
		if err != nil || !run.State.Is(core.Running) {
			return err
		}
		s, err := tx.StaleFlowRun(id)
		if err != nil {
			return err
		}
		reason := judge(s)
		if reason == "" {
			return nil
		}
		e.log.Warn("flow run crashed", "flow_run_id", id, "reason", reason)
		_, err = e.propose(tx, e.now(), run, Proposal{State: core.NewState(core.Crashed, &reason)})
		return err
	})
}

// OfferAgain gives a run back to its queue that a worker claimed and did not
// start for so long, when that worker is gone, or all of the pool's when the
// claimer did not say who it is. A worker that was started again under its name
// is another one. A run whose infrastructure was made is left
// alone: it may still start.
func (e *Engine) OfferAgain(ctx context.Context, ws core.WorkspaceID, id core.ID, after time.Duration) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		now := e.now()
		run, err := tx.FlowRun(id)
		if err != nil || !run.State.Is(core.Pending) || now.Sub(run.State.Timestamp) < after {
			return err
		}
		if run.WorkPoolID == nil || run.InfrastructurePID != nil {
			return nil
		}
		gone, err := claimerGone(tx, run, now)
		if err != nil || !gone {
			return err
		}
		who := "A worker"
		if run.ClaimedBy != nil {
			who = fmt.Sprintf("Worker %q", *run.ClaimedBy)
		}
		text := who + " claimed the run and stopped before starting it; the run is offered again."
		e.log.Warn("flow run offered again", "flow_run_id", id, "worker", deref(run.ClaimedBy))
		_, err = e.propose(tx, now, run, Proposal{State: core.NewState(core.Scheduled, &text), Force: true})
		return err
	})
}

func claimerGone(tx core.Tx, run *core.FlowRun, now time.Time) (bool, error) {
	alive, err := workerAlive(tx, *run.WorkPoolID, run.ClaimedBy, now)
	if err != nil || !alive || run.ClaimedBy == nil {
		return !alive, err
	}
	return claimantGone(tx, *run.WorkPoolID, *run.ClaimedBy, run.State.Timestamp, now)
}

// workerAlive reports whether the pool's worker of the name, or any of its
// workers for nil, has missed less than three heartbeats.
func workerAlive(tx core.Tx, poolID core.ID, name *string, now time.Time) (bool, error) {
	workers, err := tx.FilterWorkers(core.Query{Where: map[core.Entity]*core.Filter{
		core.EntityWorkPool: {Conds: []core.Cond{{Field: "id", Op: core.OpAny, Value: []core.ID{poolID}}}},
	}, Limit: 1000})
	if err != nil {
		return false, err
	}
	for _, w := range workers {
		if (name == nil || w.Name == *name) && now.Sub(w.LastHeartbeat) < lasting(w.HeartbeatInterval) {
			return true, nil
		}
	}
	return false, nil
}

// cancelTimeout is how long a run may be Cancelling before it counts as Cancelled.
const cancelTimeout = 300 * time.Second

// CancelOrphan cancels a subflow run whose parent was cancelled: one with a
// deployment has infrastructure of its own that must hear of it first.
func (e *Engine) CancelOrphan(ctx context.Context, ws core.WorkspaceID, id core.ID) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		run, err := tx.FlowRun(id)
		if err != nil || run.State == nil || run.State.Type.Terminal() || run.State.Type == core.Cancelling {
			return err
		}
		text := "The parent flow run was cancelled."
		s := core.NewState(core.Cancelled, &text)
		if run.DeploymentID != nil {
			s.Type = core.Cancelling
		}
		_, err = e.propose(tx, e.now(), run, Proposal{State: s, Force: true})
		return err
	})
}

// EndCancelling makes a run Cancelled that has been Cancelling for too long:
// whoever should have ended it is gone.
func (e *Engine) EndCancelling(ctx context.Context, ws core.WorkspaceID, id core.ID) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		now := e.now()
		run, err := tx.FlowRun(id)
		if err != nil || !run.State.Is(core.Cancelling) || now.Sub(run.State.Timestamp) < cancelTimeout {
			return err
		}
		text := "Flow run cancellation timed out; marked this flow run as Cancelled."
		_, err = e.propose(tx, now, run, Proposal{State: core.NewState(core.Cancelled, &text)})
		return err
	})
}

// CancelTaskRuns cancels the task runs that a cancelled flow run left behind.
func (e *Engine) CancelTaskRuns(ctx context.Context, ws core.WorkspaceID, ids []core.ID) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		now := e.now()
		for _, id := range ids {
			run, err := tx.TaskRun(id)
			if missing(err) || err == nil && (run.State == nil || run.State.Type.Terminal()) {
				continue
			}
			if err != nil {
				return err
			}
			text := "The parent flow run was cancelled."
			if _, err := e.proposeTask(tx, now, run, Proposal{State: core.NewState(core.Cancelled, &text), Force: true},
				Facts{Now: now, Force: true, Task: &TaskFacts{}}); err != nil {
				return err
			}
		}
		return nil
	})
}

// CancelTimeout is how long a run may be Cancelling.
func CancelTimeout() time.Duration { return cancelTimeout }
