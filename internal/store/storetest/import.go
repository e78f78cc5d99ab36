package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
)

// imports checks that what is imported is stored as it was recorded, any number
// of times, and that no follower hears of it.
func imports(t *testing.T, open Opener) {
	t.Run("a run is put twice", func(t *testing.T) {
		t.Parallel()
		putRuns(t, open(t))
	})
	t.Run("past events are found and not followed", func(t *testing.T) {
		t.Parallel()
		pastEvents(t, open(t))
	})
	t.Run("lines of a run between times", func(t *testing.T) {
		t.Parallel()
		logsBetween(t, open(t))
	})
}

func putRuns(t *testing.T, s core.Store) {
	flow := &core.Flow{ID: core.NewID(noon()), Created: noon(), Updated: noon(), Name: "f"}
	ended := noon().Add(time.Minute)
	run := &core.FlowRun{
		ID: core.NewID(noon()), Created: noon(), Updated: ended, Name: "r", FlowID: flow.ID, FlowName: "f", EndTime: &ended,
		State: &core.State{ID: core.NewID(ended), Type: core.Completed, Name: "Completed", Timestamp: ended},
	}
	first := &core.State{ID: core.NewID(noon()), Type: core.Running, Name: "Running", Timestamp: noon()}
	for range 2 {
		update(t, s, func(tx core.Tx) error {
			if _, err := tx.Flow(flow.ID); err != nil {
				if err := tx.InsertFlow(flow); err != nil {
					return err
				}
			}
			if err := tx.PutFlowRun(run); err != nil {
				return err
			}
			return tx.InsertFlowRunStates(run.ID, []*core.State{first, run.State})
		})
	}
	run.Name, run.Updated = "renamed", ended.Add(time.Second)
	run.State = &core.State{ID: core.NewID(ended), Type: core.Failed, Name: "Failed", Timestamp: ended.Add(time.Second)}
	update(t, s, func(tx core.Tx) error { return tx.PutFlowRun(run) })
	got := must(t, s, func(tx core.Tx) (*core.FlowRun, error) { return tx.FlowRun(run.ID) })
	if got.Name != "renamed" || got.State.Type != core.Failed || !got.EndTime.Equal(ended) {
		t.Errorf("the run is %+v", got)
	}
	states := must(t, s, func(tx core.Tx) ([]*core.State, error) { return tx.FlowRunStates(run.ID) })
	if len(states) != 3 || states[0].ID != first.ID {
		t.Errorf("%d states, want 3, the oldest first", len(states))
	}
	times := must(t, s, func(tx core.Tx) (map[core.ID]time.Time, error) {
		return tx.FlowRunTimes([]core.ID{core.NewID(noon()), run.ID})
	})
	if diff := cmp.Diff(map[core.ID]time.Time{run.ID: run.Updated}, times); diff != "" {
		t.Error(diff)
	}
}

func pastEvents(t *testing.T, s core.Store) {
	event := func(at time.Time) *core.Event {
		return &core.Event{
			ID: core.NewID(at), Occurred: at, Received: at, Event: "e",
			Resource: core.Labels{{Key: core.ResourceID, Value: "r"}}, Related: []core.Labels{},
		}
	}
	live := []*core.Event{event(noon())}
	update(t, s, func(tx core.Tx) error { return tx.InsertEvents(live) })
	var cursor, end core.Cursor
	followed(t, s, &cursor, 1)
	past := []*core.Event{event(noon().Add(-2 * time.Hour)), event(noon().Add(-time.Hour))}
	for range 2 {
		update(t, s, func(tx core.Tx) error { return tx.InsertPastEvents(past) })
	}
	update(t, s, func(tx core.Tx) error { return tx.InsertPastEvents([]*core.Event{event(noon().Add(-3 * time.Hour))}) })
	again := must(t, s, func(tx core.Tx) (core.Cursor, error) { return tx.EventCursor() })
	if again != cursor {
		t.Errorf("the position moved from %v to %v", cursor, again)
	}
	next := event(noon().Add(time.Second))
	update(t, s, func(tx core.Tx) error { return tx.InsertEvents([]*core.Event{next}) })
	followed(t, s, &end, 2)
	for _, from := range []core.Cursor{{}, cursor} {
		var got []*core.Event
		view(t, s, func(tx core.Tx) (err error) {
			got, _, err = tx.EventsAfter(from, 10)
			return err
		})
		want := []core.ID{next.ID}
		if from == (core.Cursor{}) {
			want = []core.ID{live[0].ID, next.ID}
		}
		if diff := cmp.Diff(want, eventIDs(got)); diff != "" {
			t.Errorf("followers from %v: %s", from, diff)
		}
	}
	found := must(t, s, func(tx core.Tx) ([]*core.Event, error) {
		return tx.FindEvents(core.EventRange{Since: noon().Add(-150 * time.Minute), Until: noon(), Ascending: true, Limit: 10})
	})
	if diff := cmp.Diff([]core.ID{past[0].ID, past[1].ID, live[0].ID}, eventIDs(found)); diff != "" {
		t.Error(diff)
	}
}

func eventIDs(events []*core.Event) []core.ID {
	ids := []core.ID{}
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	return ids
}

func logsBetween(t *testing.T, s core.Store) {
	run, task := core.NewID(noon()), core.NewID(noon())
	line := func(second int, flowRun, taskRun *core.ID) *core.Log {
		at := noon().Add(time.Duration(second) * time.Second)
		return &core.Log{Created: at, Name: "l", Level: 20, Message: at.String(), Timestamp: at, FlowRunID: flowRun, TaskRunID: taskRun}
	}
	lines := []*core.Log{line(0, &run, nil), line(1, &run, &task), line(2, &run, nil), line(1, nil, &task), line(5, nil, &task)}
	update(t, s, func(tx core.Tx) error { return tx.InsertLogs(lines) })
	for _, tt := range []struct {
		flowRun, taskRun *core.ID
		want             []*core.Log
	}{
		{&run, nil, lines[1:3]},
		{nil, &task, lines[3:4]},
	} {
		got := must(t, s, func(tx core.Tx) ([]*core.Log, error) {
			return tx.LogsBetween(tt.flowRun, tt.taskRun, noon().Add(time.Second), noon().Add(2*time.Second))
		})
		var have, want []string
		for _, l := range got {
			have = append(have, l.Message)
		}
		for _, l := range tt.want {
			want = append(want, l.Message)
		}
		slices.Sort(have)
		if diff := cmp.Diff(want, have); diff != "" {
			t.Error(diff)
		}
	}
}
