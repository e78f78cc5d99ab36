package client

import (
	"encoding/json"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// Event is an event as clients receive it, and as the worker sends it. Prefect REST: ReceivedEvent.
type Event struct {
	Occurred wire.Time       `json:"occurred"`
	Event    string          `json:"event"`
	Resource core.Labels     `json:"resource"`
	Related  []core.Labels   `json:"related"`
	Payload  json.RawMessage `json:"payload,omitempty" wire:"object"`
	ID       core.ID         `json:"id"`
	Follows  *core.ID        `json:"follows"`
	Received *wire.Time      `json:"received,omitempty"`
}

// EventCreate is an event as clients send it. Prefect REST: POST /events.
type EventCreate struct {
	Occurred wire.Time        `json:"occurred" wire:"required"`
	Event    EventName        `json:"event" wire:"required"`
	Resource EventResource    `json:"resource" wire:"required"`
	Related  RelatedResources `json:"related"`
	Payload  json.RawMessage  `json:"payload,omitempty" wire:"object"`
	ID       core.ID          `json:"id" wire:"required"`
	Follows  *core.ID         `json:"follows"`
}

// EventOf shows an event.
func EventOf(e *core.Event) Event {
	received := wire.FromTime(e.Received)
	return Event{
		Occurred: wire.FromTime(e.Occurred), Event: e.Event, Resource: e.Resource, Related: NotNil(e.Related), Payload: orEmpty(e.Payload),
		ID: e.ID, Follows: e.Follows, Received: &received,
	}
}
