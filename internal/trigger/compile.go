package trigger

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// Automation is an automation ready to be evaluated.
type Automation struct {
	*core.Automation
	Trigger *Trigger
	// Actions are done when it fires; OnTrigger and OnResolve when it changes into that state.
	Actions, OnTrigger, OnResolve []json.RawMessage
}

// Kind is a trigger's type.
type Kind string

// The kinds of triggers.
const (
	Event    Kind = "event"
	Compound Kind = "compound"
	Sequence Kind = "sequence"
)

// The postures of event triggers.
const (
	Reactive  = "Reactive"
	Proactive = "Proactive"
)

// Trigger is a trigger, or one within another.
type Trigger struct {
	Automation *Automation
	// Parent is nil for the automation's own trigger.
	Parent *Trigger
	ID     core.ID
	Kind   Kind
	// Raw is the trigger as the client sees it.
	Raw json.RawMessage

	// Of event triggers:
	Posture        string
	After, Expect  []string
	ForEach        []string // sorted
	Threshold      int
	match          spec
	matchRelated   []spec
	Within         time.Duration
	withoutHorizon bool // of a compound trigger that has no Within

	// Of compound triggers and sequences:
	Children []*Trigger
	// Require is how many children must have fired.
	Require int
}

// wireTrigger is a trigger of any kind as it is stored.
type wireTrigger struct {
	Type         Kind              `json:"type"`
	ID           core.ID           `json:"id"`
	Match        spec              `json:"match"`
	MatchRelated json.RawMessage   `json:"match_related"`
	After        []string          `json:"after"`
	Expect       []string          `json:"expect"`
	ForEach      []string          `json:"for_each"`
	Posture      string            `json:"posture"`
	Threshold    int               `json:"threshold"`
	Within       *float64          `json:"within"`
	Triggers     []json.RawMessage `json:"triggers"`
	Require      json.RawMessage   `json:"require"`
}

// Compile prepares an automation. What it cannot read is an error.
func Compile(a *core.Automation) (*Automation, error) {
	out := &Automation{Automation: a}
	var err error
	if out.Trigger, err = compile(out, nil, a.Trigger); err != nil {
		return nil, fmt.Errorf("trigger of automation %s: %w", a.ID, err)
	}
	for _, part := range []struct {
		dst *[]json.RawMessage
		raw json.RawMessage
	}{{&out.Actions, a.Actions}, {&out.OnTrigger, a.ActionsOnTrigger}, {&out.OnResolve, a.ActionsOnResolve}} {
		if len(part.raw) == 0 {
			continue
		}
		if err := json.Unmarshal(part.raw, part.dst); err != nil {
			return nil, fmt.Errorf("actions of automation %s: %w", a.ID, err)
		}
	}
	return out, nil
}

func compile(a *Automation, parent *Trigger, raw json.RawMessage) (*Trigger, error) {
	var w wireTrigger
	if err := json.Unmarshal(raw, &w); err != nil {
		return nil, err
	}
	t := &Trigger{Automation: a, Parent: parent, ID: w.ID, Kind: w.Type, Raw: raw}
	if w.Within != nil {
		t.Within = time.Duration(*w.Within * float64(time.Second)).Round(time.Microsecond)
	}
	switch w.Type {
	case Event:
		t.Posture, t.After, t.Expect, t.Threshold, t.match = w.Posture, w.After, w.Expect, w.Threshold, w.Match
		t.ForEach = slices.Sorted(slices.Values(w.ForEach))
		related, err := specs(w.MatchRelated)
		t.matchRelated = related
		return t, err
	case Compound, Sequence:
		t.withoutHorizon = w.Within == nil
		for _, child := range w.Triggers {
			c, err := compile(a, t, child)
			if err != nil {
				return nil, err
			}
			t.Children = append(t.Children, c)
		}
		t.Require = required(w.Require, len(t.Children))
		return t, nil
	}
	return nil, fmt.Errorf("unknown type %q", w.Type)
}

// required is the number of n children that must fire; absent, or "all", is every one.
func required(raw json.RawMessage, n int) int {
	var number int
	if json.Unmarshal(raw, &number) == nil && number > 0 {
		return number
	}
	if string(raw) == `"any"` {
		return 1
	}
	return n
}

// all calls fn for the trigger and those within it.
func (t *Trigger) all(fn func(*Trigger)) {
	fn(t)
	for _, c := range t.Children {
		c.all(fn)
	}
}

// immediate reports whether the trigger needs no time to pass between firings.
func (t *Trigger) immediate() bool { return t.Posture == Reactive && t.Within == 0 }

// covers reports whether the trigger wants to see the event.
func (t *Trigger) covers(e *core.Event) bool {
	if len(t.Expect) > 0 && !t.named(e.Event) {
		return false
	}
	if !t.match.includes(e.Resource) {
		return false
	}
	for _, s := range t.matchRelated {
		if len(s) > 0 && !slices.ContainsFunc(e.Related, s.includes) {
			return false
		}
	}
	return true
}

// named reports whether the event's name is among those the trigger waits for.
// Prefect finds a trigger by a glob over its patterns, and then asks again by a
// stricter rule in which * is at least one character.
func (t *Trigger) named(name string) bool {
	globbed, begun := false, false
	for _, list := range [][]string{t.Expect, t.After} {
		for _, p := range list {
			globbed = globbed || glob(p, name)
			begun = begun || begins(p, name)
		}
	}
	return globbed && begun
}

func (t *Trigger) startsAfter(name string) bool { return anyMatches(t.After, name) }

func (t *Trigger) expects(name string) bool { return len(t.Expect) == 0 || anyMatches(t.Expect, name) }

func anyMatches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, name) })
}

// reached reports whether so many events, or so few, make the trigger fire.
func (t *Trigger) reached(count int) bool {
	if t.Posture == Proactive {
		return count < t.Threshold
	}
	return count >= t.Threshold
}

// key is the values of the labels for each of which the trigger counts apart.
func (t *Trigger) key(e *core.Event) []string {
	key := make([]string, len(t.ForEach))
	for i, label := range t.ForEach {
		key[i] = findLabel(e, label)
	}
	return key
}
