package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
)

func deploymentLsCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{Use: "ls", Short: "List deployments", Args: args()}
	out := addOutput(env, cmd)
	limit := cmd.Flags().Int("limit", 200, "how many deployments at most (up to 200)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := env.api("")
		if err != nil {
			return err
		}
		if *limit < 1 || *limit > 200 {
			return usagef("--limit %d is not between 1 and 200", *limit)
		}
		list, err := c.Deployments(cmd.Context(), client.Query{"sort": "NAME_ASC", "limit": *limit})
		if err != nil {
			return err
		}
		ids := map[core.ID]bool{}
		for i := range list {
			ids[list[i].FlowID] = true
		}
		names, err := flowNames(cmd.Context(), c, ids)
		if err != nil {
			return err
		}
		return out.show(list, func(w io.Writer) {
			rows := make([][]string, 0, len(list))
			for i := range list {
				d := &list[i]
				rows = append(rows, []string{names[d.FlowID] + "/" + d.Name, deploymentState(d), text(d.WorkPoolName), schedules(d), d.ID.String()})
			}
			table(w, "DEPLOYMENT,STATE,POOL,SCHEDULES,ID", rows)
		})
	}
	return cmd
}

// deploymentState says whether a deployment is paused, else whether anybody polls it.
func deploymentState(d *client.Deployment) string {
	if d.Paused {
		return "paused"
	}
	return strings.ToLower(strings.ReplaceAll(string(d.Status), "_", " "))
}

// schedules describes a deployment's active schedules.
func schedules(d *client.Deployment) string {
	var list []string
	for _, s := range d.Schedules {
		if s.Active {
			list = append(list, scheduleText(s.Schedule))
		}
	}
	return strings.Join(list, "; ")
}

// scheduleText describes a schedule: its cron or rrule text, or its interval.
func scheduleText(raw json.RawMessage) string {
	var s struct {
		Cron     string  `json:"cron"`
		Interval float64 `json:"interval"`
		RRule    string  `json:"rrule"`
		Timezone string  `json:"timezone"`
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return string(raw)
	}
	what := s.Cron
	switch {
	case s.Interval > 0:
		what = fmt.Sprintf("every %gs", s.Interval)
	case s.RRule != "":
		what = s.RRule
	}
	if s.Timezone != "" && s.Timezone != "UTC" {
		what += " " + s.Timezone
	}
	return what
}
