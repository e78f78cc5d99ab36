package prefect3

import (
	"context"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
)

func (a *API) flowRoutes(r *api.Router) {
	r.Handle("POST", "/flows/", api.Handle(http.StatusCreated, a.createFlow))
	r.Handle("POST", "/flows/filter", api.Handle(http.StatusOK, a.filterFlows))
	r.Handle("POST", "/flows/count", api.Handle(http.StatusOK, a.countFlows))
	r.Handle("POST", "/flows/paginate", api.Handle(http.StatusOK, a.paginateFlows))
	r.Handle("GET", "/flows/{id:uuid}", api.Handle(http.StatusOK, a.readFlow))
	r.Handle("GET", "/flows/name/{name}", api.Handle(http.StatusOK, a.readFlowByName))
	r.Handle("PATCH", "/flows/{id:uuid}", api.Handle(http.StatusNoContent, a.updateFlow))
	r.Handle("DELETE", "/flows/{id:uuid}", api.Handle(http.StatusNoContent, a.deleteFlow))
}

type createFlowIn struct {
	Body client.FlowCreate `body:""`
}

// made answers with 201 for a thing that was made and 200 for one that was there.
func made(created bool, body any) api.Response {
	if created {
		return api.Response{Status: http.StatusCreated, Body: body}
	}
	return api.Response{Status: http.StatusOK, Body: body}
}

func (a *API) createFlow(ctx context.Context, in createFlowIn) (api.Response, error) {
	f, created, err := a.Engine.CreateFlow(ctx, a.workspace(ctx), in.Body.Name, in.Body.Tags, optRaw(in.Body.Labels))
	if err != nil {
		return api.Response{}, err
	}
	return made(created, client.FlowOf(f)), nil
}

// flowSort is an order of flows.
type flowSort string

// Enum lists the values.
func (flowSort) Enum() []string {
	return []string{"CREATED_DESC", "UPDATED_DESC", "NAME_ASC", "NAME_DESC"}
}

type filterFlowsIn struct {
	Body struct {
		_ struct{} `wire:"embed"`
		page
		filters
		Sort flowSort `json:"sort" wire:"default=NAME_ASC"`
	} `body:""`
}

func (a *API) filterFlows(ctx context.Context, in filterFlowsIn) ([]client.Flow, error) {
	q, err := query(in.Body.filters, string(in.Body.Sort), in.Body.page)
	if err != nil {
		return nil, err
	}
	return a.listFlows(ctx, q)
}

func (a *API) listFlows(ctx context.Context, q core.Query) ([]client.Flow, error) {
	flows, err := read(ctx, a, func(tx core.Tx) ([]*core.Flow, error) { return tx.FilterFlows(q) })
	return mapped(flows, client.FlowOf), err
}

type filtersIn struct {
	Body struct {
		_ struct{} `wire:"embed"`
		filters
	} `body:""`
}

func (a *API) countFlows(ctx context.Context, in filtersIn) (int, error) {
	return a.numberOfFlows(ctx, core.Query{Where: in.Body.where()})
}

func (a *API) numberOfFlows(ctx context.Context, q core.Query) (int, error) {
	return read(ctx, a, func(tx core.Tx) (int, error) { return tx.CountFlows(q) })
}

type paginateFlowsIn struct {
	Body struct {
		_ struct{} `wire:"embed"`
		numbered
		filters
		Sort flowSort `json:"sort" wire:"default=NAME_ASC"`
	} `body:""`
}

func (a *API) paginateFlows(ctx context.Context, in paginateFlowsIn) (out pages[client.Flow], err error) {
	p, size, err := in.Body.offset()
	if err != nil {
		return out, err
	}
	q, err := query(in.Body.filters, string(in.Body.Sort), p)
	if err != nil {
		return out, err
	}
	list, err := a.listFlows(ctx, q)
	if err != nil {
		return out, err
	}
	n, err := a.numberOfFlows(ctx, q)
	return pagesOf(list, n, size, in.Body.Page), err
}

// byID is the input of endpoints that take an id and nothing else.
type byID struct {
	ID core.ID `path:"id"`
}

func (a *API) readFlow(ctx context.Context, in byID) (out client.Flow, err error) {
	err = a.view(ctx, func(tx core.Tx) error {
		f, err := tx.Flow(in.ID)
		if err == nil {
			out = client.FlowOf(f)
		}
		return err
	})
	return out, err
}

type byName struct {
	Name string `path:"name"`
}

func (a *API) readFlowByName(ctx context.Context, in byName) (out client.Flow, err error) {
	err = a.view(ctx, func(tx core.Tx) error {
		f, err := tx.FlowByName(in.Name)
		if err == nil {
			out = client.FlowOf(f)
		}
		return err
	})
	return out, err
}

type updateFlowIn struct {
	ID   core.ID           `path:"id"`
	Body client.FlowUpdate `body:""`
}

func (a *API) updateFlow(ctx context.Context, in updateFlowIn) (struct{}, error) {
	return struct{}{}, a.Engine.UpdateFlow(ctx, a.workspace(ctx), in.ID, in.Body.Tags.Or(nil))
}

func (a *API) deleteFlow(ctx context.Context, in byID) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteFlow(ctx, a.workspace(ctx), in.ID)
}
