package store_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/store"
)

func TestABackupHoldsAllAndCanBeRestoredAnywhere(t *testing.T) {
	t.Parallel()
	targets := map[string]func(*testing.T) string{
		"sqlite": func(t *testing.T) string { t.Helper(); return filepath.Join(t.TempDir(), "leat.db") },
	}
	if os.Getenv("LEAT_TEST_POSTGRES") != "" {
		targets["postgres"] = freshDatabase
	}
	for from, source := range targets {
		for to, target := range targets {
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				database := source(t)
				s := open(t, database)
				run := fill(t, s)
				file := filepath.Join(t.TempDir(), "backup.db")
				if err := store.Backup(t.Context(), database, file); err != nil {
					t.Fatal(err)
				}
				if err := store.Backup(t.Context(), database, file); core.CodeOf(err) != core.Conflict {
					t.Errorf("a second backup to the same file: %v", err)
				}
				restored := target(t)
				if err := store.Restore(t.Context(), file, restored); err != nil {
					t.Fatal(err)
				}
				r := open(t, restored)
				got := read(t, r, run.ID)
				if diff := cmp.Diff(read(t, s, run.ID), got); diff != "" {
					t.Errorf("-stored +restored:\n%s", diff)
				}
				fill(t, r) // numbers go on
			})
		}
	}
}

func TestRestoreRefusesADatabaseThatHoldsSomething(t *testing.T) {
	t.Parallel()
	database, file := filepath.Join(t.TempDir(), "leat.db"), filepath.Join(t.TempDir(), "backup.db")
	s, err := store.Open(t.Context(), store.Config{Database: database})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s)
	if err := store.Restore(t.Context(), file, database); err == nil {
		t.Error("restored from a file that is not there")
	}
	if err := store.Backup(t.Context(), database, file); err != nil {
		t.Fatal(err)
	}
	if err := store.Restore(t.Context(), file, database); core.CodeOf(err) != core.Conflict {
		t.Errorf("restored under a running server: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := store.Restore(t.Context(), file, database); core.CodeOf(err) != core.Conflict {
		t.Errorf("restored over data: %v", err)
	}
}

// fill stores a run with a log line and an event.
func fill(t *testing.T, s core.Store) *core.FlowRun {
	t.Helper()
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	f := &core.Flow{ID: core.NewID(at), Created: at, Updated: at, Name: core.NewID(at).String()}
	r := &core.FlowRun{
		ID: core.NewID(at), Created: at, Updated: at, Name: "r", FlowID: f.ID, FlowName: f.Name, Tags: []string{"t"}, AutoScheduled: true,
		State: &core.State{ID: core.NewID(at), Type: core.Running, Name: "Running", Timestamp: at},
	}
	err := s.Update(t.Context(), core.DefaultWorkspace, func(tx core.Tx) error {
		if err := tx.InsertFlow(f); err != nil {
			return err
		}
		if err := tx.InsertFlowRun(r); err != nil {
			return err
		}
		if err := tx.InsertLogs([]*core.Log{{Created: at, Name: "l", Message: "m", Timestamp: at, FlowRunID: &r.ID}}); err != nil {
			return err
		}
		return tx.InsertEvents([]*core.Event{{ID: core.NewID(at), Occurred: at, Received: at, Event: "e"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func read(t *testing.T, s core.Store, id core.ID) *core.FlowRun {
	t.Helper()
	var r *core.FlowRun
	if err := s.View(t.Context(), core.DefaultWorkspace, func(tx core.Tx) (err error) {
		r, err = tx.FlowRun(id)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return r
}
