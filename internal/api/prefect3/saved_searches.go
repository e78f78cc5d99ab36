package prefect3

import (
	"context"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

func (a *API) savedSearchRoutes(r *api.Router) {
	r.Handle("PUT", "/saved_searches/", api.Handle(http.StatusCreated, a.putSavedSearch))
	r.Handle("POST", "/saved_searches/filter", api.Handle(http.StatusOK, a.filterSavedSearches))
	r.Handle("GET", "/saved_searches/{id:uuid}", api.Handle(http.StatusOK, a.readSavedSearch))
	r.Handle("DELETE", "/saved_searches/{id:uuid}", api.Handle(http.StatusNoContent, a.deleteSavedSearch))
}

type putSavedSearchIn struct {
	Body client.SavedSearchCreate `body:""`
}

func (a *API) putSavedSearch(ctx context.Context, in putSavedSearchIn) (api.Response, error) {
	filters, err := wire.Marshal(client.NotNil(in.Body.Filters))
	if err != nil {
		return api.Response{}, err
	}
	s, created, err := a.Engine.PutSavedSearch(ctx, a.workspace(ctx), in.Body.Name, filters)
	if err != nil {
		return api.Response{}, err
	}
	return made(created, client.SavedSearchOf(s)), nil
}

func (a *API) filterSavedSearches(ctx context.Context, in pageIn) (out []client.SavedSearch, err error) {
	n, err := limit(in.Body.Limit)
	if err != nil {
		return nil, err
	}
	err = a.view(ctx, func(tx core.Tx) error {
		found, err := tx.SavedSearches(n, in.Body.Offset)
		out = mapped(found, client.SavedSearchOf)
		return err
	})
	return out, err
}

func (a *API) readSavedSearch(ctx context.Context, in byID) (out client.SavedSearch, err error) {
	err = a.view(ctx, func(tx core.Tx) error {
		found, err := tx.SavedSearch(in.ID)
		if err == nil {
			out = client.SavedSearchOf(found)
		}
		return err
	})
	return out, err
}

func (a *API) deleteSavedSearch(ctx context.Context, in byID) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteSavedSearch(ctx, a.workspace(ctx), in.ID)
}
