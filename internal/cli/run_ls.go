package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

func runLsCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "ls", Short: "List flow runs, the latest first", Args: args(),
		Example: "  leat run ls --state Failed,Crashed --limit 50\n  leat run ls --flow etl -o json",
	}
	states := cmd.Flags().StringSlice("state", nil, "only runs in these states, by name like Failed or type like FAILED")
	flow := cmd.Flags().String("flow", "", "only runs of the flow of this name")
	deployment := cmd.Flags().String("deployment", "", "only runs of this deployment, FLOW/DEPLOYMENT")
	ahead := cmd.Flags().Bool("ahead", false, "also runs that are due more than a minute from now; schedules make many of them")
	tags := cmd.Flags().StringSlice("tag", nil, "only runs that have all of these tags")
	find := func(ctx context.Context, c *client.Client, limit int) ([]client.FlowRun, func(*client.FlowRun) []string, error) {
		runs := runFilter(*states, *tags)
		if len(*states) == 0 && !*ahead {
			runs["expected_start_time"] = object{"before_": wire.FromTime(env.Now().Add(time.Minute))}
		}
		query := client.Query{"sort": "EXPECTED_START_TIME_DESC", "limit": limit}
		if *deployment != "" {
			d, err := findDeployment(ctx, c, *deployment)
			if err != nil {
				return nil, nil, err
			}
			runs["deployment_id"] = object{"any_": []string{d.ID.String()}}
		}
		if *flow != "" {
			query["flows"] = object{"name": object{"any_": []string{*flow}}}
		}
		if len(runs) > 0 {
			query["flow_runs"] = runs
		}
		found, err := c.FlowRuns(ctx, query)
		if err != nil {
			return nil, nil, err
		}
		names, err := flowNames(ctx, c, found, func(r *client.FlowRun) core.ID { return r.FlowID })
		return found, func(r *client.FlowRun) []string {
			when := r.StartTime
			if when == nil {
				when = r.ExpectedStartTime
			}
			return []string{r.ID.String(), names[r.FlowID], r.Name, stateText(r.State), ago(when, env.Now()), took(r.TotalRunTime)}
		}, err
	}
	return lister[client.FlowRun]{nouns: "runs", limit: 20, heading: "ID,FLOW,RUN,STATE,WHEN,TOOK", find: find}.command(env, cmd)
}

// runFilter selects runs by state and tags.
func runFilter(states, tags []string) object {
	filter := object{}
	var types, names []string
	for _, s := range states {
		if core.StateType(s).Valid() {
			types = append(types, s)
		} else {
			names = append(names, strings.ToUpper(s[:1])+s[1:])
		}
	}
	state := object{}
	if len(types) > 0 {
		state["type"] = object{"any_": types}
	}
	if len(names) > 0 {
		state["name"] = object{"any_": names}
	}
	if len(types) > 0 && len(names) > 0 {
		state["operator"] = "or_"
	}
	if len(state) > 0 {
		filter["state"] = state
	}
	if len(tags) > 0 {
		filter["tags"] = object{"all_": tags}
	}
	return filter
}
