package service_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

// failsOnce fails for odd items until the execution was redriven.
const failsOnce = `{"Type":"Pass","QueryLanguage":"JSONata","End":true,
	"Output":"{% $states.input.odd and $states.context.Execution.RedriveCount = 0 ? $error('once') : $states.input %}"}`

// redrive redrives an execution and waits for its end.
func (b *mapBench) redrive(x *core.Execution, token string) *core.Execution {
	b.t.Helper()
	if _, err := b.RedriveExecution(b.t.Context(), b.place.Workspace, x.ARN, token); err != nil {
		b.t.Fatal(err)
	}
	return b.end(x)
}

// listed lists all executions of a map run by their statuses.
func (b *mapBench) listed(run *core.MapRun) map[string]int {
	b.t.Helper()
	list, err := b.ListExecutions(b.t.Context(), b.place, nil, &run.ARN, core.ExecutionQuery{Limit: 1000})
	if err != nil {
		b.t.Fatal(err)
	}
	out := map[string]int{}
	for _, x := range list {
		out[x.Status]++
		if x.Redrives > 0 {
			out["redriven"]++
		}
	}
	return out
}

func TestARedrivenMapRunGoesOn(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, fields, input, status, output string
		// counts are succeeded, failed and aborted executions and their total.
		counts []int
		listed map[string]int
	}{
		{
			name: "executions that failed are redriven, others keep their results", fields: processor("STANDARD", failsOnce), input: oddAndEven, status: "SUCCEEDED",
			output: oddAndEven, counts: []int{4, 0, 0, 4}, listed: map[string]int{"SUCCEEDED": 4, "redriven": 2},
		},
		{
			name: "executions that never started are started", fields: `"MaxConcurrency":1,` + processor("STANDARD", failsOnce), input: oddAndEven, status: "FAILED",
			counts: []int{3, 1, 0, 4}, listed: map[string]int{"SUCCEEDED": 3, "FAILED": 1, "redriven": 1},
		},
		{
			name: "express executions that failed are started anew", fields: `"ToleratedFailureCount":1,` + processor("EXPRESS", failsOdd), input: oddAndEven, status: "FAILED",
			counts: []int{2, 2, 0, 4}, listed: map[string]int{"SUCCEEDED": 2, "FAILED": 4},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newMapBench(t, &shelfOfItems{})
			x := b.run(tt.fields, tt.input)
			if x.Status != "FAILED" {
				t.Fatalf("it is %s before the redrive", x.Status)
			}
			before := b.mapRun(x)
			x = b.redrive(x, "")
			output := ""
			if x.Output != nil {
				output = *x.Output
			}
			run := b.mapRun(x)
			if x.Status != tt.status || output != tt.output || run.ARN != before.ARN || run.Redrives != 1 || run.Redriven == nil || run.Status != tt.status {
				t.Errorf("%s, output %s, map run %+v", x.Status, output, run)
			}
			if diff := cmp.Diff(tt.counts, []int{run.Succeeded, run.Failed, run.Aborted, run.Total}); diff != "" || run.Pending != 0 || run.Running != 0 {
				t.Errorf("counts (-want +got)\n%s, %+v", diff, run)
			}
			if diff := cmp.Diff(tt.listed, b.listed(run)); diff != "" {
				t.Errorf("executions (-want +got)\n%s", diff)
			}
			if children := b.children(run); len(children) != tt.counts[3] {
				t.Errorf("%d results, want %d", len(children), tt.counts[3])
			}
			if types := strings.Join(b.types(x), " "); !strings.Contains(types, "ExecutionFailed ExecutionRedriven MapRunRedriven MapRun") {
				t.Errorf("events %s", types)
			}
		})
	}
}

func TestAMapRunThatWasStoppedIsRedriven(t *testing.T) {
	t.Parallel()
	b := newMapBench(t, &shelfOfItems{})
	// The first attempt waits for a day, the second does not.
	x := b.start(`{"StartAt":"Map","States":{"Map":{"Type":"Map","End":true,"MaxConcurrency":2,`+processor("STANDARD", `{"Type":"Choice","Choices":[
		{"And":[{"Variable":"$$.Execution.RedriveCount","NumericEquals":0},{"Variable":"$","NumericLessThan":3}],"Next":"W"}],"Default":"P"},
		"W":{"Type":"Wait","Seconds":86400,"Next":"P"},"P":{"Type":"Pass","End":true}`)+`}}}`, `[1,2,3]`)
	b.until(func() bool {
		runs, err := b.MapRuns(t.Context(), b.place, x.ARN, nil, 10)
		return err == nil && len(runs) == 1 && runs[0].Running == 2
	})
	if _, err := b.StopExecution(t.Context(), b.place.Workspace, x.ARN, asl.Failure{}); err != nil {
		t.Fatal(err)
	}
	// A redrive waits until the attempt before it is stopped; the clock of the bench stands still.
	stopped := b.mapRun(x)
	b.until(func() bool {
		err := b.store.View(t.Context(), b.place.Workspace, func(tx core.Tx) error {
			_, err := tx.ExecutionAction(stopped.RunID, stopped.Key)
			return err
		})
		return core.CodeOf(err) == core.NotFound
	})
	if run := b.mapRun(x); run.Aborted != 2 || run.Status != "ABORTED" {
		t.Errorf("stopped map run %+v", run)
	}
	if _, err := b.RedriveExecution(t.Context(), b.place.Workspace, x.ARN, ""); err != nil {
		t.Fatal(err)
	}
	// The executions that wait again are all that is left.
	b.until(func() bool {
		run := b.mapRun(x)
		return run.Redrives == 1 && run.Running == 2 && run.Aborted == 0 && run.Pending == 0
	})
	if diff := cmp.Diff(map[string]int{"RUNNING": 2, "redriven": 2}, b.listed(b.mapRun(x))); diff != "" {
		t.Errorf("executions (-want +got)\n%s", diff)
	}
}

func TestWhatCanBeRedriven(t *testing.T) {
	t.Parallel()
	b := newMapBench(t, &shelfOfItems{})
	x := b.run(`"ToleratedFailureCount":0,`+processor("STANDARD", failsOdd), oddAndEven)
	for _, c := range b.children(b.mapRun(x)) {
		d, err := b.DescribeExecution(t.Context(), b.place.Workspace, c.ARN)
		if err != nil {
			t.Fatal(err)
		}
		ok, why := d.Redrivable(*c.Stopped)
		if want := c.Status != "SUCCEEDED"; ok != want {
			t.Errorf("a child that is %s: %t, %q", c.Status, ok, why)
		}
		if _, err := b.RedriveExecution(t.Context(), b.place.Workspace, c.ARN, ""); core.CodeOf(err) != core.Conflict {
			t.Errorf("a child was redriven by itself: %v", err)
		}
	}
	first, err := b.RedriveExecution(t.Context(), b.place.Workspace, x.ARN, "token")
	if err != nil {
		t.Fatal(err)
	}
	x = b.end(x)
	again, err := b.RedriveExecution(t.Context(), b.place.Workspace, x.ARN, "token")
	if err != nil || !again.Equal(first) {
		t.Errorf("the same token: %s, want %s: %v", again, first, err)
	}
	if x = b.end(x); x.Redrives != 1 {
		t.Errorf("it was redriven %d times", x.Redrives)
	}
	if x = b.redrive(x, "other"); x.Redrives != 2 || b.mapRun(x).Redrives != 2 {
		t.Errorf("it was redriven %d times", x.Redrives)
	}
	d := &engine.ExecutionDetails{Execution: x, Machine: &core.StateMachine{}}
	late := x.Stopped.AddDate(0, 0, 15)
	if _, why := d.Redrivable(late); why != "Execution redrivable period exceeded" {
		t.Errorf("after 15 days: %q", why)
	}
	x.Events = asl.DefaultEvents
	if _, why := d.Redrivable(*x.Stopped); why != "Execution history event limit exceeded" {
		t.Errorf("with a full history: %q", why)
	}
}
