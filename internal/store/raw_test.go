package store_test

import (
	"cmp"
	"database/sql"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/store/migration"
)

// raw is a database seen without the store.
type raw struct {
	*sql.DB
	pg bool
}

func openRaw(t *testing.T, database string) raw {
	t.Helper()
	driver, name := "sqlite", (&url.URL{Scheme: "file", Opaque: database}).String()
	pg := strings.HasPrefix(database, "postgres")
	if pg {
		driver, name = "pgx", database
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // it was only looked at
	return raw{db, pg}
}

func (r raw) exec(t *testing.T, q string, args ...any) {
	t.Helper()
	if _, err := r.ExecContext(t.Context(), q, args...); err != nil {
		t.Fatalf("%v in %s", err, q)
	}
}

func (r raw) strings(t *testing.T, q string) (out [][]string) {
	t.Helper()
	rows, err := r.QueryContext(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // what went wrong is in Err
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, dest := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		row := make([]string, len(columns))
		for i, v := range values {
			switch b := v.(type) {
			case bool: // SQLite has none of its own
				v = map[bool]int{true: 1, false: 0}[b]
			case []byte:
				v = string(b)
			}
			row[i] = fmt.Sprint(v)
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// rawColumn is a column as its database declares it.
type rawColumn struct {
	name, kind string
	nullable   bool
}

func (r raw) tables(t *testing.T) map[string][]rawColumn {
	t.Helper()
	q := `SELECT m.name, c.name, c.type, CASE WHEN c."notnull" = 0 AND c.pk = 0 THEN 'YES' ELSE 'NO' END FROM sqlite_master m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid`
	if r.pg {
		q = `SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
			WHERE table_schema = 'public' ORDER BY table_name, ordinal_position`
	}
	out := map[string][]rawColumn{}
	for _, row := range r.strings(t, q) {
		out[row[0]] = append(out[row[0]], rawColumn{row[1], strings.ToLower(row[2]), row[3] == "YES"})
	}
	return out
}

// migrateTo makes the schema that the first n migrations make.
func (r raw) migrateTo(t *testing.T, n int) {
	t.Helper()
	folder := "sqlite"
	if r.pg {
		folder = "postgres"
	}
	names := migrationNames(t, folder)[:n]
	r.exec(t, "CREATE TABLE migration (name TEXT PRIMARY KEY)")
	for _, name := range names {
		text, err := fs.ReadFile(migration.Files, folder+"/"+name)
		if err != nil {
			t.Fatal(err)
		}
		if !r.pg {
			r.exec(t, string(text))
		} else {
			for stmt := range strings.SplitSeq(string(text), ";\n") {
				if strings.TrimSpace(stmt) != "" {
					r.exec(t, stmt)
				}
			}
		}
		r.exec(t, "INSERT INTO migration VALUES ('"+name+"')")
	}
}

func migrationNames(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := fs.ReadDir(migration.Files, folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// notFilled are tables that do not hold what users made.
var notFilled = []string{"migration", "workspace", "lease", "flow_run_tally", "flow_run_tally_change", "flow_run_tally_mark"}

// fill stores n rows in each table of two workspaces.
func (r raw) fill(t *testing.T, n int) {
	t.Helper()
	r.exec(t, "INSERT INTO workspace (id, name) VALUES (2, 'second')")
	tables := r.tables(t)
	for _, table := range slices.Sorted(maps.Keys(tables)) {
		if slices.Contains(notFilled, table) {
			continue
		}
		var names, marks []string
		var columns []rawColumn
		for _, c := range tables[table] {
			if c.name == "tx" && (table == "log" || table == "event") {
				continue
			}
			columns = append(columns, c)
			names = append(names, `"`+c.name+`"`)
			marks = append(marks, "?")
			if r.pg {
				marks[len(marks)-1] = fmt.Sprintf("$%d", len(marks))
			}
		}
		override := ""
		if r.pg {
			override = " OVERRIDING SYSTEM VALUE"
		}
		for i := range n {
			args := make([]any, len(columns))
			for j, c := range columns {
				args[j] = sample(table, c, i)
			}
			r.exec(t, `INSERT INTO "`+table+`" (`+strings.Join(names, ", ")+")"+override+" VALUES ("+strings.Join(marks, ", ")+")", args...)
		}
	}
}

// sampleID is the id of the i-th row of any table.
func sampleID(i int) string { return fmt.Sprintf("01930000-0000-7000-8000-%012d", i) }

// sample is the value of a column in the i-th row of its table.
func sample(table string, c rawColumn, i int) any {
	if c.nullable && i%3 == 2 && c.name != "flow_run_id" {
		return nil
	}
	switch c.kind {
	case "boolean":
		return i%2 == 0
	case "double precision":
		return float64(i) + 0.25
	case "bigint", "integer":
		switch {
		case c.name == "ws" && (table == "lease_attendance" || table == "automation_position"):
			return i + 1
		case c.name == "ws":
			return 1 + i%2
		case c.name == "seq":
			return 10 * (i + 1)
		case c.name == "tx":
			return 0
		}
		return int64(1_700_000_000_000_000) + int64(i)
	}
	switch {
	case c.name == "id" || strings.HasSuffix(c.name, "_id") || c.name == "follows":
		return sampleID(i)
	case slices.Contains([]string{"tags", "related", "capabilities", "actions", "actions_on_trigger", "actions_on_resolve", "events"}, c.name):
		return "[]"
	case c.name == "state_type" || c.name == "type" && strings.HasSuffix(table, "_state"):
		return "COMPLETED"
	case c.name == "resource" && table == "event":
		return `{"prefect.resource.id":"r"}`
	case slices.Contains([]string{
		"policy", "labels", "parameters", "context", "job_variables", "created_by", "updated_by", "state_details", "details", "state_data", "data",
		"task_inputs", "payload", "base_job_template", "storage_configuration", "schedule", "parameter_openapi_schema", "pull_steps", "concurrency_options",
		"filters", "value", "spec", "counts", "trigger_spec", "definition", "config", "routing", "metadata", "firing",
	}, c.name):
		return "{}"
	}
	return fmt.Sprintf("%s %s ünïcode 'quoted' %d", table, c.name, i)
}

// dump is what a database holds, as texts, by table, in the same order whatever
// the database. only restricts the columns; nil is all.
func (r raw) dump(t *testing.T, only map[string][]rawColumn) map[string][][]string {
	t.Helper()
	if only == nil {
		only = r.tables(t)
	}
	out := map[string][][]string{}
	for table, columns := range only {
		if slices.Contains(notFilled, table) && table != "workspace" {
			continue
		}
		var names []string
		for _, c := range columns {
			if c.name != "tx" || table != "log" && table != "event" {
				names = append(names, `"`+c.name+`"`)
			}
		}
		slices.Sort(names)
		rows := r.strings(t, "SELECT "+strings.Join(names, ", ")+` FROM "`+table+`"`)
		slices.SortFunc(rows, func(a, b []string) int { return slices.CompareFunc(a, b, cmp.Compare[string]) })
		out[table] = rows
	}
	return out
}

// readable reads the main nouns as the server does.
func readable(t *testing.T, s core.Store) {
	t.Helper()
	for _, ws := range []core.WorkspaceID{1, 2} {
		if err := s.View(t.Context(), ws, func(tx core.Tx) error {
			runs, err := tx.FilterFlowRuns(core.Query{Limit: 10})
			if err != nil || len(runs) == 0 {
				return fmt.Errorf("%d flow runs: %w", len(runs), err)
			}
			tasks, err := tx.FilterTaskRuns(core.Query{Limit: 10})
			if err != nil || len(tasks) == 0 {
				return fmt.Errorf("%d task runs: %w", len(tasks), err)
			}
			logs, err := tx.FilterLogs(core.Query{Limit: 10})
			if err != nil || len(logs) == 0 {
				return fmt.Errorf("%d logs: %w", len(logs), err)
			}
			events, err := tx.FindEvents(core.EventRange{Until: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), Limit: 10})
			if err != nil || len(events) == 0 {
				return fmt.Errorf("%d events: %w", len(events), err)
			}
			return nil
		}); err != nil {
			t.Errorf("workspace %d: %v", ws, err)
		}
	}
}
