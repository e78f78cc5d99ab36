package client

import (
	"encoding/json"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// Event is an event as clients send and receive it. Prefect REST: Event, ReceivedEvent.
type Event struct {
	Occurred wire.Time       `json:"occurred" wire:"required"`
	Event    string          `json:"event" wire:"required"`
	Resource core.Labels     `json:"resource" wire:"required"`
	Related  []core.Labels   `json:"related"`
	Payload  json.RawMessage `json:"payload,omitempty" wire:"object"`
	ID       core.ID         `json:"id" wire:"required"`
	Follows  *core.ID        `json:"follows"`
	Received *wire.Time      `json:"received,omitempty"`
}

// EventOf shows an event.
func EventOf(e *core.Event) Event {
	received := wire.FromTime(e.Received)
	return Event{
		Occurred: wire.FromTime(e.Occurred), Event: e.Event, Resource: e.Resource, Related: NotNil(e.Related), Payload: orEmpty(e.Payload),
		ID: e.ID, Follows: e.Follows, Received: &received,
	}
}
