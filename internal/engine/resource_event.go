package engine

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// tellChange stores an event that says what happened to a resource: "created"
// of the kind "variable" is prefect.variable.created about prefect.variable.{id}.
// The payload is marshalled; nil is an empty one.
func tellChange(tx core.Tx, now time.Time, kind, what string, id core.ID, name string, payload any, related ...core.Labels) error {
	e := &core.Event{
		ID: core.NewID(now), Occurred: now, Received: now, Event: "prefect." + kind + "." + what,
		Resource: core.Labels{
			{Key: core.ResourceID, Value: "prefect." + kind + "." + id.String()},
			{Key: core.ResourceName, Value: name},
		},
		Related: related,
	}
	if payload != nil {
		b, err := json.Marshal(payload)
		if err != nil {
			return fmt.Errorf("payload of %s: %w", e.Event, err)
		}
		e.Payload = b
	}
	return tx.InsertEvents([]*core.Event{e})
}

// relatedTo is an event's mention of another resource; an empty name is left out.
func relatedTo(kind string, id core.ID, role, name string) core.Labels {
	l := core.Labels{
		{Key: core.ResourceID, Value: "prefect." + kind + "." + id.String()},
		{Key: core.ResourceRole, Value: role},
	}
	if name != "" {
		l = append(l, core.Label{Key: core.ResourceName, Value: name})
	}
	return l
}

// integrityConflict is the refusal of a name that is taken, in the words of the
// reference where it leaves the check to the database.
func integrityConflict() error {
	return core.Errorf(core.Conflict, "Data integrity conflict. This usually means a unique or foreign key constraint was violated. "+
		"See server logs for details.")
}

// missing reports whether err says that a thing does not exist.
func missing(err error) bool { return core.CodeOf(err) == core.NotFound }
