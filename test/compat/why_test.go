package compat

import (
	"context"
	"errors"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestWhy(t *testing.T) {
	leatOnly(t)
	onEachDatabase(t, func(t *testing.T, s *server) {
		c := newClient(t, s)
		pool, ids := c.pool("slow")
		id := s.createRun(t, ids.text(t, "pooled"), nil)
		other := s.createRun(t, ids.text(t, "slow"), nil)
		contains(t, "no worker polls the pool", c.leat("why", id), "worker", pool)
		contains(t, "leat run why says the same", c.leat("run", "why", id), "worker", pool)
		c.prefect("work-pool", "pause", pool)
		contains(t, "the pool is paused", c.leat("why", id), "paused", pool)
		c.prefect("work-pool", "resume", pool)
		c.prefect("work-queue", "pause", "slow", "--pool", pool)
		contains(t, "the queue is paused", c.leat("why", other), "paused", "slow")
		s.mustCall(t, http.MethodPost, "/work_pools/"+pool+"/workers/heartbeat", object{"name": "w"}, nil)
		c.prefect("work-pool", "set-concurrency-limit", pool, "1")
		s.setState(t, id, object{"type": "PENDING"})
		third := s.createRun(t, ids.text(t, "pooled"), nil)
		run, err := s.flowRun(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		contains(t, "the limit is full, and held by whom", c.leat("why", third), "limit", pool, run.Name)
		later := s.createRun(t, ids.text(t, "pooled"), object{"state": object{
			"type": "SCHEDULED", "state_details": object{"scheduled_time": time.Now().Add(3 * time.Hour)},
		}})
		contains(t, "the run is not due yet", c.leat("why", later), "not due")
		t.Run("an unknown run is an error", func(t *testing.T) {
			r := c.exec(env.binary, "why", "00000000-0000-0000-0000-000000000000")
			if r.code == 0 || !strings.Contains(r.all(), "not found") {
				t.Errorf("ended with %d: %s", r.code, r.all())
			}
		})
	})
}

// What leat promises to other tools beside the API.
func TestServerContract(t *testing.T) {
	leatOnly(t)
	onOwnServer(t, options{flags: []string{"--allow-database-clear"}}, func(t *testing.T, s *server) {
		id := s.rawRun(t, "doomed")
		t.Run("database clear empties the database", func(t *testing.T) {
			s.mustCall(t, http.MethodPost, "/admin/database/clear", object{"confirm": true}, nil)
			a, err := s.send(t.Context(), http.MethodGet, "/flow_runs/"+id, nil)
			if err != nil || a.status != http.StatusNotFound {
				t.Errorf("status %d, %v; want 404", a.status, err)
			}
		})
		t.Run("the metrics are there", func(t *testing.T) {
			a, err := s.send(t.Context(), http.MethodGet, "/metrics", nil)
			if err == nil && a.status == http.StatusNotFound { // beside the API, then
				root := *s
				root.api = strings.TrimSuffix(s.api, "/api")
				a, err = root.send(t.Context(), http.MethodGet, "/metrics", nil)
			}
			if err != nil || a.status != http.StatusOK || !strings.Contains(string(a.body), "# TYPE leat_") {
				t.Errorf("status %d, %v: %.200s", a.status, err, a.body)
			}
		})
		t.Run("a second server on the same SQLite file is refused with a clear error", func(t *testing.T) {
			if strings.HasPrefix(s.database, "postgres") {
				t.Skip("several servers on one Postgres are meant to be")
			}
			port, err := freePort(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			second := *s
			second.port = port
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			cmd := second.command(ctx)
			out, err := cmd.CombinedOutput()
			if failed := (*exec.ExitError)(nil); !errors.As(err, &failed) || ctx.Err() != nil || !strings.Contains(string(out), s.database) {
				t.Errorf("it ended with %v and wrote:\n%s", err, out)
			}
		})
		t.Run("SIGTERM ends it gracefully, and its data stays", func(t *testing.T) {
			kept := s.rawRun(t, "kept")
			if err := s.stop(); err != nil {
				t.Fatal(err)
			}
			if code := s.cmd.ProcessState.ExitCode(); code != 0 {
				t.Errorf("exit status %d, want 0", code)
			}
			if err := s.start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := s.flowRun(t.Context(), kept); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestDatabaseClearNeedsItsFlag(t *testing.T) {
	leatOnly(t)
	onEachDatabase(t, func(t *testing.T, s *server) {
		id := s.rawRun(t, env.unique("safe"))
		a, err := s.send(t.Context(), http.MethodPost, "/admin/database/clear", []byte(`{"confirm": true}`))
		if err != nil || a.status/100 != 4 {
			t.Errorf("status %d, %v; want a refusal", a.status, err)
		}
		if _, err := s.flowRun(t.Context(), id); err != nil {
			t.Error(err)
		}
	})
}
