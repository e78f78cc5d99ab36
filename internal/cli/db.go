package cli

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/server"
)

func dbCommand(env *Env) *cobra.Command {
	cmd := group("db", "Look after the server's database: its size, copies, moves and upgrades",
		dbUsageCommand(env),
		backupCommand(env),
		restoreCommand(env),
		dbMoveCommand(env),
		dbVacuumCommand(env),
		dbUpgradeCommand(env),
	)
	cmd.Long = `Look after the server's database. These commands read and write the database
itself: run them where the server runs, with the server's settings.`
	return cmd
}

func dbMoveCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "move --to DATABASE", Short: "Copy the database into another: from SQLite to Postgres, or back", Args: args(),
		Long: `Copy all that the database holds into another one: from a SQLite file to Postgres,
from Postgres to a file, or among their like. Stop the servers first; a database
that a server uses is refused. What arrived is read again and compared with what
was there. All of it arrives or nothing; the old database stays as it is. A
database that holds anything is overwritten only with --force.

Afterwards start the server with --database and the new address, and the same
key that seals secrets (secret.key in LEAT_HOME, or LEAT_ENCRYPTION_KEY).`,
		Example: "  leat db move --to postgres://leat@db/leat\n  leat db move --from postgres://leat@db/leat --to leat.db",
	}
	var m server.DatabaseMove
	cmd.Flags().StringVar(&m.To, "to", "", "SQLite file or postgres:// URL to fill")
	cmd.Flags().StringVar(&m.From, "from", "", "SQLite file or postgres:// URL to read (default: the server's database)")
	cmd.Flags().BoolVar(&m.Force, "force", false, "overwrite a database that holds something")
	out := addOutput(env, cmd)
	return withSettings(env, cmd, func(cmd *cobra.Command, cfg server.Config, _ []string) error {
		if m.To == "" {
			return usagef("--to is missing: a SQLite file or a postgres:// URL")
		}
		done := env.progress("Copying the database to %s", server.RedactedDatabase(m.To))
		moved, err := server.Move(cmd.Context(), cfg, m)
		done()
		if errors.Is(err, context.Canceled) {
			return errors.New("interrupted: nothing of it was stored, and the database is as it was")
		}
		if err != nil {
			return err
		}
		return out.show(moved, func(io.Writer) {
			rows := int64(0)
			for _, t := range moved.Tables {
				rows += t.Rows
			}
			env.say("%s holds the %d rows of %d tables, compared one by one", server.RedactedDatabase(m.To), rows, len(moved.Tables))
			for _, t := range moved.Left {
				env.say("Table %s is none of leat's and stayed behind", t)
			}
			if moved.Mended > 0 {
				env.say("%d texts held zero bytes or broken UTF-8, which Postgres does not store; each such place is a � now", moved.Mended)
			}
			env.say("Start the server with --database and this address, and with the same key for secrets as before")
		})
	})
}

func dbVacuumCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "vacuum", Short: "Give the space that is free in the database back to the disk", Args: args(),
		Long: `Write a SQLite database anew without the space that is free in it. The server must
be stopped, and the disk needs room for another copy. A server gives space back
by itself as retention frees it; only a database that was made by a leat before
retention needs this, once.

On Postgres servers go on meanwhile: what is free is made ready for new rows and
the planner's figures are renewed, which Postgres also does by itself.`,
		Example: "  leat db vacuum",
	}
	return withSettings(env, cmd, func(cmd *cobra.Command, cfg server.Config, _ []string) error {
		done := env.progress("Clearing the database up")
		err := server.Vacuum(cmd.Context(), cfg)
		done()
		if err == nil {
			env.say("The database is cleared up")
		}
		return err
	})
}

func dbUpgradeCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "upgrade", Short: "Bring the database's schema up to date, or say whether it is", Args: args(),
		Long: `Bring the schema of the database up to date, as a starting server does by itself.
A SQLite database is copied before that into a file beside it, of which the last
two are kept. For Postgres, --backup FILE makes a copy first.

With --check nothing is changed; the exit code is 1 when the schema is not up to date.`,
		Example: "  leat db upgrade --check\n  leat db upgrade --backup before.db --database postgres://leat@db/leat",
	}
	var check bool
	var backup string
	cmd.Flags().BoolVar(&check, "check", false, "only say whether the schema is up to date")
	cmd.Flags().StringVar(&backup, "backup", "", "copy the database into this file first")
	out := addOutput(env, cmd)
	return withSettings(env, cmd, func(cmd *cobra.Command, cfg server.Config, _ []string) error {
		state, err := server.Schema(cmd.Context(), cfg)
		if err != nil {
			return err
		}
		if check {
			err := out.show(state, func(io.Writer) { env.sayPending(state) })
			if err == nil && len(state.Pending) > 0 {
				err = exitError(exitFailure)
			}
			return err
		}
		if backup != "" {
			if err := server.Backup(cmd.Context(), cfg, backup); err != nil {
				return err
			}
		}
		if err := server.Upgrade(cmd.Context(), cfg, server.Environment{Log: env.Stderr, Now: env.Now, Version: env.Version}); err != nil {
			return err
		}
		return out.show(state, func(io.Writer) { env.say("The schema is up to date (%d migrations were applied)", len(state.Pending)) })
	})
}

// sayPending says how far the schema is behind.
func (e *Env) sayPending(state server.SchemaState) {
	if len(state.Pending) == 0 {
		e.say("The schema is up to date (%s)", state.Applied)
		return
	}
	e.say("The schema is to be brought up to date by %d migrations:", len(state.Pending))
	for _, name := range state.Pending {
		e.say("  %s", name)
	}
}
