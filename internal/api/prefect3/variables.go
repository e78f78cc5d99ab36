package prefect3

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

func (a *API) variableRoutes(r *api.Router) {
	r.Handle("POST", "/variables/", api.Handle(http.StatusCreated, a.createVariable))
	r.Handle("POST", "/variables/filter", api.Handle(http.StatusOK, list[variableList](a, each(core.Tx.FilterVariables, client.VariableOf))))
	r.Handle("POST", "/variables/count", api.Handle(http.StatusOK, count[variableFilters](a, core.Tx.CountVariables)))
	r.Handle("GET", "/variables/{id:uuid}", api.Handle(http.StatusOK, a.readVariable))
	r.Handle("PATCH", "/variables/{id:uuid}", api.Handle(http.StatusNoContent, a.updateVariable))
	r.Handle("DELETE", "/variables/{id:uuid}", api.Handle(http.StatusNoContent, a.deleteVariable))
	r.Handle("GET", "/variables/name/{name}", api.Handle(http.StatusOK, a.readVariableByName))
	r.Handle("PATCH", "/variables/name/{name}", api.Handle(http.StatusNoContent, a.updateVariableByName))
	r.Handle("DELETE", "/variables/name/{name}", api.Handle(http.StatusNoContent, a.deleteVariableByName))
}

func (a *API) createVariable(ctx context.Context, in bodyIn[client.VariableCreate]) (out client.Variable, err error) {
	v, err := a.Engine.CreateVariable(ctx, a.workspace(ctx), string(in.Body.Name), json.RawMessage(in.Body.Value), in.Body.Tags)
	return shown(v, err, client.VariableOf)
}

// variableSort is an order of variables.
type variableSort string

// Enum lists the values.
func (variableSort) Enum() []string {
	return []string{"CREATED_DESC", "UPDATED_DESC", "NAME_DESC", "NAME_ASC"}
}

// variableFilters is the part of a body that selects variables.
type variableFilters struct {
	_         struct{}            `wire:"embed"`
	Variables *filter[ofVariable] `json:"variables"`
}

func (f variableFilters) where() selection { return where(f.Variables) }

type variableList struct {
	page
	variableFilters
	Sort variableSort `json:"sort" wire:"default=NAME_ASC"`
}

func (b variableList) order() string { return string(b.Sort) }

func (a *API) readVariable(ctx context.Context, in byID) (client.Variable, error) {
	v, err := a.Engine.Variable(ctx, a.workspace(ctx), engine.VariableRef{ID: in.ID})
	return shown(v, err, client.VariableOf)
}

func (a *API) readVariableByName(ctx context.Context, in byName) (client.Variable, error) {
	v, err := a.Engine.Variable(ctx, a.workspace(ctx), engine.VariableRef{Name: in.Name})
	return shown(v, err, client.VariableOf)
}

func (a *API) changeVariable(ctx context.Context, ref engine.VariableRef, b client.VariableUpdate) error {
	change := engine.VariableChange{Name: (*string)(b.Name.Ptr()), Tags: b.Tags.Ptr(), Nulls: b.Name.Null || b.Tags.Null}
	switch {
	case b.Value.Null:
		change.Value = json.RawMessage("null")
	case b.Value.Set:
		change.Value = json.RawMessage(b.Value.Value)
	}
	return a.Engine.UpdateVariable(ctx, a.workspace(ctx), ref, change)
}

func (a *API) updateVariable(ctx context.Context, in idIn[client.VariableUpdate]) (struct{}, error) {
	return struct{}{}, a.changeVariable(ctx, engine.VariableRef{ID: in.ID}, in.Body)
}

func (a *API) updateVariableByName(ctx context.Context, in nameIn[client.VariableUpdate]) (struct{}, error) {
	return struct{}{}, a.changeVariable(ctx, engine.VariableRef{Name: in.Name}, in.Body)
}

func (a *API) deleteVariable(ctx context.Context, in byID) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteVariable(ctx, a.workspace(ctx), engine.VariableRef{ID: in.ID})
}

func (a *API) deleteVariableByName(ctx context.Context, in byName) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteVariable(ctx, a.workspace(ctx), engine.VariableRef{Name: in.Name})
}
