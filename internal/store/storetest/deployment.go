package storetest

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
)

// yard is a store with a flow, a pool with a queue and a deployment there.
type yard struct {
	t          *testing.T
	store      core.Store
	now        time.Time
	flow       *core.Flow
	pool       *core.WorkPool
	queue      *core.WorkQueue
	deployment *core.Deployment
}

func newYard(t *testing.T, open Opener) *yard {
	t.Helper()
	now := time.Date(2030, 1, 2, 3, 4, 5, 6000, time.UTC)
	notReady := core.NotReady
	y := &yard{t: t, store: open(t), now: now}
	y.flow = &core.Flow{ID: core.NewID(now), Created: now, Updated: now, Name: "flow", Labels: json.RawMessage("{}")}
	y.pool = &core.WorkPool{
		ID: core.NewID(now), Created: now, Updated: now, Name: "pool", Type: "process", BaseJobTemplate: json.RawMessage(`{"a":1}`),
		Status: &notReady, StorageConfiguration: json.RawMessage("{}"),
	}
	y.queue = &core.WorkQueue{
		ID: core.NewID(now), Created: now, Updated: now, WorkPoolID: y.pool.ID, Name: "queue", Priority: 1, Status: core.NotReady,
		WorkPoolName: "pool", WorkPoolType: "process",
	}
	y.pool.DefaultQueueID = &y.queue.ID
	y.deployment = &core.Deployment{
		ID: core.NewID(now), Created: now, Updated: now, Name: "d", FlowID: y.flow.ID, JobVariables: json.RawMessage("{}"),
		Parameters: json.RawMessage(`{"x":1}`), ParameterSchema: json.RawMessage("{}"), EnforceParameterSchema: true,
		Tags: []string{"a", "b"}, Labels: json.RawMessage("{}"), PullSteps: json.RawMessage("[]"), WorkQueueID: &y.queue.ID,
		WorkQueueName: &y.queue.Name, Status: core.NotReady,
	}
	y.update(func(tx core.Tx) error {
		if err := tx.InsertFlow(y.flow); err != nil {
			return err
		}
		if err := tx.InsertWorkPool(y.pool); err != nil {
			return err
		}
		if err := tx.InsertWorkQueue(y.queue); err != nil {
			return err
		}
		return tx.InsertDeployment(y.deployment)
	})
	y.deployment.FlowName = "flow"
	y.deployment.WorkPoolID, y.deployment.WorkPoolName, y.deployment.WorkPoolType = &y.pool.ID, &y.pool.Name, &y.pool.Type
	return y
}

func (y *yard) update(fn func(core.Tx) error) {
	y.t.Helper()
	if err := y.store.Update(y.t.Context(), core.DefaultWorkspace, fn); err != nil {
		y.t.Fatal(err)
	}
}

func (y *yard) view(fn func(core.Tx) error) {
	y.t.Helper()
	if err := y.store.View(y.t.Context(), core.DefaultWorkspace, fn); err != nil {
		y.t.Fatal(err)
	}
}

// run stores a run of the deployment that is due after so long.
func (y *yard) run(state core.StateType, after time.Duration, auto bool) *core.FlowRun {
	y.t.Helper()
	at := y.now.Add(after)
	key := fmt.Sprintf("key %s %v", state, after)
	r := &core.FlowRun{
		ID: core.NewID(y.now), Created: y.now, Updated: y.now, Name: "run", FlowID: y.flow.ID, FlowName: "flow",
		DeploymentID: &y.deployment.ID, WorkQueueID: &y.queue.ID, IdempotencyKey: &key, AutoScheduled: auto,
		ExpectedStartTime: &at, NextScheduledStartTime: &at,
		State: &core.State{ID: core.NewID(y.now), Type: state, Name: state.DefaultName(), Timestamp: y.now},
	}
	y.update(func(tx core.Tx) error { return tx.InsertFlowRun(r) })
	return r
}

func deployment(t *testing.T, open Opener) {
	t.Run("a deployment is read as it was stored", func(t *testing.T) {
		t.Parallel()
		y := newYard(t, open)
		y.view(func(tx core.Tx) error {
			byName, err := tx.DeploymentByName(y.flow.ID, "d")
			if diff := cmp.Diff(y.deployment, byName); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			return err
		})
		y.deployment.Paused, y.deployment.Tags, y.deployment.Description = true, []string{"z"}, &y.pool.Name
		y.update(func(tx core.Tx) error { return tx.UpdateDeployment(y.deployment) })
		y.view(func(tx core.Tx) error {
			got, err := tx.Deployment(y.deployment.ID)
			if diff := cmp.Diff(y.deployment, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			n, countErr := tx.CountDeployments(core.On(core.EntityDeployment, core.Cond{Field: "paused", Op: core.OpEq, Value: true}))
			if n != 1 || countErr != nil {
				t.Errorf("%d paused deployments: %v", n, countErr)
			}
			return err
		})
		y.update(func(tx core.Tx) error {
			existed, err := tx.DeleteDeployment(y.deployment.ID)
			if !existed {
				t.Error("it was not there")
			}
			return err
		})
		err := y.store.View(t.Context(), core.DefaultWorkspace, func(tx core.Tx) error {
			_, err := tx.Deployment(y.deployment.ID)
			return err
		})
		if core.CodeOf(err) != core.NotFound {
			t.Errorf("after deleting: %v", err)
		}
	})
	t.Run("another workspace sees none of it", func(t *testing.T) {
		t.Parallel()
		y := newYard(t, open)
		err := y.store.View(t.Context(), core.DefaultWorkspace+1, func(tx core.Tx) error {
			if _, err := tx.Deployment(y.deployment.ID); core.CodeOf(err) != core.NotFound {
				t.Errorf("deployment: %v", err)
			}
			if _, err := tx.WorkPoolByName("pool"); core.CodeOf(err) != core.NotFound {
				t.Errorf("pool: %v", err)
			}
			if _, err := tx.WorkQueue(y.queue.ID); core.CodeOf(err) != core.NotFound {
				t.Errorf("queue: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	t.Run("only runs that were made ahead are removed", func(t *testing.T) {
		t.Parallel()
		y := newYard(t, open)
		y.run(core.Scheduled, time.Hour, true)
		past := y.run(core.Scheduled, -time.Hour, true)
		manual := y.run(core.Scheduled, 2*time.Hour, false)
		running := y.run(core.Running, 3*time.Hour, true)
		left := func() (ids []core.ID) {
			y.view(func(tx core.Tx) error {
				found, err := tx.FilterFlowRuns(core.Query{Sort: "EXPECTED_START_TIME_ASC", Limit: 10})
				for _, r := range found {
					ids = append(ids, r.ID)
				}
				return err
			})
			return ids
		}
		y.update(func(tx core.Tx) error {
			return tx.DeleteScheduledRuns(y.deployment.ID, core.ScheduledRuns{Auto: true, After: &y.now})
		})
		if diff := cmp.Diff([]core.ID{past.ID, manual.ID, running.ID}, left()); diff != "" {
			t.Errorf("future ones by schedule (-want +got)\n%s", diff)
		}
		y.update(func(tx core.Tx) error { return tx.DeleteScheduledRuns(y.deployment.ID, core.ScheduledRuns{Auto: true}) })
		if diff := cmp.Diff([]core.ID{manual.ID, running.ID}, left()); diff != "" {
			t.Errorf("all by schedule (-want +got)\n%s", diff)
		}
		y.update(func(tx core.Tx) error { return tx.DeleteScheduledRuns(y.deployment.ID, core.ScheduledRuns{}) })
		if diff := cmp.Diff([]core.ID{running.ID}, left()); diff != "" {
			t.Errorf("all (-want +got)\n%s", diff)
		}
	})
	t.Run("schedules are due until they are filled", func(t *testing.T) {
		t.Parallel()
		schedulesAreDue(t, newYard(t, open))
	})
	t.Run("readiness follows polls", func(t *testing.T) {
		t.Parallel()
		readinessFollowsPolls(t, newYard(t, open))
	})
}

func schedulesAreDue(t *testing.T, y *yard) {
	schedule := func(i int) *core.DeploymentSchedule {
		at := y.now.Add(time.Duration(i) * time.Second)
		return &core.DeploymentSchedule{
			ID: core.NewID(at), Created: at, Updated: at, DeploymentID: y.deployment.ID, Schedule: json.RawMessage(`{"interval":60}`),
			Active: true, Parameters: json.RawMessage("{}"),
		}
	}
	one, two := schedule(1), schedule(2)
	y.update(func(tx core.Tx) error { return tx.InsertSchedules([]*core.DeploymentSchedule{one, two}) })
	due := func(at time.Time) (ids []core.ID) {
		y.view(func(tx core.Tx) error {
			found, err := tx.DueSchedules(at, 10)
			for _, d := range found {
				ids = append(ids, d.ScheduleID)
			}
			return err
		})
		return ids
	}
	if got := due(y.now); len(got) != 2 {
		t.Errorf("new schedules: %v are due", got)
	}
	later := y.now.Add(time.Minute)
	y.update(func(tx core.Tx) error {
		if err := tx.SetScheduleDue(one.ID, &later); err != nil {
			return err
		}
		return tx.SetScheduleDue(two.ID, nil)
	})
	if got := due(y.now); len(got) != 0 {
		t.Errorf("filled schedules: %v are due", got)
	}
	if diff := cmp.Diff([]core.ID{one.ID}, due(later)); diff != "" {
		t.Errorf("a minute later (-want +got)\n%s", diff)
	}
	y.view(func(tx core.Tx) error {
		d, err := tx.Deployment(y.deployment.ID)
		if diff := cmp.Diff([]*core.DeploymentSchedule{two, one}, d.Schedules); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		return err
	})
	two.Active = false
	y.update(func(tx core.Tx) error { return tx.UpdateSchedule(two) })
	if diff := cmp.Diff([]core.ID{one.ID}, due(later)); diff != "" {
		t.Errorf("an inactive one (-want +got)\n%s", diff)
	}
	y.deployment.Paused = true
	y.update(func(tx core.Tx) error { return tx.UpdateDeployment(y.deployment) })
	if got := due(later); len(got) != 0 {
		t.Errorf("of a paused deployment %v are due", got)
	}
	r := y.run(core.Scheduled, time.Hour, true)
	y.view(func(tx core.Tx) error {
		known, err := tx.KnownRunKeys(y.flow.ID, []string{*r.IdempotencyKey, "other"})
		if diff := cmp.Diff(map[string]bool{*r.IdempotencyKey: true}, known); diff != "" {
			t.Errorf("known keys (-want +got)\n%s", diff)
		}
		return err
	})
	y.update(func(tx core.Tx) error {
		existed, err := tx.DeleteSchedule(y.deployment.ID, one.ID)
		if !existed {
			t.Error("the schedule was not there")
		}
		return err
	})
}

func readinessFollowsPolls(t *testing.T, y *yard) {
	unready := func() int {
		n := 0
		y.view(func(tx core.Tx) error {
			ids, err := tx.UnreadyDeployments(nil, []core.ID{y.queue.ID})
			n = len(ids)
			return err
		})
		return n
	}
	if unready() != 1 {
		t.Error("a new deployment is ready")
	}
	y.queue.Status = core.Ready
	y.update(func(tx core.Tx) error {
		if err := tx.UpdateWorkQueue(y.queue); err != nil {
			return err
		}
		if err := tx.PollWorkQueues([]core.ID{y.queue.ID}, y.now.Add(time.Second)); err != nil {
			return err
		}
		return tx.SetDeploymentStatus(y.deployment.ID, core.Ready, &y.now)
	})
	if unready() != 0 {
		t.Error("a polled deployment is not ready")
	}
	y.view(func(tx core.Tx) error {
		d, err := tx.Deployment(y.deployment.ID)
		if err == nil && !d.LastPolled.Equal(y.now.Add(time.Second)) {
			t.Errorf("polled at %v, want the time of the queue's poll", d.LastPolled)
		}
		return err
	})
	for _, tt := range []struct {
		since time.Duration
		want  int
	}{{time.Second, 0}, {2 * time.Second, 1}} {
		y.view(func(tx core.Tx) error {
			d, err := tx.SilentDeployments(y.now.Add(tt.since), 10)
			if err != nil {
				return err
			}
			q, err := tx.SilentWorkQueues(y.now.Add(tt.since), 10)
			if len(d) != tt.want || len(q) != tt.want {
				t.Errorf("silent since %v: %d deployments and %d queues, want %d", tt.since, len(d), len(q), tt.want)
			}
			return err
		})
	}
}
