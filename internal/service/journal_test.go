package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/value"
)

// shelf is a log that fails as often as it is told.
type shelf struct {
	mu     sync.Mutex
	faults int
	stuck  bool
	puts   [][]string
}

func (s *shelf) Put(ctx context.Context, lines []integration.LogLine) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stuck {
		<-ctx.Done()
		return ctx.Err()
	}
	if s.faults > 0 {
		s.faults--
		return errors.New("not now")
	}
	var put []string
	for _, l := range lines {
		put = append(put, l.Message)
	}
	s.puts = append(s.puts, put)
	return nil
}

func (s *shelf) all() (lines []string) {
	for _, p := range s.puts {
		lines = append(lines, p...)
	}
	return lines
}

func journalOf(s *shelf) (*Journal, *[]string) {
	var opened []string
	return &Journal{Log: slog.New(slog.DiscardHandler), Open: func(group, machine string) (LogStream, error) {
		opened = append(opened, group+" "+machine)
		return s, nil
	}}, &opened
}

func event(id int64, kind string, details *value.Object) *asl.Event {
	return &asl.Event{ID: id, Previous: id - 1, Type: kind, Details: details, Time: time.UnixMilli(1_700_000_000_000 + id)}
}

func logging(level string, data bool) core.MachineLogging {
	return core.MachineLogging{Level: level, IncludeData: data, Groups: []string{"g"}}
}

func TestLevelsOfLogs(t *testing.T) {
	t.Parallel()
	all := []string{
		"ExecutionStarted", "PassStateEntered", "FailStateEntered", "TaskScheduled", "TaskFailed", "TaskTimedOut", "TaskStateAborted",
		"LambdaFunctionScheduleFailed", "MapIterationAborted", "MapRunFailed", "EvaluationFailed", "ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted",
	}
	for level, want := range map[string][]string{
		"OFF": nil,
		"ALL": all,
		"ERROR": {
			"FailStateEntered", "TaskFailed", "TaskTimedOut", "TaskStateAborted", "LambdaFunctionScheduleFailed", "MapIterationAborted", "MapRunFailed",
			"EvaluationFailed", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted",
		},
		"FATAL": {"ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"},
	} {
		var got []string
		for _, kind := range all {
			if logged(level, kind) {
				got = append(got, kind)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", level, diff)
		}
	}
}

func TestRecordsOfLogs(t *testing.T) {
	t.Parallel()
	x := &core.Execution{ARN: "arn:e", Redrives: 2}
	whole := value.Of("truncated", false)
	tests := []struct {
		name    string
		details *value.Object
		data    bool
		want    string
	}{
		{"with data", value.Of("name", "S", "input", "{}", "inputDetails", whole), true, `{"name":"S","input":"{}","inputDetails":{"truncated":false}}`},
		{"without data", value.Of("name", "S", "input", "{}", "inputDetails", whole, "output", "1", "outputDetails", whole, "parameters", "{}"), false, `{"name":"S"}`},
		{"errors are no data", value.Of("error", "E", "cause", "C"), false, `{"error":"E","cause":"C"}`},
		{"without details", nil, true, `{}`},
		{"data that is too large", value.Of("name", "S", "input", strings.Repeat("x", maxLine), "inputDetails", whole), true, `{"name":"S","inputDetails":{"truncated":true}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := `{"id":"7","type":"T","details":` + tt.want + `,"previous_event_id":"6","event_timestamp":"1700000000007","execution_arn":"arn:e","redrive_count":"2"}`
			if diff := cmp.Diff(want, logRecord(x, event(7, "T", tt.details), tt.data)); diff != "" {
				t.Errorf("record (-want +got)\n%s", diff)
			}
		})
	}
}

func TestAJournalDeliversInOrderAndAgainAfterAFault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{faults: 3}
		j, opened := journalOf(s)
		var want []string
		for n := range int64(500) {
			x := &core.Execution{ARN: fmt.Sprint("arn:e", n), MachineARN: "arn:m/label"}
			events := []*asl.Event{event(2*n+1, "ExecutionStarted", nil), event(2*n+2, "ExecutionSucceeded", nil)}
			j.Take(0, x, logging("ALL", false), events)
			want = append(want, logRecord(x, events[0], false), logRecord(x, events[1], false))
		}
		j.Flush(t.Context())
		if diff := cmp.Diff(want, s.all()); diff != "" {
			t.Errorf("records (-want +got)\n%s", diff)
		}
		if diff := cmp.Diff([]string{"g arn:m"}, *opened); diff != "" {
			t.Errorf("streams (-want +got)\n%s", diff)
		}
	})
}

func TestBatchesFitIntoOneCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		j, _ := journalOf(s)
		x := &core.Execution{ARN: "arn:e", MachineARN: "arn:m"}
		details := value.Of("input", strings.Repeat("x", 200<<10))
		for n := range int64(20) {
			j.Take(0, x, logging("ALL", true), []*asl.Event{event(n+1, "PassStateEntered", details)})
		}
		j.Flush(t.Context())
		if n := len(s.all()); n != 20 {
			t.Errorf("%d records, want 20", n)
		}
		for _, put := range s.puts {
			size := 0
			for _, line := range put {
				size += len(line) + lineOverhead
			}
			if size > batchBytes {
				t.Errorf("a batch of %d bytes", size)
			}
		}
	})
}

func TestALogThatTakesNothingHoldsUpNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{stuck: true}
		j, _ := journalOf(s)
		x := &core.Execution{ARN: "arn:e", MachineARN: "arn:m"}
		details := value.Of("input", strings.Repeat("x", 250<<10))
		for n := range int64(400) { // more than may wait
			j.Take(0, x, logging("ALL", true), []*asl.Event{event(n+1, "PassStateEntered", details)})
		}
		synctest.Wait()
		j.mu.Lock()
		if j.bytes > journalBytes || j.dropped == 0 {
			t.Errorf("%d bytes wait, %d records dropped", j.bytes, j.dropped)
		}
		j.mu.Unlock()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		deadline, _ := ctx.Deadline()
		j.Flush(ctx)
		if left := time.Until(deadline); left != 0 {
			t.Errorf("a flush ended %s before its deadline", left)
		}
		if j.busy != 0 || j.bytes != 0 {
			t.Errorf("%d deliveries and %d bytes are left", j.busy, j.bytes)
		}
	})
}
