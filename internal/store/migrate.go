package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/leat-dev/leat/internal/store/migration"
)

// migrationLock is the key of the Postgres advisory lock under which replicas
// that start together migrate one after the other.
const migrationLock = 0x6c656174

const migrationTable = `CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY)`

// migrations returns the names in order and the texts of a dialect's migrations.
func migrations(dialect string) (names []string, texts map[string]string, err error) {
	entries, err := fs.ReadDir(migration.Files, dialect)
	if err != nil {
		return nil, nil, err
	}
	texts = map[string]string{}
	for _, e := range entries { // ReadDir sorts by name
		b, err := fs.ReadFile(migration.Files, dialect+"/"+e.Name())
		if err != nil {
			return nil, nil, err
		}
		names = append(names, e.Name())
		texts[e.Name()] = string(b)
	}
	return names, texts, nil
}

// tooNew returns an error when the database knows migrations that we do not.
func tooNew(applied map[string]bool, names []string) error {
	known := map[string]bool{}
	for _, n := range names {
		known[n] = true
	}
	for n := range applied {
		if !known[n] {
			return fmt.Errorf("the database was made by a newer leat (migration %s is unknown here); run that version or restore a backup", n)
		}
	}
	return nil
}

// pending lists the migrations that are to be applied. only restricts them to
// those of another database; nil stands for all.
func pending(names []string, applied, only map[string]bool) []string {
	var missing []string
	for _, name := range names {
		if !applied[name] && (only == nil || only[name]) {
			missing = append(missing, name)
		}
	}
	return missing
}

// migrateSQLite brings a file's schema up to date, or to that of a database
// with only these migrations.
func migrateSQLite(ctx context.Context, db *sql.DB, only map[string]bool) error {
	names, texts, err := migrations("sqlite")
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, migrationTable); err != nil {
		return sqliteError(err)
	}
	applied, err := appliedSQLite(ctx, db)
	if err != nil {
		return err
	}
	if err := tooNew(applied, names); err != nil {
		return err
	}
	for _, name := range pending(names, applied, only) {
		t, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		_, err = t.ExecContext(ctx, texts[name])
		if err == nil {
			_, err = t.ExecContext(ctx, "INSERT INTO migration (name) VALUES (?)", name)
		}
		if err != nil {
			_ = t.Rollback() // the first error counts
			return fmt.Errorf("migration %s: %w", name, sqliteError(err))
		}
		if err := t.Commit(); err != nil {
			return fmt.Errorf("migration %s: %w", name, sqliteError(err))
		}
	}
	return nil
}

func appliedSQLite(ctx context.Context, db *sql.DB) (map[string]bool, error) {
	r, err := db.QueryContext(ctx, "SELECT name FROM migration")
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // what went wrong is in Err
	applied := map[string]bool{}
	for r.Next() {
		var name string
		if err := r.Scan(&name); err != nil {
			return nil, err
		}
		applied[name] = true
	}
	return applied, r.Err()
}

// migratePostgres brings a database up to date; log is warned before that
// changes one that was in use, and may be nil.
func migratePostgres(ctx context.Context, url string, log *slog.Logger) error {
	names, texts, err := migrations("postgres")
	if err != nil {
		return err
	}
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }() // the transaction has ended
	return pgx.BeginFunc(ctx, c, func(t pgx.Tx) error {
		if _, err := t.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", migrationLock); err != nil {
			return err
		}
		if _, err := t.Exec(ctx, migrationTable); err != nil {
			return err
		}
		r, err := t.Query(ctx, "SELECT name FROM migration")
		if err != nil {
			return err
		}
		done, err := pgx.CollectRows(r, pgx.RowTo[string])
		if err != nil {
			return err
		}
		applied := map[string]bool{}
		for _, n := range done {
			applied[n] = true
		}
		if err := tooNew(applied, names); err != nil {
			return err
		}
		missing := pending(names, applied, nil)
		if len(applied) > 0 && len(missing) > 0 && log != nil {
			log.Warn("the schema of the database is brought up to date; leat db backup, by the version before, makes a copy to go back to", "migrations", len(missing))
		}
		for _, name := range missing {
			for stmt := range strings.SplitSeq(texts[name], ";\n") {
				if strings.TrimSpace(stmt) == "" {
					continue
				}
				if _, err := t.Exec(ctx, stmt); err != nil {
					return fmt.Errorf("migration %s: %w in %q", name, err, stmt)
				}
			}
			if _, err := t.Exec(ctx, "INSERT INTO migration (name) VALUES ($1)", name); err != nil {
				return err
			}
		}
		return nil
	})
}
