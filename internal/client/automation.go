package client

import (
	"encoding/json"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// Automation is an automation as the API shows it. Prefect REST: Automation.
type Automation struct {
	Name             string          `json:"name"`
	Description      string          `json:"description"`
	Enabled          bool            `json:"enabled"`
	Tags             []string        `json:"tags"`
	Trigger          json.RawMessage `json:"trigger"`
	Actions          json.RawMessage `json:"actions"`
	ActionsOnTrigger json.RawMessage `json:"actions_on_trigger"`
	ActionsOnResolve json.RawMessage `json:"actions_on_resolve"`
	ID               core.ID         `json:"id"`
	Created          wire.Time       `json:"created"`
	Updated          wire.Time       `json:"updated"`
}

// AutomationOf shows an automation.
func AutomationOf(a *core.Automation) Automation {
	return Automation{
		Name: a.Name, Description: a.Description, Enabled: a.Enabled, Tags: NotNil(a.Tags), Trigger: a.Trigger, Actions: a.Actions,
		ActionsOnTrigger: a.ActionsOnTrigger, ActionsOnResolve: a.ActionsOnResolve, ID: a.ID, Created: wire.FromTime(a.Created),
		Updated: wire.FromTime(a.Updated),
	}
}

// AutomationUpdate is the body of PUT /automations/{id}.
type AutomationUpdate struct {
	_                struct{}           `wire:"forbid"`
	Name             string             `json:"name" wire:"required"`
	Description      string             `json:"description"`
	Enabled          bool               `json:"enabled" wire:"default=true"`
	Tags             []string           `json:"tags"`
	Trigger          AutomationTrigger  `json:"trigger" wire:"required"`
	Actions          []AutomationAction `json:"actions" wire:"required"`
	ActionsOnTrigger []AutomationAction `json:"actions_on_trigger"`
	ActionsOnResolve []AutomationAction `json:"actions_on_resolve"`
}

// AutomationCreate is the body of POST /automations/.
type AutomationCreate struct {
	AutomationUpdate
	OwnerResource *string `json:"owner_resource"`
}

// AutomationPartialUpdate is the body of PATCH /automations/{id}.
type AutomationPartialUpdate struct {
	_       struct{}       `wire:"forbid"`
	Enabled wire.Opt[bool] `json:"enabled,omitzero"`
}

// Core returns the automation as the domain keeps it; newID makes the ids of its triggers.
func (u *AutomationUpdate) Core(newID func() core.ID) (core.Automation, error) {
	u.Trigger.number(newID)
	a := core.Automation{Name: u.Name, Description: u.Description, Enabled: u.Enabled, Tags: u.Tags}
	for _, part := range []struct {
		dst *json.RawMessage
		v   any
	}{
		{&a.Trigger, u.Trigger},
		{&a.Actions, NotNil(u.Actions)},
		{&a.ActionsOnTrigger, NotNil(u.ActionsOnTrigger)},
		{&a.ActionsOnResolve, NotNil(u.ActionsOnResolve)},
	} {
		b, err := wire.Marshal(part.v)
		if err != nil {
			return a, err
		}
		*part.dst = b
	}
	return a, nil
}

// AutomationTrigger is a trigger of any type. Prefect REST: EventTrigger,
// CompoundTrigger, SequenceTrigger.
type AutomationTrigger struct {
	event    *eventTrigger
	compound *compoundTrigger
	sequence *sequenceTrigger
}

type eventTrigger struct {
	Type         string          `json:"type"`
	ID           core.ID         `json:"id"`
	Match        json.RawMessage `json:"match" wire:"object"`
	MatchRelated json.RawMessage `json:"match_related"`
	After        []string        `json:"after"`
	Expect       []string        `json:"expect"`
	ForEach      []string        `json:"for_each"`
	Posture      triggerPosture  `json:"posture" wire:"required"`
	Threshold    int             `json:"threshold" wire:"default=1"`
	Within       wire.Float      `json:"within" wire:"ge=0"`
}

type sequenceTrigger struct {
	Type     string               `json:"type"`
	ID       core.ID              `json:"id"`
	Triggers []AutomationTrigger  `json:"triggers" wire:"required"`
	Within   wire.Opt[wire.Float] `json:"within" wire:"required"`
}

type compoundTrigger struct {
	sequenceTrigger
	Require json.RawMessage `json:"require" wire:"required"`
}

type triggerPosture string

// DecodeWire implements wire's interface for types that decode themselves.
func (p *triggerPosture) DecodeWire(raw json.RawMessage) []wire.FieldError {
	return literal((*string)(p), raw, "'Reactive' or 'Proactive'", "Reactive", "Proactive")
}

// minProactive is the least number of seconds after which something is missed.
const minProactive = 10

// MarshalJSON implements json.Marshaler.
func (t AutomationTrigger) MarshalJSON() ([]byte, error) {
	switch {
	case t.compound != nil:
		return wire.Marshal(t.compound)
	case t.sequence != nil:
		return wire.Marshal(t.sequence)
	}
	return wire.Marshal(t.event)
}

// DecodeWire implements wire's interface for types that decode themselves. The
// errors are those of the type that is named; the reference lists those of the
// other types, too.
func (t *AutomationTrigger) DecodeWire(raw json.RawMessage) []wire.FieldError {
	var named struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(raw, &named); err != nil {
		return []wire.FieldError{{
			Type: "model_attributes_type", Msg: "Input should be a valid dictionary or object to extract fields from", Input: raw,
		}}
	}
	switch named.Type {
	case "compound":
		t.compound = &compoundTrigger{}
		return wire.FieldErrors(wire.Decode(raw, t.compound), raw)
	case "sequence":
		t.sequence = &sequenceTrigger{}
		return wire.FieldErrors(wire.Decode(raw, t.sequence), raw)
	case "event", "":
		return t.decodeEvent(raw)
	}
	kind, err := json.Marshal(named.Type)
	if err != nil {
		kind = nil
	}
	return []wire.FieldError{{
		Type: "literal_error", Loc: []any{"EventTrigger", "type"}, Msg: "Input should be 'event'", Input: kind,
		Ctx: map[string]any{"expected": "'event'"},
	}}
}

func (t *AutomationTrigger) decodeEvent(raw json.RawMessage) []wire.FieldError {
	e := &eventTrigger{Type: "event"}
	if errs := wire.FieldErrors(wire.Decode(raw, e), raw); len(errs) > 0 {
		for i := range errs {
			errs[i].Loc = append([]any{"EventTrigger"}, errs[i].Loc...)
		}
		return errs
	}
	for _, object := range []*json.RawMessage{&e.Match, &e.MatchRelated} {
		if *object == nil || string(*object) == "null" {
			*object = json.RawMessage("{}")
		}
	}
	e.Type, e.After, e.Expect, e.ForEach = "event", NotNil(e.After), NotNil(e.Expect), NotNil(e.ForEach)
	if e.Posture == "Proactive" && e.Within == 0 {
		e.Within = minProactive
	}
	t.event = e
	return nil
}

// number gives all triggers new ids, whatever the client sent.
func (t *AutomationTrigger) number(newID func() core.ID) {
	var nested []AutomationTrigger
	switch {
	case t.compound != nil:
		t.compound.ID, t.compound.Type, nested = newID(), "compound", t.compound.Triggers
	case t.sequence != nil:
		t.sequence.ID, t.sequence.Type, nested = newID(), "sequence", t.sequence.Triggers
	case t.event != nil:
		t.event.ID = newID()
	}
	for i := range nested {
		nested[i].number(newID)
	}
}
