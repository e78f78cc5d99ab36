package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/core"
)

// end is a database that rows are copied from or to, in one transaction: the
// source shows one state of it, and the target gets all or nothing.
type end interface {
	// applied returns the names of its migrations; none when it is no database of leat's.
	applied(ctx context.Context) (map[string]bool, error)
	// tables returns the columns of its tables.
	tables(ctx context.Context) (map[string][]column, error)
	// query reads rows of so many columns.
	query(ctx context.Context, width int, q string) (cursor, error)
	// rows reads a table, in the order of the columns given, which may be "".
	rows(ctx context.Context, table string, columns []column, order string) (cursor, error)
	count(ctx context.Context, table string) (int64, error)
	// clear deletes all rows of the tables.
	clear(ctx context.Context, tables []string) error
	// fill stores rows until next returns nil.
	fill(ctx context.Context, table string, columns []column, next func() ([]any, error)) error
	// numberOn lets the database's own numbers go on after the highest stored.
	numberOn(ctx context.Context) error
	// text is a text as the database can hold it.
	text(s string) string
	// postgres tells how rows are numbered: see order.
	postgres() bool
}

// column is a column of a table: of the types text, bigint, boolean and double.
type column struct{ name, kind string }

// cursor reads rows; next returns nil after the last. A row is valid until the
// next is read.
type cursor interface {
	next() ([]any, error)
	close()
}

// CopiedTable says what was copied of a table.
type CopiedTable struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
	// Checksum is the sum of the rows' hashes, whatever their order.
	Checksum string `json:"checksum"`
}

// Copied says what was copied.
type Copied struct {
	Tables []CopiedTable `json:"tables"`
	// Left are tables of the source that are none of leat's.
	Left []string `json:"left_behind"`
	// Mended is how many texts held what the target cannot: zero bytes, broken UTF-8.
	Mended int64 `json:"mended_texts"`
}

// copyOptions say how a copy is made.
type copyOptions struct {
	// overwrite empties the target first; else it must be empty.
	overwrite bool
	// told is told of each table before it is copied; nil is allowed.
	told func(table string)
}

// notCopied lists the tables that say who works now, not what is stored, or
// that are made of others.
func notCopied() []string {
	return append(derivedTables(), "migration", "lease", "sqlite_sequence")
}

// copyAll copies every table, and reads the target again to see that all has
// arrived. Both must have the same schema.
func copyAll(ctx context.Context, src, dst end, opt copyOptions) (*Copied, error) {
	have, err := src.tables(ctx)
	if err != nil {
		return nil, err
	}
	want, err := dst.tables(ctx)
	if err != nil {
		return nil, err
	}
	plan, left, err := planCopy(have, want)
	if err != nil {
		return nil, err
	}
	if !opt.overwrite {
		if err := mustBeEmpty(ctx, dst, plan); err != nil {
			return nil, err
		}
	}
	if err := dst.clear(ctx, emptied(want)); err != nil {
		return nil, err
	}
	for table, columns := range want {
		if numbered := isNumbered(table); numbered {
			want[table] = txLast(columns)
		}
	}
	c := &copier{src: src, dst: dst, columns: want, out: &Copied{Left: left}}
	for _, table := range plan {
		if opt.told != nil {
			opt.told(table)
		}
		if err := c.table(ctx, table); err != nil {
			return nil, fmt.Errorf("table %s: %w", table, err)
		}
	}
	if err := dst.numberOn(ctx); err != nil {
		return nil, err
	}
	for _, t := range c.out.Tables {
		if opt.told != nil {
			opt.told(t.Table)
		}
		if err := c.verify(ctx, t); err != nil {
			return nil, fmt.Errorf("table %s: %w", t.Table, err)
		}
	}
	return c.out, nil
}

// planCopy orders the tables to copy: a position among events needs to know
// the events. left are the tables that only the source has.
func planCopy(have, want map[string][]column) (plan, left []string, err error) {
	for table := range have {
		if _, ok := want[table]; !ok && !slices.Contains(notCopied(), table) {
			left = append(left, table)
		}
	}
	for table, columns := range want {
		if slices.Contains(notCopied(), table) {
			continue
		}
		if _, ok := have[table]; !ok {
			return nil, nil, core.Errorf(core.Conflict, "the database to copy from has no table %s; it is damaged", table)
		}
		if a, b := names(table, have[table]), names(table, columns); !slices.Equal(a, b) {
			return nil, nil, core.Errorf(core.Conflict, "table %s has the columns %s where %s are known", table, strings.Join(a, ", "), strings.Join(b, ", "))
		}
		plan = append(plan, table)
	}
	slices.Sort(left)
	slices.SortFunc(plan, func(a, b string) int {
		if d := boolRank(a == positionTable) - boolRank(b == positionTable); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return plan, left, nil
}

// names returns the names of the columns that both databases have, in alphabetical order.
func names(table string, columns []column) []string {
	var out []string
	for _, c := range columns {
		if c.name != "tx" || !isNumbered(table) {
			out = append(out, c.name)
		}
	}
	slices.Sort(out)
	return out
}

// emptied lists the tables that the copy begins without.
func emptied(tables map[string][]column) []string {
	var out []string
	for table := range tables {
		if table != "migration" && table != "sqlite_sequence" {
			out = append(out, table)
		}
	}
	slices.Sort(out)
	return out
}

// mustBeEmpty refuses a target that holds anything that would be lost.
func mustBeEmpty(ctx context.Context, dst end, plan []string) error {
	for _, table := range plan {
		n, err := dst.count(ctx, table)
		if err != nil {
			return err
		}
		if n == 0 || table == "workspace" && n == 1 {
			continue
		}
		return core.Errorf(core.Conflict, "the database is not empty (table %s holds rows); take a new one", table)
	}
	return nil
}

// copier copies tables one after the other.
type copier struct {
	src, dst end
	columns  map[string][]column // of the target
	out      *Copied

	positions map[int64]*position // of workspaces among the events
	last      int64               // number of the last event
}

func (c *copier) table(ctx context.Context, table string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	write := c.columns[table]
	read, order := c.readOf(table)
	if table == "event" {
		if err := c.findPositions(ctx); err != nil {
			return err
		}
	}
	rows, err := c.src.rows(ctx, table, read, order)
	if err != nil {
		return err
	}
	defer rows.close()
	done, sum := CopiedTable{Table: table}, uint64(0)
	err = c.dst.fill(ctx, table, write, func() ([]any, error) {
		row, err := rows.next()
		if err != nil || row == nil {
			return nil, err
		}
		if err := c.convert(row, read); err != nil {
			return nil, err
		}
		row = c.renumber(table, row)
		sum += hashed(row[:c.compared(table)])
		done.Rows++
		return row[:len(write)], nil
	})
	if err != nil {
		return err
	}
	stored, err := c.src.count(ctx, table)
	if err != nil {
		return err
	}
	if stored != done.Rows {
		return core.Errorf(core.Internal, "%d rows were read of %d", done.Rows, stored)
	}
	done.Checksum = checksum(sum)
	c.out.Tables = append(c.out.Tables, done)
	return nil
}

// verify reads a table of the target again.
func (c *copier) verify(ctx context.Context, want CopiedTable) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	columns := c.columns[want.Table][:c.compared(want.Table)]
	rows, err := c.dst.rows(ctx, want.Table, columns, "")
	if err != nil {
		return err
	}
	defer rows.close()
	got, sum := CopiedTable{Table: want.Table}, uint64(0)
	for {
		row, err := rows.next()
		if err != nil {
			return err
		}
		if row == nil {
			break
		}
		if err := c.convert(row, columns); err != nil {
			return err
		}
		sum += hashed(row)
		got.Rows++
	}
	if got.Checksum = checksum(sum); got != want {
		return core.Errorf(core.Internal, "%d rows with the checksum %s were written, and %d with %s are stored", want.Rows, want.Checksum, got.Rows, got.Checksum)
	}
	return nil
}

// convert brings the values of a row to the types of their columns.
func (c *copier) convert(row []any, columns []column) error {
	for i, col := range columns {
		v, ok := converted(row[i], col.kind)
		if !ok {
			return core.Errorf(core.Conflict, "column %s holds %v, a %T, where a %s is known", col.name, row[i], row[i], col.kind)
		}
		if s, isText := v.(string); isText {
			if t := c.dst.text(s); t != s {
				c.out.Mended++
				v = t
			}
		}
		row[i] = v
	}
	return nil
}

func converted(v any, kind string) (any, bool) {
	if b, ok := v.([]byte); ok {
		v = string(b)
	}
	switch n := v.(type) {
	case nil:
		return nil, true
	case int64:
		switch kind {
		case "boolean":
			return n != 0, true
		case "double":
			return float64(n), true
		}
		return n, kind == "bigint"
	case bool:
		return n, kind == "boolean"
	case float64:
		return n, kind == "double"
	case string:
		return n, kind == "text"
	}
	return v, false
}

// hashed hashes a row.
func hashed(row []any) uint64 {
	h := fnv.New64a()
	var b [9]byte
	number := func(tag byte, n uint64) {
		b[0] = tag
		binary.LittleEndian.PutUint64(b[1:], n)
		_, _ = h.Write(b[:]) // a hash takes all
	}
	for _, v := range row {
		switch v := v.(type) {
		case nil:
			number('n', 0)
		case int64:
			number('i', uint64(v))
		case float64:
			number('f', math.Float64bits(v))
		case bool:
			if v {
				number('b', 1)
			} else {
				number('b', 0)
			}
		case string:
			number('s', uint64(len(v)))
			_, _ = h.Write([]byte(v))
		}
	}
	return h.Sum64()
}

func checksum(sum uint64) string { return fmt.Sprintf("%016x", sum) }

// full words the error of a copy whose target has no room.
func full(err error, what string) error {
	var told *core.Error
	if errors.As(err, &told) && told.Code == core.Unavailable {
		return core.Errorf(core.Unavailable, "%s: there is no room for it or it cannot be written; nothing of it remains, and what was read is untouched (%s)", what, told.Message)
	}
	return err
}
