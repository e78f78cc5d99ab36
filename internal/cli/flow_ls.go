package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
)

func flowCommand(env *Env) *cobra.Command {
	return group("flow", "List flows", flowLsCommand(env))
}

func flowLsCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{Use: "ls", Short: "List flows", Args: args()}
	out := addOutput(env, cmd)
	limit := cmd.Flags().Int("limit", 200, "how many flows at most (up to 200)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := env.api("")
		if err != nil {
			return err
		}
		if *limit < 1 || *limit > 200 {
			return usagef("--limit %d is not between 1 and 200", *limit)
		}
		flows, err := c.Flows(cmd.Context(), client.Query{"sort": "NAME_ASC", "limit": *limit})
		if err != nil {
			return err
		}
		return out.show(flows, func(w io.Writer) {
			rows := make([][]string, 0, len(flows))
			for i := range flows {
				f := &flows[i]
				rows = append(rows, []string{f.Name, strings.Join(f.Tags, ", "), ago(&f.Created, env.Now()), f.ID.String()})
			}
			table(w, "FLOW,TAGS,CREATED,ID", rows)
		})
	}
	return cmd
}
