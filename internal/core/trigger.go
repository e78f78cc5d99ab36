package core

import (
	"encoding/json"
	"time"
)

// TriggerPosition says what the triggers of a workspace have seen: the events up
// to the cursor, and changes of automations up to the time.
type TriggerPosition struct {
	Cursor
	At time.Time
}

// Position returns the cursor; nil for a nil position.
func (p *TriggerPosition) Position() *Cursor {
	if p == nil {
		return nil
	}
	return &p.Cursor
}

// TriggerBucket counts events for a trigger in a span of time.
type TriggerBucket struct {
	AutomationID, TriggerID ID
	// Key tells the buckets of a trigger apart.
	Key        string
	Start, End time.Time
	Count      int
	// Last is the newest event that it counted, as JSON; nil for none.
	Last json.RawMessage
}

// TriggerChild is the newest firing, as JSON, of a trigger within another.
type TriggerChild struct {
	AutomationID, ParentID, ChildID ID
	Firing                          json.RawMessage
}

// TriggerFollower is an event, as JSON, that came before the one that it follows.
type TriggerFollower struct {
	EventID  ID
	Received time.Time
	Event    json.RawMessage
}

// TriggerState is what triggers have seen, or the part of it that changed.
type TriggerState struct {
	Buckets   []*TriggerBucket
	Children  []*TriggerChild
	Followers []*TriggerFollower
}

// TriggeredAction is an action that an automation wants done.
type TriggeredAction struct {
	ID      ID
	Created time.Time
	// Due is when it may be taken up; Owner has it in hand until then.
	Due   time.Time
	Owner string
	// Depth is the number of firings, one leading to the next, that led to it.
	Depth int
	// Spec says what is to be done, and why.
	Spec json.RawMessage
}

// TriggerTx reads and writes what automations are about to do.
type TriggerTx interface {
	// TriggerPosition returns how far the triggers have come; nil when they have not begun.
	TriggerPosition() (*TriggerPosition, error)
	// MoveTriggers moves the position; from is where the caller believes it to be,
	// nil for nowhere. When it is elsewhere the error is a Conflict.
	MoveTriggers(from *Cursor, to TriggerPosition) error
	// TriggerState reads all that triggers have seen.
	TriggerState() (*TriggerState, error)
	// StoreTriggers puts and drops parts of what triggers have seen.
	StoreTriggers(put, drop *TriggerState) error
	// SeenEvents returns which of the events are stored up to the position, of
	// those that occurred between the times.
	SeenEvents(ids []ID, since, until time.Time, upTo Cursor) ([]ID, error)
	// TriggerDepth returns how many firings led to what happened to one of the
	// resources since the time.
	TriggerDepth(resources []string, since time.Time) (int, error)
	// DeepenTriggers notes that so many firings led to what happens to the
	// resources, and forgets what is older than the time before.
	DeepenTriggers(resources []string, depth int, at, before time.Time) error
	// InsertTriggeredActions stores actions to be done and wakes TopicTriggeredActions.
	InsertTriggeredActions(actions []*TriggeredAction) error
	// TriggeredActionDue reports whether there is an action to claim.
	TriggeredActionDue(now time.Time) (bool, error)
	// ClaimTriggeredActions takes at most limit actions that are due, for the owner until the time.
	ClaimTriggeredActions(owner string, now, until time.Time, limit int) ([]*TriggeredAction, error)
	// PutOffTriggeredAction lets anybody claim an action from the time on.
	PutOffTriggeredAction(id ID, due time.Time) error
	// FinishTriggeredAction removes an action that was done, and reports whether it was there.
	FinishTriggeredAction(id ID) (bool, error)
}
