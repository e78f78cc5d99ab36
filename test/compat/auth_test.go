package compat

import (
	"net/http"
	"strings"
	"testing"
)

func TestAuthString(t *testing.T) {
	onOwnServer(t, options{auth: "admin:pass:word"}, func(t *testing.T, s *server) {
		c := newClient(t, s)
		f := c.python("small.py")
		f.check(t,
			want{"a client with the right auth string runs a flow", "state", "Completed"},
			want{"and its task runs arrive by the event socket", "tasks", []string{"Completed"}},
		)
		contains(t, "the CLI reads with it", c.prefect("flow-run", "ls"), f.text(t, "id"))

		for name, setting := range map[string]string{
			"a client with a wrong auth string is refused": "PREFECT_API_AUTH_STRING=admin:wrong",
			"a client without auth string is refused":      "PREFECT_API_AUTH_STRING=",
		} {
			t.Run(name, func(t *testing.T) {
				r := newClient(t, s, setting).tryPrefect("flow-run", "ls")
				if r.code == 0 || !strings.Contains(r.all(), "401") {
					t.Errorf("ended with %d:\n%s", r.code, r.all())
				}
			})
		}
		t.Run("the refusal has the dialect's body", func(t *testing.T) {
			a, err := s.send(t.Context(), http.MethodPost, "/flow_runs/filter", []byte("{}"), "Authorization", "Basic eDp5")
			if err != nil || a.status != http.StatusUnauthorized || string(a.body) != `{"exception_message":"Unauthorized"}` {
				t.Errorf("status %d, body %s, %v", a.status, a.body, err)
			}
		})
		t.Run("health and ready stay open", func(t *testing.T) {
			for _, path := range []string{"/health", "/ready"} {
				a, err := s.send(t.Context(), http.MethodGet, path, nil, "Authorization", "Basic eDp5")
				if err != nil || a.status != http.StatusOK {
					t.Errorf("%s: status %d, %v", path, a.status, err)
				}
			}
		})
	})
}
