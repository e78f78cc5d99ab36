package compat

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// runOfExecution is the flow run that an execution is in the domain.
func (s *server) runOfExecution(t *testing.T, arn string) flowRun {
	t.Helper()
	var runs []flowRun
	s.mustCall(t, http.MethodPost, "/flow_runs/filter", object{"limit": 200, "sort": "EXPECTED_START_TIME_DESC"}, &runs)
	for _, r := range runs {
		if r.InfrastructureID == arn {
			return r
		}
	}
	t.Fatalf("no flow run is the execution %s", arn)
	return flowRun{}
}

// TestExecutionsAreFlowRuns looks at executions, and steers them, as flow runs.
func TestExecutionsAreFlowRuns(t *testing.T) {
	leatOnly(t)
	onEachDatabase(t, func(t *testing.T, s *server) {
		c := newClient(t, s)
		t.Run("one that succeeded", func(t *testing.T) { shownExecution(t, c.in(t)) })
		t.Run("leat run cancel aborts", func(t *testing.T) { cancelledExecution(t, c.in(t)) })
		t.Run("leat run retry redrives", func(t *testing.T) { retriedExecution(t, c.in(t)) })
	})
}

func shownExecution(t *testing.T, c *client) {
	t.Helper()
	name := c.name + "-shown"
	arn := c.s.startMachine(t, name, `{"StartAt": "First", "States": {
		"First": {"Type": "Pass", "Next": "Rest"}, "Rest": {"Type": "Wait", "Seconds": 1, "Next": "Last"}, "Last": {"Type": "Succeed"}}}`, `{"n": 1}`)
	c.s.waitExecution(t, arn, 20*time.Second)
	r := c.s.runOfExecution(t, arn)
	if r.State.Name != "Completed" || r.Parameters["n"] != 1.0 {
		t.Errorf("the run is %+v", r)
	}
	contains(t, "leat run ls has it", c.leat("run", "ls", "--flow", name), name, "Completed")
	contains(t, "leat run show has its states", c.leat("run", "show", r.ID), name, "First", "Rest", "Last", arn)
	contains(t, "leat run logs tells of its end", c.leat("run", "logs", r.ID), "the execution succeeded")
	t.Run("leat run retry and cancel refuse it", func(t *testing.T) {
		for verb, reason := range map[string]string{"retry": "Execution is SUCCEEDED and cannot be redriven", "cancel": "already in terminal state"} {
			if out := c.in(t).exec(env.binary, "run", verb, r.ID); out.code == 0 || !strings.Contains(out.all(), reason) {
				t.Errorf("leat run %s ended with %d: %s", verb, out.code, out.all())
			}
		}
		if now, err := c.s.flowRun(t.Context(), r.ID); err != nil || now.State.Name != "Completed" {
			t.Errorf("the run is %s, %v", now.State.Name, err)
		}
	})
	t.Run("task runs are the visits of states", func(t *testing.T) {
		var tasks []struct {
			Name  string `json:"name"`
			State struct{ Name string }
		}
		c.s.mustCall(t, http.MethodPost, "/task_runs/filter", object{
			"flow_runs": object{"id": object{"any_": []string{r.ID}}}, "sort": "EXPECTED_START_TIME_ASC",
		}, &tasks)
		var got []string
		for _, task := range tasks {
			got = append(got, task.Name+" "+task.State.Name)
		}
		slices.Sort(got)
		if want := []string{"First Completed", "Last Completed", "Rest Completed"}; !slices.Equal(got, want) {
			t.Errorf("task runs %v, want %v", got, want)
		}
	})
	t.Run("filters find it", func(t *testing.T) {
		var n int
		c.s.mustCall(t, http.MethodPost, "/flow_runs/count", object{
			"flows": object{"name": object{"any_": []string{name}}}, "flow_runs": object{"state": object{"type": object{"any_": []string{"COMPLETED"}}}},
			"task_runs": object{"name": object{"any_": []string{"Rest"}}},
		}, &n)
		if n != 1 {
			t.Errorf("%d runs", n)
		}
	})
}

func cancelledExecution(t *testing.T, c *client) {
	t.Helper()
	arn := c.s.startMachine(t, c.name+"-cancelled", `{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": true}}}`, `{}`)
	r := c.s.runOfExecution(t, arn)
	c.leat("run", "cancel", r.ID)
	if x := c.s.waitExecution(t, arn, 20*time.Second); x["status"] != "ABORTED" {
		t.Errorf("the execution is %v", x)
	}
	c.s.waitState(t, r.ID, "Cancelled", 10*time.Second)
	if types, _ := c.s.historyOf(t, arn); types[len(types)-1] != "ExecutionAborted" {
		t.Errorf("history %v", types)
	}
}

func retriedExecution(t *testing.T, c *client) {
	t.Helper()
	made := c.s.mustStates(t, "CreateActivity", object{"name": c.name + "-retried"})
	activity := made.text(t, "activityArn")
	definition, err := json.Marshal(object{"StartAt": "T", "States": object{"T": object{"Type": "Task", "Resource": activity, "End": true}}})
	if err != nil {
		t.Fatal(err)
	}
	arn := c.s.startMachine(t, c.name+"-retried", string(definition), `{}`)
	answer := func(operation string, in object) {
		t.Helper()
		task := c.s.mustStates(t, "GetActivityTask", object{"activityArn": activity})
		in["taskToken"] = task.text(t, "taskToken")
		c.s.mustStates(t, operation, in)
	}
	answer("SendTaskFailure", object{"error": "Bad", "cause": "luck"})
	if x := c.s.waitExecution(t, arn, 20*time.Second); x["status"] != "FAILED" {
		t.Fatalf("the execution is %v", x)
	}
	r := c.s.runOfExecution(t, arn)
	if r.State.Name != "Failed" || r.State.Message != "Bad: luck" {
		t.Errorf("the run is %s: %s", r.State.Name, r.State.Message)
	}
	contains(t, "leat run logs tells why it failed", c.leat("run", "logs", r.ID), `Task state "T" failed: Bad: luck`)
	c.leat("run", "retry", r.ID)
	answer("SendTaskSuccess", object{"output": "7"})
	if x := c.s.waitExecution(t, arn, 20*time.Second); x["status"] != "SUCCEEDED" || x["redriveCount"] != 1.0 || x["output"] != "7" {
		t.Errorf("the execution is %v", x)
	}
	c.s.waitState(t, r.ID, "Completed", 10*time.Second)
}

// TestStatesRunDeployments lets states run flows that a Prefect client serves.
func TestStatesRunDeployments(t *testing.T) {
	leatOnly(t)
	onEachDatabase(t, func(t *testing.T, s *server) {
		c := newClient(t, s)
		c.serve("Your deployments are being served", "served.py", "hello", "long", "second_time")
		state := func(flow, deployment string, more object) string {
			task := object{"Type": "Task", "Resource": "arn:leat:states:::flow:run.sync", "End": true, "Parameters": object{
				"Deployment": c.name + "-" + flow + "/" + deployment, "Parameters": more,
			}}
			text, err := json.Marshal(object{"StartAt": "Run", "States": object{"Run": task}})
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		t.Run("a state waits for the flow's end", func(t *testing.T) {
			arn := s.startMachine(t, c.name+"-hello", state("hello", "hello", object{"name.$": "$.who", "n": 2}), `{"who": "state"}`)
			x := s.waitExecution(t, arn, time.Minute)
			var out struct {
				FlowRunID string `json:"FlowRunId"`
				State     struct{ Type, Name string }
			}
			text, _ := x["output"].(string)
			if err := json.Unmarshal([]byte(text), &out); err != nil || out.State.Type != "COMPLETED" || out.State.Name != "Completed" {
				t.Fatalf("the execution is %v", x)
			}
			s.waitLog(t, out.FlowRunID, "hello state 2", 10*time.Second)
			types, _ := s.historyOf(t, arn)
			want := []string{
				"ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited", "ExecutionSucceeded",
			}
			if !slices.Equal(types, want) {
				t.Errorf("history %v", types)
			}
		})
		t.Run("a flow that fails fails the state", func(t *testing.T) {
			arn := s.startMachine(t, c.name+"-fails", state("second-time", "second_time", object{}), `{}`)
			x := s.waitExecution(t, arn, time.Minute)
			cause, _ := x["cause"].(string)
			if x["status"] != "FAILED" || x["error"] != "Flow.Failed" || !strings.Contains(cause, "first time") {
				t.Errorf("the execution is %v", x)
			}
		})
		t.Run("a stopped execution cancels the flow", func(t *testing.T) {
			arn := s.startMachine(t, c.name+"-stopped", state("long", "long", object{}), `{}`)
			deployment := s.deploymentID(t, c.name+"-long/long")
			var run flowRun
			waitFor(t, time.Minute, "the flow to run", func(ctx context.Context) (bool, error) {
				runs, err := s.runsOf(ctx, deployment, "Running")
				if err != nil || len(runs) == 0 {
					return false, err
				}
				run = runs[0]
				return true, nil
			})
			c.in(t).waitNotes("pids", time.Minute)
			s.mustStates(t, "StopExecution", object{"executionArn": arn})
			s.waitState(t, run.ID, "Cancelled", time.Minute)
		})
	})
}

// TestStatesKeepTheirFlowsThroughKills kills the server while a state waits for a
// flow, and again before the flow's end is taken up.
func TestStatesKeepTheirFlowsThroughKills(t *testing.T) {
	leatOnly(t)
	onOwnServer(t, options{}, func(t *testing.T, s *server) {
		var f, d struct{ ID string }
		s.mustCall(t, http.MethodPost, "/flows/", object{"name": "f"}, &f)
		s.mustCall(t, http.MethodPost, "/deployments/", object{"name": "d", "flow_id": f.ID}, &d)
		arn := s.startMachine(t, "m", `{"StartAt": "Run", "States": {"Run": {"Type": "Task", "Resource": "arn:leat:states:::flow:run.sync",
			"Parameters": {"Deployment": "f/d"}, "ResultSelector": {"sum.$": "$.Result.sum", "id.$": "$.FlowRunId"}, "End": true}}}`, `{}`)
		var runs []flowRun
		waitFor(t, 20*time.Second, "the run", func(ctx context.Context) (bool, error) {
			var err error
			runs, err = s.runsOf(ctx, d.ID)
			return len(runs) > 0, err
		})
		again := func() {
			t.Helper()
			s.kill()
			if err := s.start(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		again()
		s.setState(t, runs[0].ID, object{"type": "RUNNING"})
		s.setState(t, runs[0].ID, object{"type": "COMPLETED", "data": object{"sum": 10}})
		again()
		x := s.waitExecution(t, arn, time.Minute)
		if want := `{"sum":10,"id":"` + runs[0].ID + `"}`; x["status"] != "SUCCEEDED" || x["output"] != want {
			t.Errorf("the execution ends %v, want %s", x, want)
		}
		if runs, err := s.runsOf(t.Context(), d.ID); err != nil || len(runs) != 1 {
			t.Errorf("%d runs, %v", len(runs), err)
		}
	})
}
