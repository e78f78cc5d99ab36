package service

import (
	"context"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

// LeaseAttendant notes that leases on concurrency limits can be renewed, so that
// a lease does not end because nobody served. It works on every replica at once.
type LeaseAttendant struct {
	Engine *engine.Engine
}

// Tick does one round.
func (a LeaseAttendant) Tick(ctx context.Context) error {
	return each(ctx, a.Engine.Store(), func(ws core.WorkspaceID) error { return a.Engine.AttendLeases(ctx, ws) })
}
