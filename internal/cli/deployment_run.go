package cli

import (
	"context"
	"encoding/json"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
)

func deploymentRunCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "run FLOW/DEPLOYMENT", Short: "Make a flow run of a deployment",
		Example: `  leat deployment run etl/nightly --param day=2026-11-22 --param rows=100
  leat deployment run etl/nightly --watch`,
	}
	out := addOutput(env, cmd)
	params := cmd.Flags().StringArrayP("param", "p", nil, "a parameter as NAME=VALUE; the value is JSON, or else text")
	watch := cmd.Flags().BoolP("watch", "w", false, "show the run's log and wait for its end; the exit code is 1 unless it is Completed")
	return onDeployment(env, cmd, func(ctx context.Context, c *client.Client, name string, d client.Deployment) error {
		parameters, err := parseParameters(*params)
		if err != nil {
			return err
		}
		run, err := c.RunDeployment(ctx, d.ID, parameters)
		if err != nil {
			return err
		}
		if !*watch {
			return out.show(run, func(io.Writer) {
				env.say("Flow run %s of %s is %s", run.Name, name, stateText(run.State))
				env.say("Id: %s", run.ID)
			})
		}
		done := env.progress("Flow run %s (%s) of %s is %s, waiting for a worker", run.Name, run.ID, name, stateText(run.State))
		defer done()
		follower := newLogFollower(env, c, run)
		follower.changed = func(run client.FlowRun) {
			done()
			env.note("Flow run %s is %s", run.Name, stateText(run.State))
		}
		if out.format == "json" {
			quiet := *env
			quiet.Stdout = io.Discard
			follower.env = &quiet
		}
		run, err = follower.follow(ctx)
		if err != nil {
			return err
		}
		if err := out.show(run, func(io.Writer) { env.say("Flow run %s is %s%s", run.Name, stateText(run.State), because(run.State)) }); err != nil {
			return err
		}
		if !isState(run.State, core.Completed) {
			return exitError(exitFailure)
		}
		return nil
	})
}

// because shows a state's message.
func because(s *client.State) string {
	if s == nil || text(s.Message) == "" {
		return ""
	}
	return ": " + oneLine(text(s.Message))
}

// parseParameters reads NAME=VALUE, where a value that is not JSON is text.
func parseParameters(params []string) (map[string]json.RawMessage, error) {
	values := map[string]json.RawMessage{}
	for _, p := range params {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return nil, usagef("--param %q is not NAME=VALUE", p)
		}
		raw := json.RawMessage(value)
		if !json.Valid(raw) {
			var err error
			if raw, err = json.Marshal(value); err != nil {
				return nil, err
			}
		}
		values[name] = raw
	}
	return values, nil
}
