package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/store/storetest"
	"github.com/leat-dev/leat/internal/wire"
)

// Workers that poll and claim, and the service that ends what may not start, work
// at once: no run is both claimed and skipped, none is claimed twice, and where
// runs may not overlap no two are under way together.
func TestClaimsAndSkipsDoNotMeet(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		policy engine.PolicyFields
		alone  bool
	}{
		{"skip", overlap(core.OverlapSkip), true},
		{"buffer_one", overlap(core.OverlapBufferOne), true},
		{"cancel_other", overlap(core.OverlapCancelOther), true},
		{"at most two waiting", engine.PolicyFields{MaxWaiting: wire.Some(2)}, false},
		{"a window that ends soon", engine.PolicyFields{CatchupWindow: wire.Some(100 * time.Millisecond)}, false},
	} {
		t.Run("on SQLite: "+tt.name, func(t *testing.T) {
			t.Parallel()
			one := engine.New(engine.Config{Store: storetest.Open(t), Now: time.Now})
			newRace(t, []*engine.Engine{one, one, one}, tt.policy, tt.alone).run()
		})
		t.Run("on replicas with Postgres: "+tt.name, func(t *testing.T) {
			t.Parallel()
			url := os.Getenv("LEAT_TEST_POSTGRES")
			if url == "" {
				t.Skip("LEAT_TEST_POSTGRES is not set; run scripts/with-postgres.sh go test ./internal/engine")
			}
			newRace(t, openReplicas(t, url), tt.policy, tt.alone).run()
		})
	}
}

// race is a deployment whose schedule makes runs that many want.
type race struct {
	t          *testing.T
	replicas   []*engine.Engine
	deployment core.ID
	alone      bool
	underWay   atomic.Int64
	mu         sync.Mutex // guards claims
	claims     map[core.ID]int
}

func newRace(t *testing.T, replicas []*engine.Engine, p engine.PolicyFields, alone bool) *race {
	t.Helper()
	r := &race{t: t, replicas: replicas, alone: alone, claims: map[core.ID]int{}}
	f, _, err := replicas[0].CreateFlow(t.Context(), ws, fmt.Sprint("race ", core.NewID(time.Now())), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	d, _, err := replicas[0].PutDeployment(t.Context(), ws, f.ID, "d", engine.DeploymentFields{Schedules: wire.Some([]engine.ScheduleFields{
		{Schedule: json.RawMessage(`{"interval":0.05,"anchor_date":"2020-01-01T00:00:00Z"}`), Policy: p},
	})})
	if err != nil {
		t.Fatal(err)
	}
	r.deployment = d.ID
	return r
}

// run lets all work while the schedule makes a run each twentieth of a second.
func (r *race) run() {
	ctx, stop := context.WithTimeout(r.t.Context(), 1500*time.Millisecond)
	defer stop()
	var all sync.WaitGroup
	for i := range 6 {
		e := r.replicas[i%len(r.replicas)]
		all.Go(func() { r.repeat(ctx, func() error { return r.worker(e) }) })
	}
	for _, e := range r.replicas {
		all.Go(func() { r.repeat(ctx, func() error { return r.settle(e) }) })
	}
	all.Go(func() {
		r.repeat(ctx, func() error {
			h := engine.Horizon{From: time.Now(), MinRuns: 4, MaxRuns: 4}
			return r.replicas[0].FillDeployment(r.t.Context(), ws, r.deployment, h)
		})
	})
	all.Wait()
	r.checkStates()
}

func (r *race) repeat(ctx context.Context, do func() error) {
	for ctx.Err() == nil {
		if err := do(); err != nil {
			r.t.Error(err)
			return
		}
	}
}

// worker takes the first run that it is offered, and carries it out.
func (r *race) worker(e *engine.Engine) error {
	before := time.Now().Add(100 * time.Millisecond)
	due, err := e.PollDeployments(r.t.Context(), ws, []core.ID{r.deployment}, &before, 3)
	if err != nil || len(due) == 0 {
		return err
	}
	id := due[len(due)-1].ID
	out, err := r.propose(e, id, core.Pending)
	if err != nil || out.Status != engine.Accept {
		return err
	}
	r.mu.Lock()
	r.claims[id]++
	r.mu.Unlock()
	if n := r.underWay.Add(1); r.alone && n > 1 {
		r.t.Errorf("%d runs are under way at once", n)
	}
	if out, err = r.propose(e, id, core.Running); err != nil {
		return err
	}
	r.underWay.Add(-1)
	end := core.Completed
	if out.Run.State.Type == core.Cancelling {
		end = core.Cancelled
	}
	if out, err = r.propose(e, id, end); err == nil && out.Run.State.Type == core.Cancelling {
		_, err = r.propose(e, id, core.Cancelled) // it was told to make way meanwhile
	}
	return err
}

func (r *race) propose(e *engine.Engine, id core.ID, kind core.StateType) (engine.Outcome, error) {
	s := core.NewState(kind, nil)
	if kind == core.Completed {
		s.Data = json.RawMessage(`{"type":"reference"}`) // a kept result: who was offered the run before cannot begin it again
	}
	return e.SetFlowRunState(r.t.Context(), ws, id, engine.Proposal{State: s})
}

func (r *race) settle(e *engine.Engine) error {
	var unsettled []core.DueSchedule
	err := e.Store().View(r.t.Context(), ws, func(tx core.Tx) (err error) {
		unsettled, err = engine.UnsettledSchedules(tx, time.Now())
		return err
	})
	for _, s := range unsettled {
		if err == nil && s.DeploymentID == r.deployment {
			err = e.SettleSchedule(r.t.Context(), ws, s)
		}
	}
	return err
}

// checkStates looks at what became of each run.
func (r *race) checkStates() {
	r.t.Helper()
	claimed, skipped := 0, 0
	for id, n := range r.claims {
		claimed++
		if n > 1 {
			r.t.Errorf("run %s was claimed %d times", id, n)
		}
	}
	err := r.replicas[0].Store().View(r.t.Context(), ws, func(tx core.Tx) error {
		q := core.On(core.EntityFlowRun, core.Cond{Field: "deployment_id", Op: core.OpAny, Value: []core.ID{r.deployment}})
		q.Limit = 1000
		runs, err := tx.FilterFlowRuns(q)
		for _, run := range runs {
			if run.State.Name != core.NameSkipped {
				continue
			}
			skipped++
			states, err := tx.FlowRunStates(run.ID)
			if err != nil {
				return err
			}
			if r.claims[run.ID] > 0 || len(states) != 2 {
				r.t.Errorf("a skipped run was claimed %d times and had %d states", r.claims[run.ID], len(states))
			}
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	if claimed == 0 {
		r.t.Error("nobody could claim a run")
	}
	r.t.Logf("%d runs were claimed, %d skipped", claimed, skipped)
}
