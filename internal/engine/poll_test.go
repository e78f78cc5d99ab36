package engine_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/store"
	"github.com/leat-dev/leat/internal/wire"
)

// pollBench is an engine with a pool and two queues, and a count of its commits.
type pollBench struct {
	*engine.Engine
	*clock
	t       *testing.T
	commits atomic.Int64
	flow    core.ID
}

func newPollBench(t *testing.T) *pollBench {
	t.Helper()
	b := &pollBench{t: t, clock: &clock{at: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}}
	s, err := store.Open(t.Context(), store.Config{
		Database: filepath.Join(t.TempDir(), "leat.db"), Now: b.now,
		Observe: func(int, time.Duration) { b.commits.Add(1) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	b.Engine = engine.New(engine.Config{Store: s, Now: b.now})
	f, _, err := b.CreateFlow(t.Context(), core.DefaultWorkspace, "flow", nil, nil)
	b.must(err)
	b.flow = f.ID
	_, err = b.CreateWorkPool(t.Context(), core.DefaultWorkspace, engine.NewWorkPool{
		Name: "pool", Type: "process", BaseJobTemplate: json.RawMessage("{}"), StorageConfiguration: json.RawMessage("{}"),
	})
	b.must(err)
	return b
}

func (b *pollBench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// deploy makes a deployment in the queue and a run of it that is due after so long.
func (b *pollBench) deploy(queue string, after time.Duration) core.ID {
	b.t.Helper()
	d, _, err := b.PutDeployment(b.t.Context(), core.DefaultWorkspace, b.flow, "in "+queue, engine.DeploymentFields{
		WorkPoolName: wire.Some("pool"), WorkQueueName: wire.Some(queue),
	})
	b.must(err)
	at := b.now().Add(after)
	r, _, err := b.CreateDeploymentRun(b.t.Context(), core.DefaultWorkspace, d.ID, engine.DeploymentRun{
		State: &core.State{Type: core.Scheduled, Name: "Scheduled", Details: core.StateDetails{ScheduledTime: &at}},
	})
	b.must(err)
	return r.ID
}

func (b *pollBench) poll(p engine.PoolPoll) []core.ID {
	b.t.Helper()
	p.Pool = "pool"
	if p.Limit == 0 {
		p.Limit = 200
	}
	due, err := b.PollPool(b.t.Context(), core.DefaultWorkspace, p)
	b.must(err)
	var ids []core.ID
	for _, r := range due {
		ids = append(ids, r.Run.ID)
	}
	return ids
}

func TestPollPool(t *testing.T) {
	t.Parallel()
	b := newPollBench(t)
	ctx, ws := t.Context(), core.DefaultWorkspace
	late := b.deploy("default", -time.Hour)
	first := b.deploy("urgent", 2*time.Minute)
	second := b.deploy("urgent", 3*time.Minute)
	top := wire.Some(1)
	b.must(b.UpdateWorkQueue(ctx, ws, engine.QueueRef{Pool: "pool", Name: "urgent"}, engine.WorkQueueChange{Priority: top}))
	check := func(name string, p engine.PoolPoll, want ...core.ID) {
		t.Helper()
		if got := b.poll(p); !slices.Equal(got, want) {
			t.Errorf("%s: %s", name, cmp.Diff(want, got))
		}
	}
	soon := b.now().Add(150 * time.Second)
	check("all of the urgent queue comes before the others", engine.PoolPoll{}, first, second, late)
	check("up to a time", engine.PoolPoll{Before: &soon}, first, late)
	check("as many as are wanted", engine.PoolPoll{Limit: 1}, first)
	check("of one queue", engine.PoolPoll{Queues: []string{"default"}}, late)
	change := func(queue string, c engine.WorkQueueChange) {
		t.Helper()
		b.must(b.UpdateWorkQueue(ctx, ws, engine.QueueRef{Pool: "pool", Name: queue}, c))
	}
	change("urgent", engine.WorkQueueChange{ConcurrencyLimit: wire.Some(1)})
	check("no more than the queue's limit", engine.PoolPoll{}, first, late)
	_, err := b.SetFlowRunState(ctx, ws, first, engine.Proposal{State: core.State{Type: core.Pending, Name: "Pending"}, Force: true})
	b.must(err)
	check("none while the queue's slot is taken", engine.PoolPoll{}, late)
	b.must(b.UpdateWorkPool(ctx, ws, "pool", engine.WorkPoolChange{ConcurrencyLimit: wire.Some(1)}))
	check("none while the pool's slot is taken", engine.PoolPoll{})
	b.must(b.UpdateWorkPool(ctx, ws, "pool", engine.WorkPoolChange{ConcurrencyLimit: wire.Null[int]()}))
	change("default", engine.WorkQueueChange{IsPaused: wire.Some(true)})
	check("none of a paused queue", engine.PoolPoll{})
	change("default", engine.WorkQueueChange{IsPaused: wire.Some(false)})
	b.must(b.UpdateWorkPool(ctx, ws, "pool", engine.WorkPoolChange{IsPaused: wire.Some(true)}))
	check("none of a paused pool", engine.PoolPoll{})
}

func TestPollsOfAnIdlePoolAreSeldomWritten(t *testing.T) {
	t.Parallel()
	b := newPollBench(t)
	b.deploy("default", time.Hour)
	b.poll(engine.PoolPoll{})
	before := b.commits.Load()
	for range 10 {
		b.advance(time.Second)
		soon := b.now()
		b.poll(engine.PoolPoll{Before: &soon})
	}
	if n := b.commits.Load() - before; n != 0 {
		t.Errorf("%d commits in ten seconds of polls, want none", n)
	}
	b.advance(10 * time.Second)
	b.poll(engine.PoolPoll{})
	if n := b.commits.Load() - before; n != 1 {
		t.Errorf("%d commits after twenty seconds, want 1", n)
	}
}
