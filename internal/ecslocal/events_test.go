package ecslocal_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEventPatterns(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	const event = `{"source":"aws.ecs","detail-type":"X","account":"1","time":"t","region":"r","resources":["a1","b2"],
		"detail":{"lastStatus":"STOPPED","cpu":256,"ok":true,"none":null,"containers":[{"name":"a","exitCode":0},{"name":"b","exitCode":137}],"empty":[],"path":"dir/File.txt"}}`
	for _, tt := range []struct {
		pattern string
		want    bool
	}{
		{`{"source":["aws.ecs"]}`, true},
		{`{"source":["aws.ec2","aws.ecs"],"detail-type":["X"]}`, true},
		{`{"source":["aws.ecs"],"detail-type":["Y"]}`, false},
		{`{"detail":{"lastStatus":["STOPPED"],"cpu":[256]}}`, true},
		{`{"detail":{"cpu":["256"]}}`, false},
		{`{"detail":{"ok":[true],"none":[null]}}`, true},
		{`{"resources":["b2"]}`, true},
		{`{"detail":{"containers":{"exitCode":[137]}}}`, true},
		{`{"detail":{"containers":{"exitCode":[1]}}}`, false},
		{`{"source":[{"prefix":"aws."}]}`, true},
		{`{"source":[{"prefix":"leat."}]}`, false},
		{`{"source":[{"prefix":{"equals-ignore-case":"AWS."}}]}`, true},
		{`{"detail":{"path":[{"suffix":".txt"}]}}`, true},
		{`{"detail":{"path":[{"equals-ignore-case":"DIR/file.TXT"}]}}`, true},
		{`{"detail":{"path":[{"wildcard":"d*/*.txt"}]}}`, true},
		{`{"detail":{"path":[{"wildcard":"d*.csv"}]}}`, false},
		{`{"detail":{"lastStatus":[{"anything-but":"RUNNING"}]}}`, true},
		{`{"detail":{"lastStatus":[{"anything-but":["RUNNING","STOPPED"]}]}}`, false},
		{`{"detail":{"lastStatus":[{"anything-but":{"prefix":"STOP"}}]}}`, false},
		{`{"detail":{"missing":[{"anything-but":"x"}]}}`, false},
		{`{"detail":{"cpu":[{"numeric":[">",0,"<=",256]}]}}`, true},
		{`{"detail":{"cpu":[{"numeric":["<",256]}]}}`, false},
		{`{"detail":{"lastStatus":[{"numeric":["=",1]}]}}`, false},
		{`{"detail":{"cpu":[{"exists":true}]}}`, true},
		{`{"detail":{"missing":[{"exists":false}]}}`, true},
		{`{"detail":{"cpu":[{"exists":false}]}}`, false},
		{`{"detail":{"containers":[{"exists":true}]}}`, true},
		{`{"missing":{"below":[{"exists":false}]}}`, true},
		{`{"$or":[{"source":["x"]},{"detail":{"cpu":[256]}}]}`, true},
		{`{"detail":{"$or":[{"cpu":[1]},{"ok":[false]}]}}`, false},
	} {
		out, f := w.call("events", "TestEventPattern", object{"EventPattern": tt.pattern, "Event": event})
		if f != nil || out["Result"] != tt.want {
			t.Errorf("%s: %v %v, want %v", tt.pattern, out, f, tt.want)
		}
	}
	for _, pattern := range []string{
		``, `[]`, `{}`, `{"a":"b"}`, `{"a":[]}`, `{"a":{}}`, `{"a":[["b"]]}`, `{"a":[{"colour":"x"}]}`, `{"a":[{"prefix":1}]}`, `{"a":[{"numeric":[">"]}]}`,
		`{"a":[{"numeric":["~",1]}]}`, `{"a":[{"exists":"yes"}]}`, `{"a":[{"anything-but":null}]}`, `{"$or":[{"a":["b"]}]}`, `{"a":[{"prefix":"x","suffix":"y"}]}`,
	} {
		if _, f := w.call("events", "PutRule", object{"Name": "r", "EventPattern": pattern}); f == nil || f.Status != 400 {
			t.Errorf("%s is taken: %v", pattern, f)
		}
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	w.queue("q", nil)
	const arn = "arn:aws:sqs:us-east-1:000000000000:q"
	w.must("events", "PutRule", object{"Name": "r", "EventPattern": `{"source":["app"]}`, "Description": "d"})
	out := w.must("events", "PutTargets", object{"Rule": "r", "Targets": []object{
		{"Id": "whole", "Arn": arn, "InputPath": "$.detail.n"},
		{"Id": "fixed", "Arn": arn, "Input": `{"fixed":true}`},
		{"Id": "made", "Arn": arn, "InputTransformer": object{"InputPathsMap": object{"n": "$.detail.n", "s": "$.source", "x": "$.none"}, "InputTemplate": `{"text":"<s> has <n>","n":<n>,"s":<s>,"x":<x>}`}},
		{"Id": "lambda", "Arn": "arn:aws:lambda:us-east-1:000000000000:function:f"},
	}})
	if get(t, out, "FailedEntries", 0, "TargetId") != "lambda" {
		t.Errorf("PutTargets: %v", out)
	}
	out = w.must("events", "PutEvents", object{"Entries": []object{
		{"Source": "app", "DetailType": "t", "Detail": `{"n":7}`},
		{"Source": "other", "DetailType": "t", "Detail": `{}`},
		{"Source": "aws.ecs", "DetailType": "t", "Detail": `{}`},
		{"Source": "app", "DetailType": "t", "Detail": `[`},
	}})
	if get(t, out, "Entries", 2, "ErrorCode") != "NotAuthorizedForSourceException" || get(t, out, "Entries", 3, "ErrorCode") != "MalformedDetail" {
		t.Errorf("PutEvents: %v", out)
	}
	url := text(t, w.must("sqs", "GetQueueUrl", object{"QueueName": "q"}), "QueueUrl")
	bodies, _ := w.receive(url, nil)
	if diff := cmp.Diff([]string{"7", `{"fixed":true}`, `{"text":"app has 7","n":7,"s":"app","x":null}`}, bodies); diff != "" {
		t.Errorf("delivered (-want +got):\n%s", diff)
	}
	w.must("events", "DisableRule", object{"Name": "r"})
	w.must("events", "PutEvents", object{"Entries": []object{{"Source": "app", "DetailType": "t", "Detail": `{}`}}})
	if bodies, _ := w.receive(url, nil); bodies != nil {
		t.Errorf("a disabled rule delivers %v", bodies)
	}
	if got := w.must("events", "DescribeRule", object{"Name": "r"}); got["State"] != "DISABLED" || got["LeatTargets"] != nil || got["Description"] != "d" {
		t.Errorf("DescribeRule: %v", got)
	}
	if _, f := w.call("events", "DeleteRule", object{"Name": "r"}); f == nil || f.Type != "ValidationException" {
		t.Errorf("deleting a rule with targets: %v", f)
	}
	if n := len(get(t, w.must("events", "ListTargetsByRule", object{"Rule": "r"}), "Targets").([]any)); n != 3 {
		t.Errorf("%d targets", n)
	}
	w.must("events", "RemoveTargets", object{"Rule": "r", "Ids": []string{"whole", "fixed", "made"}})
	w.must("events", "DeleteRule", object{"Name": "r"})
	if _, f := w.call("events", "DescribeRule", object{"Name": "r"}); f == nil || f.Type != "ResourceNotFoundException" {
		t.Errorf("a deleted rule: %v", f)
	}
	if got := len(get(t, w.must("events", "ListRules", object{}), "Rules").([]any)); got != 0 {
		t.Errorf("%d rules", got)
	}
}
