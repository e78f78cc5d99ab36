package storetest

import (
	stdcmp "cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
)

func flows(t *testing.T, open Opener) {
	s := open(t)
	a, b := newFlow(t, s, "alpha", "x", "y"), newFlow(t, s, "béta/%_")
	t.Run("are found by id and by name", func(t *testing.T) {
		got := must(t, s, func(tx core.Tx) (*core.Flow, error) { return tx.FlowByName("béta/%_") })
		if diff := cmp.Diff(b.ID, got.ID); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(a, must(t, s, func(tx core.Tx) (*core.Flow, error) { return tx.Flow(a.ID) })); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("are filtered by tags and name", func(t *testing.T) {
		for _, tt := range []struct {
			cond core.Cond
			want int
		}{
			{core.Cond{Field: "tags", Op: core.OpAll, Value: []string{"x", "y"}}, 1},
			{core.Cond{Field: "tags", Op: core.OpAll, Value: []string{"x", "z"}}, 0},
			{core.Cond{Field: "tags", Op: core.OpIsNull, Value: true}, 1},
			{core.Cond{Field: "name", Op: core.OpLike, Value: "ALPH"}, 1},
			{core.Cond{Field: "name", Op: core.OpAny, Value: []string{}}, 0},
			{core.Cond{Field: "id", Op: core.OpNotAny, Value: []core.ID{a.ID}}, 1},
			{core.Cond{Field: "deployment", Op: core.OpIsNull, Value: true}, 2},
		} {
			q := core.On(core.EntityFlow, tt.cond)
			if n := must(t, s, func(tx core.Tx) (int, error) { return tx.CountFlows(q) }); n != tt.want {
				t.Errorf("%s %s %v: %d flows, want %d", tt.cond.Field, tt.cond.Op, tt.cond.Value, n, tt.want)
			}
		}
	})
	t.Run("go with all that is theirs", func(t *testing.T) {
		r := newRun(t, s, b, nil)
		update(t, s, func(tx core.Tx) error { _, err := tx.DeleteFlow(b.ID); return err })
		err := s.View(t.Context(), ws, func(tx core.Tx) error { _, err := tx.FlowRun(r.ID); return err })
		if core.CodeOf(err) != core.NotFound {
			t.Errorf("the run is there: %v", err)
		}
	})
}

func flowRuns(t *testing.T, open Opener) {
	s := open(t)
	f := newFlow(t, s, "flow", "ft")
	t.Run("are sorted by their beginning within a span", func(t *testing.T) { sortedByStart(t, open(t)) })
	t.Run("are found by lists as long as any", func(t *testing.T) {
		r := newRun(t, s, f, nil)
		ids, tags := []core.ID{r.ID}, []string{"a-tag-of-nobody"}
		for i := range 70_000 {
			ids, tags = append(ids, core.NumberedID(noon(), int64(i))), append(tags, fmt.Sprint("tag-", i))
		}
		for name, tt := range map[string]struct {
			cond core.Cond
			want int
		}{
			"one of the ids":  {core.Cond{Field: "id", Op: core.OpAny, Value: ids}, 1},
			"one of the tags": {core.Cond{Field: "tags", Op: core.OpAny, Value: tags}, 0},
		} {
			n := must(t, s, func(tx core.Tx) (int, error) { return tx.CountFlowRuns(core.On(core.EntityFlowRun, tt.cond)) })
			if n != tt.want {
				t.Errorf("%s: %d runs, want %d", name, n, tt.want)
			}
		}
	})
	t.Run("come back as they were stored", func(t *testing.T) {
		text, key := "why", "key"
		retries := 3
		r := newRun(t, s, f, func(r *core.FlowRun) {
			r.Parameters, r.Context = json.RawMessage(`{"x": 1, "a": "é"}`), json.RawMessage(`{}`)
			r.Labels, r.JobVariables = json.RawMessage(`{"l": true}`), json.RawMessage(`{"v": 1}`)
			r.Tags, r.IdempotencyKey, r.FlowVersion = []string{"t1"}, &key, &text
			r.Policy = core.RunPolicy{Retries: &retries, RetryDelay: json.RawMessage("5"), PauseKeys: []string{"p"}}
			r.TotalRunTime = 1500 * time.Millisecond
			at := noon().Add(time.Hour)
			r.NextScheduledStartTime = &at
			r.State.Message, r.State.Data = &text, json.RawMessage(`{"type": "x"}`)
			r.State.Details.ScheduledTime = &at
		})
		got := must(t, s, func(tx core.Tx) (*core.FlowRun, error) { return tx.FlowRun(r.ID) })
		if diff := cmp.Diff(r, got); diff != "" {
			t.Errorf("-stored +read:\n%s", diff)
		}
		byKey := must(t, s, func(tx core.Tx) (*core.FlowRun, error) { return tx.FlowRunByIdempotencyKey(f.ID, key) })
		if byKey.ID != r.ID {
			t.Error("not found by its key")
		}
	})
	t.Run("keep the history of their states", func(t *testing.T) {
		r := newRun(t, s, f, nil)
		for i, kind := range []core.StateType{core.Running, core.Completed} {
			r.State = state(kind, noon().Add(time.Duration(i+1)*time.Second))
			update(t, s, func(tx core.Tx) error { return tx.SetFlowRunState(r, r.Times()) })
		}
		states := must(t, s, func(tx core.Tx) ([]*core.State, error) { return tx.FlowRunStates(r.ID) })
		var got []core.StateType
		for _, st := range states {
			got = append(got, st.Type)
		}
		if diff := cmp.Diff([]core.StateType{core.Pending, core.Running, core.Completed}, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("are listed in a stable order, page by page", func(t *testing.T) { flowRunPages(t, open) })
	t.Run("show signs of life", func(t *testing.T) { heartbeats(t, s, f) })
}

func flowRunPages(t *testing.T, open Opener) {
	s := open(t)
	f := newFlow(t, s, "paged")
	kinds := core.StateTypes()
	for i := range 27 {
		newRun(t, s, f, func(r *core.FlowRun) {
			at := noon().Add(time.Duration(i%5) * time.Minute) // many runs at the same time
			r.ExpectedStartTime, r.Name = &at, fmt.Sprintf("r%02d", i)
			r.State = state(kinds[i%len(kinds)], at)
		})
	}
	for _, sort := range []string{
		"", "ID_DESC", "START_TIME_ASC", "START_TIME_DESC", "EXPECTED_START_TIME_ASC", "EXPECTED_START_TIME_DESC", "NAME_ASC", "NAME_DESC",
		"NEXT_SCHEDULED_START_TIME_ASC", "END_TIME_DESC",
	} {
		seen := map[core.ID]bool{}
		for offset := 0; offset < 27; offset += 10 {
			page := must(t, s, func(tx core.Tx) ([]*core.FlowRun, error) {
				return tx.FilterFlowRuns(core.Query{Sort: sort, Limit: 10, Offset: offset})
			})
			for _, r := range page {
				seen[r.ID] = true
			}
		}
		if len(seen) != 27 {
			t.Errorf("sort %q: %d different runs on three pages, want 27", sort, len(seen))
		}
	}
	runsOfSeveralStates(t, s)
	or := core.Query{Limit: 200, Where: map[core.Entity]*core.Filter{
		core.EntityFlow: {Conds: []core.Cond{{Field: "name", Op: core.OpAny, Value: []string{"paged"}}}},
		core.EntityFlowRun: {Or: true, Conds: []core.Cond{{Field: "name", Op: core.OpAny, Value: []string{"r03"}}}, Groups: []core.Filter{
			{Conds: []core.Cond{{Field: "state.type", Op: core.OpAny, Value: []core.StateType{core.Completed}}}},
		}},
	}}
	if n := must(t, s, func(tx core.Tx) (int, error) { return tx.CountFlowRuns(or) }); n != 3 {
		t.Errorf("completed runs or r03: %d, want 3", n)
	}
}

// runsOfSeveralStates reads the newest and the oldest runs of some states in
// pages, and wants what a look at all runs gives.
func runsOfSeveralStates(t *testing.T, s core.Store) {
	wanted := []core.StateType{core.Completed, core.Running, core.Failed}
	named := core.Cond{Field: "name", Op: core.OpNotAny, Value: []string{"r00", "r01"}}
	for _, sort := range []string{"EXPECTED_START_TIME_ASC", "EXPECTED_START_TIME_DESC"} {
		all := must(t, s, func(tx core.Tx) ([]*core.FlowRun, error) {
			return tx.FilterFlowRuns(core.Query{Sort: sort, Limit: 200})
		})
		var want, got []string
		for _, r := range all {
			if slices.Contains(wanted, r.State.Type) && r.Name != "r00" && r.Name != "r01" {
				want = append(want, r.Name)
			}
		}
		for offset := 0; offset < 27; offset += 4 {
			q := core.Query{Sort: sort, Limit: 4, Offset: offset, Where: map[core.Entity]*core.Filter{
				core.EntityFlowRun: {Conds: []core.Cond{named}, Groups: []core.Filter{
					{Conds: []core.Cond{{Field: "state.type", Op: core.OpAny, Value: append(wanted, core.Failed)}}},
				}},
			}}
			for _, r := range must(t, s, func(tx core.Tx) ([]*core.FlowRun, error) { return tx.FilterFlowRuns(q) }) {
				got = append(got, r.Name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
			t.Errorf("%s: runs of several states (-want +got):\n%s", sort, diff)
		}
	}
}

func heartbeats(t *testing.T, s core.Store, f *core.Flow) {
	r := newRun(t, s, f, func(r *core.FlowRun) { r.State = state(core.Running, noon()) })
	for _, after := range []time.Duration{10, 40, 60} {
		update(t, s, func(tx core.Tx) error {
			return tx.TouchFlowRuns([]core.Heartbeat{{FlowRunID: r.ID, At: noon().Add(after * time.Second), Beat: true}})
		})
	}
	got := must(t, s, func(tx core.Tx) (core.StaleRun, error) { return tx.StaleFlowRun(r.ID) })
	if got.Rhythm != 30*time.Second || got.LastBeat == nil || !got.LastBeat.Equal(noon().Add(time.Minute)) {
		t.Errorf("rhythm %s, last beat %v", got.Rhythm, got.LastBeat)
	}
	silent := func(since time.Time) int {
		list := must(t, s, func(tx core.Tx) ([]core.StaleRun, error) { return tx.StaleFlowRuns(core.Running, since, 10) })
		return len(list)
	}
	if silent(noon().Add(30*time.Second)) != 0 || silent(noon().Add(2*time.Minute)) != 1 {
		t.Error("the silent runs are not those that were not heard of")
	}
}

func taskRuns(t *testing.T, open Opener) {
	s := open(t)
	flow := newFlow(t, s, "flow")
	run := newRun(t, s, flow, nil)
	record := func(id core.ID, kinds ...core.StateType) []*core.TaskRun {
		var out []*core.TaskRun
		for i, kind := range kinds {
			at := noon().Add(time.Duration(i) * time.Second)
			out = append(out, &core.TaskRun{
				ID: id, Created: noon(), Updated: noon(), Name: "t", FlowRunID: &run.ID, TaskKey: "k", DynamicKey: id.String(),
				RunCount: i, ExpectedStartTime: &at, State: state(kind, at),
			})
		}
		return out
	}
	all := []core.StateType{core.Pending, core.Running, core.Completed}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {0, 2, 1}} {
		for _, together := range []bool{true, false} {
			t.Run(fmt.Sprintf("show their latest state when it comes in the order %v, together %v", order, together), func(t *testing.T) {
				id := core.NewID(noon())
				states := record(id, all...)
				var sent []*core.TaskRun
				for _, i := range order {
					sent = append(sent, states[i])
				}
				if together {
					update(t, s, func(tx core.Tx) error { return tx.RecordTaskRuns(sent) })
				} else {
					for _, one := range sent {
						update(t, s, func(tx core.Tx) error { return tx.RecordTaskRuns([]*core.TaskRun{one}) })
					}
				}
				update(t, s, func(tx core.Tx) error { return tx.RecordTaskRuns(sent[:1]) }) // once more
				got := must(t, s, func(tx core.Tx) (*core.TaskRun, error) { return tx.TaskRun(id) })
				if got.State.Type != core.Completed || got.RunCount != 2 {
					t.Errorf("shows %s after run %d, want COMPLETED after 2", got.State.Type, got.RunCount)
				}
				history := must(t, s, func(tx core.Tx) ([]*core.State, error) { return tx.TaskRunStates(id) })
				var kinds []core.StateType
				for _, st := range history {
					kinds = append(kinds, st.Type)
				}
				if diff := cmp.Diff(all, kinds); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
	t.Run("are claimed by one worker at a time", func(t *testing.T) { claims(t, s) })
}

func claims(t *testing.T, s core.Store) {
	at := noon()
	yes := true
	r := &core.TaskRun{ID: core.NewID(at), Created: at, Updated: at, Name: "bg", TaskKey: "bg", DynamicKey: "d", State: state(core.Scheduled, at)}
	r.State.Details.Deferred, r.NextScheduledStartTime = &yes, &at
	update(t, s, func(tx core.Tx) error { return tx.InsertTaskRun(r) })
	claim := func(now time.Time) error {
		return s.Update(t.Context(), ws, func(tx core.Tx) error {
			_, err := tx.ClaimTaskRun([]string{"other", "bg"}, now, now.Add(30*time.Second))
			return err
		})
	}
	if err := claim(at.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := claim(at.Add(2 * time.Second)); core.CodeOf(err) != core.NotFound {
		t.Errorf("claimed twice: %v", err)
	}
	if err := claim(at.Add(time.Minute)); err != nil {
		t.Errorf("not offered again: %v", err)
	}
}

// sortedByStart compares lists of runs that were expected in a span, sorted by
// when they began, with the same made here: on time, early, late and never.
func sortedByStart(t *testing.T, s core.Store) {
	f := newFlow(t, s, "flow")
	r := rand.New(rand.NewPCG(1, 2))
	var all []*core.FlowRun
	for range 200 {
		all = append(all, newRun(t, s, f, func(run *core.FlowRun) {
			expected := noon().Add(time.Duration(r.IntN(72*60)) * time.Minute)
			run.ExpectedStartTime = &expected
			start := expected.Add(time.Duration([]int{0, 1, 59, 60, 61, 3000, -1, -2000}[r.IntN(8)]) * time.Minute)
			if r.IntN(5) > 0 {
				run.StartTime = &start
			}
		}))
	}
	began := func(run *core.FlowRun) time.Time {
		if run.StartTime != nil {
			return *run.StartTime
		}
		return *run.ExpectedStartTime
	}
	for range 40 {
		from, to := noon().Add(time.Duration(r.IntN(72))*time.Hour), noon().Add(time.Duration(r.IntN(72))*time.Hour)
		var conds []core.Cond
		kind := r.IntN(3)
		if kind != 1 {
			conds = append(conds, core.Cond{Field: "expected_start_time", Op: core.OpAfter, Value: from})
		}
		if kind != 0 {
			conds = append(conds, core.Cond{Field: "expected_start_time", Op: core.OpBefore, Value: to})
		}
		var want []core.ID
		chosen := slices.DeleteFunc(slices.Clone(all), func(run *core.FlowRun) bool {
			return kind != 1 && run.ExpectedStartTime.Before(from) || kind != 0 && run.ExpectedStartTime.After(to)
		})
		slices.SortFunc(chosen, func(a, b *core.FlowRun) int {
			return stdcmp.Or(began(b).Compare(began(a)), strings.Compare(b.ID.String(), a.ID.String()))
		})
		for _, run := range chosen[min(3, len(chosen)):min(13, len(chosen))] {
			want = append(want, run.ID)
		}
		q := core.On(core.EntityFlowRun, conds...)
		q.Sort, q.Limit, q.Offset = "START_TIME_DESC", 10, 3
		var got []core.ID
		for _, run := range must(t, s, func(tx core.Tx) ([]*core.FlowRun, error) { return tx.FilterFlowRuns(q) }) {
			got = append(got, run.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("from %s to %s, kind %d (-want +got)\n%s", from, to, kind, diff)
		}
	}
}
