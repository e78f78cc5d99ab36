package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/sqlite"
)

// sqliteEngine is one SQLite file in WAL mode with synchronous=FULL: one
// connection writes, several read.
type sqliteEngine struct {
	d       *dialect
	file    string
	lock    *os.File
	readers chan *sqliteConn // holds every idle reader
	n       int
}

func openSQLite(ctx context.Context, cfg Config) (*sqliteEngine, error) {
	if dir := filepath.Dir(cfg.Database); dir != "." {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	lock, err := lockFile(cfg.Database + ".lock")
	if err != nil {
		return nil, err
	}
	if err := upgradeSQLite(ctx, cfg); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	e := &sqliteEngine{d: sqliteDialect(), file: cfg.Database, lock: lock, readers: make(chan *sqliteConn, cfg.ReadConns), n: cfg.ReadConns}
	for range cfg.ReadConns {
		c, err := e.open("query_only(1)")
		if err != nil {
			return nil, err
		}
		e.readers <- c
	}
	return e, nil
}

// prepareSQLite makes the file and brings its schema up to date.
func prepareSQLite(ctx context.Context, file string) error { return makeSQLite(ctx, file, nil) }

// sqlitePragmas set up every connection to a file.
func sqlitePragmas() []string {
	return []string{
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "cache_size(-8000)",
		"wal_autocheckpoint(4000)", "journal_size_limit(67108864)", "temp_store(MEMORY)",
	}
}

// sqliteURI names a file so that nothing in its name is taken for a parameter.
func sqliteURI(file string) string {
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath()}).String()
}

// sqliteDSN is the name for database/sql, which migrations and backups use.
func sqliteDSN(file string) string {
	return sqliteURI(file) + "?" + url.Values{"_pragma": sqlitePragmas()}.Encode()
}

// newSQLiteDSN is sqliteDSN for a file that may have to be made: pages that
// become free in it can be given back to the disk a few at a time.
func newSQLiteDSN(file string) string {
	return sqliteURI(file) + "?" + url.Values{"_pragma": append([]string{"auto_vacuum(INCREMENTAL)"}, sqlitePragmas()...)}.Encode()
}

func (e *sqliteEngine) open(pragmas ...string) (*sqliteConn, error) {
	c, err := sqlite.Open(sqliteURI(e.file), append(sqlitePragmas(), pragmas...)...)
	if err != nil {
		return nil, sqliteError(err)
	}
	return &sqliteConn{c: c, stmts: map[string]*sqlite.Stmt{}, once: map[string]struct{}{}}, nil
}

func (e *sqliteEngine) dialect() *dialect { return e.d }

func (e *sqliteEngine) writer(context.Context) (writeConn, error) { return e.open() }

func (e *sqliteEngine) reader(ctx context.Context) (conn, func(), error) {
	select {
	case c := <-e.readers:
		return c, func() { e.readers <- c }, nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

func (e *sqliteEngine) listen(context.Context, func(string)) error { return nil }

func (e *sqliteEngine) close() error {
	for range e.n {
		(<-e.readers).close()
	}
	return e.lock.Close()
}

// maxOnce is how many statements whose texts were made for one call are kept prepared.
const maxOnce = 128

// sqliteConn runs statements on one connection and keeps their prepared forms.
// No context can interrupt them: an interrupted write would spoil the
// transaction of others.
type sqliteConn struct {
	c     *sqlite.Conn
	stmts map[string]*sqlite.Stmt
	// once holds the keys of stmts whose texts were made for one call.
	once   map[string]struct{}
	nWrite int
}

func (c *sqliteConn) stmt(q string) (*sqlite.Stmt, error) {
	if s, ok := c.stmts[q]; ok {
		return s, nil
	}
	s, err := c.c.Prepare(q)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", q, sqliteError(err))
	}
	c.stmts[q] = s
	return s, nil
}

func (c *sqliteConn) exec(q string, args ...any) error {
	c.nWrite++
	return c.run(q, args...)
}

func (c *sqliteConn) execN(q string, args ...any) (int64, error) {
	if err := c.exec(q, args...); err != nil {
		return 0, err
	}
	return c.c.Changes(), nil
}

func (c *sqliteConn) query(q string, args ...any) (rows, error) {
	s, err := c.stmt(q)
	if err != nil {
		return nil, err
	}
	if err := s.Bind(args...); err != nil {
		return nil, sqliteError(err)
	}
	return &sqliteRows{Stmt: s}, nil
}

func (c *sqliteConn) queryOnce(q string, args ...any) (rows, error) {
	// Texts that are made for a call are made again for the next of its kind.
	if len(c.once) >= maxOnce {
		for text := range c.once {
			c.stmts[text].Close()
			delete(c.stmts, text)
		}
		clear(c.once)
	}
	r, err := c.query(q, args...)
	if err == nil {
		c.once[q] = struct{}{}
	}
	return r, err
}

func (c *sqliteConn) begin() error { return c.run("BEGIN IMMEDIATE") }

func (c *sqliteConn) commit([]core.Topic) error { return c.run("COMMIT") }

func (c *sqliteConn) rollback() error { return c.run("ROLLBACK") }

func (c *sqliteConn) run(q string, args ...any) error {
	s, err := c.stmt(q)
	if err != nil {
		return err
	}
	return sqliteError(s.Exec(args...))
}

func (c *sqliteConn) writes() int { return c.nWrite }

func (c *sqliteConn) broken() bool { return false }

func (c *sqliteConn) close() {
	for _, s := range c.stmts {
		s.Close()
	}
	c.c.Close()
}

// sqliteRows are the rows of a statement under way.
type sqliteRows struct {
	*sqlite.Stmt
	err error
}

// Next implements rows.
func (r *sqliteRows) Next() bool {
	var more bool
	more, r.err = r.Step()
	return more
}

// Err implements rows.
func (r *sqliteRows) Err() error { return sqliteError(r.err) }

// Close implements rows.
func (r *sqliteRows) Close() { r.Reset() }

// sqliteError names the conditions that an operator can do something about.
func sqliteError(err error) error {
	var coded interface{ Code() int }
	if err == nil || !errors.As(err, &coded) {
		return err
	}
	const full, ioerr, readonly = 13, 10, 8
	switch coded.Code() & 0xff {
	case full:
		return &core.Error{Code: core.Unavailable, Message: "the disk of the database is full; nothing was stored"}
	case ioerr, readonly:
		return &core.Error{Code: core.Unavailable, Message: "the database file cannot be written; nothing was stored: " + err.Error()}
	}
	return err
}
