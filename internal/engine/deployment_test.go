package engine_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/wire"
)

// told lists the names of the events about deployments, pools and queues.
func told(t *testing.T, e *engine.Engine, after core.Cursor) ([]string, core.Cursor) {
	t.Helper()
	var names []string
	err := e.Store().View(t.Context(), core.DefaultWorkspace, func(tx core.Tx) error {
		events, next, err := tx.EventsAfter(after, 1000)
		for _, ev := range events {
			names = append(names, ev.Event)
		}
		after = next
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names, after
}

func TestChangesAreTold(t *testing.T) {
	t.Parallel()
	e, _ := setup(t)
	ctx, ws := t.Context(), core.DefaultWorkspace
	f, _, err := e.CreateFlow(ctx, ws, "flow", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var id core.ID
	put := func(f core.ID, in engine.DeploymentFields) error {
		d, _, err := e.PutDeployment(ctx, ws, f, "d", in)
		if err == nil {
			id = d.ID
		}
		return err
	}
	_, at := told(t, e, core.Cursor{})
	for _, tt := range []struct {
		name string
		do   func() error
		want []string
	}{
		{"a pool is made", func() error {
			_, err := e.CreateWorkPool(ctx, ws, engine.NewWorkPool{
				Name: "p", Type: "process", BaseJobTemplate: json.RawMessage("{}"), StorageConfiguration: json.RawMessage("{}"),
			})
			return err
		}, []string{"prefect.work-queue.created", "prefect.work-pool.created", "prefect.work-pool.not-ready"}},
		{"a deployment is made in a new queue", func() error {
			return put(f.ID, engine.DeploymentFields{WorkPoolName: wire.Some("p"), WorkQueueName: wire.Some("q")})
		}, []string{"prefect.work-queue.created", "prefect.deployment.created"}},
		{"it is made again as it was", func() error { return put(f.ID, engine.DeploymentFields{}) }, nil},
		{
			"it changes", func() error { return put(f.ID, engine.DeploymentFields{Description: wire.Some("x")}) },
			[]string{"prefect.deployment.updated"},
		},
		{"a worker polls", func() error {
			_, err := e.PollPool(ctx, ws, engine.PoolPoll{Pool: "p", Limit: 1})
			return err
		}, []string{"prefect.deployment.ready", "prefect.work-queue.ready", "prefect.work-queue.ready"}},
		{"a worker beats", func() error { return e.BeatWorker(ctx, ws, "p", "w", "", nil) }, []string{"prefect.work-pool.ready"}},
		{"it beats again", func() error { return e.BeatWorker(ctx, ws, "p", "w", "", nil) }, nil},
		{"the pool is paused", func() error {
			return e.UpdateWorkPool(ctx, ws, "p", engine.WorkPoolChange{IsPaused: wire.Some(true)})
		}, []string{"prefect.work-pool.paused"}},
		{"the queue is paused", func() error {
			return e.UpdateWorkQueue(ctx, ws, engine.QueueRef{Pool: "p", Name: "q"}, engine.WorkQueueChange{IsPaused: wire.Some(true)})
		}, []string{"prefect.work-queue.paused"}},
		{"the deployment goes", func() error { return e.DeleteDeployment(ctx, ws, id) }, []string{"prefect.deployment.deleted"}},
		{
			"the pool goes", func() error { return e.DeleteWorkPool(ctx, ws, "p") },
			[]string{"prefect.work-queue.deleted", "prefect.work-queue.deleted", "prefect.work-pool.deleted"},
		},
	} {
		if err := tt.do(); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		var got []string
		if got, at = told(t, e, at); !cmp.Equal(tt.want, got) {
			t.Errorf("%s: %s", tt.name, cmp.Diff(tt.want, got))
		}
	}
}
