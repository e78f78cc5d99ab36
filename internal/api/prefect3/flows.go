package prefect3

import (
	"context"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
)

func (a *API) flowRoutes(r *api.Router) {
	flows := each(core.Tx.FilterFlows, client.FlowOf)
	r.Handle("POST", "/flows/", api.Handle(http.StatusCreated, a.createFlow))
	r.Handle("POST", "/flows/filter", api.Handle(http.StatusOK, list[flowList](a, flows)))
	r.Handle("POST", "/flows/count", api.Handle(http.StatusOK, count[flowFilters](a, core.Tx.CountFlows)))
	r.Handle("POST", "/flows/paginate", api.Handle(http.StatusOK, paginate[flowPages](a, flows, core.Tx.CountFlows)))
	r.Handle("GET", "/flows/{id:uuid}", api.Handle(http.StatusOK, get[byID](a, one(core.Tx.Flow, client.FlowOf))))
	r.Handle("GET", "/flows/name/{name}", api.Handle(http.StatusOK, get[byName](a, one(core.Tx.FlowByName, client.FlowOf))))
	r.Handle("PATCH", "/flows/{id:uuid}", api.Handle(http.StatusNoContent, a.updateFlow))
	r.Handle("DELETE", "/flows/{id:uuid}", api.Handle(http.StatusNoContent, do[byID](a, a.Engine.DeleteFlow)))
}

// The bodies of lists of flows.
type (
	flowList struct {
		page
		flowFilters
		nameOrder
	}
	flowPages struct {
		numbered
		flowFilters
		nameOrder
	}
)

func (a *API) createFlow(ctx context.Context, in bodyIn[client.FlowCreate]) (api.Reply[client.Flow], error) {
	f, created, err := a.Engine.CreateFlow(ctx, a.workspace(ctx), in.Body.Name, in.Body.Tags, optRaw(in.Body.Labels))
	return made(f, created, err, client.FlowOf)
}

func (a *API) updateFlow(ctx context.Context, in idIn[client.FlowUpdate]) (struct{}, error) {
	tags, given := in.Body.Tags.Get()
	if !given {
		_, err := read(ctx, a, func(tx core.Tx) (*core.Flow, error) { return tx.Flow(in.ID) })
		return struct{}{}, err
	}
	return struct{}{}, a.Engine.UpdateFlow(ctx, a.workspace(ctx), in.ID, tags)
}
