package compat

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"
)

// The leat CLI sees and steers what Prefect's client made.
func TestLeatCommands(t *testing.T) {
	leatOnly(t)
	onEachDatabase(t, func(t *testing.T, s *server) {
		c := newClient(t, s)
		pool, ids := c.pool()
		name := c.name + "-pooled/d"
		contains(t, "leat version", c.leat("version"), "leat")
		contains(t, "leat server status", c.leat("server", "status"), s.api)
		contains(t, "leat flow ls", c.leat("flow", "ls"), c.name+"-pooled")
		contains(t, "leat deployment ls", c.leat("deployment", "ls"), name)
		contains(t, "leat deployment show", c.leat("deployment", "show", name), pool)
		contains(t, "leat pool ls", c.leat("pool", "ls"), pool)
		contains(t, "leat pool show", c.leat("pool", "show", pool), "process")
		t.Run("leat pool pause", func(t *testing.T) {
			c.in(t).leat("pool", "pause", pool)
			var p struct {
				Paused bool `json:"is_paused"`
			}
			s.mustCall(t, http.MethodGet, "/work_pools/"+pool, nil, &p)
			if !p.Paused {
				t.Error("the pool is not paused")
			}
		})
		t.Run("leat deployment pause and resume", func(t *testing.T) {
			var d struct{ Paused bool }
			c.in(t).leat("deployment", "pause", name)
			s.mustCall(t, http.MethodGet, "/deployments/"+ids.text(t, "pooled"), nil, &d)
			if !d.Paused {
				t.Error("the deployment is not paused")
			}
			c.in(t).leat("deployment", "resume", name)
			s.mustCall(t, http.MethodGet, "/deployments/"+ids.text(t, "pooled"), nil, &d)
			if d.Paused {
				t.Error("the deployment is still paused")
			}
		})
		t.Run("leat deployment run, leat run cancel and retry", func(t *testing.T) { runCancelRetry(t, c.in(t), name, ids.text(t, "pooled")) })
	})
}

func runCancelRetry(t *testing.T, c *client, name, deployment string) {
	t.Helper()
	c.leat("deployment", "run", name)
	runs, err := c.s.runsOf(t.Context(), deployment)
	if err != nil || len(runs) != 1 {
		t.Fatalf("%d runs, %v; want 1", len(runs), err)
	}
	id := runs[0].ID
	c.leat("run", "cancel", id)
	c.s.waitState(t, id, "Cancelled", 10*time.Second)
	failed := c.s.createRun(t, deployment, nil)
	for _, state := range []string{"PENDING", "RUNNING", "FAILED"} {
		c.s.setState(t, failed, object{"type": state})
	}
	c.leat("run", "retry", failed)
	r, err := c.s.flowRun(t.Context(), failed)
	if err != nil || r.State.Type != "SCHEDULED" {
		t.Errorf("the retried run is %s, %v", r.State.Name, err)
	}
}

// A backup is taken while the server runs, and a server starts from it.
func TestBackup(t *testing.T) {
	leatOnly(t)
	onOwnServer(t, options{}, func(t *testing.T, s *server) {
		id := s.rawRun(t, "kept")
		file := filepath.Join(s.dir, "backup.db")
		c := newClient(t, s, "LEAT_HOME="+s.dir)
		c.leat("backup", file, "--database", s.database)
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
		s.database = file
		if err := s.start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.flowRun(t.Context(), id); err != nil {
			t.Error(err)
		}
	})
}
