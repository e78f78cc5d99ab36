package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
)

func runWhyCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{Use: "why RUN", Short: "Say in a sentence why a flow run waits, is late or is dead"}
	return onRun(env, cmd, func(ctx context.Context, c *client.Client, run client.FlowRun) error {
		reason, err := c.Why(ctx, run.ID)
		if client.IsNotFound(err) {
			return fmt.Errorf("the server at %s can't say why: it is not a leat server, or an older one", c.URL())
		}
		if err != nil {
			return err
		}
		env.say("%s", reason)
		return nil
	})
}
