package asl_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/value"
)

// answers are what the tasks, by the names of their states, and the map run give
// before and after the redrive; "" is a failure.
type answers map[string][2]string

// play runs a machine until it ends, and returns the types of the events it added.
func play(t *testing.T, x *asl.Execution, attempt int, as answers, first asl.Input) (types []string, output string) {
	t.Helper()
	now := time.Date(2030, 1, 1, attempt, 0, 0, 0, time.UTC)
	pending := []asl.Input{first}
	for len(pending) > 0 {
		res := x.Step(now, pending[0])
		pending = pending[1:]
		for _, e := range res.Events {
			kind := e.Type
			if e.Type == "MapRunRedriven" {
				kind += value.String(e.Details)
			}
			types = append(types, kind)
		}
		for _, a := range res.Actions {
			answer := as[a.State][attempt]
			if a.Kind == asl.ActionMapRun {
				if a.Redrives != attempt {
					t.Errorf("the map run is redriven for time %d, want %d", a.Redrives, attempt)
				}
				pending = append(pending, asl.Input{Kind: asl.InputRunStarted, Key: a.Key, Text: "arn"})
			}
			in := asl.Input{Kind: asl.InputSucceeded, Key: a.Key, Output: answer}
			if answer == "" {
				in = asl.Input{Kind: asl.InputFailed, Key: a.Key, Failure: asl.Failure{Error: "E" + strconv.Itoa(attempt)}}
			}
			pending = append(pending, in)
		}
		output = value.String(res.Output)
	}
	return types, output
}

func TestRedrives(t *testing.T) {
	t.Parallel()
	const task = `{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:s3:getObject","End":true`
	tests := []struct {
		name, definition string
		answers          answers
		output           string
		events           []string
	}{
		{
			name:       "a task is scheduled again without being entered",
			definition: `{"StartAt":"A","States":{"A":` + task + `}}}`, answers: answers{"A": {"", "a"}}, output: `"a"`,
			events: strings.Fields("ExecutionRedriven TaskScheduled TaskStarted TaskSucceeded TaskStateExited ExecutionSucceeded"),
		},
		{
			name: "a branch that succeeded keeps its result",
			definition: `{"StartAt":"P","States":{"P":{"Type":"Parallel","End":true,"Branches":[
				{"StartAt":"A","States":{"A":` + task + `}}},{"StartAt":"B","States":{"B":` + task + `}}}]}}}`,
			answers: answers{"A": {"a0", "a1"}, "B": {"", "b1"}}, output: `["a0","b1"]`,
			events: strings.Fields("ExecutionRedriven TaskScheduled TaskStarted TaskSucceeded TaskStateExited ParallelStateSucceeded ParallelStateExited ExecutionSucceeded"),
		},
		{
			name: "iterations that never began are begun, those that failed are done again",
			definition: `{"StartAt":"M","States":{"M":{"Type":"Map","ItemsPath":"$.n","MaxConcurrency":1,"End":true,
				"ItemProcessor":{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$","NumericEquals":2,"Next":"A"}],"Default":"Z"},
				"Z":{"Type":"Pass","End":true},"A":` + task + `}}}}}}`,
			answers: answers{"A": {"", "a1"}}, output: `[1,"a1",3]`,
			events: strings.Fields(`ExecutionRedriven TaskScheduled TaskStarted TaskSucceeded TaskStateExited MapIterationSucceeded MapIterationStarted ChoiceStateEntered
				ChoiceStateExited PassStateEntered PassStateExited MapIterationSucceeded MapStateSucceeded MapStateExited ExecutionSucceeded`),
		},
		{
			name:       "the retries are counted anew",
			definition: `{"StartAt":"A","States":{"A":` + task + `,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"MaxAttempts":1}]}}}`,
			answers:    answers{"A": {"", ""}}, output: `null`,
			events: strings.Fields("ExecutionRedriven TaskScheduled TaskStarted TaskFailed TaskScheduled TaskStarted TaskFailed ExecutionFailed"),
		},
		{
			name: "a map run goes on",
			definition: `{"StartAt":"M","States":{"M":{"Type":"Map","End":true,"ItemsPath":"$.l",
				"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"Z","States":{"Z":{"Type":"Pass","End":true}}}}}}`,
			answers: answers{"M": {"", "m"}}, output: `"m"`,
			events: []string{"ExecutionRedriven", `MapRunRedriven{"mapRunArn":"arn","redriveCount":1}`, "MapRunSucceeded", "MapStateSucceeded", "MapStateExited", "ExecutionSucceeded"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, ds := asl.Parse([]byte(tt.definition), asl.Options{})
			if m == nil {
				t.Fatal(asl.DefinitionError(ds))
			}
			info := asl.Info{Input: value.Of("l", []any{int64(1)}, "n", []any{int64(1), int64(2), int64(3)})}
			x := asl.New(m, info)
			play(t, x, 0, tt.answers, asl.Input{Kind: asl.InputStart})
			if x.Status() != asl.Failed {
				t.Fatalf("it is %s before the redrive", x.Status())
			}
			x, err := asl.Load(m, info, x.Pieces())
			if err != nil {
				t.Fatal(err)
			}
			types, output := play(t, x, 1, tt.answers, asl.Input{Kind: asl.InputRedrive})
			if diff := cmp.Diff(tt.events, types); diff != "" || output != tt.output {
				t.Errorf("output %s, events (-want +got)\n%s", output, diff)
			}
		})
	}
}

func TestItemsInTheContextObject(t *testing.T) {
	t.Parallel()
	const machine = `{"QueryLanguage":"%s","StartAt":"M","States":{"M":{"Type":"Map","End":true,%s,"ItemProcessor":{%s"StartAt":"Z","States":{"Z":%s}}}}}`
	const distributed = `"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},`
	tests := []struct{ name, language, fields, processor, state, want string }{
		{
			"an inline iteration", "JSONPath", `"ItemsPath":"$.l"`, "", `{"Type":"Pass","Parameters":{"i.$":"$$.Map.Item"},"End":true}`,
			`[{"i":{"Index":0,"Value":7,"Source":"STATE_DATA"}}]`,
		},
		{
			"an inline selector in JSONata", "JSONata", `"Items":[7],"ItemSelector":"{% $states.context.Map.Item %}"`, "", `{"Type":"Pass","End":true}`,
			`[{"Index":0,"Value":7,"Source":"STATE_DATA"}]`,
		},
		{
			"members of an object", "JSONPath", `"ItemsPath":"$.o","ItemSelector":{"i.$":"$$.Map.Item"}`, distributed, `{"Type":"Pass","End":true}`,
			`[{"i":{"Index":0,"Key":"k","Value":8,"Source":"STATE_DATA"}}]`,
		},
		{"members of an object without a selector", "JSONPath", `"ItemsPath":"$.o"`, distributed, `{"Type":"Pass","End":true}`, `[{"Key":"k","Value":8}]`},
		{
			"an array of a distributed Map", "JSONata", `"Items":[7],"ItemSelector":"{% $states.context.Map.Item.Source %}"`, distributed, `{"Type":"Pass","End":true}`,
			`["STATE_DATA"]`,
		},
		{"an object that is read", "JSONPath", `"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"JSON"},"Parameters":{"Bucket":"b","Key":"k"}},
			"ItemSelector":{"s.$":"$$.Map.Item.Source"}`, distributed, `{"Type":"Pass","End":true}`, `[{"s":"S3://b/k"}]`},
		{"a bucket that is listed", "JSONPath", `"ItemReader":{"Resource":"arn:aws:states:::s3:listObjectsV2","Parameters":{"Bucket":"b","Prefix":"p"}},
			"ItemSelector":{"s.$":"$$.Map.Item.Source"}`, distributed, `{"Type":"Pass","End":true}`, `[{"s":"S3://b"}]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			definition := fmt.Sprintf(machine, tt.language, tt.fields, tt.processor, tt.state)
			m, ds := asl.Parse([]byte(definition), asl.Options{})
			if m == nil {
				t.Fatal(asl.DefinitionError(ds))
			}
			x := asl.New(m, asl.Info{Input: value.Of("l", []any{int64(7)}, "o", value.Of("k", int64(8)))})
			res := x.Step(time.Unix(0, 0), asl.Input{Kind: asl.InputStart})
			got := value.String(res.Output)
			for _, a := range res.Actions {
				items := a.Run.Items
				if a.Run.Reader != nil {
					var failure *asl.Failure
					if items, failure = x.Selected(a.Key, a.Run.Reader, []any{int64(1)}); failure != nil {
						t.Fatal(failure)
					}
				}
				got = value.String(items)
			}
			if got != tt.want {
				t.Errorf("%s, want %s: %v", got, tt.want, res.Failure)
			}
		})
	}
}
