package prefect3

import (
	"context"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
)

func (a *API) healthRoutes(r *api.Router) {
	r.HandleOpen("GET", "/health", api.Handle(http.StatusOK, a.health))
	r.HandleOpen("GET", "/ready", api.Handle(http.StatusOK, a.ready))
	r.HandleOpen("GET", "/openapi.json", api.Handle(http.StatusOK, a.openAPI))
	r.Handle("POST", "/admin/database/clear", api.Handle(http.StatusNoContent, a.clearDatabase))
	r.Handle("GET", "/flow_runs/{id:uuid}/why", api.Handle(http.StatusOK, a.whyFlowRun))
}

// openAPI describes the API by the types that it reads and writes.
func (a *API) openAPI(context.Context, struct{}) (map[string]any, error) {
	return a.router.OpenAPI("leat: Prefect REST API", prefectVersion), nil
}

func (a *API) health(context.Context, struct{}) (bool, error) { return true, nil }

// ready answers only while the database does. Prefect REST: GET /ready.
func (a *API) ready(ctx context.Context, _ struct{}) (api.Response, error) {
	if err := a.store.Ping(ctx); err != nil {
		return api.Response{Status: http.StatusServiceUnavailable, Body: map[string]string{"message": "Database is not available"}}, nil //nolint:nilerr // the answer tells it
	}
	return api.Response{Body: map[string]string{"message": "OK"}}, nil
}

type clearIn struct {
	Body struct {
		_       struct{} `wire:"embed"`
		Confirm bool     `json:"confirm"`
	} `body:""`
}

// clearDatabase empties the database, where the server was started so.
func (a *API) clearDatabase(ctx context.Context, in clearIn) (struct{}, error) {
	switch {
	case a.Clear == nil:
		return struct{}{}, refusal(http.StatusForbidden, "This server does not allow its database to be cleared; start it with --allow-database-clear.")
	case !in.Body.Confirm:
		return struct{}{}, refusal(http.StatusUnprocessableEntity, `Clearing the database deletes everything in it; send {"confirm": true}.`)
	}
	return struct{}{}, a.Clear(ctx)
}

// whyFlowRun says in a sentence why a run is in its state. leat's own route.
func (a *API) whyFlowRun(ctx context.Context, in byID) (map[string]string, error) {
	reason, err := a.Engine.Why(ctx, a.workspace(ctx), in.ID)
	return map[string]string{"reason": reason}, err
}
