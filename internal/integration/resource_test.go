package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/awscall"
)

func TestResourcesAreRead(t *testing.T) {
	t.Parallel()
	for arn, want := range map[string]Resource{
		"arn:aws:states:::lambda:invoke":                              {Kind: Optimized, Pattern: RequestResponse, Service: "lambda", Action: "invoke", Type: "lambda", Name: "invoke"},
		"arn:aws-cn:states:::ecs:runTask.sync":                        {Kind: Optimized, Pattern: Sync, Service: "ecs", Action: "runTask", Type: "ecs", Name: "runTask.sync"},
		"arn:aws:states:::states:startExecution.sync:2":               {Kind: Optimized, Pattern: Sync2, Service: "states", Action: "startExecution", Type: "states", Name: "startExecution.sync:2"},
		"arn:aws:states:::sqs:sendMessage.waitForTaskToken":           {Kind: Optimized, Pattern: WaitForToken, Service: "sqs", Action: "sendMessage", Type: "sqs", Name: "sendMessage.waitForTaskToken"},
		"arn:aws:states:::aws-sdk:sfn:sendTaskSuccess":                {Kind: SDK, Pattern: RequestResponse, Service: "sfn", Action: "sendTaskSuccess", Type: "aws-sdk:sfn", Name: "sendTaskSuccess"},
		"arn:aws:states:::aws-sdk:ec2:runInstances.waitForTaskToken":  {Kind: SDK, Pattern: WaitForToken, Service: "ec2", Action: "runInstances", Type: "aws-sdk:ec2", Name: "runInstances.waitForTaskToken"},
		"arn:aws:lambda:eu-west-1:123456789012:function:f:PROD":       {Kind: Lambda, Pattern: RequestResponse, Service: "lambda", Action: "invoke", Type: "lambda", Name: "arn:aws:lambda:eu-west-1:123456789012:function:f:PROD", Region: "eu-west-1"},
		"arn:aws:states:eu-west-1:123456789012:activity:a":            {Kind: Activity, Pattern: RequestResponse, Service: "states", Action: "activity", Type: "activity", Name: "arn:aws:states:eu-west-1:123456789012:activity:a", Region: "eu-west-1"},
		"arn:leat:states:::flow:run.sync":                             {Kind: Flow, Pattern: Sync, Service: "flow", Action: "run", Type: "flow", Name: "run.sync"},
		"arn:aws:states:us-east-1:123456789012:emr-containers:create": {},
		"arn:aws:states:::dynamodb:query":                             {},
		"arn:aws:states:::sqs:sendMessage.sync":                       {},
		"arn:aws:states:::sqs:sendMessage.sync:3":                     {},
		"arn:aws:states:::aws-sdk:sfn:startExecution.sync":            {},
		"arn:aws:states:::aws-sdk:sfn:SendTaskSuccess":                {},
		"arn:aws:states:::s3:getObject":                               {},
		"arn:leat:states:::flow:run.waitForTaskToken":                 {},
		"arn:aws:s3:::bucket":                                         {}, "lambda:invoke": {}, "": {}, "arn:aws:states:::": {}, "arn:aws:states:::aws-sdk:": {},
	} {
		got, err := Parse(arn)
		if want == (Resource{}) {
			if err == nil || err.Error() != Unrecognized(arn) {
				t.Errorf("%s: %+v, %v", arn, got, err)
			}
			continue
		}
		want.ARN = arn
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", arn, err, diff)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"arn:aws:states:::ecs:runTask.sync", "arn:aws:states:::aws-sdk::", "arn:aws:states:::a:.sync", ":::::"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, arn string) {
		if r, err := Parse(arn); err == nil && (r.Service == "" || r.Action == "" || r.Name == "") {
			t.Errorf("%q is %+v", arn, r)
		}
	})
}

// TestTheTableAgreesWithTheModels finds mistyped operations, parameters and
// paths: what the table names must be in the services' models.
func TestTheTableAgreesWithTheModels(t *testing.T) {
	t.Parallel()
	c, err := awscall.New(awscall.Config{Now: func() time.Time { return time.Time{} }})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Services() {
		s, ok := serviceOf(name)
		if !ok {
			t.Errorf("%s is not in the table", name)
			continue
		}
		if s.call == "" {
			continue // a request over HTTP
		}
		for action, a := range s.actions {
			if name == "eks" && (action == "call" || action == "runJob") {
				continue // requests to the cluster itself
			}
			operation, call := action, s.call
			if a.operation != "" {
				operation = a.operation
			}
			if action == "invokeModel" {
				call = "bedrockruntime"
			}
			op, ok := c.Lookup(call, operation)
			if !ok {
				t.Errorf("%s has no operation %s", call, operation)
				continue
			}
			if a.patterns&Sync == 0 || name == "ecs" || name == "states" {
				continue
			}
			j, ok := jobOf(name, action)
			if !ok {
				t.Errorf("%s:%s.sync is followed by nothing", name, action)
				continue
			}
			checkJob(t, c, s.call, name+":"+action, op, j)
		}
	}
}

func checkJob(t *testing.T, c *awscall.Caller, service, name string, op *awscall.Operation, j job) {
	t.Helper()
	for _, path := range []string{j.id, j.parent} {
		from := op.Output
		if rest, ok := strings.CutPrefix(path, "$"); ok {
			path, from = rest, op.Input
		}
		if path != "" && follow(from, path) == nil {
			t.Errorf("%s: no %q", name, path)
		}
	}
	operation, params := j.describe("parent", "id")
	describe, ok := c.Lookup(service, operation)
	if !ok {
		t.Errorf("%s: no operation %s", name, operation)
		return
	}
	for key := range params.All() {
		if _, ok := describe.Input.Member(key); !ok {
			t.Errorf("%s: %s has no parameter %s", name, operation, key)
		}
	}
	object := follow(describe.Output, j.object)
	if object == nil || follow(object, j.status) == nil {
		t.Errorf("%s: %s has no %q with %q", name, operation, j.object, j.status)
	}
	if len(j.good) == 0 && !j.gone {
		t.Errorf("%s never ends well", name)
	}
	if j.stop == nil {
		return
	}
	operation, params = j.stop("parent", "id", "cause")
	stop, ok := c.Lookup(service, operation)
	if !ok {
		t.Errorf("%s: no operation %s", name, operation)
		return
	}
	for key := range params.All() {
		if _, ok := stop.Input.Member(key); !ok {
			t.Errorf("%s: %s has no parameter %s", name, operation, key)
		}
	}
}

// follow walks a path through shapes.
func follow(s *awscall.Shape, path string) *awscall.Shape {
	if path == "" {
		return s
	}
	for part := range strings.SplitSeq(path, ".") {
		switch {
		case s == nil:
			return nil
		case s.Kind == awscall.List:
			s = s.Element
			if part == "0" {
				continue
			}
			return nil
		case s.Kind != awscall.Structure:
			return nil
		}
		m, ok := s.Member(part)
		if !ok {
			return nil
		}
		s = m.Shape
	}
	return s
}
