package engine

import (
	"context"
	"encoding/json"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// CreateFlow returns the flow with the name, made if need be, and reports
// whether it was made. Prefect REST: POST /flows/.
func (e *Engine) CreateFlow(ctx context.Context, ws core.WorkspaceID, name string, tags []string, labels json.RawMessage) (*core.Flow, bool, error) {
	var flow *core.Flow
	var created bool
	err := e.store.Update(ctx, ws, func(tx core.Tx) error {
		now := e.now()
		created = false
		old, err := tx.FlowByName(name)
		if !missing(err) {
			flow = old
			return err
		}
		created = true
		flow = &core.Flow{ID: core.NewID(now), Created: now, Updated: now, Name: name, Tags: tags, Labels: labels}
		if err := tx.InsertFlow(flow); err != nil {
			return err
		}
		return tellChange(tx, now, "flow", "created", flow.ID, flow.Name, flowPayload(flow))
	})
	return flow, created, err
}

// UpdateFlow replaces the flow's tags, or returns a NotFound error. Prefect REST: PATCH /flows/{id}.
func (e *Engine) UpdateFlow(ctx context.Context, ws core.WorkspaceID, id core.ID, tags []string) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		flow, err := tx.Flow(id)
		if err != nil {
			return err
		}
		now := e.now()
		flow.Tags, flow.Updated = tags, now
		if err := tx.UpdateFlow(flow); err != nil {
			return err
		}
		return tellChange(tx, now, "flow", "updated", flow.ID, flow.Name, flowPayload(flow))
	})
}

// DeleteFlow removes the flow with its deployments and runs, or returns a
// NotFound error. Prefect REST: DELETE /flows/{id}.
func (e *Engine) DeleteFlow(ctx context.Context, ws core.WorkspaceID, id core.ID) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error { return deleteFlow(tx, e.now(), id) })
}

func deleteFlow(tx core.Tx, now time.Time, id core.ID) error {
	flow, err := tx.Flow(id)
	if err != nil {
		return err
	}
	if _, err := tx.DeleteFlow(id); err != nil {
		return err
	}
	return tellChange(tx, now, "flow", "deleted", flow.ID, flow.Name, flowPayload(flow))
}

func flowPayload(f *core.Flow) any {
	labels, tags := f.Labels, f.Tags
	if len(labels) == 0 {
		labels = json.RawMessage("{}")
	}
	if tags == nil {
		tags = []string{}
	}
	return struct {
		Name   string          `json:"name"`
		Tags   []string        `json:"tags"`
		Labels json.RawMessage `json:"labels"`
	}{f.Name, tags, labels}
}
