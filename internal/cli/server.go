package cli

import "github.com/spf13/cobra"

func serverCommand(env *Env) *cobra.Command {
	return group("server", "Start a server, or see how one is",
		serverStartCommand(env),
		serverStatusCommand(env),
	)
}
