package compat

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestECSLauncher lets leat's own worker run Prefect flows as tasks of leat
// ecs-local, in a pool that it makes by the base job template that is served.
func TestECSLauncher(t *testing.T) {
	leatOnly(t)
	t.Parallel()
	s := ownServer(t, "sqlite", options{})
	port, err := freePort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, s,
		"AWS_ENDPOINT_URL=http://"+net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=000000000000", "AWS_SECRET_ACCESS_KEY=any", "AWS_EC2_METADATA_DISABLED=true",
	)
	c.spawn("Stop it", env.binary, "ecs-local", "--port", strconv.Itoa(port), "--stop-timeout", "5s")
	pool := c.name + "-pool"
	worker := c.spawn("Worker '", env.binary, "worker", "start", "--pool", pool, "--type", "ecs", "--name", c.name+"-worker", "--grace", "5s")
	ids := c.python("pool.py", pool)

	variables := object{
		"env": object{"COMPAT_VARIABLE": "from job variables"}, "configure_cloudwatch_logs": true, "execution_role_arn": "arn:aws:iam::000000000000:role/any",
		"stream_output": true,
	}
	run := func(t *testing.T, flow string) string {
		t.Helper()
		return s.createRun(t, ids.text(t, flow), object{"state": object{"type": "SCHEDULED"}, "job_variables": variables})
	}
	t.Run("a flow runs to its end as a task", func(t *testing.T) {
		id := run(t, "pooled")
		r := s.waitState(t, id, "Completed", 2*time.Minute)
		if !strings.HasPrefix(r.InfrastructureID, "arn:aws:ecs:us-east-1:000000000000:cluster/default::arn:aws:ecs:us-east-1:000000000000:task/default/") {
			t.Errorf("infrastructure_pid is %q", r.InfrastructureID)
		}
		s.waitLog(t, id, "sum is 3 variable from job variables", 10*time.Second)
		waitFor(t, 30*time.Second, "the task's output from CloudWatch Logs", func(context.Context) (bool, error) {
			return strings.Contains(worker.out.String(), "sum is 3 variable from job variables"), nil
		})
	})
	t.Run("a task that exits by itself leaves a Crashed run", func(t *testing.T) {
		s.waitState(t, run(t, "dying"), "Crashed", 2*time.Minute)
	})
	t.Run("a task that is killed leaves a Crashed run, which the worker reports", func(t *testing.T) {
		id := run(t, "tree")
		s.waitState(t, id, "Running", 2*time.Minute)
		k := c.in(t)
		k.waitNotes("pids", time.Minute)
		killTask(t, notedPID(t, k))
		r := s.waitState(t, id, "Crashed", time.Minute)
		if !strings.Contains(r.State.Message, "exit status 137") {
			t.Errorf("message %q is not the worker's", r.State.Message)
		}
	})
	t.Run("a cancelled run's task is stopped", func(t *testing.T) {
		id := run(t, "tree")
		k := c.in(t)
		waitFor(t, time.Minute, "the note of a second flow", func(context.Context) (bool, error) { return strings.Count(k.notes(), "pids ") == 2, nil })
		notes := k.notes()
		pid, err := strconv.Atoi(strings.Fields(notes[strings.LastIndex(notes, "pids "):])[1])
		if err != nil {
			t.Fatal(err)
		}
		s.waitState(t, id, "Running", time.Minute)
		k.prefect("flow-run", "cancel", id)
		s.waitState(t, id, "Cancelled", time.Minute)
		waitFor(t, 30*time.Second, "the flow's process to be gone", func(context.Context) (bool, error) { return gone(pid), nil })
	})
}
