package compat

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A worker is Prefect's own, or leat's.
type worker struct {
	title string
	start func(c *client, pool string, args ...string) *process
}

func prefectWorker(c *client, pool string, args ...string) *process {
	return c.spawn("Worker '", env.python, append([]string{"-m", "prefect", "worker", "start", "--pool", pool, "--type", "process", "--name", c.name + "-worker"}, args...)...)
}

func leatWorker(c *client, pool string, args ...string) *process {
	return c.spawn(pool, env.binary, append([]string{"worker", "start", "--pool", pool, "--name", c.name + "-worker"}, args...)...)
}

func workers() []worker {
	list := []worker{{"prefect worker", prefectWorker}}
	if !env.reference {
		list = append(list, worker{"leat worker", leatWorker})
	}
	return list
}

// pool makes a process work pool with the CLI and deploys the flows to it.
func (c *client) pool(queues ...string) (string, facts) {
	c.t.Helper()
	pool := c.name + "-pool"
	out := c.prefect("work-pool", "create", pool, "--type", "process")
	if !strings.Contains(out, "Created work pool '"+pool+"'") {
		c.t.Errorf("prefect work-pool create wrote %s", out)
	}
	return pool, c.python("pool.py", append([]string{pool}, queues...)...)
}

func TestWorkers(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		for _, w := range workers() {
			t.Run(w.title, func(t *testing.T) { exerciseWorker(t, s, w) })
		}
	})
}

func exerciseWorker(t *testing.T, s *server, w worker) {
	t.Helper()
	c := newClient(t, s)
	pool, ids := c.pool()
	p := w.start(c, pool)
	t.Run("a deployment runs, with its job variables", func(t *testing.T) {
		out := c.in(t).prefect("deployment", "run", c.name+"-pooled/d", "--param", "a=40", "--watch")
		contains(t, "prefect deployment run --watch", out, "prefect.flow-run.Running", "finished successfully in 'Completed'")
		runs, err := s.runsOf(t.Context(), ids.text(t, "pooled"))
		if err != nil || len(runs) != 1 {
			t.Fatalf("%d runs, %v", len(runs), err)
		}
		s.waitLog(t, runs[0].ID, "sum is 42 variable from job variables", 10*time.Second)
		if runs[0].InfrastructureID == "" {
			t.Error("the run has no infrastructure_pid")
		}
	})
	t.Run("a flow that raises is Failed", func(t *testing.T) {
		id := s.createRun(t, ids.text(t, "broken"), nil)
		s.waitState(t, id, "Failed", time.Minute)
	})
	t.Run("a process that dies leaves a Crashed run with the exit status", func(t *testing.T) {
		id := s.createRun(t, ids.text(t, "dying"), nil)
		if r := s.waitState(t, id, "Crashed", time.Minute); !strings.Contains(r.State.Message, "7") {
			t.Errorf("message %q does not name the exit status", r.State.Message)
		}
	})
	t.Run("cancelling kills the whole process tree", func(t *testing.T) { cancelTree(t, c.in(t), ids.text(t, "tree")) })
	t.Run("the worker is ONLINE and the pool READY", func(t *testing.T) {
		waitFor(t, 20*time.Second, "worker ONLINE, pool READY", func(ctx context.Context) (bool, error) {
			worker, status, err := poolStatus(ctx, s, pool)
			return worker == "ONLINE" && status == "READY", err
		})
	})
	t.Run("the worker's events tell what it did", func(t *testing.T) { workerEvents(t, s, ids.text(t, "pooled")) })
	p.interrupt()
}

// workerEvents looks for what a worker says about the runs that it executes.
func workerEvents(t *testing.T, s *server, deployment string) {
	t.Helper()
	runs, err := s.runsOf(t.Context(), deployment)
	if err != nil || len(runs) == 0 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	want := []string{"prefect.worker.submitted-flow-run", "prefect.worker.executed-flow-run"}
	waitFor(t, 20*time.Second, strings.Join(want, ", "), func(ctx context.Context) (bool, error) {
		var page struct{ Events []struct{ Event string } }
		err := s.call(ctx, http.MethodPost, "/events/filter", object{"filter": object{
			"any_resource": object{"id": []string{"prefect.flow-run." + runs[0].ID}},
		}}, &page)
		found := 0
		for _, e := range page.Events {
			if e.Event == want[0] || e.Event == want[1] {
				found++
			}
		}
		return found == 2, err
	})
}

func poolStatus(ctx context.Context, s *server, pool string) (worker, status string, err error) {
	var found []struct{ Name, Status string }
	if err := s.call(ctx, http.MethodPost, "/work_pools/"+pool+"/workers/filter", object{}, &found); err != nil {
		return "", "", err
	}
	var p struct{ Status string }
	err = s.call(ctx, http.MethodGet, "/work_pools/"+pool, nil, &p)
	if len(found) == 0 {
		return "", p.Status, err
	}
	return found[0].Status, p.Status, err
}

func cancelTree(t *testing.T, c *client, deployment string) {
	t.Helper()
	id := c.s.createRun(t, deployment, nil)
	c.waitNotes("pids", time.Minute)
	_, rest, _ := strings.Cut(c.notes(), "pids ")
	var pid, child int
	if _, err := fmt.Sscan(rest, &pid, &child); err != nil {
		t.Fatal(err)
	}
	c.s.waitState(t, id, "Running", 30*time.Second)
	c.prefect("flow-run", "cancel", id)
	c.s.waitState(t, id, "Cancelled", 60*time.Second)
	waitFor(t, 30*time.Second, "the flow's process to be gone", func(context.Context) (bool, error) { return gone(pid), nil })
	waitFor(t, 30*time.Second, "the flow's child process to be gone", func(context.Context) (bool, error) { return gone(child), nil })
}

// gone says whether a process has ended; a zombie has.
func gone(pid int) bool {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return true
	}
	_, state, _ := strings.Cut(string(data), ") ")
	return strings.HasPrefix(state, "Z")
}

func TestDeployWithPrefectYAML(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		c := newClient(t, s)
		pool := c.name + "-pool"
		c.prefect("work-pool", "create", pool, "--type", "process")
		source, err := os.ReadFile("flows/pool.py")
		if err != nil {
			t.Fatal(err)
		}
		files := map[string][]byte{"pool.py": source, "prefect.yaml": fmt.Appendf(nil, prefectYAML, c.dir, pool, c.name)}
		for name, data := range files {
			if err := os.WriteFile(filepath.Join(c.dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		contains(t, "prefect deploy --all takes the deployments of a prefect.yaml", c.prefect("deploy", "--all"),
			"Deployment '"+c.name+"-pooled/from-yaml' successfully created", "Deployment '"+c.name+"-pooled/second' successfully created")
		var d struct {
			Tags       []string       `json:"tags"`
			Parameters map[string]any `json:"parameters"`
			Queue      string         `json:"work_queue_name"`
			Entrypoint string         `json:"entrypoint"`
			Schedules  []struct {
				Active   bool           `json:"active"`
				Schedule map[string]any `json:"schedule"`
			} `json:"schedules"`
		}
		s.mustCall(t, http.MethodGet, "/deployments/name/"+c.name+"-pooled/from-yaml", nil, &d)
		facts{
			"tags": d.Tags, "parameters": d.Parameters, "queue": d.Queue, "entrypoint": d.Entrypoint,
			"cron": d.Schedules[0].Schedule["cron"], "zone": d.Schedules[0].Schedule["timezone"], "active": d.Schedules[0].Active,
		}.check(t,
			want{"tags", "tags", []string{"yaml"}},
			want{"parameters", "parameters", object{"a": 5}},
			want{"work queue, which is made", "queue", c.name + "-queue"},
			want{"entrypoint", "entrypoint", "pool.py:pooled"},
			want{"cron", "cron", "0 6 * * *"},
			want{"time zone", "zone", "Europe/Vienna"},
			want{"inactive schedule", "active", false},
		)
		t.Run("a worker runs it after its pull step", func(t *testing.T) {
			id := s.createRun(t, s.deploymentID(t, c.name+"-pooled/from-yaml"), nil)
			c.in(t).prefect("worker", "start", "--pool", pool, "--run-once")
			s.waitState(t, id, "Completed", time.Minute)
			s.waitLog(t, id, "sum is 7", 10*time.Second)
		})
		t.Run("prefect deploy again updates it", func(t *testing.T) {
			before := s.deploymentID(t, c.name+"-pooled/second")
			c.in(t).prefect("deploy", "--name", "second")
			if after := s.deploymentID(t, c.name+"-pooled/second"); after != before {
				t.Errorf("the id changed from %s to %s", before, after)
			}
		})
	})
}

const prefectYAML = `
name: compat
pull:
  - prefect.deployments.steps.set_working_directory:
      directory: %[1]s
deployments:
  - name: from-yaml
    entrypoint: pool.py:pooled
    tags: [yaml]
    parameters: {a: 5}
    work_pool: {name: %[2]s, work_queue_name: %[3]s-queue, job_variables: {}}
    schedules:
      - {cron: "0 6 * * *", timezone: Europe/Vienna, active: false}
  - name: second
    entrypoint: pool.py:pooled
    work_pool: {name: %[2]s}
`

// The order and number of runs that a pool hands out is seen by a client that
// polls as workers do.
func TestPoolAndQueueLimits(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		c := newClient(t, s)
		pool := c.name + "-pool"
		c.prefect("work-pool", "create", pool, "--type", "process")
		c.prefect("work-queue", "create", "urgent", "--pool", pool, "--priority", "1")
		c.prefect("work-queue", "create", "later", "--pool", pool, "--priority", "5", "--limit", "1")
		ids := c.python("pool.py", pool, "urgent", "later")
		var laters, urgents []string
		for range 2 {
			laters = append(laters, s.createRun(t, ids.text(t, "later"), nil))
		}
		for range 2 {
			urgents = append(urgents, s.createRun(t, ids.text(t, "urgent"), nil))
		}
		poll := func() []string { return s.scheduledIn(t, pool) }

		t.Run("a queue's priority decides the order, its limit the number", func(t *testing.T) {
			got := poll()
			if len(got) != 3 || strings.Join(got[:2], " ") != strings.Join(urgents, " ") || got[2] != laters[0] {
				t.Errorf("got %v, want %v and %s", got, urgents, laters[0])
			}
		})
		t.Run("prefect work-pool set-concurrency-limit limits the pool", func(t *testing.T) {
			c.in(t).prefect("work-pool", "set-concurrency-limit", pool, "1")
			if got := poll(); len(got) != 1 || got[0] != urgents[0] {
				t.Errorf("got %v, want %s alone", got, urgents[0])
			}
			s.setState(t, urgents[0], object{"type": "PENDING"})
			if got := poll(); len(got) != 0 {
				t.Errorf("got %v though the pool's slot is taken", got)
			}
			c.in(t).prefect("work-pool", "clear-concurrency-limit", pool)
			if got := poll(); len(got) != 2 {
				t.Errorf("got %v, want two runs", got)
			}
		})
		t.Run("prefect work-queue pause hands out nothing of the queue", func(t *testing.T) {
			c.in(t).prefect("work-queue", "pause", "urgent", "--pool", pool)
			if got := poll(); len(got) != 1 || got[0] != laters[0] {
				t.Errorf("got %v, want %s", got, laters[0])
			}
			c.in(t).prefect("work-queue", "resume", "urgent", "--pool", pool)
		})
		t.Run("prefect work-pool pause hands out nothing at all", func(t *testing.T) {
			c.in(t).prefect("work-pool", "pause", pool)
			if got := poll(); len(got) != 0 {
				t.Errorf("got %v", got)
			}
			c.in(t).prefect("work-pool", "resume", pool)
			if got := poll(); len(got) != 2 {
				t.Errorf("after resuming got %v, want two runs", got)
			}
		})
		contains(t, "prefect work-queue ls shows queues and priorities", c.prefect("work-queue", "ls", "--pool", pool), "urgent", "later", "default")
		contains(t, "prefect work-pool ls shows the pool", c.prefect("work-pool", "ls"), pool)
		contains(t, "prefect work-pool preview shows what is due", c.prefect("work-pool", "preview", pool, "--hours", "1"), urgents[1])
	})
}

// scheduledIn polls the pool as a worker does.
func (s *server) scheduledIn(t *testing.T, pool string) []string {
	t.Helper()
	var got []struct {
		Run flowRun `json:"flow_run"`
	}
	s.mustCall(t, http.MethodPost, "/work_pools/"+pool+"/get_scheduled_flow_runs",
		object{"scheduled_before": time.Now().Add(10 * time.Second)}, &got)
	ids := make([]string, len(got))
	for i, g := range got {
		ids[i] = g.Run.ID
	}
	return ids
}

func TestWorkerGoesOffline(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		c := newClient(t, s)
		pool := c.name + "-pool"
		s.mustCall(t, http.MethodPost, "/work_pools/", object{"name": pool, "type": "process"}, nil)
		// Offline is three intervals without a heartbeat.
		beat := object{"name": "w1", "heartbeat_interval_seconds": 1}
		s.mustCall(t, http.MethodPost, "/work_pools/"+pool+"/workers/heartbeat", beat, nil)
		if worker, status, err := poolStatus(t.Context(), s, pool); err != nil || worker != "ONLINE" || status != "READY" {
			t.Errorf("after a heartbeat worker %s, pool %s, %v", worker, status, err)
		}
		waitFor(t, 40*time.Second, "worker OFFLINE, pool NOT_READY", func(ctx context.Context) (bool, error) {
			worker, status, err := poolStatus(ctx, s, pool)
			return worker == "OFFLINE" && status == "NOT_READY", err
		})
	})
}
