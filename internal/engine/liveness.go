package engine

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// HeartbeatOf returns the flow run of which the event is a heartbeat.
func (e *Engine) HeartbeatOf(ev *core.Event) (core.ID, bool) {
	id, beat, ok := signOfLife(ev)
	return id, ok && beat
}

// LoseFlowRuns records that the connection over which the runs sent their
// heartbeats ended without a word, as it does when their process is killed.
func (e *Engine) LoseFlowRuns(ctx context.Context, ws core.WorkspaceID, ids []core.ID) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		for _, id := range ids {
			if err := tx.LoseFlowRun(id, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// TouchFlowRuns records that something told, so long ago, that the runs'
// processes live. What is known already is not written again.
func (e *Engine) TouchFlowRuns(ctx context.Context, ws core.WorkspaceID, ids []core.ID, ago time.Duration) error {
	at := e.now().Add(-ago)
	var fresh []core.Heartbeat
	unknown := func(tx core.Tx) error {
		fresh = fresh[:0]
		for _, id := range ids {
			s, err := tx.StaleFlowRun(id)
			if err != nil && !missing(err) {
				return err
			}
			if err == nil && (s.LastSeen == nil || s.LastSeen.Before(at)) {
				fresh = append(fresh, core.Heartbeat{FlowRunID: id, At: at})
			}
		}
		return nil
	}
	if err := e.store.View(ctx, ws, unknown); err != nil || len(fresh) == 0 {
		return err
	}
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		if err := unknown(tx); err != nil {
			return err
		}
		return tx.TouchFlowRuns(fresh)
	})
}

// ClaimTaskRun takes a background task run for a worker of the tasks, for so
// long, or returns a NotFound error.
func (e *Engine) ClaimTaskRun(ctx context.Context, ws core.WorkspaceID, keys []string, lasts time.Duration) (*core.TaskRun, error) {
	var run *core.TaskRun
	// Most of the time nothing waits: look before writing.
	waits := false
	if err := e.store.View(ctx, ws, func(tx core.Tx) (err error) {
		waits, err = tx.TaskRunWaits(keys, e.now())
		return err
	}); err != nil {
		return nil, err
	}
	if !waits {
		return nil, core.Errorf(core.NotFound, "no task run waits")
	}
	err := e.store.Update(ctx, ws, func(tx core.Tx) (err error) {
		now := e.now()
		run, err = tx.ClaimTaskRun(keys, now, now.Add(lasts))
		return err
	})
	return run, err
}
