package trigger

import (
	"encoding/json"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// Bucket counts the events of one span of time for a trigger and one set of
// values of the labels that it counts apart.
type Bucket struct {
	AutomationID, TriggerID core.ID
	// Key is the JSON array of the labels' values, in the order of their names.
	Key        string
	Start, End time.Time
	Count      int
	// Last is the newest event that it counted; nil for none.
	Last *SeenEvent

	stored bool // a row of it is in the database
}

func keyText(values []string) string {
	b, err := json.Marshal(values)
	if err != nil {
		return "[]" // texts always marshal
	}
	return string(b)
}

func keyValues(text string) []string {
	var values []string
	if json.Unmarshal([]byte(text), &values) != nil {
		return nil
	}
	return values
}

// ChildFiring is the newest firing of a trigger within another.
type ChildFiring struct {
	AutomationID, ParentID, ChildID core.ID
	Firing                          *Firing

	stored bool
}

// Follower is an event that came before the one that it follows.
type Follower struct {
	Event *core.Event
	// Received is when it came here.
	Received time.Time

	stored bool
}

// Act is a firing of an automation's own trigger: what is to be told and done.
type Act struct {
	Automation *Automation
	Firing     *Firing
	// Told is the event that tells of the automation's change of state.
	Told *core.Event
	// Actions are to be done, in their order.
	Actions []Action
}

// Action is an action that is to be done because of a firing.
type Action struct {
	ID    core.ID
	Index int
	Spec  json.RawMessage
	// Event is what led to it as the action sees it; nil for none.
	Event *SeenEvent
}

// Changes are what a step is to store.
type Changes struct {
	Put           []*Bucket
	Drop          []*Bucket
	PutChildren   []*ChildFiring
	DropChildren  []*ChildFiring
	PutFollowers  []*Follower
	DropFollowers []*Follower
	Acts          []*Act
}

// Empty reports whether nothing is to be stored.
func (c *Changes) Empty() bool {
	return len(c.Put)+len(c.Drop)+len(c.PutChildren)+len(c.DropChildren)+len(c.PutFollowers)+len(c.DropFollowers)+len(c.Acts) == 0
}
