package service

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/store/storetest"
	"github.com/leat-dev/leat/internal/value"
)

// flowBench is an engine whose executions run flows; the test plays the worker.
type flowBench struct {
	*engine.Engine
	t     *testing.T
	flows Flows
}

func newFlowBench(t *testing.T) *flowBench {
	t.Helper()
	db := storetest.Open(t)
	b := &flowBench{t: t, Engine: engine.New(engine.Config{Store: db, Now: time.Now})}
	b.flows = Flows{
		Engine: b.Engine,
		// To its followers a run seems old, so that they look at it every 30 s:
		// what ends sooner was woken.
		Now:       func() time.Time { return time.Now().Add(time.Hour) },
		Workspace: func(context.Context, string) (core.WorkspaceID, error) { return core.DefaultWorkspace, nil },
	}
	caller, err := awscall.New(awscall.Config{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	calls, err := integration.New(integration.Config{Caller: caller, Now: time.Now, Flows: b.flows})
	if err != nil {
		t.Fatal(err)
	}
	states := &States{Engine: b.Engine, Calls: calls, Log: slog.New(slog.DiscardHandler), Now: time.Now, Owner: "test", Parallel: 4}
	b.PerformBy(states, "test", ActionHold)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- states.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	f, _, err := b.CreateFlow(t.Context(), core.DefaultWorkspace, "f", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.PutDeployment(t.Context(), core.DefaultWorkspace, f.ID, "d", engine.DeploymentFields{}); err != nil {
		t.Fatal(err)
	}
	return b
}

// start starts a machine of one state that runs the deployment and waits.
func (b *flowBench) start(state string) *core.Execution {
	b.t.Helper()
	m, _, err := b.CreateStateMachine(b.t.Context(), engine.NewMachine{
		Place: core.Place{Workspace: core.DefaultWorkspace, Account: "000000000000", Region: "us-east-1"},
		Name:  "m", Type: "STANDARD", RoleARN: "arn:aws:iam::000000000000:role/r",
		Config: core.MachineConfig{Logging: core.MachineLogging{Level: "OFF"}},
		Definition: `{"StartAt": "Run", "States": {"Run": {"Type": "Task", "Resource": "arn:leat:states:::flow:run.sync", "End": true, ` + state +
			`}}}`,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	x, err := b.StartExecution(b.t.Context(), core.DefaultWorkspace, engine.NewExecution{ARN: m.ARN, Input: `{"n": 4}`})
	if err != nil {
		b.t.Fatal(err)
	}
	return x
}

// within waits until the condition holds.
func (b *flowBench) within(what string, holds func(tx core.Tx) (bool, error)) {
	b.t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	for {
		ok := false
		if err := b.Store().View(b.t.Context(), core.DefaultWorkspace, func(tx core.Tx) (err error) {
			ok, err = holds(tx)
			return err
		}); err != nil {
			b.t.Fatal(err)
		}
		if ok {
			return
		}
		select {
		case <-again.C:
		case <-limit.C:
			b.t.Fatalf("not within 10 s: %s", what)
		}
	}
}

// run waits for the run that the execution asked for, until it was looked at.
func (b *flowBench) run(x *core.Execution) (run *core.FlowRun) {
	b.t.Helper()
	b.within("the state waits for a run", func(tx core.Tx) (bool, error) {
		runs, err := tx.FilterFlowRuns(core.Query{Limit: 10})
		for _, r := range runs {
			if r.DeploymentID != nil {
				run = r
			}
		}
		if run == nil || err != nil {
			return false, err
		}
		var labels map[string]string
		if err := json.Unmarshal(run.Labels, &labels); err != nil || labels["leat.execution.arn"] != x.ARN {
			b.t.Errorf("labels %s, %v", run.Labels, err)
		}
		_, number, _ := strings.Cut(labels["leat.execution.call"], ":")
		key, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return false, err
		}
		a, err := tx.ExecutionAction(x.RunID, key)
		return err == nil && strings.Contains(string(a.Watch), `"looks":1`), err
	})
	return run
}

// ended waits for the execution's end.
func (b *flowBench) ended(x *core.Execution) (now *core.Execution) {
	b.t.Helper()
	b.within("the execution ends", func(tx core.Tx) (bool, error) {
		var err error
		now, err = tx.Execution(x.RunID)
		return err == nil && now.Status != string(asl.Running), err
	})
	return now
}

func (b *flowBench) propose(id core.ID, s core.State) {
	b.t.Helper()
	if _, err := b.SetFlowRunState(b.t.Context(), core.DefaultWorkspace, id, engine.Proposal{State: s, Force: true}); err != nil {
		b.t.Fatal(err)
	}
}

func TestAStateRunsADeploymentAndWaitsForItsEnd(t *testing.T) {
	t.Parallel()
	text := "3 of 4 failed"
	tests := []struct {
		name, state string
		end         core.State
		status      asl.Status
		output      string // "" compares error and cause
		err, cause  string
	}{
		{
			name:  "the run that completed is the result, with its data",
			state: `"Parameters": {"Deployment": "f/d", "Name": "named", "Tags": ["t"], "Parameters": {"n.$": "$.n"}}, "ResultSelector": {"name.$": "$.Name", "type.$": "$.State.Type", "sum.$": "$.Result.sum"}`,
			end:   core.State{Type: core.Completed, Name: "Completed", Data: json.RawMessage(`{"sum":10}`)}, status: asl.Succeeded,
			output: `{"name":"named","type":"COMPLETED","sum":10}`,
		},
		{
			name:  "a run that failed fails the state with its message",
			state: `"Parameters": {"Deployment": "f/d"}`, end: core.NewState(core.Failed, &text),
			status: asl.Failed, err: "Flow.Failed", cause: text,
		},
		{
			name:  "a flow's timeout has its own name",
			state: `"Parameters": {"Deployment": "f/d"}`, end: core.State{Type: core.Failed, Name: "TimedOut", Message: &text},
			status: asl.Failed, err: "Flow.TimedOut", cause: text,
		},
		{
			name:  "a crash can be caught",
			state: `"Parameters": {"Deployment": "f/d"}, "Catch": [{"ErrorEquals": ["Flow.Crashed"], "Next": "Caught", "ResultPath": "$.e"}]}, "Caught": {"Type": "Pass", "End": true`,
			end:   core.NewState(core.Crashed, &text), status: asl.Succeeded,
			output: `{"n":4,"e":{"Error":"Flow.Crashed","Cause":"3 of 4 failed"}}`,
		},
		{
			name:  "somebody who cancels the run fails the state",
			state: `"Parameters": {"Deployment": "f/d"}`, end: core.NewState(core.Cancelled, &text),
			status: asl.Failed, err: "Flow.Cancelled", cause: text,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newFlowBench(t)
			x := b.start(tt.state)
			run := b.run(x)
			b.propose(run.ID, core.NewState(core.Running, nil))
			b.propose(run.ID, tt.end)
			got := b.ended(x)
			if got.Status != string(tt.status) {
				t.Errorf("the execution is %s: %v", got.Status, got.Cause)
			}
			if tt.output != "" && (got.Output == nil || *got.Output != tt.output) {
				t.Errorf("output %v, want %s", got.Output, tt.output)
			}
			if tt.err != "" && (got.Error == nil || got.Cause == nil || *got.Error != tt.err || *got.Cause != tt.cause) {
				t.Errorf("error %v, cause %v", got.Error, got.Cause)
			}
		})
	}
}

func TestAnExecutionThatStopsCancelsTheRunItWaitsFor(t *testing.T) {
	t.Parallel()
	b := newFlowBench(t)
	x := b.start(`"Parameters": {"Deployment": "f/d"}`)
	run := b.run(x)
	if _, err := b.StopExecution(t.Context(), core.DefaultWorkspace, x.ARN, asl.Failure{}); err != nil {
		t.Fatal(err)
	}
	b.within("the run is cancelled", func(tx core.Tx) (bool, error) {
		r, err := tx.FlowRun(run.ID)
		return err == nil && r.State.Type == core.Cancelled, err
	})
}

func TestCallsOfFlows(t *testing.T) {
	t.Parallel()
	b := newFlowBench(t)
	call := func(params, name string) (string, *integration.TaskError) {
		t.Helper()
		v, err := value.Parse([]byte(params))
		if err != nil {
			t.Fatal(err)
		}
		id, _, failure := b.flows.StartFlow(t.Context(), integration.Task{Parameters: v, Call: name, State: "Run", ExecutionARN: "arn"})
		return id, failure
	}
	first, failure := call(`{"Deployment": "f/d"}`, "run:1")
	if failure != nil {
		t.Fatal(failure.Cause)
	}
	t.Run("a call that is made again makes no second run", func(t *testing.T) {
		t.Parallel()
		if again, _ := call(`{"Deployment": "f/d"}`, "run:1"); again != first {
			t.Errorf("runs %s and %s", first, again)
		}
	})
	t.Run("another call makes another run", func(t *testing.T) {
		t.Parallel()
		if other, _ := call(`{"Deployment": "f/d"}`, "run:2"); other == first {
			t.Error("it is the same")
		}
	})
	t.Run("a key of the users' own joins calls", func(t *testing.T) {
		t.Parallel()
		one, _ := call(`{"Deployment": "f/d", "IdempotencyKey": "k"}`, "run:3")
		if two, _ := call(`{"Deployment": "f/d", "IdempotencyKey": "k"}`, "run:4"); one != two || one == first {
			t.Errorf("runs %s and %s", one, two)
		}
	})
	for params, want := range map[string]integration.TaskError{
		`{"Deployment": "f/e"}`: {Error: "Flow.NotFound", Cause: "there is no deployment f/e"},
		`{"Deployment": "g/d"}`: {Error: "Flow.NotFound", Cause: "there is no deployment g/d"},
		`{"DeploymentId": "x"}`: {Error: "Flow.NotFound", Cause: `no deployment has the id "x"`},
	} {
		t.Run("refused: "+params, func(t *testing.T) {
			t.Parallel()
			if _, got := call(params, ""); got == nil || cmp.Diff(want, *got) != "" {
				t.Errorf("got %+v", got)
			}
		})
	}
	t.Run("a run that was deleted is not waited for", func(t *testing.T) {
		t.Parallel()
		p := b.flows.FlowProgress(t.Context(), integration.Watch{IDs: []string{"00000000-0000-7000-8000-000000000000"}})
		if !p.Done || p.Error == nil || p.Error.Error != "Flow.NotFound" {
			t.Errorf("progress %+v", p)
		}
	})
}
