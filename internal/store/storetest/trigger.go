package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
)

// triggers is the suite of what automations have seen and want done.
func triggers(t *testing.T, open Opener) {
	t.Run("the position moves from where it is", func(t *testing.T) {
		t.Parallel()
		triggerPosition(t, open(t))
	})
	t.Run("what was seen is kept, replaced and dropped", func(t *testing.T) {
		t.Parallel()
		triggerState(t, open(t))
	})
	t.Run("events up to a position are found", func(t *testing.T) {
		t.Parallel()
		seenEvents(t, open(t))
	})
	t.Run("depths are the deepest of late", func(t *testing.T) {
		t.Parallel()
		triggerDepth(t, open(t))
	})
	t.Run("an action is claimed by one, and again after its time", func(t *testing.T) {
		t.Parallel()
		triggeredActions(t, open(t))
	})
}

func triggerPosition(t *testing.T, s core.Store) {
	if p := must(t, s, func(tx core.Tx) (*core.TriggerPosition, error) { return tx.TriggerPosition() }); p != nil {
		t.Errorf("the position of a new store is %v", p)
	}
	move := func(from *core.Cursor, to core.TriggerPosition) error {
		return s.Update(t.Context(), ws, func(tx core.Tx) error { return tx.MoveTriggers(from, to) })
	}
	first := core.TriggerPosition{Cursor: core.Cursor{Tx: 1, Seq: 2}, At: noon()}
	second := core.TriggerPosition{Cursor: core.Cursor{Tx: 1, Seq: 3}, At: noon().Add(time.Second)}
	if err := move(nil, first); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		from *core.Cursor
	}{{"from nowhere again", nil}, {"from elsewhere", &core.Cursor{Tx: 1, Seq: 1}}} {
		if err := move(tt.from, second); core.CodeOf(err) != core.Conflict {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := move(&first.Cursor, second); err != nil {
		t.Fatal(err)
	}
	got := must(t, s, func(tx core.Tx) (*core.TriggerPosition, error) { return tx.TriggerPosition() })
	if diff := cmp.Diff(&second, got); diff != "" {
		t.Errorf("position (-want +got)\n%s", diff)
	}
}

func triggerState(t *testing.T, s core.Store) {
	automation, first, second := core.NewID(noon()), core.NewID(noon()), core.NewID(noon())
	state := &core.TriggerState{
		Buckets: []*core.TriggerBucket{
			{AutomationID: automation, TriggerID: first, Key: `["a"]`, Start: noon(), End: noon().Add(time.Minute), Count: -1},
			{
				AutomationID: automation, TriggerID: first, Key: `["b"]`, Start: noon().Add(1), End: noon().Add(time.Minute), Count: 3,
				Last: json.RawMessage(`{"event":"x"}`),
			},
		},
		Children:  []*core.TriggerChild{{AutomationID: automation, ParentID: first, ChildID: second, Firing: json.RawMessage(`{"n":1}`)}},
		Followers: []*core.TriggerFollower{{EventID: second, Received: noon(), Event: json.RawMessage(`{"event":"y"}`)}},
	}
	state.Buckets[1].Start = noon().Add(time.Second)
	none := &core.TriggerState{}
	update(t, s, func(tx core.Tx) error { return tx.StoreTriggers(state, none) })
	read := func() *core.TriggerState {
		return must(t, s, func(tx core.Tx) (*core.TriggerState, error) { return tx.TriggerState() })
	}
	if diff := cmp.Diff(state, read()); diff != "" {
		t.Errorf("stored (-want +got)\n%s", diff)
	}
	state.Buckets[0].Count, state.Buckets[0].Last = 7, json.RawMessage(`{}`)
	state.Children[0].Firing = json.RawMessage(`{"n":2}`)
	update(t, s, func(tx core.Tx) error { return tx.StoreTriggers(state, none) })
	if diff := cmp.Diff(state, read()); diff != "" {
		t.Errorf("replaced (-want +got)\n%s", diff)
	}
	update(t, s, func(tx core.Tx) error { return tx.StoreTriggers(none, state) })
	if diff := cmp.Diff(none, read()); diff != "" {
		t.Errorf("dropped (-want +got)\n%s", diff)
	}
}

func seenEvents(t *testing.T, s core.Store) {
	event := func(at time.Time) *core.Event {
		e := &core.Event{ID: core.NewID(at), Occurred: at, Received: at, Event: "x", Resource: core.Labels{{Key: core.ResourceID, Value: "r"}}}
		update(t, s, func(tx core.Tx) error { return tx.InsertEvents([]*core.Event{e}) })
		return e
	}
	old, first := event(noon().Add(-time.Hour)), event(noon())
	var cursor core.Cursor
	followed(t, s, &cursor, 2)
	later := event(noon().Add(time.Second))
	got := must(t, s, func(tx core.Tx) ([]core.ID, error) {
		ids := []core.ID{old.ID, first.ID, later.ID, core.NewID(noon())}
		return tx.SeenEvents(ids, noon().Add(-time.Minute), noon().Add(time.Minute), cursor)
	})
	if diff := cmp.Diff([]core.ID{first.ID}, got); diff != "" {
		t.Errorf("seen (-want +got)\n%s", diff)
	}
	if none := must(t, s, func(tx core.Tx) ([]core.ID, error) { return tx.SeenEvents(nil, noon(), noon(), cursor) }); len(none) > 0 {
		t.Errorf("of no events are seen %v", none)
	}
}

func triggerDepth(t *testing.T, s core.Store) {
	deepen := func(depth int, at time.Time, resources ...string) {
		update(t, s, func(tx core.Tx) error { return tx.DeepenTriggers(resources, depth, at, at.Add(-time.Minute)) })
	}
	depth := func(at time.Time, resources ...string) int {
		return must(t, s, func(tx core.Tx) (int, error) { return tx.TriggerDepth(resources, at.Add(-time.Minute)) })
	}
	deepen(3, noon(), "a", "b")
	deepen(2, noon().Add(time.Second), "a")
	deepen(5, noon().Add(time.Second), "c")
	if got := depth(noon(), "a", "x"); got != 3 {
		t.Errorf("the depth of a is %d", got)
	}
	if got := depth(noon(), "a", "c"); got != 5 {
		t.Errorf("the depth of a and c is %d", got)
	}
	if got := depth(noon().Add(2*time.Minute), "a", "c"); got != 0 {
		t.Errorf("the depth after a while is %d", got)
	}
	deepen(1, noon().Add(2*time.Minute), "a")
	if got := depth(noon().Add(2*time.Minute), "a"); got != 1 {
		t.Errorf("the depth of a new chain is %d", got)
	}
}

func triggeredActions(t *testing.T, s core.Store) {
	first := &core.TriggeredAction{ID: core.NewID(noon()), Created: noon(), Due: noon(), Depth: 2, Spec: json.RawMessage(`{"a":1}`)}
	later := &core.TriggeredAction{ID: core.NewID(noon()), Created: noon(), Due: noon().Add(time.Hour), Spec: json.RawMessage(`{}`)}
	update(t, s, func(tx core.Tx) error { return tx.InsertTriggeredActions([]*core.TriggeredAction{first, later}) })
	claim := func(owner string, now time.Time) (claimed []*core.TriggeredAction) {
		update(t, s, func(tx core.Tx) (err error) {
			claimed, err = tx.ClaimTriggeredActions(owner, now, now.Add(time.Minute), 10)
			return err
		})
		return claimed
	}
	want := *first
	want.Owner, want.Due = "one", noon().Add(time.Minute)
	if diff := cmp.Diff([]*core.TriggeredAction{&want}, claim("one", noon())); diff != "" {
		t.Errorf("claimed (-want +got)\n%s", diff)
	}
	if got := claim("two", noon().Add(time.Second)); len(got) > 0 {
		t.Errorf("claimed twice: %v", got)
	}
	if got := claim("two", noon().Add(2*time.Minute)); len(got) != 1 || got[0].Owner != "two" {
		t.Errorf("claimed after its time: %v", got)
	}
	update(t, s, func(tx core.Tx) error { return tx.PutOffTriggeredAction(first.ID, noon().Add(150*time.Second)) })
	if got := claim("one", noon().Add(140*time.Second)); len(got) > 0 {
		t.Errorf("claimed before the time to which it was put off: %v", got)
	}
	if got := claim("one", noon().Add(150*time.Second)); len(got) != 1 {
		t.Errorf("claimed when it was put off to: %v", got)
	}
	finish := func() (there bool) {
		update(t, s, func(tx core.Tx) (err error) {
			there, err = tx.FinishTriggeredAction(first.ID)
			return err
		})
		return there
	}
	if !finish() || finish() {
		t.Error("an action is finished once")
	}
}
