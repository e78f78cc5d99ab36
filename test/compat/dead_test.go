package compat

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// smallLimits lets a test see in seconds what takes minutes by default.
func smallLimits() options {
	return options{flags: []string{"--heartbeat-timeout", "5s", "--claim-timeout", "5s"}}
}

// quietRun starts flows/blocking.py and returns the id of its run.
func quietRun(c *client, kind string, seconds int) (*process, string) {
	c.t.Helper()
	p := c.serve("quiet ", "blocking.py", kind, fmt.Sprint(seconds))
	var id string
	_, rest, _ := strings.Cut(p.out.String(), "quiet ")
	if _, err := fmt.Sscan(rest, &id); err != nil {
		c.t.Fatal(err)
	}
	return p, id
}

func TestKilledProcessesAreNoticed(t *testing.T) {
	leatOnly(t)
	onOwnServer(t, smallLimits(), func(t *testing.T, s *server) {
		crashed := func(t *testing.T, id string) {
			t.Helper()
			r := s.waitState(t, id, "Crashed", time.Minute)
			if len(strings.Fields(r.State.Message)) < 4 {
				t.Errorf("message %q gives no reason in words", r.State.Message)
			}
		}
		t.Run("kill -9 of a script's process", func(t *testing.T) {
			p, id := quietRun(newClient(t, s), "sleep", 600)
			p.killGroup()
			crashed(t, id)
			contains(t, "leat why says that it died", newClient(t, s).leat("why", id), "heartbeat")
		})
		for _, w := range workers() {
			c := newClient(t, s)
			pool, ids := c.pool()
			p := w.start(c, pool)
			t.Run("kill -9 of the flow's process under a "+w.title, func(t *testing.T) {
				id := s.createRun(t, ids.text(t, "tree"), nil)
				_ = syscall.Kill(treePID(t, c.in(t), s, id), syscall.SIGKILL)
				crashed(t, id)
			})
			t.Run("kill -9 of the "+w.title+" and all of its processes", func(t *testing.T) {
				if err := os.Remove(filepath.Join(c.dir, "notes")); err != nil {
					t.Fatal(err)
				}
				id := s.createRun(t, ids.text(t, "tree"), nil)
				pid := treePID(t, c.in(t), s, id)
				p.killGroup()
				_ = syscall.Kill(pid, syscall.SIGKILL) // in a group of its own
				crashed(t, id)
			})
		}
	})
}

// treePID waits until the tree flow runs and returns its process.
func treePID(t *testing.T, c *client, s *server, id string) int {
	t.Helper()
	c.waitNotes("pids", time.Minute)
	s.waitState(t, id, "Running", 30*time.Second)
	_, rest, _ := strings.Cut(c.notes(), "pids ")
	var pid int
	if _, err := fmt.Sscan(rest, &pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

// A run that lives is never declared dead, however quiet it is.
func TestQuietRunsAreNotDeclaredDead(t *testing.T) {
	leatOnly(t)
	onOwnServer(t, smallLimits(), func(t *testing.T, s *server) {
		lives := func(name, kind string, during func(t *testing.T, p *process, id string)) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				p, id := quietRun(newClient(t, s), kind, 14)
				if during != nil {
					during(t, p, id)
				}
				p.waitOutput("completed", time.Minute)
				s.waitState(t, id, "Completed", 10*time.Second)
				recordedStatesLive(t, s, id)
			})
		}
		lives("a flow that sleeps", "sleep", nil)
		lives("a task that sleeps", "task", nil)
		lives("a paused flow", "pause", func(t *testing.T, _ *process, id string) {
			s.waitState(t, id, "Paused", 10*time.Second)
			stays(t, s, id, "Paused", 12*time.Second)
			s.mustCall(t, http.MethodPost, "/flow_runs/"+id+"/resume", object{}, nil)
		})
		lives("a blocked process", "sleep", func(t *testing.T, p *process, id string) {
			_ = p.cmd.Process.Signal(syscall.SIGSTOP)
			defer p.cmd.Process.Signal(syscall.SIGCONT) //nolint:errcheck // it is ended by the harness in any case
			stays(t, s, id, "Running", 12*time.Second)
		})
		t.Run("a run whose client sends neither heartbeats nor events", func(t *testing.T) {
			t.Parallel()
			id := s.rawRun(t, env.unique("raw"))
			s.setState(t, id, object{"type": "PENDING"})
			s.setState(t, id, object{"type": "RUNNING"})
			stays(t, s, id, "Running", 14*time.Second)
		})
		t.Run("a suspended run", func(t *testing.T) {
			t.Parallel()
			var flow, deployment flowRun // only runs of a deployment can be suspended
			s.mustCall(t, http.MethodPost, "/flows/", object{"name": env.unique("raw")}, &flow)
			s.mustCall(t, http.MethodPost, "/deployments/", object{"name": "d", "flow_id": flow.ID}, &deployment)
			id := s.createRun(t, deployment.ID, nil)
			s.setState(t, id, object{"type": "PENDING"})
			s.setState(t, id, object{"type": "RUNNING"})
			s.setState(t, id, object{"type": "PAUSED", "name": "Suspended", "state_details": object{
				"pause_timeout": time.Now().Add(time.Hour), "pause_reschedule": true,
			}})
			stays(t, s, id, "Suspended", 12*time.Second)
		})
	})
}

// rawRun makes a flow run without a deployment by REST alone.
func (s *server) rawRun(t *testing.T, name string) string {
	t.Helper()
	var f, r flowRun
	s.mustCall(t, http.MethodPost, "/flows/", object{"name": name}, &f)
	s.mustCall(t, http.MethodPost, "/flow_runs/", object{"flow_id": f.ID}, &r)
	return r.ID
}

// stays fails the test if the run leaves the state within the time.
func stays(t *testing.T, s *server, id, name string, during time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), during)
	defer cancel()
	err := poll(ctx, func(context.Context) (bool, error) {
		r, err := s.flowRun(t.Context(), id)
		if err == nil && r.State.Name != name {
			err = fmt.Errorf("flow run %s became %s: %s", id, r.State.Name, r.State.Message)
		}
		return false, err
	})
	if ctx.Err() == nil {
		t.Fatal(err)
	}
}

// recordedStatesLive wants no Crashed state in the run's history.
func recordedStatesLive(t *testing.T, s *server, id string) {
	t.Helper()
	var states []struct{ Name string }
	s.mustCall(t, http.MethodGet, "/flow_run_states/?flow_run_id="+id, nil, &states)
	for _, st := range states {
		if st.Name == "Crashed" {
			t.Errorf("the run was declared dead in between: %v", states)
		}
	}
}

// A worker that claims a run and dies before it starts it does not keep the run.
func TestRunOfDeadClaimIsOfferedAgain(t *testing.T) {
	leatOnly(t)
	onOwnServer(t, smallLimits(), func(t *testing.T, s *server) {
		c := newClient(t, s)
		pool, ids := c.pool()
		id := s.createRun(t, ids.text(t, "pooled"), nil)
		beat := object{"name": "doomed", "heartbeat_interval_seconds": 1}
		s.mustCall(t, http.MethodPost, "/work_pools/"+pool+"/workers/heartbeat", beat, nil)
		if got := s.scheduledIn(t, pool); !slices.Equal(got, []string{id}) {
			t.Fatalf("polled %v, want %s", got, id)
		}
		if status := s.setState(t, id, object{"type": "PENDING"}); status != "ACCEPT" {
			t.Fatalf("claim: %s", status)
		}
		if got := s.scheduledIn(t, pool); len(got) != 0 {
			t.Fatalf("a claimed run is handed out again at once: %v", got)
		}
		waitFor(t, time.Minute, "the run to be offered again", func(context.Context) (bool, error) {
			return slices.Equal(s.scheduledIn(t, pool), []string{id}), nil
		})
		c.prefect("worker", "start", "--pool", pool, "--run-once")
		s.waitState(t, id, "Completed", time.Minute)
	})
}

// What was acknowledged is there after kill -9, and clients go on.
func TestServerIsKilledInMidRun(t *testing.T) {
	leatOnly(t)
	onOwnServer(t, options{}, func(t *testing.T, s *server) {
		c := newClient(t, s)
		scheduled := s.rawRun(t, env.unique("before"))
		p := c.serve("flow started", "through_restart.py")
		waitFor(t, time.Minute, "the flow to be halfway", func(context.Context) (bool, error) {
			_, err := os.Stat(filepath.Join(c.dir, "halfway"))
			return err == nil, nil
		})
		s.kill()
		if err := s.start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(c.dir, "go-on"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		p.facts(2*time.Minute).check(t,
			want{"the flow goes on and ends", "state", "Completed"},
			want{"its value is right", "total", 780},
			want{"every task run is there, those before and after", "tasks", object{"Completed": 40}},
			want{"none of them is missing", "missing", []any{}},
		)
		t.Run("what was there before is still there", func(t *testing.T) {
			if _, err := s.flowRun(t.Context(), scheduled); err != nil {
				t.Error(err)
			}
		})
	})
}
