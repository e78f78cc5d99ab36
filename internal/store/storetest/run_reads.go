package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
)

// runReads checks what dashboards ask of many runs.
func runReads(t *testing.T, open Opener) {
	t.Run("a flow's next run is its scheduled run that is due first", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		f, idle := newFlow(t, s, "f"), newFlow(t, s, "idle")
		scheduled := func(after time.Duration, kind core.StateType) *core.FlowRun {
			return newRun(t, s, f, func(r *core.FlowRun) {
				due := noon().Add(after)
				r.State, r.NextScheduledStartTime = state(kind, noon()), &due
			})
		}
		scheduled(2*time.Hour, core.Scheduled)
		next := scheduled(time.Hour, core.Scheduled)
		scheduled(time.Minute, core.Completed)
		got := must(t, s, func(tx core.Tx) ([]core.NextFlowRun, error) { return tx.NextFlowRuns([]core.ID{f.ID, idle.ID}) })
		want := []core.NextFlowRun{{
			ID: next.ID, FlowID: f.ID, Name: "run", StateName: "Scheduled", StateType: core.Scheduled, Due: noon().Add(time.Hour),
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("task runs are counted by flow run, state and start", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		f := newFlow(t, s, "f")
		r := newRun(t, s, f, nil)
		task := func(name string, kind core.StateType, start time.Duration) *core.TaskRun {
			at := noon().Add(start)
			k := &core.TaskRun{
				ID: core.NewID(at), Created: at, Updated: at, Name: name, FlowRunID: &r.ID, TaskKey: name, DynamicKey: name,
				ExpectedStartTime: &at, StartTime: &at, State: state(kind, at),
			}
			update(t, s, func(tx core.Tx) error { return tx.InsertTaskRun(k) })
			return k
		}
		task("a", core.Completed, 0)
		task("b", core.Failed, time.Minute)
		task("c", core.Crashed, 90*time.Second)
		task("d", core.Running, time.Minute)
		sub := task("sub", core.Completed, 2*time.Minute)
		child := newRun(t, s, f, func(r *core.FlowRun) { r.ParentTaskRunID, r.Name = &sub.ID, "child" })

		counts := must(t, s, func(tx core.Tx) (map[core.ID]int, error) { return tx.CountTasksOfRuns([]core.ID{r.ID, child.ID}) })
		if diff := cmp.Diff(map[core.ID]int{r.ID: 4}, counts); diff != "" {
			t.Error(diff)
		}
		states := must(t, s, func(tx core.Tx) (map[core.StateType]int, error) { return tx.CountTaskRunsByState(core.Query{}) })
		if diff := cmp.Diff(map[core.StateType]int{core.Completed: 2, core.Failed: 1, core.Crashed: 1, core.Running: 1}, states); diff != "" {
			t.Error(diff)
		}
		ended := must(t, s, func(tx core.Tx) ([]core.EndedCount, error) {
			return tx.CountEndedTaskRuns(core.Query{}, core.Buckets{Start: noon(), Width: time.Minute, Count: 3})
		})
		if diff := cmp.Diff([]core.EndedCount{{Completed: 1}, {Bucket: 1, Failed: 2}, {Bucket: 2, Completed: 1}}, ended); diff != "" {
			t.Error(diff)
		}
		history := must(t, s, func(tx core.Tx) ([]core.RunCount, error) {
			return tx.TaskRunHistory(core.Query{}, core.Buckets{Start: noon(), Width: 2 * time.Minute, Count: 1}, noon().Add(time.Hour))
		})
		if len(history) != 4 || history[3].StateType != core.Running || history[3].RunTime != 59*time.Minute {
			t.Errorf("history %+v", history)
		}

		nodes := must(t, s, func(tx core.Tx) ([]core.GraphNode, error) { return tx.GraphNodes(r.ID) })
		labels := map[string]bool{}
		for _, n := range nodes {
			labels[n.Label] = n.Subflow
		}
		if diff := cmp.Diff(map[string]bool{"a": false, "b": false, "c": false, "d": false, "f / child": true}, labels); diff != "" {
			t.Error(diff)
		}
		for limit, want := range map[int]int{2: 2, 100: 5} {
			if n := must(t, s, func(tx core.Tx) (int, error) { return tx.CountGraphNodes(r.ID, time.Time{}, limit) }); n != want {
				t.Errorf("%d nodes with limit %d, want %d", n, limit, want)
			}
		}
	})
	t.Run("artifacts of a graph are no results, and the newest of a key is known", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		r := newRun(t, s, newFlow(t, s, "f"), nil)
		key, kind, result := "k", "markdown", "result"
		var ids []core.ID
		for i := range 3 {
			at := noon().Add(time.Duration(i) * time.Second)
			a := &core.Artifact{ID: core.NewID(at), Created: at, Updated: at, Key: &key, Type: &kind, FlowRunID: &r.ID}
			if i == 2 {
				a.Key, a.Type = nil, &result
			} else {
				ids = append(ids, a.ID)
			}
			update(t, s, func(tx core.Tx) error { return tx.InsertArtifact(a) })
		}
		update(t, s, func(tx core.Tx) error {
			return tx.PutArtifactCollection(&core.ArtifactCollection{ID: core.NewID(noon()), Created: noon(), Updated: noon(), Key: key, LatestID: ids[1]})
		})
		got := must(t, s, func(tx core.Tx) ([]core.GraphArtifact, error) { return tx.GraphArtifacts(r.ID, 10) })
		if len(got) != 2 || got[0].ID != ids[0] || got[0].Latest || got[1].ID != ids[1] || !got[1].Latest {
			t.Errorf("artifacts %+v", got)
		}
	})
	t.Run("runs are drawn that have a state and a time", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		f := newFlow(t, s, "f")
		drawn := newRun(t, s, f, func(r *core.FlowRun) { r.State = state(core.Running, noon()) })
		newRun(t, s, f, func(r *core.FlowRun) { r.State = nil })
		newRun(t, s, f, func(r *core.FlowRun) { r.ExpectedStartTime = nil })
		got := must(t, s, func(tx core.Tx) ([]core.BriefFlowRun, error) {
			return tx.BriefFlowRuns(core.Query{Limit: 10}, noon().Add(time.Minute))
		})
		want := []core.BriefFlowRun{{ID: drawn.ID, StateType: core.Running, At: noon(), RunTime: time.Minute, Lateness: time.Minute}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("events are counted by time, before the pivot too", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		parts := core.EventParts{Width: time.Hour}
		for _, at := range []time.Time{parts.At(-2).Add(time.Second), parts.At(-1), parts.At(0), parts.At(0).Add(59 * time.Minute)} {
			e := &core.Event{ID: core.NewID(noon()), Occurred: at, Received: at, Event: "e", Resource: core.Labels{{Key: core.ResourceID, Value: "r"}}}
			update(t, s, func(tx core.Tx) error { return tx.InsertEvents([]*core.Event{e}) })
		}
		counts := must(t, s, func(tx core.Tx) ([]core.EventCount, error) {
			return tx.CountEvents(core.EventRange{Since: parts.At(-10), Until: parts.At(10)}, core.CountByTime, parts)
		})
		got := map[int64]int{}
		for _, c := range counts {
			got[c.Part] = c.Count
			if parts.Of(c.Oldest) != c.Part {
				t.Errorf("part %d begins with %v", c.Part, c.Oldest)
			}
		}
		if diff := cmp.Diff(map[int64]int{-2: 1, -1: 1, 0: 2}, got); diff != "" {
			t.Error(diff)
		}
	})
}
