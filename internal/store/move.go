package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/leat-dev/leat/internal/core"
)

// Move says what is moved whither.
type Move struct {
	// From and To are file names or postgres:// URLs.
	From, To string
	// Force overwrites a target that is not empty.
	Force bool
	// Told is told of each table before it is copied, and before it is read again
	// to be compared; nil is allowed.
	Told func(table string)
}

// MoveDatabase copies all that a database holds into another, all or nothing,
// and compares what arrived with what was there. No server may use either. The
// source stays as it is.
func MoveDatabase(ctx context.Context, m Move) (*Copied, error) {
	if m.From == m.To {
		return nil, core.Errorf(core.Invalid, "the database is to be moved to where it is")
	}
	src, done, err := openSource(ctx, m.From, true)
	if err != nil {
		return nil, fmt.Errorf("the database to move: %w", err)
	}
	defer done()
	if err := mustBeNewest(ctx, src, m.From); err != nil {
		return nil, fmt.Errorf("the database to move: %w", err)
	}
	if !isPostgres(m.To) {
		lock, err := lockFile(m.To + ".lock")
		if err != nil {
			return nil, err
		}
		defer func() { _ = lock.Close() }() // nothing was written by it
	}
	out, err := copyInto(ctx, src, m.To, nil, copyOptions{overwrite: m.Force, told: m.Told})
	if err != nil {
		return nil, fmt.Errorf("move to %s: %w", Redacted(m.To), err)
	}
	return out, nil
}

// openSource begins to read a database. With alone it is refused when a server uses it.
func openSource(ctx context.Context, database string, alone bool) (src end, done func(), err error) {
	if isPostgres(database) {
		p, err := openPostgresEnd(ctx, database, false)
		if err != nil {
			return nil, nil, err
		}
		if alone {
			if err := p.served(ctx); err != nil {
				p.close(ctx)
				return nil, nil, err
			}
		}
		return p, func() { p.close(ctx) }, nil
	}
	if _, err := os.Stat(database); err != nil {
		return nil, nil, err
	}
	release := func() {}
	if alone {
		lock, err := lockFile(database + ".lock")
		if err != nil {
			return nil, nil, err
		}
		release = func() { _ = lock.Close() } // nothing was written by it
	}
	s, err := openSQLiteEnd(database, "busy_timeout(10000)", "query_only(1)", "cache_size(-64000)")
	if err != nil {
		release()
		return nil, nil, err
	}
	return s, func() { s.c.Close(); release() }, nil
}

// migrationsOf names the folder of a database's migrations.
func migrationsOf(postgres bool) string {
	if postgres {
		return "postgres"
	}
	return "sqlite"
}

// mustBeNewest refuses a database whose schema is not the one that we know.
func mustBeNewest(ctx context.Context, e end, name string) error {
	applied, err := e.applied(ctx)
	if err != nil {
		return err
	}
	known, _, err := migrations(migrationsOf(e.postgres()))
	if err != nil {
		return err
	}
	if len(applied) == 0 {
		return core.Errorf(core.Conflict, "%s holds no tables of leat's", Redacted(name))
	}
	if err := tooNew(applied, known); err != nil {
		return err
	}
	if missing := pending(known, applied, nil); len(missing) > 0 {
		return core.Errorf(core.Conflict, "%s was last used by an older leat (migration %s is missing); bring it up to date first: leat db upgrade", Redacted(name), missing[0])
	}
	return nil
}

// copyInto makes a database that holds what the source holds. only restricts
// its schema, when it is a new file, to the source's.
func copyInto(ctx context.Context, src end, to string, only map[string]bool, opt copyOptions) (*Copied, error) {
	if isPostgres(to) {
		return copyIntoPostgres(ctx, src, to, opt)
	}
	return copyIntoFile(ctx, src, to, only, opt)
}

func copyIntoPostgres(ctx context.Context, src end, url string, opt copyOptions) (*Copied, error) {
	if err := migratePostgres(ctx, url, nil); err != nil {
		return nil, err
	}
	dst, err := openPostgresEnd(ctx, url, true)
	if err != nil {
		return nil, err
	}
	defer dst.close(ctx)
	if err := dst.lock(ctx); err != nil {
		return nil, err
	}
	if err := dst.served(ctx); err != nil {
		return nil, err
	}
	out, err := copyAll(ctx, src, dst, opt)
	if err != nil {
		return nil, err
	}
	return out, dst.commit(ctx)
}

// copyIntoFile writes another file beside the target, which takes its name in
// the end.
func copyIntoFile(ctx context.Context, src end, file string, only map[string]bool, opt copyOptions) (out *Copied, err error) {
	if err := mayReplace(ctx, file, opt.overwrite); err != nil {
		return nil, err
	}
	partial := file + ".partial"
	defer func() {
		if err != nil {
			err = errors.Join(full(err, file), removeDatabase(partial))
		}
	}()
	if err := removeDatabase(partial); err != nil {
		return nil, err
	}
	if err := makeSQLite(ctx, partial, only); err != nil {
		return nil, err
	}
	if out, err = fillFile(ctx, src, partial, opt); err != nil {
		return nil, err
	}
	if err := removeDatabase(file); err != nil {
		return nil, err
	}
	return out, os.Rename(partial, file)
}

// makeSQLite makes a new file with the schema.
func makeSQLite(ctx context.Context, file string, only map[string]bool) error {
	db, err := sql.Open("sqlite", newSQLiteDSN(file))
	if err != nil {
		return err
	}
	return errors.Join(migrateSQLite(ctx, db, only), db.Close())
}

// fillFile fills a new file, which is worth nothing until all is in it, and
// makes sure that the disk has it.
func fillFile(ctx context.Context, src end, file string, opt copyOptions) (*Copied, error) {
	dst, err := openSQLiteEnd(file, "journal_mode(OFF)", "synchronous(OFF)", "cache_size(-64000)", "locking_mode(EXCLUSIVE)")
	if err != nil {
		return nil, err
	}
	defer dst.c.Close()
	out, err := copyAll(ctx, src, dst, opt)
	if err != nil {
		return nil, err
	}
	if err := dst.commit(); err != nil {
		return nil, err
	}
	return out, syncFile(file)
}

func syncFile(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// mayReplace refuses a file that holds something.
func mayReplace(ctx context.Context, file string, overwrite bool) error {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	e, err := openSQLiteEnd(file, "busy_timeout(10000)", "query_only(1)")
	if err != nil {
		return fmt.Errorf("%s is there and is no database: %w", file, err)
	}
	defer e.c.Close()
	tables, err := e.tables(ctx)
	if err != nil {
		return fmt.Errorf("%s is there and is no database: %w", file, err)
	}
	if len(tables) > 0 && tables["migration"] == nil {
		return core.Errorf(core.Conflict, "%s is a database, but none of leat's", file)
	}
	applied, err := e.applied(ctx)
	if err != nil {
		return err
	}
	known, _, err := migrations("sqlite")
	if err != nil {
		return err
	}
	if err := tooNew(applied, known); err != nil {
		return err
	}
	if overwrite {
		return nil
	}
	var own []string
	for _, table := range slices.Sorted(maps.Keys(tables)) {
		if !slices.Contains(notCopied(), table) {
			own = append(own, table)
		}
	}
	return mustBeEmpty(ctx, e, own)
}

// removeDatabase removes a file with what SQLite keeps beside it.
func removeDatabase(file string) error {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(file + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
