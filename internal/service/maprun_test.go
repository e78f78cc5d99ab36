package service_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/service"
	"github.com/leat-dev/leat/internal/store/storetest"
	"github.com/leat-dev/leat/internal/value"
)

// shelfOfItems gives fixed items and keeps what is written.
type shelfOfItems struct {
	items   []any
	failure *integration.TaskError
	mu      sync.Mutex
	most    int64
	written []string
}

func (s *shelfOfItems) Read(_ context.Context, _ integration.Task, _ *asl.Transfer, most int64) ([]any, *integration.TaskError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.most = most
	return s.items, s.failure
}

func (s *shelfOfItems) Write(_ context.Context, _ integration.Task, _ *asl.Transfer, _ *core.MapRun, results []*core.Execution) (any, *integration.TaskError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range results {
		s.written = append(s.written, x.Status+" "+x.Input)
	}
	return "written", nil
}

// mapBench runs executions on a store of its own.
type mapBench struct {
	*engine.Engine
	t     *testing.T
	store core.Store
	place core.Place
}

func newMapBench(t *testing.T, items service.Items) *mapBench {
	t.Helper()
	db := storetest.Open(t)
	now := func() time.Time { return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) }
	caller, err := awscall.New(awscall.Config{Now: now, HTTP: &http.Client{}})
	if err != nil {
		t.Fatal(err)
	}
	calls, err := integration.New(integration.Config{Caller: caller, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	b := &mapBench{Engine: engine.New(engine.Config{Store: db, Now: now}), t: t, store: db}
	b.place = core.Place{Workspace: core.DefaultWorkspace, Account: "000000000000", Region: "us-east-1"}
	states := &service.States{Engine: b.Engine, Calls: calls, Log: slog.New(slog.DiscardHandler), Now: now, Owner: "o", Parallel: 4, Items: items}
	b.PerformBy(states, "o", time.Hour)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- states.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return b
}

// run executes a machine of one Map state with the given fields.
func (b *mapBench) run(fields, input string) *core.Execution {
	b.t.Helper()
	return b.end(b.start(`{"StartAt":"Map","States":{"Map":{"Type":"Map","End":true,`+fields+`}}}`, input))
}

func (b *mapBench) start(definition, input string) *core.Execution {
	b.t.Helper()
	m, _, err := b.CreateStateMachine(b.t.Context(), engine.NewMachine{
		Place: b.place, Name: "m", Type: core.StandardMachine, RoleARN: "arn:aws:iam::000000000000:role/r",
		Definition: definition, Config: core.MachineConfig{Logging: core.MachineLogging{Level: "OFF"}},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	x, err := b.StartExecution(b.t.Context(), b.place.Workspace, engine.NewExecution{ARN: m.ARN, Input: input})
	if err != nil {
		b.t.Fatal(err)
	}
	return x
}

// end waits until the execution has ended.
func (b *mapBench) end(x *core.Execution) *core.Execution {
	b.t.Helper()
	b.until(func() bool {
		d, err := b.DescribeExecution(b.t.Context(), b.place.Workspace, x.ARN)
		if err != nil {
			b.t.Fatal(err)
		}
		x = d.Execution
		return x.Status != "RUNNING"
	})
	return x
}

// until looks whenever something of an execution was stored.
func (b *mapBench) until(done func() bool) {
	b.t.Helper()
	ended, stop := b.store.Subscribe(core.TopicExecutions)
	defer stop()
	limit := time.After(30 * time.Second)
	for !done() {
		select {
		case <-ended:
		case <-time.After(20 * time.Millisecond): // not all that is waited for is told
		case <-limit:
			b.t.Fatal("what is waited for does not happen")
		}
	}
}

// types lists the types of an execution's events.
func (b *mapBench) types(x *core.Execution) (out []string) {
	b.t.Helper()
	events, err := b.ExecutionEvents(b.t.Context(), b.place.Workspace, x.RunID, 1, 1000)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range events {
		v, err := value.Parse(e)
		if err != nil {
			b.t.Fatal(err)
		}
		kind, _ := v.(*value.Object).Get("type")
		out = append(out, fmt.Sprint(kind))
	}
	return out
}

func (b *mapBench) mapRun(x *core.Execution) *core.MapRun {
	b.t.Helper()
	runs, err := b.MapRuns(b.t.Context(), b.place, x.ARN, nil, 10)
	if err != nil || len(runs) != 1 {
		b.t.Fatalf("map runs %v, error %v", runs, err)
	}
	return runs[0]
}

func (b *mapBench) children(run *core.MapRun) (list []*core.Execution) {
	b.t.Helper()
	if err := b.store.View(b.t.Context(), b.place.Workspace, func(tx core.Tx) (err error) {
		list, err = tx.MapRunResults(run.ID)
		return err
	}); err != nil {
		b.t.Fatal(err)
	}
	return list
}

// processor runs items by one state.
func processor(kind, state string) string {
	return `"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"` + kind + `"},"StartAt":"S","States":{"S":` + state + `}}`
}

const (
	passes = `{"Type":"Pass","End":true}`
	// failsOdd fails for items whose number is odd.
	failsOdd = `{"Type":"Choice","Choices":[{"Variable":"$.odd","BooleanEquals":true,"Next":"F"}],"Default":"P"},"F":{"Type":"Fail","Error":"E"},"P":{"Type":"Pass","End":true}`
)

const oddAndEven = `[{"odd":true},{"odd":false},{"odd":false},{"odd":true}]`

func TestMapRuns(t *testing.T) {
	t.Parallel()
	const exceeded = "States.ExceedToleratedFailureThreshold"
	reader := `"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"JSON","MaxItemsPath":"$.max"},"Parameters":{"Bucket":"b","Key":"k"}},`
	tests := []struct {
		name, fields, input string
		items               []any
		failure             *integration.TaskError
		output, err         string
		events              string
		// counts are succeeded, failed and aborted executions, their total and that of items, and results.
		counts []int
	}{
		{
			name: "items of the input", fields: processor("STANDARD", passes), input: `[1,"a",{"b":[]}]`, output: `[1,"a",{"b":[]}]`,
			events: "MapStateEntered MapStateStarted MapRunStarted MapRunSucceeded MapStateSucceeded MapStateExited", counts: []int{3, 0, 0, 3, 3, 3},
		},
		{
			name: "no items", fields: processor("STANDARD", passes), input: `[]`, output: `[]`, counts: []int{0, 0, 0, 0, 0, 0},
			events: "MapStateEntered MapStateStarted MapRunStarted MapRunSucceeded MapStateSucceeded MapStateExited",
		},
		{name: "express executions", fields: processor("EXPRESS", passes), input: `[1,2]`, output: `[1,2]`, counts: []int{2, 0, 0, 2, 2, 2}},
		{
			name: "batches", fields: `"ItemBatcher":{"MaxItemsPerBatch":2,"BatchInput":{"x":1}},` + processor("STANDARD", passes), input: `[1,2,3]`,
			output: `[{"BatchInput":{"x":1},"Items":[1,2]},{"BatchInput":{"x":1},"Items":[3]}]`, counts: []int{2, 0, 0, 2, 3, 2},
		},
		{name: "one at a time", fields: `"MaxConcurrency":1,` + processor("STANDARD", passes), input: `[1,2,3]`, output: `[1,2,3]`, counts: []int{3, 0, 0, 3, 3, 3}},
		{
			name: "a map within a map", input: `[[1,2],[3]]`, output: `[[1,2],[3]]`, counts: []int{2, 0, 0, 2, 2, 2},
			fields: processor("STANDARD", `{"Type":"Map","End":true,`+strings.ReplaceAll(processor("STANDARD", passes), `"S"`, `"T"`)+`}`),
		},
		{name: "items that are read", fields: reader + processor("STANDARD", passes), input: `{"max":2}`, items: []any{int64(1), int64(2)}, output: `[1,2]`, counts: []int{2, 0, 0, 2, 2, 2}},
		{
			name: "items that are read and selected", items: []any{"a", "b"}, input: `{"max":2}`, counts: []int{2, 0, 0, 2, 2, 2},
			fields: reader + `"ItemSelector":{"v.$":"$$.Map.Item.Value","i.$":"$$.Map.Item.Index","m.$":"$.max"},` + processor("STANDARD", passes),
			output: `[{"v":"a","i":0,"m":2},{"v":"b","i":1,"m":2}]`,
		},
		{
			name: "items that cannot be read", fields: reader + processor("STANDARD", passes), input: `{"max":2}`,
			failure: &integration.TaskError{Error: "States.ItemReaderFailed", Cause: "no"}, err: "States.ItemReaderFailed: no",
			events: "MapStateEntered MapStateStarted MapRunStarted MapRunFailed MapStateFailed", counts: []int{0, 0, 0, 0, 0, 0},
		},
		{
			name: "a failure", fields: processor("STANDARD", failsOdd), input: oddAndEven, err: exceeded + ": The specified tolerated failure threshold was exceeded",
			events: "MapStateEntered MapStateStarted MapRunStarted MapRunFailed MapStateFailed",
		},
		{
			name: "as many failures as are tolerated", fields: `"ToleratedFailureCount":2,` + processor("STANDARD", failsOdd), input: oddAndEven,
			output: `[{"odd":false},{"odd":false}]`, counts: []int{2, 2, 0, 4, 4, 4},
		},
		{
			name: "a tolerated share", fields: `"ToleratedFailurePercentage":50,` + processor("STANDARD", failsOdd), input: oddAndEven,
			output: `[{"odd":false},{"odd":false}]`, counts: []int{2, 2, 0, 4, 4, 4},
		},
		{name: "more than the tolerated share", fields: `"ToleratedFailurePercentage":49,` + processor("STANDARD", failsOdd), input: oddAndEven, err: exceeded + ": The specified tolerated failure threshold was exceeded"},
		{
			name: "a tolerated count that is no number", fields: `"ItemsPath":"$.i","ToleratedFailureCountPath":"$.n",` + processor("STANDARD", passes), input: `{"n":{},"i":[1]}`,
			err:    `States.Runtime: An error occurred while executing the state 'Map' (entered at the event id #2). The ToleratedFailureCountPath field refers to value "{}" which is not a valid integer: $.n`,
			events: "MapStateEntered MapStateStarted",
		},
		{
			name: "results that are written", fields: `"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"b"}},` + processor("STANDARD", passes),
			input: `[1]`, output: `"written"`, counts: []int{1, 0, 0, 1, 1, 1},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newMapBench(t, &shelfOfItems{items: tt.items, failure: tt.failure})
			x := b.run(tt.fields, tt.input)
			got := ""
			if x.Output != nil {
				got = *x.Output
			}
			if x.Error != nil {
				tt.err = strings.TrimPrefix(tt.err, *x.Error+": ")
				if *x.Cause != tt.err {
					t.Errorf("%s: %s", *x.Error, *x.Cause)
				}
			} else if tt.err != "" {
				t.Errorf("it ended well, want %s", tt.err)
			}
			if diff := cmp.Diff(tt.output, got); diff != "" {
				t.Errorf("output (-want +got)\n%s", diff)
			}
			types := b.types(x)
			if got := strings.Join(types[1:len(types)-1], " "); tt.events != "" && got != tt.events {
				t.Errorf("events %s, want %s", got, tt.events)
			}
			if tt.counts != nil {
				run := b.mapRun(x)
				counts := []int{run.Succeeded, run.Failed, run.Aborted, run.Total, run.ItemTotal, run.Written}
				if diff := cmp.Diff(tt.counts, counts); diff != "" || run.Running != 0 || run.Items.Running != 0 || run.Stopped == nil {
					t.Errorf("counts (-want +got)\n%s, %+v", diff, run)
				}
			}
		})
	}
}

func TestExecutionsOfMapRunsAreNamedByItsLabel(t *testing.T) {
	t.Parallel()
	for kind, prefix := range map[string]string{"STANDARD": "execution", "EXPRESS": "express"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newMapBench(t, &shelfOfItems{})
			run := b.mapRun(b.run(`"Label":"L",`+processor(kind, passes), `[1]`))
			if want := b.place.ARN("stateMachine:m/L"); run.MachineARN != want {
				t.Errorf("machine %s, want %s", run.MachineARN, want)
			}
			if want := b.place.ARN("mapRun:m/L:"); !strings.HasPrefix(run.ARN, want) {
				t.Errorf("map run %s, want %s…", run.ARN, want)
			}
			for _, c := range b.children(run) {
				if want := b.place.ARN(prefix + ":m/L:"); !strings.HasPrefix(c.ARN, want) || c.MachineARN != run.MachineARN || c.Express != (kind == "EXPRESS") {
					t.Errorf("execution %s of %s, want %s…", c.ARN, c.MachineARN, want)
				}
				if kind != "STANDARD" {
					continue
				}
				if diff := cmp.Diff([]string{"ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"}, b.types(c)); diff != "" {
					t.Errorf("history (-want +got)\n%s", diff)
				}
			}
		})
	}
}

func TestAMapRunThatFailedWritesWhatCameOfItAll(t *testing.T) {
	t.Parallel()
	shelf := &shelfOfItems{}
	b := newMapBench(t, shelf)
	x := b.run(`"MaxConcurrency":1,"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"b"}},`+processor("STANDARD", failsOdd),
		`[{"odd":false},{"odd":true},{"odd":false}]`)
	if run := b.mapRun(x); x.Status != "FAILED" || run.Status != "FAILED" || run.Written != 2 {
		t.Errorf("status %s, map run %+v", x.Status, run)
	}
	shelf.mu.Lock()
	defer shelf.mu.Unlock()
	want := []string{`SUCCEEDED {"odd":false}`, `FAILED {"odd":true}`, `PENDING {"odd":false}`}
	if diff := cmp.Diff(want, slices.Clone(shelf.written)); diff != "" {
		t.Errorf("written (-want +got)\n%s", diff)
	}
}

func TestMaxItemsThatIsNegativeIsTheReadersToRefuse(t *testing.T) {
	t.Parallel()
	shelf := &shelfOfItems{failure: &integration.TaskError{Error: "States.ItemReaderFailed", Cause: "field MaxItems must be positive"}}
	b := newMapBench(t, shelf)
	x := b.run(`"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"JSON","MaxItemsPath":"$.max"},"Parameters":{"Bucket":"b","Key":"k"}},`+
		processor("STANDARD", passes), `{"max":-3}`)
	want := []string{"ExecutionStarted", "MapStateEntered", "MapStateStarted", "MapRunStarted", "MapRunFailed", "MapStateFailed", "ExecutionFailed"}
	if diff := cmp.Diff(want, b.types(x)); diff != "" || shelf.most >= 0 {
		t.Errorf("events (-want +got)\n%s, MaxItems %d", diff, shelf.most)
	}
}

const waits = `{"Type":"Wait","Seconds":86400,"End":true}`

func TestAMapRunEndsWithWhatItIsPartOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, definition string
		stop             bool
		events           []string
	}{
		{
			name: "an execution that is stopped", stop: true,
			definition: `{"StartAt":"Map","States":{"Map":{"Type":"Map","End":true,"MaxConcurrency":2,` + processor("STANDARD", waits) + `}}}`,
			events:     []string{"ExecutionAborted"},
		},
		{
			name: "a branch that fails beside it",
			definition: `{"StartAt":"Both","States":{"Both":{"Type":"Parallel","End":true,"Branches":[
				{"StartAt":"Map","States":{"Map":{"Type":"Map","End":true,"MaxConcurrency":2,` + processor("STANDARD", waits) + `}}},
				{"StartAt":"W","States":{"W":{"Type":"Task","Resource":"arn:aws:states:us-east-1:000000000000:activity:a","End":true}}}]}}}`,
			events: []string{"MapRunAborted", "MapStateAborted", "ParallelStateFailed", "ExecutionFailed"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newMapBench(t, &shelfOfItems{})
			x := b.start(tt.definition, `[1,2,3]`)
			b.until(func() bool {
				runs, err := b.MapRuns(t.Context(), b.place, x.ARN, nil, 10)
				return err == nil && len(runs) == 1 && runs[0].Running == 2
			})
			if _, err := b.AdvanceExecution(t.Context(), b.place.Workspace, x.RunID, b.blow(x, tt.stop)); err != nil {
				t.Fatal(err)
			}
			x = b.end(x)
			types := b.types(x)
			if diff := cmp.Diff(tt.events, types[max(0, len(types)-len(tt.events)):]); diff != "" {
				t.Errorf("events (-want +got)\n%s", diff)
			}
			b.until(func() bool { return b.mapRun(x).Status != "RUNNING" })
			b.until(func() bool { run := b.mapRun(x); return run.Running == 0 })
			if run := b.mapRun(x); run.Status != "ABORTED" || run.Aborted != 2 || run.Next != 2 || run.Stopped == nil {
				t.Errorf("map run %+v", run)
			}
		})
	}
}

// blow is what ends the execution: a stop, or the failure of its activity.
func (b *mapBench) blow(x *core.Execution, stop bool) asl.Input {
	b.t.Helper()
	if stop {
		return asl.Input{Kind: asl.InputAbort}
	}
	var key int64
	if err := b.store.View(b.t.Context(), b.place.Workspace, func(tx core.Tx) error {
		for n := range int64(20) {
			if a, err := tx.ExecutionAction(x.RunID, n); err == nil && a.Kind == core.ActionActivity {
				key = n
			}
		}
		return nil
	}); err != nil {
		b.t.Fatal(err)
	}
	return asl.Input{Kind: asl.InputFailed, Key: key, Failure: asl.Failure{Error: "E"}}
}
