package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
)

// shownTasks is how many task runs a run is shown with.
const shownTasks = 200

func runShowCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{Use: "show RUN", Short: "Show a flow run with its parameters, state and tasks"}
	out := addOutput(env, cmd)
	return onRun(env, cmd, func(ctx context.Context, c *client.Client, run client.FlowRun) error {
		tasks, err := c.TaskRuns(ctx, client.Query{
			"flow_runs": object{"id": object{"any_": []string{run.ID.String()}}}, "sort": "EXPECTED_START_TIME_ASC", "limit": shownTasks,
		})
		if err != nil {
			return err
		}
		flow, err := c.Flow(ctx, run.FlowID)
		if err != nil && !client.IsNotFound(err) {
			return err
		}
		deployment := ""
		if run.DeploymentID != nil {
			d, err := c.Deployment(ctx, *run.DeploymentID)
			switch {
			case client.IsNotFound(err):
				deployment = run.DeploymentID.String() + " (deleted)"
			case err != nil:
				return err
			default:
				deployment = flow.Name + "/" + d.Name
			}
		}
		shown := struct {
			client.FlowRun
			FlowName string           `json:"flow_name"`
			TaskRuns []client.TaskRun `json:"task_runs"`
		}{run, flow.Name, tasks}
		return out.show(shown, func(w io.Writer) { showRun(env, w, run, flow.Name, deployment, tasks) })
	})
}

func showRun(env *Env, w io.Writer, run client.FlowRun, flow, deployment string, tasks []client.TaskRun) {
	state, message := stateText(run.State), ""
	if run.State != nil {
		state += ", " + ago(&run.State.Timestamp, env.Now())
		message = text(run.State.Message)
	}
	pool := text(run.WorkPoolName)
	if pool != "" && run.WorkQueueName != nil {
		pool += "/" + *run.WorkQueueName
	}
	fields(w,
		"Run", run.Name, "Id", run.ID.String(), "Flow", flow, "Deployment", deployment, "State", state, "Message", message,
		"Parameters", jsonText(run.Parameters), "Tags", strings.Join(run.Tags, ", "), "Work pool", pool,
		"Infrastructure", text(run.InfrastructurePID), "Attempts", fmt.Sprint(run.RunCount), "Due", timeText(run.ExpectedStartTime),
		"Started", timeText(run.StartTime), "Ended", timeText(run.EndTime), "Took", took(run.TotalRunTime),
	)
	if len(tasks) == 0 {
		return
	}
	_, _ = fmt.Fprintln(w)
	table(w, "TASK,STATE,ATTEMPTS,WHEN,TOOK,ID", tasks, func(t *client.TaskRun) []string {
		return []string{t.Name, stateText(t.State), fmt.Sprint(t.RunCount), ago(t.StartTime, env.Now()), took(t.TotalRunTime), t.ID.String()}
	})
	if len(tasks) == shownTasks {
		_, _ = fmt.Fprintf(w, "(the first %d tasks)\n", shownTasks)
	}
}
