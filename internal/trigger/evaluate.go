package trigger

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// Each trigger has at most one bucket for a key, which counts the events of one
// span of time. A reactive trigger fires as soon as its bucket is full and then
// waits for the span to end; a proactive one fires when the span has ended and
// the bucket is not full.

// react lets the trigger see an event that it covers.
func (m *Machine) react(t *Trigger, e *core.Event, now time.Time) {
	seen := (*SeenEvent)(e)
	key := keyText(t.key(e))
	expected := t.expects(e.Event)
	var b *Bucket
	switch {
	case t.startsAfter(e.Event):
		// An event that both starts the wait and is waited for ends only waits that
		// others began.
		count := 0
		if expected {
			count = -1
		}
		b = m.ensure(t, key, e.Occurred, e.Occurred.Add(t.Within), count, seen)
	case len(t.After) == 0 && expected:
		// The first bucket begins in the past, so that events out of order count.
		b = m.ensure(t, key, e.Occurred.Add(-Lookback), e.Occurred.Add(t.Within), 0, seen)
	}
	if !expected {
		return
	}
	if b == nil {
		b = m.buckets[t.ID][key]
	}
	if b != nil {
		m.evaluate(t, b, e.Occurred, seen, now)
	}
	m.resolve(t, key, seen, now)
}

// evaluate counts an event, nil for none, that occurred at the time, fires when
// the trigger's condition holds, and opens the next bucket when this one is over.
func (m *Machine) evaluate(t *Trigger, b *Bucket, at time.Time, e *SeenEvent, now time.Time) {
	if at.Before(b.Start) {
		return // late, or during the rest of a span in which the trigger has fired
	}
	spend := e != nil
	if spend && (t.immediate() || at.Before(b.End)) {
		b.Count++
		b.Last = e
		m.dirty[b] = true
		spend = false
	}
	ended, reached := !at.Before(b.End), t.reached(b.Count)
	switch {
	case (t.Posture == Reactive || ended) && reached:
		last := e
		if last == nil {
			last = b.Last
		}
		m.dropBucket(b)
		m.alarm(t, b, now)
		m.fire(t, m.firing(t, b, last, now), now)
	case !ended:
		m.satisfied(t, b, e, reached)
		return
	}
	m.advance(t, b, at, e, spend, now)
}

// satisfied ends the wait of a proactive trigger whose events have come in time.
// An event that starts a wait as well as ending one starts the next.
func (m *Machine) satisfied(t *Trigger, b *Bucket, e *SeenEvent, missing bool) {
	if e == nil || t.Posture != Proactive || missing {
		return
	}
	switch {
	case t.startsAfter(e.Event) && t.expects(e.Event):
		m.setBucket(&Bucket{
			AutomationID: t.Automation.ID, TriggerID: t.ID, Key: b.Key, Start: e.Occurred, End: e.Occurred.Add(t.Within), Last: e, stored: b.stored,
		})
	case len(t.After) > 0 || len(t.ForEach) > 0:
		m.dropBucket(b)
	}
}

// advance opens the bucket after b; spend tells that the event is still to be counted.
func (m *Machine) advance(t *Trigger, b *Bucket, at time.Time, e *SeenEvent, spend bool, now time.Time) {
	if len(t.After) > 0 {
		m.dropBucket(b) // the next one begins with its event
		return
	}
	if t.Within == 0 {
		return
	}
	start := b.End
	if at.After(start) {
		start = at
	}
	next := &Bucket{AutomationID: t.Automation.ID, TriggerID: t.ID, Key: b.Key, Start: start, End: start.Add(t.Within), stored: b.stored}
	if spend && t.Posture != Reactive {
		next.Count = 1
	}
	m.setBucket(next)
	if spend && t.Posture == Reactive {
		m.evaluate(t, next, at, e, now)
	}
}

// proact looks at a proactive trigger's buckets and returns when to do so again.
func (m *Machine) proact(t *Trigger, now time.Time) time.Time {
	if len(t.ForEach) == 0 && len(t.After) == 0 {
		m.ensure(t, keyText([]string{}), now, now.Add(t.Within), 0, nil)
	}
	byAge := slices.SortedFunc(maps.Values(m.buckets[t.ID]), func(a, b *Bucket) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Key, b.Key))
	})
	for _, b := range byAge {
		if !isAlarm(b.Key) {
			m.evaluate(t, b, now, nil, now)
		}
	}
	again := now.Add(t.Within)
	for _, b := range m.buckets[t.ID] {
		if b.End.After(now) && b.End.Before(again) {
			again = b.End
		}
	}
	return again
}

// ensure returns the trigger's bucket for the key, made if there is none.
func (m *Machine) ensure(t *Trigger, key string, start, end time.Time, count int, last *SeenEvent) *Bucket {
	if b := m.buckets[t.ID][key]; b != nil {
		if last != nil {
			b.Last = last
			m.dirty[b] = true
		}
		return b
	}
	b := &Bucket{AutomationID: t.Automation.ID, TriggerID: t.ID, Key: key, Start: start, End: end, Count: count, Last: last}
	m.setBucket(b)
	return b
}

func (m *Machine) setBucket(b *Bucket) {
	byKey := m.buckets[b.TriggerID]
	if byKey == nil {
		byKey = map[string]*Bucket{}
		m.buckets[b.TriggerID] = byKey
	}
	byKey[b.Key] = b
	m.dirty[b] = true
	if at, ok := m.next[b.TriggerID]; ok && b.End.Before(at) {
		m.next[b.TriggerID] = b.End
	}
}

func (m *Machine) dropBucket(b *Bucket) {
	byKey := m.buckets[b.TriggerID]
	if byKey[b.Key] != b {
		return
	}
	delete(byKey, b.Key)
	if len(byKey) == 0 {
		delete(m.buckets, b.TriggerID)
	}
	m.dirty[b] = true
}
