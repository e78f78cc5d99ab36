package ecslocal

import (
	"strings"
	"testing"

	"github.com/leat-dev/leat/internal/docker"
	"github.com/leat-dev/leat/internal/docker/dockertest"
)

const (
	ecs  = "AmazonEC2ContainerServiceV20141113"
	logs = "Logs_20140328"
)

type object = map[string]any

// task is what the tests look at.
type task struct {
	TaskArn, LastStatus, StopCode, StoppedReason string
	Containers                                   []struct {
		ExitCode                *int
		Reason, RuntimeID       string
		ImageDigest, LastStatus string
	}
}

// runTask registers a container, runs it and waits for a status.
func (e *endpoint) runTask(family string, container object) string {
	e.t.Helper()
	container["logConfiguration"] = object{"logDriver": "awslogs", "options": object{
		"awslogs-group": "/" + family, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "p", "awslogs-create-group": "true",
	}}
	container["name"] = "main"
	if err := e.call(ecs, "RegisterTaskDefinition", object{"family": family, "memory": "64", "containerDefinitions": []object{container}}, nil); err != nil {
		e.t.Fatal(err)
	}
	var out struct{ Tasks []task }
	if err := e.call(ecs, "RunTask", object{"taskDefinition": family}, &out); err != nil || len(out.Tasks) != 1 {
		e.t.Fatalf("%v, %v", out, err)
	}
	return out.Tasks[0].TaskArn
}

func (e *endpoint) await(arn, status string) task {
	e.t.Helper()
	var out struct{ Tasks []task }
	await(e.t, "the task to be "+status, func() bool {
		if err := e.call(ecs, "DescribeTasks", object{"tasks": []string{arn}}, &out); err != nil {
			e.t.Fatal(err)
		}
		return out.Tasks[0].LastStatus == status || out.Tasks[0].LastStatus == "STOPPED"
	})
	return out.Tasks[0]
}

func (e *endpoint) log(group string) string {
	e.t.Helper()
	var out struct{ Events []struct{ Message string } }
	if err := e.call(logs, "FilterLogEvents", object{"logGroupName": group}, &out); err != nil {
		return err.Error()
	}
	var all []string
	for _, event := range out.Events {
		all = append(all, event.Message)
	}
	return strings.Join(all, "\n")
}

func TestDocker(t *testing.T) {
	t.Parallel()
	client := dockertest.Shell(t)
	e := start(t, nil, "--runner", "docker", "--env", "GIVEN=to all")
	t.Run("a task runs its image's own command", func(t *testing.T) {
		arn := e.runTask("own", object{"image": dockertest.Image})
		done := e.await(arn, "STOPPED")
		if done.StopCode != "EssentialContainerExited" || *done.Containers[0].ExitCode != 0 || !strings.HasPrefix(done.Containers[0].ImageDigest, "sha256:") {
			t.Errorf("%+v", done)
		}
		if got := e.log("/own"); got != "the image says hello" {
			t.Errorf("log: %s", got)
		}
	})
	t.Run("a container reaches its metadata and the endpoint", func(t *testing.T) {
		script := `wget -q -O - $ECS_CONTAINER_METADATA_URI_V4/task; echo; echo $AWS_ENDPOINT_URL $GIVEN $FROM_IMAGE $PWD; wget -q -O - $AWS_ENDPOINT_URL/_leat/health; exit 4`
		arn := e.runTask("reach", object{"image": dockertest.Image, "command": []string{"sh", "-c", script}})
		done := e.await(arn, "STOPPED")
		got := e.log("/reach")
		if *done.Containers[0].ExitCode != 4 || !strings.Contains(got, `"TaskARN":"`+arn+`"`) || !strings.Contains(got, "http://host.docker.internal:") ||
			!strings.Contains(got, "to all yes /tmp") || !strings.Contains(got, `{"ok":true}`) {
			t.Errorf("%+v, log: %s", done, got)
		}
	})
	t.Run("stopping kills what does not heed, and nothing is left", func(t *testing.T) {
		script := `trap 'echo asked' TERM; echo ready; while :; do sleep 0.05; done`
		arn := e.runTask("stop", object{"image": dockertest.Image, "stopTimeout": 1, "command": []string{"sh", "-c", script}})
		id := e.await(arn, "RUNNING").Containers[0].RuntimeID
		await(t, "its line", func() bool { return strings.Contains(e.log("/stop"), "ready") })
		if err := e.call(ecs, "StopTask", object{"task": arn}, nil); err != nil {
			t.Fatal(err)
		}
		done := e.await(arn, "STOPPED")
		if *done.Containers[0].ExitCode != 137 || done.StopCode != "UserInitiated" || !strings.Contains(e.log("/stop"), "asked") {
			t.Errorf("%+v", done)
		}
		await(t, "the container's removal", func() bool {
			_, err := client.Inspect(t.Context(), id)
			return docker.IsNotFound(err)
		})
	})
	t.Run("too much memory is told", func(t *testing.T) {
		script := `x=; while :; do x=$x$(dd if=/dev/zero bs=1M count=1 2>/dev/null | cat -v); done`
		arn := e.runTask("oom", object{"image": dockertest.Image, "memory": 16, "command": []string{"sh", "-c", script}})
		if done := e.await(arn, "STOPPED"); *done.Containers[0].ExitCode != 137 || !strings.HasPrefix(done.Containers[0].Reason, "OutOfMemoryError: ") {
			t.Errorf("%+v", done)
		}
	})
	t.Run("an image that is nowhere can't be pulled", func(t *testing.T) {
		arn := e.runTask("none", object{"image": "127.0.0.1:1/leat-no-such-image:1"})
		if done := e.await(arn, "STOPPED"); done.StopCode != "TaskFailedToStart" || !strings.HasPrefix(done.StoppedReason, "CannotPullContainerError: ") {
			t.Errorf("%+v", done)
		}
	})
	t.Run("stopping the endpoint ends its containers", func(t *testing.T) {
		arn := e.runTask("left", object{"image": dockertest.Image, "command": []string{"sleep", "1000"}})
		id := e.await(arn, "RUNNING").Containers[0].RuntimeID
		e.stop()
		await(t, "the container's removal", func() bool {
			_, err := client.Inspect(t.Context(), id)
			return docker.IsNotFound(err)
		})
	})
}

func TestDockerAfterKill(t *testing.T) {
	t.Parallel()
	client := dockertest.Shell(t)
	data := t.TempDir()
	e := start(t, nil, "--runner", "docker", "--data", data)
	arn := e.runTask("left", object{"image": dockertest.Image, "command": []string{"sleep", "1000"}})
	id := e.await(arn, "RUNNING").Containers[0].RuntimeID
	// That the task runs is on disk with what is changed after it.
	if err := e.call(ecs, "CreateCluster", object{"clusterName": "later"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := e.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-e.end
	if found, err := client.Inspect(t.Context(), id); err != nil || !found.State.Running {
		t.Fatalf("the container does not outlive its endpoint: %v", err)
	}
	again := start(t, nil, "--runner", "docker", "--data", data)
	await(t, "the container's removal", func() bool {
		_, err := client.Inspect(t.Context(), id)
		return docker.IsNotFound(err)
	})
	if done := again.await(arn, "STOPPED"); done.StoppedReason != "The local ECS was restarted." {
		t.Errorf("%+v", done)
	}
}
