package service

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

// Actions performs what automations want done. It works on every replica: each
// action is claimed by one. An action that a replica did not finish is taken up
// by another one, so that it is done at least once.
type Actions struct {
	Engine *engine.Engine
	Log    *slog.Logger
	// Owner names this replica.
	Owner string
	// Perform does an action and says what became of it; an error leaves it for later.
	Perform func(ctx context.Context, ws core.WorkspaceID, a *core.TriggeredAction) (engine.ActionSpec, engine.ActionResult, error)
	// Parallel is how many actions are performed at once; 0 means 16.
	Parallel int

	mu   sync.Mutex
	busy int
	done sync.WaitGroup
}

// ActionTime bounds how long an action takes, and actionHold how long it is
// claimed for.
const (
	ActionTime = time.Minute
	actionHold = 75 * time.Second
)

// defaultParallel is how many actions are performed at once.
const defaultParallel = 16

// Tick begins what is due, as far as there is room. Wait waits for its end.
func (s *Actions) Tick(ctx context.Context) error {
	return each(ctx, s.Engine.Store(), func(ws core.WorkspaceID) error {
		for {
			free := s.free()
			if free == 0 {
				return nil
			}
			claimed, err := s.Engine.ClaimTriggeredActions(ctx, ws, s.Owner, actionHold, free)
			if err != nil || len(claimed) == 0 {
				return err
			}
			for _, a := range claimed {
				s.begin(ctx, ws, a)
			}
		}
	})
}

func (s *Actions) free() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	parallel := s.Parallel
	if parallel <= 0 {
		parallel = defaultParallel
	}
	return max(parallel-s.busy, 0)
}

func (s *Actions) begin(ctx context.Context, ws core.WorkspaceID, a *core.TriggeredAction) {
	s.mu.Lock()
	s.busy++
	s.mu.Unlock()
	s.done.Go(func() {
		defer func() {
			s.mu.Lock()
			s.busy--
			s.mu.Unlock()
		}()
		err := s.perform(ctx, ws, a)
		if err == nil {
			return
		}
		if ctx.Err() == nil {
			s.Log.Error("an action of an automation was put off", "action_id", a.ID.String(), "error", err)
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if err := s.Engine.PutOffTriggeredAction(last, ws, a.ID); err != nil {
			s.Log.Warn("an action of an automation waits until its claim ends", "action_id", a.ID.String(), "error", err)
		}
	})
}

func (s *Actions) perform(ctx context.Context, ws core.WorkspaceID, a *core.TriggeredAction) error {
	ctx, cancel := context.WithTimeout(ctx, ActionTime)
	defer cancel()
	spec, result, err := s.guarded(ctx, ws, a)
	if err != nil {
		return err
	}
	if result.Failed != "" {
		s.Log.Warn("an action of an automation failed", "automation_id", spec.Automation.ID.String(), "name", spec.Automation.Name,
			"action_id", a.ID.String(), "reason", result.Failed)
	}
	return s.Engine.FinishTriggeredAction(context.WithoutCancel(ctx), ws, a, spec, result)
}

// guarded turns a panic into an error, so that one action does not end the server.
func (s *Actions) guarded(ctx context.Context, ws core.WorkspaceID, a *core.TriggeredAction) (
	spec engine.ActionSpec, result engine.ActionResult, err error,
) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return s.Perform(ctx, ws, a)
}

// Wait waits until nothing is being performed.
func (s *Actions) Wait() { s.done.Wait() }
