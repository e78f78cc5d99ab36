package prefect3

import (
	"context"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
)

func (a *API) inputRoutes(r *api.Router) {
	r.Handle("POST", "/flow_runs/{id:uuid}/input", api.Handle(http.StatusCreated, a.createInput))
	r.Handle("POST", "/flow_runs/{id:uuid}/input/filter", api.Handle(http.StatusOK, a.filterInputs))
	r.Handle("GET", "/flow_runs/{id:uuid}/input/{key}", api.Handle(http.StatusOK, a.readInput))
	r.Handle("DELETE", "/flow_runs/{id:uuid}/input/{key}", api.Handle(http.StatusNoContent, a.deleteInput))
}

func (a *API) createInput(ctx context.Context, in idIn[client.FlowRunInputCreate]) (struct{}, error) {
	return struct{}{}, a.Engine.CreateFlowRunInput(ctx, a.workspace(ctx), in.ID, in.Body.Key, string(in.Body.Value), in.Body.Sender)
}

func (a *API) filterInputs(ctx context.Context, in idIn[client.FlowRunInputFilter]) ([]client.FlowRunInput, error) {
	found, err := read(ctx, a, func(tx core.Tx) ([]*core.FlowRunInput, error) {
		return tx.FlowRunInputs(in.ID, in.Body.Prefix, in.Body.ExcludeKeys, max(in.Body.Limit, 0))
	})
	return mapped(found, client.FlowRunInputOf), err
}

type inputByKey struct {
	ID  core.ID `path:"id"`
	Key string  `path:"key"`
}

// readInput answers with the value itself, as text.
func (a *API) readInput(ctx context.Context, in inputByKey) (api.Response, error) {
	found, err := read(ctx, a, func(tx core.Tx) (*core.FlowRunInput, error) { return tx.FlowRunInput(in.ID, in.Key) })
	return shown(found, err, func(i *core.FlowRunInput) api.Response {
		return api.Response{Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, Body: []byte(i.Value)}
	})
}

func (a *API) deleteInput(ctx context.Context, in inputByKey) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteFlowRunInput(ctx, a.workspace(ctx), in.ID, in.Key)
}
