package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/importer"
)

func importPrefectCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "prefect --from URL", Short: "Copy a live Prefect 3 server into leat, as often as needed", Args: args(),
		Long: `Copy what a live Prefect 3 server knows into leat: flows, deployments with their
schedules, work pools and queues, blocks with their secrets, variables, limits,
automations and saved searches, and the history: runs with their states, task runs,
logs, artifacts and events. Ids and times stay as they are.

Run it again to bring over what is new or changed since; nothing comes twice, and
one that broke off goes on. Runs that have not ended stay behind until they have.
Schedules make runs in leat from then on: --paused keeps them from it until the
switch is made.`,
		Example: `  leat import prefect --from http://old-server:4200/api --dry-run
  leat import prefect --from http://old-server:4200/api --paused --since 30d
  leat import prefect --from https://api.prefect.cloud/api/accounts/ID/workspaces/ID --api-key KEY`,
	}
	var from importer.Source
	var noTaskStates, active bool
	cmd.Flags().StringVar(&from.URL, "from", "", "the API of the Prefect server (needed)")
	f := copyFlags(env, cmd)
	cmd.Flags().StringVar(&from.Key, "api-key", "", "API key for the Prefect server (LEAT_IMPORT_API_KEY)")
	cmd.Flags().StringVar(&from.AuthString, "auth-string", "", "user:password for the Prefect server (LEAT_IMPORT_AUTH_STRING)")
	cmd.Flags().BoolVar(&noTaskStates, "no-task-states", false, "only the last state of each task run: much faster, for the others cost a request for each")
	cmd.Flags().BoolVar(&active, "include-active", false, "also runs that have not ended, as they are now")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if from.URL == "" {
			return usagef("--from is missing: the address of the API, like http://old-server:4200/api")
		}
		if from.Key == "" && from.AuthString == "" {
			from.Key, from.AuthString = env.getenv("LEAT_IMPORT_API_KEY"), env.getenv("LEAT_IMPORT_AUTH_STRING")
		}
		return f.run(cmd, func(ctx context.Context, o importer.Options) (*importer.Report, error) {
			o.NoTaskStates, o.IncludeActive = noTaskStates, active
			return importer.Import(ctx, from, f.target(), o)
		})
	}
	return cmd
}
