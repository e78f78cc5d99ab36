package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leat-dev/leat/internal/core"
)

func logs(t *testing.T, open Opener) {
	s := open(t)
	run := core.NewID(noon())
	var lines []*core.Log
	for i := range 12 {
		l := &core.Log{
			Created: noon(), Name: "l", Level: 10 * (i%5 + 1), Message: fmt.Sprintf("line %02d of ALL", i),
			Timestamp: noon().Add(time.Duration(i) * time.Second),
		}
		if i%2 == 0 {
			l.FlowRunID = &run
		}
		lines = append(lines, l)
	}
	update(t, s, func(tx core.Tx) error { return tx.InsertLogs(lines) })
	for _, tt := range []struct {
		conds []core.Cond
		want  int
	}{
		{nil, 12},
		{[]core.Cond{{Field: "flow_run_id", Op: core.OpAny, Value: []core.ID{run}}}, 6},
		{[]core.Cond{{Field: "level", Op: core.OpGe, Value: int64(40)}}, 4},
		{[]core.Cond{{Field: "timestamp", Op: core.OpAfter, Value: noon().Add(10 * time.Second)}}, 2},
		{[]core.Cond{{Field: "text", Op: core.OpQuery, Value: `"of all" -07`}}, 11},
		{[]core.Cond{{Field: "task_run_id", Op: core.OpIsNull, Value: true}}, 12},
	} {
		q := core.On(core.EntityLog, tt.conds...)
		got := must(t, s, func(tx core.Tx) ([]*core.Log, error) { return tx.FilterLogs(q) })
		if len(got) != tt.want {
			t.Errorf("%v: %d lines, want %d", tt.conds, len(got), tt.want)
		}
	}
	got := must(t, s, func(tx core.Tx) ([]*core.Log, error) {
		return tx.FilterLogs(core.Query{Sort: "TIMESTAMP_DESC", Limit: 1})
	})
	if diff := cmp.Diff(lines[11:], got, cmpopts.IgnoreFields(core.Log{}, "ID")); diff != "" {
		t.Error(diff)
	}
	ids := map[core.ID]bool{}
	for range 2 {
		for _, l := range must(t, s, func(tx core.Tx) ([]*core.Log, error) { return tx.FilterLogs(core.Query{Limit: 100}) }) {
			ids[l.ID] = true
		}
	}
	if len(ids) != len(lines) {
		t.Errorf("%d ids of %d lines read twice", len(ids), len(lines))
	}
}

func newEvent(name string, at time.Time) *core.Event {
	return &core.Event{
		ID: core.NewID(at), Occurred: at, Received: at, Event: name,
		Resource: core.Labels{{Key: core.ResourceID, Value: "r." + name}, {Key: "b", Value: "é\n\"<"}, {Key: "a", Value: ""}},
		Related:  []core.Labels{{{Key: core.ResourceID, Value: "x"}, {Key: core.ResourceRole, Value: "y"}}},
		Payload:  []byte(`{"n": 1}`),
	}
}

func events(t *testing.T, open Opener) {
	s := open(t)
	e := newEvent("one", noon())
	for range 2 { // the second time it is there already
		update(t, s, func(tx core.Tx) error { return tx.InsertEvents([]*core.Event{e}) })
	}
	got := must(t, s, func(tx core.Tx) ([]*core.Event, error) { return tx.RecentEvents(noon().Add(-time.Hour), 10) })
	if diff := cmp.Diff([]*core.Event{e}, got); diff != "" {
		t.Errorf("-stored +read:\n%s", diff)
	}
}

// cleared checks that a follower goes on after everything was deleted.
func cleared(t *testing.T, open Opener) {
	s := open(t)
	insert := func(name string) {
		update(t, s, func(tx core.Tx) error { return tx.InsertEvents([]*core.Event{newEvent(name, noon())}) })
	}
	var cursor core.Cursor
	next := func() (names []string) {
		again := time.NewTicker(10 * time.Millisecond)
		defer again.Stop()
		for range 500 {
			view(t, s, func(tx core.Tx) error {
				got, at, err := tx.EventsAfter(cursor, 10)
				cursor = at
				for _, e := range got {
					names = append(names, e.Event)
				}
				return err
			})
			if len(names) > 0 {
				break
			}
			<-again.C
		}
		return names
	}
	for _, name := range []string{"one", "two"} {
		insert(name)
		if got := next(); len(got) != 1 || got[0] != name {
			t.Fatalf("got %v, want %s", got, name)
		}
	}
	if err := s.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	insert("three")
	if got := next(); len(got) != 1 || got[0] != "three" {
		t.Errorf("got %v after the database was cleared, want three", got)
	}
}

// followers checks that a follower sees every event once, however many write.
func followers(t *testing.T, open Opener) {
	s := open(t)
	wake, stop := s.Subscribe(core.TopicEvents)
	defer stop()
	const writers, each = 8, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				e := newEvent(fmt.Sprintf("%d.%d", w, i), noon())
				if err := s.Update(t.Context(), ws, func(tx core.Tx) error { return tx.InsertEvents([]*core.Event{e}) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	seen := map[core.ID]int{}
	var cursor core.Cursor
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for len(seen) < writers*each {
		var got []*core.Event
		view(t, s, func(tx core.Tx) (err error) {
			got, cursor, err = tx.EventsAfter(cursor, 7)
			return err
		})
		for _, e := range got {
			seen[e.ID]++
		}
		if len(got) > 0 {
			continue
		}
		// On Postgres a row may be hidden for a moment after the commit that was
		// told of; a follower looks again.
		select {
		case <-wake:
		case <-again.C:
		case <-deadline.C:
			t.Fatalf("saw %d events, want %d", len(seen), writers*each)
		}
	}
	wg.Wait()
	for id, n := range seen {
		if n != 1 {
			t.Errorf("event %s was seen %d times", id, n)
		}
	}
}

// followed reads on from the cursor until n events came: other transactions of
// the same Postgres put off when they can be seen.
func followed(t *testing.T, s core.Store, c *core.Cursor, n int) (events []*core.Event) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for range 500 {
		view(t, s, func(tx core.Tx) error {
			got, at, err := tx.EventsAfter(*c, 10)
			events, *c = append(events, got...), at
			return err
		})
		if len(events) >= n {
			break
		}
		<-again.C
	}
	return events
}
