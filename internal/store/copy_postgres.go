package store

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/leat-dev/leat/internal/core"
)

// postgresEnd is a Postgres database that rows are copied from or to.
type postgresEnd struct {
	c  *pgx.Conn
	tx pgx.Tx
}

// openPostgresEnd begins a transaction that sees one state of the database.
func openPostgresEnd(ctx context.Context, url string, write bool) (*postgresEnd, error) {
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	mode := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	if write {
		mode = pgx.TxOptions{}
	}
	t, err := c.BeginTx(ctx, mode)
	if err != nil {
		return nil, errors.Join(err, c.Close(ctx))
	}
	return &postgresEnd{c, t}, nil
}

func (e *postgresEnd) commit(ctx context.Context) error { return e.tx.Commit(ctx) }

// close rolls back what was not committed.
func (e *postgresEnd) close(ctx context.Context) {
	_ = e.c.Close(context.WithoutCancel(ctx)) // nothing is left to be said
}

func (e *postgresEnd) postgres() bool { return true }

// text leaves out what Postgres does not store in a text.
func (e *postgresEnd) text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// served refuses a database that servers use.
func (e *postgresEnd) served(ctx context.Context) error {
	r, err := e.query(ctx, 1, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND (query = 'LISTEN "+channel+"' OR application_name = '"+channel+"')")
	if err != nil {
		return err
	}
	n, err := oneNumber(r)
	if err == nil && n > 0 {
		err = core.Errorf(core.Conflict, "a leat server uses this database; stop every server on it first")
	}
	return err
}

// lock keeps servers from starting on the database meanwhile.
func (e *postgresEnd) lock(ctx context.Context) error {
	_, err := e.tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", migrationLock)
	return err
}

func (e *postgresEnd) applied(ctx context.Context) (map[string]bool, error) {
	return appliedTo(ctx, e)
}

func (e *postgresEnd) query(ctx context.Context, _ int, q string) (cursor, error) {
	r, err := e.tx.Query(ctx, q)
	return postgresCursor{r}, err
}

func (e *postgresEnd) tables(ctx context.Context) (map[string][]column, error) {
	r, err := e.query(ctx, 3, `SELECT c.table_name::text, c.column_name::text, c.data_type::text FROM information_schema.columns c
		JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name AND t.table_type = 'BASE TABLE'
		WHERE c.table_schema = current_schema() ORDER BY c.table_name, c.ordinal_position`)
	if err != nil {
		return nil, err
	}
	return collectTables(r)
}

func (e *postgresEnd) rows(ctx context.Context, table string, columns []column, order string) (cursor, error) {
	return e.query(ctx, len(columns), selectAll(table, columns, order))
}

func (e *postgresEnd) count(ctx context.Context, table string) (int64, error) {
	r, err := e.query(ctx, 1, `SELECT count(*) FROM "`+table+`"`)
	if err != nil {
		return 0, err
	}
	return oneNumber(r)
}

func (e *postgresEnd) clear(ctx context.Context, tables []string) error {
	_, err := e.tx.Exec(ctx, `TRUNCATE "`+strings.Join(tables, `", "`)+`"`)
	return err
}

func (e *postgresEnd) fill(ctx context.Context, table string, columns []column, next func() ([]any, error)) error {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	_, err := e.tx.CopyFrom(ctx, pgx.Identifier{table}, names, pgx.CopyFromFunc(next))
	return err
}

// numberOn lets numbers go on after the highest that was stored, and tells the
// planner what there is now.
func (e *postgresEnd) numberOn(ctx context.Context) error {
	for _, table := range []string{"log", "event"} {
		_, err := e.tx.Exec(ctx, "SELECT setval(pg_get_serial_sequence('"+table+"', 'seq'), (SELECT greatest(max(seq), 0) + 1 FROM "+table+"), false)")
		if err != nil {
			return err
		}
	}
	_, err := e.tx.Exec(ctx, "ANALYZE")
	return err
}

// postgresCursor reads the rows of a query.
type postgresCursor struct{ r pgx.Rows }

func (c postgresCursor) next() ([]any, error) {
	if !c.r.Next() {
		return nil, c.r.Err()
	}
	return c.r.Values()
}

func (c postgresCursor) close() { c.r.Close() }
