package store_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/store"
)

func benchStore(b *testing.B) core.Store {
	b.Helper()
	s, err := store.Open(b.Context(), store.Config{Database: filepath.Join(b.TempDir(), "leat.db")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

// BenchmarkInsertLogs stores 100 lines of one run in a transaction.
func BenchmarkInsertLogs(b *testing.B) {
	s := benchStore(b)
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	run, task := core.NewID(at), core.NewID(at)
	for b.Loop() {
		lines := make([]*core.Log, 100)
		for i := range lines {
			lines[i] = &core.Log{
				Created: at, Name: "prefect.flow_runs", Level: 20, Timestamp: at, FlowRunID: &run, TaskRunID: &task,
				Message: fmt.Sprintf("a line of an ordinary length, the one with the number %d of many", i),
			}
		}
		if err := s.Update(b.Context(), core.DefaultWorkspace, func(tx core.Tx) error { return tx.InsertLogs(lines) }); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRecordTaskRuns stores the three states of 100 task runs in a transaction.
func BenchmarkRecordTaskRuns(b *testing.B) {
	s := benchStore(b)
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	run := core.NewID(at)
	for b.Loop() {
		var runs []*core.TaskRun
		var events []*core.Event
		for range 100 {
			id := core.NewID(at)
			for i, kind := range []core.StateType{core.Pending, core.Running, core.Completed} {
				t := at.Add(time.Duration(i) * time.Millisecond)
				st := &core.State{ID: core.NewID(t), Type: kind, Name: kind.DefaultName(), Timestamp: t}
				runs = append(runs, &core.TaskRun{
					ID: id, Created: at, Updated: at, Name: "t", FlowRunID: &run, TaskKey: "k", DynamicKey: id.String(), ExpectedStartTime: &at, State: st,
				})
				events = append(events, &core.Event{
					ID: st.ID, Occurred: t, Received: t, Event: "prefect.task-run." + st.Name,
					Resource: core.Labels{{Key: core.ResourceID, Value: "prefect.task-run." + id.String()}}, Payload: []byte(`{"intended":{"from":"RUNNING","to":"COMPLETED"}}`),
				})
			}
		}
		if err := s.Update(b.Context(), core.DefaultWorkspace, func(tx core.Tx) error {
			if err := tx.InsertEvents(events); err != nil {
				return err
			}
			return tx.RecordTaskRuns(runs)
		}); err != nil {
			b.Fatal(err)
		}
	}
}
