package compat

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// cloud is a server, and a local ECS to which its executions turn.
type cloud struct {
	*client
	s *server
}

// newCloud starts both; the images of all containers are the directory, whose
// program is app.py.
func newCloud(t *testing.T, kind, images string) cloud {
	t.Helper()
	port, err := freePort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	endpoint := "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	s := ownServer(t, kind, options{env: awsSettings("000000000000", "AWS_ENDPOINT_URL="+endpoint)})
	c := newClient(t, s, awsSettings("000000000000", "AWS_ENDPOINT_URL="+endpoint, "AWS_ENDPOINT_URL_SFN="+s.root())...)
	c.spawn("Stop it", env.binary, "ecs-local", "--port", strconv.Itoa(port), "--stop-timeout", "5s",
		"--map", "*="+images+":"+env.python+" app.py", "--env", "AWS_ENDPOINT_URL_SFN="+s.root(), "--env", "AWS_EC2_METADATA_DISABLED=true")
	return cloud{c, s}
}

// tasks describes the ECS tasks of a cluster that are in a status.
func (c cloud) tasks(cluster, status string) []object {
	c.t.Helper()
	arns, _ := c.aws("ecs", "list-tasks", "--cluster", cluster, "--desired-status", status)["taskArns"].([]any)
	if len(arns) == 0 {
		return nil
	}
	args := []string{"ecs", "describe-tasks", "--cluster", cluster, "--tasks"}
	for _, arn := range arns {
		text, _ := arn.(string)
		args = append(args, text)
	}
	list, _ := c.aws(args...)["tasks"].([]any)
	var out []object
	for _, task := range list {
		described, _ := task.(object)
		out = append(out, described)
	}
	return out
}

// exitCodes are those of the tasks' containers.
func exitCodes(tasks []object) (codes []any) {
	for _, task := range tasks {
		containers, _ := task["containers"].([]any)
		for _, c := range containers {
			container, _ := c.(object)
			codes = append(codes, container["exitCode"])
		}
	}
	return codes
}

// TestLoopOfContainers runs a machine that the AWS CDK made, whose task is to be
// run again until its containers have counted to four. It waits for the task's
// end (.sync), and the containers answer by its token.
func TestLoopOfContainers(t *testing.T) {
	needAWS(t)
	t.Parallel()
	t.Run("a program of our own", func(t *testing.T) {
		t.Parallel()
		for _, kind := range env.databases() {
			t.Run(kind, func(t *testing.T) {
				t.Parallel()
				app, err := os.ReadFile("testdata/ecs_loop_app.py")
				if err != nil {
					t.Fatal(err)
				}
				loopContainers(t, kind, app, "1")
			})
		}
	})
	t.Run("the program of the post that the machine is from, with its pauses", func(t *testing.T) {
		t.Parallel()
		loopContainers(t, "sqlite", appOfPost(t))
	})
}

// appOfPost is the container's program as it stands in the post.
func appOfPost(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../../../shared/seeds/004-step-functions-ecs.txt")
	if err != nil {
		t.Skipf("the post is not there: %v", err)
	}
	_, rest, _ := strings.Cut(string(text), "\napp.py\n")
	app, _, found := strings.Cut(rest, "\nコンテナ内部では")
	if !found || !strings.Contains(app, "import numpy") {
		t.Fatalf("the post has no program:\n%s", rest)
	}
	return []byte(app)
}

func loopContainers(t *testing.T, kind string, app []byte, pause ...string) {
	t.Helper()
	images := t.TempDir()
	if err := os.WriteFile(filepath.Join(images, "app.py"), app, 0o600); err != nil {
		t.Fatal(err)
	}
	template, err := filepath.Abs("testdata/ecs_loop.template.json")
	if err != nil {
		t.Fatal(err)
	}
	c := newCloud(t, kind, images)
	made := c.python("states_deploy.py", append([]string{template}, pause...)...)
	x := c.s.mustStates(t, "StartExecution", object{"stateMachineArn": made["machine"], "input": `{"input": {"number": 0}}`})
	arn := x.text(t, "executionArn")
	end := c.s.waitExecution(t, arn, 3*time.Minute)
	var out struct {
		Input  struct{ Number int }
		Result []float64
	}
	text, _ := end["output"].(string)
	if err := json.Unmarshal([]byte(text), &out); err != nil || end["status"] != "SUCCEEDED" || out.Input.Number != 4 || len(out.Result) != 3 {
		t.Fatalf("the execution ends %v", end)
	}
	types, events := c.s.historyOf(t, arn)
	t.Run("the history is AWS's", func(t *testing.T) {
		want := []string{"ExecutionStarted", "ChoiceStateEntered", "ChoiceStateExited"}
		for range 4 {
			want = append(want, "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited",
				"WaitStateEntered", "WaitStateExited", "ChoiceStateEntered", "ChoiceStateExited")
		}
		want = append(want, "SucceedStateEntered", "SucceedStateExited", "ExecutionSucceeded")
		if !slices.Equal(types, want) {
			t.Errorf("history %v", types)
		}
		for i, e := range events {
			previous := float64(i)
			if i == 1 {
				previous = 0 // the first state is entered after nothing
			}
			if e["id"] != float64(i+1) || e["previousEventId"] != previous {
				t.Errorf("event %v is at place %d", e, i+1)
			}
		}
	})
	t.Run("four containers ran to their own end", func(t *testing.T) {
		c := cloud{c.in(t), c.s}
		var tasks []object
		waitFor(t, 30*time.Second, "the tasks to stop", func(context.Context) (bool, error) {
			tasks = c.tasks(made.text(t, "cluster"), "STOPPED")
			return len(tasks) == 4 && !slices.Contains(exitCodes(tasks), nil), nil
		})
		if codes := exitCodes(tasks); !slices.Equal(codes, []any{0.0, 0.0, 0.0, 0.0}) {
			t.Errorf("exit codes %v of %v", codes, tasks)
		}
		for _, task := range tasks {
			if task["stopCode"] != "EssentialContainerExited" || task["startedBy"] != "AWS Step Functions" {
				t.Errorf("task %v", task)
			}
		}
	})
	t.Run("the containers' words are in the log group", func(t *testing.T) {
		log := c.in(t).aws("logs", "filter-log-events", "--log-group-name", made.text(t, "logs"))
		lines, _ := log["events"].([]any)
		if len(lines) != 4 {
			t.Errorf("log %v", log)
		}
	})
}

// TestContainersOfStates is about containers that end otherwise than they should.
func TestContainersOfStates(t *testing.T) {
	needAWS(t)
	t.Parallel()
	for _, kind := range env.databases() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, kind, t.TempDir())
			c.aws("ecs", "create-cluster", "--cluster-name", "c")
			c.exec(env.python, "-m", "awscli", "logs", "create-log-group", "--log-group-name", "containers")
			for _, verb := range []string{"die", "sleep", "answer"} {
				c.define(verb)
			}
			for _, pattern := range []string{"sync", "waitForTaskToken"} {
				t.Run(pattern, func(t *testing.T) {
					in := cloud{c.in(t), c.s}
					t.Run("a container that dies fails its state with its exit code", func(t *testing.T) { in.dies(t, pattern) })
					t.Run("a container is stopped with its execution", func(t *testing.T) { in.stops(t, pattern) })
					t.Run("a container that answers may go on", func(t *testing.T) { in.goesOn(t, pattern) })
				})
			}
		})
	}
}

// define registers a task whose container runs states_container.py.
func (c cloud) define(verb string) {
	c.t.Helper()
	program := filepath.Join(flowsDir(), "states_container.py")
	text, err := json.Marshal([]object{{
		"name": "main", "image": "any", "essential": true, "command": []string{env.python, program, verb},
		"logConfiguration": object{"logDriver": "awslogs", "options": object{
			"awslogs-group": "containers", "awslogs-region": "us-east-1", "awslogs-stream-prefix": verb,
		}},
	}})
	if err != nil {
		c.t.Fatal(err)
	}
	c.aws("ecs", "register-task-definition", "--family", verb, "--requires-compatibilities", "FARGATE", "--network-mode", "awsvpc",
		"--cpu", "256", "--memory", "512", "--execution-role-arn", "arn:aws:iam::000000000000:role/compat", "--container-definitions", string(text))
}

// startTask starts a machine whose state runs the task, and returns the execution.
func (c cloud) startTask(t *testing.T, verb, pattern, goOn string) string {
	t.Helper()
	definition, err := json.Marshal(object{"StartAt": "Run", "States": object{"Run": object{
		"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask." + pattern, "End": true, "Parameters": object{
			"Cluster": "c", "TaskDefinition": verb, "LaunchType": "FARGATE",
			"NetworkConfiguration": object{"AwsvpcConfiguration": object{"Subnets": []string{"subnet-1"}}},
			"Overrides": object{"ContainerOverrides": []object{{"Name": "main", "Environment": []object{
				{"Name": "TOKEN", "Value.$": "$$.Task.Token"}, {"Name": "GO_ON", "Value": goOn},
			}}}},
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return c.s.startMachine(t, verb+"-"+pattern, string(definition), `{}`)
}

// task waits until an ECS task is in a status, and returns it.
func (c cloud) task(t *testing.T, started, status string) (task object) {
	t.Helper()
	waitFor(t, time.Minute, "task "+started+" to be "+status, func(context.Context) (bool, error) {
		list, _ := c.aws("ecs", "describe-tasks", "--cluster", "c", "--tasks", started)["tasks"].([]any)
		if len(list) != 1 {
			return false, nil
		}
		task, _ = list[0].(object)
		return task["lastStatus"] == status, nil
	})
	return task
}

// submitted waits until the execution's task was started, and returns its ARN.
func (c cloud) submitted(t *testing.T, arn string) (task string) {
	t.Helper()
	waitFor(t, time.Minute, "the task of "+arn, func(context.Context) (bool, error) {
		types, events := c.s.historyOf(t, arn)
		at := slices.Index(types, "TaskSubmitted")
		if at < 0 {
			return false, nil
		}
		details, _ := events[at]["taskSubmittedEventDetails"].(object)
		text, _ := details["output"].(string)
		var out struct{ Tasks []struct{ TaskArn string } }
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			return false, err
		}
		task = out.Tasks[0].TaskArn
		return true, nil
	})
	return task
}

func (c cloud) dies(t *testing.T, pattern string) {
	t.Helper()
	x := c.s.waitExecution(t, c.startTask(t, "die", pattern, ""), time.Minute)
	cause, _ := x["cause"].(string)
	if x["status"] != "FAILED" || x["error"] != "States.TaskFailed" || !strings.Contains(cause, `"ExitCode":3`) {
		t.Errorf("the execution ends %v", x)
	}
	if pattern == "waitForTaskToken" && !strings.Contains(cause, `"LogLines":["container starts","last words"]`) {
		t.Errorf("the cause has not its last words: %s", cause)
	}
}

func (c cloud) stops(t *testing.T, pattern string) {
	t.Helper()
	c = cloud{c.in(t), c.s}
	arn := c.startTask(t, "sleep", pattern, "")
	task := c.submitted(t, arn)
	c.task(t, task, "RUNNING")
	c.s.mustStates(t, "StopExecution", object{"executionArn": arn})
	if stopped := c.task(t, task, "STOPPED"); stopped["stopCode"] != "UserInitiated" {
		t.Errorf("the task is %v", stopped)
	}
}

func (c cloud) goesOn(t *testing.T, pattern string) {
	t.Helper()
	c = cloud{c.in(t), c.s}
	goOn := filepath.Join(t.TempDir(), "go-on")
	arn := c.startTask(t, "answer", pattern, goOn)
	if x := c.s.waitExecution(t, arn, time.Minute); x["status"] != "SUCCEEDED" || x["output"] != `{"answer":42}` {
		t.Errorf("the execution ends %v", x)
	}
	task := c.submitted(t, arn)
	if running := c.task(t, task, "RUNNING"); running["desiredStatus"] != "RUNNING" {
		t.Errorf("the task is %v", running)
	}
	if err := os.WriteFile(goOn, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	stopped := c.task(t, task, "STOPPED")
	if codes := exitCodes([]object{stopped}); stopped["stopCode"] != "EssentialContainerExited" || !slices.Equal(codes, []any{0.0}) {
		t.Errorf("the task is %v", stopped)
	}
	contains(t, "its last words are kept", c.exec(env.python, "-m", "awscli", "logs", "get-log-events", "--log-group-name", "containers",
		"--log-stream-name", "answer/main/"+task[strings.LastIndexByte(task, '/')+1:]).stdout, "still here")
}
