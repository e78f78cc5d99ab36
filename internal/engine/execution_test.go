package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/value"
)

// hand keeps the actions that it is given.
type hand struct{ actions []*core.ExecutionAction }

func (h *hand) Perform(_ core.WorkspaceID, actions []*core.ExecutionAction) {
	h.actions = append(h.actions, actions...)
}
func (h *hand) Happened(core.WorkspaceID, *core.Execution, core.MachineLogging, []*asl.Event) {}

// stage is an engine with a machine.
type stage struct {
	*testing.T
	eng   *engine.Engine
	clock *clock
	hand  *hand
	arn   string
}

func machine(t *testing.T, kind core.MachineType, definition string) *stage {
	t.Helper()
	s := &stage{T: t, hand: &hand{}}
	s.eng, s.clock = setup(t)
	s.eng.PerformBy(s.hand, "me", time.Minute)
	m, _, err := s.eng.CreateStateMachine(t.Context(), engine.NewMachine{
		Place: core.Place{Workspace: core.DefaultWorkspace, Account: "000000000000", Region: "us-east-1"},
		Name:  "m", Type: kind, Definition: definition, RoleARN: "arn:aws:iam::000000000000:role/r", Config: core.MachineConfig{Logging: core.MachineLogging{Level: "OFF"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.arn = m.ARN
	return s
}

func (s *stage) start(name, input string) *core.Execution {
	s.Helper()
	x, err := s.eng.StartExecution(s.Context(), core.DefaultWorkspace, engine.NewExecution{ARN: s.arn, Name: name, Input: input})
	if err != nil {
		s.Fatal(err)
	}
	return x
}

func (s *stage) view(fn func(tx core.Tx) error) {
	s.Helper()
	if err := s.eng.Store().View(context.WithoutCancel(s.Context()), core.DefaultWorkspace, fn); err != nil {
		s.Fatal(err)
	}
}

// look returns the execution and its run as they stand.
func (s *stage) look(id core.ID) (x *core.Execution, run *core.FlowRun) {
	s.Helper()
	s.view(func(tx core.Tx) (err error) {
		if x, err = tx.Execution(id); err != nil {
			return err
		}
		run, err = tx.FlowRun(id)
		return err
	})
	return x, run
}

// due lists the actions of all executions that are due by the time.
func (s *stage) due(at time.Time) []*core.ExecutionAction {
	s.Helper()
	claimed, _, err := s.eng.Store().ClaimActions(s.Context(), "test", at, at.Add(time.Minute), 100)
	if err != nil {
		s.Fatal(err)
	}
	return claimed
}

const century = 100 * 365 * 24 * time.Hour

func TestAnExecutionIsAFlowRun(t *testing.T) {
	t.Parallel()
	s := machine(t, core.StandardMachine, `{"StartAt":"A","TimeoutSeconds":60,"States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Result":[1],"End":true}}}`)
	x := s.start("x", `{"a":1.0}`)
	x, run := s.look(x.RunID)
	if x.Status != "SUCCEEDED" || *x.Output != "[1]" || x.Events != 6 {
		t.Errorf("execution: %+v", x)
	}
	if !run.State.Is(core.Completed) || run.FlowName != "m" || run.Name != "x" || string(run.Parameters) != `{"a":1.0}` || run.StartTime == nil || run.EndTime == nil {
		t.Errorf("flow run: %+v", run)
	}
	s.view(func(tx core.Tx) error {
		tasks, err := tx.FilterTaskRuns(core.Query{Limit: 10})
		if len(tasks) != 2 || !tasks[0].State.Is(core.Completed) {
			t.Errorf("task runs: %+v", tasks)
		}
		return err
	})
	if left := s.due(s.clock.now().Add(century)); len(left) != 0 {
		t.Errorf("it has ended, and leaves %+v", left[0])
	}
}

func TestANameStandsForOneExecution(t *testing.T) {
	t.Parallel()
	s := machine(t, core.StandardMachine, `{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":60,"Next":"B"},"B":{"Type":"Succeed"}}}`)
	x := s.start("x", `{"a": 1}`)
	if again := s.start("x", `{"a":1}`); again.RunID != x.RunID {
		t.Error("the same name and input began another execution")
	}
	_, err := s.eng.StartExecution(t.Context(), core.DefaultWorkspace, engine.NewExecution{ARN: s.arn, Name: "x", Input: `{"a":2}`})
	if e, ok := errors.AsType[*core.Error](err); !ok || e.Reason != "ExecutionAlreadyExists" {
		t.Errorf("another input: %v", err)
	}
}

func TestTimersAreKeptAndWhatIsLateIsRefused(t *testing.T) {
	t.Parallel()
	s := machine(t, core.StandardMachine, `{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":60,"Next":"B"},"B":{"Type":"Succeed"}}}`)
	x := s.start("", "")
	if early := s.due(s.clock.now().Add(59 * time.Second)); len(early) != 0 {
		t.Fatalf("due before its time: %+v", early[0])
	}
	s.clock.advance(time.Minute)
	due := s.due(s.clock.now())
	if len(due) != 1 {
		t.Fatalf("%d actions are due", len(due))
	}
	for _, want := range []bool{true, false} {
		taken, err := s.eng.AdvanceExecution(t.Context(), core.DefaultWorkspace, x.RunID, asl.Input{Kind: asl.InputTimer, Key: due[0].Key})
		if err != nil || taken != want {
			t.Errorf("the timer was taken: %v (%v), want %v", taken, err, want)
		}
	}
	if x, _ = s.look(x.RunID); x.Status != "SUCCEEDED" {
		t.Errorf("after its time: %s", x.Status)
	}
}

func TestWhatAStepGivesUpAgainIsNotStored(t *testing.T) {
	t.Parallel()
	s := machine(t, core.StandardMachine, `{"StartAt":"P","States":{"P":{"Type":"Parallel","Next":"End","Branches":[
		{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Parameters":{"QueueUrl":"q","MessageBody":"m"},"End":true}}},
		{"StartAt":"F","States":{"F":{"Type":"Fail","Error":"Bang"}}}],
		"Catch":[{"ErrorEquals":["Bang"],"Next":"W"}]},"W":{"Type":"Wait","Seconds":60,"Next":"End"},"End":{"Type":"Succeed"}}}`)
	s.start("", "")
	if len(s.hand.actions) != 0 {
		t.Errorf("a call was handed out that nobody waits for: %+v", s.hand.actions[0])
	}
	if left := s.due(s.clock.now().Add(century)); len(left) != 1 || left[0].Kind != core.ActionTimer {
		t.Errorf("stored: %+v", left)
	}
}

func TestAnExpressExecutionEndsAfterFiveMinutes(t *testing.T) {
	t.Parallel()
	s := machine(t, core.ExpressMachine, `{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":3600,"End":true}}}`)
	x := s.start("", "")
	s.clock.advance(5 * time.Minute)
	due := s.due(s.clock.now())
	if len(due) != 1 {
		t.Fatalf("%d actions are due", len(due))
	}
	if _, err := s.eng.AdvanceExecution(t.Context(), core.DefaultWorkspace, x.RunID, asl.Input{Kind: asl.InputTimer, Key: due[0].Key}); err != nil {
		t.Fatal(err)
	}
	x, run := s.look(x.RunID)
	if x.Status != "TIMED_OUT" || run.State.Name != "TimedOut" {
		t.Errorf("execution %s, run %s", x.Status, run.State.Name)
	}
}

func TestATokenOpensItsTaskAlone(t *testing.T) {
	t.Parallel()
	s := machine(t, core.StandardMachine, `{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken",
		"HeartbeatSeconds":30,"Parameters":{"QueueUrl":"q","MessageBody":{"t.$":"$$.Task.Token"}},"End":true}}}`)
	x := s.start("", "")
	if len(s.hand.actions) != 1 {
		t.Fatalf("%d calls were handed out", len(s.hand.actions))
	}
	a := s.hand.actions[0]
	spec, err := engine.DecodeSpec(a)
	if err != nil || spec.Token == "" || spec.Heartbeat != 30 {
		t.Fatalf("the call: %+v (%v)", spec, err)
	}
	ctx, ws := t.Context(), core.DefaultWorkspace
	done := asl.Input{Kind: asl.InputSucceeded, Output: value.Of("ok", true)}
	forged := "A" + spec.Token[1:]
	if spec.Token[0] == 'A' {
		forged = "B" + spec.Token[1:]
	}
	tampered := spec.Token[:len(spec.Token)-4] + "AAA="
	for _, token := range []string{"", "nonsense", forged, tampered} {
		if err := s.eng.AnswerTask(ctx, ws, token, done); err == nil || err.(*core.Error).Reason != "InvalidToken" { //nolint:errorlint // it is returned as it is
			t.Errorf("token %q: %v", token, err)
		}
	}
	// The answer may be quicker than the service's own.
	if err := s.eng.AnswerTask(ctx, ws, spec.Token, done); err != nil {
		t.Fatal(err)
	}
	if x, _ = s.look(x.RunID); x.Status != "RUNNING" {
		t.Errorf("before the service has answered: %s", x.Status)
	}
	if there, err := s.eng.TaskSubmitted(ctx, ws, a, nil, nil, value.Of("MessageId", "1")); err != nil || !there {
		t.Fatal(there, err)
	}
	if x, _ = s.look(x.RunID); x.Status != "SUCCEEDED" || *x.Output != `{"ok":true}` {
		t.Errorf("after: %s %v", x.Status, x.Output)
	}
	if err := s.eng.AnswerTask(ctx, ws, spec.Token, done); err == nil || err.(*core.Error).Reason != "TaskTimedOut" { //nolint:errorlint // it is returned as it is
		t.Errorf("the token once more: %v", err)
	}
}

func TestCancellingTheRunAbortsTheExecution(t *testing.T) {
	t.Parallel()
	s := machine(t, core.StandardMachine, `{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":60,"End":true}}}`)
	x := s.start("", "")
	if _, err := s.eng.SetFlowRunState(t.Context(), core.DefaultWorkspace, x.RunID, engine.Proposal{State: core.NewState(core.Cancelled, nil)}); err != nil {
		t.Fatal(err)
	}
	for _, a := range s.due(s.clock.now()) {
		if err := s.eng.PerformControl(t.Context(), core.DefaultWorkspace, a); err != nil {
			t.Fatal(err)
		}
	}
	x, run := s.look(x.RunID)
	if x.Status != "ABORTED" || !run.State.Is(core.Cancelled) {
		t.Errorf("execution %s, run %s", x.Status, run.State.Name)
	}
}
