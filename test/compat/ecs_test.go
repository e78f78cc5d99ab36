package compat

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestECSWorker lets the unmodified worker of prefect-aws run flows as tasks of
// leat ecs-local.
func TestECSWorker(t *testing.T) {
	leatOnly(t)
	t.Parallel()
	if err := exec.CommandContext(t.Context(), env.python, "-c", "import prefect_aws").Run(); err != nil {
		t.Skip("the Python of LEAT_TEST_PYTHON has no prefect-aws: `make venv` installs it")
	}
	s := ownServer(t, "sqlite", options{})
	port, err := freePort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	endpoint := "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	c := newClient(t, s,
		"AWS_ENDPOINT_URL="+endpoint, "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=000000000000", "AWS_SECRET_ACCESS_KEY=any", "AWS_EC2_METADATA_DISABLED=true",
	)
	c.spawn("Stop it", env.binary, "ecs-local", "--port", strconv.Itoa(port), "--stop-timeout", "5s")
	setup := c.python("ecs_setup.py")
	pool := c.name + "-pool"
	c.prefect("work-pool", "create", pool, "--type", "ecs")
	ids := c.python("pool.py", pool)
	c.prefect("work-pool", "inspect", pool)
	c.spawn("Worker '", env.python, "-m", "prefect", "worker", "start", "--pool", pool, "--type", "ecs", "--name", c.name+"-worker")

	t.Run("the rule has its target", func(t *testing.T) {
		if setup["failed"] != 0.0 || !strings.HasPrefix(setup.text(t, "url"), endpoint) {
			t.Errorf("setting up gives %v", setup)
		}
	})
	variables := object{"cluster": "compat", "env": object{"COMPAT_VARIABLE": "from job variables"}}
	run := func(t *testing.T, flow string) string {
		t.Helper()
		var made struct{ ID string }
		body := object{"state": object{"type": "SCHEDULED"}, "job_variables": variables}
		if err := s.call(t.Context(), http.MethodPost, "/deployments/"+ids.text(t, flow)+"/create_flow_run", body, &made); err != nil {
			t.Fatal(err)
		}
		return made.ID
	}
	t.Run("a flow runs to its end as a task", func(t *testing.T) {
		id := run(t, "pooled")
		r := s.waitState(t, id, "Completed", 2*time.Minute)
		if !strings.Contains(r.InfrastructureID, ":cluster/compat::arn:aws:ecs:us-east-1:000000000000:task/compat/") && !strings.HasPrefix(r.InfrastructureID, "compat::arn:aws:ecs:") {
			t.Errorf("infrastructure_pid is %q", r.InfrastructureID)
		}
		s.waitLog(t, id, "sum is 3 variable from job variables", 10*time.Second)
		ecsEvents(t, s, id)
	})
	t.Run("a task that exits by itself leaves a Crashed run", func(t *testing.T) {
		s.waitState(t, run(t, "dying"), "Crashed", 2*time.Minute)
	})
	t.Run("a task that is killed leaves a Crashed run, which the observer reports", func(t *testing.T) {
		id := run(t, "tree")
		s.waitState(t, id, "Running", 2*time.Minute)
		c.waitNotes("pids", time.Minute)
		killTask(t, notedPID(t, c))
		r := s.waitState(t, id, "Crashed", time.Minute)
		if !strings.Contains(r.State.Message, "non-zero exit code: ['prefect']") {
			t.Errorf("message %q is not the observer's", r.State.Message)
		}
	})
}

func notedPID(t *testing.T, c *client) int {
	t.Helper()
	_, rest, _ := strings.Cut(c.notes(), "pids ")
	pid, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// killTask kills the container that a flow's process lives in: its first process,
// before that can say what became of the flow, and then the flow's.
func killTask(t *testing.T, flow int) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(flow), "stat"))
	if err != nil {
		t.Skipf("processes are found by /proc: %v", err)
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	first, err := strconv.Atoi(strings.Fields(rest)[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range []int{first, flow} {
		group, err := syscall.Getpgid(pid)
		if err != nil || group == syscall.Getpgrp() {
			t.Fatalf("process %d is in group %d, %v", pid, group, err)
		}
		if err := syscall.Kill(-group, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
}

// ecsEvents waits for the events by which the observer tells of a run's task.
func ecsEvents(t *testing.T, s *server, run string) {
	t.Helper()
	wanted := []string{"provisioning", "pending", "running", "deprovisioning", "stopped"}
	waitFor(t, 30*time.Second, "prefect.ecs.task events", func(ctx context.Context) (bool, error) {
		var page struct{ Events []struct{ Event string } }
		err := s.call(ctx, http.MethodPost, "/events/filter", object{"limit": 50, "filter": object{
			"any_resource": object{"id": []string{"prefect.flow-run." + run}},
			"event":        object{"prefix": []string{"prefect.ecs.task."}},
		}}, &page)
		seen := map[string]bool{}
		for _, e := range page.Events {
			seen[strings.TrimPrefix(e.Event, "prefect.ecs.task.")] = true
		}
		for _, name := range wanted {
			if !seen[name] {
				return false, err
			}
		}
		return true, err
	})
}
