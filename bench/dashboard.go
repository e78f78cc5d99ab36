package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

const (
	// dashboardRuns is how many flow runs are stored when a dashboard asks.
	dashboardRuns = 1_000_000
	// importBatch is how many of them a request stores.
	importBatch = 5000
	// runsSince is how long ago the oldest began.
	runsSince = 30 * 24 * time.Hour
	// settleTally is how long the server may take to count what was stored.
	settleTally = 2 * time.Minute
)

// dashboard stores runs by leat's own import, for which the reference has
// nothing like it, and asks what a dashboard asks.
func dashboard(ctx context.Context, b *bench, t target) (sample, error) {
	if t.product == reference {
		return sample{Note: "has no way to store so many"}, nil
	}
	s, err := b.fresh(ctx, t)
	if err != nil {
		return sample{}, err
	}
	defer s.stop()
	n := dashboardRuns
	if b.quick {
		n /= 20
	}
	if err := s.importRuns(ctx, n); err != nil {
		return sample{}, err
	}
	return s.askDashboard(ctx, b.duration(), n)
}

// importRuns stores ended runs, half of them of the last day.
func (s *server) importRuns(ctx context.Context, n int) error {
	flow, err := s.flow(ctx)
	if err != nil {
		return err
	}
	c := newConn(s.addr)
	defer c.close()
	body, err := c.post(ctx, "/flow_runs/", fmt.Appendf(nil, `{"flow_id":%q,"state":{"type":"COMPLETED","name":"Completed"}}`, flow), http.StatusCreated)
	if err != nil {
		return err
	}
	var run map[string]any
	if err := json.Unmarshal(body, &run); err != nil {
		return err
	}
	now := time.Now().UTC()
	for first := 0; first < n; first += importBatch {
		rows := make([]any, 0, importBatch)
		for i := first; i < min(first+importBatch, n); i++ {
			rows = append(rows, recordedRun(run, i, n, now))
		}
		batch, err := json.Marshal(map[string]any{"kind": "flow_runs", "rows": rows})
		if err != nil {
			return err
		}
		if answer, err := c.post(ctx, "/leat/import", batch, http.StatusOK); err != nil {
			return err
		} else if !bytes.Contains(answer, fmt.Appendf(nil, `"created":%d`, len(rows))) {
			return fmt.Errorf("not all rows were stored: %.300s", answer)
		}
	}
	return nil
}

// recordedRun is the i-th of n runs, made of another one.
func recordedRun(like map[string]any, i, n int, now time.Time) map[string]any {
	back := time.Duration(float64(runsSince) * float64(i) / float64(n))
	if i%2 == 0 {
		back /= 30
	}
	began := now.Add(-back - time.Minute)
	ended := began.Add(time.Duration(i%50) * time.Second)
	id := func(kind int) string { return fmt.Sprintf("%08x-%04x-7000-8000-%012x", began.Unix(), kind, i) }
	kind := [][2]string{{"COMPLETED", "Completed"}, {"COMPLETED", "Completed"}, {"FAILED", "Failed"}, {"CRASHED", "Crashed"}, {"CANCELLED", "Cancelled"}}[i%5]
	run := maps.Clone(like)
	state := map[string]any{"id": id(2), "type": kind[0], "name": kind[1], "timestamp": ended, "message": nil, "data": nil, "state_details": map[string]any{}}
	maps.Copy(run, map[string]any{
		"id": id(1), "name": fmt.Sprintf("run-%d", i), "created": began, "updated": ended, "expected_start_time": began, "start_time": began,
		"end_time": ended, "total_run_time": ended.Sub(began).Seconds(), "state": state, "state_id": id(2), "state_type": kind[0], "state_name": kind[1],
		"states": []any{state}, "inputs": []any{},
	})
	return run
}

// question is one of a dashboard's.
type question struct{ name, path, body string }

// questions lists what the UI's pages ask, with times before now.
func questions(now time.Time) []question {
	at := func(d time.Duration) string { return now.Add(-d).UTC().Format(time.RFC3339Nano) }
	const day = 24 * time.Hour
	since := func(d time.Duration) string { return fmt.Sprintf(`{"expected_start_time":{"after_":%q}}`, at(d)) }
	history := func(d, step time.Duration) string {
		return fmt.Sprintf(`{"history_start":%q,"history_end":%q,"history_interval_seconds":%d}`, at(d), at(0), int(step.Seconds()))
	}
	return []question{
		{"count", "/flow_runs/count", `{}`},
		{"count by type", "/flow_runs/count", `{"flow_runs":{"state":{"type":{"any_":["FAILED","CRASHED"]}}}}`},
		{"count by type, 1 day", "/flow_runs/count", `{"flow_runs":{"state":{"type":{"any_":["FAILED"]}},` + since(day)[1:] + `}`},
		{"count by name, 30 days", "/flow_runs/count", `{"flow_runs":{"state":{"name":{"any_":["Completed"]}},` + since(30 * day)[1:] + `}`},
		{"history, 1 day", "/flow_runs/history", history(day, time.Hour)},
		{"history, 7 days", "/flow_runs/history", history(7*day, 6*time.Hour)},
		{"history, 30 days", "/flow_runs/history", history(30*day, day)},
		{"lateness, 1 day", "/flow_runs/lateness", `{"flow_runs":` + since(day) + `}`},
		{"UI history", "/ui/flow_runs/history", `{"sort":"EXPECTED_START_TIME_DESC","limit":1000,"flow_runs":` + since(7*day) + `}`},
		{"latest runs", "/flow_runs/filter", `{"sort":"START_TIME_DESC","limit":50,"flow_runs":` + since(7*day) + `}`},
	}
}

// askDashboard asks all questions in turn, after the server has settled.
func (s *server) askDashboard(ctx context.Context, d time.Duration, n int) (sample, error) {
	c := newConn(s.addr)
	defer c.close()
	for end := time.Now().Add(settleTally); time.Now().Before(end); {
		start := time.Now()
		if _, err := c.post(ctx, "/flow_runs/history", []byte(questions(time.Now())[6].body), http.StatusOK); err != nil {
			return sample{}, err
		}
		if time.Since(start) < 50*time.Millisecond {
			break
		}
		time.Sleep(time.Second)
	}
	took := map[string][]float64{}
	out := drive(ctx, s, load{clients: 1, limit: d, max: 100_000}, func(ctx context.Context, c *conn, i int) error {
		now := time.Now()
		q := questions(now)[i%len(questions(now))]
		_, err := c.post(ctx, q.path, []byte(q.body), http.StatusOK)
		took[q.name] = append(took[q.name], float64(time.Since(now).Microseconds())/1000)
		return err
	})
	out.Values = map[string]float64{"runs stored": float64(n)}
	for name, list := range took {
		slices.Sort(list)
		out.Values[name+", p95 ms"] = quantile(list, 0.95)
	}
	return out, nil
}
