package engine

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// Arrival is a worker that connects.
type Arrival struct {
	Pool     string
	Worker   string
	Type     string
	Interval int
	// Life is made anew at each start of the worker; "" when it does not say.
	Life string
	// Queues names those that it will poll; none means all.
	Queues []string
	// CreatePool makes the pool, of the worker's type, when it is not there.
	CreatePool bool
	// Template is for a pool that has none.
	Template json.RawMessage
}

// AdmitWorker records a worker that connects and returns its pool and queues.
// An unknown pool or queue is NotFound, a reserved name Forbidden.
// Prefect REST: WS /work_pools/{name}/workers/connect.
func (e *Engine) AdmitWorker(ctx context.Context, ws core.WorkspaceID, in Arrival) (p *core.WorkPool, queues []*core.WorkQueue, err error) {
	now := e.now()
	err = e.store.Update(ctx, ws, func(tx core.Tx) error {
		p, queues, err = admitWorker(tx, now, in)
		return err
	})
	return p, queues, err
}

func admitWorker(tx core.Tx, now time.Time, in Arrival) (*core.WorkPool, []*core.WorkQueue, error) {
	p, err := tx.WorkPoolByName(in.Pool)
	fresh := missing(err)
	if err != nil && !fresh {
		return nil, nil, err
	}
	switch {
	case fresh && !in.CreatePool:
		return nil, nil, err
	case fresh && reserved(in.Pool):
		return nil, nil, core.Errorf(core.Forbidden, "Work pools starting with 'Prefect' are reserved for internal use.")
	case fresh && len(in.Queues) > 0 && slices.ContainsFunc(in.Queues, func(q string) bool { return q != "default" }):
		return nil, nil, errNoQueue(in.Pool, in.Queues[0])
	}
	if fresh || len(members(p.BaseJobTemplate)) == 0 {
		if err := checkTemplate(in.Template); err != nil {
			return nil, nil, err
		}
	}
	if fresh {
		p, err = createWorkPool(tx, now, NewWorkPool{
			Name: in.Pool, Type: in.Type, BaseJobTemplate: in.Template, StorageConfiguration: json.RawMessage("{}"),
		})
		if err != nil {
			return nil, nil, err
		}
	}
	queues, err := polledQueues(tx, p, in.Queues)
	if err != nil {
		return nil, nil, err
	}
	if !fresh && len(members(p.BaseJobTemplate)) == 0 && len(members(in.Template)) > 0 {
		if err := updateWorkPool(tx, now, p, WorkPoolChange{BaseJobTemplate: wire.Some(in.Template)}); err != nil {
			return nil, nil, err
		}
	}
	return p, queues, beatWorker(tx, now, p, in.Worker, in.Life, &in.Interval)
}
