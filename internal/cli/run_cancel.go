package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
)

func runCancelCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "cancel RUN", Short: "Cancel a flow run",
		Long: `Cancel a flow run. One that has not started is Cancelled at once; one that runs
becomes Cancelling, and its worker ends its processes and then reports Cancelled.`,
	}
	return onRun(env, cmd, func(ctx context.Context, c *client.Client, run client.FlowRun) error {
		answer, err := c.SetFlowRunState(ctx, run.ID, client.StateCreate{Type: core.Cancelling}, false)
		if err != nil {
			return err
		}
		// A run without infrastructure is answered by REJECT with the state Cancelled.
		if answer.Status != "ACCEPT" && !isState(answer.State, core.Cancelled) {
			return fmt.Errorf("flow run %s can't be cancelled: %v", run.Name, answer.Details["reason"])
		}
		env.say("Flow run %s is %s", run.Name, answer.State.Name)
		return nil
	})
}
