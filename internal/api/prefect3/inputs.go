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

type createInputIn struct {
	ID   core.ID                   `path:"id"`
	Body client.FlowRunInputCreate `body:""`
}

func (a *API) createInput(ctx context.Context, in createInputIn) (struct{}, error) {
	return struct{}{}, a.Engine.CreateFlowRunInput(ctx, a.workspace(ctx), in.ID, in.Body.Key, in.Body.Value, in.Body.Sender)
}

type filterInputsIn struct {
	ID   core.ID                   `path:"id"`
	Body client.FlowRunInputFilter `body:""`
}

func (a *API) filterInputs(ctx context.Context, in filterInputsIn) (out []client.FlowRunInput, err error) {
	err = a.view(ctx, func(tx core.Tx) error {
		found, err := tx.FlowRunInputs(in.ID, in.Body.Prefix, in.Body.ExcludeKeys, max(in.Body.Limit, 0))
		out = mapped(found, client.FlowRunInputOf)
		return err
	})
	return out, err
}

type inputByKey struct {
	ID  core.ID `path:"id"`
	Key string  `path:"key"`
}

// readInput answers with the value itself, as text.
func (a *API) readInput(ctx context.Context, in inputByKey) (res api.Response, err error) {
	err = a.view(ctx, func(tx core.Tx) error {
		found, err := tx.FlowRunInput(in.ID, in.Key)
		if err == nil {
			res = api.Response{Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, Body: []byte(found.Value)}
		}
		return err
	})
	return res, err
}

func (a *API) deleteInput(ctx context.Context, in inputByKey) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteFlowRunInput(ctx, a.workspace(ctx), in.ID, in.Key)
}
