package ecslocal_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/ecslocal"
	"github.com/leat-dev/leat/internal/launch/process"
)

func TestDataIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keep := func(c *ecslocal.Config) { c.Data = dir }
	w := start(t, keep)
	w.must("ecs", "CreateCluster", object{"clusterName": "kept", "tags": []object{{"key": "a", "value": "b"}}})
	c := shell("main", "echo a line; exec sleep 1000")
	c["logConfiguration"] = awslogs(object{"awslogs-create-group": "true"})
	c["stopTimeout"] = 7
	w.define("app", c)
	url := w.queue("q", nil)
	w.must("sqs", "SendMessage", object{"QueueUrl": url, "MessageBody": "kept"})
	w.must("events", "PutRule", object{"Name": "r", "EventPattern": `{"source":["app"]}`})
	w.must("events", "PutTargets", object{"Rule": "r", "Targets": []object{{"Id": "q", "Arn": "arn:aws:sqs:us-east-1:000000000000:q"}}})
	w.must("ecs", "CreateService", object{"cluster": "kept", "serviceName": "s", "taskDefinition": "app", "desiredCount": 1, "launchType": "FARGATE", "networkConfiguration": network()})
	first := ""
	w.until("the service's task", func() bool {
		arns := get(t, w.must("ecs", "ListTasks", object{"cluster": "kept"}), "taskArns").([]any)
		if len(arns) == 1 {
			first = arns[0].(string)
		}
		return len(arns) == 1 && w.task(first)["lastStatus"] == "RUNNING"
	})
	w.until("its line", func() bool {
		return len(messages(t, w.must("logs", "FilterLogEvents", object{"logGroupName": "/ecs/app"}))) == 1
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := w.server.Close(ctx); err != nil {
		t.Fatal(err)
	}

	again := start(t, keep)
	if d := again.must("ecs", "DescribeTaskDefinition", object{"taskDefinition": "app:1"}); fmt.Sprint(get(t, d, "taskDefinition", "containerDefinitions", 0, "stopTimeout")) != "7" {
		t.Errorf("definition: %v", d)
	}
	if got := messages(t, again.must("logs", "FilterLogEvents", object{"logGroupName": "/ecs/app", "limit": 1})); got[0] != "a line" {
		t.Errorf("logs: %v", got)
	}
	url = text(t, again.must("sqs", "GetQueueUrl", object{"QueueName": "q"}), "QueueUrl")
	if bodies, _ := again.receive(url, nil); len(bodies) != 1 || bodies[0] != "kept" {
		t.Errorf("messages: %v", bodies)
	}
	if n := len(get(t, again.must("events", "ListTargetsByRule", object{"Rule": "r"}), "Targets").([]any)); n != 1 {
		t.Errorf("%d targets", n)
	}
	if done := again.task(first); done["lastStatus"] != "STOPPED" || done["stoppedReason"] != "The local ECS was stopped." {
		t.Errorf("the task of before: %v", done)
	}
	again.until("another task of the service", func() bool {
		s := again.must("ecs", "DescribeServices", object{"cluster": "kept", "services": []string{"s"}})
		return fmt.Sprint(get(t, s, "services", 0, "runningCount")) == "1"
	})
}

// TestLeftBehind lets a second endpoint find what a first one, which was killed,
// left running: the first is simply not closed before.
func TestLeftBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	killed := &process.Launcher{}
	w := start(t, func(c *ecslocal.Config) { c.Data, c.Launcher = dir, killed })
	arn := w.run(w.define("app", shell("main", "echo pid $$; exec sleep 1000")), nil)
	pid, err := strconv.Atoi(strings.Fields(w.line("pid"))[3])
	if err != nil {
		t.Fatal(err)
	}
	w.await(arn, "RUNNING")
	// What the status changed may still be on its way to the disk.
	w.must("ecs", "CreateCluster", object{"clusterName": "later"})
	// The first lives on in this process, so the second takes what a kill would have left.
	left := t.TempDir()
	if err := os.CopyFS(left, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	again := start(t, func(c *ecslocal.Config) { c.Data = left })
	again.until("the end of the process left behind", func() bool { return !alive(pid) })
	if done := again.task(arn); done["lastStatus"] != "STOPPED" || done["stoppedReason"] != "The local ECS was restarted." {
		t.Errorf("the task: %v", done)
	}
}
