package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
)

func deploymentCommand(env *Env) *cobra.Command {
	cmd := group("deployment", "List, show, run, pause and resume deployments, set their schedules",
		deploymentLsCommand(env),
		deploymentShowCommand(env),
		deploymentRunCommand(env),
		deploymentScheduleCommand(env),
		deploymentPauseCommand(env, true),
		deploymentPauseCommand(env, false),
	)
	cmd.Long = `List, show, run, pause and resume deployments.

A deployment is named by FLOW/DEPLOYMENT or by its id.`
	return cmd
}

// onDeployment is a command whose only argument is a deployment.
func onDeployment(env *Env, cmd *cobra.Command, do func(ctx context.Context, c *client.Client, name string, d client.Deployment) error) *cobra.Command {
	cmd.Args = args("FLOW/DEPLOYMENT")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		c, err := env.api("")
		if err != nil {
			return err
		}
		d, err := findDeployment(cmd.Context(), c, given[0])
		if err != nil {
			return err
		}
		return do(cmd.Context(), c, given[0], d)
	}
	return cmd
}

func deploymentPauseCommand(env *Env, pause bool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "pause FLOW/DEPLOYMENT", Short: "Keep a deployment's schedules from making runs",
		Long: "Keep a deployment's schedules from making runs, and remove those that they have made\nand that have not started. Runs can still be made by hand.",
	}
	if !pause {
		cmd = &cobra.Command{Use: "resume FLOW/DEPLOYMENT", Short: "Let a paused deployment's schedules make runs again"}
	}
	return onDeployment(env, cmd, func(ctx context.Context, c *client.Client, name string, d client.Deployment) error {
		if pause {
			if err := c.PauseDeployment(ctx, d.ID); err != nil {
				return err
			}
			env.say("Deployment %s is paused", name)
			return nil
		}
		if err := c.ResumeDeployment(ctx, d.ID); err != nil {
			return err
		}
		env.say("Deployment %s is active", name)
		return nil
	})
}
