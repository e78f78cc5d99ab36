package prefect3

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

func (a *API) automationRoutes(r *api.Router) {
	r.Handle("POST", "/automations/", api.Handle(http.StatusCreated, a.createAutomation))
	r.Handle("POST", "/automations/filter", api.Handle(http.StatusOK, a.filterAutomations))
	r.Handle("POST", "/automations/count", api.Handle(http.StatusOK, a.countAutomations))
	r.Handle("GET", "/automations/{id:uuid}", api.Handle(http.StatusOK, a.readAutomation))
	r.Handle("PUT", "/automations/{id:uuid}", api.Handle(http.StatusNoContent, a.replaceAutomation))
	r.Handle("PATCH", "/automations/{id:uuid}", api.Handle(http.StatusNoContent, a.patchAutomation))
	r.Handle("DELETE", "/automations/{id:uuid}", api.Handle(http.StatusNoContent, a.deleteAutomation))
	r.Handle("GET", "/automations/related-to/{resource_id}", api.Handle(http.StatusOK, a.automationsRelatedTo))
	r.Handle("DELETE", "/automations/owned-by/{resource_id}", api.Handle(http.StatusAccepted, a.deleteAutomationsOwnedBy))
}

// automationFilter selects automations.
type automationFilter struct{ core.Filter }

// DecodeWire implements wire's interface for types that decode themselves.
func (f *automationFilter) DecodeWire(raw json.RawMessage) []wire.FieldError {
	return decodeFilter(core.EntityAutomation, raw, &f.Filter)
}

func (f *automationFilter) where() map[core.Entity]*core.Filter {
	if f == nil {
		return nil
	}
	return only(core.EntityAutomation, &f.Filter)
}

const noAutomation = "Automation not found"

func (a *API) newID() core.ID { return core.NewID(a.Now()) }

type createAutomationIn struct {
	Body client.AutomationCreate `body:""`
}

func (a *API) createAutomation(ctx context.Context, in createAutomationIn) (out client.Automation, err error) {
	automation, err := in.Body.Core(a.newID)
	if err != nil {
		return out, err
	}
	owner := ""
	if in.Body.OwnerResource != nil {
		owner = *in.Body.OwnerResource
	}
	made, err := a.Engine.CreateAutomation(ctx, a.workspace(ctx), automation, owner)
	if err != nil {
		return out, err
	}
	return client.AutomationOf(made), nil
}

// automationSort is an order of automations.
type automationSort string

// Enum lists the values.
func (automationSort) Enum() []string {
	return []string{"CREATED_DESC", "UPDATED_DESC", "NAME_ASC", "NAME_DESC"}
}

type filterAutomationsIn struct {
	Body struct {
		_ struct{} `wire:"embed"`
		page
		Automations *automationFilter `json:"automations"`
		Sort        automationSort    `json:"sort" wire:"default=NAME_ASC"`
	} `body:""`
}

func (a *API) filterAutomations(ctx context.Context, in filterAutomationsIn) (out []client.Automation, err error) {
	n, err := limit(in.Body.Limit)
	if err != nil {
		return nil, err
	}
	err = a.view(ctx, func(tx core.Tx) error {
		found, err := tx.FilterAutomations(core.Query{
			Where: in.Body.Automations.where(), Sort: string(in.Body.Sort), Limit: n, Offset: in.Body.Offset,
		})
		out = mapped(found, client.AutomationOf)
		return err
	})
	return out, err
}

type countAutomationsIn struct {
	Body struct {
		_           struct{}          `wire:"embed"`
		Automations *automationFilter `json:"automations"`
	} `body:""`
}

func (a *API) countAutomations(ctx context.Context, in countAutomationsIn) (n int, err error) {
	err = a.view(ctx, func(tx core.Tx) (err error) {
		n, err = tx.CountAutomations(core.Query{Where: in.Body.Automations.where()})
		return err
	})
	return n, err
}

func (a *API) readAutomation(ctx context.Context, in byID) (out client.Automation, err error) {
	err = a.view(ctx, func(tx core.Tx) error {
		found, err := tx.Automation(in.ID)
		if err == nil {
			out = client.AutomationOf(found)
		}
		return err
	})
	return out, missingException(err, noAutomation)
}

type replaceAutomationIn struct {
	ID   core.ID                 `path:"id"`
	Body client.AutomationUpdate `body:""`
}

func (a *API) replaceAutomation(ctx context.Context, in replaceAutomationIn) (struct{}, error) {
	automation, err := in.Body.Core(a.newID)
	if err != nil {
		return struct{}{}, err
	}
	automation.ID = in.ID
	return struct{}{}, missingException(a.Engine.ReplaceAutomation(ctx, a.workspace(ctx), automation), noAutomation)
}

type patchAutomationIn struct {
	ID   core.ID                        `path:"id"`
	Body client.AutomationPartialUpdate `body:""`
}

func (a *API) patchAutomation(ctx context.Context, in patchAutomationIn) (struct{}, error) {
	return struct{}{}, missingException(a.Engine.EnableAutomation(ctx, a.workspace(ctx), in.ID, in.Body.Enabled.Ptr()), noAutomation)
}

func (a *API) deleteAutomation(ctx context.Context, in byID) (struct{}, error) {
	return struct{}{}, missingException(a.Engine.DeleteAutomation(ctx, a.workspace(ctx), in.ID), noAutomation)
}

type byResource struct {
	ResourceID string `path:"resource_id"`
}

func (a *API) automationsRelatedTo(ctx context.Context, in byResource) (out []client.Automation, err error) {
	err = a.view(ctx, func(tx core.Tx) error {
		found, err := tx.AutomationsOf(in.ResourceID, false)
		out = mapped(found, client.AutomationOf)
		return err
	})
	return out, err
}

func (a *API) deleteAutomationsOwnedBy(ctx context.Context, in byResource) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteAutomationsOwnedBy(ctx, a.workspace(ctx), in.ResourceID)
}
