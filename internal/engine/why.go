package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// Why says in one sentence why a run is in its state: what a waiting run waits
// for, what ended a run that is over. It returns a NotFound error for no run.
// leat's own route: GET /flow_runs/{id}/why.
func (e *Engine) Why(ctx context.Context, ws core.WorkspaceID, id core.ID) (string, error) {
	var reason string
	err := e.store.View(ctx, ws, func(tx core.Tx) error {
		run, err := tx.FlowRun(id)
		if err != nil {
			return err
		}
		reason, err = why(tx, e.now(), run)
		return err
	})
	return reason, err
}

func why(tx core.Tx, now time.Time, run *core.FlowRun) (string, error) {
	s := run.State
	if s == nil {
		return "The run has no state yet.", nil
	}
	since := now.Sub(s.Timestamp).Round(time.Second)
	switch s.Type {
	case core.Scheduled:
		return whyWaiting(tx, now, run)
	case core.Pending:
		return whyPending(run, since), nil
	case core.Running:
		return fmt.Sprintf("The run has been running for %s.", since), nil
	case core.Paused:
		return whyPaused(s, now), nil
	case core.Cancelling:
		return fmt.Sprintf("The run was told %s ago to cancel; whoever runs it has not confirmed that it ended.", since), nil
	case core.Completed:
		return fmt.Sprintf("The run completed %s ago.", since), nil
	case core.Failed, core.Crashed, core.Cancelled:
		verb := map[core.StateType]string{core.Failed: "failed", core.Crashed: "crashed", core.Cancelled: "was cancelled"}[s.Type]
		if s.Message == nil || *s.Message == "" {
			return fmt.Sprintf("The run %s %s ago; no reason was given.", verb, since), nil
		}
		return fmt.Sprintf("The run %s %s ago: %s", verb, since, *s.Message), nil
	}
	return "", fmt.Errorf("state type %q", s.Type)
}

func whyPending(run *core.FlowRun, since time.Duration) string {
	switch {
	case run.ClaimedBy != nil && run.InfrastructurePID == nil:
		return fmt.Sprintf("Worker %q claimed the run %s ago and is starting it.", *run.ClaimedBy, since)
	case run.InfrastructurePID != nil:
		return fmt.Sprintf("The run's infrastructure (%s) was made; its process has not reported yet, for %s.", *run.InfrastructurePID, since)
	}
	return fmt.Sprintf("The run was claimed %s ago and its process has not reported yet.", since)
}

func whyPaused(s *core.State, now time.Time) string {
	what := "waits to be resumed"
	if len(s.Details.RunInputKeyset) > 0 {
		what = "waits for input"
	}
	if s.Details.PauseTimeout == nil {
		return fmt.Sprintf("The run is paused and %s.", what)
	}
	return fmt.Sprintf("The run is paused and %s; in %s it fails.", what, s.Details.PauseTimeout.Sub(now).Round(time.Second))
}

// whyWaiting asks for the reasons that keep a scheduled run from starting, the
// most certain first.
func whyWaiting(tx core.Tx, now time.Time, run *core.FlowRun) (string, error) {
	due := run.NextScheduledStartTime
	late := ""
	if due != nil && now.After(*due) {
		late = fmt.Sprintf(" It is %s late.", now.Sub(*due).Round(time.Second))
	}
	if run.State.Name == core.NameAwaitingRetry && due != nil && now.Before(*due) {
		return fmt.Sprintf("The run failed and is tried again in %s.", due.Sub(now).Round(time.Second)), nil
	}
	if run.State.Name == core.NameAwaitingConcurrencySlot {
		return whyNoSlot(tx, now, run)
	}
	if due != nil && now.Before(*due) {
		return fmt.Sprintf("The run is not due yet: it is scheduled to start in %s.", due.Sub(now).Round(time.Second)), nil
	}
	for _, ask := range []func(core.Tx, time.Time, *core.FlowRun) (string, error){whyDeployment, whySchedule, whyPool, whyLimit} {
		if reason, err := ask(tx, now, run); err != nil || reason != "" {
			return reason + late, err
		}
	}
	return "The run is due and will be taken at the next poll." + late, nil
}

func whyDeployment(_ core.Tx, _ time.Time, run *core.FlowRun) (string, error) {
	switch {
	case run.DeploymentID == nil:
		return "The run has no deployment; only the process that made it can start it.", nil
	case run.DeploymentName == nil:
		return "The run's deployment was deleted; nobody will start it.", nil
	}
	return "", nil
}

// whySchedule says that the policy of the run's schedule holds it back.
func whySchedule(tx core.Tx, now time.Time, run *core.FlowRun) (string, error) {
	r, err := ruling(tx, now, run)
	if err != nil || r == nil || r.Verdict == Start {
		return "", err
	}
	return r.Reason, nil
}

// pollSilence is how long after the last poll a queue or a deployment counts as unattended.
const pollSilence = 60 * time.Second

func whyPool(tx core.Tx, now time.Time, run *core.FlowRun) (string, error) {
	d, err := tx.Deployment(*run.DeploymentID)
	if err != nil {
		return "", err
	}
	if run.WorkQueueID == nil {
		if d.LastPolled == nil || now.Sub(*d.LastPolled) > pollSilence {
			return fmt.Sprintf("Nobody polls deployment %q: its serve process is not running, and it belongs to no work pool.", d.Name), nil
		}
		return "", nil
	}
	queue, err := tx.WorkQueue(*run.WorkQueueID)
	if missing(err) {
		return "The run's work queue was deleted; nobody will start it.", nil
	}
	if err != nil {
		return "", err
	}
	pool, err := tx.WorkPool(queue.WorkPoolID)
	if err != nil {
		return "", err
	}
	switch {
	case pool.IsPaused:
		return fmt.Sprintf("Work pool %q is paused.", pool.Name), nil
	case queue.IsPaused:
		return fmt.Sprintf("Work queue %q of pool %q is paused.", queue.Name, pool.Name), nil
	}
	// A worker that shows itself in other ways than by polling counts: it may be full.
	polled := queue.LastPolled != nil && now.Sub(*queue.LastPolled) <= pollSilence
	if !polled && (pool.Status == nil || *pool.Status != core.Ready) {
		return fmt.Sprintf("No worker polls work pool %q (queue %q): start one with `leat worker start --pool %s`.", pool.Name, queue.Name, pool.Name), nil
	}
	return whyFull(tx, pool, queue)
}

// whyFull says that the pool's or the queue's limit of concurrent runs is reached.
func whyFull(tx core.Tx, pool *core.WorkPool, queue *core.WorkQueue) (string, error) {
	active := func(e core.Entity, id core.ID) ([]*core.FlowRun, error) {
		return tx.FilterFlowRuns(core.Query{Limit: 50, Where: map[core.Entity]*core.Filter{
			e:                  {Conds: []core.Cond{{Field: "id", Op: core.OpAny, Value: []core.ID{id}}}},
			core.EntityFlowRun: {Conds: []core.Cond{{Field: "state.type", Op: core.OpAny, Value: []core.StateType{core.Pending, core.Running, core.Cancelling}}}},
		}})
	}
	if queue.ConcurrencyLimit != nil {
		runs, err := active(core.EntityWorkQueue, queue.ID)
		if err != nil || len(runs) >= *queue.ConcurrencyLimit {
			return fmt.Sprintf("The limit of work queue %q (%d) is full, held by %s.", queue.Name, *queue.ConcurrencyLimit, names(runs)), err
		}
	}
	if pool.ConcurrencyLimit != nil {
		runs, err := active(core.EntityWorkPool, pool.ID)
		if err != nil || len(runs) >= *pool.ConcurrencyLimit {
			return fmt.Sprintf("The limit of work pool %q (%d) is full, held by %s.", pool.Name, *pool.ConcurrencyLimit, names(runs)), err
		}
	}
	return "", nil
}

func names(runs []*core.FlowRun) string {
	var list []string
	for i, r := range runs {
		if i == 5 {
			return strings.Join(list, ", ") + fmt.Sprintf(" and %d more", len(runs)-i)
		}
		list = append(list, r.Name)
	}
	if len(list) == 0 {
		return "nobody"
	}
	return strings.Join(list, ", ")
}

func whyLimit(tx core.Tx, now time.Time, run *core.FlowRun) (string, error) {
	if run.ConcurrencyLimitID == nil {
		return "", nil
	}
	l, err := tx.ConcurrencyLimit(*run.ConcurrencyLimitID, now)
	if missing(err) || err == nil && (!l.Active || l.ActiveSlots(now) < l.Limit) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	holders, err := slotHolders(tx, now, l)
	return fmt.Sprintf("The concurrency limit of deployment %q (%d) is full, held by %s.", deref(run.DeploymentName), l.Limit, holders), err
}

func whyNoSlot(tx core.Tx, now time.Time, run *core.FlowRun) (string, error) {
	reason, err := whyLimit(tx, now, run)
	if err != nil || reason != "" {
		return reason, err
	}
	wait := ""
	if run.NextScheduledStartTime != nil && run.NextScheduledStartTime.After(now) {
		wait = " in " + run.NextScheduledStartTime.Sub(now).Round(time.Second).String()
	}
	return "The run waited for a slot of its deployment's limit; one is free now, and the run asks again" + wait + ".", nil
}

func slotHolders(tx core.Tx, now time.Time, l *core.ConcurrencyLimit) (string, error) {
	leases, err := tx.LimitLeases(l.ID, now)
	if err != nil {
		return "", err
	}
	var list []string
	for _, lease := range leases {
		if lease.Holder == nil {
			continue
		}
		name := lease.Holder.Type + " " + lease.Holder.ID.String()
		if run, err := tx.FlowRun(lease.Holder.ID); err == nil {
			name = run.Name
		}
		list = append(list, name)
	}
	if len(list) == 0 {
		return "slots that were taken without a holder", nil
	}
	return strings.Join(list, ", "), nil
}
