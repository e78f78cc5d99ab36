package cli

import (
	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/server"
)

func backupCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "backup FILE", Short: "Copy the server's SQLite database into a file, also while it serves", Args: args("FILE"),
		Long: `Copy the server's SQLite database into a file, also while the server runs. It works
on the database itself, on the server's machine; Postgres has its own tools.`,
		Example: "  leat backup /backups/leat-2026-11-22.db",
	}
	cmd.Flags().SortFlags = false
	from := addSettings(env, cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		cfg, err := from.config()
		if err != nil {
			return err
		}
		env.note("Copying the database into %s …", given[0])
		if err := server.Backup(cmd.Context(), cfg, given[0]); err != nil {
			return err
		}
		env.say("The database is saved in %s", given[0])
		return nil
	}
	return cmd
}

func restoreCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "Make a backup the server's SQLite database, while no server runs", Args: args("FILE"),
		Long: `Make a file that leat backup wrote the server's SQLite database. No server may run
on it meanwhile.`,
	}
	cmd.Flags().SortFlags = false
	from := addSettings(env, cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		cfg, err := from.config()
		if err != nil {
			return err
		}
		if err := server.Restore(cmd.Context(), cfg, given[0]); err != nil {
			return err
		}
		env.say("The database is what %s holds", given[0])
		return nil
	}
	return cmd
}
