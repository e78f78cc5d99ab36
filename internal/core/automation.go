package core

import (
	"encoding/json"
	"time"
)

// Automation says what is to be done when a trigger fires. Trigger and actions
// are kept as the client sees them.
type Automation struct {
	ID               ID
	Created          time.Time
	Updated          time.Time
	Name             string
	Description      string
	Enabled          bool
	Tags             []string
	Trigger          json.RawMessage
	Actions          json.RawMessage
	ActionsOnTrigger json.RawMessage
	ActionsOnResolve json.RawMessage
}

// AutomationTx reads and writes automations.
type AutomationTx interface {
	// InsertAutomation stores a new automation.
	InsertAutomation(a *Automation) error
	// Automation returns the automation, or a NotFound error.
	Automation(id ID) (*Automation, error)
	// UpdateAutomation stores all that may change in an automation.
	UpdateAutomation(a *Automation) error
	// DeleteAutomation removes the automation and reports whether it existed.
	DeleteAutomation(id ID) (bool, error)
	// FilterAutomations lists automations.
	FilterAutomations(q Query) ([]*Automation, error)
	// CountAutomations counts automations; sort, limit and offset do not matter.
	CountAutomations(q Query) (int, error)
	// RelateAutomation replaces the resources that the automation is about; the owner's stays.
	RelateAutomation(id ID, resources []string) error
	// OwnAutomation makes the resource an owner of the automation.
	OwnAutomation(id ID, owner string) error
	// AutomationsOf lists the automations that are about the resource or owned
	// by it; with owned only the latter.
	AutomationsOf(resource string, owned bool) ([]*Automation, error)
}
