package client

import (
	"encoding/json"
	"reflect"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/schedule"
	"github.com/leat-dev/leat/internal/wire"
)

// Automation is an automation as the API shows it. Prefect REST: Automation.
type Automation struct {
	Name             string                        `json:"name"`
	Description      string                        `json:"description"`
	Enabled          bool                          `json:"enabled"`
	Tags             []string                      `json:"tags"`
	Trigger          wire.JSON[AutomationTrigger]  `json:"trigger"`
	Actions          wire.JSON[[]AutomationAction] `json:"actions"`
	ActionsOnTrigger wire.JSON[[]AutomationAction] `json:"actions_on_trigger"`
	ActionsOnResolve wire.JSON[[]AutomationAction] `json:"actions_on_resolve"`
	ID               core.ID                       `json:"id"`
	Created          wire.Time                     `json:"created"`
	Updated          wire.Time                     `json:"updated"`
}

// AutomationOf shows an automation.
func AutomationOf(a *core.Automation) Automation {
	return Automation{
		Name: a.Name, Description: a.Description, Enabled: a.Enabled, Tags: NotNil(a.Tags), Trigger: wire.JSON[AutomationTrigger](a.Trigger), Actions: wire.JSON[[]AutomationAction](a.Actions),
		ActionsOnTrigger: wire.JSON[[]AutomationAction](a.ActionsOnTrigger), ActionsOnResolve: wire.JSON[[]AutomationAction](a.ActionsOnResolve), ID: a.ID, Created: wire.FromTime(a.Created),
		Updated: wire.FromTime(a.Updated),
	}
}

// automationUpdate is AutomationUpdate without its checks of the whole.
type automationUpdate struct {
	_                struct{}                    `wire:"forbid"`
	Name             string                      `json:"name" wire:"required"`
	Description      NotNull[string]             `json:"description,omitzero"`
	Enabled          NotNull[bool]               `json:"enabled,omitzero"`
	Tags             NotNull[[]string]           `json:"tags,omitzero"`
	Trigger          AutomationTrigger           `json:"trigger" wire:"required"`
	Actions          []AutomationAction          `json:"actions" wire:"required"`
	ActionsOnTrigger NotNull[[]AutomationAction] `json:"actions_on_trigger,omitzero"`
	ActionsOnResolve NotNull[[]AutomationAction] `json:"actions_on_resolve,omitzero"`
}

// AutomationUpdate is the body of PUT /automations/{id}.
type AutomationUpdate automationUpdate

// DecodeWire implements wire's interface for types that decode themselves.
func (u *AutomationUpdate) DecodeWire(raw json.RawMessage) []wire.FieldError {
	if errs := wire.FieldErrors(wire.Decode(raw, (*automationUpdate)(u)), raw); len(errs) > 0 {
		return errs
	}
	return (*automationUpdate)(u).loops(raw)
}

// WireSchema implements wire's interface for types that decode themselves.
func (*AutomationUpdate) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return of(reflect.TypeFor[automationUpdate]())
}

type automationCreate struct {
	automationUpdate
	OwnerResource *string `json:"owner_resource"`
}

// AutomationCreate is the body of POST /automations/.
type AutomationCreate automationCreate

// DecodeWire implements wire's interface for types that decode themselves.
func (c *AutomationCreate) DecodeWire(raw json.RawMessage) []wire.FieldError {
	if errs := wire.FieldErrors(wire.Decode(raw, (*automationCreate)(c)), raw); len(errs) > 0 {
		return errs
	}
	return c.loops(raw)
}

// WireSchema implements wire's interface for types that decode themselves.
func (*AutomationCreate) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return of(reflect.TypeFor[automationCreate]())
}

// Core returns the automation as the domain keeps it; newID makes the ids of its triggers.
func (c *AutomationCreate) Core(newID func() core.ID) (core.Automation, error) {
	return (*AutomationUpdate)(&c.automationUpdate).Core(newID)
}

// AutomationPartialUpdate is the body of PATCH /automations/{id}.
type AutomationPartialUpdate struct {
	_       struct{}      `wire:"forbid"`
	Enabled NotNull[bool] `json:"enabled,omitzero"`
}

// Core returns the automation as the domain keeps it; newID makes the ids of its triggers.
func (u *AutomationUpdate) Core(newID func() core.ID) (core.Automation, error) {
	u.Trigger.number(newID)
	a := core.Automation{Name: u.Name, Description: u.Description.value, Enabled: u.Enabled.value || !u.Enabled.set, Tags: u.Tags.value}
	for _, part := range []struct {
		dst *json.RawMessage
		v   any
	}{
		{&a.Trigger, u.Trigger},
		{&a.Actions, NotNil(u.Actions)},
		{&a.ActionsOnTrigger, NotNil(u.ActionsOnTrigger.value)},
		{&a.ActionsOnResolve, NotNil(u.ActionsOnResolve.value)},
	} {
		b, err := wire.Marshal(part.v)
		if err != nil {
			return a, err
		}
		*part.dst = b
	}
	return a, nil
}

// Keep gives an automation what the body does not name from the one that it replaces.
func (u *AutomationUpdate) Keep(a *core.Automation, old *core.Automation) {
	if !u.Description.set {
		a.Description = old.Description
	}
	if !u.Enabled.set {
		a.Enabled = old.Enabled
	}
	if !u.Tags.set {
		a.Tags = old.Tags
	}
	if !u.ActionsOnTrigger.set {
		a.ActionsOnTrigger = old.ActionsOnTrigger
	}
	if !u.ActionsOnResolve.set {
		a.ActionsOnResolve = old.ActionsOnResolve
	}
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
	Match        resourceMatch   `json:"match"`
	MatchRelated resourceMatches `json:"match_related"`
	After        []string        `json:"after"`
	Expect       []string        `json:"expect"`
	ForEach      []string        `json:"for_each"`
	Posture      triggerPosture  `json:"posture" wire:"required"`
	Threshold    int             `json:"threshold" wire:"default=1"`
	Within       timeSpan        `json:"within"`
}

type sequenceTrigger struct {
	Type     string              `json:"type"`
	ID       core.ID             `json:"id"`
	Triggers []AutomationTrigger `json:"triggers" wire:"required"`
	Within   wire.Opt[timeSpan]  `json:"within" wire:"required"`
}

type compoundTrigger struct {
	sequenceTrigger
	Require requiredCount `json:"require" wire:"required"`
}

// read reads the trigger and refuses a number of triggers that can never fire.
func (t *compoundTrigger) read(raw json.RawMessage) []wire.FieldError {
	if errs := wire.FieldErrors(wire.Decode(raw, t), raw); len(errs) > 0 {
		return errs
	}
	var need int
	if json.Unmarshal(t.Require, &need) != nil {
		return nil // any or all
	}
	switch {
	case need < 1:
		return []wire.FieldError{valueError("require must be at least 1", raw)}
	case need > len(t.Triggers):
		return []wire.FieldError{valueError("require must be less than or equal to the number of triggers", raw)}
	}
	return nil
}

type triggerPosture string

// timeSpan is a length of time in seconds, which clients may also write as ISO 8601.
type timeSpan wire.Float

// DecodeWire implements wire's interface for types that decode themselves.
func (s *timeSpan) DecodeWire(raw json.RawMessage) []wire.FieldError {
	seconds, fault := schedule.ParseDuration(raw)
	if fault != nil {
		return []wire.FieldError{{Type: fault.Type, Msg: fault.Msg, Input: raw, Ctx: fault.Ctx}}
	}
	*s = timeSpan(seconds)
	return nil
}

// WireSchema implements wire's interface for types that describe themselves.
func (*timeSpan) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	return &wire.Schema{Type: "number", Format: "duration"}
}

// MarshalJSON implements json.Marshaler.
func (s timeSpan) MarshalJSON() ([]byte, error) { return wire.Float(s).MarshalJSON() }

// DecodeWire implements wire's interface for types that decode themselves.
func (p *triggerPosture) DecodeWire(raw json.RawMessage) []wire.FieldError {
	return literal((*string)(p), raw, "'Reactive' or 'Proactive'", "Reactive", "Proactive")
}

// WireSchema implements wire's interface for types that describe themselves.
func (*triggerPosture) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	return wire.OneOf("Reactive", "Proactive")
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
		Type     string          `json:"type"`
		Triggers json.RawMessage `json:"triggers"`
		Require  json.RawMessage `json:"require"`
	}
	if err := json.Unmarshal(raw, &named); err != nil {
		return []wire.FieldError{{
			Type: "model_attributes_type", Msg: "Input should be a valid dictionary or object to extract fields from", Input: raw,
		}}
	}
	switch {
	case named.Type != "" || named.Triggers == nil:
	case named.Require != nil:
		t.compound = &compoundTrigger{}
		if len(t.compound.read(raw)) == 0 {
			return nil
		}
		t.compound, named.Type = nil, "sequence"
	default:
		named.Type = "sequence"
	}
	switch named.Type {
	case "compound":
		t.compound = &compoundTrigger{}
		return t.compound.read(raw)
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

// WireSchema implements wire's interface for types that describe themselves.
func (*AutomationTrigger) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return wire.Or(of(reflect.TypeFor[eventTrigger]()), of(reflect.TypeFor[compoundTrigger]()), of(reflect.TypeFor[sequenceTrigger]()))
}

func (t *AutomationTrigger) decodeEvent(raw json.RawMessage) []wire.FieldError {
	e := &eventTrigger{Type: "event"}
	if errs := wire.FieldErrors(wire.Decode(raw, e), raw); len(errs) > 0 {
		for i := range errs {
			errs[i].Loc = append([]any{"EventTrigger"}, errs[i].Loc...)
		}
		return errs
	}
	if e.Match == nil {
		e.Match = resourceMatch("{}")
	}
	if e.MatchRelated == nil {
		e.MatchRelated = resourceMatches("{}")
	}
	e.Type, e.After, e.Expect, e.ForEach = "event", distinct(e.After), distinct(e.Expect), distinct(e.ForEach)
	switch {
	case e.Posture == "Proactive" && e.Within == 0:
		e.Within = minProactive
	case e.Posture == "Proactive" && e.Within < minProactive:
		return []wire.FieldError{wrongWithin("`within` for Proactive triggers must be greater than or equal to 10 seconds", raw)}
	case e.Within < 0:
		return []wire.FieldError{wrongWithin("`within` must not be negative", raw)}
	}
	t.event = e
	return nil
}

// distinct keeps the first of equal texts, for the reference keeps sets.
func distinct(list []string) []string {
	out, seen := []string{}, map[string]bool{}
	for _, s := range list {
		if !seen[s] {
			out, seen[s] = append(out, s), true
		}
	}
	return out
}

// wrongWithin is an error of an event trigger's time.
func wrongWithin(text string, raw json.RawMessage) wire.FieldError {
	e := valueError(text, raw)
	e.Loc = []any{"EventTrigger"}
	return e
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
