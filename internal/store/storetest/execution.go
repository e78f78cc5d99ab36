package storetest

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
)

func newExecution(n int, at time.Time) *core.Execution {
	return &core.Execution{
		RunID: core.NewID(at), ARN: "arn:x:execution:m:" + strconv.Itoa(n), Name: strconv.Itoa(n), MachineID: core.NewID(noon()), MachineARN: "arn:x:m",
		RevisionID: core.NewID(noon()), Status: "RUNNING", Started: at, Input: `{"a":[1.0]}`, Seed: -7,
	}
}

// executions is the suite of executions: steps, histories, actions, lists.
func executions(t *testing.T, open Opener) {
	s := open(t)
	x := newExecution(1, noon())
	version, cause := "arn:x:m:1", "why\x00\xff"
	x.VersionARN = &version
	due := noon().Add(time.Minute)
	update(t, s, func(tx core.Tx) error {
		if err := tx.InsertExecution(x); err != nil {
			return err
		}
		return tx.WriteExecutionStep(&core.ExecutionChange{
			Execution: x, Events: `[{"id":1},{"id":2}]`, First: 1, Last: 2, Pieces: map[string][]byte{"root": []byte("{}"), "f1": []byte(`{"a":1}`)},
			Insert: []*core.ExecutionAction{{RunID: x.RunID, Key: 1, Kind: core.ActionTimer, Due: &due, Created: noon()}},
		})
	})
	if diff := cmp.Diff(x, must(t, s, func(tx core.Tx) (*core.Execution, error) { return tx.ExecutionByARN(x.ARN) })); diff != "" {
		t.Errorf("execution (-want +got)\n%s", diff)
	}
	t.Run("a step of the version that was seen is written", func(t *testing.T) {
		next := *x
		next.Status, next.Cause, next.Events = "FAILED", &cause, 3
		change := &core.ExecutionChange{
			Execution: &next, Events: `[{"id":3}]`, First: 3, Last: 3, Pieces: map[string][]byte{"f1": nil, "f2": []byte("[]")}, Delete: []int64{1},
		}
		step := func() (written bool) {
			update(t, s, func(tx core.Tx) (err error) {
				written, err = tx.ChangeExecution(change)
				return err
			})
			return written
		}
		if !step() || step() {
			t.Error("a step is written once, and not on another version")
		}
		got := must(t, s, func(tx core.Tx) (*core.Execution, error) { return tx.Execution(x.RunID) })
		if got.Status != "FAILED" || got.Version != 1 || *got.Cause != "why\uFFFD\uFFFD" {
			t.Errorf("after the step: %+v", got)
		}
		pieces := must(t, s, func(tx core.Tx) (map[string][]byte, error) { return tx.ExecutionPieces(x.RunID) })
		if diff := cmp.Diff(map[string][]byte{"root": []byte("{}"), "f2": []byte("[]")}, pieces); diff != "" {
			t.Errorf("pieces (-want +got)\n%s", diff)
		}
	})
	t.Run("a part of a history is found by its numbers", func(t *testing.T) {
		for _, tt := range []struct {
			first, last int64
			want        int
		}{{1, 9, 2}, {2, 2, 1}, {3, 3, 1}, {4, 9, 0}} {
			got := must(t, s, func(tx core.Tx) ([]core.HistoryChunk, error) { return tx.ExecutionHistory(x.RunID, tt.first, tt.last) })
			if len(got) != tt.want {
				t.Errorf("events %d to %d lie in %d parts, want %d: %v", tt.first, tt.last, len(got), tt.want, got)
			}
		}
	})
	t.Run("executions are listed from the newest on", func(t *testing.T) { listsExecutions(t, s, x) })
	t.Run("actions", func(t *testing.T) { actions(t, s) })
	t.Run("map runs", func(t *testing.T) { mapRuns(t, s, x) })
}

func listsExecutions(t *testing.T, s core.Store, first *core.Execution) {
	second := newExecution(2, noon().Add(time.Second))
	second.MachineID, second.Redrives = first.MachineID, 1
	update(t, s, func(tx core.Tx) error { return tx.InsertExecution(second) })
	no := false
	for _, tt := range []struct {
		what string
		q    core.ExecutionQuery
		want []string
	}{
		{"of the machine", core.ExecutionQuery{MachineID: &first.MachineID}, []string{"2", "1"}},
		{"of a version", core.ExecutionQuery{VersionARN: first.VersionARN}, []string{"1"}},
		{"of a status", core.ExecutionQuery{MachineID: &first.MachineID, Status: "FAILED"}, []string{"1"}},
		{"not redriven", core.ExecutionQuery{MachineID: &first.MachineID, Redriven: &no}, []string{"1"}},
		{
			"after a place",
			core.ExecutionQuery{MachineID: &first.MachineID, Before: &core.ExecutionPosition{Started: second.Started, RunID: second.RunID}},
			[]string{"1"},
		},
	} {
		tt.q.Limit = 10
		var got []string
		for _, x := range must(t, s, func(tx core.Tx) ([]*core.Execution, error) { return tx.ListExecutions(tt.q) }) {
			got = append(got, x.Name)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.what, diff)
		}
	}
	running := must(t, s, func(tx core.Tx) (bool, error) { return tx.RunningExecutions(first.MachineID) })
	if !running {
		t.Error("a running execution of the machine was not found")
	}
}

// actions: what is due is claimed once, what is stopped keeps its job.
func actions(t *testing.T, s core.Store) {
	ctx := context.WithoutCancel(t.Context())
	x := newExecution(3, noon())
	soon, later := noon().Add(time.Second), noon().Add(time.Hour)
	job := json.RawMessage(`{"job":1}`)
	update(t, s, func(tx core.Tx) error {
		if err := tx.InsertExecution(x); err != nil {
			return err
		}
		return tx.WriteExecutionStep(&core.ExecutionChange{Execution: x, Insert: []*core.ExecutionAction{
			{RunID: x.RunID, Key: 1, Kind: core.ActionTimer, Due: &soon, Created: noon()},
			{RunID: x.RunID, Key: 2, Kind: core.ActionTask, Due: &later, Watch: job, Spec: json.RawMessage(`{"state":"A"}`), Created: noon()},
			{RunID: x.RunID, Key: 3, Kind: core.ActionActivity, Resource: "arn:x:activity:a", Created: noon()},
			{RunID: x.RunID, Key: 4, Kind: core.ActionTask, Created: noon()},
		}})
	})
	claim := func(owner string, now time.Time) (keys []int64, next *time.Time) {
		claimed, next, err := s.ClaimActions(ctx, owner, now, now.Add(30*time.Second), 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range claimed {
			if a.Workspace != ws {
				t.Errorf("action %d is of workspace %d", a.Key, a.Workspace)
			}
			if a.RunID == x.RunID {
				keys = append(keys, a.Key)
			}
		}
		return keys, next
	}
	if keys, next := claim("a", noon()); len(keys) != 0 || next == nil || next.After(soon) {
		t.Errorf("before its time %v is claimed, the next is due at %v", keys, next)
	}
	if keys, _ := claim("a", soon); !cmp.Equal(keys, []int64{1}) {
		t.Errorf("claimed %v", keys)
	}
	if keys, _ := claim("b", soon.Add(time.Second)); len(keys) != 0 {
		t.Errorf("claimed %v of another", keys)
	}
	if err := s.KeepActions(ctx, "a", soon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if keys, _ := claim("b", soon.Add(59*time.Second)); len(keys) != 0 {
		t.Errorf("claimed %v whose hold was renewed", keys)
	}
	if keys, _ := claim("b", soon.Add(time.Minute)); !cmp.Equal(keys, []int64{1}) {
		t.Errorf("claimed %v when the hold was over", keys)
	}
	update(t, s, func(tx core.Tx) error {
		a, err := tx.ActivityTask("arn:x:activity:a")
		if err != nil {
			return err
		}
		a.Resource = ""
		return tx.UpdateExecutionAction(a)
	})
	missing(t, s, func(tx core.Tx) error {
		_, err := tx.ActivityTask("arn:x:activity:a")
		return err
	})
	update(t, s, func(tx core.Tx) error {
		return tx.WriteExecutionStep(&core.ExecutionChange{Execution: x, Stop: []int64{2, 4}, Due: soon, Clean: true})
	})
	left := must(t, s, func(tx core.Tx) (*core.ExecutionAction, error) { return tx.ExecutionAction(x.RunID, 2) })
	if left.Kind != core.ActionStop || left.Due == nil || !left.Due.Equal(soon) || string(left.Watch) != string(job) {
		t.Errorf("a job to stop is left as %+v", left)
	}
	for _, key := range []int64{1, 3, 4} {
		missing(t, s, func(tx core.Tx) error {
			_, err := tx.ExecutionAction(x.RunID, key)
			return err
		})
	}
}

func mapRuns(t *testing.T, s core.Store, x *core.Execution) {
	m := &core.MapRun{
		ID: core.NewID(noon()), RunID: x.RunID, Key: 9, ARN: "arn:x:mapRun:m/l:1", MachineARN: "arn:x:m/l", Label: "l", State: "Map", Status: "RUNNING",
		Spec: json.RawMessage(`{"type":"EXPRESS"}`), Started: noon(),
	}
	m.Concurrency, m.Percentage = 3, 1.5
	update(t, s, func(tx core.Tx) error {
		if err := tx.InsertMapRun(m); err != nil {
			return err
		}
		if err := tx.InsertMapRunItems(m.ID, 0, []core.MapRunItem{{Input: "1", Items: 1}, {Input: "2", Items: 2}}); err != nil {
			return err
		}
		return tx.InsertMapRunItems(m.ID, 1, []core.MapRunItem{{Input: "other", Items: 5}})
	})
	if item := must(t, s, func(tx core.Tx) (core.MapRunItem, error) { return tx.MapRunItem(m.ID, 1) }); item != (core.MapRunItem{Input: "2", Items: 2}) {
		t.Errorf("an item that was stored before is %+v", item)
	}
	m.Status, m.Total, m.Items.Failed = "FAILED", 2, 1
	stopped := noon().Add(time.Minute)
	m.Stopped = &stopped
	update(t, s, func(tx core.Tx) error { return tx.UpdateMapRun(m) })
	for _, find := range []func(core.Tx) (*core.MapRun, error){
		func(tx core.Tx) (*core.MapRun, error) { return tx.MapRun(m.ID) },
		func(tx core.Tx) (*core.MapRun, error) { return tx.MapRunByARN(m.ARN) },
		func(tx core.Tx) (*core.MapRun, error) { return tx.MapRunOf(x.RunID, 9) },
	} {
		if diff := cmp.Diff(m, must(t, s, find)); diff != "" {
			t.Errorf("map run (-want +got)\n%s", diff)
		}
	}
	if m.ExecutionType() != "EXPRESS" {
		t.Errorf("its executions are %s", m.ExecutionType())
	}
	child := newExecution(4, noon())
	child.MapRunID, child.Item = &m.ID, 1
	update(t, s, func(tx core.Tx) error { return tx.InsertExecution(child) })
	if got := must(t, s, func(tx core.Tx) ([]*core.Execution, error) { return tx.MapRunResults(m.ID) }); len(got) != 1 || got[0].Item != 1 {
		t.Errorf("results: %v", got)
	}
	list := must(t, s, func(tx core.Tx) ([]*core.MapRun, error) { return tx.ListMapRuns(x.RunID, nil, 5) })
	after := must(t, s, func(tx core.Tx) ([]*core.MapRun, error) {
		return tx.ListMapRuns(x.RunID, &core.ExecutionPosition{Started: m.Started, RunID: m.ID}, 5)
	})
	if len(list) != 1 || len(after) != 0 {
		t.Errorf("%d map runs, %d after the last", len(list), len(after))
	}
	mapRunRedrives(t, s, m)
}

// mapRunRedrives redrives executions that failed: one that can be, one whose
// history is full, one that stopped long ago, an express one and one that succeeded.
func mapRunRedrives(t *testing.T, s core.Store, m *core.MapRun) {
	stopped := noon().Add(time.Minute)
	update(t, s, func(tx core.Tx) error {
		for n, status := range []string{"FAILED", "FAILED", "FAILED", "TIMED_OUT", "SUCCEEDED"} {
			x := newExecution(10+n, noon())
			x.MapRunID, x.Item, x.Status, x.Stopped, x.Express, x.Events = &m.ID, n%2, status, &stopped, n == 3, 10
			switch n {
			case 1, 3:
				x.Events = 100
			case 2:
				long := noon().Add(-time.Hour)
				x.Stopped = &long
			}
			if err := tx.InsertExecution(x); err != nil {
				return err
			}
		}
		return nil
	})
	var counts []core.PendedRedrives
	update(t, s, func(tx core.Tx) (err error) {
		counts, err = tx.PendRedrives(m.ID, 100, noon())
		return err
	})
	slices.SortFunc(counts, func(a, b core.PendedRedrives) int { return strings.Compare(a.Status, b.Status) })
	if diff := cmp.Diff([]core.PendedRedrives{{Status: "FAILED", Executions: 1, Items: 1}, {Status: "TIMED_OUT", Executions: 1, Items: 2}}, counts); diff != "" {
		t.Errorf("executions to redrive (-want +got)\n%s", diff)
	}
	pending := func() []*core.Execution {
		return must(t, s, func(tx core.Tx) ([]*core.Execution, error) {
			return tx.ListExecutions(core.ExecutionQuery{MapRunID: &m.ID, Status: core.PendingRedrive, Limit: 10})
		})
	}
	list := pending()
	if len(list) != 2 {
		t.Fatalf("%d executions are to be redriven", len(list))
	}
	before := len(must(t, s, func(tx core.Tx) ([]*core.Execution, error) { return tx.MapRunResults(m.ID) }))
	update(t, s, func(tx core.Tx) error { return tx.ReplaceMapRunExecution(list[0].RunID, "FAILED", -1-list[0].Item) })
	after := must(t, s, func(tx core.Tx) ([]*core.Execution, error) { return tx.MapRunResults(m.ID) })
	if len(after) != before-1 || len(pending()) != 1 {
		t.Errorf("%d results, want %d", len(after), before-1)
	}
}

// missing wants a NotFound error of a read.
func missing(t *testing.T, s core.Store, fn func(core.Tx) error) {
	t.Helper()
	if err := s.View(context.WithoutCancel(t.Context()), ws, fn); core.CodeOf(err) != core.NotFound {
		t.Errorf("error %v, want NotFound", err)
	}
}
