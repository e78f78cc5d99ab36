package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/leat-dev/leat/internal/core"
)

const (
	// connectLimit is how long a connection to Postgres may take.
	connectLimit = 5 * time.Second
	// answerLimit is how long Postgres may take to answer one round trip. A
	// connection that is silent for longer is given up, since one that leads
	// nowhere says nothing by itself for a quarter of an hour.
	answerLimit = 10 * time.Second
)

// channel is the name under which replicas tell each other of commits.
const channel = "leat"

// postgresEngine is a Postgres database shared by any number of replicas. Each
// writes on one connection; row locks and leases keep them apart.
type postgresEngine struct {
	d    *dialect
	cfg  Config
	pool *pgxpool.Pool
	url  string
}

func openPostgres(ctx context.Context, cfg Config) (*postgresEngine, error) {
	pc, err := pgxpool.ParseConfig(cfg.Database)
	if err != nil {
		return nil, err
	}
	pc.MaxConns = int32(cfg.ReadConns)
	nameConn(pc.ConnConfig)
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, err
	}
	e := &postgresEngine{d: postgresDialect(), cfg: cfg, pool: pool, url: cfg.Database}
	if err := migratePostgres(ctx, cfg.Database, cfg.Log); err != nil {
		pool.Close()
		return nil, err
	}
	return e, nil
}

// nameConn lets a server's connections be known as such, unless the database's
// URL names them otherwise.
func nameConn(cfg *pgx.ConnConfig) {
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = channel
	}
}

func (e *postgresEngine) dialect() *dialect { return e.d }

func (e *postgresEngine) writer(ctx context.Context) (writeConn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	cfg, err := pgx.ParseConfig(e.url)
	if err != nil {
		return nil, err
	}
	// The lane's statements are few, find rows by their keys and run thousands of
	// times a second. A plan that was made while a table was empty scans it whole
	// until somebody analyzes it.
	nameConn(cfg)
	cfg.RuntimeParams["enable_seqscan"] = "off"
	cfg.RuntimeParams["jit"] = "off"
	c, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return newPostgresConn(c, e.d), nil
}

func (e *postgresEngine) reader(ctx context.Context) (conn, func(), error) {
	ctx, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	c, err := e.pool.Acquire(ctx)
	if err != nil {
		return nil, nil, err
	}
	pc := newPostgresConn(c.Conn(), e.d)
	return pc, func() {
		pc.watch.Stop()
		c.Release()
	}, nil
}

// listen follows NOTIFY and connects again for as long as ctx lives. After a
// lost connection every topic is woken, since messages may have been missed.
func (e *postgresEngine) listen(ctx context.Context, wake func(string)) error {
	for ctx.Err() == nil {
		err := e.follow(ctx, wake)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the connection ended because it was told to
		}
		e.cfg.Log.Warn("connection for notifications lost; connecting again", "error", err)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
		for _, t := range core.Topics() {
			wake(string(t))
		}
	}
	return nil
}

func (e *postgresEngine) follow(ctx context.Context, wake func(string)) error {
	c, err := pgx.Connect(ctx, e.url)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }() // it only listened
	if _, err := c.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	for {
		n, err := c.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		wake(n.Payload)
	}
}

func (e *postgresEngine) close() error {
	e.pool.Close()
	return nil
}

// postgresConn queues writes and sends them with the next read or the commit
// in one round trip.
type postgresConn struct {
	c      *pgx.Conn
	d      *dialect
	queue  *pgx.Batch
	nWrite int
	failed bool
	// watch breaks the connection when an answer does not come. It runs from a
	// round trip's begin to the end of the transaction or read.
	watch *time.Timer
}

func newPostgresConn(c *pgx.Conn, d *dialect) *postgresConn {
	network := c.PgConn().Conn()
	watch := time.AfterFunc(answerLimit, func() { _ = network.Close() })
	watch.Stop()
	return &postgresConn{c: c, d: d, watch: watch}
}

func (c *postgresConn) exec(q string, args ...any) error {
	c.nWrite++
	if c.queue == nil {
		c.queue = &pgx.Batch{}
	}
	c.queue.Queue(c.d.bind(q), args...)
	return nil
}

// flush sends what is queued.
func (c *postgresConn) flush() error {
	if c.queue == nil {
		return nil
	}
	c.watch.Reset(answerLimit)
	res := c.c.SendBatch(context.Background(), c.queue)
	c.queue = nil
	return c.note(res.Close())
}

func (c *postgresConn) execN(q string, args ...any) (int64, error) {
	c.nWrite++
	if err := c.flush(); err != nil {
		return 0, err
	}
	c.watch.Reset(answerLimit)
	tag, err := c.c.Exec(context.Background(), c.d.bind(q), args...)
	return tag.RowsAffected(), c.note(err)
}

func (c *postgresConn) query(q string, args ...any) (rows, error) {
	c.watch.Reset(answerLimit)
	if c.queue == nil {
		r, err := c.c.Query(context.Background(), c.d.bind(q), args...)
		return postgresRows{r, c, nil}, c.note(err)
	}
	n := c.queue.Len()
	c.queue.Queue(c.d.bind(q), args...)
	res := c.c.SendBatch(context.Background(), c.queue)
	c.queue = nil
	for range n {
		if _, err := res.Exec(); err != nil {
			_ = res.Close() // its error is the one at hand
			return nil, c.note(err)
		}
	}
	r, err := res.Query()
	if err != nil {
		_ = res.Close()
		return nil, c.note(err)
	}
	return postgresRows{r, c, res}, nil
}

func (c *postgresConn) queryOnce(q string, args ...any) (rows, error) { return c.query(q, args...) }

func (c *postgresConn) begin() error {
	// It goes with the first statement: a round trip saved.
	c.failed = false
	c.queue = &pgx.Batch{}
	c.queue.Queue("BEGIN")
	return nil
}

func (c *postgresConn) commit(topics []core.Topic) error {
	if len(topics) > 0 {
		names := make([]string, len(topics))
		for i, t := range topics {
			names[i] = string(t)
		}
		if err := c.exec("SELECT pg_notify(?, ?)", channel, strings.Join(names, ",")); err != nil {
			return err
		}
	}
	// It goes with the last writes: when one of them fails, Postgres passes over
	// what was sent after it, COMMIT included.
	if c.queue == nil {
		c.queue = &pgx.Batch{}
	}
	c.queue.Queue("COMMIT")
	err := c.flush()
	c.watch.Stop()
	var told *pgconn.PgError
	if err != nil && !errors.As(err, &told) && !pgconn.SafeToRetry(err) {
		return fmt.Errorf("%w: %w", errUncertain, err)
	}
	return err
}

func (c *postgresConn) rollback() error {
	c.queue = nil
	defer c.watch.Stop()
	if c.c.IsClosed() {
		return errors.New("connection closed")
	}
	c.watch.Reset(answerLimit)
	_, err := c.c.Exec(context.Background(), "ROLLBACK")
	return err
}

func (c *postgresConn) writes() int { return c.nWrite }

func (c *postgresConn) broken() bool { return c.failed }

func (c *postgresConn) close() {
	c.watch.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.c.Close(ctx) // the connection is given up whatever it says
}

// note remembers that the open transaction can only be rolled back.
func (c *postgresConn) note(err error) error {
	if err != nil {
		c.failed = true
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

// postgresRows ends the batch with which its query was sent.
type postgresRows struct {
	pgx.Rows
	c     *postgresConn
	batch pgx.BatchResults
}

func (r postgresRows) Close() {
	r.Rows.Close()
	if r.batch != nil {
		_ = r.batch.Close() // errors of the rows are in Err
	}
	_ = r.c.note(r.Err())
}

// postgresRetryable tells conflicts with other replicas and lost connections.
func postgresRetryable(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case "40001", "40P01", "55P03":
			return true
		case "23505":
			// Another replica stored the same name meanwhile; run again, the closure
			// finds it and says so.
			return true
		}
	}
	return postgresLost(err)
}

// postgresLost tells a connection that broke or cannot be made.
func postgresLost(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case "57P01", "57P02", "57P03", "53300":
			return true
		}
		return strings.HasPrefix(pg.Code, "08")
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		pgconn.SafeToRetry(err)
}
