package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"

	"github.com/leat-dev/leat/internal/core"
)

// Backup writes all that a database holds into a new SQLite file, whatever the
// database is, while servers go on using it. The file is a leat database itself.
func Backup(ctx context.Context, database, file string) error {
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return core.Errorf(core.Conflict, "%s is there already; a backup overwrites nothing", file)
	}
	if !isPostgres(database) {
		return backupSQLite(ctx, database, file)
	}
	return withPostgres(ctx, database, func(src *sql.Tx) error {
		return withSQLite(ctx, file, func(dst *sql.Tx) error { return copyTables(ctx, src, dst, "?") })
	}, sql.LevelRepeatableRead)
}

// Restore fills an empty database from a file that Backup wrote. A database
// that holds anything is refused.
func Restore(ctx context.Context, file, database string) error {
	if _, err := os.Stat(file); err != nil {
		return err
	}
	if !isPostgres(database) {
		return restoreSQLite(ctx, file, database)
	}
	if err := migratePostgres(ctx, database); err != nil {
		return err
	}
	return withSQLite(ctx, file, func(src *sql.Tx) error {
		return withPostgres(ctx, database, func(dst *sql.Tx) error {
			if err := mustBeEmpty(ctx, dst); err != nil {
				return err
			}
			if err := copyTables(ctx, src, dst, "$"); err != nil {
				return err
			}
			return restartSequences(ctx, dst)
		}, sql.LevelDefault)
	})
}

func isPostgres(database string) bool {
	return strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://")
}

// backupSQLite reads a consistent state of the file beside its server.
func backupSQLite(ctx context.Context, database, file string) error {
	if _, err := os.Stat(database); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", sqliteDSN(database))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", file)
	return errors.Join(sqliteError(err), db.Close())
}

func restoreSQLite(ctx context.Context, file, database string) error {
	lock, err := lockFile(database + ".lock")
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }() // nothing was written by it
	if _, err := os.Stat(database); err == nil {
		err := withSQLite(ctx, database, func(dst *sql.Tx) error { return mustBeEmpty(ctx, dst) })
		if err != nil {
			return err
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(database + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return backupSQLite(ctx, file, database)
}

// withSQLite opens a file, made if need be, and runs fn in a transaction.
func withSQLite(ctx context.Context, file string, fn func(*sql.Tx) error) error {
	db, err := sql.Open("sqlite", sqliteDSN(file))
	if err != nil {
		return err
	}
	err = migrateSQLite(ctx, db)
	if err == nil {
		err = inTx(ctx, db, sql.LevelDefault, fn)
	}
	return errors.Join(err, db.Close())
}

func withPostgres(ctx context.Context, url string, fn func(*sql.Tx) error, level sql.IsolationLevel) error {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	return errors.Join(inTx(ctx, db, level, fn), db.Close())
}

func inTx(ctx context.Context, db *sql.DB, level sql.IsolationLevel, fn func(*sql.Tx) error) error {
	t, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: level})
	if err != nil {
		return err
	}
	if err := fn(t); err != nil {
		return errors.Join(err, t.Rollback())
	}
	return t.Commit()
}

func mustBeEmpty(ctx context.Context, t *sql.Tx) error {
	for _, table := range dataTables() {
		var n int
		if err := t.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM "+table+" LIMIT 1) x").Scan(&n); err != nil {
			return err
		}
		if n > 0 && table != "lease" {
			return core.Errorf(core.Conflict, "the database is not empty (table %s holds rows); restore into a new one", table)
		}
	}
	return nil
}

// copyTables copies every data table. mark is "?" for SQLite's placeholders, "$" for numbered ones.
func copyTables(ctx context.Context, src, dst *sql.Tx, mark string) error {
	for _, table := range dataTables() {
		if table == "lease" {
			continue // says who works now, not what is stored
		}
		if err := copyTable(ctx, src, dst, table, mark); err != nil {
			return fmt.Errorf("table %s: %w", table, err)
		}
	}
	return nil
}

func copyTable(ctx context.Context, src, dst *sql.Tx, table, mark string) error {
	r, err := src.QueryContext(ctx, "SELECT * FROM "+table)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // what went wrong is in Err
	types, err := r.ColumnTypes()
	if err != nil {
		return err
	}
	var columns []string
	for _, c := range types {
		if c.Name() != "tx" { // Postgres fills it by itself
			columns = append(columns, c.Name())
		}
	}
	values := "VALUES (" + placeholders(len(columns)) + ")"
	if mark == "$" {
		values = "OVERRIDING SYSTEM VALUE " + numbered(values)
	}
	insert, err := dst.PrepareContext(ctx, "INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") "+values)
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }() // its rows are in the transaction
	row := make([]any, len(types))
	dest := make([]any, len(types))
	for i := range row {
		dest[i] = &row[i]
	}
	for r.Next() {
		if err := r.Scan(dest...); err != nil {
			return err
		}
		args := make([]any, 0, len(columns))
		for i, c := range types {
			if n, ok := row[i].(int64); ok && c.DatabaseTypeName() == "BOOLEAN" {
				row[i] = n != 0 // SQLite has no booleans of its own
			}
			if c.Name() != "tx" {
				args = append(args, row[i])
			}
		}
		if _, err := insert.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return r.Err()
}

// restartSequences lets numbers go on after the highest that was restored.
func restartSequences(ctx context.Context, t *sql.Tx) error {
	for _, table := range []string{"log", "event"} {
		_, err := t.ExecContext(ctx, "SELECT setval(pg_get_serial_sequence('"+table+"', 'seq'), (SELECT coalesce(max(seq), 0) + 1 FROM "+table+"), false)")
		if err != nil {
			return err
		}
	}
	return nil
}
