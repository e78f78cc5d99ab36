package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/trigger"
)

// ActionSpec is what a triggered action says: what is to be done, and why.
type ActionSpec struct {
	// Automation is the automation as it was when it fired.
	Automation AutomationFacts `json:"automation"`
	Firing     *trigger.Firing `json:"firing"`
	// Event is what led to the action; nil for none.
	Event  *trigger.SeenEvent `json:"event"`
	Action json.RawMessage    `json:"action"`
	Index  int                `json:"index"`
	// Told is the id of the event that told of the firing.
	Told core.ID `json:"told"`
}

// AutomationFacts are what actions and their templates need of an automation.
type AutomationFacts struct {
	ID          core.ID         `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Enabled     bool            `json:"enabled"`
	Tags        []string        `json:"tags"`
	Trigger     json.RawMessage `json:"trigger"`
	Created     trigger.Time    `json:"created"`
	Updated     trigger.Time    `json:"updated"`
}

// act stores what an automation that fired wants done, unless it is the last
// link of a chain of firings that never ends.
func (e *Engine) act(tx core.Tx, act *trigger.Act, now time.Time) error {
	depth := 0
	for _, ev := range act.Firing.Events() {
		n, err := tx.TriggerDepth(involved(ev), now.Add(-triggerLoop))
		if err != nil {
			return err
		}
		depth = max(depth, n)
	}
	depth++
	if depth > maxTriggerDepth {
		e.log.Warn("a chain of automations that trigger each other was broken", "automation_id", act.Automation.ID.String(),
			"name", act.Automation.Name, "depth", depth)
		return tellLoop(tx, now, act)
	}
	if err := tx.InsertEvents([]*core.Event{act.Told}); err != nil {
		return err
	}
	if err := tx.DeepenTriggers([]string{"prefect.event." + act.Told.ID.String()}, depth, now, now.Add(-triggerLoop)); err != nil {
		return err
	}
	a := act.Automation
	facts := AutomationFacts{
		ID: a.ID, Name: a.Name, Description: a.Description, Enabled: a.Enabled, Tags: nonNil(a.Tags), Trigger: a.Automation.Trigger,
		Created: trigger.Time{Time: a.Created}, Updated: trigger.Time{Time: a.Updated},
	}
	rows := make([]*core.TriggeredAction, len(act.Actions))
	for i, action := range act.Actions {
		spec := ActionSpec{Automation: facts, Firing: act.Firing, Event: action.Event, Action: action.Spec, Index: action.Index, Told: act.Told.ID}
		raw, err := json.Marshal(spec)
		if err != nil {
			return err
		}
		rows[i] = &core.TriggeredAction{ID: action.ID, Created: now, Due: now, Depth: depth, Spec: raw}
	}
	return tx.InsertTriggeredActions(rows)
}

// tellLoop tells that an automation fired and did nothing, since it, or it and
// others, trigger themselves. No trigger sees this event.
func tellLoop(tx core.Tx, now time.Time, act *trigger.Act) error {
	ev := *act.Told
	ev.ID, ev.Event = core.NewID(now), trigger.LoopBroken
	ev.Payload = joinMembers([]member{
		{"reason", mustJSON(fmt.Sprintf("Automations have triggered each other %d times in a row within %s, so nothing was done this time. "+
			"Narrow the trigger, so that it does not match what its own actions do.", maxTriggerDepth, triggerLoop))},
	})
	return tx.InsertEvents([]*core.Event{&ev})
}

// ClaimTriggeredActions takes actions that are due, for the owner until the time.
func (e *Engine) ClaimTriggeredActions(ctx context.Context, ws core.WorkspaceID, owner string, hold time.Duration, limit int) (
	claimed []*core.TriggeredAction, err error,
) {
	now := e.now()
	due := false
	if err := e.store.View(ctx, ws, func(tx core.Tx) (err error) {
		due, err = tx.TriggeredActionDue(now)
		return err
	}); err != nil || !due {
		return nil, err
	}
	err = e.store.Update(ctx, ws, func(tx core.Tx) (err error) {
		claimed, err = tx.ClaimTriggeredActions(owner, now, now.Add(hold), limit)
		return err
	})
	return claimed, err
}

// actionRest is how long an action rests that could not be performed now.
const actionRest = 5 * time.Second

// PutOffTriggeredAction lets an action be taken up again soon, by any replica.
func (e *Engine) PutOffTriggeredAction(ctx context.Context, ws core.WorkspaceID, id core.ID) error {
	due := e.now().Add(actionRest)
	return e.store.Update(ctx, ws, func(tx core.Tx) error { return tx.PutOffTriggeredAction(id, due) })
}

// TouchByAction notes, before an action is performed, on which resources, so that
// what their events trigger counts as a link of the same chain.
func (e *Engine) TouchByAction(ctx context.Context, ws core.WorkspaceID, resources []string, depth int) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		return tx.DeepenTriggers(resources, depth, now, now.Add(-triggerLoop))
	})
}

// ActionResult is what became of an action.
type ActionResult struct {
	// Failed is the reason why it was not done; "" when it was.
	Failed string
	// Related are the resources that it concerned.
	Related []core.Labels
	// Details are further members of the event's payload, JSON objects without
	// their braces; nil for none.
	Details []Detail
}

// Detail is a member of the payload of an action's event.
type Detail struct {
	Key   string
	Value any
}

// FinishTriggeredAction tells what became of an action and forgets it. One that
// was finished already is not told again.
func (e *Engine) FinishTriggeredAction(ctx context.Context, ws core.WorkspaceID, a *core.TriggeredAction, spec ActionSpec, result ActionResult) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		there, err := tx.FinishTriggeredAction(a.ID)
		if err != nil || !there {
			return err
		}
		return tellAction(tx, now, a.ID, spec, a.Depth, result)
	})
}

// tellAction stores the two events of an action: that it was triggered, and that
// it was executed or failed.
func tellAction(tx core.Tx, now time.Time, id core.ID, spec ActionSpec, depth int, result ActionResult) error {
	var kind struct {
		Type    string `json:"type"`
		Posture string `json:"posture"`
	}
	if err := json.Unmarshal(spec.Action, &kind); err != nil {
		return err
	}
	actionType := kind.Type
	if err := json.Unmarshal(spec.Automation.Trigger, &kind); err != nil {
		return err
	}
	resource := core.Labels{
		{Key: core.ResourceID, Value: "prefect.automation." + spec.Automation.ID.String()},
		{Key: core.ResourceName, Value: spec.Automation.Name},
		{Key: "prefect.trigger-type", Value: kind.Type},
	}
	if kind.Type == string(trigger.Event) {
		resource = append(resource, core.Label{Key: "prefect.posture", Value: kind.Posture})
	}
	related := append([]core.Labels{}, result.Related...)
	related = append(related, eventRole(spec.Told, "automation-triggered-event"))
	if spec.Event != nil {
		related = append(related, eventRole(spec.Event.ID, "triggering-event"))
	}
	payload := []member{
		{"action_index", mustJSON(spec.Index)}, {"action_type", mustJSON(actionType)}, {"invocation", mustJSON(id.String())},
	}
	first := &core.Event{
		ID: core.NewID(now), Occurred: spec.Firing.Triggered.Time, Received: now, Event: "prefect.automation.action.triggered",
		Resource: resource, Related: related, Payload: joinMembers(payload),
	}
	if ev := spec.Event; ev != nil && spec.Firing.Triggered.Sub(ev.Occurred).Abs() < followWindow {
		first.Follows = &ev.ID
	}
	second := &core.Event{
		ID: core.NewID(now), Occurred: now, Received: now, Event: "prefect.automation.action.executed", Resource: resource, Related: related,
		Follows: &first.ID,
	}
	if result.Failed != "" {
		second.Event = "prefect.automation.action.failed"
		payload = append(payload, member{"reason", mustJSON(result.Failed)})
	}
	for _, d := range result.Details {
		payload = append(payload, member{d.Key, mustJSON(d.Value)})
	}
	second.Payload = joinMembers(payload)
	if err := tx.InsertEvents([]*core.Event{first, second}); err != nil {
		return err
	}
	touched := []string{"prefect.event." + first.ID.String(), "prefect.event." + second.ID.String()}
	return tx.DeepenTriggers(touched, depth, now, now.Add(-triggerLoop))
}

func eventRole(id core.ID, role string) core.Labels {
	return core.Labels{{Key: core.ResourceID, Value: "prefect.event." + id.String()}, {Key: core.ResourceRole, Value: role}}
}

// mustJSON marshals values of which it is known that they can be.
func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return b
}
