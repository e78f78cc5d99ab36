package engine

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// CreateAutomation stores an automation; identity and times are set here. The
// owner, when there is one, is the resource whose end ends the automation.
func (e *Engine) CreateAutomation(ctx context.Context, ws core.WorkspaceID, a core.Automation, owner string) (*core.Automation, error) {
	now := e.now()
	a.ID, a.Created, a.Updated = core.NewID(now), now, now
	resources, err := deploymentsOf(a.Actions)
	if err != nil {
		return nil, err
	}
	err = e.store.Update(ctx, ws, func(tx core.Tx) error {
		if err := checkActionVariables(tx, a.Actions); err != nil {
			return err
		}
		if err := tx.InsertAutomation(&a); err != nil {
			return err
		}
		if err := tx.RelateAutomation(a.ID, resources); err != nil {
			return err
		}
		if owner != "" {
			if err := tx.OwnAutomation(a.ID, owner); err != nil {
				return err
			}
		}
		return tellAutomation(tx, now, "created", &a)
	})
	return &a, err
}

// deploymentsOf lists the resources of the deployments that actions run.
func deploymentsOf(actions json.RawMessage) ([]string, error) {
	var list []struct {
		Type       string   `json:"type"`
		Source     string   `json:"source"`
		Deployment *core.ID `json:"deployment_id"`
	}
	if err := json.Unmarshal(actions, &list); err != nil {
		return nil, core.Errorf(core.Invalid, "actions: %s", err)
	}
	var out []string
	for _, a := range list {
		if a.Type == "run-deployment" && a.Source == "selected" && a.Deployment != nil {
			out = append(out, "prefect.deployment."+a.Deployment.String())
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func tellAutomation(tx core.Tx, now time.Time, what string, a *core.Automation) error {
	return tellChange(tx, now, "automation", what, a.ID, a.Name, struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Enabled     bool            `json:"enabled"`
		Tags        []string        `json:"tags"`
		Trigger     json.RawMessage `json:"trigger"`
		Actions     json.RawMessage `json:"actions"`
		OnTrigger   json.RawMessage `json:"actions_on_trigger"`
		OnResolve   json.RawMessage `json:"actions_on_resolve"`
		ID          core.ID         `json:"id"`
		Created     time.Time       `json:"created"`
		Updated     time.Time       `json:"updated"`
	}{
		a.Name, a.Description, a.Enabled, nonNil(a.Tags), a.Trigger, a.Actions, a.ActionsOnTrigger, a.ActionsOnResolve, a.ID,
		a.Created, a.Updated,
	})
}

// ReplaceAutomation replaces all that the client chooses of an automation.
func (e *Engine) ReplaceAutomation(
	ctx context.Context, ws core.WorkspaceID, a core.Automation, keep func(a, old *core.Automation),
) error {
	resources, err := deploymentsOf(a.Actions)
	if err != nil {
		return err
	}
	return e.changeAutomation(ctx, ws, a.ID, func(tx core.Tx, old *core.Automation) error {
		a.Created = old.Created
		keep(&a, old)
		*old = a
		return tx.RelateAutomation(a.ID, resources)
	})
}

// EnableAutomation switches an automation on or off; nil changes nothing.
func (e *Engine) EnableAutomation(ctx context.Context, ws core.WorkspaceID, id core.ID, enabled *bool) error {
	return e.changeAutomation(ctx, ws, id, func(_ core.Tx, a *core.Automation) error {
		set(&a.Enabled, enabled)
		return nil
	})
}

func (e *Engine) changeAutomation(ctx context.Context, ws core.WorkspaceID, id core.ID, change func(core.Tx, *core.Automation) error) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		a, err := tx.Automation(id)
		if err != nil {
			return err
		}
		if err := change(tx, a); err != nil {
			return err
		}
		a.Updated = now
		if err := tx.UpdateAutomation(a); err != nil {
			return err
		}
		return tellAutomation(tx, now, "updated", a)
	})
}

// DeleteAutomation removes an automation.
func (e *Engine) DeleteAutomation(ctx context.Context, ws core.WorkspaceID, id core.ID) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		a, err := tx.Automation(id)
		if err != nil {
			return err
		}
		return dropAutomation(tx, now, a)
	})
}

func dropAutomation(tx core.Tx, now time.Time, a *core.Automation) error {
	if _, err := tx.DeleteAutomation(a.ID); err != nil {
		return err
	}
	return tellAutomation(tx, now, "deleted", a)
}

// DeleteAutomationsOwnedBy removes the automations that a resource owns.
func (e *Engine) DeleteAutomationsOwnedBy(ctx context.Context, ws core.WorkspaceID, resource string) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		owned, err := tx.AutomationsOf(resource, true)
		if err != nil {
			return err
		}
		for _, a := range owned {
			if err := dropAutomation(tx, now, a); err != nil {
				return err
			}
		}
		return nil
	})
}
