package client

import (
	"encoding/json"
	"slices"

	"github.com/leat-dev/leat/internal/wire"
)

// loops refuses an automation that would run deployments for ever because it
// reacts to what each of their runs does. Prefect REST: AutomationCore.
func (u *automationUpdate) loops(raw json.RawMessage) []wire.FieldError {
	t := u.Trigger.event
	if u.Enabled.set && !u.Enabled.value || t == nil || t.Posture != "Reactive" {
		return nil
	}
	everyRun := func(name string) bool {
		switch name {
		case "prefect.flow-run.Scheduled", "prefect.flow-run.Pending", "prefect.flow-run.Running", "prefect.flow-run.*":
			return true
		}
		return false
	}
	if !slices.ContainsFunc(t.Expect, everyRun) {
		return nil
	}
	for _, a := range u.Actions {
		var action struct {
			Type   string `json:"type"`
			Source string `json:"source"`
		}
		if json.Unmarshal(a, &action) != nil || action.Type != "run-deployment" {
			continue
		}
		if action.Source == "inferred" {
			return []wire.FieldError{valueError("Running an inferred deployment from a flow run state change event will lead to an infinite loop "+
				"of flow runs.  Please choose a specific deployment and add additional filtering labels to the match or match_related "+
				"for this automation's trigger.", raw)}
		}
		if everyFlowRun(json.RawMessage(t.Match)) && slices.ContainsFunc(specsOf(json.RawMessage(t.MatchRelated)), everyFlowRun) {
			return []wire.FieldError{valueError("Running a selected deployment from a flow run state change event may lead to an infinite loop "+
				"of flow runs.  Please include additional filtering labels on either match or match_related to narrow down which flow runs "+
				"will trigger this automation to exclude flow runs from the deployment you've selected.", raw)}
		}
	}
	return nil
}

// specsOf reads one specification of resources or a list of them.
func specsOf(raw json.RawMessage) []json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil && list != nil {
		return list
	}
	return []json.RawMessage{raw}
}

// everyFlowRun reports whether a specification matches all flow runs.
func everyFlowRun(raw json.RawMessage) bool {
	var labels map[string]json.RawMessage
	if json.Unmarshal(raw, &labels) != nil || len(labels) == 0 {
		return true
	}
	if len(labels) != 1 {
		return false
	}
	const every = "prefect.flow-run.*"
	var one string
	if json.Unmarshal(labels["prefect.resource.id"], &one) == nil {
		return one == every
	}
	var many []string
	return json.Unmarshal(labels["prefect.resource.id"], &many) == nil && slices.Contains(many, every)
}
