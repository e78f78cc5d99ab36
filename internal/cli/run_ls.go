package cli

import (
	"io"
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
	out := addOutput(env, cmd)
	limit := cmd.Flags().Int("limit", 20, "how many runs at most (up to 200)")
	states := cmd.Flags().StringSlice("state", nil, "only runs in these states, by name like Failed or type like FAILED")
	flow := cmd.Flags().String("flow", "", "only runs of the flow of this name")
	deployment := cmd.Flags().String("deployment", "", "only runs of this deployment, FLOW/DEPLOYMENT")
	ahead := cmd.Flags().Bool("ahead", false, "also runs that are due more than a minute from now; schedules make many of them")
	tags := cmd.Flags().StringSlice("tag", nil, "only runs that have all of these tags")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := env.api("")
		if err != nil {
			return err
		}
		if *limit < 1 || *limit > 200 {
			return usagef("--limit %d is not between 1 and 200", *limit)
		}
		runs := runFilter(*states, *tags)
		if len(*states) == 0 && !*ahead {
			runs["expected_start_time"] = object{"before_": wire.FromTime(env.Now().Add(time.Minute))}
		}
		query := client.Query{"sort": "EXPECTED_START_TIME_DESC", "limit": *limit}
		if *deployment != "" {
			d, err := findDeployment(cmd.Context(), c, *deployment)
			if err != nil {
				return err
			}
			runs["deployment_id"] = object{"any_": []string{d.ID.String()}}
		}
		if *flow != "" {
			query["flows"] = object{"name": object{"any_": []string{*flow}}}
		}
		if len(runs) > 0 {
			query["flow_runs"] = runs
		}
		found, err := c.FlowRuns(cmd.Context(), query)
		if err != nil {
			return err
		}
		ids := map[core.ID]bool{}
		for i := range found {
			ids[found[i].FlowID] = true
		}
		names, err := flowNames(cmd.Context(), c, ids)
		if err != nil {
			return err
		}
		return out.show(found, func(w io.Writer) {
			var rows [][]string
			for i := range found {
				r := &found[i]
				when := r.StartTime
				if when == nil {
					when = r.ExpectedStartTime
				}
				rows = append(rows, []string{r.ID.String(), names[r.FlowID], r.Name, stateText(r.State), ago(when, env.Now()), took(r.TotalRunTime)})
			}
			table(w, "ID,FLOW,RUN,STATE,WHEN,TOOK", rows)
		})
	}
	return cmd
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
