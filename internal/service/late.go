package service

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

// sweepBatch is how many runs a service looks at in one round.
const sweepBatch = 400

// Late marks runs that nobody started in time, and fails pauses that nobody
// ended in time.
type Late struct {
	Engine *engine.Engine
	Now    func() time.Time
	// After is how long after its time a run is late.
	After time.Duration
}

// Tick does one round.
func (l Late) Tick(ctx context.Context) error {
	return each(ctx, l.Engine.Store(), func(ws core.WorkspaceID) error {
		now := l.Now()
		var late, expired []core.ID
		err := l.Engine.Store().View(ctx, ws, func(tx core.Tx) (err error) {
			if late, err = tx.LateFlowRuns(now.Add(-l.After), sweepBatch); err != nil {
				return err
			}
			expired, err = tx.ExpiredPauses(now, sweepBatch)
			return err
		})
		if err != nil {
			return err
		}
		for _, id := range late {
			if err := ignoreMissing(l.Engine.MarkLate(ctx, ws, id)); err != nil {
				return err
			}
		}
		for _, id := range expired {
			if err := ignoreMissing(l.Engine.ExpirePause(ctx, ws, id)); err != nil {
				return err
			}
		}
		return nil
	})
}

// ignoreMissing drops the error of a run that was deleted meanwhile.
func ignoreMissing(err error) error {
	if core.CodeOf(err) == core.NotFound {
		return nil
	}
	return err
}
