package ecslocal_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// messages lists the messages of events.
func messages(t *testing.T, out object) []string {
	t.Helper()
	var list []string
	for _, e := range out["events"].([]any) {
		list = append(list, e.(object)["message"].(string))
	}
	return list
}

func awslogs(more object) object {
	options := object{"awslogs-group": "/ecs/app", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "p"}
	return object{"logDriver": "awslogs", "options": overlay(options, more)}
}

func TestLogDriver(t *testing.T) {
	t.Parallel()
	t.Run("lines go to the stream of the container", func(t *testing.T) {
		t.Parallel()
		w := start(t, nil)
		c := shell("main", "echo one; echo two >&2; echo; printf three")
		c["logConfiguration"] = awslogs(object{"awslogs-create-group": "true"})
		arn := w.run(w.define("app", c), nil)
		w.await(arn, "STOPPED")
		stream := "p/main/" + arn[strings.LastIndex(arn, "/")+1:]
		out := w.must("logs", "GetLogEvents", object{"logGroupName": "/ecs/app", "logStreamName": stream, "startFromHead": true})
		if diff := cmp.Diff([]string{"one", "two", " ", "three"}, messages(t, out)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
	t.Run("a group that is not there keeps the task from starting", func(t *testing.T) {
		t.Parallel()
		w := start(t, nil)
		c := shell("main", "echo one")
		c["logConfiguration"] = awslogs(nil)
		done := w.await(w.run(w.define("app", c), nil), "STOPPED")
		if done["stopCode"] != "TaskFailedToStart" || !strings.HasPrefix(text(t, done, "stoppedReason"), "ResourceInitializationError: ") {
			t.Errorf("%v: %v", done["stopCode"], done["stoppedReason"])
		}
	})
	t.Run("the stream is in the region that the option names", func(t *testing.T) {
		t.Parallel()
		w := start(t, nil)
		c := shell("main", "echo one")
		c["logConfiguration"] = awslogs(object{"awslogs-create-group": "true", "awslogs-region": "eu-west-1"})
		w.await(w.run(w.define("app", c), nil), "STOPPED")
		there := *w
		there.region = "eu-west-1"
		if got := messages(t, there.must("logs", "FilterLogEvents", object{"logGroupName": "/ecs/app"})); len(got) != 1 {
			t.Errorf("in that region: %v", got)
		}
		if _, f := w.call("logs", "FilterLogEvents", object{"logGroupName": "/ecs/app"}); f == nil || f.Type != "ResourceNotFoundException" {
			t.Errorf("in the other: %v", f)
		}
	})
}

func TestLogs(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	w.must("logs", "CreateLogGroup", object{"logGroupName": "g"})
	if _, f := w.call("logs", "CreateLogGroup", object{"logGroupName": "g"}); f == nil || f.Type != "ResourceAlreadyExistsException" || f.Message != "The specified log group already exists" {
		t.Errorf("making it again: %v", f)
	}
	now := time.Now().UnixMilli()
	for _, stream := range []string{"a", "b"} {
		w.must("logs", "CreateLogStream", object{"logGroupName": "g", "logStreamName": stream})
		var events []object
		for i := range 5 {
			events = append(events, object{"timestamp": now + int64(i), "message": fmt.Sprintf("%s%d ERROR", stream, i)})
		}
		w.must("logs", "PutLogEvents", object{"logGroupName": "g", "logStreamName": stream, "logEvents": events})
	}
	t.Run("a stream is paged forwards to its end, and the last token stays", func(t *testing.T) {
		t.Parallel()
		in := object{"logGroupName": "g", "logStreamName": "a", "limit": 2, "startFromHead": true}
		var got [][]string
		for range 4 {
			out := w.must("logs", "GetLogEvents", in)
			got = append(got, messages(t, out))
			in["nextToken"] = out["nextForwardToken"]
		}
		if diff := cmp.Diff([][]string{{"a0 ERROR", "a1 ERROR"}, {"a2 ERROR", "a3 ERROR"}, {"a4 ERROR"}, nil}, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
	t.Run("a stream is paged backwards from its end", func(t *testing.T) {
		t.Parallel()
		out := w.must("logs", "GetLogEvents", object{"logGroupName": "g", "logStreamName": "a", "limit": 2})
		back := w.must("logs", "GetLogEvents", object{"logGroupName": "g", "logStreamName": "a", "limit": 2, "nextToken": out["nextBackwardToken"]})
		if diff := cmp.Diff([]string{"a3 ERROR", "a4 ERROR", "a1 ERROR", "a2 ERROR"}, append(messages(t, out), messages(t, back)...)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
	t.Run("streams of a group are merged by time, page by page", func(t *testing.T) {
		t.Parallel()
		in := object{"logGroupName": "g", "limit": 4}
		var got []string
		ids := map[any]bool{}
		for {
			out := w.must("logs", "FilterLogEvents", in)
			got = append(got, messages(t, out)...)
			for _, e := range out["events"].([]any) {
				ids[e.(object)["eventId"]] = true
			}
			if in["nextToken"] = out["nextToken"]; out["nextToken"] == nil {
				break
			}
		}
		if want := "[a0 ERROR b0 ERROR a1 ERROR b1 ERROR a2 ERROR b2 ERROR a3 ERROR b3 ERROR a4 ERROR b4 ERROR]"; fmt.Sprint(got) != want || len(ids) != 10 {
			t.Errorf("%d ids, %v", len(ids), got)
		}
	})
	for _, tt := range []struct {
		name string
		in   object
		want string
	}{
		{"by stream", object{"logStreamNames": []string{"b"}, "limit": 1}, "[b0 ERROR]"},
		{"by prefix of the stream", object{"logStreamNamePrefix": "a", "limit": 1}, "[a0 ERROR]"},
		{"from a time on", object{"startTime": now + 4}, "[a4 ERROR b4 ERROR]"},
		{"until a time, inclusive", object{"endTime": now}, "[a0 ERROR b0 ERROR]"},
		{"by a term", object{"filterPattern": "a3"}, "[a3 ERROR]"},
		{"by two terms", object{"filterPattern": `ERROR "b1 E"`}, "[b1 ERROR]"},
		{"by one of two terms", object{"filterPattern": "?a1 ?b2"}, "[a1 ERROR b2 ERROR]"},
		{"without a term", object{"filterPattern": "ERROR -a", "limit": 1}, "[b0 ERROR]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := fmt.Sprint(messages(t, w.must("logs", "FilterLogEvents", overlay(object{"logGroupName": "g"}, tt.in)))); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
	for _, tt := range []struct {
		name, action string
		in           object
		want         string
	}{
		{"a group that is not there", "FilterLogEvents", object{"logGroupName": "none"}, "ResourceNotFoundException"},
		{"a stream that is not there", "GetLogEvents", object{"logGroupName": "g", "logStreamName": "none"}, "ResourceNotFoundException"},
		{"a forged token", "GetLogEvents", object{"logGroupName": "g", "logStreamName": "a", "nextToken": "x"}, "InvalidParameterException"},
		{"a limit of zero", "FilterLogEvents", object{"logGroupName": "g", "limit": 0}, "InvalidParameterException"},
		{"a pattern for JSON", "FilterLogEvents", object{"logGroupName": "g", "filterPattern": "{$.a = 1}"}, "InvalidParameterException"},
		{"events out of order", "PutLogEvents", object{"logGroupName": "g", "logStreamName": "a", "logEvents": []object{{"timestamp": now, "message": "x"}, {"timestamp": now - 1, "message": "y"}}}, "InvalidParameterException"},
		{"a name with a star", "CreateLogStream", object{"logGroupName": "g", "logStreamName": "*"}, "InvalidParameterException"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, f := w.call("logs", tt.action, tt.in); f == nil || f.Type != tt.want {
				t.Errorf("%v", f)
			}
		})
	}
	t.Run("streams are listed by their last event", func(t *testing.T) {
		t.Parallel()
		out := w.must("logs", "DescribeLogStreams", object{"logGroupName": "g", "orderBy": "LastEventTime", "descending": true, "limit": 1})
		if text(t, out, "logStreams", 0, "logStreamName") != "b" || out["nextToken"] == nil {
			t.Errorf("%v", out)
		}
		if got := text(t, w.must("logs", "DescribeLogGroups", object{"logGroupNamePrefix": "g"}), "logGroups", 0, "arn"); got != "arn:aws:logs:us-east-1:000000000000:log-group:g:*" {
			t.Errorf("the group's ARN is %s", got)
		}
	})
}
