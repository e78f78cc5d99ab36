package compat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A worker that was killed and is started again under its name at once knows
// nothing of what it had claimed; the server offers those runs again.
func TestRestartedWorkerKeepsNoClaimOfItsFormerLife(t *testing.T) {
	leatOnly(t)
	onOwnServer(t, options{flags: []string{"--claim-timeout", "5s"}}, func(t *testing.T, s *server) {
		for _, w := range workers() {
			t.Run(w.title, func(t *testing.T) {
				t.Parallel()
				// Heartbeats of Prefect's worker come as often as is set, leat's every 30 s.
				c := newClient(t, s, "PREFECT_WORKER_HEARTBEAT_SECONDS=3")
				pool, ids := c.pool()
				former := w.start(c, pool)
				s.pausePool(t, pool, true) // so that the worker does not take the run before us
				id := s.createRun(t, ids.text(t, "pooled"), nil)
				s.claimAs(t, c.name+"-worker", id)
				s.pausePool(t, pool, false)
				former.killGroup()
				w.start(c, pool)
				stays(t, s, id, "Pending", 5*time.Second)
				s.waitState(t, id, "Completed", 3*time.Minute)
				if n := strings.Count(c.notes(), "pooled"); n != 1 {
					t.Errorf("the run was executed %d times", n)
				}
			})
		}
	})
}

// claimAs makes the run Pending by the request by which the worker does.
func (s *server) claimAs(t *testing.T, worker, run string) {
	t.Helper()
	body, err := json.Marshal(object{"state": object{"type": "PENDING"}})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, fmt.Sprintf("%s/flow_runs/%s/set_state", s.api, run), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Prefect-Worker-Name", worker)
	resp, err := env.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct{ Status string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Status != "ACCEPT" {
		t.Fatalf("claim: %s, %v", answer.Status, err)
	}
}

func (s *server) pausePool(t *testing.T, pool string, paused bool) {
	t.Helper()
	s.mustCall(t, http.MethodPatch, "/work_pools/"+pool, object{"is_paused": paused}, nil)
}
