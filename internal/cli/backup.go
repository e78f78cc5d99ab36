package cli

import (
	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/server"
)

func backupCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "backup FILE", Short: "Copy all that the server's database holds into a file, also while it serves", Args: args("FILE"),
		Long: `Copy all that the server's database holds into a new file, also while it serves.
Run it where the server runs, with the server's settings: it reads the database
itself. The file is a SQLite database of leat's, whatever the server's database is.
The key that seals secrets is not part of it: keep that, too.`,
		Example: "  leat backup /backups/2026-11-22.db\n  leat backup copy.db --database postgres://leat@db/leat",
	}
	return onDatabase(env, cmd, func(cmd *cobra.Command, cfg server.Config, file string) error {
		done := env.progress("Copying the database into %s", file)
		err := server.Backup(cmd.Context(), cfg, file)
		done()
		if err != nil {
			return err
		}
		env.say("The database is saved in %s", file)
		return nil
	})
}

func restoreCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "Fill an empty database from a backup", Args: args("FILE"),
		Long: `Fill the server's database, which must be empty, from a file that leat backup
wrote. Run it where the server runs, with the server's settings, before the server
starts. SQLite may become Postgres this way, and Postgres SQLite.`,
		Example: "  leat restore /backups/2026-11-22.db --database postgres://leat@db/leat",
	}
	return onDatabase(env, cmd, func(cmd *cobra.Command, cfg server.Config, file string) error {
		done := env.progress("Filling the database from %s", file)
		err := server.Restore(cmd.Context(), cfg, file)
		done()
		if err != nil {
			return err
		}
		env.say("The database holds what %s held", file)
		return nil
	})
}

// onDatabase is a command on the server's database and a file.
func onDatabase(env *Env, cmd *cobra.Command, do func(cmd *cobra.Command, cfg server.Config, file string) error) *cobra.Command {
	return withSettings(env, cmd, func(cmd *cobra.Command, cfg server.Config, given []string) error { return do(cmd, cfg, given[0]) })
}

// withSettings is a command that reads the server's settings.
func withSettings(env *Env, cmd *cobra.Command, do func(cmd *cobra.Command, cfg server.Config, given []string) error) *cobra.Command {
	cmd.Flags().SortFlags = false
	from := addSettings(env, cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		cfg, err := from.config()
		if err != nil {
			return err
		}
		return do(cmd, cfg, given)
	}
	return cmd
}
