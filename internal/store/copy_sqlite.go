package store

import (
	"context"
	"errors"
	"strings"

	"github.com/leat-dev/leat/internal/sqlite"
)

// sqliteEnd is a SQLite file that rows are copied from or to.
type sqliteEnd struct{ c *sqlite.Conn }

// openSQLiteEnd begins a transaction on a file.
func openSQLiteEnd(file string, pragmas ...string) (*sqliteEnd, error) {
	c, err := sqlite.Open(sqliteURI(file), pragmas...)
	if err != nil {
		return nil, sqliteError(err)
	}
	if err := c.Exec("BEGIN"); err != nil {
		c.Close()
		return nil, sqliteError(err)
	}
	return &sqliteEnd{c}, nil
}

func (e *sqliteEnd) commit() error { return sqliteError(e.c.Exec("COMMIT")) }

func (e *sqliteEnd) postgres() bool { return false }

func (e *sqliteEnd) text(s string) string { return s }

func (e *sqliteEnd) numberOn(context.Context) error { return nil }

func (e *sqliteEnd) applied(ctx context.Context) (map[string]bool, error) {
	return appliedTo(ctx, e)
}

func (e *sqliteEnd) query(ctx context.Context, width int, q string) (cursor, error) {
	s, err := e.c.Prepare(q)
	if err != nil {
		return nil, sqliteError(err)
	}
	if err := s.Bind(); err != nil {
		s.Close()
		return nil, sqliteError(err)
	}
	r := &sqliteCursor{ctx: ctx, s: s, row: make([]any, width), dest: make([]any, width)}
	for i := range r.row {
		r.dest[i] = &r.row[i]
	}
	return r, nil
}

func (e *sqliteEnd) tables(ctx context.Context) (map[string][]column, error) {
	r, err := e.query(ctx, 3, `SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid`)
	if err != nil {
		return nil, err
	}
	return collectTables(r)
}

func (e *sqliteEnd) rows(ctx context.Context, table string, columns []column, order string) (cursor, error) {
	return e.query(ctx, len(columns), selectAll(table, columns, order))
}

func (e *sqliteEnd) count(ctx context.Context, table string) (int64, error) {
	r, err := e.query(ctx, 1, `SELECT count(*) FROM "`+table+`"`)
	if err != nil {
		return 0, err
	}
	return oneNumber(r)
}

func (e *sqliteEnd) clear(_ context.Context, tables []string) error {
	for _, t := range tables {
		if err := e.c.Exec(`DELETE FROM "` + t + `"`); err != nil {
			return sqliteError(err)
		}
	}
	return nil
}

func (e *sqliteEnd) fill(ctx context.Context, table string, columns []column, next func() ([]any, error)) (err error) {
	s, err := e.c.Prepare(`INSERT INTO "` + table + `" (` + columnList(columns) + ") VALUES (" + placeholders(len(columns)) + ")")
	if err != nil {
		return sqliteError(err)
	}
	defer s.Close()
	for n := 0; ; n++ {
		if n%1000 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row, err := next()
		if err != nil || row == nil {
			return err
		}
		if err := s.Exec(row...); err != nil {
			return sqliteError(err)
		}
	}
}

// sqliteCursor reads the rows of a statement.
type sqliteCursor struct {
	ctx       context.Context //nolint:containedctx // it ends with the statement
	s         *sqlite.Stmt
	row, dest []any
	n         int
}

func (r *sqliteCursor) next() ([]any, error) {
	if r.n++; r.n%1000 == 0 && r.ctx.Err() != nil {
		return nil, r.ctx.Err()
	}
	more, err := r.s.Step()
	if err != nil || !more {
		return nil, sqliteError(err)
	}
	return r.row, r.s.Scan(r.dest...)
}

func (r *sqliteCursor) close() { r.s.Close() }

// selectAll reads the columns of all rows of a table.
func selectAll(table string, columns []column, order string) string {
	q := "SELECT " + columnList(columns) + ` FROM "` + table + `"`
	if order != "" {
		q += " ORDER BY " + order
	}
	return q
}

func columnList(columns []column) string {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = `"` + c.name + `"`
	}
	return strings.Join(quoted, ", ")
}

// kindOf names the type of a column as it was declared.
func kindOf(declared string) string {
	switch strings.ToLower(declared) {
	case "bigint", "integer":
		return "bigint"
	case "boolean":
		return "boolean"
	case "double precision":
		return "double"
	}
	return "text"
}

// collectTables reads rows of table, column and declared type.
func collectTables(r cursor) (map[string][]column, error) {
	defer r.close()
	out := map[string][]column{}
	for {
		row, err := r.next()
		if err != nil || row == nil {
			return out, err
		}
		table, _ := row[0].(string)
		name, _ := row[1].(string)
		declared, _ := row[2].(string)
		out[table] = append(out[table], column{name, kindOf(declared)})
	}
}

func oneNumber(r cursor) (int64, error) {
	defer r.close()
	row, err := r.next()
	if err != nil {
		return 0, err
	}
	if row == nil {
		return 0, errors.New("no row came for a number")
	}
	n, _ := row[0].(int64)
	return n, nil
}

// appliedTo reads which migrations a database has.
func appliedTo(ctx context.Context, e end) (map[string]bool, error) {
	tables, err := e.tables(ctx)
	if err != nil || tables["migration"] == nil {
		return nil, err
	}
	r, err := e.rows(ctx, "migration", []column{{"name", "text"}}, "")
	if err != nil {
		return nil, err
	}
	defer r.close()
	out := map[string]bool{}
	for {
		row, err := r.next()
		if err != nil || row == nil {
			return out, err
		}
		name, _ := row[0].(string)
		out[name] = true
	}
}
