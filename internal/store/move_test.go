package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/store"
)

// newest makes a database of this version with rows.
func newest(t *testing.T, database string, rows int) raw {
	t.Helper()
	r := openRaw(t, database)
	r.migrateTo(t, len(migrationNames(t, "sqlite")))
	r.fill(t, rows)
	return r
}

func TestAMovedDatabaseHoldsTheSameRows(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, there string) {
		from, back := filepath.Join(t.TempDir(), "leat.db"), filepath.Join(t.TempDir(), "new", "leat.db")
		want := newest(t, from, 30).dump(t, nil)
		if err := os.Mkdir(filepath.Dir(back), 0o700); err != nil {
			t.Fatal(err)
		}
		for _, m := range []store.Move{{From: from, To: there}, {From: there, To: back}} {
			out, err := store.MoveDatabase(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Left) > 0 || out.Mended > 0 || len(out.Tables) < 40 {
				t.Errorf("%d tables copied, %v left behind, %d texts mended", len(out.Tables), out.Left, out.Mended)
			}
			if diff := cmp.Diff(want, openRaw(t, m.To).dump(t, nil)); diff != "" {
				t.Errorf("%s: -source +target:\n%s", m.To, diff)
			}
		}
		if diff := cmp.Diff(want, openRaw(t, from).dump(t, nil)); diff != "" {
			t.Errorf("the source changed:\n%s", diff)
		}
		for _, database := range []string{there, back} {
			s := open(t, database)
			readable(t, s)
			fill(t, s) // numbers go on
		}
	})
}

func TestAMoveKeepsTheOrderOfEventsAndWhatWasSeenOfThem(t *testing.T) {
	t.Parallel()
	if os.Getenv("LEAT_TEST_POSTGRES") == "" {
		t.Skip("LEAT_TEST_POSTGRES is not set")
	}
	from := freshDatabase(t)
	r := openRaw(t, from)
	r.migrateTo(t, len(migrationNames(t, "postgres")))
	// The transaction 900 began before 901, took its number after it, and was seen before it.
	event := func(tx, seq, n int) {
		r.exec(t, `INSERT INTO event (seq, tx, id, ws, occurred, received, event, resource_id, resource, related, payload)
			OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, 1, $4, 1, $5, 'r', '{}', '[]', '{}')`, seq, tx, sampleID(n), n, fmt.Sprint(n))
	}
	event(-1, 3, 0)
	event(900, 12, 1)
	event(901, 10, 2)
	event(901, 11, 3)
	event(902, 20, 4)
	r.exec(t, "INSERT INTO automation_position (ws, tx, seq, at) VALUES (1, 901, 10, 5)")
	file, again := filepath.Join(t.TempDir(), "leat.db"), freshDatabase(t)
	for _, m := range []store.Move{{From: from, To: file}, {From: file, To: again}, {From: from, To: freshDatabase(t)}} {
		if _, err := store.MoveDatabase(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		to := openRaw(t, m.To)
		position := to.strings(t, "SELECT tx, seq FROM automation_position")[0]
		var at core.Cursor
		if _, err := fmt.Sscan(strings.Join(position, " "), &at.Tx, &at.Seq); err != nil {
			t.Fatal(err)
		}
		s := open(t, m.To)
		for cursor, want := range map[core.Cursor]string{at: "3 4", {}: "1 2 3 4"} {
			var names []string
			c := cursor
			for range 500 {
				if err := s.View(t.Context(), 1, func(tx core.Tx) error {
					got, next, err := tx.EventsAfter(c, 10)
					c = next
					for _, e := range got {
						names = append(names, e.Event)
					}
					return err
				}); err != nil {
					t.Fatal(err)
				}
				if len(names) > 0 {
					break
				}
			}
			if got := strings.Join(names, " "); got != want {
				t.Errorf("%s: after %v come the events %s, want %s", m.To, cursor, got, want)
			}
		}
		if got := len(to.strings(t, "SELECT 1 FROM event")); got != 5 {
			t.Errorf("%d events", got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAMoveRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, to string) {
		from := filepath.Join(t.TempDir(), "leat.db")
		source := newest(t, from, 3)
		want := source.dump(t, nil)
		refused := func(what, text string, m store.Move) {
			t.Helper()
			_, err := store.MoveDatabase(t.Context(), m)
			if err == nil || !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: error %v, want %q", what, err, text)
			}
		}
		refused("itself", "where it is", store.Move{From: from, To: from})
		refused("no source", "no such file", store.Move{From: from + "x", To: to})
		refused("no address", "", store.Move{From: from, To: "postgres://u:secret@127.0.0.1:1/x?connect_timeout=2"})
		refused("a bad address", "", store.Move{From: from, To: "postgres://u:secret@127.0.0.1:nowhere/x"})
		refused("no directory", "", store.Move{From: from, To: filepath.Join(t.TempDir(), "none", "x.db")})
		refused("an older source", "leat db upgrade", store.Move{From: older(t, 7, 1), To: to})
		newer := older(t, 7, 1)
		openRaw(t, newer).exec(t, "INSERT INTO migration VALUES ('9999_future.sql')")
		refused("a newer source", "newer leat", store.Move{From: newer, To: to})
		text := filepath.Join(t.TempDir(), "text.db")
		if err := os.WriteFile(text, []byte(strings.Repeat("no database at all", 100)), 0o600); err != nil {
			t.Fatal(err)
		}
		refused("a text", "not a database", store.Move{From: text, To: to})
		refused("onto a text", "not a database", store.Move{From: from, To: text, Force: true})
		s := open(t, to)
		fill(t, s)
		refused("a target that is served", "leat server uses this database", store.Move{From: from, To: to})
		refused("a source that is served", "leat server uses this database", store.Move{From: to, To: filepath.Join(t.TempDir(), "x.db")})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for range 100 { // Postgres takes a moment to forget a connection
			if _, err := store.MoveDatabase(t.Context(), store.Move{From: from, To: to}); err == nil || !strings.Contains(err.Error(), "server uses") {
				break
			}
		}
		refused("a target that holds something", "not empty", store.Move{From: from, To: to})
		target := openRaw(t, to)
		target.exec(t, "INSERT INTO migration VALUES ('9999_future.sql')")
		refused("a newer target", "newer leat", store.Move{From: from, To: to, Force: true})
		target.exec(t, "DELETE FROM migration WHERE name = '9999_future.sql'")
		if _, err := store.MoveDatabase(t.Context(), store.Move{From: from, To: to, Force: true}); err != nil {
			t.Errorf("with force: %v", err)
		}
		if diff := cmp.Diff(want, openRaw(t, to).dump(t, nil)); diff != "" {
			t.Errorf("with force -source +target:\n%s", diff)
		}
		if diff := cmp.Diff(want, source.dump(t, nil)); diff != "" {
			t.Errorf("the source changed:\n%s", diff)
		}
	})
}

func TestAMoveThatIsInterruptedLeavesNothing(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, to string) {
		from := filepath.Join(t.TempDir(), "leat.db")
		newest(t, from, 3)
		for _, at := range []string{"flow_run", "worker"} {
			ctx, cancel := context.WithCancel(t.Context())
			seen := 0
			_, err := store.MoveDatabase(ctx, store.Move{From: from, To: to, Told: func(table string) {
				if table == at {
					if seen++; seen == 2 { // the second time it is compared
						cancel()
					}
				}
			}})
			cancel()
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
		}
		if left, _ := filepath.Glob(to + "*"); len(left) > 0 && (len(left) != 1 || !strings.HasSuffix(left[0], ".lock")) {
			t.Errorf("it left %v", left)
		}
		if _, err := store.MoveDatabase(t.Context(), store.Move{From: from, To: to}); err != nil {
			t.Errorf("the move after it: %v", err)
		}
	})
}

func TestWhatATargetCannotHoldIsMendedOrLeftBehind(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, to string) {
		from := filepath.Join(t.TempDir(), "leat.db")
		r := newest(t, from, 1)
		r.exec(t, "CREATE TABLE notes (x TEXT)")
		r.exec(t, "UPDATE log SET message = 'zero' || char(0) || 'byte'")
		out, err := store.MoveDatabase(t.Context(), store.Move{From: from, To: to})
		if err != nil {
			t.Fatal(err)
		}
		mended := int64(0)
		if strings.HasPrefix(to, "postgres") {
			mended = 1
		}
		if diff := cmp.Diff([]string{"notes"}, out.Left); diff != "" || out.Mended != mended {
			t.Errorf("%d texts mended; -want +left:\n%s", out.Mended, diff)
		}
		r.exec(t, "ALTER TABLE flow ADD COLUMN colour TEXT")
		if _, err := store.MoveDatabase(t.Context(), store.Move{From: from, To: to, Force: true}); err == nil || !strings.Contains(err.Error(), "colour") {
			t.Errorf("a column that nobody knows: %v", err)
		}
		r.exec(t, "ALTER TABLE flow DROP COLUMN colour")
		r.exec(t, "DROP TABLE variable")
		if _, err := store.MoveDatabase(t.Context(), store.Move{From: from, To: to, Force: true}); err == nil || !strings.Contains(err.Error(), "variable") {
			t.Errorf("a table that is missing: %v", err)
		}
	})
}

func TestABackupOfAnOlderVersionIsRestored(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, database string) {
		r := openRaw(t, database)
		r.migrateTo(t, 7)
		r.fill(t, 6)
		columns := r.tables(t)
		want := r.dump(t, columns)
		file := filepath.Join(t.TempDir(), "backup.db")
		if err := store.Backup(t.Context(), database, file); err != nil {
			t.Fatal(err)
		}
		state, err := store.Schema(t.Context(), file)
		if err != nil || state.Applied != migrationNames(t, "sqlite")[6] {
			t.Errorf("the backup has the schema %v, %v", state, err)
		}
		to := filepath.Join(t.TempDir(), "restored.db")
		if r.pg {
			to = freshDatabase(t)
		}
		if err := store.Restore(t.Context(), file, to); err != nil {
			t.Fatal(err)
		}
		s, err := store.Open(t.Context(), store.Config{Database: to})
		if err != nil {
			t.Fatal(err)
		}
		readable(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, openRaw(t, to).dump(t, columns)); diff != "" {
			t.Errorf("-stored +restored:\n%s", diff)
		}
		if left, _ := filepath.Glob(file + "*"); len(left) != 1 {
			t.Errorf("beside the backup there are %v", left)
		}
	})
}

func TestAPasswordIsNotNamed(t *testing.T) {
	t.Parallel()
	for database, want := range map[string]string{
		"leat.db":                                "leat.db",
		"postgres://u:secret@h/db":               "postgres://u:xxxxx@h/db",
		"postgres://h/db?password=secret&user=u": "postgres://h/db?password=xxxxx&user=u",
		"postgresql://u:secret@h:none/db":        "the Postgres database",
		"/srv/leat:x@y.db":                       "/srv/leat:x@y.db",
	} {
		if got := store.Redacted(database); got != want {
			t.Errorf("%s is named %s", database, got)
		}
	}
}
