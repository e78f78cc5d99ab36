package trigger

import (
	"cmp"
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// Lookback is how long an event waits for the one that it follows, and how old
// an event may be for the first bucket of a trigger to count it.
const Lookback = 15 * time.Minute

// SweepAfter is how long a bucket is kept after its end.
const SweepAfter = time.Minute

// sweepEvery is how often old buckets are looked for.
const sweepEvery = 5 * time.Second

// LoopBroken is the event that tells that a chain of automations that trigger
// each other was broken.
const LoopBroken = "prefect.automation.loop-broken"

// unheard reports whether triggers never see the event.
func unheard(e *core.Event) bool { return e.Event == "prefect.log.write" || e.Event == LoopBroken }

// Machine is what the triggers of a workspace have seen. It is not safe for
// use by several goroutines.
type Machine struct {
	index
	automations map[core.ID]*Automation
	buckets     map[core.ID]map[string]*Bucket
	children    map[core.ID]map[core.ID]*ChildFiring
	// next is when a proactive trigger must be looked at.
	next     map[core.ID]time.Time
	order    order
	newID    func(time.Time) core.ID
	lastTime time.Time
	swept    time.Time

	dirty         map[*Bucket]bool
	dirtyChildren map[*ChildFiring]bool
	dirtyHeld     map[*Follower]bool
	acts          []*Act
	err           error
}

// New returns a machine without automations. newID makes ids for a time.
func New(newID func(time.Time) core.ID) *Machine {
	return &Machine{
		index: newIndex(), automations: map[core.ID]*Automation{}, buckets: map[core.ID]map[string]*Bucket{},
		children: map[core.ID]map[core.ID]*ChildFiring{}, next: map[core.ID]time.Time{}, order: newOrder(), newID: newID,
		dirty: map[*Bucket]bool{}, dirtyChildren: map[*ChildFiring]bool{}, dirtyHeld: map[*Follower]bool{},
	}
}

// Idle reports whether no automation is watched.
func (m *Machine) Idle() bool { return len(m.automations) == 0 }

// Put watches an automation, in place of a former one of the same id, from now
// on. Triggers that were there before keep what they have counted.
func (m *Machine) Put(a *Automation, now time.Time) {
	kept := map[core.ID]bool{}
	a.Trigger.all(func(t *Trigger) { kept[t.ID] = true })
	m.drop(a.ID, kept)
	if !a.Enabled {
		return
	}
	m.automations[a.ID] = a
	a.Trigger.all(func(t *Trigger) {
		if t.Kind != Event {
			return
		}
		m.add(t)
		if t.Posture == Proactive {
			m.next[t.ID] = now
		}
	})
}

// Forget watches an automation no more.
func (m *Machine) Forget(id core.ID) { m.drop(id, nil) }

func (m *Machine) drop(id core.ID, kept map[core.ID]bool) {
	old := m.automations[id]
	if old == nil {
		return
	}
	delete(m.automations, id)
	old.Trigger.all(func(t *Trigger) {
		m.remove(t)
		delete(m.next, t.ID)
		if kept[t.ID] {
			return
		}
		for _, b := range m.buckets[t.ID] {
			m.dropBucket(b)
		}
		for _, c := range m.children[t.ID] {
			m.dropChild(c)
		}
	})
}

// Restore puts back what a former machine had stored, after the automations
// were put. What belongs to no trigger any more is dropped.
func (m *Machine) Restore(buckets []*Bucket, children []*ChildFiring, followers []*Follower) {
	known := map[core.ID]bool{}
	for _, a := range m.automations {
		a.Trigger.all(func(t *Trigger) { known[t.ID] = true })
	}
	for _, b := range buckets {
		b.stored = true
		m.setBucket(b)
		if !known[b.TriggerID] {
			m.dropBucket(b)
		}
	}
	for _, c := range children {
		c.stored = true
		m.setChild(c)
		if c.Firing.Triggered.After(m.lastTime) {
			m.lastTime = c.Firing.Triggered.Time // what fires from now on is later
		}
		if !known[c.ParentID] || !known[c.ChildID] {
			m.dropChild(c)
		}
	}
	m.settle()
	for _, f := range followers {
		f.stored = true
		m.order.hold(f)
	}
}

// settle forgets that what stands as it is stored was touched.
func (m *Machine) settle() {
	for b := range m.dirty {
		if m.buckets[b.TriggerID][b.Key] == b {
			delete(m.dirty, b)
		}
	}
	for c := range m.dirtyChildren {
		if m.children[c.ParentID][c.ChildID] == c {
			delete(m.dirtyChildren, c)
		}
	}
}

// Event lets the triggers see an event that came at the time.
func (m *Machine) Event(e *core.Event, now time.Time) { m.event(e, now, 0) }

// maxDepth bounds a chain of events that waited for each other.
const maxDepth = 20

func (m *Machine) event(e *core.Event, now time.Time, depth int) {
	if unheard(e) || m.order.saw(e.ID) || depth > maxDepth {
		return
	}
	if e.Follows != nil && !m.order.saw(*e.Follows) && now.Sub(e.Received) < Lookback && depth == 0 {
		f := &Follower{Event: e, Received: e.Received}
		m.order.hold(f)
		m.dirtyHeld[f] = true
		return
	}
	for _, t := range m.interested(e) {
		m.react(t, e, now)
	}
	m.order.see(e.ID)
	for _, f := range m.order.release(e.ID) {
		m.dirtyHeld[f] = true
		m.event(f.Event, now, depth+1)
	}
}

// Wants reports whether any trigger is interested in the event.
func (m *Machine) Wants(e *core.Event) bool { return !unheard(e) && len(m.interested(e)) > 0 }

// MissingLeader reports whether the event follows one that the machine cannot remember.
func (m *Machine) MissingLeader(e *core.Event) bool {
	return e.Follows != nil && !m.order.saw(*e.Follows)
}

// Remember notes that the event was seen at some time before.
func (m *Machine) Remember(id core.ID) { m.order.see(id) }

// Due lets time pass: proactive triggers fire whose time is over, events whose
// leaders never came are seen, and old buckets go.
func (m *Machine) Due(now time.Time) {
	for _, f := range m.order.lost(now.Add(-Lookback)) {
		m.dirtyHeld[f] = true
		m.event(f.Event, now, 1)
	}
	for _, t := range m.proactive() {
		if at, ok := m.next[t.ID]; ok && !at.After(now) {
			m.next[t.ID] = m.proact(t, now)
		}
	}
	if now.Sub(m.swept) >= sweepEvery {
		m.swept = now
		m.sweep(now.Add(-SweepAfter))
	}
}

func (m *Machine) sweep(before time.Time) {
	for _, byKey := range m.buckets {
		for _, b := range byKey {
			if !b.End.After(before) {
				m.dropBucket(b)
			}
		}
	}
}

// Changes returns what has changed since the last call, in a stable order.
func (m *Machine) Changes() (*Changes, error) {
	out := &Changes{Acts: m.acts}
	for b := range m.dirty {
		switch {
		case m.buckets[b.TriggerID][b.Key] == b:
			b.stored = true
			out.Put = append(out.Put, b)
		case b.stored && m.buckets[b.TriggerID][b.Key] == nil:
			out.Drop = append(out.Drop, b)
		}
	}
	for c := range m.dirtyChildren {
		switch {
		case m.children[c.ParentID][c.ChildID] == c:
			c.stored = true
			out.PutChildren = append(out.PutChildren, c)
		case c.stored && m.children[c.ParentID][c.ChildID] == nil:
			out.DropChildren = append(out.DropChildren, c)
		}
	}
	for f := range m.dirtyHeld {
		switch {
		case m.order.holds(f):
			f.stored = true
			out.PutFollowers = append(out.PutFollowers, f)
		case f.stored:
			out.DropFollowers = append(out.DropFollowers, f)
		}
	}
	slices.SortFunc(out.Put, compareBuckets)
	slices.SortFunc(out.Drop, compareBuckets)
	clear(m.dirty)
	clear(m.dirtyChildren)
	clear(m.dirtyHeld)
	err := m.err
	m.acts, m.err = nil, nil
	return out, err
}

func compareBuckets(a, b *Bucket) int {
	return cmp.Or(slices.Compare(a.TriggerID[:], b.TriggerID[:]), cmp.Compare(a.Key, b.Key))
}

// moment is a time for a firing: now, but later than the former firing's, since
// sequences are told apart by it.
func (m *Machine) moment(now time.Time) time.Time {
	now = now.Truncate(time.Microsecond)
	if !now.After(m.lastTime) {
		now = m.lastTime.Add(time.Microsecond)
	}
	m.lastTime = now
	return now
}
