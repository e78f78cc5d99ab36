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
// Unknown ones are NotFound errors.
func (e *Engine) CreateFlowRunIn(ctx context.Context, ws core.WorkspaceID, in NewFlowRun, p Place) (*core.FlowRun, bool, error) {
	var run *core.FlowRun
	var created bool
	err := e.store.Update(ctx, ws, func(tx core.Tx) (err error) {
		in := in
		if p.Deployment != nil {
			if in.Deployment, err = tx.Deployment(*p.Deployment); err != nil {
				return err
			}
			in.WorkQueueID = in.Deployment.WorkQueueID
		}
		if p.WorkPool != nil {
			pool, err := tx.WorkPoolByName(*p.WorkPool)
			if err != nil {
				return err
			}
			in.WorkQueueID = pool.DefaultQueueID
			if p.WorkQueue != nil {
				if in.WorkQueueID, err = queueNamed(tx, pool, *p.WorkQueue); err != nil {
					return err
				}
			}
		}
		run, created, err = createFlowRun(tx, e.now(), in)
		return err
	})
	return run, created, err
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
	return nil, core.Errorf(core.NotFound, "Work queue '%s' not found in work pool '%s'.", name, pool.Name)
}
