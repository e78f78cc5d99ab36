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
	r.Handle("POST", "/saved_searches/filter", api.Handle(http.StatusOK, list[savedSearchList](a, each(savedSearches, client.SavedSearchOf))))
	r.Handle("GET", "/saved_searches/{id:uuid}", api.Handle(http.StatusOK, get[byID](a, one(core.Tx.SavedSearch, client.SavedSearchOf))))
	r.Handle("DELETE", "/saved_searches/{id:uuid}", api.Handle(http.StatusNoContent, do[byID](a, a.Engine.DeleteSavedSearch)))
}

func (a *API) putSavedSearch(ctx context.Context, in bodyIn[client.SavedSearchCreate]) (api.Reply[client.SavedSearch], error) {
	filters, err := wire.Marshal(client.NotNil(in.Body.Filters))
	if err != nil {
		return api.Reply[client.SavedSearch]{}, err
	}
	s, created, err := a.Engine.PutSavedSearch(ctx, a.workspace(ctx), in.Body.Name, filters)
	return made(s, created, err, client.SavedSearchOf)
}

type savedSearchList struct {
	page
	unordered
}

func (savedSearchList) where() selection { return nil }

func savedSearches(tx core.Tx, q core.Query) ([]*core.SavedSearch, error) {
	return tx.SavedSearches(q.Limit, q.Offset)
}
