package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
)

func flowCommand(env *Env) *cobra.Command {
	return group("flow", "List flows", flowLsCommand(env))
}

func flowLsCommand(env *Env) *cobra.Command {
	return lister[client.Flow]{
		nouns: "flows", limit: 200, heading: "FLOW,TAGS,CREATED,ID",
		find: func(ctx context.Context, c *client.Client, limit int) ([]client.Flow, func(*client.Flow) []string, error) {
			flows, err := c.Flows(ctx, client.Query{"sort": "NAME_ASC", "limit": limit})
			return flows, func(f *client.Flow) []string {
				return []string{f.Name, strings.Join(f.Tags, ", "), ago(&f.Created, env.Now()), f.ID.String()}
			}, err
		},
	}.command(env, &cobra.Command{Use: "ls", Short: "List flows", Args: args()})
}
