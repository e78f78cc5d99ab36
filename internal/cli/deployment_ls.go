package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
)

func deploymentLsCommand(env *Env) *cobra.Command {
	return lister[client.Deployment]{
		nouns: "deployments", limit: 200, heading: "DEPLOYMENT,STATE,POOL,SCHEDULES,ID",
		find: func(ctx context.Context, c *client.Client, limit int) ([]client.Deployment, func(*client.Deployment) []string, error) {
			list, err := c.Deployments(ctx, client.Query{"sort": "NAME_ASC", "limit": limit})
			if err != nil {
				return nil, nil, err
			}
			names, err := flowNames(ctx, c, list, func(d *client.Deployment) core.ID { return d.FlowID })
			return list, func(d *client.Deployment) []string {
				return []string{names[d.FlowID] + "/" + d.Name, deploymentState(d), text(d.WorkPoolName), schedules(d), d.ID.String()}
			}, err
		},
	}.command(env, &cobra.Command{Use: "ls", Short: "List deployments", Args: args()})
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
			list = append(list, scheduleText(json.RawMessage(s.Schedule)))
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
