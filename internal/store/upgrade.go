package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// keptBackups is how many copies from before upgrades are kept.
const keptBackups = 2

// SchemaState says how a database's schema stands to ours.
type SchemaState struct {
	// Applied is the last migration that the database has, "" for none.
	Applied string `json:"applied"`
	// Pending are the migrations that it lacks.
	Pending []string `json:"pending"`
}

// Schema reads how a database's schema stands, and changes nothing. A database
// that does not exist has no schema; one of a newer leat is an error.
func Schema(ctx context.Context, database string) (SchemaState, error) {
	known, _, err := migrations(migrationsOf(isPostgres(database)))
	if err != nil {
		return SchemaState{}, err
	}
	applied := map[string]bool{}
	src, done, err := openSource(ctx, database, false)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return SchemaState{}, err
	default:
		defer done()
		if applied, err = src.applied(ctx); err != nil {
			return SchemaState{}, err
		}
	}
	out := SchemaState{Pending: pending(known, applied, nil)}
	for name := range applied {
		out.Applied = max(out.Applied, name)
	}
	return out, tooNew(applied, known)
}

// Upgrade brings a database's schema up to date, as opening it does, with a copy
// before that if the configuration asks for one. No server may use a SQLite file.
func Upgrade(ctx context.Context, cfg Config) error {
	s, err := Open(ctx, cfg)
	if err != nil {
		return err
	}
	return s.Close()
}

// upgradeSQLite makes the file or brings its schema up to date. The caller holds its lock.
func upgradeSQLite(ctx context.Context, cfg Config) error {
	backup := ""
	if cfg.BackupBeforeUpgrade {
		state, err := Schema(ctx, cfg.Database)
		if err != nil {
			return err
		}
		if state.Applied != "" && len(state.Pending) > 0 {
			if backup, err = backupBefore(ctx, cfg, state); err != nil {
				return err
			}
		}
	}
	if err := prepareSQLite(ctx, cfg.Database); err != nil {
		if backup != "" {
			err = fmt.Errorf("%w; the database as it was is in %s", err, backup)
		}
		return err
	}
	if backup != "" {
		return dropOldBackups(cfg.Database)
	}
	return nil
}

// backupBefore copies a file before its schema is changed, and returns the
// copy's name; "" when there is nothing to lose.
func backupBefore(ctx context.Context, cfg Config, state SchemaState) (string, error) {
	empty, err := holdsNothing(ctx, cfg.Database)
	if err != nil || empty {
		return "", err
	}
	info, err := os.Stat(cfg.Database)
	if err != nil {
		return "", err
	}
	at := cfg.Now()
	if at.IsZero() {
		at = info.ModTime()
	}
	number, _, _ := strings.Cut(state.Pending[len(state.Pending)-1], "_")
	name := cfg.Database + ".before-" + number + "-" + at.UTC().Format("20060102-150405")
	const instead = "; free some, or start with --backup-before-upgrade=false if there is another backup"
	if free, ok := freeBytes(filepath.Dir(cfg.Database)); ok && free < uint64(info.Size()) {
		return "", core.Errorf(core.Unavailable, "the database is to be brought up to date, and there is no room for a copy of it before that: "+
			"%d bytes are free where %d are needed"+instead, free, info.Size())
	}
	start := cfg.Now()
	if err := backupSQLite(ctx, cfg.Database, name); err != nil {
		return "", fmt.Errorf("copy of the database before its schema is brought up to date: %w"+instead, err)
	}
	cfg.Log.Info("the database was copied before its schema is brought up to date", "copy", name, "bytes", info.Size(),
		"took", cfg.Now().Sub(start).Round(time.Millisecond), "migrations", len(state.Pending))
	return name, nil
}

// holdsNothing reports whether a file's tables are empty.
func holdsNothing(ctx context.Context, file string) (bool, error) {
	err := mayReplace(ctx, file, false)
	if core.CodeOf(err) == core.Conflict {
		return false, nil
	}
	return err == nil, err
}

// dropOldBackups removes all but the newest copies from before upgrades.
func dropOldBackups(database string) error {
	entries, err := os.ReadDir(filepath.Dir(database))
	if err != nil {
		return err
	}
	type copied struct {
		name string
		at   time.Time
	}
	var all []copied
	for _, e := range entries {
		rest, found := strings.CutPrefix(e.Name(), filepath.Base(database)+".before-")
		if info, err := e.Info(); found && len(rest) == len("0000-20060102-150405") && err == nil {
			all = append(all, copied{filepath.Join(filepath.Dir(database), e.Name()), info.ModTime()})
		}
	}
	slices.SortFunc(all, func(a, b copied) int { return b.at.Compare(a.at) })
	for _, c := range all[min(keptBackups, len(all)):] {
		if err := os.Remove(c.name); err != nil {
			return err
		}
	}
	return nil
}

// Vacuum writes a database anew without the space that is free in it, and in
// the form in which that can be given back as it comes. A SQLite file must not be
// served meanwhile; on Postgres servers go on, and space is freed for new rows.
func Vacuum(ctx context.Context, database string) error {
	if isPostgres(database) {
		return vacuumPostgres(ctx, database)
	}
	info, err := os.Stat(database)
	if err != nil {
		return err
	}
	lock, err := lockFile(database + ".lock")
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }() // nothing was written by it
	if free, ok := freeBytes(filepath.Dir(database)); ok && free < uint64(info.Size()) {
		return core.Errorf(core.Unavailable, "the file is written anew, and there is no room for that: %d bytes are free where %d are needed", free, info.Size())
	}
	db, err := sql.Open("sqlite", newSQLiteDSN(database))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1) // the form is the connection's
	_, err = db.ExecContext(ctx, "VACUUM")
	return errors.Join(sqliteError(err), db.Close())
}

func vacuumPostgres(ctx context.Context, url string) error {
	e, err := openPostgresEnd(ctx, url, false)
	if err != nil {
		return err
	}
	defer e.close(ctx)
	tables, err := e.tables(ctx)
	if err != nil {
		return err
	}
	if err := e.tx.Rollback(ctx); err != nil { // it cannot run in a transaction
		return err
	}
	for _, table := range append(derivedTables(), dataTables()...) {
		if _, ok := tables[table]; !ok {
			continue
		}
		if _, err := e.c.Exec(ctx, `VACUUM (ANALYZE) "`+table+`"`); err != nil {
			return fmt.Errorf("table %s: %w", table, err)
		}
	}
	return nil
}
