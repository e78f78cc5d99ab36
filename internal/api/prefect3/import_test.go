package prefect3_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/api/prefect3"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/store"
)

// FuzzImportedRows sends rows of any kind that may be anything: they are stored or
// told, and never fail the server.
func FuzzImportedRows(f *testing.F) {
	for _, kind := range []string{
		"flows", "variables", "saved_searches", "concurrency_limits", "work_pools", "work_queues", "block_types", "block_schemas",
		"block_documents", "result_storage", "deployments", "automations", "flow_runs", "task_runs", "logs", "events", "artifacts",
		"artifact_collections", "marks",
	} {
		for _, row := range []string{
			`null`, `{}`, `[]`, `{"id": "00000000-0000-4000-8000-000000000001", "name": "x", "slug": "x", "checksum": "c", "fields": {}, "data": {}}`,
			`{"id": "00000000-0000-4000-8000-000000000001", "name": "x", "trigger": {"posture": "Reactive"}, "actions": [], "schedules": [{}]}`,
			`{"id": "00000000-0000-4000-8000-000000000001", "states": [null, {}], "state": {"type": "COMPLETED"}, "inputs": [null]}`,
		} {
			f.Add(kind, row)
		}
	}
	s, err := store.Open(f.Context(), store.Config{Database: filepath.Join(f.TempDir(), "leat.db")})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	sealer, err := engine.NewSealer(make([]byte, engine.KeySize))
	if err != nil {
		f.Fatal(err)
	}
	now := func() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }
	handler := prefect3.New(prefect3.Config{Engine: engine.New(engine.Config{Store: s, Now: now, Sealer: sealer}), Now: now})
	f.Fuzz(func(t *testing.T, kind, row string) {
		if !json.Valid([]byte(row)) {
			t.Skip("a batch is JSON")
		}
		name, err := json.Marshal(kind)
		if err != nil {
			t.Skip("kinds are text")
		}
		body := `{"kind": ` + string(name) + `, "rows": [` + row + `]}`
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/leat/import", strings.NewReader(body)))
		if w.Code >= http.StatusInternalServerError {
			t.Errorf("%d for %s: %s", w.Code, body, w.Body)
		}
	})
}
