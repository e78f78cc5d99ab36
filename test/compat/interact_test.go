package compat

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPauseAndResume(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		newClient(t, s).python("pause.py").check(t,
			want{"pause_flow_run makes the run Paused", "paused", []string{"PAUSED", "Paused"}},
			want{"with a timeout", "has_timeout", true},
			want{"resume_flow_run lets it go on", "went_on", "went on"},
			want{"its states are kept", "states", []string{"Pending", "Running", "Paused", "Running", "Completed"}},
			want{"a pause that waits for input names its keys", "keyset", []string{"description", "response", "schema"}},
			want{
				"input of the wrong type is refused", "refused",
				"Cannot resume this run: Reason: Validation failed for field 'approved'. Failure reason: 'perhaps' is not of type 'boolean'",
			},
			want{"typed input arrives, with initial data for what was not given", "answer", []any{true, "initial"}},
			want{"a pause that nobody ends fails", "ignored", []string{"FAILED", "FAILED"}},
			want{"send_input reaches receive_input", "received", "hello"},
		)
	})
}

func TestBackgroundTasks(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		c := newClient(t, s, "PREFECT_RESULTS_PERSIST_BY_DEFAULT=true", "PREFECT_TASKS_REFRESH_CACHE=true")
		c.serve("Starting task worker", "background.py", "serve")
		c.python("background.py", "submit").check(t,
			want{
				"delay and apply_async return what the worker computed", "results",
				[]string{"EARLY", "LATER", "ASYNC", "at last"},
			},
			want{
				"the task runs end in their states", "states",
				[]string{"Completed", "Completed", "Completed", "Completed", "Failed"},
			},
			want{"the task runs have no flow run", "no_flow_run", true},
			want{"the states of a background task run", "early_states", []string{"Scheduled", "Pending", "Running", "Completed"}},
		)
	})
}

// notes are what the served flows wrote into their folder.
func (c *client) notes() string {
	data, err := os.ReadFile(filepath.Join(c.dir, "notes"))
	if err != nil && !os.IsNotExist(err) {
		c.t.Fatal(err)
	}
	return string(data)
}

func (c *client) waitNotes(text string, limit time.Duration) {
	c.t.Helper()
	waitFor(c.t, limit, "note "+text, func(context.Context) (bool, error) {
		return strings.Contains(c.notes(), text), nil
	})
}

func TestServedFlow(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		c := newClient(t, s)
		p := c.serve("Your deployments are being served", "served.py", "hello", "long", "suspending", "second_time", "caller")
		deployment := func(flow, name string) string { return s.deploymentID(t, c.name+"-"+flow+"/"+name) }
		hello := deployment("hello", "hello")

		t.Run("prefect deployment run --watch follows the run and its logs", func(t *testing.T) {
			out := c.in(t).prefect("deployment", "run", c.name+"-long/long", "--param", "seconds=4", "--watch")
			for _, w := range []string{"long flow sleeps", "prefect.flow-run.Running", "finished successfully in 'Completed'"} {
				if !strings.Contains(out, w) {
					t.Errorf("no %q in:\n%s", w, out)
				}
			}
		})
		t.Run("run_deployment makes a sub-flow run, and a detached one", func(t *testing.T) { callDeployment(t, s, deployment("caller", "caller"), hello) })
		t.Run("suspend_flow_run ends the process, and typed input resumes it", func(t *testing.T) {
			suspendAndResume(t, c.in(t), deployment("suspending", "suspending"))
		})
		t.Run("prefect flow-run retry runs a failed run again", func(t *testing.T) {
			id := s.createRun(t, deployment("second-time", "second_time"), nil)
			s.waitState(t, id, "Failed", time.Minute)
			c.in(t).prefect("flow-run", "retry", id)
			if r := waitRetried(t, s, id); r.RunCount != 2 {
				t.Errorf("run count %d, want 2", r.RunCount)
			}
		})
		t.Run("prefect flow-run cancel ends a running run and calls its hook", func(t *testing.T) {
			id := s.createRun(t, deployment("long", "long"), nil)
			s.waitLog(t, id, "long flow sleeps", time.Minute)
			c.in(t).prefect("flow-run", "cancel", id)
			s.waitState(t, id, "Cancelled", 40*time.Second)
			c.in(t).waitNotes("on_cancellation", 20*time.Second)
		})
		t.Run("prefect flow-run cancel ends a scheduled run at once", func(t *testing.T) {
			id := s.createRun(t, hello, object{"state": object{
				"type": "SCHEDULED", "state_details": object{"scheduled_time": time.Now().Add(time.Hour)},
			}})
			c.in(t).prefect("flow-run", "cancel", id)
			s.waitState(t, id, "Cancelled", 10*time.Second)
		})
		t.Run("ending serve pauses the deployment's schedules", func(t *testing.T) {
			p.interrupt()
			var d struct{ Paused bool }
			s.mustCall(t, http.MethodGet, "/deployments/"+hello, nil, &d)
			if !d.Paused {
				t.Error("the deployment is not paused")
			}
		})
	})
}

// waitRetried waits for a run that was Failed to be Completed.
func waitRetried(t *testing.T, s *server, id string) flowRun {
	t.Helper()
	var last flowRun
	waitFor(t, time.Minute, "the retried run to be Completed", func(ctx context.Context) (bool, error) {
		r, err := s.flowRun(ctx, id)
		last = r
		return r.State.Name == "Completed", err
	})
	return last
}

func callDeployment(t *testing.T, s *server, caller, hello string) {
	t.Helper()
	id := s.createRun(t, caller, nil)
	s.waitState(t, id, "Completed", 90*time.Second)
	s.waitLog(t, id, "Completed detached", 10*time.Second)
	runs, err := s.runsOf(t.Context(), hello)
	if err != nil {
		t.Fatal(err)
	}
	var called bool
	for _, r := range runs {
		called = called || r.Parameters["name"] == "from caller" && r.Parameters["n"] == 4.0 && r.State.Name == "Completed"
	}
	if !called {
		t.Errorf("no completed run with the caller's parameters in %+v", runs)
	}
	var links []object
	s.mustCall(t, http.MethodPost, "/flow_runs/filter", object{"flow_runs": object{
		"deployment_id": object{"any_": []string{hello}}, "parent_task_run_id": object{"is_null_": false},
	}}, &links)
	if len(links) != 1 {
		t.Errorf("%d runs have a parent, want 1", len(links))
	}
}

func suspendAndResume(t *testing.T, c *client, deployment string) {
	t.Helper()
	s := c.s
	id := s.createRun(t, deployment, nil)
	s.waitState(t, id, "Suspended", time.Minute)
	c.python("resume.py", id, `{"amount": "many"}`).check(t, want{
		"wrong input is refused", "message",
		"Cannot resume this run: Reason: Validation failed for field 'amount'. Failure reason: 'many' is not of type 'integer'",
	})
	c.python("resume.py", id, `{"amount": 42}`).check(t, want{"right input is taken", "resumed", "yes"})
	s.waitState(t, id, "Completed", time.Minute)
	s.waitLog(t, id, "answer is 42", 10*time.Second)
	if starts := strings.Count(c.notes(), "suspending starts"); starts != 2 {
		t.Errorf("the flow started %d times, want 2: once before and once after the suspension", starts)
	}
}
