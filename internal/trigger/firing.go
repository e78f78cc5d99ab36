package trigger

import (
	"encoding/json"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// Firing is one instance of a trigger that fired, as templates see it. Prefect: Firing.
type Firing struct {
	ID                core.ID         `json:"id"`
	Trigger           json.RawMessage `json:"trigger"`
	TriggerStates     []string        `json:"trigger_states"`
	Triggered         Time            `json:"triggered"`
	TriggeringLabels  core.Labels     `json:"triggering_labels"`
	TriggeringFirings []*Firing       `json:"triggering_firings"`
	// TriggeringEvent is the last event that had to do with it; nil for none.
	TriggeringEvent *SeenEvent `json:"triggering_event"`
	TriggeringValue any        `json:"triggering_value"`
}

// Events lists the firing's event and those of the firings that led to it.
func (f *Firing) Events() []*SeenEvent {
	var out []*SeenEvent
	if f.TriggeringEvent != nil {
		out = append(out, f.TriggeringEvent)
	}
	for _, child := range f.TriggeringFirings {
		out = append(out, child.Events()...)
	}
	return out
}

// All lists the firing and those that led to it.
func (f *Firing) All() []*Firing {
	out := []*Firing{f}
	for _, child := range f.TriggeringFirings {
		out = append(out, child.All()...)
	}
	return out
}

// Time is a time as Prefect writes it in JSON.
type Time struct{ time.Time }

// MarshalJSON implements json.Marshaler: RFC 3339 with six or no digits after the second.
func (t Time) MarshalJSON() ([]byte, error) {
	layout := `"2006-01-02T15:04:05.000000Z"`
	if t.Nanosecond() == 0 {
		layout = `"2006-01-02T15:04:05Z"`
	}
	return t.UTC().AppendFormat(nil, layout), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *Time) UnmarshalJSON(raw []byte) error { return json.Unmarshal(raw, &t.Time) }

// SeenEvent is an event in JSON as clients see it. Prefect: ReceivedEvent.
type SeenEvent core.Event

// eventJSON has the fields in the order of the reference's answers.
type eventJSON struct {
	Occurred Time            `json:"occurred"`
	Event    string          `json:"event"`
	Resource core.Labels     `json:"resource"`
	Related  []core.Labels   `json:"related"`
	Payload  json.RawMessage `json:"payload"`
	ID       core.ID         `json:"id"`
	Follows  *core.ID        `json:"follows"`
	Received Time            `json:"received"`
}

// MarshalJSON implements json.Marshaler.
func (e *SeenEvent) MarshalJSON() ([]byte, error) {
	j := eventJSON{
		Occurred: Time{e.Occurred}, Event: e.Event, Resource: e.Resource, Related: e.Related, Payload: e.Payload, ID: e.ID,
		Follows: e.Follows, Received: Time{e.Received},
	}
	if j.Related == nil {
		j.Related = []core.Labels{}
	}
	if len(j.Payload) == 0 {
		j.Payload = json.RawMessage("{}")
	}
	return json.Marshal(j)
}

// UnmarshalJSON implements json.Unmarshaler.
func (e *SeenEvent) UnmarshalJSON(raw []byte) error {
	var j eventJSON
	if err := json.Unmarshal(raw, &j); err != nil {
		return err
	}
	*e = SeenEvent{
		ID: j.ID, Occurred: j.Occurred.Time, Received: j.Received.Time, Event: j.Event, Resource: j.Resource, Related: j.Related,
		Payload: j.Payload, Follows: j.Follows,
	}
	return nil
}

// fired returns the event that tells that the automation changed into a state,
// "triggered" or "resolved".
func (f *Firing) fired(t *Trigger, state string, id core.ID, received time.Time) (*core.Event, error) {
	a := t.Automation
	e := &core.Event{
		ID: id, Occurred: f.Triggered.Time, Received: received, Event: "prefect.automation." + state,
		Resource: core.Labels{
			{Key: core.ResourceID, Value: "prefect.automation." + a.ID.String()},
			{Key: core.ResourceName, Value: a.Name},
		},
	}
	if t.Kind == Event {
		e.Resource = append(e.Resource, core.Label{Key: "prefect.posture", Value: t.Posture})
	}
	if f.TriggeringEvent != nil {
		e.Related = []core.Labels{{
			{Key: core.ResourceID, Value: "prefect.event." + f.TriggeringEvent.ID.String()},
			{Key: core.ResourceRole, Value: "triggering-event"},
		}}
	}
	var err error
	e.Payload, err = json.Marshal(struct {
		Labels core.Labels `json:"triggering_labels"`
		Event  *SeenEvent  `json:"triggering_event"`
	}{f.TriggeringLabels, f.TriggeringEvent})
	return e, err
}
