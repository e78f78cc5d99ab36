package cli

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
)

func deploymentShowCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{Use: "show FLOW/DEPLOYMENT", Short: "Show a deployment with its pool, parameters and schedules"}
	out := addOutput(env, cmd)
	return onDeployment(env, cmd, func(ctx context.Context, c *client.Client, _ string, d client.Deployment) error {
		flow, err := c.Flow(ctx, d.FlowID)
		if err != nil {
			return err
		}
		return out.show(d, func(w io.Writer) {
			limit := ""
			if d.GlobalConcurrencyLimit != nil {
				limit = number(&d.GlobalConcurrencyLimit.Limit, "")
			}
			fields(w,
				"Deployment", flow.Name+"/"+d.Name, "Id", d.ID.String(), "State", deploymentState(&d), "Description", text(d.Description),
				"Version", text(d.Version), "Work pool", text(d.WorkPoolName), "Work queue", text(d.WorkQueueName),
				"Concurrency limit", limit, "Entrypoint", text(d.Entrypoint), "Path", text(d.Path), "Parameters", jsonText(d.Parameters),
				"Job variables", jsonText(d.JobVariables), "Tags", strings.Join(d.Tags, ", "), "Schedules", schedules(&d),
				"Created", timeText(&d.Created), "Last polled", ago(d.LastPolled, env.Now()),
			)
		})
	})
}
