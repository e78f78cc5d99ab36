package service_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/service"
	"github.com/leat-dev/leat/internal/store"
)

// BenchmarkWritersBesideRetention measures how long writers wait for their
// commit while retention clears a long history, and while it does not.
func BenchmarkWritersBesideRetention(b *testing.B) {
	for name, days := range map[string]int{"nothing to remove": 0, "a long history": 10_000} {
		b.Run(name, func(b *testing.B) {
			now := time.Now()
			file := filepath.Join(b.TempDir(), "leat.db")
			s, err := store.Open(b.Context(), store.Config{Database: file})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }() // the figures are made
			for d := range days {
				if err := s.Update(b.Context(), core.DefaultWorkspace, func(tx core.Tx) error { return longDay(tx, now.AddDate(-1, 0, 0).Add(-time.Duration(d)*time.Minute)) }); err != nil {
					b.Fatal(err)
				}
			}
			before := fileSize(b, file)
			ctx, stop := context.WithCancel(b.Context())
			r := &service.Retention{Store: s, Now: time.Now, Keep: keep, Round: 5 * time.Second}
			var group sync.WaitGroup
			group.Go(func() {
				for r.Tick(ctx) == nil {
				}
			})
			waits := writers(b, s, 8, b.N)
			stop()
			group.Wait()
			slices.Sort(waits)
			b.ReportMetric(waits[len(waits)/2].Seconds()*1000, "p50-ms")
			b.ReportMetric(waits[len(waits)*99/100].Seconds()*1000, "p99-ms")
			b.ReportMetric(waits[len(waits)-1].Seconds()*1000, "max-ms")
			b.ReportMetric(float64(len(waits)), "writes")
			b.ReportMetric(float64(before)/(1<<20), "MiB-before")
			b.ReportMetric(float64(fileSize(b, file))/(1<<20), "MiB-after")
		})
	}
}

func fileSize(b *testing.B, file string) int64 {
	b.Helper()
	info, err := os.Stat(file)
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}

// writers write so many runs, a run at a time, each of the n writers every few
// milliseconds, and returns how long each commit took.
func writers(b *testing.B, s core.Store, n, runs int) (waits []time.Duration) {
	b.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	begin := func() bool {
		mu.Lock()
		defer mu.Unlock()
		runs--
		return runs >= 0
	}
	for range n {
		group.Go(func() {
			pace := time.NewTicker(10 * time.Millisecond)
			defer pace.Stop()
			for begin() {
				<-pace.C
				began := time.Now()
				err := s.Update(b.Context(), core.DefaultWorkspace, func(tx core.Tx) error { return aDay(tx, began) })
				took := time.Since(began)
				mu.Lock()
				if waits = append(waits, took); err != nil {
					b.Error(err)
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return waits
}

// longDay is aDay with many lines, task runs and events.
func longDay(tx core.Tx, at time.Time) error {
	if err := aDay(tx, at); err != nil {
		return err
	}
	run := core.NewID(at)
	done := &core.State{ID: core.NewID(at), Type: core.Completed, Name: "Completed", Timestamp: at}
	err := tx.InsertFlowRun(&core.FlowRun{ID: run, Created: at, Updated: at, Name: "r", FlowID: core.NewID(at), ExpectedStartTime: &at, EndTime: &at, State: done})
	lines, events := make([]*core.Log, 50), make([]*core.Event, 20)
	for i := range lines {
		lines[i] = &core.Log{Created: at, Timestamp: at, FlowRunID: &run, Message: "a line of an ordinary length, one of many that a run writes"}
	}
	for i := range events {
		events[i] = &core.Event{ID: core.NewID(at), Occurred: at, Received: at, Event: "prefect.task-run.Completed"}
	}
	for range 10 {
		st := *done
		st.ID = core.NewID(at)
		err = errors.Join(err, tx.InsertTaskRun(&core.TaskRun{ID: core.NewID(at), Created: at, Updated: at, FlowRunID: &run, TaskKey: "k", DynamicKey: "0", ExpectedStartTime: &at, State: &st}))
	}
	return errors.Join(err, tx.InsertLogs(lines), tx.InsertEvents(events))
}
