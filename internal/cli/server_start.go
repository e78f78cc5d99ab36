package cli

import (
	"net"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/server"
)

func serverStartCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "start", Short: "Start a server and run it until it is interrupted", Args: args(),
		Long: `Start a server and run it until it is interrupted.

It keeps everything in one SQLite file in LEAT_HOME (~/.leat), or in the Postgres
database that --database names. Each setting comes from its flag, else from its
environment variable, else from the configuration file (lines "key = value", keys
as the flags), else it has the default shown.`,
		Example: `  leat server start
  leat server start --host 0.0.0.0 --auth-string admin:secret
  leat server start --database postgres://leat@db/leat`,
	}
	cmd.Flags().SortFlags = false
	from := addSettings(env, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := from.config()
		if err != nil {
			return err
		}
		if _, set := env.LookupEnv("GOGC"); !set {
			// A server holds little; collecting a quarter as often costs some ten megabytes.
			debug.SetGCPercent(400)
		}
		return server.Run(cmd.Context(), cfg, server.Environment{
			Log: env.Stderr, Now: env.Now, Version: env.Version,
			Ready: func(addr string) {
				env.say("leat %s listens on http://%s", env.Version, addr)
				env.say("Use it:   export PREFECT_API_URL=http://%s/api", reachable(addr))
				env.say("Stop it:  Ctrl-C")
			},
		})
	}
	return cmd
}

// reachable is the address by which this machine reaches a server that listens
// on addr: "any address" is none to connect to.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}
