package service_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/service"
	"github.com/leat-dev/leat/internal/store/storetest"
	"github.com/leat-dev/leat/internal/wire"
)

// schedulerBench is an engine on a store of its own with a clock that tests move.
type schedulerBench struct {
	*engine.Engine
	mu  sync.Mutex
	at  time.Time
	ids map[string]core.ID
}

func (b *schedulerBench) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at
}

func (b *schedulerBench) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = b.at.Add(d)
}

func newSchedulerBench(t *testing.T) *schedulerBench {
	t.Helper()
	s := storetest.Open(t)
	b := &schedulerBench{at: time.Date(2030, 1, 1, 0, 0, 30, 0, time.UTC), ids: map[string]core.ID{}}
	b.Engine = engine.New(engine.Config{Store: s, Now: b.now})
	return b
}

func (b *schedulerBench) scheduler(batch int) service.Scheduler {
	return service.Scheduler{
		Engine: b.Engine, Now: b.now, MinRuns: 3, MaxRuns: 100, MinTime: time.Hour, MaxTime: 100 * 24 * time.Hour, Batch: batch, Parallel: 4,
	}
}

// deploy makes a deployment with schedules.
func (b *schedulerBench) deploy(t *testing.T, name string, schedules ...string) core.ID {
	t.Helper()
	f, _, err := b.CreateFlow(t.Context(), core.DefaultWorkspace, "flow", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var fields []engine.ScheduleFields
	for _, s := range schedules {
		fields = append(fields, engine.ScheduleFields{Schedule: json.RawMessage(s), Parameters: json.RawMessage(`{"b":2}`)})
	}
	d, _, err := b.PutDeployment(t.Context(), core.DefaultWorkspace, f.ID, name, engine.DeploymentFields{
		Schedules: wire.Some(fields), Tags: wire.Some([]string{"t"}), Parameters: wire.Some(json.RawMessage(`{"a":1,"b":1}`)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return d.ID
}

func (b *schedulerBench) runs(t *testing.T, deployment core.ID) []*core.FlowRun {
	t.Helper()
	var runs []*core.FlowRun
	err := b.Store().View(t.Context(), core.DefaultWorkspace, func(tx core.Tx) (err error) {
		q := core.On(core.EntityFlowRun, core.Cond{Field: "deployment_id", Op: core.OpAny, Value: []core.ID{deployment}})
		q.Sort = "EXPECTED_START_TIME_ASC"
		runs, err = tx.FilterFlowRuns(q)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

func tick(t *testing.T, s service.Scheduler) {
	t.Helper()
	if err := s.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestSchedulerFillsTheHorizonAndNoMore(t *testing.T) {
	t.Parallel()
	b := newSchedulerBench(t)
	minutely := b.deploy(t, "minutely", `{"cron":"* * * * *"}`)
	daily := b.deploy(t, "daily", `{"cron":"0 0 * * *"}`)
	s := b.scheduler(100)
	for range 3 { // again and again makes no doubles
		tick(t, s)
	}
	if n := len(b.runs(t, minutely)); n != 61 {
		t.Errorf("a minutely schedule has %d runs ahead, want those of one hour", n)
	}
	daysAhead := b.runs(t, daily)
	if len(daysAhead) != 3 {
		t.Fatalf("a daily schedule has %d runs ahead, want 3", len(daysAhead))
	}
	r := daysAhead[0]
	if got, want := r.ExpectedStartTime.UTC(), time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("first run at %v, want %v", got, want)
	}
	if !r.AutoScheduled || !r.State.Is(core.Scheduled) || string(r.Parameters) != `{"a":1,"b":2}` || fmt.Sprint(r.Tags) != "[auto-scheduled t]" {
		t.Errorf("run: auto %v, state %v, parameters %s, tags %v", r.AutoScheduled, r.State.Type, r.Parameters, r.Tags)
	}
	b.advance(10 * time.Minute)
	tick(t, s)
	if n := len(b.runs(t, minutely)); n != 71 {
		t.Errorf("ten minutes later there are %d runs in all, want 71", n)
	}
	b.advance(24 * time.Hour)
	tick(t, s)
	if n := len(b.runs(t, daily)); n != 4 {
		t.Errorf("a day later there are %d runs in all, want 4", n)
	}
}

func TestSchedulerGivesEverybodyFirstRunsBeforeTheRest(t *testing.T) {
	t.Parallel()
	b := newSchedulerBench(t)
	var all []core.ID
	for i := range 12 {
		all = append(all, b.deploy(t, fmt.Sprint("d", i), `{"cron":"* * * * *"}`))
	}
	tick(t, b.scheduler(5))
	for _, id := range all {
		if n := len(b.runs(t, id)); n != 61 {
			t.Errorf("%d runs, want 61 in the end", n)
		}
	}
}

func TestPausingAndChangingRemoveRunsAtOnce(t *testing.T) {
	t.Parallel()
	b := newSchedulerBench(t)
	id := b.deploy(t, "d", `{"interval":3600}`)
	s := b.scheduler(100)
	tick(t, s)
	if len(b.runs(t, id)) == 0 {
		t.Fatal("no runs were made")
	}
	ctx, ws := t.Context(), core.DefaultWorkspace
	if err := b.PauseDeployment(ctx, ws, id, true); err != nil {
		t.Fatal(err)
	}
	if n := len(b.runs(t, id)); n != 0 {
		t.Errorf("%d runs are left after the pause", n)
	}
	tick(t, s)
	if n := len(b.runs(t, id)); n != 0 {
		t.Errorf("%d runs were made for a paused deployment", n)
	}
	if err := b.PauseDeployment(ctx, ws, id, false); err != nil {
		t.Fatal(err)
	}
	tick(t, s)
	before := b.runs(t, id)
	if len(before) == 0 {
		t.Error("no runs after the pause ended")
	}
	off := false
	d := scheduleIDs(t, b, id)
	if err := b.UpdateSchedule(ctx, ws, id, d[0], engine.ScheduleFields{Active: &off}); err != nil {
		t.Fatal(err)
	}
	tick(t, s)
	if n := len(b.runs(t, id)); n > 1 { // the one that is due now stays
		t.Errorf("%d runs of a schedule that is switched off", n)
	}
}

func scheduleIDs(t *testing.T, b *schedulerBench, id core.ID) []core.ID {
	t.Helper()
	var ids []core.ID
	err := b.Store().View(t.Context(), core.DefaultWorkspace, func(tx core.Tx) error {
		d, err := tx.Deployment(id)
		for _, s := range d.Schedules {
			ids = append(ids, s.ID)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestForemanMarksTheSilent(t *testing.T) {
	t.Parallel()
	b := newSchedulerBench(t)
	ctx, ws := t.Context(), core.DefaultWorkspace
	p, err := b.CreateWorkPool(ctx, ws, engine.NewWorkPool{Name: "p", Type: "process", BaseJobTemplate: json.RawMessage("{}"), StorageConfiguration: json.RawMessage("{}")})
	if err != nil {
		t.Fatal(err)
	}
	id := b.deploy(t, "d")
	if err := b.UpdateDeployment(ctx, ws, id, engine.DeploymentFields{WorkPoolName: wire.Some("p")}); err != nil {
		t.Fatal(err)
	}
	interval := 10
	if err := b.BeatWorker(ctx, ws, "p", "w", "", &interval); err != nil {
		t.Fatal(err)
	}
	if _, err := b.PollPool(ctx, ws, engine.PoolPoll{Pool: "p", Limit: 10}); err != nil {
		t.Fatal(err)
	}
	foreman := service.Foreman{Engine: b.Engine, Silence: engine.Silence{MissedBeats: 3, Interval: 30 * time.Second, Poll: time.Minute, Batch: 100}}
	check := func(when string, pool, queue, deployment core.Readiness, worker core.WorkerStatus) {
		t.Helper()
		if err := foreman.Tick(ctx); err != nil {
			t.Fatal(err)
		}
		err := b.Store().View(ctx, ws, func(tx core.Tx) error {
			gotPool, err := tx.WorkPool(p.ID)
			if err != nil {
				return err
			}
			q, err := tx.WorkQueue(*p.DefaultQueueID)
			if err != nil {
				return err
			}
			d, err := tx.Deployment(id)
			if err != nil {
				return err
			}
			w, err := tx.FilterWorkers(core.Query{Limit: 1})
			if err != nil {
				return err
			}
			if *gotPool.Status != pool || q.Status != queue || d.Status != deployment || w[0].Status != worker {
				t.Errorf("%s: pool %s, queue %s, deployment %s, worker %s", when, *gotPool.Status, q.Status, d.Status, w[0].Status)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	check("at once", core.Ready, core.Ready, core.Ready, core.WorkerOnline)
	b.advance(31 * time.Second)
	check("after three heartbeats", core.NotReady, core.Ready, core.Ready, core.WorkerOffline)
	b.advance(30 * time.Second)
	check("after a minute", core.NotReady, core.NotReady, core.NotReady, core.WorkerOffline)
}
