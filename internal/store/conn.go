package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// conn runs statements. Arguments are strings, integers, floats, bools, nil
// and driver.Valuers.
type conn interface {
	// exec runs a write whose count nobody needs. It may be sent to the database
	// only with the next read or at the commit, and fail there.
	exec(q string, args ...any) error
	// execN runs a write and returns the number of rows it touched.
	execN(q string, args ...any) (int64, error)
	// query runs a read of constant text, whose prepared form is kept.
	query(q string, args ...any) (rows, error)
	// queryOnce runs a read whose text is made for this call.
	queryOnce(q string, args ...any) (rows, error)
}

// writeConn is the lane's connection.
type writeConn interface {
	conn
	begin() error
	commit(topics []core.Topic) error
	rollback() error
	// writes counts the writes since the connection was opened.
	writes() int
	// broken reports whether the open transaction can only be rolled back.
	broken() bool
	close()
}

// rows is the common part of sql.Rows and pgx.Rows.
type rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close()
}

// tx is a core.Tx on a connection.
type tx struct {
	conn
	ws  core.WorkspaceID
	d   *dialect
	req *request // nil for reads
}

var _ core.Tx = (*tx)(nil)

// Workspace implements core.Tx.
func (t *tx) Workspace() core.WorkspaceID { return t.ws }

// Wake implements core.Tx.
func (t *tx) Wake(topic core.Topic) {
	if t.req != nil {
		t.req.topics = append(t.req.topics, topic)
	}
}

// lock returns the clause that locks what a read in a transaction returns of
// the table with the alias.
func (t *tx) lock(alias string) string {
	if t.req == nil || t.d.forUpdate == "" {
		return ""
	}
	return t.d.forUpdate + alias
}

// claim is lock for rows of which any will do: those that others hold are passed over.
func (t *tx) claim(alias string) string {
	if clause := t.lock(alias); clause != "" {
		return clause + t.d.skipLocked
	}
	return ""
}

// insertMany inserts n rows of so many columns each, several to a statement:
// what a statement costs by itself is most of what a small row costs.
func (t *tx) insertMany(head, tail string, columns, n int, row func(i int) []any) error {
	for i := 0; i < n; {
		size := 1
		for _, s := range []int{32, 8} { // few sizes, so that few statements are prepared
			if n-i >= s {
				size = s
				break
			}
		}
		args := make([]any, 0, size*columns)
		for range size {
			args = append(args, row(i)...)
			i++
		}
		values := strings.TrimSuffix(strings.Repeat("("+placeholders(columns)+"), ", size), ", ")
		if err := t.exec(head+" VALUES "+values+tail, args...); err != nil {
			return err
		}
	}
	return nil
}

// list runs a query of constant text and scans each row.
func list[T any](t *tx, scan func(rows) (T, error), q string, args ...any) ([]T, error) {
	r, err := t.query(q, args...)
	if err != nil {
		return nil, err
	}
	return collect(r, scan)
}

// listOnce is list for text made for this call.
func listOnce[T any](t *tx, scan func(rows) (T, error), q string, args ...any) ([]T, error) {
	r, err := t.queryOnce(q, args...)
	if err != nil {
		return nil, err
	}
	return collect(r, scan)
}

func collect[T any](r rows, scan func(rows) (T, error)) ([]T, error) {
	defer r.Close()
	var out []T
	for r.Next() {
		v, err := scan(r)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, r.Err()
}

// one runs a query for one row and returns missing when there is none.
func one[T any](t *tx, missing *core.Error, scan func(rows) (T, error), q string, args ...any) (T, error) {
	var zero T
	r, err := t.query(q, args...)
	if err != nil {
		return zero, err
	}
	defer r.Close()
	if !r.Next() {
		if err := r.Err(); err != nil {
			return zero, err
		}
		return zero, missing
	}
	v, err := scan(r)
	if err != nil {
		return zero, err
	}
	r.Close()
	return v, r.Err()
}

// number runs a query of one row with one integer.
func number(t *tx, once bool, q string, args ...any) (int, error) {
	run := t.query
	if once {
		run = t.queryOnce
	}
	r, err := run(q, args...)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	n := 0
	if r.Next() {
		if err := r.Scan(&n); err != nil {
			return 0, err
		}
	}
	return n, r.Err()
}

// micros is a time as it is stored: microseconds since 1970, UTC.
func micros(t time.Time) int64 { return t.UnixMicro() }

func microsPtr(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UnixMicro()
}

// text is JSON as it is stored; nil is NULL.
func text(raw json.RawMessage) any {
	if raw == nil {
		return nil
	}
	return string(raw)
}

func tagsText(tags []string) string {
	if len(tags) == 0 {
		return "[]"
	}
	b, err := json.Marshal(tags)
	if err != nil {
		return "[]" // strings always marshal
	}
	return string(b)
}

// asJSON stores a value that always marshals.
func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("store: marshal %T: %v", v, err))
	}
	return string(b)
}

// The scanners below fill domain fields from columns; each is a sql.Scanner.

type timeInto struct{ dst *time.Time }

func (s timeInto) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("scan %T into a time", src)
	}
	*s.dst = time.UnixMicro(n).UTC()
	return nil
}

type timePtrInto struct{ dst **time.Time }

func (s timePtrInto) Scan(src any) error {
	if src == nil {
		*s.dst = nil
		return nil
	}
	var t time.Time
	if err := (timeInto{&t}).Scan(src); err != nil {
		return err
	}
	*s.dst = &t
	return nil
}

type idPtrInto struct{ dst **core.ID }

func (s idPtrInto) Scan(src any) error {
	if src == nil {
		*s.dst = nil
		return nil
	}
	var id core.ID
	if err := id.Scan(src); err != nil {
		return err
	}
	*s.dst = &id
	return nil
}

type rawInto struct{ dst *json.RawMessage }

func (s rawInto) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*s.dst = nil
	case string:
		*s.dst = json.RawMessage(v)
	case []byte:
		*s.dst = append(json.RawMessage{}, v...)
	default:
		return fmt.Errorf("scan %T into JSON", src)
	}
	return nil
}

// jsonInto decodes a JSON column into dst; NULL leaves it alone.
type jsonInto struct{ dst any }

func (s jsonInto) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		return nil
	case string:
		if tags, ok := s.dst.(*[]string); ok && v == "[]" {
			*tags = []string{} // most runs have none
			return nil
		}
		return json.Unmarshal([]byte(v), s.dst)
	case []byte:
		return json.Unmarshal(v, s.dst)
	}
	return fmt.Errorf("scan %T into JSON", src)
}

// durationInto reads seconds.
type durationInto struct{ dst *time.Duration }

func (s durationInto) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("scan %T into a duration", src)
	}
	*s.dst = time.Duration(n) * time.Microsecond
	return nil
}
