package prefect3

import (
	"context"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
)

func (a *API) automationRoutes(r *api.Router) {
	r.Handle("POST", "/automations/", api.Handle(http.StatusCreated, a.createAutomation))
	r.Handle("POST", "/automations/filter", api.Handle(http.StatusOK, list[automationList](a, each(core.Tx.FilterAutomations, client.AutomationOf))))
	r.Handle("POST", "/automations/count", api.Handle(http.StatusOK, count[automationFilters](a, core.Tx.CountAutomations)))
	r.Handle("GET", "/automations/{id:uuid}", api.Handle(http.StatusOK, get[byID](a, one(automation, client.AutomationOf))))
	r.Handle("PUT", "/automations/{id:uuid}", api.Handle(http.StatusNoContent, a.replaceAutomation))
	r.Handle("PATCH", "/automations/{id:uuid}", api.Handle(http.StatusNoContent, a.patchAutomation))
	r.Handle("DELETE", "/automations/{id:uuid}", api.Handle(http.StatusNoContent, a.deleteAutomation))
	r.Handle("GET", "/automations/related-to/{resource_id}", api.Handle(http.StatusOK, get[byResource](a, each(automationsOf, client.AutomationOf))))
	r.Handle("DELETE", "/automations/owned-by/{resource_id}", api.Handle(http.StatusAccepted, do[byResource](a, a.Engine.DeleteAutomationsOwnedBy)))
}

// automationFilters is the part of a body that selects automations.
type automationFilters struct {
	_           struct{}              `wire:"embed"`
	Automations *filter[ofAutomation] `json:"automations"`
}

func (f automationFilters) where() selection { return where(f.Automations) }

type automationList struct {
	page
	automationFilters
	nameOrder
}

const noAutomation = "Automation not found"

func (a *API) newID() core.ID { return core.NewID(a.Now()) }

func (a *API) createAutomation(ctx context.Context, in bodyIn[client.AutomationCreate]) (out client.Automation, err error) {
	automation, err := in.Body.Core(a.newID)
	if err != nil {
		return out, err
	}
	owner := ""
	if in.Body.OwnerResource != nil {
		owner = *in.Body.OwnerResource
	}
	made, err := a.Engine.CreateAutomation(ctx, a.workspace(ctx), automation, owner)
	return shown(made, err, client.AutomationOf)
}

func (a *API) replaceAutomation(ctx context.Context, in idIn[client.AutomationUpdate]) (struct{}, error) {
	automation, err := in.Body.Core(a.newID)
	if err != nil {
		return struct{}{}, err
	}
	if err := a.Engine.CheckActionVariables(ctx, a.workspace(ctx), automation.Actions); err != nil {
		return struct{}{}, err
	}
	automation.ID = in.ID
	return struct{}{}, missingException(a.Engine.ReplaceAutomation(ctx, a.workspace(ctx), automation, in.Body.Keep), noAutomation)
}

func (a *API) patchAutomation(ctx context.Context, in idIn[client.AutomationPartialUpdate]) (struct{}, error) {
	return struct{}{}, missingException(a.Engine.EnableAutomation(ctx, a.workspace(ctx), in.ID, in.Body.Enabled.Opt().Ptr()), noAutomation)
}

func (a *API) deleteAutomation(ctx context.Context, in byID) (struct{}, error) {
	return struct{}{}, missingException(a.Engine.DeleteAutomation(ctx, a.workspace(ctx), in.ID), noAutomation)
}

func automation(tx core.Tx, id core.ID) (*core.Automation, error) {
	found, err := tx.Automation(id)
	return found, missingException(err, noAutomation)
}

type byResource struct {
	ResourceID string `path:"resource_id"`
}

func (in byResource) key() string { return in.ResourceID }

func automationsOf(tx core.Tx, resource string) ([]*core.Automation, error) {
	return tx.AutomationsOf(resource, false)
}
