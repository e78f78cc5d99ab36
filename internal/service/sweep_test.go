package service

import (
	"strings"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/store/storetest"
)

// sweep is an engine on a fresh store with a clock that the test moves.
type sweep struct {
	t   *testing.T
	now time.Time
	eng *engine.Engine
}

func newSweep(t *testing.T) *sweep {
	t.Helper()
	db := storetest.Open(t)
	s := &sweep{t: t, now: time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)}
	s.eng = engine.New(engine.Config{Store: db, Now: func() time.Time { return s.now }})
	return s
}

// run makes a flow run in the state.
func (s *sweep) run(state core.State, parent *core.ID) *core.FlowRun {
	s.t.Helper()
	f, _, err := s.eng.CreateFlow(s.t.Context(), core.DefaultWorkspace, "flow", nil, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r, _, err := s.eng.CreateFlowRun(s.t.Context(), core.DefaultWorkspace, engine.NewFlowRun{FlowID: f.ID, State: &state, ParentTaskRunID: parent})
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// state reads the run's present state.
func (s *sweep) state(id core.ID) *core.State {
	s.t.Helper()
	var r *core.FlowRun
	if err := s.eng.Store().View(s.t.Context(), core.DefaultWorkspace, func(tx core.Tx) (err error) {
		r, err = tx.FlowRun(id)
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	return r.State
}

func (s *sweep) beat(r *core.FlowRun) {
	s.t.Helper()
	err := s.eng.RecordEvents(s.t.Context(), core.DefaultWorkspace, []*core.Event{{
		ID: core.NewID(s.now), Occurred: s.now, Event: "prefect.flow-run.heartbeat",
		Resource: core.Labels{{Key: core.ResourceID, Value: "prefect.flow-run." + r.ID.String()}},
	}})
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestARunWhoseProcessWasKilledCrashes(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	dead, alive := s.run(core.NewState(core.Running, nil), nil), s.run(core.NewState(core.Running, nil), nil)
	s.beat(dead)
	s.beat(alive)
	z := Zombie{Engine: s.eng, Now: func() time.Time { return s.now }, Silence: 30 * time.Second, Claim: time.Minute}
	s.now = s.now.Add(5 * time.Second)
	if err := s.eng.LoseFlowRuns(t.Context(), core.DefaultWorkspace, []core.ID{dead.ID}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s.now = s.now.Add(20 * time.Second)
		if err := z.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.state(dead.ID); got.Type != core.Crashed || got.Message == nil || !strings.Contains(*got.Message, "without a word") {
		t.Errorf("the killed run is %s", got.Type)
	}
	if got := s.state(alive.ID); got.Type != core.Running {
		t.Errorf("the other run is %s", got.Type)
	}
}

func TestRunsThatNobodyStartedAreMarkedLateOnce(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	r := s.run(core.State{Type: core.Scheduled, Name: "Scheduled"}, nil)
	l := Late{Engine: s.eng, Now: func() time.Time { return s.now }, After: 15 * time.Second}
	var ids []core.ID
	for range 3 {
		s.now = s.now.Add(10 * time.Second)
		if err := l.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, s.state(r.ID).ID)
	}
	if got := s.state(r.ID); got.Name != core.NameLate || got.Type != core.Scheduled {
		t.Errorf("state %s %s", got.Type, got.Name)
	}
	if ids[0] == ids[1] || ids[1] != ids[2] {
		t.Errorf("the run was not marked once, in the second round: %v", ids)
	}
}

func TestAPauseThatNobodyEndedFails(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	paused := core.NewState(core.Paused, nil)
	end := s.now.Add(time.Minute)
	paused.Details.PauseTimeout = &end
	r := s.run(paused, nil)
	l := Late{Engine: s.eng, Now: func() time.Time { return s.now }, After: 15 * time.Second}
	for _, want := range []core.StateType{core.Paused, core.Failed} {
		s.now = s.now.Add(45 * time.Second)
		if err := l.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := s.state(r.ID); got.Type != want {
			t.Errorf("state %s, want %s", got.Type, want)
		}
	}
}

func TestACancelledRunTakesItsSubflowsAndTasksWithIt(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	parent := s.run(core.NewState(core.Running, nil), nil)
	task, _, err := s.eng.CreateTaskRun(t.Context(), core.DefaultWorkspace, engine.NewTaskRun{
		Run: core.TaskRun{FlowRunID: &parent.ID, TaskKey: "sub", DynamicKey: "0"},
	})
	if err != nil {
		t.Fatal(err)
	}
	child := s.run(core.NewState(core.Running, nil), &task.ID)
	if _, err := s.eng.SetFlowRunState(t.Context(), core.DefaultWorkspace, parent.ID,
		engine.Proposal{State: core.NewState(core.Cancelled, nil)}); err != nil {
		t.Fatal(err)
	}
	c := Cancel{Engine: s.eng, Now: func() time.Time { return s.now }}
	if err := c.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.state(child.ID); got.Type != core.Cancelled {
		t.Errorf("the subflow run is %s", got.Type)
	}
	var left *core.TaskRun
	if err := s.eng.Store().View(t.Context(), core.DefaultWorkspace, func(tx core.Tx) (err error) {
		left, err = tx.TaskRun(task.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if left.State.Type != core.Cancelled {
		t.Errorf("its task run is %s", left.State.Type)
	}
}
