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

// CreateFlowRunIn is CreateFlowRun for a run that names a deployment or a pool. It
// is in no queue unless it names a pool, whatever its deployment says.
// An unknown pool or queue is a NotFound error; the id of an unknown deployment
// is kept as it is.
func (e *Engine) CreateFlowRunIn(ctx context.Context, ws core.WorkspaceID, in NewFlowRun, p Place) (*core.FlowRun, bool, error) {
	var run *core.FlowRun
	var created bool
	err := e.store.Update(ctx, ws, func(tx core.Tx) (err error) {
		in := in
		if p.Deployment != nil {
			in.Deployment, err = tx.Deployment(*p.Deployment)
			if err != nil && !missing(err) {
				return err
			}
			in.namedDeployment = p.Deployment
		}
		in.QueueName = p.WorkQueue
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
	if queue == nil || *queue == "" {
		p, err := tx.WorkPoolByName(pool)
		if err != nil {
			return nil, err
		}
		return p.DefaultQueueID, nil
	}
	q, err := QueueRef{Pool: pool, Name: *queue}.Find(tx)
	if missing(err) {
		return nil, errNoQueue(pool, *queue)
	}
	if err != nil {
		return nil, err
	}
	return &q.ID, nil
}
