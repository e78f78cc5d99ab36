package trigger

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// firing makes the firing of an event trigger.
func (m *Machine) firing(t *Trigger, b *Bucket, last *SeenEvent, now time.Time) *Firing {
	f := m.newFiring(t, last, now)
	values := keyValues(b.Key)
	for i, label := range t.ForEach {
		if i < len(values) {
			f.TriggeringLabels = append(f.TriggeringLabels, core.Label{Key: label, Value: values[i]})
		}
	}
	return f
}

func (m *Machine) newFiring(t *Trigger, last *SeenEvent, now time.Time) *Firing {
	at := m.moment(now)
	return &Firing{
		ID: m.newID(at), Trigger: t.Raw, TriggerStates: []string{triggered}, Triggered: Time{at}, TriggeringFirings: []*Firing{},
		TriggeringEvent: last,
	}
}

// fire passes a firing to the trigger around, or to the automation.
func (m *Machine) fire(t *Trigger, f *Firing, now time.Time) {
	if t.Parent == nil {
		m.act(t, f, now)
		return
	}
	p := t.Parent
	if p.Require == 1 {
		m.fireParent(p, f, []*Firing{f}, now)
		return
	}
	if !p.withoutHorizon {
		for _, c := range m.children[p.ID] {
			if c.Firing.Triggered.Before(f.Triggered.Add(-p.Within)) {
				m.dropChild(c)
			}
		}
	}
	m.setChild(&ChildFiring{AutomationID: p.Automation.ID, ParentID: p.ID, ChildID: t.ID, Firing: f})
	list := m.childFirings(p)
	if len(list) < p.Require || p.Kind == Sequence && !inOrder(p, list) {
		return
	}
	firings := make([]*Firing, len(list))
	for i, c := range list {
		firings[i] = c.Firing
		m.dropChild(c)
	}
	m.fireParent(p, f, firings, now)
}

func (m *Machine) fireParent(p *Trigger, last *Firing, firings []*Firing, now time.Time) {
	f := m.newFiring(p, last.TriggeringEvent, now)
	f.TriggeringFirings = firings
	m.fire(p, f, now)
}

// childFirings lists what the trigger's children have fired, in the order of time.
func (m *Machine) childFirings(p *Trigger) []*ChildFiring {
	var list []*ChildFiring
	for _, child := range p.Children {
		if c := m.children[p.ID][child.ID]; c != nil {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b *ChildFiring) int { return a.Firing.Triggered.Compare(b.Firing.Triggered.Time) })
	return list
}

// inOrder reports whether the children fired in the order in which they stand.
func inOrder(p *Trigger, list []*ChildFiring) bool {
	return slices.EqualFunc(p.Children, list, func(t *Trigger, c *ChildFiring) bool { return t.ID == c.ChildID })
}

func (m *Machine) setChild(c *ChildFiring) {
	byChild := m.children[c.ParentID]
	if byChild == nil {
		byChild = map[core.ID]*ChildFiring{}
		m.children[c.ParentID] = byChild
	}
	if old := byChild[c.ChildID]; old != nil {
		c.stored = c.stored || old.stored
	}
	byChild[c.ChildID] = c
	m.dirtyChildren[c] = true
}

func (m *Machine) dropChild(c *ChildFiring) {
	byChild := m.children[c.ParentID]
	if byChild[c.ChildID] != c {
		return
	}
	delete(byChild, c.ChildID)
	if len(byChild) == 0 {
		delete(m.children, c.ParentID)
	}
	m.dirtyChildren[c] = true
}

// act notes what the automation does.
func (m *Machine) act(t *Trigger, f *Firing, now time.Time) {
	a := t.Automation
	told, err := f.fired(t, strings.ToLower(f.TriggerStates[0]), m.newID(now), now)
	if err != nil {
		m.err = err
		return
	}
	act := &Act{Automation: a, Firing: f, Told: told}
	add := func(specs []json.RawMessage, e *SeenEvent) {
		for _, s := range specs {
			act.Actions = append(act.Actions, Action{ID: m.newID(now), Index: len(act.Actions), Spec: s, Event: e})
		}
	}
	if f.TriggerStates[0] != resolved {
		add(a.Actions, f.TriggeringEvent)
		add(a.OnTrigger, (*SeenEvent)(told))
	} else {
		add(a.OnResolve, (*SeenEvent)(told))
	}
	m.acts = append(m.acts, act)
}
