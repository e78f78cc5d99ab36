package service

import (
	"context"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

// reapBatch is how many leases a round ends in one transaction: few, since their
// limits are locked meanwhile.
const reapBatch = 100

// LeaseReaper ends leases on concurrency limits that expired. Their slots count
// as free without it; it clears them away and wakes the runs that wait for them.
type LeaseReaper struct {
	Engine *engine.Engine
}

// Tick does one round.
func (r LeaseReaper) Tick(ctx context.Context) error {
	return each(ctx, r.Engine.Store(), func(ws core.WorkspaceID) error {
		for ctx.Err() == nil {
			n, err := r.Engine.ReapLeases(ctx, ws, reapBatch)
			if err != nil || n < reapBatch {
				return err
			}
		}
		return ctx.Err()
	})
}
