package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
)

func runCommand(env *Env) *cobra.Command {
	cmd := group("run", "List, show, follow, cancel and retry flow runs",
		runLsCommand(env),
		runShowCommand(env),
		runLogsCommand(env),
		runCancelCommand(env),
		runRetryCommand(env),
		runWhyCommand(env),
	)
	cmd.Long = `List, show, follow, cancel and retry flow runs.

A run is named by its id, by a beginning of its id that no other run shares, or by
its name.`
	return cmd
}

// onRun is a command whose only argument is a flow run.
func onRun(env *Env, cmd *cobra.Command, do func(ctx context.Context, c *client.Client, run client.FlowRun) error) *cobra.Command {
	cmd.Args = args("RUN")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		c, err := env.api("")
		if err != nil {
			return err
		}
		run, err := findRun(cmd.Context(), c, given[0])
		if err != nil {
			return err
		}
		return do(cmd.Context(), c, run)
	}
	return cmd
}
