package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/store"
)

// eachDatabase runs a test on SQLite, and on Postgres if there is one.
func eachDatabase(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, filepath.Join(t.TempDir(), "leat.db"))
	})
	if os.Getenv("LEAT_TEST_POSTGRES") != "" {
		t.Run("postgres", func(t *testing.T) {
			t.Parallel()
			test(t, freshDatabase(t))
		})
	}
}

func TestADatabaseOfEveryVersionIsUpgradedWithAllItsRows(t *testing.T) {
	t.Parallel()
	for n := range migrationNames(t, "sqlite") {
		t.Run(fmt.Sprintf("%04d", n+1), func(t *testing.T) {
			t.Parallel()
			eachDatabase(t, func(t *testing.T, database string) {
				r := openRaw(t, database)
				r.migrateTo(t, n+1)
				r.fill(t, 6)
				before := r.tables(t)
				want := r.dump(t, before)
				s := open(t, database)
				if diff := cmp.Diff(want, r.dump(t, before)); diff != "" {
					t.Errorf("-before +after:\n%s", diff)
				}
				readable(t, s)
				state, err := store.Schema(t.Context(), database)
				if err != nil || len(state.Pending) != 0 {
					t.Errorf("after the upgrade: %v, %v", state, err)
				}
			})
		})
	}
}

func TestTheSchemasAgreeWithEachOtherAndWithTheTablesThatAreCopied(t *testing.T) {
	t.Parallel()
	var seen []map[string][]string
	eachDatabase(t, func(t *testing.T, database string) {
		open(t, database)
		got := map[string][]string{}
		for table, columns := range openRaw(t, database).tables(t) {
			for _, c := range columns {
				if c.name == "tx" && (table == "log" || table == "event") {
					continue
				}
				kind := strings.Replace(c.kind, "integer", "bigint", 1)
				got[table] = append(got[table], c.name+" "+kind)
			}
			slices.Sort(got[table])
		}
		var unlisted []string
		for table := range got {
			if !slices.Contains(append(store.Tables(), "migration", "workspace"), table) {
				unlisted = append(unlisted, table)
			}
		}
		for _, table := range store.Tables() {
			if got[table] == nil {
				unlisted = append(unlisted, "no "+table)
			}
		}
		if len(unlisted) > 0 {
			t.Errorf("the list of tables and the schema differ: %v", unlisted)
		}
		seen = append(seen, got)
	})
	t.Cleanup(func() {
		if len(seen) == 2 {
			if diff := cmp.Diff(seen[0], seen[1]); diff != "" {
				t.Errorf("the schemas differ:\n%s", diff)
			}
		}
	})
}

// older makes a file of an older version with rows.
func older(t *testing.T, n, rows int) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "leat.db")
	r := openRaw(t, file)
	r.migrateTo(t, n)
	if rows > 0 {
		r.fill(t, rows)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

func copies(t *testing.T, file string) []string {
	t.Helper()
	found, err := filepath.Glob(file + ".before-*")
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestAFileIsCopiedBeforeItsUpgrade(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	upgrade := func(t *testing.T, file string, backup bool) {
		t.Helper()
		err := store.Upgrade(t.Context(), store.Config{Database: file, BackupBeforeUpgrade: backup, Now: func() time.Time { return at }, Observe: func(int, time.Duration) {}})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Run("the copy is what was there, and can be opened", func(t *testing.T) {
		t.Parallel()
		file := older(t, 7, 6)
		want := openRaw(t, file).dump(t, nil)
		upgrade(t, file, true)
		found := copies(t, file)
		newest := migrationNames(t, "sqlite")
		if len(found) != 1 || !strings.HasSuffix(found[0], "leat.db.before-"+newest[len(newest)-1][:4]+"-20261122-120000") {
			t.Fatalf("copies %v", found)
		}
		if diff := cmp.Diff(want, openRaw(t, found[0]).dump(t, nil)); diff != "" {
			t.Errorf("-before +copy:\n%s", diff)
		}
		upgrade(t, file, true)
		if again := copies(t, file); len(again) != 1 {
			t.Errorf("a database that is up to date was copied: %v", again)
		}
		readable(t, open(t, found[0]))
	})
	t.Run("nothing is copied of nothing, and when it is not wanted", func(t *testing.T) {
		t.Parallel()
		none, unwanted, fresh := older(t, 7, 0), older(t, 7, 6), filepath.Join(t.TempDir(), "leat.db")
		upgrade(t, none, true)
		upgrade(t, unwanted, false)
		upgrade(t, fresh, true)
		if found := append(append(copies(t, none), copies(t, unwanted)...), copies(t, fresh)...); len(found) > 0 {
			t.Errorf("copies %v", found)
		}
	})
	t.Run("the last two copies are kept", func(t *testing.T) {
		t.Parallel()
		file := older(t, 7, 6)
		for i, name := range []string{"0005-20260101-000000", "0006-20260201-000000", "0007-20260301-000000"} {
			old := file + ".before-" + name
			if err := os.WriteFile(old, []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
			when := at.AddDate(0, i-10, 0)
			if err := os.Chtimes(old, when, when); err != nil {
				t.Fatal(err)
			}
		}
		own := file + ".before-my-own-copy"
		if err := os.WriteFile(own, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		upgrade(t, file, true)
		found := copies(t, file)
		if len(found) != 3 || !slices.Contains(found, own) || !slices.Contains(found, file+".before-0007-20260301-000000") {
			t.Errorf("copies %v", found)
		}
	})
	t.Run("a newer database is left alone", func(t *testing.T) {
		t.Parallel()
		file := older(t, 7, 1)
		openRaw(t, file).exec(t, "INSERT INTO migration VALUES ('9999_future.sql')")
		if err := store.Upgrade(t.Context(), store.Config{Database: file, BackupBeforeUpgrade: true}); err == nil || !strings.Contains(err.Error(), "newer leat") {
			t.Errorf("error %v", err)
		}
		if len(copies(t, file)) > 0 {
			t.Error("it was copied")
		}
	})
}

func TestVacuumMakesAnOldFileGiveItsSpaceBack(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, database string) {
		r := openRaw(t, database)
		r.migrateTo(t, 7)
		r.fill(t, 6)
		if err := store.Vacuum(t.Context(), database); err != nil {
			t.Fatal(err)
		}
		if r.pg {
			return
		}
		if mode := openRaw(t, database).strings(t, "PRAGMA auto_vacuum"); mode[0][0] != "2" {
			t.Errorf("auto_vacuum is %v after a vacuum", mode)
		}
		s := open(t, database)
		readable(t, s)
		if err := store.Vacuum(t.Context(), database); err == nil || !strings.Contains(err.Error(), "another leat server") {
			t.Errorf("vacuum under a server: %v", err)
		}
	})
}
