package engine

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/leat-dev/leat/internal/core"
)

// CheckActionVariables checks the job variables of an automation's actions: a
// deployment that is not there is a NotFound error, what its pool refuses Invalid.
func (e *Engine) CheckActionVariables(ctx context.Context, ws core.WorkspaceID, actions json.RawMessage) error {
	return e.store.View(ctx, ws, func(tx core.Tx) error { return checkActionVariables(tx, actions) })
}

// checkActionVariables checks the job variables of the actions that run a
// deployment, as if the run were made now. Prefect REST: POST and PUT /automations.
func checkActionVariables(tx core.Tx, actions json.RawMessage) error {
	var list []struct {
		Type         string          `json:"type"`
		DeploymentID *core.ID        `json:"deployment_id"`
		JobVariables json.RawMessage `json:"job_variables"`
	}
	if json.Unmarshal(actions, &list) != nil {
		return nil //nolint:nilerr // what they must be was checked with their fields
	}
	var refused []string
	for _, action := range list {
		if action.Type != "run-deployment" || action.DeploymentID == nil || len(members(action.JobVariables)) == 0 {
			continue
		}
		d, err := tx.Deployment(*action.DeploymentID)
		if missing(err) {
			return core.Errorf(core.NotFound, "Deployment not found.")
		}
		if err != nil {
			return err
		}
		if d.WorkPoolID == nil {
			continue
		}
		pool, err := tx.WorkPool(*d.WorkPoolID)
		if err != nil {
			return err
		}
		err = checkVariables(pool, action.JobVariables, false, "")
		if e, ok := errors.AsType[*core.Error](err); ok {
			refused = append(refused, e.Message)
		} else if err != nil {
			return err
		}
	}
	if len(refused) == 0 {
		return nil
	}
	return core.Errorf(core.Invalid, "Error creating automation: %s", strings.Join(refused, " "))
}
