package service

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

// Cancel carries a cancellation through: to subflow runs, to task runs that
// were left behind, and to an end when nobody ends a cancelling run.
type Cancel struct {
	Engine *engine.Engine
	Now    func() time.Time
}

// cancelLookback is how long after a run was cancelled its task runs are looked for.
const cancelLookback = 24 * time.Hour

// Tick does one round.
func (c Cancel) Tick(ctx context.Context) error {
	return each(ctx, c.Engine.Store(), func(ws core.WorkspaceID) error {
		var orphans, left []core.ID
		var stuck []core.StaleRun
		now := c.Now()
		err := c.Engine.Store().View(ctx, ws, func(tx core.Tx) (err error) {
			if orphans, err = tx.OrphanedFlowRuns(sweepBatch); err != nil {
				return err
			}
			if stuck, err = tx.StaleFlowRuns(core.Cancelling, now.Add(-engine.CancelTimeout()), sweepBatch); err != nil {
				return err
			}
			left, err = tx.AbandonedTaskRuns(now.Add(-cancelLookback), sweepBatch)
			return err
		})
		if err != nil {
			return err
		}
		for _, id := range orphans {
			if err := ignoreMissing(c.Engine.CancelOrphan(ctx, ws, id)); err != nil {
				return err
			}
		}
		for _, s := range stuck {
			if err := ignoreMissing(c.Engine.EndCancelling(ctx, ws, s.ID)); err != nil {
				return err
			}
		}
		if len(left) == 0 {
			return nil
		}
		return c.Engine.CancelTaskRuns(ctx, ws, left)
	})
}
