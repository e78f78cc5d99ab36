package engine

import (
	"context"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
)

// RunExecution starts an execution of an express machine and waits for its end.
// When ctx ends first the execution goes on, and what is known of it is returned.
// Step Functions: StartSyncExecution.
func (e *Engine) RunExecution(ctx context.Context, ws core.WorkspaceID, in NewExecution) (*core.Execution, error) {
	ended, stop := e.store.Subscribe(core.TopicExecutions)
	defer stop()
	x, err := e.StartExecution(ctx, ws, in)
	for err == nil && x.Status == string(asl.Running) {
		select {
		case <-ended:
		case <-ctx.Done():
			return x, ctx.Err()
		}
		err = e.store.View(ctx, ws, func(tx core.Tx) (err error) {
			x, err = tx.Execution(x.RunID)
			return err
		})
	}
	return x, err
}
