package drive_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/drive"
	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/value"
)

// fakeStates answers startExecution and, the second time, that it has succeeded.
func fakeStates(looks *atomic.Int32) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		const arn = "arn:aws:states:us-east-1:000000000000:execution:m:x"
		switch _, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "."); op {
		case "StartExecution":
			body, _ := io.ReadAll(r.Body)
			if strings.Contains(string(body), "unknown") {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, `{"__type": "StateMachineDoesNotExist", "message": "no"}`)
				return
			}
			_, _ = fmt.Fprintf(w, `{"executionArn": %q, "startDate": 1}`, arn)
		case "DescribeExecution":
			status := "RUNNING"
			if looks.Add(1) > 1 {
				status = "SUCCEEDED"
			}
			_, _ = fmt.Fprintf(w, `{"executionArn": %q, "stateMachineArn": "m", "startDate": 1, "status": %q, "output": "{\"done\":true}"}`, arn, status)
		default:
			w.WriteHeader(http.StatusBadRequest)
		}
	})
}

func runner(t *testing.T, handler http.Handler) *integration.Runner {
	t.Helper()
	now := time.Now //nolint:forbidigo // Requests are signed with the real time.
	caller, err := awscall.New(awscall.Config{
		Now: now, Handlers: map[string]http.Handler{"sfn": handler, "s3": handler}, Backoff: func(int) time.Duration { return time.Millisecond },
		Load: func(context.Context) (aws.Config, error) {
			return aws.Config{Region: "us-east-1", Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "000000000000", SecretAccessKey: "test"}, nil
			})}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := integration.New(integration.Config{Caller: caller, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const starts = `{"StartAt": "S", "States": {"S": {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2",
	"Parameters": {"StateMachineArn.$": "$.machine", "Input": {}}, "OutputPath": "$.Output",
	"Catch": [{"ErrorEquals": ["StepFunctions.StateMachineDoesNotExistException"], "Next": "C"}], "Next": "W"},
	"W": {"Type": "Wait", "Seconds": 1000, "End": true}, "C": {"Type": "Succeed"}}}`

func TestServicesAreReallyCalledAndJobsFollowed(t *testing.T) {
	t.Parallel()
	var looks atomic.Int32
	calls := &drive.Calls{Runner: runner(t, fakeStates(&looks)), Region: "us-east-1", Account: "000000000000"}
	x := run(t, drive.Config{Machine: machine(t, starts), Input: value.Of("machine", "m"), Performer: calls, Now: time.Now}) //nolint:forbidigo // Calls take real time.
	if x.Status != asl.Succeeded || value.String(x.Output) != `{"done":true}` || looks.Load() != 2 {
		t.Errorf("%s %s %+v after %d looks", x.Status, value.String(x.Output), x.Failure, looks.Load())
	}
	kinds := make([]string, len(x.Events))
	for i, e := range x.Events {
		kinds[i] = e.Type
	}
	if got := strings.Join(kinds, " "); !strings.Contains(got, "TaskStarted TaskSubmitted TaskSucceeded") {
		t.Error(got)
	}
	x = run(t, drive.Config{Machine: machine(t, starts), Input: value.Of("machine", "unknown"), Performer: calls})
	if last := x.Path()[len(x.Path())-1]; last != "C" {
		t.Errorf("%v, %+v", x.Path(), x.Failure)
	}
}

// fakeBucket is one bucket of objects by their keys.
func fakeBucket(objects map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := strings.TrimPrefix(r.URL.Path, "/")
		_, key, _ = strings.Cut("/"+key, "/b/")
		switch r.Method {
		case http.MethodPut:
			body, _ := io.ReadAll(r.Body)
			objects[key] = string(body)
		case http.MethodGet:
			if _, ok := objects[key]; !ok {
				w.WriteHeader(http.StatusNotFound)
				_, _ = io.WriteString(w, "<Error><Code>NoSuchKey</Code></Error>")
				return
			}
			_, _ = io.WriteString(w, objects[key])
		}
	})
}

func TestItemsAreReallyReadAndResultsWritten(t *testing.T) {
	t.Parallel()
	objects := map[string]string{"in.json": `[1, 2, 4]`}
	calls := &drive.Calls{Runner: runner(t, fakeBucket(objects)), Region: "us-east-1", Account: "000000000000"}
	m := machine(t, fmt.Sprintf(distributed, `, "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"}, "Parameters": {"Bucket": "b", "Key": "in.json"}},
		"ItemSelector": {"n.$": "$$.Map.Item.Value"}, "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b", "Prefix": "out"}}`))
	echo := answers(func(c *drive.Call) (drive.Work, error) { return returns(c.Parameters), nil })
	x := run(t, drive.Config{Machine: m, Performer: echo, Items: &drive.CalledItems{Calls: calls}})
	if x.Status != asl.Succeeded || len(x.MapRuns[0].Executions) != 3 {
		t.Fatalf("%s %+v", x.Status, x.Failure)
	}
	found := ""
	for key, text := range objects {
		if strings.HasPrefix(key, "out/") && strings.Contains(key, "SUCCEEDED") {
			found = text
		}
	}
	if !strings.Contains(found, `{\"v\":{\"n\":4}}`) {
		t.Errorf("%q in %v", found, objects)
	}
	x = run(t, drive.Config{Machine: m, Performer: echo, Items: &drive.CalledItems{Calls: calls, Simulated: drive.SimulatedItems{"M": {"x"}}}})
	if len(x.MapRuns[0].Executions) != 1 {
		t.Errorf("%d items", len(x.MapRuns[0].Executions))
	}
	delete(objects, "in.json")
	if x = run(t, drive.Config{Machine: m, Performer: echo, Items: &drive.CalledItems{Calls: calls}}); x.Failure.Error != "States.ItemReaderFailed" {
		t.Errorf("%+v", x.Failure)
	}
}
