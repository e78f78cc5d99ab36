package service

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// Tally counts the flow runs of the past, so that dashboards need not. Runs are
// counted a little after they are expected, when most of them will not change
// again soon: a change of a run that is in the tally costs its writer a row or two.
type Tally struct {
	Store core.Store
	Now   func() time.Time
	// After is how long after its time a run is counted.
	After time.Duration
}

// tallySteps is how many transactions a round makes for a workspace.
const tallySteps = 500

// Tick does one round.
func (s Tally) Tick(ctx context.Context) error {
	before := s.Now().Add(-s.After).Truncate(time.Minute)
	return each(ctx, s.Store, func(ws core.WorkspaceID) error {
		more := true
		for n := 0; more && n < tallySteps && ctx.Err() == nil; n++ {
			err := s.Store.Update(ctx, ws, func(tx core.Tx) (err error) {
				more, err = tx.AdvanceRunTally(before)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
