package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/importer"
)

func exportPrefectCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "prefect --to URL", Short: "Copy what users have set up in leat into a live Prefect 3 server", Args: args(),
		Long: `Copy flows, deployments with their schedules, work pools and queues, blocks with
their secrets, variables, limits, automations and saved searches into a live Prefect
3 server by its public API. What is there under the same name is brought up to date.

That API makes ids and times itself and takes no history: runs, logs, artifacts and
events stay behind. leat export --to DIR keeps them.`,
		Example: "  leat export prefect --to http://new-server:4200/api\n  leat export prefect --to http://new-server:4200/api --only blocks,variables",
	}
	var to importer.Source
	f := &copyOptions{env: env, workers: 1}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&to.URL, "to", "", "the API of the Prefect server (needed)")
	cmd.Flags().StringVar(&f.to, "from", "", "leat's API (default PREFECT_API_URL)")
	cmd.Flags().StringVar(&to.Key, "api-key", "", "API key for the Prefect server (LEAT_EXPORT_API_KEY)")
	cmd.Flags().StringVar(&to.AuthString, "auth-string", "", "user:password for the Prefect server (LEAT_EXPORT_AUTH_STRING)")
	cmd.Flags().StringSliceVar(&f.only, "only", nil, "only these kinds, such as flows,deployments,blocks")
	cmd.Flags().StringVar(&f.report, "report", "", "write the whole report as JSON into this file")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if to.URL == "" {
			return usagef("--to is missing: the address of the API, like http://new-server:4200/api")
		}
		if to.Key == "" && to.AuthString == "" {
			to.Key, to.AuthString = env.getenv("LEAT_EXPORT_API_KEY"), env.getenv("LEAT_EXPORT_AUTH_STRING")
		}
		return f.run(cmd, func(ctx context.Context, o importer.Options) (*importer.Report, error) {
			return importer.Push(ctx, f.target(), to, o)
		})
	}
	return cmd
}
