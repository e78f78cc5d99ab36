package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

func runRetryCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "retry RUN", Short: "Run an ended flow run of a deployment once more, or redrive an execution",
		Long: `Run an ended flow run of a deployment once more, under the same id and with the
same parameters. Tasks whose results were kept are not run again. An execution of a
state machine goes on where it failed.`,
	}
	return onRun(env, cmd, func(ctx context.Context, c *client.Client, run client.FlowRun) error {
		if run.State == nil || !run.State.Type.Terminal() {
			return fmt.Errorf("flow run %s is %s: only a run that has ended can be retried", run.Name, stateText(run.State))
		}
		if run.DeploymentID == nil && !isExecution(run) {
			return fmt.Errorf("flow run %s has no deployment, so that no worker can run it: start its program again, "+
				"or use prefect flow-run retry --entrypoint FILE:FLOW", run.Name)
		}
		message, now := "Retried by leat run retry", wire.FromTime(env.Now())
		answer, err := c.SetFlowRunState(ctx, run.ID, client.StateCreate{
			Type: core.Scheduled, Message: &message, Details: client.StateDetails{ScheduledTime: &now},
		}, true)
		if err != nil {
			return err
		}
		if answer.Status != "ACCEPT" {
			return fmt.Errorf("flow run %s can't be retried: %v", run.Name, answer.Details["reason"])
		}
		if isExecution(run) {
			env.say("Execution %s goes on where it failed", run.Name)
			return nil
		}
		env.say("Flow run %s is %s and waits for a worker", run.Name, answer.State.Name)
		return nil
	})
}

// isExecution reports whether a run is an execution of a state machine, which
// goes on by itself.
func isExecution(run client.FlowRun) bool {
	arn, ok := core.ParseARN(text(run.InfrastructurePID))
	return ok && arn.Service == "states"
}
