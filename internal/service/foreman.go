package service

import (
	"context"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

// Foreman marks workers as offline, and pools, queues and deployments as not
// ready, of which nothing was heard for too long.
type Foreman struct {
	Engine  *engine.Engine
	Silence engine.Silence
}

// Tick does one round.
func (f Foreman) Tick(ctx context.Context) error {
	return each(ctx, f.Engine.Store(), func(ws core.WorkspaceID) error {
		for {
			more, err := f.Engine.MarkSilent(ctx, ws, f.Silence)
			if err != nil || !more {
				return err
			}
		}
	})
}
