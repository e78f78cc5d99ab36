package engine

import (
	"context"

	"github.com/leat-dev/leat/internal/core"
)

// Place says where a run made by itself, not by its deployment, belongs.
type Place struct {
	Deployment *core.ID
	WorkPool   *string
	WorkQueue  *string
}

// CreateFlowRunIn is CreateFlowRun for a run that names a deployment or a pool.
// An unknown pool or queue is a NotFound error; the id of an unknown deployment
// is kept as it is.
func (e *Engine) CreateFlowRunIn(ctx context.Context, ws core.WorkspaceID, in NewFlowRun, p Place) (*core.FlowRun, bool, error) {
	var run *core.FlowRun
	var created bool
	err := e.store.Update(ctx, ws, func(tx core.Tx) (err error) {
		in := in
		if p.Deployment != nil {
			in.Deployment, err = tx.Deployment(*p.Deployment)
			if err != nil && core.CodeOf(err) != core.NotFound {
				return err
			}
			if in.Deployment != nil {
				in.WorkQueueID = in.Deployment.WorkQueueID
			}
			in.namedDeployment = p.Deployment
		}
		if p.WorkPool != nil {
			if in.WorkQueueID, err = queueOf(tx, *p.WorkPool, p.WorkQueue); err != nil {
				return err
			}
		}
		run, created, err = createFlowRun(tx, e.now(), in)
		return err
	})
	return run, created, err
}

// queueOf finds the named queue of a pool, or the default one.
func queueOf(tx core.Tx, pool string, queue *string) (*core.ID, error) {
	p, err := tx.WorkPoolByName(pool)
	missing := core.CodeOf(err) == core.NotFound
	switch {
	case missing && queue != nil && *queue != "":
		return nil, core.Errorf(core.NotFound, "Work pool queue '%s/%s' not found.", pool, *queue)
	case err != nil:
		return nil, err
	case queue == nil || *queue == "":
		return p.DefaultQueueID, nil
	}
	return queueNamed(tx, p, *queue)
}

func queueNamed(tx core.Tx, pool *core.WorkPool, name string) (*core.ID, error) {
	queues, err := tx.WorkQueues(pool.ID)
	if err != nil {
		return nil, err
	}
	for _, q := range queues {
		if q.Name == name {
			return &q.ID, nil
		}
	}
	return nil, core.Errorf(core.NotFound, "Work pool queue '%s/%s' not found.", pool.Name, name)
}
