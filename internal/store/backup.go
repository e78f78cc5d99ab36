package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"

	"github.com/leat-dev/leat/internal/core"
)

// Backup writes all that a database holds into a new SQLite file, whatever the
// database is, while servers go on using it. The file is a leat database itself,
// with the schema that the database has.
func Backup(ctx context.Context, database, file string) error {
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return core.Errorf(core.Conflict, "%s is there already; a backup overwrites nothing", file)
	}
	if !isPostgres(database) {
		return backupSQLite(ctx, database, file)
	}
	src, done, err := openSource(ctx, database, false)
	if err != nil {
		return err
	}
	defer done()
	applied, err := src.applied(ctx)
	if err != nil {
		return err
	}
	known, _, err := migrations("postgres")
	if err != nil {
		return err
	}
	if len(applied) == 0 {
		return core.Errorf(core.Conflict, "%s holds no tables of leat's", Redacted(database))
	}
	if err := tooNew(applied, known); err != nil {
		return err
	}
	_, err = copyInto(ctx, src, file, applied, copyOptions{})
	return err
}

// Restore fills an empty database from a file that Backup wrote, also one of an
// older leat's. A database that holds anything is refused.
func Restore(ctx context.Context, file, database string) error {
	if _, err := os.Stat(file); err != nil {
		return err
	}
	if !isPostgres(database) {
		return restoreSQLite(ctx, file, database)
	}
	// The backup stays as it is: a copy of it is brought up to date.
	current := file + ".current"
	if err := errors.Join(removeDatabase(current), backupSQLite(ctx, file, current)); err != nil {
		return err
	}
	err := prepareSQLite(ctx, current)
	if err == nil {
		_, err = MoveDatabase(ctx, Move{From: current, To: database})
	}
	return errors.Join(err, removeDatabase(current), removeDatabase(current+".lock"))
}

func isPostgres(database string) bool {
	return strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://")
}

// Redacted names a database without the password in it.
func Redacted(database string) string {
	if !isPostgres(database) {
		return database
	}
	u, err := url.Parse(database)
	if err != nil {
		return "the Postgres database" // nobody knows where in it the password is
	}
	if q := u.Query(); q.Has("password") {
		q.Set("password", "xxxxx")
		u.RawQuery = q.Encode()
	}
	return u.Redacted()
}

// backupSQLite copies a consistent state of the file beside its server. The copy
// has its name when it is whole.
func backupSQLite(ctx context.Context, database, file string) error {
	if _, err := os.Stat(database); err != nil {
		return err
	}
	partial := file + ".partial"
	if err := removeDatabase(partial); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", sqliteDSN(database))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", partial)
	err = errors.Join(sqliteError(err), db.Close())
	if err == nil {
		err = syncFile(partial)
	}
	if err == nil {
		err = os.Rename(partial, file)
	}
	if err != nil {
		return errors.Join(full(err, file), removeDatabase(partial))
	}
	return nil
}

func restoreSQLite(ctx context.Context, file, database string) error {
	lock, err := lockFile(database + ".lock")
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }() // nothing was written by it
	if err := mayReplace(ctx, database, false); err != nil {
		return err
	}
	if err := removeDatabase(database); err != nil {
		return err
	}
	if err := backupSQLite(ctx, file, database); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}
