package engine_test

import (
	"strings"
	"testing"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

// TestExecutionsAreSteeredAsFlowRuns proposes states for the runs of executions.
func TestExecutionsAreSteeredAsFlowRuns(t *testing.T) {
	t.Parallel()
	const (
		fails    = `{"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E"}}}`
		succeeds = `{"StartAt": "S", "States": {"S": {"Type": "Succeed"}}}`
		waits    = `{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": true}}}`
	)
	const abort, redrive = -1, -2
	tests := []struct {
		name, definition string
		kind             core.MachineType
		proposed         core.StateType
		force            bool
		want             core.StateType
		action           int64 // what the execution is to do; 0 for nothing
		refusal          string
	}{
		{name: "one that waits is aborted", definition: waits, proposed: core.Cancelling, want: core.Cancelling, action: abort},
		{name: "one that waits ends before it is Cancelled", definition: waits, proposed: core.Cancelled, force: true, want: core.Cancelling, action: abort},
		{name: "one that failed is redriven", definition: fails, proposed: core.Scheduled, want: core.Scheduled, action: redrive},
		{name: "one that failed is redriven by force too", definition: fails, proposed: core.Scheduled, force: true, want: core.Scheduled, action: redrive},
		{name: "one that failed is not cancelled any more", definition: fails, proposed: core.Cancelling, want: core.Failed},
		{
			name: "one that succeeded is not redriven", definition: succeeds, proposed: core.Scheduled, force: true, want: core.Completed,
			refusal: "Execution is SUCCEEDED and cannot be redriven",
		},
		{
			name: "its state is the machine's to tell", definition: waits, proposed: core.Completed, want: core.Running,
			refusal: "which alone decides its state",
		},
		{
			name: "its state is the machine's to tell by force too", definition: waits, proposed: core.Crashed, force: true, want: core.Running,
			refusal: "which alone decides its state",
		},
		{
			name: "one that runs is not paused", definition: waits, proposed: core.Paused, want: core.Running,
			refusal: "which alone decides its state",
		},
		{
			name: "one that runs is not started again", definition: waits, proposed: core.Scheduled, force: true, want: core.Running,
			refusal: "which alone decides its state",
		},
		{
			name: "an express one is not redriven", definition: fails, kind: "EXPRESS", proposed: core.Scheduled, force: true, want: core.Failed,
			refusal: "Execution is EXPRESS and cannot be redriven",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, _ := setup(t)
			x := startMachine(t, e, tt.definition, tt.kind)
			_, err := e.SetFlowRunState(t.Context(), core.DefaultWorkspace, x.RunID, engine.Proposal{State: core.NewState(tt.proposed, nil), Force: tt.force})
			if tt.refusal == "" && err != nil || tt.refusal != "" && (core.CodeOf(err) != core.Conflict || !strings.Contains(err.Error(), tt.refusal)) {
				t.Errorf("refused with %v", err)
			}
			var run *core.FlowRun
			actions := map[int64]bool{}
			err = e.Store().View(t.Context(), core.DefaultWorkspace, func(tx core.Tx) (err error) {
				for _, key := range []int64{abort, redrive} {
					_, err := tx.ExecutionAction(x.RunID, key)
					if actions[key] = err == nil; err != nil && core.CodeOf(err) != core.NotFound {
						return err
					}
				}
				run, err = tx.FlowRun(x.RunID)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if run.State.Type != tt.want || actions[abort] != (tt.action == abort) || actions[redrive] != (tt.action == redrive) {
				t.Errorf("the run is %s, to be aborted %t, redriven %t", run.State.Type, actions[abort], actions[redrive])
			}
		})
	}
}

// TestARunWithAnExecutionsNameIsNoExecution is about clients that give a run the
// infrastructure of an execution.
func TestARunWithAnExecutionsNameIsNoExecution(t *testing.T) {
	t.Parallel()
	e, _ := setup(t)
	f, _, err := e.CreateFlow(t.Context(), core.DefaultWorkspace, "f", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	arn := "arn:aws:states:us-east-1:000000000000:execution:m:x"
	run, _, err := e.CreateFlowRun(t.Context(), core.DefaultWorkspace, engine.NewFlowRun{FlowID: f.ID, InfrastructurePID: &arn})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []core.StateType{core.Running, core.Cancelled, core.Scheduled} {
		out, err := e.SetFlowRunState(t.Context(), core.DefaultWorkspace, run.ID, engine.Proposal{State: core.NewState(kind, nil), Force: true})
		if err != nil || out.Run.State.Type != kind {
			t.Errorf("proposing %s: %+v, %v", kind, out, err)
		}
	}
}

// TestAMachineOutlivesItsFlow deletes the flow that a machine's executions are runs of.
func TestAMachineOutlivesItsFlow(t *testing.T) {
	t.Parallel()
	e, _ := setup(t)
	x := startMachine(t, e, `{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": true}}}`, "")
	var flow core.ID
	if err := e.Store().View(t.Context(), core.DefaultWorkspace, func(tx core.Tx) error {
		f, err := tx.FlowByName("m")
		if err == nil {
			flow = f.ID
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := e.DeleteFlow(t.Context(), core.DefaultWorkspace, flow); err != nil {
		t.Fatal(err)
	}
	if _, err := e.DescribeExecution(t.Context(), core.DefaultWorkspace, x.ARN); core.CodeOf(err) != core.NotFound {
		t.Errorf("the execution of a deleted run is there: %v", err)
	}
	for range 2 {
		y, err := e.StartExecution(t.Context(), core.DefaultWorkspace, engine.NewExecution{ARN: x.MachineARN})
		if err != nil {
			t.Fatalf("no execution can be started any more: %v", err)
		}
		if err := e.Store().View(t.Context(), core.DefaultWorkspace, func(tx core.Tx) error {
			run, err := tx.FlowRun(y.RunID)
			if err == nil && run.FlowName != "m" {
				t.Errorf("the run is of flow %q", run.FlowName)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// startMachine starts an execution of a machine; kind "" is STANDARD.
func startMachine(t *testing.T, e *engine.Engine, definition string, kind core.MachineType) *core.Execution {
	t.Helper()
	if kind == "" {
		kind = "STANDARD"
	}
	m, _, err := e.CreateStateMachine(t.Context(), engine.NewMachine{
		Place: core.Place{Workspace: core.DefaultWorkspace, Account: "000000000000", Region: "us-east-1"},
		Name:  "m", Type: kind, Definition: definition, RoleARN: "arn:aws:iam::000000000000:role/r",
		Config: core.MachineConfig{Logging: core.MachineLogging{Level: "OFF"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	x, err := e.StartExecution(t.Context(), core.DefaultWorkspace, engine.NewExecution{ARN: m.ARN})
	if err != nil {
		t.Fatal(err)
	}
	return x
}
