package store

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// Usage says what takes the place in a database.
type Usage struct {
	// Database is its file or its URL without the password.
	Database string `json:"database"`
	// Bytes is the size of the database, with what SQLite keeps beside the file.
	Bytes int64 `json:"bytes"`
	// FreeBytes is how much of a SQLite file is free, for new rows or to be given
	// back; on Postgres it is not known and 0.
	FreeBytes int64 `json:"free_bytes"`
	// Tables are the tables, the largest first.
	Tables []TableUsage `json:"tables"`
	// Kinds are what retention looks after.
	Kinds []KindUsage `json:"retention"`
}

// TableUsage says what takes the place in a table.
type TableUsage struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
	// Bytes is the size with indexes.
	Bytes int64 `json:"bytes"`
	// Oldest is when the oldest row was made; nil when there is none, or rows have no time.
	Oldest *time.Time `json:"oldest"`
}

// KindUsage says what retention does next to a kind of thing.
type KindUsage struct {
	Kind string `json:"kind"`
	// KeptSeconds is how long it is kept; 0 is for ever.
	KeptSeconds float64 `json:"kept_seconds"`
	// Rows is how many there are that retention may once remove.
	Rows int64 `json:"rows"`
	// Due is how many have reached their age; they go while a server runs.
	Due int64 `json:"due"`
	// Oldest is what the age of the oldest is counted from.
	Oldest *time.Time `json:"oldest"`
	// Next is when the next reaches its age; nil for never.
	Next *time.Time `json:"next"`
}

// Survey looks through a database, which servers may use meanwhile, and changes
// nothing. It reads all of it: that takes a while when it is large.
func Survey(ctx context.Context, database string, keep core.Retention, now time.Time) (*Usage, error) {
	e, done, err := openSource(ctx, database, false)
	if err != nil {
		return nil, err
	}
	defer done()
	known, _, err := migrations(migrationsOf(e.postgres()))
	if err != nil {
		return nil, err
	}
	applied, err := e.applied(ctx)
	if err != nil {
		return nil, err
	}
	if len(applied) == 0 {
		return nil, core.Errorf(core.Conflict, "%s holds no tables of leat's", Redacted(database))
	}
	if err := tooNew(applied, known); err != nil {
		return nil, err
	}
	u := &Usage{Database: Redacted(database)}
	if e.postgres() {
		u.Bytes, err = numberOf(ctx, e, "SELECT pg_database_size(current_database())")
	} else {
		u.Bytes, u.FreeBytes, err = fileUse(ctx, e, database)
	}
	if err != nil {
		return nil, err
	}
	if err := u.surveyTables(ctx, e); err != nil {
		return nil, err
	}
	return u, u.surveyKinds(ctx, e, keep, now)
}

func numberOf(ctx context.Context, e end, q string) (int64, error) {
	r, err := e.query(ctx, 1, q)
	if err != nil {
		return 0, err
	}
	return oneNumber(r)
}

// fileUse returns the size of a SQLite file with what is beside it, and how much of it is free.
func fileUse(ctx context.Context, e end, file string) (all, free int64, err error) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if info, err := os.Stat(file + suffix); err == nil {
			all += info.Size()
		}
	}
	free, err = numberOf(ctx, e, "SELECT f.freelist_count * p.page_size FROM pragma_freelist_count f, pragma_page_size p")
	return all, free, err
}

// sizes returns the bytes of each table with its indexes.
func sizes(ctx context.Context, e end) (map[string]int64, error) {
	q := `SELECT coalesce(m.tbl_name, s.name), CAST(sum(s.pgsize) AS INTEGER) FROM dbstat s LEFT JOIN sqlite_master m ON m.name = s.name
		WHERE s.aggregate = 1 GROUP BY 1`
	if e.postgres() {
		q = "SELECT c.relname::text, pg_total_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = current_schema()"
	}
	r, err := e.query(ctx, 2, q)
	if err != nil {
		return nil, err
	}
	defer r.close()
	out := map[string]int64{}
	for {
		row, err := r.next()
		if err != nil || row == nil {
			return out, err
		}
		name, _ := row[0].(string)
		n, _ := row[1].(int64)
		out[name] += n
	}
}

func (u *Usage) surveyTables(ctx context.Context, e end) error {
	tables, err := e.tables(ctx)
	if err != nil {
		return err
	}
	bytes, err := sizes(ctx, e)
	if err != nil {
		return err
	}
	for table, columns := range tables {
		if table == "migration" || table == "sqlite_sequence" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		t := TableUsage{Table: table, Bytes: bytes[table]}
		if t.Rows, t.Oldest, err = ages(ctx, e, `"`+table+`"`, timeOf(columns)); err != nil {
			return fmt.Errorf("table %s: %w", table, err)
		}
		u.Tables = append(u.Tables, t)
	}
	slices.SortFunc(u.Tables, func(a, b TableUsage) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Table, b.Table))
	})
	return nil
}

// timeOf returns the column that says when a row was made, "" for none.
func timeOf(columns []column) string {
	for _, name := range []string{"created", "occurred", "timestamp", "started", "received"} {
		if slices.Contains(columns, column{name, "bigint"}) {
			return name
		}
	}
	return ""
}

// ages counts rows, and returns the least time in a column of theirs.
func ages(ctx context.Context, e end, from, column string) (int64, *time.Time, error) {
	if column == "" {
		column = "NULL"
	}
	r, err := e.query(ctx, 2, "SELECT count(*), min("+column+") FROM "+from)
	if err != nil {
		return 0, nil, err
	}
	defer r.close()
	row, err := r.next()
	if err != nil || row == nil {
		return 0, nil, err
	}
	n, _ := row[0].(int64)
	at, ok := row[1].(int64)
	if !ok {
		return n, nil, nil
	}
	oldest := time.UnixMicro(at).UTC()
	return n, &oldest, nil
}

// finished is the condition for runs that have come to their end.
const finished = "end_time IS NOT NULL AND state_type IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')"

func (u *Usage) surveyKinds(ctx context.Context, e end, keep core.Retention, now time.Time) error {
	for _, k := range []struct {
		name, from, column string
		keep               time.Duration
	}{
		{"flow runs", "flow_run WHERE " + finished, "end_time", keep.Runs},
		{"task runs without a flow run", "task_run WHERE flow_run_id IS NULL AND " + finished, "end_time", keep.Runs},
		{"logs", "log WHERE 1 = 1", "created", keep.Logs},
		{"events", "event WHERE 1 = 1", "occurred", keep.EventAge()},
		{"artifacts", "artifact WHERE id NOT IN (SELECT latest_id FROM artifact_collection)", "created", keep.Artifacts},
	} {
		use := KindUsage{Kind: k.name, KeptSeconds: k.keep.Seconds()}
		var err error
		if use.Rows, use.Oldest, err = ages(ctx, e, k.from, k.column); err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		if k.keep > 0 && use.Oldest != nil {
			next := use.Oldest.Add(k.keep)
			if use.Next = &next; next.Before(now) {
				use.Next = &now
				q := fmt.Sprintf("SELECT count(*) FROM %s AND %s < %d", k.from, k.column, micros(now.Add(-k.keep)))
				if use.Due, err = numberOf(ctx, e, q); err != nil {
					return fmt.Errorf("%s: %w", k.name, err)
				}
			}
		}
		u.Kinds = append(u.Kinds, use)
	}
	return nil
}
