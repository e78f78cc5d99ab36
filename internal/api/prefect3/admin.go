package prefect3

import (
	"context"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
)

func (a *API) adminRoutes(r *api.Router) {
	r.Handle("GET", "/hello", api.Handle(http.StatusOK, a.hello))
	r.Handle("GET", "/version", api.Handle(http.StatusOK, a.version))
	r.Handle("GET", "/csrf-token", api.Handle(http.StatusOK, a.csrfToken))
	r.Handle("GET", "/admin/version", api.Handle(http.StatusOK, a.adminVersion))
	r.Handle("GET", "/admin/storage", api.Handle(http.StatusOK, a.resultStorage))
	r.Handle("PUT", "/admin/storage", api.Handle(http.StatusOK, a.setResultStorage))
	r.Handle("DELETE", "/admin/storage", api.Handle(http.StatusNoContent, a.clearResultStorage))
}

func (a *API) hello(context.Context, struct{}) (string, error) { return "👋", nil }

func (a *API) version(context.Context, struct{}) (string, error) { return apiVersion, nil }

func (a *API) adminVersion(context.Context, struct{}) (string, error) { return prefectVersion, nil }

func (a *API) resultStorage(ctx context.Context, _ struct{}) (client.ResultStorage, error) {
	id, err := a.Engine.DefaultResultStorage(ctx, a.workspace(ctx))
	return client.ResultStorage{BlockID: id}, err
}

type setResultStorageIn struct {
	Body client.ResultStorageUpdate `body:""`
}

func (a *API) setResultStorage(ctx context.Context, in setResultStorageIn) (client.ResultStorage, error) {
	err := a.Engine.SetDefaultResultStorage(ctx, a.workspace(ctx), &in.Body.BlockID)
	return client.ResultStorage{BlockID: &in.Body.BlockID}, err
}

func (a *API) clearResultStorage(ctx context.Context, _ struct{}) (struct{}, error) {
	var none *core.ID
	return struct{}{}, a.Engine.SetDefaultResultStorage(ctx, a.workspace(ctx), none)
}
