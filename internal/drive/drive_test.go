package drive_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/drive"
	"github.com/leat-dev/leat/internal/value"
)

func machine(t *testing.T, definition string) *asl.Machine {
	t.Helper()
	m, ds := asl.Parse([]byte(definition), asl.Options{})
	if m == nil {
		t.Fatal(asl.DefinitionError(ds))
	}
	return m
}

func parse(t *testing.T, text string) any {
	t.Helper()
	v, err := value.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// answers is a Performer of a function.
type answers func(c *drive.Call) (drive.Work, error)

func (f answers) Begin(c *drive.Call) (drive.Work, error) { return f(c) }

func returns(v any) drive.Work { return drive.Work{Answer: drive.Answer{Output: v}} }

func throws(name string) drive.Work {
	return drive.Work{Answer: drive.Answer{Failure: &asl.Failure{Error: name, Cause: "because"}}}
}

func run(t *testing.T, cfg drive.Config) *drive.Execution {
	t.Helper()
	x, err := drive.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestAWaitOfAYearEndsAtOnce(t *testing.T) {
	t.Parallel()
	x := run(t, drive.Config{Machine: machine(t, `{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 31536000, "End": true}}}`)})
	if x.Status != asl.Succeeded || x.Stopped.Sub(x.Started) != 365*24*time.Hour {
		t.Errorf("%s after %s", x.Status, x.Stopped.Sub(x.Started))
	}
}

const retried = `{"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": {}, "TimeoutSeconds": 60,
	"Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 100, "MaxAttempts": 3, "JitterStrategy": "FULL"}],
	"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}], "End": true}, "C": {"Type": "Pass", "End": true}}}`

func TestTheSameSeedGivesTheSameHistory(t *testing.T) {
	t.Parallel()
	history := func(seed uint64) string {
		calls := 0
		x := run(t, drive.Config{Machine: machine(t, retried), Seed: seed, Performer: answers(func(*drive.Call) (drive.Work, error) {
			if calls++; calls < 4 {
				return throws("Oops"), nil
			}
			return returns("fine"), nil
		})})
		if x.Status != asl.Succeeded || x.Output != "fine" {
			t.Errorf("%s %v", x.Status, x.Output)
		}
		return text(x)
	}
	if diff := cmp.Diff(history(1), history(1)); diff != "" {
		t.Error(diff)
	}
	if history(1) == history(2) {
		t.Error("another seed changes no delay")
	}
}

func text(x *drive.Execution) string {
	var b strings.Builder
	for _, e := range x.Events {
		b.Write(e.Append(nil))
		b.WriteByte('\n')
	}
	return b.String()
}

func TestAnAnswerThatTakesTooLongTimesOut(t *testing.T) {
	t.Parallel()
	x := run(t, drive.Config{Machine: machine(t, retried), Performer: answers(func(*drive.Call) (drive.Work, error) {
		return drive.Work{Answer: drive.Answer{Output: "late", After: time.Hour}}, nil
	})})
	if diff := cmp.Diff([]string{"T", "C"}, x.Path()); diff != "" {
		t.Error(diff)
	}
	timedOut := 0
	for _, e := range x.Events {
		if e.Type == "TaskTimedOut" {
			timedOut++
		}
	}
	if timedOut != 4 {
		t.Errorf("%d attempts timed out", timedOut)
	}
}

func TestATokenWithoutABeatTimesOut(t *testing.T) {
	t.Parallel()
	const definition = `{"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
		"Parameters": {"MessageBody.$": "$$.Task.Token", "QueueUrl": "q"}, "HeartbeatSeconds": 10, "End": true}}}`
	var token string
	x := run(t, drive.Config{Machine: machine(t, definition), Performer: answers(func(c *drive.Call) (drive.Work, error) {
		token = c.Token
		return drive.Work{Answer: drive.Answer{After: time.Minute}}, nil
	})})
	if x.Status != asl.Failed || x.Failure.Error != "States.Timeout" || token == "" || x.Stopped.Sub(x.Started) != 10*time.Second {
		t.Errorf("%s %+v after %s, token %q", x.Status, x.Failure, x.Stopped.Sub(x.Started), token)
	}
}

const distributed = `{"StartAt": "M", "States": {"M": {"Type": "Map", "Label": "Items", "MaxConcurrency": 2%s,
	"ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}, "StartAt": "T", "States": {
		"T": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": {"v.$": "$"}, "End": true}}}, "End": true}}}`

func TestItemsOfADistributedMapRunAsExecutions(t *testing.T) {
	t.Parallel()
	double := answers(func(c *drive.Call) (drive.Work, error) {
		o, _ := c.Parameters.(*value.Object)
		v, _ := o.Get("v")
		if n, ok := value.Integer(v); ok && n == 3 {
			return throws("Three"), nil
		}
		w := returns(v)
		w.Answer.After = time.Minute
		return w, nil
	})
	tests := map[string]struct {
		fields, input, want, failure string
		executions                   int
	}{
		"results come in the order of the items": {"", `[1, 2, 4, 5]`, `[1,2,4,5]`, "", 4},
		"none are a result, too":                 {"", `[]`, `[]`, "", 0},
		"batches are one execution":              {`, "ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": {"b": 1}}`, `[1, 2, 3]`, `[{"BatchInput":{"b":1},"Items":[1,2]},{"BatchInput":{"b":1},"Items":[3]}]`, "", 2},
		"a failure ends the run":                 {"", `[3, 1, 1, 1, 1]`, "", "States.ExceedToleratedFailureThreshold", 2},
		"a tolerated failure is left out":        {`, "ToleratedFailureCount": 1`, `[1, 3, 2]`, `[1,2]`, "", 3},
		"results may be flattened":               {`, "ResultWriter": {"WriterConfig": {"Transformation": "FLATTEN", "OutputType": "JSON"}}`, `[[1], [2, 5]]`, `[1,2,5]`, "", 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := run(t, drive.Config{
				Machine: machine(t, fmt.Sprintf(distributed, tt.fields)), Input: parse(t, tt.input), Performer: double, Items: drive.SimulatedItems{},
			})
			if x.Failure.Error != tt.failure || tt.want != "" && value.String(x.Output) != tt.want {
				t.Errorf("%s %s %+v", x.Status, value.String(x.Output), x.Failure)
			}
			if len(x.MapRuns) != 1 || len(x.MapRuns[0].Executions) != tt.executions {
				t.Fatalf("%d runs", len(x.MapRuns))
			}
			for _, child := range x.MapRuns[0].Executions {
				if child.Status == asl.Running || !strings.Contains(child.ARN, ":execution:machine/Items:") {
					t.Errorf("%s is %s", child.ARN, child.Status)
				}
			}
		})
	}
}

func TestItemsAreReadByWhomTheConfigurationNames(t *testing.T) {
	t.Parallel()
	m := machine(t, fmt.Sprintf(distributed, `, "ItemReader": {"Resource": "arn:aws:states:::s3:listObjectsV2", "ReaderConfig": {"MaxItems": 2}, "Parameters": {"Bucket": "b"}},
		"ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "out", "Prefix": "p"}}`))
	perform := answers(func(*drive.Call) (drive.Work, error) { return returns(nil), nil })
	x := run(t, drive.Config{Machine: m, Performer: perform, Items: drive.SimulatedItems{"M": {"a", "b", "c"}}})
	if n := len(x.MapRuns[0].Executions); n != 2 {
		t.Errorf("%d items", n)
	}
	if out := value.String(x.Output); !strings.Contains(out, `"Bucket":"out","Key":"p/`) {
		t.Error(out)
	}
	_, err := drive.Run(t.Context(), drive.Config{Machine: m, Performer: perform, Items: drive.SimulatedItems{}})
	var unanswered *drive.UnansweredError
	if !errors.As(err, &unanswered) || unanswered.State != "M" || !unanswered.Items {
		t.Error(err)
	}
}

// shelf keeps what is written of map runs.
type shelf struct {
	drive.SimulatedItems
	written *drive.MapRun
}

func (s *shelf) Write(_ context.Context, _ *drive.Call, run *drive.MapRun) (any, *asl.Failure, error) {
	s.written = run
	return nil, nil, nil
}

func TestResultsAreWrittenThoughTooManyFailed(t *testing.T) {
	t.Parallel()
	m := machine(t, fmt.Sprintf(distributed, `, "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}}`))
	s := &shelf{}
	x := run(t, drive.Config{
		Machine: m, Input: parse(t, `[1, 2, 3, 4]`), Items: s, Performer: answers(func(*drive.Call) (drive.Work, error) { return throws("Oops"), nil }),
	})
	if x.Failure.Error != "States.ExceedToleratedFailureThreshold" {
		t.Errorf("%+v", x.Failure)
	}
	if s.written == nil || len(s.written.Executions) != 2 || len(s.written.Unstarted) != 2 {
		t.Errorf("%+v", s.written)
	}
}

func TestTheRestOfAParallelIsWithdrawnWhenABranchFails(t *testing.T) {
	t.Parallel()
	m := machine(t, `{"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true, "Branches": [
		{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1000, "End": true}}},
		{"StartAt": "D", "States": {"D": {"Type": "Map", "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "I",
			"States": {"I": {"Type": "Wait", "Seconds": 2000, "End": true}}}, "End": true}}},
		{"StartAt": "B", "States": {"B": {"Type": "Wait", "Seconds": 5, "Next": "F"}, "F": {"Type": "Fail", "Error": "E"}}}]}}}`)
	x := run(t, drive.Config{Machine: m, Input: []any{"a"}})
	if x.Status != asl.Failed || x.Stopped.Sub(x.Started) != 5*time.Second {
		t.Errorf("%s after %s", x.Status, x.Stopped.Sub(x.Started))
	}
	if child := x.MapRuns[0].Executions[0]; child.Status != asl.Aborted {
		t.Errorf("the execution of the item is %s", child.Status)
	}
}

func TestCallsWorkBesideEachOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := machine(t, `{"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": {"StartAt": "T", "States": {
			"T": {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "Parameters": {"n.$": "$"}, "TimeoutSeconds": 100, "End": true}}}, "Next": "W"},
			"W": {"Type": "Wait", "Seconds": 86400, "End": true}}}`)
		var stopped atomic.Int32
		work := answers(func(c *drive.Call) (drive.Work, error) {
			return drive.Work{Do: func(ctx context.Context, submitted func(any)) (drive.Answer, error) {
				submitted("job")
				select {
				case <-time.After(time.Minute):
				case <-ctx.Done():
					stopped.Add(1)
				}
				return drive.Answer{Output: c.State}, nil
			}}, nil
		})
		now := time.Now //nolint:forbidigo // It is the clock of the test's bubble.
		began := now()
		x := run(t, drive.Config{Machine: m, Input: []any{"a", "b", "c"}, Performer: work, Now: now})
		if x.Status != asl.Succeeded || now().Sub(began) != time.Minute || x.Stopped.Sub(x.Started) != 24*time.Hour+time.Minute {
			t.Errorf("%s %+v took %s and told of %s", x.Status, x.Failure, now().Sub(began), x.Stopped.Sub(x.Started))
		}
		began = now()
		x = run(t, drive.Config{Machine: m, Input: []any{"a"}, Performer: work, Now: now, Real: true})
		if x.Status != asl.Succeeded || now().Sub(began) != 24*time.Hour+time.Minute {
			t.Errorf("%s took %s", x.Status, now().Sub(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		x, err := drive.Run(ctx, drive.Config{Machine: m, Input: []any{"a"}, Performer: work, Now: now})
		if !errors.Is(err, context.DeadlineExceeded) || x.Status != asl.Aborted || stopped.Load() != 1 {
			t.Errorf("%v, %s, %d calls stopped", err, x.Status, stopped.Load())
		}
	})
}

func TestAnExpressLoopWithoutEndIsNoticed(t *testing.T) {
	t.Parallel()
	m := machine(t, `{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsPresent": true, "Next": "E"}], "Default": "A"}, "E": {"Type": "Succeed"}}}`)
	if x := run(t, drive.Config{Machine: m, Input: value.NewObject(0)}); x.Status != asl.Failed || len(x.Events) < 25_000 || len(x.Events) > 25_010 {
		t.Errorf("%s after %d events", x.Status, len(x.Events))
	}
	if _, err := drive.Run(t.Context(), drive.Config{Machine: m, Input: value.NewObject(0), Express: true}); err == nil || !strings.Contains(err.Error(), "loop without end") {
		t.Error(err)
	}
}
