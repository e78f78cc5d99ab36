package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	line := "42 (a (b) c) S 7 42 42 0 -1 4194304 1 2 3 4 11 22 33 44 20 0 5 0 100 5000 300 18446744073709551615"
	p, ok := parseStat([]byte(line))
	want := process{parent: 7, ticks: 11 + 22 + 33 + 44, resident: 300 * int64(os.Getpagesize()), threads: 5, command: "a (b) c"}
	if diff := cmp.Diff(want, p, cmp.AllowUnexported(process{})); !ok || diff != "" {
		t.Errorf("parsed %v (-want +got)\n%s", ok, diff)
	}
	if _, ok := parseStat([]byte("42 (cut off")); ok {
		t.Error("a line that is cut off was taken")
	}
}

func TestTreeUsage(t *testing.T) {
	t.Parallel()
	if u := treeUsage(os.Getpid()); u.resident < megabyte {
		t.Errorf("this process has %d bytes of memory", u.resident)
	}
	if u := treeUsage(-1); u != (usage{}) {
		t.Errorf("no process has used %v", u)
	}
}

func TestField(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, body, key, want string }{
		{"a value without blanks", `{"id":"x","name":"y"}`, "name", "y"},
		{"a value after a blank", `{"id": "x"}`, "id", "x"},
		{"a value that is no string", `{"id":null}`, "id", ""},
		{"no such key", `{"name":"y"}`, "id", ""},
		{"a text that is cut off", `{"id":"x`, "id", ""},
	} {
		if got := field([]byte(tt.body), tt.key); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	s := sample{}
	s.add(sample{Ops: 2, Seconds: 1, CPU: 1, latencies: []float64{4, 2}})
	s.add(sample{Ops: 2, Seconds: 1, CPU: 3, latencies: []float64{3, 1}})
	if s.P50 != 3 || s.P99 != 4 || s.rate() != 2 || s.cpuPer1000() != 1000 {
		t.Errorf("p50 %v, p99 %v, rate %v, CPU %v", s.P50, s.P99, s.rate(), s.cpuPer1000())
	}
	if quantile(nil, 0.5) != 0 {
		t.Error("no values have a quantile")
	}
}

// TestTaskEventIsRecorded compares the shape of the events with one recorded
// from the real client.
func TestTaskEventIsRecorded(t *testing.T) {
	t.Parallel()
	const recorded = "../../shared/prefect3-traffic/ws_events_in_ws_send_event_prefect_task_run_running.json"
	data, err := os.ReadFile(filepath.FromSlash(recorded))
	if err != nil {
		t.Skip("the recorded exchanges are not there: ", err)
	}
	var exchange struct{ Message map[string]any }
	if err := json.Unmarshal(data, &exchange); err != nil {
		t.Fatal(err)
	}
	text := parseTemplate(taskEvent).fill(map[string]string{
		"occurred": "2026-11-22T07:24:09.825009Z", "name": "Running", "kind": "RUNNING", "runs": "1", "from": `"PENDING"`,
		"created": "2026-11-22T07:24:09.753897Z", "initial": `{"type":"PENDING","name":"Pending","message":"","state_details":{}}`, "details": "{}",
		"times": `"start_time":"2026-11-22T07:24:09.825009Z",`, "follows": `"x"`,
	})
	var ours map[string]any
	if err := json.Unmarshal(text, &ours); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(shape(exchange.Message), shape(ours)); diff != "" {
		t.Errorf("keys (-recorded +ours)\n%s", diff)
	}
}

// shape keeps the keys and the kinds of values; times have a form of their own.
func shape(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = shape(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = shape(v[i])
		}
		return out
	case string:
		if strings.HasPrefix(v, "2026-") {
			return "time"
		}
		return "string"
	default:
		return v
	}
}

func TestSelectRows(t *testing.T) {
	t.Parallel()
	got, err := selectRows("logs,life1")
	if err != nil || len(got) != 2 || got[0].key != "logs" || got[1].key != "life1" {
		t.Errorf("selected %v, %v", got, err)
	}
	if got, err := selectRows("flows,states"); err != nil || len(got) != len(rows()) {
		t.Errorf("both kinds are %d rows of %d, %v", len(got), len(rows()), err)
	}
	if _, err := selectRows("nothing"); err == nil {
		t.Error("a row that is not there was selected")
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	met := true
	var out strings.Builder
	report(&out, []result{{
		Work: "work", Database: sqlite, Goal: "CPU ≤ 1/75", Met: &met,
		Ours:      &sample{Ops: 1000, Seconds: 1, CPU: 1, P50: 1, P95: 2, P99: 3},
		Reference: &sample{Ops: 100, Seconds: 10, CPU: 9, Errors: 5, Note: "first error: a|b"},
	}}, nil)
	const want = "| work | sqlite | 1.00 CPU s per 1,000; 1000/s; p50 1.00, p95 2.00, p99 3.00 ms; 0 errors | " +
		"90.0 CPU s per 1,000; 10.0/s; p50 0, p95 0, p99 0 ms; 5 errors; first error: a/b | CPU 1/90.0; rate 100× | CPU ≤ 1/75 | yes |\n"
	if _, row, _ := strings.Cut(out.String(), "|---|---|---|---|---|---|---|\n"); row != want {
		t.Errorf("got  %s\nwant %s", row, want)
	}
}

func TestReportOfStates(t *testing.T) {
	t.Parallel()
	met := false
	var out strings.Builder
	report(&out, []result{{
		Work: "work", Database: postgres, Goal: "≤ 2 ms CPU each", Met: &met,
		Ours: &sample{Ops: 1000, Seconds: 1, CPU: 3, DatabaseCPU: 1.5, P50: 1, P95: 2, P99: 3},
		Emulators: map[string]*sample{
			localStack: {Ops: 10, Seconds: 1, CPU: 0.9, P50: 90, P95: 95, P99: 99}, moto: {Note: "not installed: why"},
		},
	}}, map[string]emulator{localStack: {version: "1.2.3"}, moto: {missing: "not installed: why"}})
	const want = "| work | database | leat, durable | LocalStack 1.2.3, in memory | moto, in memory | leat to them | goal | met |\n" +
		"|---|---|---|---|---|---|---|---|\n" +
		"| work | postgres | 3.00 ms CPU each (50 % in Postgres); 1000/s; p50 1.00, p95 2.00, p99 3.00 ms; 0 errors | " +
		"90.0 ms CPU each; 10.0/s; p50 90.0, p95 95.0, p99 99.0 ms; 0 errors | not installed: why | " +
		"LocalStack: CPU 1/30.0; rate 100× | ≤ 2 ms CPU each | NO |\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
