package service_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/service"
	"github.com/leat-dev/leat/internal/store"
	"github.com/leat-dev/leat/internal/store/storetest"
)

var keep = core.Retention{Runs: 30 * 24 * time.Hour, Logs: 20 * 24 * time.Hour, Events: 10 * 24 * time.Hour, Artifacts: 40 * 24 * time.Hour}

// history stores a run a day for so many days before now in each workspace, each
// with a task run, a log line, an event and an artifact.
func history(t *testing.T, s core.Store, now time.Time, days int, workspaces ...core.WorkspaceID) {
	t.Helper()
	for d := days; d > 0; d-- {
		for _, ws := range workspaces {
			if err := s.Update(t.Context(), ws, func(tx core.Tx) error { return aDay(tx, now.AddDate(0, 0, -d)) }); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func aDay(tx core.Tx, at time.Time) error {
	run, task := core.NewID(at), core.NewID(at)
	done := &core.State{ID: core.NewID(at), Type: core.Completed, Name: "Completed", Timestamp: at}
	also := *done
	also.ID = core.NewID(at)
	return errors.Join(
		tx.InsertFlowRun(&core.FlowRun{ID: run, Created: at, Updated: at, Name: "r", FlowID: core.NewID(at), ExpectedStartTime: &at, EndTime: &at, State: done}),
		tx.InsertTaskRun(&core.TaskRun{ID: task, Created: at, Updated: at, FlowRunID: &run, TaskKey: "k", DynamicKey: "0", ExpectedStartTime: &at, State: &also}),
		tx.InsertLogs([]*core.Log{{Created: at, Timestamp: at, FlowRunID: &run, Message: "m"}}),
		tx.InsertEvents([]*core.Event{{ID: core.NewID(at), Occurred: at, Received: at, Event: "e"}}),
		tx.InsertArtifact(&core.Artifact{ID: core.NewID(at), Created: at, Updated: at}),
	)
}

// stored counts what is in a workspace.
func stored(t *testing.T, s core.Store, ws core.WorkspaceID) map[string]int {
	t.Helper()
	out := map[string]int{}
	if err := s.View(t.Context(), ws, func(tx core.Tx) error {
		runs, err1 := tx.CountFlowRuns(core.Query{})
		tasks, err2 := tx.CountTaskRuns(core.Query{})
		logs, err3 := tx.FilterLogs(core.Query{Limit: 1000})
		events, err4 := tx.RecentEvents(time.Time{}, 1000)
		artifacts, err5 := tx.CountArtifacts(core.Query{})
		out = map[string]int{"runs": runs, "tasks": tasks, "logs": len(logs), "events": len(events), "artifacts": artifacts}
		return errors.Join(err1, err2, err3, err4, err5)
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRetentionRemovesEachKindAtItsAge(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		keep core.Retention
		want map[string]int
	}{
		"each kind has its age":         {keep, map[string]int{"runs": 30, "tasks": 30, "logs": 20, "events": 10, "artifacts": 40}},
		"0 keeps for ever":              {core.Retention{}, map[string]int{"runs": 60, "tasks": 60, "logs": 60, "events": 60, "artifacts": 60}},
		"events stay a day":             {core.Retention{Events: time.Hour}, map[string]int{"runs": 60, "tasks": 60, "logs": 60, "events": 1, "artifacts": 60}},
		"logs go with their run anyway": {core.Retention{Runs: 24 * time.Hour}, map[string]int{"runs": 1, "tasks": 1, "logs": 1, "events": 60, "artifacts": 60}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storetest.Open(t)
			second, err := s.Workspace(t.Context(), "second")
			if err != nil {
				t.Fatal(err)
			}
			history(t, s, now, 60, core.DefaultWorkspace, second)
			r := &service.Retention{Store: s, Now: func() time.Time { return now }, Keep: tt.keep}
			if err := r.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, ws := range []core.WorkspaceID{core.DefaultWorkspace, second} {
				if diff := cmp.Diff(tt.want, stored(t, s, ws)); diff != "" {
					t.Errorf("-want +left:\n%s", diff)
				}
			}
		})
	}
}

// interrupted is a store that ends a context after so many updates.
type interrupted struct {
	core.Store
	left int
	end  context.CancelFunc
}

func (i *interrupted) Update(ctx context.Context, ws core.WorkspaceID, fn func(core.Tx) error) error {
	if i.left--; i.left == 0 {
		i.end()
	}
	return i.Store.Update(ctx, ws, fn)
}

func TestRetentionGoesOnWhereItWasInterrupted(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	s := storetest.Open(t)
	history(t, s, now, 60, core.DefaultWorkspace)
	rounds := 0
	for done := false; !done && rounds < 100; rounds++ {
		ctx, cancel := context.WithCancel(t.Context())
		r := &service.Retention{Store: &interrupted{s, 1 + rounds, cancel}, Now: func() time.Time { return now }, Keep: keep}
		err := r.Tick(ctx)
		if done = err == nil; !done && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancel()
	}
	want := map[string]int{"runs": 30, "tasks": 30, "logs": 20, "events": 10, "artifacts": 40}
	if diff := cmp.Diff(want, stored(t, s, core.DefaultWorkspace)); diff != "" || rounds < 3 {
		t.Errorf("after %d rounds -want +left:\n%s", rounds, diff)
	}
}

func TestRetentionEndsItsRoundInTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	s := storetest.Open(t)
	history(t, s, now, 120, core.DefaultWorkspace)
	at := now
	clock := func() time.Time { at = at.Add(time.Millisecond); return at }
	r := &service.Retention{Store: s, Now: clock, Keep: keep, Round: 150 * time.Millisecond}
	if err := r.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := stored(t, s, core.DefaultWorkspace)["runs"]; n == 30 || n == 120 {
		t.Errorf("%d runs are left after the first of several rounds", n)
	}
	left := 120
	for range 40 {
		if err := r.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left = stored(t, s, core.DefaultWorkspace)["runs"]; left <= 30 {
			return
		}
	}
	t.Errorf("%d runs are left after many rounds", left)
}

func TestRetentionLooksAgainAtWhatItPassedOver(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	s := storetest.Open(t)
	history(t, s, now, 31, core.DefaultWorkspace)
	at := now.AddDate(0, 0, -100)
	parent, task, child := core.NewID(at), core.NewID(at), core.NewID(at)
	done := func() *core.State {
		return &core.State{ID: core.NewID(at), Type: core.Completed, Name: "Completed", Timestamp: at}
	}
	calling := &core.FlowRun{ID: parent, Created: at, Updated: at, FlowID: core.NewID(at), State: &core.State{ID: core.NewID(at), Type: core.Running, Name: "Running", Timestamp: at}}
	if err := s.Update(t.Context(), core.DefaultWorkspace, func(tx core.Tx) error {
		return errors.Join(
			tx.InsertFlowRun(calling),
			tx.InsertTaskRun(&core.TaskRun{ID: task, Created: at, Updated: at, FlowRunID: &parent, TaskKey: "k", DynamicKey: "0", State: done()}),
			tx.InsertFlowRun(&core.FlowRun{ID: child, Created: at, Updated: at, FlowID: calling.FlowID, ParentTaskRunID: &task, EndTime: &at, State: done()}),
		)
	}); err != nil {
		t.Fatal(err)
	}
	clock := now
	r := &service.Retention{Store: s, Now: func() time.Time { return clock }, Keep: keep}
	tick := func(want int) {
		t.Helper()
		if err := r.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := stored(t, s, core.DefaultWorkspace)["runs"]; n != want {
			t.Errorf("%d runs are left, want %d", n, want)
		}
	}
	tick(32) // the parent lives, and with it the child; one of the others is too old
	if err := s.Update(t.Context(), core.DefaultWorkspace, func(tx core.Tx) error {
		was, end := calling.Times(), now.AddDate(0, 0, -40)
		calling.State, calling.EndTime = done(), &end
		return tx.SetFlowRunState(calling, was)
	}); err != nil {
		t.Fatal(err)
	}
	clock = now.Add(2 * time.Hour)
	tick(30)
}

func TestRetentionGivesThePlaceBackToTheDisk(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	old := now.AddDate(0, 0, -100)
	file := filepath.Join(t.TempDir(), "leat.db")
	s, err := store.Open(t.Context(), store.Config{Database: file})
	if err != nil {
		t.Fatal(err)
	}
	lines := make([]*core.Log, 500)
	for i := range lines {
		lines[i] = &core.Log{Created: old, Timestamp: old, Message: fmt.Sprintf("%01000d", i)}
	}
	for range 20 {
		if err := s.Update(t.Context(), core.DefaultWorkspace, func(tx core.Tx) error { return tx.InsertLogs(lines) }); err != nil {
			t.Fatal(err)
		}
	}
	r := &service.Retention{Store: s, Now: func() time.Time { return now }, Keep: keep}
	if err := errors.Join(r.Tick(t.Context()), s.Close()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > 3<<20 {
		t.Errorf("of ten megabytes that are gone the file keeps %d", info.Size())
	}
}
