package cli

import (
	"runtime"

	"github.com/spf13/cobra"
)

func versionCommand(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Show leat's version", Args: args(),
		RunE: func(*cobra.Command, []string) error {
			env.say("leat %s (%s, %s/%s)", env.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}
