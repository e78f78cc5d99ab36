package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

func deploymentScheduleCommand(env *Env) *cobra.Command {
	cmd := group("schedule", "List a deployment's schedules and say what becomes of runs that are late or meet",
		deploymentScheduleLsCommand(env),
		deploymentScheduleSetCommand(env),
	)
	return cmd
}

func deploymentScheduleLsCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{Use: "ls FLOW/DEPLOYMENT", Short: "List a deployment's schedules with their policies"}
	out := addOutput(env, cmd)
	return onDeployment(env, cmd, func(_ context.Context, _ *client.Client, _ string, d client.Deployment) error {
		return out.show(d.Schedules, func(w io.Writer) {
			table(w, "SCHEDULE,SLUG,ACTIVE,OVERLAP,CATCH-UP WINDOW,MAX WAITING,ID", d.Schedules, func(s *client.DeploymentSchedule) []string {
				active := "no"
				if s.Active {
					active = "yes"
				}
				return []string{
					scheduleText(json.RawMessage(s.Schedule)), text(s.Slug), active, overlapText(s), windowText(s), number(s.MaxWaiting, "any"), s.ID.String(),
				}
			})
		})
	})
}

func overlapText(s *client.DeploymentSchedule) string {
	if s.Overlap == "" {
		return string(core.OverlapAllow)
	}
	return string(s.Overlap)
}

func windowText(s *client.DeploymentSchedule) string {
	if s.CatchupWindow == nil {
		return "any"
	}
	return time.Duration(*s.CatchupWindow * float64(time.Second)).String()
}

func deploymentScheduleSetCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "set FLOW/DEPLOYMENT [SCHEDULE]", Short: "Change what becomes of a schedule's runs that are late or meet",
		Long: `Change what becomes of a schedule's runs that are late or meet each other.

SCHEDULE is its slug or id; it can be left out where the deployment has only one.
What no flag names stays as it is.`,
		Example: `  leat deployment schedule set etl/nightly --overlap skip --catchup-window 10m
  leat deployment schedule set etl/nightly morning --max-waiting none`,
	}
	window := cmd.Flags().String("catchup-window", "", "how long after its time a run may start, such as 90s or 1h; none for any time")
	overlap := cmd.Flags().String("overlap", "", "when a run is due and the one before it has not ended: "+strings.Join(core.OverlapAllow.Enum(), ", "))
	most := cmd.Flags().String("max-waiting", "", "how many runs may be due and not started, of which the newest are kept; none for any number")
	cmd.Args = func(_ *cobra.Command, given []string) error {
		if len(given) > 1 {
			return args("FLOW/DEPLOYMENT", "SCHEDULE")(cmd, given)
		}
		return args("FLOW/DEPLOYMENT")(cmd, given)
	}
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		change, err := policyChange(cmd.Flags().Changed, *window, *overlap, *most)
		if err != nil {
			return err
		}
		c, err := env.api("")
		if err != nil {
			return err
		}
		d, err := findDeployment(cmd.Context(), c, given[0])
		if err != nil {
			return err
		}
		s, err := findSchedule(d, given)
		if err != nil {
			return err
		}
		change.Parameters = s.Parameters // a change that names none empties them
		if err := c.UpdateSchedule(cmd.Context(), d.ID, s.ID, change); err != nil {
			return err
		}
		env.say("Schedule %s of %s is changed; its runs ahead are made anew", scheduleText(json.RawMessage(s.Schedule)), given[0])
		return nil
	}
	return cmd
}

// policyChange reads the flags that were given.
func policyChange(changed func(flag string) bool, window, overlap, most string) (change client.ScheduleUpdate, err error) {
	if !changed("catchup-window") && !changed("overlap") && !changed("max-waiting") {
		return change, usagef("nothing is to change: name --overlap, --catchup-window or --max-waiting")
	}
	if changed("catchup-window") {
		change.CatchupWindow = wire.Null[float64]()
		if window != "none" {
			d, err := time.ParseDuration(window)
			if err != nil || d <= 0 {
				return change, usagef("--catchup-window %q is neither a time such as 10m nor none", window)
			}
			change.CatchupWindow = wire.Some(d.Seconds())
		}
	}
	if changed("overlap") {
		change.Overlap = wire.Some(core.Overlap(overlap))
	}
	if changed("max-waiting") {
		change.MaxWaiting = wire.Null[int]()
		if most != "none" {
			var n int
			if _, err := fmt.Sscanf(most+"\n", "%d\n", &n); err != nil || n < 1 {
				return change, usagef("--max-waiting %q is neither a number from 1 nor none", most)
			}
			change.MaxWaiting = wire.Some(n)
		}
	}
	return change, nil
}

// findSchedule finds the schedule that the second argument names, or the only one.
func findSchedule(d client.Deployment, given []string) (client.DeploymentSchedule, error) {
	var none client.DeploymentSchedule
	switch {
	case len(given) > 1:
		for _, s := range d.Schedules {
			if s.ID.String() == given[1] || text(s.Slug) == given[1] {
				return s, nil
			}
		}
		return none, fmt.Errorf("%s has no schedule %q; leat deployment schedule ls %s lists them", given[0], given[1], given[0])
	case len(d.Schedules) == 0:
		return none, fmt.Errorf("%s has no schedule", given[0])
	case len(d.Schedules) > 1:
		return none, fmt.Errorf("%s has %d schedules: name one; leat deployment schedule ls %s lists them", given[0], len(d.Schedules), given[0])
	}
	return d.Schedules[0], nil
}
