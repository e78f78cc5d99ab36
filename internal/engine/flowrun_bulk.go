package engine

import (
	"bytes"
	"context"
	"slices"

	"github.com/leat-dev/leat/internal/core"
)

// DeleteFlowRuns removes those flow runs that q selects, each as DeleteFlowRun
// does, and returns their ids in ascending order. Prefect REST: POST /flow_runs/bulk_delete.
func (e *Engine) DeleteFlowRuns(ctx context.Context, ws core.WorkspaceID, q core.Query) ([]core.ID, error) {
	var deleted []core.ID
	err := e.store.Update(ctx, ws, func(tx core.Tx) error {
		deleted = nil
		found, err := tx.FilterFlowRuns(q)
		if err != nil {
			return err
		}
		slices.SortFunc(found, func(a, b *core.FlowRun) int { return bytes.Compare(a.ID[:], b.ID[:]) }) // others delete and lock in this order too
		for _, r := range found {
			if err := deleteFlowRun(tx, e.now(), r.ID); missing(err) {
				continue // somebody was faster
			} else if err != nil {
				return err
			}
			deleted = append(deleted, r.ID)
		}
		return nil
	})
	return deleted, err
}

// DeleteFlows removes those flows that q selects, each as DeleteFlow does, and
// returns their ids in ascending order. Prefect REST: POST /flows/bulk_delete.
func (e *Engine) DeleteFlows(ctx context.Context, ws core.WorkspaceID, q core.Query) ([]core.ID, error) {
	var deleted []core.ID
	err := e.store.Update(ctx, ws, func(tx core.Tx) error {
		deleted = nil
		found, err := tx.FilterFlows(q)
		if err != nil {
			return err
		}
		slices.SortFunc(found, func(a, b *core.Flow) int { return bytes.Compare(a.ID[:], b.ID[:]) })
		for _, f := range found {
			if err := deleteFlow(tx, e.now(), f.ID); missing(err) {
				continue
			} else if err != nil {
				return err
			}
			deleted = append(deleted, f.ID)
		}
		return nil
	})
	return deleted, err
}

// BulkOutcome is what became of one run of many for which a state was proposed.
type BulkOutcome struct {
	RunID core.ID
	Outcome
	// Err is set when nothing was decided.
	Err error
}

// SetFlowRunStates proposes a state for each of the flow runs that q selects, one
// after the other. Prefect REST: POST /flow_runs/bulk_set_state.
func (e *Engine) SetFlowRunStates(ctx context.Context, ws core.WorkspaceID, q core.Query, p Proposal) ([]BulkOutcome, error) {
	var found []*core.FlowRun
	err := e.store.View(ctx, ws, func(tx core.Tx) (err error) {
		found, err = tx.FilterFlowRuns(q)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]BulkOutcome, len(found))
	for i, r := range found {
		out[i].RunID = r.ID
		out[i].Outcome, out[i].Err = e.SetFlowRunState(ctx, ws, r.ID, p)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return out, nil
}
