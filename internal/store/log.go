package store

import (
	"strings"

	"github.com/leat-dev/leat/internal/core"
)

// A line's id is made of its number: a hundred lines to a request make the
// bytes of each count.
const logColumns = "l.seq, l.created, l.name, l.level, l.message, l.timestamp, l.flow_run_id, l.task_run_id, l.worker_id"

func scanLog(r rows) (*core.Log, error) {
	l := &core.Log{}
	var seq int64
	err := r.Scan(&seq, timeInto{&l.Created}, &l.Name, &l.Level, &l.Message, timeInto{&l.Timestamp},
		idPtrInto{&l.FlowRunID}, idPtrInto{&l.TaskRunID}, idPtrInto{&l.WorkerID})
	l.ID = core.NumberedID(l.Created, seq)
	return l, err
}

// InsertLogs implements core.LogTx.
func (t *tx) InsertLogs(logs []*core.Log) error {
	err := t.insertMany("INSERT INTO log (ws, created, name, level, message, timestamp, flow_run_id, task_run_id, worker_id)", "",
		9, len(logs), func(i int) []any {
			l := logs[i]
			return []any{
				int64(t.ws), micros(l.Created), l.Name, l.Level, l.Message, micros(l.Timestamp), l.FlowRunID, l.TaskRunID, l.WorkerID,
			}
		})
	if err != nil {
		return err
	}
	t.Wake(core.TopicLogs)
	return nil
}

// FilterLogs implements core.LogTx.
func (t *tx) FilterLogs(q core.Query) ([]*core.Log, error) {
	return filter(t, core.EntityLog, logColumns, "", q, scanLog)
}

// LogCursor implements core.LogTx.
func (t *tx) LogCursor() (core.Cursor, error) { return t.cursor("log") }

// LogsAfter implements core.LogTx.
func (t *tx) LogsAfter(c core.Cursor, limit int) ([]*core.Log, core.Cursor, error) {
	return after(t, "log l", logColumns, c, limit, scanLog)
}

// cursor returns the position after the newest row that followers may see.
func (t *tx) cursor(table string) (core.Cursor, error) {
	newest, err := list(t, func(r rows) (c core.Cursor, err error) { return c, r.Scan(&c.Tx, &c.Seq) },
		"SELECT "+t.d.seqTx+", seq FROM "+table+" WHERE "+t.d.visible+" ORDER BY "+t.d.newest+" LIMIT 1")
	if err != nil || len(newest) == 0 || min(newest[0].Tx, newest[0].Seq) < 0 {
		return core.Cursor{}, err // past events come before all positions
	}
	return newest[0], nil
}

// after lists rows in the order in which they became visible. A row's
// transaction comes before its number: on Postgres a transaction that began
// later can commit earlier.
func after[T any](t *tx, from, columns string, c core.Cursor, limit int, scan func(rows) (T, error)) ([]T, core.Cursor, error) {
	args := []any{int64(t.ws)}
	beyond := "seq > ?"
	if t.d.seqTx != "0" {
		beyond = "(tx > ? OR tx = ? AND seq > ?)"
		args = append(args, c.Tx, c.Tx)
	}
	order := strings.TrimPrefix(t.d.seqTx+", seq", "0, ")
	last := c // after an error the caller reads on from where it was
	out, err := list(t, func(r rows) (T, error) {
		return scan(prefixed{r, []any{&last.Tx, &last.Seq}})
	}, "SELECT "+t.d.seqTx+", seq, "+columns+" FROM "+from+" WHERE ws = ? AND "+beyond+" AND "+t.d.visible+" ORDER BY "+order+" LIMIT ?",
		append(args, c.Seq, limit)...)
	if err != nil {
		return nil, c, err
	}
	if len(out) == 0 && t.d.seqTx == "0" {
		// SQLite numbers from one again when a table was emptied.
		if newest, err := t.cursor(strings.Fields(from)[0]); err != nil || newest.Seq < c.Seq {
			return nil, core.Cursor{}, err
		}
	}
	return out, last, nil
}

// prefixed scans leading columns into dest before the caller's.
type prefixed struct {
	rows
	dest []any
}

func (p prefixed) Scan(dest ...any) error { return p.rows.Scan(append(p.dest, dest...)...) }

// logText compiles a search in messages: words must all be there, "quoted
// text" is one word, a word after - or ! must not be there.
func logText(b *builder, c core.Cond) string {
	query, _ := c.Value.(string)
	var parts []string
	for _, w := range searchWords(query) {
		if w.not {
			parts = append(parts, "l.message NOT "+b.d.like+" "+b.arg("%"+w.text+"%"))
		} else {
			parts = append(parts, "l.message "+b.d.like+" "+b.arg("%"+w.text+"%"))
		}
	}
	return "(" + strings.Join(append(parts, "1 = 1"), " AND ") + ")"
}

type searchWord struct {
	text string
	not  bool
}

func searchWords(query string) []searchWord {
	var words []searchWord
	for query = strings.TrimSpace(query); query != ""; query = strings.TrimSpace(query) {
		var w searchWord
		if query[0] == '-' || query[0] == '!' {
			w.not, query = true, query[1:]
		}
		if strings.HasPrefix(query, `"`) {
			w.text, query, _ = strings.Cut(query[1:], `"`)
		} else {
			w.text, query, _ = strings.Cut(query, " ")
		}
		if w.text != "" {
			words = append(words, w)
		}
	}
	return words
}
