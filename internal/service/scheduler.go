package service

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

// Scheduler makes the runs that schedules ask for, some time ahead. Each
// schedule's row says when it is to be filled next, so that a round costs as
// much as there is to do. A transaction fills one schedule and is idempotent by
// schedule and time; rounds on two replicas do no harm.
type Scheduler struct {
	Engine *engine.Engine
	Now    func() time.Time
	// MinRuns runs of a schedule are made ahead at least, and those of MinTime,
	// but no more than MaxRuns and none later than MaxTime.
	MinRuns, MaxRuns int
	MinTime, MaxTime time.Duration
	// Batch is how many schedules are looked for at once.
	Batch int
	// Parallel is how many are filled at once, so that they share commits.
	Parallel int
}

// Tick fills all schedules that are due. While there are more than a batch of
// new ones, each gets only its first runs before any gets the rest: nobody waits
// for another's backlog.
func (s Scheduler) Tick(ctx context.Context) error {
	return each(ctx, s.Engine.Store(), func(ws core.WorkspaceID) error {
		for {
			now := s.Now()
			var due []core.DueSchedule
			err := s.Engine.Store().View(ctx, ws, func(tx core.Tx) (err error) {
				due, err = tx.DueSchedules(now, s.Batch)
				return err
			})
			if err != nil {
				return err
			}
			// A schedule that cannot be filled stays due; another round tries it again.
			if err := s.fill(ctx, ws, now, due); err != nil || len(due) < s.Batch {
				return err
			}
		}
	})
}

// fill fills the schedules and returns what went wrong with any of them.
func (s Scheduler) fill(ctx context.Context, ws core.WorkspaceID, now time.Time, due []core.DueSchedule) error {
	var all sync.WaitGroup
	errs := make([]error, len(due))
	places := make(chan struct{}, max(s.Parallel, 1))
	for i, d := range due {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			h := engine.Horizon{From: now, To: now.Add(s.MaxTime), MinRuns: s.MinRuns, MaxRuns: s.MaxRuns, MinTime: s.MinTime}
			if d.Fresh && len(due) == s.Batch {
				h.MaxRuns, h.Partial = min(s.MinRuns, s.MaxRuns), true
			}
			errs[i] = s.Engine.FillSchedule(ctx, ws, d, h)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
