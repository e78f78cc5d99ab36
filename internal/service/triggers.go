package service

import (
	"context"
	"log/slog"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

// Triggers shows the events of each workspace to its automations. It works on
// one replica at a time: where two do, the position among the events tells the
// one that came too late.
type Triggers struct {
	Engine *engine.Engine
	Log    *slog.Logger
	// Batch is how many events are stored by one transaction; 0 means 500.
	Batch int

	watches map[core.WorkspaceID]*engine.TriggerWatch
}

// defaultTriggerBatch is small enough for others to write in between.
const defaultTriggerBatch = 500

// Tick lets the automations see what has happened, and what has not.
func (s *Triggers) Tick(ctx context.Context) error {
	if s.watches == nil {
		s.watches = map[core.WorkspaceID]*engine.TriggerWatch{}
	}
	return each(ctx, s.Engine.Store(), func(ws core.WorkspaceID) error {
		err := s.follow(ctx, ws)
		if err != nil {
			delete(s.watches, ws) // what it holds in memory may not be what is stored
		}
		if core.CodeOf(err) == core.Conflict {
			s.Log.Info("another replica has taken over the automations", "workspace", int64(ws))
			return nil
		}
		return err
	})
}

func (s *Triggers) follow(ctx context.Context, ws core.WorkspaceID) error {
	batch := s.Batch
	if batch <= 0 {
		batch = defaultTriggerBatch
	}
	w := s.watches[ws]
	if w == nil {
		var err error
		if w, err = s.Engine.WatchTriggers(ctx, ws); err != nil {
			return err
		}
		s.watches[ws] = w
	}
	for {
		seen, err := s.Engine.StepTriggers(ctx, w, batch)
		if err != nil {
			return err
		}
		if seen < batch {
			return s.Engine.PassTriggers(ctx, w)
		}
	}
}
