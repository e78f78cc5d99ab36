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

// TestRequestsThatChangeNeedTheTokenOfTheirClient compares with what the
// reference answers when its CSRF protection is on.
func TestRequestsThatChangeNeedTheTokenOfTheirClient(t *testing.T) {
	t.Parallel()
	db, err := store.Open(t.Context(), store.Config{Database: filepath.Join(t.TempDir(), "leat.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	server := prefect3.New(prefect3.Config{
		Engine: engine.New(engine.Config{Store: db, Now: clock}), Now: clock, CSRF: prefect3.CSRF{Enabled: true, Lifetime: time.Minute},
	})
	send := func(method, path, token, client string) (int, string) {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(`{}`))
		if token != "" {
			r.Header.Set("Prefect-Csrf-Token", token)
		}
		if client != "" {
			r.Header.Set("Prefect-Csrf-Client", client)
		}
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	issue := func(client string) string {
		status, body := send("GET", "/api/csrf-token?client="+client, "", "")
		var got struct{ Token, Client, Expiration string }
		if err := json.Unmarshal([]byte(body), &got); status != http.StatusOK || err != nil || len(got.Token) != 64 || got.Client != client {
			t.Fatalf("token: %d %s", status, body)
		}
		return got.Token
	}
	token := issue("one")
	later := issue("two")
	tests := []struct {
		name, method, path, token, client string
		status                            int
		body                              string
	}{
		{"a read needs none", "GET", "/api/health", "", "", 200, "true"},
		{"a change without a token", "POST", "/api/flows/filter", "", "one", 403, `{"detail":"Missing CSRF token."}`},
		{"a change without a client", "PATCH", "/api/flows/filter", token, "", 403, `{"detail":"Missing client identifier."}`},
		{"an unknown route, too", "DELETE", "/api/nope", "", "", 403, `{"detail":"Missing CSRF token."}`},
		{"the token of another client", "POST", "/api/flows/filter", token, "two", 403, `{"detail":"Invalid CSRF token or client identifier."}`},
		{"a token that was never made", "PUT", "/api/flows/filter", strings.Repeat("ab", 32), "one", 403, `{"detail":"Invalid CSRF token or client identifier."}`},
		{"what is no token", "POST", "/api/flows/filter", "x", "one", 403, `{"detail":"Invalid CSRF token or client identifier."}`},
		{"the right token", "POST", "/api/flows/filter", token, "one", 200, "[]"},
		{"a token without its client's name", "GET", "/api/csrf-token", "", "", 422, ""},
	}
	for _, tt := range tests {
		if status, body := send(tt.method, tt.path, tt.token, tt.client); status != tt.status || tt.body != "" && body != tt.body {
			t.Errorf("%s: %d %s", tt.name, status, body)
		}
	}
	now = now.Add(time.Minute)
	if status, body := send("POST", "/api/flows/filter", later, "two"); status != http.StatusForbidden {
		t.Errorf("a token that has ended: %d %s", status, body)
	}
	if status, body := send("POST", "/api/flows/filter", issue("two"), "two"); status != http.StatusOK {
		t.Errorf("a new token: %d %s", status, body)
	}
}
