package engine

import (
	"context"

	"github.com/leat-dev/leat/internal/core"
)

// CreateFlowRunInput stores a value for a flow run. A key that the run has
// already gives a Conflict error, an unknown run NotFound.
func (e *Engine) CreateFlowRunInput(ctx context.Context, ws core.WorkspaceID, runID core.ID, key, value string, sender *string) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		if _, err := tx.FlowRun(runID); err != nil {
			return err
		}
		if _, err := tx.FlowRunInput(runID, key); err == nil {
			return core.Errorf(core.Conflict, "A flow run input with this key already exists.")
		} else if !missing(err) {
			return err
		}
		return tx.InsertFlowRunInput(&core.FlowRunInput{
			ID: core.NewID(now), Created: now, Updated: now, FlowRunID: runID, Key: key, Value: value, Sender: sender,
		})
	})
}

// DeleteFlowRunInput removes an input of a flow run.
func (e *Engine) DeleteFlowRunInput(ctx context.Context, ws core.WorkspaceID, runID core.ID, key string) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		found, err := tx.DeleteFlowRunInput(runID, key)
		if err == nil && !found {
			return core.Errorf(core.NotFound, "Flow run input not found")
		}
		return err
	})
}
