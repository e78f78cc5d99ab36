package service

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/integration"
)

func TestChangesOfStatusAreToldInOrder(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1700000000000).UTC()
	synctest.Test(t, func(t *testing.T) {
		var told []string
		h := &Herald{Log: slog.New(slog.DiscardHandler), Tell: func(_ context.Context, c integration.StatusChange) error {
			told = append(told, c.ExecutionARN+" "+c.Detail)
			return errors.New("not now") // what follows is told all the same
		}}
		output := `{"b":2}`
		x := &core.Execution{ARN: "arn:x", Name: "x", MachineARN: "arn:m", Status: "SUCCEEDED", Started: at, Stopped: &at, Input: `{"a":1}`, Output: &output}
		h.Take(1, x, core.MachineLogging{}, []*asl.Event{
			{Type: asl.EventExecutionStarted, Time: at}, {Type: "PassStateEntered", Time: at}, {Type: asl.EventExecutionSucceeded, Time: at},
		})
		h.Take(1, &core.Execution{ARN: "arn:express", Express: true}, core.MachineLogging{}, []*asl.Event{{Type: asl.EventExecutionStarted}})
		synctest.Wait()
		cause := "C"
		h.Take(1, &core.Execution{ARN: "arn:y", Status: "FAILED", Started: at, Stopped: &at, Cause: &cause, Input: string(make([]byte, heraldData+1))},
			core.MachineLogging{}, []*asl.Event{{Type: asl.EventExecutionFailed, Time: at}})
		h.Flush(t.Context())
		rest := `"stateMachineVersionArn":null,"stateMachineAliasArn":null,"redriveCount":0,"redriveDate":null,`
		want := []string{
			`arn:x {"executionArn":"arn:x","stateMachineArn":"arn:m","name":"x","status":"RUNNING","startDate":1700000000000,"stopDate":null,"input":"{\"a\":1}","output":null,` + rest +
				`"redriveStatus":"NOT_REDRIVABLE","redriveStatusReason":"Execution is RUNNING and cannot be redriven","inputDetails":{"included":true},"outputDetails":null,"error":null,"cause":null}`,
			`arn:x {"executionArn":"arn:x","stateMachineArn":"arn:m","name":"x","status":"SUCCEEDED","startDate":1700000000000,"stopDate":1700000000000,"input":"{\"a\":1}","output":"{\"b\":2}",` + rest +
				`"redriveStatus":"NOT_REDRIVABLE","redriveStatusReason":"Execution is SUCCEEDED and cannot be redriven","inputDetails":{"included":true},"outputDetails":{"included":true},"error":null,"cause":null}`,
			`arn:y {"executionArn":"arn:y","stateMachineArn":"","name":"","status":"FAILED","startDate":1700000000000,"stopDate":1700000000000,"input":null,"output":null,` + rest +
				`"redriveStatus":"REDRIVABLE","redriveStatusReason":null,"inputDetails":{"included":false},"outputDetails":null,"error":null,"cause":"C"}`,
		}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Error(diff)
		}
	})
}

func TestChangesThatAreNotTakenAreDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tried := 0
		h := &Herald{Log: slog.New(slog.DiscardHandler), Tell: func(ctx context.Context, _ integration.StatusChange) error {
			tried++
			<-ctx.Done()
			return ctx.Err()
		}}
		large := strings.Repeat("x", heraldData)
		for range heraldBytes/heraldData + 10 {
			h.Take(1, &core.Execution{Status: "ABORTED", Input: large}, core.MachineLogging{}, []*asl.Event{{Type: asl.EventExecutionAborted}})
		}
		h.mu.Lock()
		waiting := len(h.waiting)
		h.mu.Unlock()
		if waiting == 0 || waiting > heraldBytes/heraldData {
			t.Errorf("%d changes wait", waiting)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		h.Flush(ctx)
		late, stop := context.WithTimeout(t.Context(), heraldCall)
		defer stop()
		<-late.Done()
		synctest.Wait()
		if tried != 1 || h.idle != nil {
			t.Errorf("%d changes were tried after the end", tried)
		}
	})
}
