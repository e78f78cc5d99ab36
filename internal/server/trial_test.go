package server

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/value"
)

// machinesThat is Step Functions whose executions stand as told, one answer after
// the other; called gets the operations asked for.
func machinesThat(called *[]string, statuses ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		*called = append(*called, operation)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		switch operation {
		case "StartExecution":
			_, _ = io.WriteString(w, `{"executionArn":"arn:x","startDate":1.5}`)
		case "DescribeExecution":
			_, _ = io.WriteString(w, `{"executionArn":"arn:x","stateMachineArn":"arn:m","name":"n","status":"`+statuses[0]+`","startDate":1.5,"output":"{\"a\":1}"}`)
			if len(statuses) > 1 {
				statuses = statuses[1:]
			}
		case "StopExecution":
			_, _ = io.WriteString(w, `{"stopDate":2}`)
		}
	})
}

func trialOf(t *testing.T, h http.Handler) trial {
	t.Helper()
	caller, err := awscall.New(awscall.Config{Now: time.Now, Handlers: map[string]http.Handler{"sfn": h}})
	if err != nil {
		t.Fatal(err)
	}
	calls, err := integration.New(integration.Config{Caller: caller, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return trial{calls}
}

func TestATrialMakesTheCallOfItsState(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, resource string
		timeout        int64
		statuses       []string
		// member is of the output; failure the error's name.
		member, want, failure, calls string
	}{
		{"without waiting", "states:startExecution", 0, nil, "ExecutionArn", `"arn:x"`, "", "StartExecution"},
		{"waiting for the end", "states:startExecution.sync:2", 0, []string{"RUNNING", "RUNNING", "SUCCEEDED"}, "Output", `{"a":1}`, "", "StartExecution DescribeExecution DescribeExecution DescribeExecution"},
		{"waiting for what fails", "states:startExecution.sync", 0, []string{"FAILED"}, "", "", "States.TaskFailed", "StartExecution DescribeExecution"},
		{"waiting too long", "states:startExecution.sync", 1, []string{"RUNNING"}, "", "", "States.Timeout", "StartExecution*StopExecution"},
		{"waiting for ever", "states:startExecution.sync", 0, []string{"RUNNING"}, "", "", "States.Timeout", "StartExecution*StopExecution"},
		{"of nothing", "no:such", 0, nil, "", "", "States.Runtime", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var called []string
				began := time.Now()
				params := value.Of("StateMachineArn", "arn:m")
				got := trialOf(t, machinesThat(&called, tt.statuses...)).Call(t.Context(), engine.TrialCall{
					Place: core.Place{Region: "us-east-1", Account: "000000000000"}, Info: asl.Info{Name: "n"},
					Action: asl.Action{Resource: "arn:aws:states:::" + tt.resource, Parameters: params, Timeout: tt.timeout},
				})
				if took := time.Since(began); took > trialTime+stopTime {
					t.Errorf("it took %s", took)
				}
				first, last, _ := strings.Cut(tt.calls, "*")
				if calls := strings.Join(called, " "); !strings.HasPrefix(calls, first) || !strings.HasSuffix(calls, last) {
					t.Errorf("called %s, want %s", calls, tt.calls)
				}
				if tt.failure != "" {
					if got.Failure == nil || got.Failure.Error != tt.failure {
						t.Errorf("got %+v, want %s", got.Failure, tt.failure)
					}
					return
				}
				o, _ := got.Output.(*value.Object)
				if v, _ := o.Get(tt.member); got.Failure != nil || value.String(v) != tt.want {
					t.Errorf("got %s %+v, want %s", value.String(v), got.Failure, tt.want)
				}
			})
		})
	}
}

func TestATrialEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var called []string
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		got := trialOf(t, machinesThat(&called, "RUNNING")).Call(ctx, engine.TrialCall{
			Action: asl.Action{Resource: "arn:aws:states:::states:startExecution.sync", Parameters: value.Of("StateMachineArn", "arn:m")},
		})
		if got.Failure == nil || called[len(called)-1] != "StopExecution" {
			t.Errorf("%+v after %v", got.Failure, called)
		}
	})
}

func TestATrialJudgesMocks(t *testing.T) {
	t.Parallel()
	calls := trialOf(t, http.NotFoundHandler())
	for _, tt := range []struct{ resource, mode, want string }{
		{"arn:aws:states:::states:startExecution", "", "Required field 'ExecutionArn' is missing"},
		{"arn:aws:states:::states:startExecution", "PRESENT", ""},
		{"arn:aws:states:us-east-1:000000000000:activity:a", "STRICT", ""},
		{"arn:aws:lambda:us-east-1:000000000000:function:f", "STRICT", ""},
	} {
		got := ""
		if err := calls.CheckMock(tt.resource, value.NewObject(0), tt.mode); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.resource, tt.mode, got, tt.want)
		}
	}
}

func TestATrialReadsGivenItems(t *testing.T) {
	t.Parallel()
	calls := trialOf(t, http.NotFoundHandler())
	from := &asl.Transfer{Config: value.Of("InputType", "CSV")}
	if read, failure := calls.GivenItems(from, "a\n1"); failure != nil || value.String(read.Items) != `[{"a":"1"}]` {
		t.Errorf("%s %+v", value.String(read.Items), failure)
	}
	if _, failure := calls.GivenItems(from, "a,a\n1,2"); failure == nil || failure.Error != "States.ItemReaderFailed" {
		t.Errorf("%+v", failure)
	}
}
