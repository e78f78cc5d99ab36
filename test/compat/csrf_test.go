package compat

import (
	"net/http"
	"strings"
	"testing"
)

// TestCSRFProtection shows that the real client fetches the tokens that a server
// asks for, and that a client without them is refused.
func TestCSRFProtection(t *testing.T) {
	onOwnServer(t, options{flags: []string{"--csrf-protection"}}, func(t *testing.T, s *server) {
		c := newClient(t, s)
		f := c.python("small.py")
		f.check(t, want{"a client fetches a token and runs a flow", "state", "Completed"})
		contains(t, "the CLI sends one with its requests", c.prefect("flow-run", "ls"), f.text(t, "id"))
		t.Run("a client that sends none is refused", func(t *testing.T) {
			r := newClient(t, s, "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED=false").tryPrefect("flow-run", "ls")
			if r.code == 0 || !strings.Contains(r.all(), "Missing CSRF token.") {
				t.Errorf("ended with %d:\n%s", r.code, r.all())
			}
		})
		t.Run("the refusal has the dialect's body", func(t *testing.T) {
			a, err := s.send(t.Context(), http.MethodPost, "/flow_runs/filter", []byte("{}"), "Prefect-Csrf-Token", "x", "Prefect-Csrf-Client", "y")
			if err != nil || a.status != http.StatusForbidden || string(a.body) != `{"detail":"Invalid CSRF token or client identifier."}` {
				t.Errorf("status %d, body %s, %v", a.status, a.body, err)
			}
		})
	})
}
