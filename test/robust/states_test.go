package robust

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// aws calls an operation of Step Functions.
func (s *server) aws(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("http://127.0.0.1:%d/", s.port), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "AWSStepFunctions."+operation)
	resp, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return &httpError{resp.StatusCode, operation + ": " + string(data)}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

// insistAWS calls until some replica answers.
func insistAWS(ctx context.Context, servers []*server, operation string, in, out any) error {
	for n := 0; ; n++ {
		err := servers[n%len(servers)].aws(ctx, operation, in, out)
		var answer *httpError
		if err == nil || errors.As(err, &answer) && answer.status < 500 || ctx.Err() != nil {
			return err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

const childMachine = `{"StartAt":"Rest","States":{"Rest":{"Type":"Wait","Seconds":1,"Next":"Done"},"Done":{"Type":"Pass","Result":"child","End":true}}}`

// everyKind has what an execution can wait for: timers, a worker's task that
// fails at times, another execution, and executions of a distributed Map.
const everyKind = `{"StartAt":"All","States":{
"All":{"Type":"Parallel","Next":"Spread","Branches":[
 {"StartAt":"Nap","States":{"Nap":{"Type":"Wait","Seconds":1,"Next":"Up"},"Up":{"Type":"Pass","Result":"up","End":true}}},
 {"StartAt":"Each","States":{"Each":{"Type":"Map","ItemsPath":"$.items","MaxConcurrency":2,"End":true,"ItemProcessor":{"StartAt":"Work","States":{
  "Work":{"Type":"Task","Resource":"%s","TimeoutSeconds":5,"End":true,
   "Retry":[{"ErrorEquals":["Oops","States.Timeout"],"IntervalSeconds":1,"BackoffRate":1,"MaxAttempts":50}]}}}}}},
 {"StartAt":"Child","States":{"Child":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2","End":true,
  "Parameters":{"StateMachineArn":"%s"},"ResultSelector":{"out.$":"$.Output"}}}}]},
"Spread":{"Type":"Map","ItemsPath":"$[1]","End":true,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
 "StartAt":"Rest","States":{"Rest":{"Type":"Wait","Seconds":1,"Next":"Same"},"Same":{"Type":"Pass","End":true}}}}}}`

const wantOutput = `[10,11,12,13]`

// machines makes the machines and the activity of the tests and returns the ARN of everyKind's.
func machines(s *server) (machine, activity string) {
	s.t.Helper()
	var a struct{ ActivityArn string }
	var child, m struct{ StateMachineArn string }
	ask := func(operation string, in object, out any) {
		s.t.Helper()
		if err := s.aws(s.t.Context(), operation, in, out); err != nil {
			s.t.Fatal(err)
		}
	}
	const role = "arn:aws:iam::000000000000:role/any"
	ask("CreateActivity", object{"name": unique("work")}, &a)
	ask("CreateStateMachine", object{"name": unique("child"), "definition": childMachine, "roleArn": role}, &child)
	ask("CreateStateMachine", object{"name": unique("all"), "definition": fmt.Sprintf(everyKind, a.ActivityArn, child.StateMachineArn), "roleArn": role}, &m)
	return m.StateMachineArn, a.ActivityArn
}

// labour answers tasks of the activity until ctx ends; every fourth fails.
func labour(ctx context.Context, servers []*server, activity string, n *atomic.Int64) {
	for ctx.Err() == nil {
		var task struct{ TaskToken, Input string }
		if err := insistAWS(ctx, servers, "GetActivityTask", object{"activityArn": activity, "workerName": "w"}, &task); err != nil || task.TaskToken == "" {
			continue
		}
		// An answer that came before, or too late, is refused; the execution goes on all the same.
		if n.Add(1)%4 == 0 {
			_ = insistAWS(ctx, servers, "SendTaskFailure", object{"taskToken": task.TaskToken, "error": "Oops"}, nil)
		} else {
			_ = insistAWS(ctx, servers, "SendTaskSuccess", object{"taskToken": task.TaskToken, "output": task.Input}, nil)
		}
	}
}

// executions starts n executions and returns their ARNs.
func executions(ctx context.Context, t *testing.T, servers []*server, machine string, n int) []string {
	t.Helper()
	arns := make([]string, n)
	for i := range arns {
		var x struct{ ExecutionArn string }
		in := object{"stateMachineArn": machine, "name": "n" + strconv.Itoa(i), "input": `{"items":[10,11,12,13]}`}
		if err := insistAWS(ctx, servers, "StartExecution", in, &x); err != nil {
			t.Fatal(err)
		}
		arns[i] = x.ExecutionArn
	}
	return arns
}

type historyEvent struct {
	ID         int    `json:"id"`
	Previous   int    `json:"previousEventId"`
	Type       string `json:"type"`
	Iteration  *index `json:"mapIterationSucceededEventDetails"`
	EnteredMap *struct {
		Name string `json:"name"`
	} `json:"stateEnteredEventDetails"`
}

type index struct {
	Index int    `json:"index"`
	Name  string `json:"name"`
}

// checkExecution wants that the execution succeeded, and that its history tells
// each thing once.
func checkExecution(t *testing.T, s *server, arn string) {
	t.Helper()
	var d struct{ Status, Output, Error, Cause string }
	if err := s.aws(t.Context(), "DescribeExecution", object{"executionArn": arn}, &d); err != nil {
		t.Fatal(err)
	}
	if d.Status != "SUCCEEDED" || d.Output != wantOutput {
		t.Errorf("%s is %s with output %q: %s %s", arn, d.Status, d.Output, d.Error, d.Cause)
	}
	var h struct {
		Events []historyEvent `json:"events"`
	}
	if err := s.aws(t.Context(), "GetExecutionHistory", object{"executionArn": arn, "maxResults": 1000}, &h); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	var iterations []int
	for i, e := range h.Events {
		if e.ID != i+1 || e.Previous >= e.ID {
			t.Errorf("%s: event %d has id %d and follows %d", arn, i+1, e.ID, e.Previous)
		}
		count[e.Type]++
		if e.Iteration != nil {
			iterations = append(iterations, e.Iteration.Index)
		}
	}
	slices.Sort(iterations)
	if !slices.Equal(iterations, []int{0, 1, 2, 3}) {
		t.Errorf("%s: iterations %v succeeded", arn, iterations)
	}
	for kind, want := range map[string]int{
		"ExecutionStarted": 1, "ExecutionSucceeded": 1, "WaitStateExited": 1, "MapRunStarted": 1, "MapRunSucceeded": 1, "TaskSucceeded": 1,
		"ActivitySucceeded": 4, "TaskSubmitted": 1, "ParallelStateExited": 1,
	} {
		if count[kind] != want {
			t.Errorf("%s: %d events %s, want %d", arn, count[kind], kind, want)
		}
	}
	if got := count["ActivityScheduled"] - count["ActivityFailed"] - count["ActivityTimedOut"]; got != 4 {
		t.Errorf("%s: %d tasks were scheduled without an end", arn, got-4)
	}
}

// ended counts the executions that run no more.
func ended(ctx context.Context, servers []*server, arns []string) int {
	n := 0
	for _, arn := range arns {
		var d struct{ Status string }
		if insistAWS(ctx, servers, "DescribeExecution", object{"executionArn": arn}, &d) == nil && d.Status != "RUNNING" {
			n++
		}
	}
	return n
}

func TestExecutionsOutliveKills(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			name := ""
			if database == "postgres" {
				name = postgresDatabase(t)
			}
			s := startServer(t, name)
			machine, activity := machines(s)
			ctx, stop := context.WithCancel(t.Context())
			var workers sync.WaitGroup
			var answered atomic.Int64
			for range 4 {
				workers.Go(func() { labour(ctx, []*server{s}, activity, &answered) })
			}
			arns := executions(ctx, t, []*server{s}, machine, 30)
			for round := range int64(4) {
				s.waitFor(60*time.Second, "some tasks to be answered", func() bool { return answered.Load() > 12*(round+1) })
				s.kill()
				s.start()
			}
			s.waitFor(120*time.Second, "the executions to end", func() bool { return ended(ctx, []*server{s}, arns) == len(arns) })
			stop()
			workers.Wait()
			for _, arn := range arns {
				checkExecution(t, s, arn)
			}
			checkRuns(t, s, machine, len(arns))
		})
	}
}

func TestExecutionsOfAReplicaThatDies(t *testing.T) {
	t.Parallel()
	database := postgresDatabase(t)
	replicas := []*server{startServer(t, database), startServer(t, database)}
	machine, activity := machines(replicas[0])
	ctx, stop := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	var answered atomic.Int64
	for i := range 4 {
		workers.Go(func() { labour(ctx, []*server{replicas[i%2], replicas[1-i%2]}, activity, &answered) })
	}
	arns := executions(ctx, t, replicas, machine, 30)
	replicas[1].waitFor(60*time.Second, "some tasks to be answered", func() bool { return answered.Load() > 30 })
	replicas[0].kill()
	replicas[1].waitFor(150*time.Second, "the executions to end", func() bool { return ended(ctx, replicas[1:], arns) == len(arns) })
	stop()
	workers.Wait()
	for _, arn := range arns {
		checkExecution(t, replicas[1], arn)
	}
}

// checkRuns wants that each execution is a flow run that completed once.
func checkRuns(t *testing.T, s *server, machine string, n int) {
	t.Helper()
	name := machine[strings.LastIndexByte(machine, ':')+1:]
	var runs []struct {
		ID    string `json:"id"`
		State state  `json:"state"`
	}
	s.must(http.MethodPost, "/flow_runs/filter", object{"flows": object{"name": object{"any_": []string{name}}}, "limit": 200}, &runs)
	spread := 0
	for _, r := range runs {
		if r.State.Name != "Completed" {
			t.Errorf("flow run %s is %s", r.ID, r.State.Name)
		}
		if got := names(s.history("flow_run", r.ID)); !slices.Equal(got, []string{"Running", "Completed"}) {
			t.Errorf("flow run %s went through %v", r.ID, got)
		}
		spread++
	}
	if spread != n*5 { // itself, and one for each of the four items
		t.Errorf("%d flow runs of the machine, want %d", spread, n*5)
	}
}
