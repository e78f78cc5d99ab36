package prefect3

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/wire"
)

func (a *API) variableRoutes(r *api.Router) {
	r.Handle("POST", "/variables/", api.Handle(http.StatusCreated, a.createVariable))
	r.Handle("POST", "/variables/filter", api.Handle(http.StatusOK, a.filterVariables))
	r.Handle("POST", "/variables/count", api.Handle(http.StatusOK, a.countVariables))
	r.Handle("GET", "/variables/{id:uuid}", api.Handle(http.StatusOK, a.readVariable))
	r.Handle("PATCH", "/variables/{id:uuid}", api.Handle(http.StatusNoContent, a.updateVariable))
	r.Handle("DELETE", "/variables/{id:uuid}", api.Handle(http.StatusNoContent, a.deleteVariable))
	r.Handle("GET", "/variables/name/{name}", api.Handle(http.StatusOK, a.readVariableByName))
	r.Handle("PATCH", "/variables/name/{name}", api.Handle(http.StatusNoContent, a.updateVariableByName))
	r.Handle("DELETE", "/variables/name/{name}", api.Handle(http.StatusNoContent, a.deleteVariableByName))
}

// variableFilter selects variables.
type variableFilter struct{ core.Filter }

// DecodeWire implements wire's interface for types that decode themselves.
func (f *variableFilter) DecodeWire(raw json.RawMessage) []wire.FieldError {
	return decodeFilter(core.EntityVariable, raw, &f.Filter)
}

// only is the selection by one filter; it may be nil.
func only(e core.Entity, f *core.Filter) map[core.Entity]*core.Filter {
	return map[core.Entity]*core.Filter{e: f}
}

func (f *variableFilter) where() map[core.Entity]*core.Filter {
	if f == nil {
		return nil
	}
	return only(core.EntityVariable, &f.Filter)
}

type createVariableIn struct {
	Body client.VariableCreate `body:""`
}

func (a *API) createVariable(ctx context.Context, in createVariableIn) (out client.Variable, err error) {
	v, err := a.Engine.CreateVariable(ctx, a.workspace(ctx), string(in.Body.Name), json.RawMessage(in.Body.Value), in.Body.Tags)
	if err != nil {
		return out, err
	}
	return client.VariableOf(v), nil
}

// variableSort is an order of variables.
type variableSort string

// Enum lists the values.
func (variableSort) Enum() []string {
	return []string{"CREATED_DESC", "UPDATED_DESC", "NAME_DESC", "NAME_ASC"}
}

type filterVariablesIn struct {
	Body struct {
		_ struct{} `wire:"embed"`
		page
		Variables *variableFilter `json:"variables"`
		Sort      variableSort    `json:"sort" wire:"default=NAME_ASC"`
	} `body:""`
}

func (a *API) filterVariables(ctx context.Context, in filterVariablesIn) (out []client.Variable, err error) {
	n, err := limit(in.Body.Limit)
	if err != nil {
		return nil, err
	}
	err = a.view(ctx, func(tx core.Tx) error {
		found, err := tx.FilterVariables(core.Query{
			Where: in.Body.Variables.where(), Sort: string(in.Body.Sort), Limit: n, Offset: in.Body.Offset,
		})
		out = mapped(found, client.VariableOf)
		return err
	})
	return out, err
}

type countVariablesIn struct {
	Body struct {
		_         struct{}        `wire:"embed"`
		Variables *variableFilter `json:"variables"`
	} `body:""`
}

func (a *API) countVariables(ctx context.Context, in countVariablesIn) (n int, err error) {
	err = a.view(ctx, func(tx core.Tx) (err error) {
		n, err = tx.CountVariables(core.Query{Where: in.Body.Variables.where()})
		return err
	})
	return n, err
}

func (a *API) oneVariable(ctx context.Context, ref engine.VariableRef) (out client.Variable, err error) {
	v, err := a.Engine.Variable(ctx, a.workspace(ctx), ref)
	if err != nil {
		return out, err
	}
	return client.VariableOf(v), nil
}

func (a *API) readVariable(ctx context.Context, in byID) (client.Variable, error) {
	return a.oneVariable(ctx, engine.VariableRef{ID: in.ID})
}

func (a *API) readVariableByName(ctx context.Context, in byName) (client.Variable, error) {
	return a.oneVariable(ctx, engine.VariableRef{Name: in.Name})
}

func (a *API) changeVariable(ctx context.Context, ref engine.VariableRef, b client.VariableUpdate) error {
	change := engine.VariableChange{Name: (*string)(b.Name.Ptr()), Tags: b.Tags.Ptr()}
	switch {
	case b.Value.Null:
		change.Value = json.RawMessage("null")
	case b.Value.Set:
		change.Value = json.RawMessage(b.Value.Value)
	}
	return a.Engine.UpdateVariable(ctx, a.workspace(ctx), ref, change)
}

type updateVariableIn struct {
	ID   core.ID               `path:"id"`
	Body client.VariableUpdate `body:""`
}

func (a *API) updateVariable(ctx context.Context, in updateVariableIn) (struct{}, error) {
	return struct{}{}, a.changeVariable(ctx, engine.VariableRef{ID: in.ID}, in.Body)
}

type updateVariableByNameIn struct {
	Name string                `path:"name"`
	Body client.VariableUpdate `body:""`
}

func (a *API) updateVariableByName(ctx context.Context, in updateVariableByNameIn) (struct{}, error) {
	return struct{}{}, a.changeVariable(ctx, engine.VariableRef{Name: in.Name}, in.Body)
}

func (a *API) deleteVariable(ctx context.Context, in byID) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteVariable(ctx, a.workspace(ctx), engine.VariableRef{ID: in.ID})
}

func (a *API) deleteVariableByName(ctx context.Context, in byName) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteVariable(ctx, a.workspace(ctx), engine.VariableRef{Name: in.Name})
}
