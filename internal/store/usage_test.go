package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/store"
)

func TestTheSurveyOfADatabaseThatIsServed(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, database string) {
		r := newest(t, database, 6)
		s := open(t, database)
		readable(t, s)
		oldest := time.UnixMicro(1_700_000_000_000_000).UTC()
		now := oldest.Add(10*day + 3*time.Microsecond)
		u, err := store.Survey(t.Context(), database, core.Retention{Runs: 10 * day, Logs: 20 * day, Artifacts: day}, now)
		if err != nil {
			t.Fatal(err)
		}
		tables := map[string]store.TableUsage{}
		total := int64(0)
		for _, t := range u.Tables {
			tables[t.Table] = t
			total += t.Bytes
		}
		if f := tables["flow_run"]; f.Rows != 6 || f.Bytes < 4096 || !f.Oldest.Equal(oldest) || u.Bytes < 100<<10 || total > u.Bytes {
			t.Errorf("flow runs %+v of %d bytes, tables %d", f, u.Bytes, total)
		}
		if _, ok := tables["workspace"]; !ok || len(tables) != len(r.tables(t))-1 {
			t.Errorf("%d tables", len(tables))
		}
		later := oldest.Add(20 * day)
		want := []store.KindUsage{
			{Kind: "flow runs", KeptSeconds: (10 * day).Seconds(), Rows: 4, Due: 2, Oldest: &oldest, Next: &now},
			{Kind: "task runs without a flow run", KeptSeconds: (10 * day).Seconds()},
			{Kind: "logs", KeptSeconds: (20 * day).Seconds(), Rows: 6, Oldest: &oldest, Next: &later},
			{Kind: "events", Rows: 6, Oldest: &oldest},
			{Kind: "artifacts", KeptSeconds: day.Seconds(), Rows: 0},
		}
		if diff := cmp.Diff(want, u.Kinds); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

const day = 24 * time.Hour

func TestASurveyRefusesWhatIsNoDatabaseOfLeats(t *testing.T) {
	t.Parallel()
	other := filepath.Join(t.TempDir(), "other.db")
	openRaw(t, other).exec(t, "CREATE TABLE t (x TEXT)")
	newer := older(t, 3, 1)
	openRaw(t, newer).exec(t, "INSERT INTO migration VALUES ('9999_future.sql')")
	for _, file := range []string{other, newer, filepath.Join(t.TempDir(), "none.db"), "postgres://127.0.0.1:1/none?connect_timeout=2"} {
		if u, err := store.Survey(t.Context(), file, core.Retention{}, time.Unix(0, 0)); err == nil {
			t.Errorf("%s: %v", file, u)
		}
	}
	u, err := store.Survey(t.Context(), older(t, 4, 3), core.Retention{Runs: day}, time.Unix(0, 0))
	if err != nil || len(u.Kinds) != 5 {
		t.Errorf("an older database: %v, %v", u, err)
	}
}
