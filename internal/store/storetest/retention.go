package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
)

// ended makes a run that ended at the time.
func ended(at time.Time) func(*core.FlowRun) {
	return func(r *core.FlowRun) {
		r.State, r.EndTime = state(core.Completed, at), &at
	}
}

func retention(t *testing.T, open Opener) {
	t.Run("finished runs go with all that belongs to them", func(t *testing.T) {
		t.Parallel()
		retainedRuns(t, open(t))
	})
	t.Run("a run stays while the run that called it is stored", func(t *testing.T) {
		t.Parallel()
		retainedChildren(t, open(t))
	})
	t.Run("an execution stays while its map run is stored", func(t *testing.T) {
		t.Parallel()
		retainedExecutions(t, open(t))
	})
	t.Run("a run that began again stays", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		r := newRun(t, s, newFlow(t, s, "f"), ended(noon()))
		update(t, s, func(tx core.Tx) error {
			was := r.Times()
			r.State, r.EndTime = state(core.Running, noon().Add(time.Hour)), nil
			return tx.SetFlowRunState(r, was)
		})
		update(t, s, func(tx core.Tx) error {
			n, err := tx.ForgetFlowRuns([]core.ID{r.ID, core.NewID(noon())}, noon().Add(time.Minute))
			if n != 0 {
				t.Errorf("%d runs went", n)
			}
			return err
		})
	})
	t.Run("task runs without a flow run, and with one that is gone", func(t *testing.T) {
		t.Parallel()
		retainedTasks(t, open(t))
	})
	t.Run("logs", func(t *testing.T) {
		t.Parallel()
		retainedLogs(t, open(t))
	})
	t.Run("events", func(t *testing.T) {
		t.Parallel()
		retainedEvents(t, open(t))
	})
	t.Run("artifacts", func(t *testing.T) {
		t.Parallel()
		retainedArtifacts(t, open(t))
	})
	t.Run("workers and cached results", func(t *testing.T) {
		t.Parallel()
		retainedRest(t, open(t))
	})
}

// clearRemains clears in steps of the limit until nothing is left.
func clearRemains(t *testing.T, s core.Store, limit int) (steps int) {
	t.Helper()
	for more := true; more; steps++ {
		update(t, s, func(tx core.Tx) error {
			n, left, err := tx.ClearRemains(limit)
			if n > limit+10 {
				t.Errorf("%d rows in one step of %d", n, limit)
			}
			more = left
			return err
		})
	}
	return steps
}

func forget(t *testing.T, s core.Store, before time.Time, want int, ids ...core.ID) {
	t.Helper()
	update(t, s, func(tx core.Tx) error {
		n, err := tx.ForgetFlowRuns(ids, before)
		if n != want {
			t.Errorf("%d runs went, want %d", n, want)
		}
		return err
	})
}

func retainedRuns(t *testing.T, s core.Store) {
	f := newFlow(t, s, "f")
	at := noon()
	old, young, alive := newRun(t, s, f, ended(at)), newRun(t, s, f, ended(at.Add(time.Hour))), newRun(t, s, f, nil)
	tasks := withTasks(t, s, at, old, young)
	newest := must(t, s, func(tx core.Tx) (*core.Artifact, error) { return tx.NewestArtifact("page") })
	oldOnes := must(t, s, func(tx core.Tx) ([]*core.Artifact, error) {
		return tx.FilterArtifacts(core.Query{Limit: 200})
	})
	latest := newest.ID
	for _, a := range oldOnes {
		if *a.FlowRunID == old.ID {
			latest = a.ID
		}
	}
	update(t, s, func(tx core.Tx) error {
		return tx.PutArtifactCollection(&core.ArtifactCollection{ID: core.NewID(at), Created: at, Updated: at, Key: "page", LatestID: latest})
	})

	before := at.Add(time.Minute)
	found := must(t, s, func(tx core.Tx) ([]core.RunMark, error) { return tx.ExpiredFlowRuns(before, core.RunMark{}, 10) })
	if diff := cmp.Diff([]core.RunMark{{At: at, ID: old.ID}}, found); diff != "" {
		t.Errorf("-want +expired:\n%s", diff)
	}
	if again := must(t, s, func(tx core.Tx) ([]core.RunMark, error) { return tx.ExpiredFlowRuns(before, found[0], 10) }); len(again) != 0 {
		t.Errorf("after the last there is %v", again)
	}
	forget(t, s, before, 1, old.ID, young.ID, alive.ID)
	if steps := clearRemains(t, s, 40); steps < 4 {
		t.Errorf("everything was cleared in %d steps", steps)
	}
	onlyOldIsGone(t, s, tasks, old, young, alive)
	forget(t, s, at.Add(2*time.Hour), 1, young.ID)
	clearRemains(t, s, 500)
	view(t, s, func(tx core.Tx) error {
		if _, err := tx.ArtifactCollection("page"); core.CodeOf(err) != core.NotFound {
			t.Errorf("the page of no artifacts: %v", err)
		}
		return nil
	})
}

// withTasks gives each run 45 task runs with states, lines, cached results and
// pages, and an input.
func withTasks(t *testing.T, s core.Store, at time.Time, runs ...*core.FlowRun) []*core.TaskRun {
	t.Helper()
	tasks := []*core.TaskRun{}
	update(t, s, func(tx core.Tx) error {
		for _, r := range runs {
			for range 45 {
				k := &core.TaskRun{ID: core.NewID(at), Created: at, Updated: at, FlowRunID: &r.ID, TaskKey: "k", DynamicKey: "d", ExpectedStartTime: &at, State: state(core.Running, at)}
				tasks = append(tasks, k)
				key := "page"
				for _, err := range []error{
					tx.InsertTaskRun(k),
					tx.CacheTaskState(k.ID.String(), k.State),
					tx.InsertLogs([]*core.Log{{Created: at, Timestamp: at, FlowRunID: &r.ID, TaskRunID: &k.ID}, {Created: at, Timestamp: at, TaskRunID: &k.ID}}),
					tx.InsertArtifact(&core.Artifact{ID: core.NewID(at), Created: at, Updated: at, Key: &key, FlowRunID: &r.ID, TaskRunID: &k.ID}),
				} {
					if err != nil {
						return err
					}
				}
			}
			if err := tx.InsertFlowRunInput(&core.FlowRunInput{ID: core.NewID(at), Created: at, Updated: at, FlowRunID: r.ID, Key: "k", Value: "1"}); err != nil {
				return err
			}
		}
		return nil
	})
	return tasks
}

// onlyOldIsGone checks that nothing is left of the first of the runs, and
// everything of the others.
func onlyOldIsGone(t *testing.T, s core.Store, tasks []*core.TaskRun, old, young, alive *core.FlowRun) {
	t.Helper()
	view(t, s, func(tx core.Tx) error {
		for i, k := range tasks {
			_, err := tx.TaskRun(k.ID)
			_, cached := tx.CachedTaskState(k.ID.String(), noon())
			states, _ := tx.TaskRunStates(k.ID)
			if gone := i < 45; gone != (err != nil) || gone != (cached != nil) || gone != (len(states) == 0) {
				t.Errorf("task run %d: %v %v %d states", i, err, cached, len(states))
			}
		}
		for _, r := range []*core.FlowRun{old, young, alive} {
			_, err := tx.FlowRun(r.ID)
			states, _ := tx.FlowRunStates(r.ID)
			if gone := r == old; gone != (err != nil) || gone != (len(states) == 0) {
				t.Errorf("run: %v, %d states", err, len(states))
			}
		}
		logs, err := tx.FilterLogs(core.Query{Limit: 200})
		if err != nil || len(logs) != 90 {
			t.Errorf("%d lines are left, %v", len(logs), err)
		}
		inputs, err := tx.FlowRunInputs(old.ID, "", nil, 10)
		if err != nil || len(inputs) != 0 {
			t.Errorf("inputs %v, %v", inputs, err)
		}
		c, err := tx.ArtifactCollection("page")
		if err != nil || *c.Latest.FlowRunID != young.ID {
			t.Errorf("the newest page is %v, %v", c, err)
		}
		return nil
	})
}

func retainedChildren(t *testing.T, s core.Store) {
	f, at := newFlow(t, s, "f"), noon()
	task := core.NewID(at)
	parent := newRun(t, s, f, nil)
	child := newRun(t, s, f, func(r *core.FlowRun) { ended(at)(r); r.ParentTaskRunID = &task })
	update(t, s, func(tx core.Tx) error {
		return tx.InsertTaskRun(&core.TaskRun{ID: task, Created: at, Updated: at, FlowRunID: &parent.ID, TaskKey: "k", DynamicKey: "d", State: state(core.Completed, at)})
	})
	before := at.Add(24 * time.Hour)
	expired := func() int {
		return len(must(t, s, func(tx core.Tx) ([]core.RunMark, error) { return tx.ExpiredFlowRuns(before, core.RunMark{}, 10) }))
	}
	if n := expired(); n != 0 {
		t.Errorf("%d runs are expired below a run that lives", n)
	}
	forget(t, s, before, 0, child.ID, parent.ID)
	update(t, s, func(tx core.Tx) error {
		was, end := parent.Times(), at.Add(time.Hour)
		parent.State, parent.EndTime = state(core.Failed, end), &end
		return tx.SetFlowRunState(parent, was)
	})
	forget(t, s, before, 1, child.ID, parent.ID)
	clearRemains(t, s, 100)
	if r := must(t, s, func(tx core.Tx) (*core.FlowRun, error) { return tx.FlowRun(child.ID) }); r.ParentTaskRunID != nil {
		t.Errorf("the child names task run %s, which is gone", r.ParentTaskRunID)
	}
	if n := expired(); n != 1 {
		t.Errorf("%d runs are expired below none", n)
	}
	// A run that is deleted leaves no name of it behind either.
	other, otherTask := newRun(t, s, f, nil), core.NewID(at)
	update(t, s, func(tx core.Tx) error {
		return tx.InsertTaskRun(&core.TaskRun{ID: otherTask, Created: at, Updated: at, FlowRunID: &other.ID, TaskKey: "k", DynamicKey: "d"})
	})
	below := newRun(t, s, f, func(r *core.FlowRun) { r.ParentTaskRunID = &otherTask })
	update(t, s, func(tx core.Tx) error { _, err := tx.DeleteFlowRun(other.ID); return err })
	if r := must(t, s, func(tx core.Tx) (*core.FlowRun, error) { return tx.FlowRun(below.ID) }); r.ParentTaskRunID != nil {
		t.Errorf("after a deletion the child names task run %s", r.ParentTaskRunID)
	}
}

func retainedExecutions(t *testing.T, s core.Store) {
	f, at := newFlow(t, s, "f"), noon()
	parent, child := newRun(t, s, f, nil), newRun(t, s, f, ended(at))
	execution := func(id core.ID, mapRun *core.ID) *core.Execution {
		x := newExecution(1, at)
		x.RunID, x.ARN, x.MapRunID = id, id.String(), mapRun
		return x
	}
	m := &core.MapRun{ID: core.NewID(at), RunID: parent.ID, ARN: "m", Started: at, Status: "RUNNING", Spec: []byte("{}")}
	update(t, s, func(tx core.Tx) error {
		for _, err := range []error{
			tx.InsertExecution(execution(parent.ID, nil)),
			tx.InsertExecution(execution(child.ID, &m.ID)),
			tx.InsertMapRun(m),
			tx.InsertMapRunItems(m.ID, 0, make([]core.MapRunItem, 100)),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	before := at.Add(time.Hour)
	forget(t, s, before, 0, child.ID, parent.ID)
	update(t, s, func(tx core.Tx) error {
		was := parent.Times()
		parent.State, parent.EndTime = state(core.Completed, at), &at
		return tx.SetFlowRunState(parent, was)
	})
	forget(t, s, before, 1, child.ID, parent.ID)
	if steps := clearRemains(t, s, 30); steps < 4 {
		t.Errorf("a map run of 100 items was cleared in %d steps", steps)
	}
	view(t, s, func(tx core.Tx) error {
		if _, err := tx.MapRun(m.ID); core.CodeOf(err) != core.NotFound {
			t.Errorf("the map run: %v", err)
		}
		if _, err := tx.MapRunItem(m.ID, 99); core.CodeOf(err) != core.NotFound {
			t.Errorf("its item: %v", err)
		}
		return nil
	})
	forget(t, s, before, 1, child.ID)
	clearRemains(t, s, 30)
}

func retainedTasks(t *testing.T, s core.Store) {
	f, at := newFlow(t, s, "f"), noon()
	r := newRun(t, s, f, nil)
	gone := core.NewID(at)
	add := func(change func(*core.TaskRun)) core.ID {
		k := &core.TaskRun{ID: core.NewID(at), Created: at, Updated: at, TaskKey: "k", DynamicKey: "d", ExpectedStartTime: &at, EndTime: &at, State: state(core.Completed, at)}
		change(k)
		update(t, s, func(tx core.Tx) error { return tx.InsertTaskRun(k) })
		return k.ID
	}
	own := add(func(*core.TaskRun) {})
	young := add(func(k *core.TaskRun) { later := at.Add(time.Hour); k.EndTime = &later })
	running := add(func(k *core.TaskRun) { k.State = state(core.Running, at) })
	of := add(func(k *core.TaskRun) { k.FlowRunID = &r.ID })
	stray := add(func(k *core.TaskRun) { k.FlowRunID, k.State = &gone, state(core.Running, at) })
	before := at.Add(time.Minute)
	update(t, s, func(tx core.Tx) error {
		n, err := tx.ForgetTaskRuns(before, 10)
		if n != 1 {
			t.Errorf("%d task runs went", n)
		}
		return err
	})
	var strays []core.ID
	for at := (core.RunMark{}); ; {
		from := at
		view(t, s, func(tx core.Tx) error {
			ids, to, err := tx.StrayTaskRuns(before, from, 2)
			strays, at = append(strays, ids...), to
			return err
		})
		if at == from {
			break
		}
	}
	if diff := cmp.Diff([]core.ID{stray}, strays); diff != "" {
		t.Errorf("-want +strays:\n%s", diff)
	}
	update(t, s, func(tx core.Tx) error {
		n, err := tx.ForgetStrays([]core.ID{stray, of, young})
		if n != 1 {
			t.Errorf("%d strays went", n)
		}
		return err
	})
	clearRemains(t, s, 100)
	view(t, s, func(tx core.Tx) error {
		for id, left := range map[core.ID]bool{own: false, young: true, running: true, of: true, stray: false} {
			states, err := tx.TaskRunStates(id)
			if err != nil || left != (len(states) > 0) {
				t.Errorf("%d states where %v, %v", len(states), left, err)
			}
		}
		return nil
	})
}

func retainedLogs(t *testing.T, s core.Store) {
	at := noon()
	line := func(message string, at time.Time) *core.Log {
		return &core.Log{Created: at, Timestamp: at, Message: message}
	}
	update(t, s, func(tx core.Tx) error {
		return tx.InsertLogs([]*core.Log{
			line("old", at), line("from the future", at.Add(100*time.Hour)), line("old, too", at), line("old as well", at),
			line("young", at.Add(2*time.Hour)), line("imported later", at),
		})
	})
	var c core.Cursor
	total := 0
	for range 3 {
		update(t, s, func(tx core.Tx) error {
			n, next, err := tx.ForgetLogs(c, at.Add(time.Hour), at.Add(3*time.Hour), 2)
			total, c = total+n, next
			return err
		})
		if c == (core.Cursor{}) {
			break
		}
	}
	left := must(t, s, func(tx core.Tx) ([]*core.Log, error) {
		return tx.FilterLogs(core.Query{Limit: 10, Sort: "TIMESTAMP_ASC"})
	})
	var names []string
	for _, l := range left {
		names = append(names, l.Message)
	}
	if diff := cmp.Diff([]string{"imported later", "young", "from the future"}, names); diff != "" || total != 3 || c != (core.Cursor{}) {
		t.Errorf("%d lines went, then %v; -want +left:\n%s", total, c, diff)
	}
}

func retainedEvents(t *testing.T, s core.Store) {
	at := noon()
	now := at.Add(10 * 24 * time.Hour)
	event := func(occurred, received time.Time) *core.Event {
		return &core.Event{ID: core.NewID(occurred), Occurred: occurred, Received: received, Event: "e"}
	}
	young := event(now.Add(-time.Hour), now)
	var cursor core.Cursor
	update(t, s, func(tx core.Tx) error {
		return tx.InsertEvents([]*core.Event{
			event(at, at), event(at, at), event(at, at), event(at, now.Add(-time.Hour)), young, event(at, at), // the last is the newest by number
		})
	})
	if seen := followed(t, s, &cursor, 6); len(seen) != 6 {
		t.Fatalf("a follower sees %d events", len(seen))
	}
	total := 0
	for range 5 {
		update(t, s, func(tx core.Tx) error {
			n, err := tx.ForgetEvents(at.Add(time.Hour), now, 2)
			total += n
			return err
		})
	}
	left := must(t, s, func(tx core.Tx) ([]*core.Event, error) { return tx.RecentEvents(at.Add(-time.Hour), 10) })
	if total < 3 || total+len(left) != 6 {
		t.Errorf("%d events went, %d are left", total, len(left))
	}
	// A follower who had seen everything goes on where it was.
	update(t, s, func(tx core.Tx) error { return tx.InsertEvents([]*core.Event{event(now, now)}) })
	if next := followed(t, s, &cursor, 1); len(next) != 1 || !next[0].Occurred.Equal(now) {
		t.Errorf("after the newest come %v", next)
	}
}

func retainedArtifacts(t *testing.T, s core.Store) {
	at, key := noon(), "k"
	var ids []core.ID
	update(t, s, func(tx core.Tx) error {
		for i := range 6 {
			a := &core.Artifact{ID: core.NewID(at), Created: at, Updated: at}
			if i < 4 {
				a.Key = &key
			}
			if i == 5 {
				a.Created = at.Add(2 * time.Hour)
			}
			ids = append(ids, a.ID)
			if err := tx.InsertArtifact(a); err != nil {
				return err
			}
		}
		return tx.PutArtifactCollection(&core.ArtifactCollection{ID: core.NewID(at), Created: at, Updated: at, Key: key, LatestID: ids[3]})
	})
	total := 0
	for range 4 {
		update(t, s, func(tx core.Tx) error {
			n, err := tx.ForgetArtifacts(at.Add(time.Hour), 2)
			total += n
			return err
		})
	}
	if total != 4 {
		t.Errorf("%d artifacts went, want the three that were replaced and the one without a key", total)
	}
	if c := must(t, s, func(tx core.Tx) (*core.ArtifactCollection, error) { return tx.ArtifactCollection(key) }); c.Latest.ID != ids[3] {
		t.Errorf("the newest is %s", c.Latest.ID)
	}
}

func retainedRest(t *testing.T, s core.Store) {
	at := noon()
	pool := core.NewID(at)
	st := state(core.Completed, at)
	expires := at.Add(time.Hour)
	st.Details.CacheExpiration = &expires
	update(t, s, func(tx core.Tx) error {
		for name, status := range map[string]core.WorkerStatus{"gone": core.WorkerOffline, "online": core.WorkerOnline} {
			if err := tx.BeatWorker(&core.Worker{ID: core.NewID(at), Created: at, Updated: at, WorkPoolID: pool, Name: name, LastHeartbeat: at, Status: status}); err != nil {
				return err
			}
		}
		return tx.CacheTaskState("key", st)
	})
	update(t, s, func(tx core.Tx) error {
		workers, err := tx.ForgetWorkers(at.Add(time.Minute))
		if err != nil || workers != 1 {
			t.Errorf("%d workers went, %v", workers, err)
		}
		early, err := tx.ForgetTaskCache(at.Add(time.Minute), 10)
		if err != nil || early != 0 {
			t.Errorf("%d cached results went too early, %v", early, err)
		}
		n, err := tx.ForgetTaskCache(at.Add(2*time.Hour), 10)
		if n != 1 {
			t.Errorf("%d cached results went", n)
		}
		return err
	})
	update(t, s, func(tx core.Tx) error { _, err := tx.GiveBack(10, 0); return err })
}
