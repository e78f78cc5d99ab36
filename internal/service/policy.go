package service

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

// Policy ends the runs that the policies of their schedules do not let start or
// go on. Polls and claims keep to the policies by themselves; this makes the
// outcome known, and cancels what must make way.
type Policy struct {
	Engine *engine.Engine
	Now    func() time.Time
}

// Tick does one round.
func (p Policy) Tick(ctx context.Context) error {
	return each(ctx, p.Engine.Store(), func(ws core.WorkspaceID) error {
		var unsettled []core.DueSchedule
		err := p.Engine.Store().View(ctx, ws, func(tx core.Tx) (err error) {
			unsettled, err = engine.UnsettledSchedules(tx, p.Now())
			return err
		})
		if err != nil {
			return err
		}
		for _, s := range unsettled {
			if err := p.Engine.SettleSchedule(ctx, ws, s); err != nil {
				return err
			}
		}
		return nil
	})
}
