package engine

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

const (
	// pollTimeout is how long a queue or deployment stays Ready after a poll.
	pollTimeout = 60 * time.Second
	// pollNoted is how old the last noted poll gets before another one is written:
	// polls come every few seconds from every worker, and a write each would keep
	// an idle server busy.
	pollNoted = 15 * time.Second
)

// PoolPoll asks for runs of a pool that are due.
type PoolPoll struct {
	Pool string
	// Queues names the queues to look at; none means all.
	Queues []string
	// Before and After bound the time at which runs are due; nil means no bound.
	Before, After *time.Time
	Limit         int
}

// ScheduledRun is a run that is due, with its place.
type ScheduledRun struct {
	PoolID  core.ID
	QueueID core.ID
	Run     *core.FlowRun
}

// PollPool lists runs that a worker may start: those of queues with a lower
// priority number first, no more than queues and pool have free slots for. It
// notes that the queues were polled. Prefect REST: POST
// /work_pools/{name}/get_scheduled_flow_runs.
func (e *Engine) PollPool(ctx context.Context, ws core.WorkspaceID, in PoolPoll) ([]ScheduledRun, error) {
	var due []ScheduledRun
	var polled []*core.WorkQueue
	var unready []core.ID
	err := e.store.View(ctx, ws, func(tx core.Tx) error {
		p, err := tx.WorkPoolByName(in.Pool)
		if err != nil {
			return err
		}
		if polled, err = polledQueues(tx, p, in.Queues); err != nil {
			return err
		}
		if unready, err = tx.UnreadyDeployments(nil, queueIDs(polled)); err != nil {
			return err
		}
		due, err = dueRuns(tx, e.now(), p, polled, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return due, e.notePolls(ctx, ws, polled, unready)
}

// polledQueues lists the pool's queues of the names by priority.
func polledQueues(tx core.Tx, p *core.WorkPool, names []string) ([]*core.WorkQueue, error) {
	queues, err := tx.WorkQueues(p.ID)
	if err != nil || len(names) == 0 {
		return queues, err
	}
	wanted := map[string]bool{}
	for _, name := range names {
		if named(queues, name) == nil {
			return nil, errNoQueue(p.Name, name)
		}
		wanted[name] = true
	}
	var kept []*core.WorkQueue
	for _, q := range queues {
		if wanted[q.Name] {
			kept = append(kept, q)
		}
	}
	return kept, nil
}

func queueIDs(queues []*core.WorkQueue) []core.ID {
	ids := make([]core.ID, 0, len(queues))
	for _, q := range queues {
		ids = append(ids, q.ID)
	}
	return ids
}

func dueRuns(tx core.Tx, now time.Time, p *core.WorkPool, queues []*core.WorkQueue, in PoolPoll) ([]ScheduledRun, error) {
	room := in.Limit
	if p.IsPaused {
		return nil, nil
	}
	used, err := usedSlots(tx, p, queues)
	if err != nil {
		return nil, err
	}
	if p.ConcurrencyLimit != nil {
		room = min(room, *p.ConcurrencyLimit-used.pool)
	}
	var due []ScheduledRun
	for _, q := range queues {
		if q.IsPaused || room <= 0 {
			continue
		}
		limit := room
		if q.ConcurrencyLimit != nil {
			limit = min(limit, *q.ConcurrencyLimit-used.queues[q.ID])
		}
		if limit <= 0 {
			continue
		}
		runs, err := startable(tx, now, core.DueRuns{QueueID: q.ID, Before: in.Before, After: in.After, Limit: limit})
		if err != nil {
			return nil, err
		}
		for _, r := range runs {
			due = append(due, ScheduledRun{PoolID: p.ID, QueueID: q.ID, Run: r})
		}
		room -= len(runs)
	}
	return due, nil
}

// slotUse counts the slots in use.
type slotUse struct {
	pool   int
	queues map[core.ID]int
}

// usedSlots counts only where a limit asks for it.
func usedSlots(tx core.Tx, p *core.WorkPool, queues []*core.WorkQueue) (slotUse, error) {
	u := slotUse{}
	var counted []core.ID
	if p.ConcurrencyLimit != nil {
		all, err := tx.WorkQueues(p.ID)
		if err != nil {
			return u, err
		}
		counted = queueIDs(all)
	} else {
		for _, q := range queues {
			if q.ConcurrencyLimit != nil {
				counted = append(counted, q.ID)
			}
		}
	}
	var err error
	u.queues, err = tx.SlotsInUse(counted, false)
	for _, n := range u.queues {
		u.pool += n
	}
	return u, err
}

// notePolls writes down polls, if the last ones noted are old or somebody was
// not ready.
func (e *Engine) notePolls(ctx context.Context, ws core.WorkspaceID, queues []*core.WorkQueue, deployments []core.ID) error {
	now := e.now()
	var polled, ready []core.ID
	for _, q := range queues {
		if q.Status == core.NotReady {
			ready = append(ready, q.ID)
		}
		if q.Status == core.NotReady || q.LastPolled == nil || now.Sub(*q.LastPolled) >= pollNoted {
			polled = append(polled, q.ID)
		}
	}
	if len(polled) == 0 && len(deployments) == 0 {
		return nil
	}
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		if err := tx.PollWorkQueues(polled, now); err != nil {
			return err
		}
		if err := readyDeployments(tx, now, deployments); err != nil {
			return err
		}
		for _, id := range ready {
			q, err := tx.WorkQueue(id)
			if missing(err) || err == nil && q.Status != core.NotReady {
				continue
			}
			if err != nil {
				return err
			}
			q.Status, q.LastPolled = core.Ready, &now
			if err := tx.UpdateWorkQueue(q); err != nil {
				return err
			}
			if err := tellQueue(tx, now, "ready", q, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

func readyDeployments(tx core.Tx, now time.Time, ids []core.ID) error {
	for _, id := range ids {
		d, err := tx.Deployment(id)
		if missing(err) {
			continue
		}
		if err != nil {
			return err
		}
		if err := tx.SetDeploymentStatus(id, core.Ready, &now); err != nil {
			return err
		}
		if d.Status == core.Ready {
			continue
		}
		if err := tellDeployment(tx, now, "ready", d, nil); err != nil {
			return err
		}
	}
	return nil
}

// PollDeployments lists runs of the deployments that are due before the time
// (nil is no bound), and notes that they were polled.
// Prefect REST: POST /deployments/get_scheduled_flow_runs.
func (e *Engine) PollDeployments(ctx context.Context, ws core.WorkspaceID, ids []core.ID, before *time.Time, limit int) (
	runs []*core.FlowRun, err error,
) {
	now := e.now()
	var stale []core.ID
	err = e.store.View(ctx, ws, func(tx core.Tx) error {
		of := []core.Cond{{Field: "id", Op: core.OpAny, Value: ids}}
		found, err := tx.FilterDeployments(core.Query{
			Where: map[core.Entity]*core.Filter{core.EntityDeployment: {Conds: of}}, Limit: len(ids),
		})
		if err != nil {
			return err
		}
		for _, d := range found {
			if d.Status != core.Ready || d.LastPolled == nil || now.Sub(*d.LastPolled) >= pollNoted {
				stale = append(stale, d.ID)
			}
		}
		runs, err = startable(tx, now, core.DueRuns{Deployments: ids, Before: before, Limit: limit})
		return err
	})
	if err != nil || len(stale) == 0 {
		return runs, err
	}
	return runs, e.store.Update(ctx, ws, func(tx core.Tx) error { return readyDeployments(tx, now, stale) })
}

// PollQueue lists runs of one queue that are due before the time (nil is no
// bound), whatever its pool says. quiet leaves it unnoted, for people who look.
// Prefect REST: POST /work_queues/{id}/get_runs.
func (e *Engine) PollQueue(ctx context.Context, ws core.WorkspaceID, id core.ID, before *time.Time, limit int, quiet bool) (
	[]*core.FlowRun, error,
) {
	var runs []*core.FlowRun
	var queue *core.WorkQueue
	var unready []core.ID
	err := e.store.View(ctx, ws, func(tx core.Tx) (err error) {
		if queue, err = tx.WorkQueue(id); err != nil {
			return err
		}
		if unready, err = tx.UnreadyDeployments(nil, []core.ID{id}); err != nil {
			return err
		}
		runs, err = queueRuns(tx, e.now(), queue, before, limit)
		return err
	})
	if err != nil || quiet {
		return runs, err
	}
	return runs, e.notePolls(ctx, ws, []*core.WorkQueue{queue}, unready)
}

// queueRuns lists the runs that a queue by itself offers.
func queueRuns(tx core.Tx, now time.Time, q *core.WorkQueue, before *time.Time, limit int) ([]*core.FlowRun, error) {
	f, err := filterOf(q)
	if err != nil {
		return nil, err
	}
	if f != nil {
		return f.due(tx, now, q, before, limit)
	}
	if q.ConcurrencyLimit != nil {
		used, err := tx.SlotsInUse([]core.ID{q.ID}, true)
		if err != nil {
			return nil, err
		}
		limit = min(limit, *q.ConcurrencyLimit-used[q.ID])
	}
	if q.IsPaused || limit <= 0 {
		return nil, nil
	}
	return startable(tx, now, core.DueRuns{QueueID: q.ID, Before: before, Limit: limit})
}
