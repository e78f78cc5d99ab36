package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/leat-dev/leat/internal/core"
)

// sqliteEngine is one SQLite file in WAL mode with synchronous=FULL: one
// connection writes, several read.
type sqliteEngine struct {
	d       *dialect
	db      *sql.DB
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
	db, err := sql.Open("sqlite", sqliteDSN(cfg.Database))
	if err != nil {
		return nil, err
	}
	db.SetMaxIdleConns(cfg.ReadConns + 2)
	e := &sqliteEngine{d: sqliteDialect(), db: db, lock: lock, readers: make(chan *sqliteConn, cfg.ReadConns), n: cfg.ReadConns}
	if err := migrateSQLite(ctx, db); err != nil {
		return nil, err
	}
	for range cfg.ReadConns {
		c, err := e.open(ctx)
		if err != nil {
			return nil, err
		}
		if _, err := c.c.ExecContext(ctx, "PRAGMA query_only = 1"); err != nil {
			return nil, err
		}
		e.readers <- c
	}
	return e, nil
}

// sqliteDSN says how every connection to a file is set up.
func sqliteDSN(file string) string {
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(), RawQuery: url.Values{
		"_pragma": {
			"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "cache_size(-8000)",
			"wal_autocheckpoint(4000)", "journal_size_limit(67108864)", "temp_store(MEMORY)",
		},
	}.Encode()}
	return dsn.String()
}

func (e *sqliteEngine) open(ctx context.Context) (*sqliteConn, error) {
	c, err := e.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &sqliteConn{c: c, stmts: map[string]*sql.Stmt{}, once: map[string]struct{}{}}, nil
}

func (e *sqliteEngine) dialect() *dialect { return e.d }

func (e *sqliteEngine) writer(ctx context.Context) (writeConn, error) { return e.open(ctx) }

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
	err := e.db.Close()
	if cerr := e.lock.Close(); err == nil {
		err = cerr
	}
	return err
}

// maxOnce is how many statements whose texts were made for one call are kept prepared.
const maxOnce = 128

// sqliteConn runs statements on one connection and keeps the prepared form of
// those with constant text. Its statements get no cancellable context: an
// interrupted write would spoil the transaction of others.
type sqliteConn struct {
	c     *sql.Conn
	stmts map[string]*sql.Stmt
	// once holds the keys of stmts whose texts were made for one call.
	once   map[string]struct{}
	nWrite int
}

func (c *sqliteConn) stmt(q string) (*sql.Stmt, error) {
	if s, ok := c.stmts[q]; ok {
		return s, nil
	}
	s, err := c.c.PrepareContext(context.Background(), q)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", q, err)
	}
	c.stmts[q] = s
	return s, nil
}

func (c *sqliteConn) exec(q string, args ...any) error {
	_, err := c.execN(q, args...)
	return err
}

func (c *sqliteConn) execN(q string, args ...any) (int64, error) {
	c.nWrite++
	s, err := c.stmt(q)
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, sqliteError(err)
	}
	return res.RowsAffected()
}

func (c *sqliteConn) query(q string, args ...any) (rows, error) {
	s, err := c.stmt(q)
	if err != nil {
		return nil, err
	}
	r, err := s.QueryContext(context.Background(), args...)
	if err != nil {
		return nil, sqliteError(err)
	}
	return sqliteRows{r}, nil
}

func (c *sqliteConn) queryOnce(q string, args ...any) (rows, error) {
	// Texts that are made for a call are made again for the next of its kind.
	if len(c.once) >= maxOnce {
		for text := range c.once {
			_ = c.stmts[text].Close() // a read leaves nothing behind
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

func (c *sqliteConn) begin() error { return c.control("BEGIN IMMEDIATE") }

func (c *sqliteConn) commit([]core.Topic) error { return c.control("COMMIT") }

func (c *sqliteConn) rollback() error { return c.control("ROLLBACK") }

func (c *sqliteConn) control(q string) error {
	s, err := c.stmt(q)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(context.Background())
	return sqliteError(err)
}

func (c *sqliteConn) writes() int { return c.nWrite }

func (c *sqliteConn) broken() bool { return false }

func (c *sqliteConn) close() {
	for _, s := range c.stmts {
		_ = s.Close()
	}
	_ = c.c.Close() // the connection is given up whatever it says
}

// sqliteRows drops the error of Close, which Err tells as well.
type sqliteRows struct{ *sql.Rows }

func (r sqliteRows) Close() { _ = r.Rows.Close() }

func (r sqliteRows) Err() error { return sqliteError(r.Rows.Err()) }

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
