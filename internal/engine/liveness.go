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

// TouchFlowRuns records that something tells that the runs' processes live.
func (e *Engine) TouchFlowRuns(ctx context.Context, ws core.WorkspaceID, ids []core.ID) error {
	if len(ids) == 0 {
		return nil
	}
	now := e.now()
	beats := make([]core.Heartbeat, len(ids))
	for i, id := range ids {
		beats[i] = core.Heartbeat{FlowRunID: id, At: now}
	}
	return e.store.Update(ctx, ws, func(tx core.Tx) error { return tx.TouchFlowRuns(beats) })
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
