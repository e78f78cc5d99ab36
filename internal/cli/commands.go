package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// rootCommand lists all commands.
func rootCommand(env *Env) *cobra.Command {
	root := group("leat", "Run workflows: server, worker and command line in one program",
		serverCommand(env),
		workerCommand(env),
		runCommand(env),
		runWhyCommand(env),
		deploymentCommand(env),
		flowCommand(env),
		poolCommand(env),
		webhookCommand(env),
		aslCommand(env),
		ecsLocalCommand(env),
		dbCommand(env),
		backupCommand(env),
		restoreCommand(env),
		importCommand(env),
		exportCommand(env),
		versionCommand(env),
	)
	root.Long = `leat runs workflows. It speaks the API of Prefect 3, so that Prefect's Python
client, command line and workers work with it as they are.

  leat server start                       start a server
  export PREFECT_API_URL=http://127.0.0.1:4200/api
  python my_flow.py                       run a flow; the server records it
  leat run ls                             see what ran

Commands find the server by PREFECT_API_URL (default ` + defaultURL + `)
and identify themselves by PREFECT_API_KEY or PREFECT_API_AUTH_STRING.`
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.CompletionOptions.HiddenDefaultCmd = false
	return root
}

// defaultURL is where the commands look for a server that PREFECT_API_URL does not name.
const defaultURL = "http://127.0.0.1:4200/api"

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short,
		Args: func(cmd *cobra.Command, given []string) error {
			if len(given) == 0 {
				return nil
			}
			if near := cmd.SuggestionsFor(given[0]); len(near) > 0 {
				return usagef("there is no command %q; did you mean %s?", cmd.CommandPath()+" "+given[0], strings.Join(near, ", "))
			}
			return usagef("there is no command %q", cmd.CommandPath()+" "+given[0])
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddCommand(commands...)
	return cmd
}
