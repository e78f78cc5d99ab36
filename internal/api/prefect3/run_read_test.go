package prefect3_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// ask sends a request to a handler and returns the answer.
func ask(t *testing.T, h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/api"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// idOf creates something and returns its id.
func idOf(t *testing.T, h http.Handler, path, body string) string {
	t.Helper()
	w := ask(t, h, "POST", path, body)
	var made struct{ ID string }
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || made.ID == "" {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return made.ID
}

func TestABulkDeleteOfEverythingTakesFiftyAtATime(t *testing.T) {
	t.Parallel()
	h := newHandler(t)
	flow := idOf(t, h, "/flows/", `{"name":"f"}`)
	for range 51 {
		idOf(t, h, "/flow_runs/", `{"flow_id":"`+flow+`"}`)
	}
	for _, want := range []int{50, 1, 0} {
		var out struct{ Deleted []string }
		w := ask(t, h, "POST", "/flow_runs/bulk_delete", "")
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK || len(out.Deleted) != want {
			t.Fatalf("%d deleted, want %d: %d %s", len(out.Deleted), want, w.Code, w.Body)
		}
	}
}

func TestLogsAreDownloadedAsPythonWritesCSV(t *testing.T) {
	t.Parallel()
	h := newHandler(t)
	run := idOf(t, h, "/flow_runs/", `{"name":"a b/c","flow_id":"`+idOf(t, h, "/flows/", `{"name":"f"}`)+`"}`)
	line := `{"name":"x","level":20,"message":%q,"timestamp":%q,"flow_run_id":"` + run + `"}`
	ask(t, h, "POST", "/logs/", "["+fmt.Sprintf(line, "a,\"b\"\nc", "2026-01-01T00:00:00.5Z")+","+fmt.Sprintf(line, "plain", "2026-01-01T00:00:00Z")+"]")
	w := ask(t, h, "GET", "/flow_runs/"+run+"/logs/download", "")
	want := "timestamp,level,flow_run_id,task_run_id,message\r\n2026-01-01 00:00:00+00:00,20," + run + ",,plain\r\n" +
		"2026-01-01 00:00:00.500000+00:00,20," + run + ",,\"a,\"\"b\"\"\nc\"\r\n"
	if w.Body.String() != want {
		t.Errorf("got %q, want %q", w.Body, want)
	}
	if got := w.Header().Get("Content-Disposition"); got != `attachment; filename="flow-run-logs.csv"; filename*=UTF-8''a%20b%2Fc-logs.csv` {
		t.Error(got)
	}
}

func TestHostileReadsAreRefused(t *testing.T) {
	t.Parallel()
	h := newHandler(t)
	deep := `{"flow_runs":` + strings.Repeat(`{"state":`, 10_000) + "null" + strings.Repeat("}", 10_000) + "}"
	for _, tt := range []struct {
		name, path, body string
		status           int
	}{
		{"a filter nested ten thousand deep", "/flow_runs/count", deep, http.StatusBadRequest},
		{"a history of ten years by the second is cut", "/flow_runs/history", `{"history_start":"2016-01-01T00:00:00Z","history_end":"2026-01-01T00:00:00Z","history_interval_seconds":1}`, http.StatusOK},
		{"an interval longer than time", "/flow_runs/history", `{"history_start":"2016-01-01T00:00:00Z","history_end":"2026-01-01T00:00:00Z","history_interval_seconds":1e20}`, http.StatusUnprocessableEntity},
		{"millions of buckets", "/events/count-by/time", `{"filter":{"occurred":{"since":"2020-01-01T00:00:00Z","until":"2026-01-01T00:00:00Z"}},"time_unit":"second"}`, http.StatusUnprocessableEntity},
		{"an unknown countable", "/events/count-by/moon", `{"filter":{}}`, http.StatusUnprocessableEntity},
		{"a schema that refers to itself", "/ui/schemas/validate", `{"schema":{"$ref":"#/definitions/X","definitions":{"X":{"$ref":"#/definitions/X"}}},"values":{}}`, http.StatusUnprocessableEntity},
	} {
		if w := ask(t, h, "POST", tt.path, tt.body); w.Code != tt.status {
			t.Errorf("%s: %d, want %d: %.200s", tt.name, w.Code, tt.status, w.Body)
		}
	}
}
