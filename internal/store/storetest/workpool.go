package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
)

func workPool(t *testing.T, open Opener) {
	t.Run("a pool and its queues are read as they were stored", func(t *testing.T) {
		t.Parallel()
		y := newYard(t, open)
		limit, ready := 3, core.Ready
		y.pool.ConcurrencyLimit, y.pool.IsPaused, y.pool.Status = &limit, true, &ready
		y.queue.Priority, y.queue.Name = 7, "renamed"
		y.update(func(tx core.Tx) error {
			if err := tx.UpdateWorkPool(y.pool); err != nil {
				return err
			}
			return tx.UpdateWorkQueue(y.queue)
		})
		y.view(func(tx core.Tx) error {
			p, err := tx.WorkPoolByName("pool")
			if diff := cmp.Diff(y.pool, p); diff != "" {
				t.Errorf("pool (-want +got)\n%s", diff)
			}
			if err != nil {
				return err
			}
			queues, err := tx.WorkQueues(p.ID)
			if diff := cmp.Diff([]*core.WorkQueue{y.queue}, queues); diff != "" {
				t.Errorf("queues (-want +got)\n%s", diff)
			}
			return err
		})
	})
	t.Run("deleting a pool leaves its runs and deployments without a queue", func(t *testing.T) {
		t.Parallel()
		y := newYard(t, open)
		r := y.run(core.Scheduled, time.Hour, false)
		y.update(func(tx core.Tx) error { return tx.DeleteWorkPool(y.pool.ID) })
		y.view(func(tx core.Tx) error {
			got, err := tx.FlowRun(r.ID)
			if err != nil {
				return err
			}
			d, err := tx.Deployment(y.deployment.ID)
			if got.WorkQueueID != nil || d.WorkQueueID != nil {
				t.Errorf("run's queue %v, deployment's queue %v", got.WorkQueueID, d.WorkQueueID)
			}
			n, countErr := tx.CountWorkPools(core.Query{})
			if n != 0 || countErr != nil {
				t.Errorf("%d pools are left: %v", n, countErr)
			}
			return err
		})
	})
	t.Run("runs that are due come in order and within bounds", func(t *testing.T) {
		t.Parallel()
		dueInOrder(t, newYard(t, open))
	})
	t.Run("slots are held by runs that are under way", func(t *testing.T) {
		t.Parallel()
		slotsAreHeld(t, newYard(t, open))
	})
	t.Run("workers live by their heartbeats", func(t *testing.T) {
		t.Parallel()
		workersLive(t, newYard(t, open))
	})
	t.Run("a worker's lives are told apart", func(t *testing.T) {
		t.Parallel()
		workerLives(t, newYard(t, open))
	})
}

func dueInOrder(t *testing.T, y *yard) {
	late := y.run(core.Scheduled, -time.Minute, false)
	y.run(core.Pending, -time.Minute, false)
	soon := y.run(core.Scheduled, time.Minute, false)
	y.run(core.Scheduled, time.Hour, false)
	before, after := y.now.Add(2*time.Minute), y.now
	for _, tt := range []struct {
		name string
		q    core.DueRuns
		want []core.ID
	}{
		{"with an end", core.DueRuns{Before: &before, Limit: 10}, []core.ID{late.ID, soon.ID}},
		{"with both ends", core.DueRuns{Before: &before, After: &after, Limit: 10}, []core.ID{soon.ID}},
		{
			"of a deployment",
			core.DueRuns{Deployments: []core.ID{y.flow.ID, y.deployment.ID}, Before: &before, Limit: 10},
			[]core.ID{late.ID, soon.ID},
		},
		{"the first", core.DueRuns{Limit: 1}, []core.ID{late.ID}},
	} {
		y.view(func(tx core.Tx) error {
			if tt.q.Deployments == nil {
				tt.q.QueueID = y.queue.ID
			}
			runs, err := tx.DueFlowRuns(tt.q)
			var ids []core.ID
			for _, r := range runs {
				ids = append(ids, r.ID)
			}
			if diff := cmp.Diff(tt.want, ids); diff != "" {
				t.Errorf("%s (-want +got)\n%s", tt.name, diff)
			}
			return err
		})
	}
}

func slotsAreHeld(t *testing.T, y *yard) {
	for i, s := range core.StateTypes() {
		y.run(s, time.Duration(i)*time.Minute, false)
	}
	y.view(func(tx core.Tx) error {
		for _, tt := range []struct {
			cancelling bool
			want       int
		}{{false, 2}, {true, 3}} {
			used, err := tx.SlotsInUse([]core.ID{y.queue.ID}, tt.cancelling)
			if err != nil {
				return err
			}
			holders, err := tx.SlotHolders(y.queue.ID, tt.cancelling, 10, 0)
			if used[y.queue.ID] != tt.want || len(holders) != tt.want {
				t.Errorf("%d slots, %d holders, want %d", used[y.queue.ID], len(holders), tt.want)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func workerLives(t *testing.T, y *yard) {
	lives := func(name string) (found []core.WorkerLife) {
		y.view(func(tx core.Tx) (err error) {
			found, err = tx.WorkerLives(y.pool.ID, name)
			return err
		})
		return found
	}
	put := func(name string, l core.WorkerLife) {
		y.update(func(tx core.Tx) error { return tx.PutWorkerLife(y.pool.ID, name, l) })
	}
	if got := lives("w"); len(got) != 0 {
		t.Errorf("an unknown worker has the lives %v", got)
	}
	first := core.WorkerLife{ID: "", Since: y.now, Until: y.now.Add(time.Second)}
	second := core.WorkerLife{ID: "b/1", Since: y.now, Until: y.now.Add(time.Minute)}
	put("w", first)
	put("w", core.WorkerLife{ID: "b/1", Since: y.now.Add(-time.Hour), Until: y.now})
	put("w", second)
	put("w/b", first)
	put("W", first)
	if diff := cmp.Diff([]core.WorkerLife{first, second}, lives("w")); diff != "" {
		t.Errorf("lives of one of several names (-want +got)\n%s", diff)
	}
	y.update(func(tx core.Tx) error { return tx.ForgetWorkerLives(y.now.Add(2 * time.Second)) })
	if diff := cmp.Diff([]core.WorkerLife{second}, lives("w")); diff != "" || len(lives("W")) != 0 {
		t.Errorf("after some are forgotten (-want +got)\n%s", diff)
	}
}

func workersLive(t *testing.T, y *yard) {
	interval := 10
	beat := func(name string, interval *int, at time.Time) {
		y.update(func(tx core.Tx) error {
			return tx.BeatWorker(&core.Worker{
				ID: core.NewID(at), Created: at, Updated: at, WorkPoolID: y.pool.ID, Name: name, LastHeartbeat: at,
				HeartbeatInterval: interval, Status: core.WorkerOnline,
			})
		})
	}
	beat("a", &interval, y.now)
	beat("b", nil, y.now)
	beat("a", nil, y.now.Add(time.Second))
	silence := func(at time.Time) (n int) {
		y.update(func(tx core.Tx) (err error) {
			n, err = tx.SilenceWorkers(at, 3, 20*time.Second)
			return err
		})
		return n
	}
	if n := silence(y.now.Add(31 * time.Second)); n != 0 {
		t.Errorf("%d workers went offline too soon", n)
	}
	if n := silence(y.now.Add(32 * time.Second)); n != 1 {
		t.Errorf("%d workers went offline after three intervals, want 1", n)
	}
	y.view(func(tx core.Tx) error {
		online, err := tx.FilterWorkers(core.On(core.EntityWorker,
			core.Cond{Field: "status", Op: core.OpAny, Value: []string{string(core.WorkerOnline)}}))
		if len(online) != 1 || online[0].Name != "b" {
			t.Errorf("online: %v", online)
		}
		return err
	})
	ready := core.Ready
	y.pool.Status = &ready
	y.update(func(tx core.Tx) error { return tx.UpdateWorkPool(y.pool) })
	deserted := func() (n int) {
		y.view(func(tx core.Tx) error {
			ids, err := tx.DesertedWorkPools(10)
			n = len(ids)
			return err
		})
		return n
	}
	if n := deserted(); n != 0 {
		t.Error("a pool with a worker is deserted")
	}
	y.update(func(tx core.Tx) error {
		existed, err := tx.DeleteWorker(y.pool.ID, "b")
		if !existed {
			t.Error("the worker was not there")
		}
		return err
	})
	if n := deserted(); n != 1 {
		t.Error("a pool without online workers is not deserted")
	}
}
