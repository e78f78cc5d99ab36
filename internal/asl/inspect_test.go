package asl

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/value"
)

// What a state gives when it is tried is what it gives in an execution.
func TestATriedStateGivesWhatAnExecutionGives(t *testing.T) {
	t.Parallel()
	for _, definition := range []string{
		`{"Type":"Pass","InputPath":"$.a","ResultPath":"$.b","End":true}`,
		`{"Type":"Pass","Parameters":{"x.$":"$.a.n","y":"z"},"OutputPath":"$.x","End":true}`,
		`{"Type":"Pass","Result":[1],"ResultPath":null,"End":true}`,
		`{"Type":"Pass","QueryLanguage":"JSONata","Output":"{% $states.input.a.n + 1 %}","End":true}`,
		`{"Type":"Succeed","InputPath":"$.a"}`,
		`{"Type":"Succeed","OutputPath":null}`,
		`{"Type":"Fail","Error":"E","CausePath":"$.text"}`,
		`{"Type":"Pass","InputPath":"$.none","End":true}`,
		`{"Type":"Wait","Seconds":0,"OutputPath":"$.a","End":true}`,
	} {
		t.Run(definition, func(t *testing.T) {
			t.Parallel()
			m, name, findings := ParseState([]byte(definition), "", Options{})
			if m == nil {
				t.Fatal(findings)
			}
			input, err := value.Parse([]byte(`{"a":{"n":1},"text":"because"}`))
			if err != nil {
				t.Fatal(err)
			}
			now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
			got := m.Try(now, Trial{Name: name, Single: true, Input: input})
			want := New(m, Info{Input: input, Started: now}).Step(now, Input{Kind: InputStart})
			if want.Status == Succeeded {
				if got.Status != TrialSucceeded || !value.Equal(got.Output, want.Output) {
					t.Errorf("%s %s, want %s", got.Status, value.String(got.Output), value.String(want.Output))
				}
				return
			}
			if got.Status != TrialFailed || got.Failure.Error != want.Failure.Error {
				t.Errorf("%s %v, want %v", got.Status, got.Failure, want.Failure)
			}
		})
	}
}

// mapOf is a distributed Map state with more fields.
func mapOf(fields string) string {
	return `{"Type":"Map","End":true,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},` +
		`"StartAt":"In","States":{"In":{"Type":"Pass","End":true}}}` + fields + `}`
}

// inlineOf is an inline one.
func inlineOf(fields string) string {
	return `{"Type":"Map","End":true,"ItemProcessor":{"StartAt":"In","States":{"In":{"Type":"Pass","End":true}}}` + fields + `}`
}

const (
	invoke    = `"Type":"Task","Resource":"arn:aws:states:::lambda:invoke"`
	branches  = `"Type":"Parallel","End":true,"Branches":[{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}]`
	inJSONata = `"QueryLanguage":"JSONata"`
	reader    = `,"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"JSON"},"Parameters":{"Bucket":"b","Key":"k"}}`
)

// A row per kind of state, language and way out: the table makes it long.
func TestATrialShowsWhatEachStageGives(t *testing.T) {
	t.Parallel()
	mocked := func(text string) func(*Trial) {
		return func(in *Trial) {
			v, err := value.Parse([]byte(text))
			in.Work = func(Action) (any, *Failure) { return v, nil }
			if err != nil {
				in.Work = nil
			}
		}
	}
	raises := func(name string) func(*Trial) {
		return func(in *Trial) {
			in.Work = func(Action) (any, *Failure) { return nil, &Failure{Error: name, Cause: "c"} }
		}
	}
	object := func(pairs ...any) *value.Object { return value.Of(pairs...) }
	given := func(read ItemsRead) func(*Trial) {
		return func(in *Trial) { in.Read = func(*Transfer) (ItemsRead, *Failure) { return read, nil } }
	}
	for _, tt := range []struct {
		name, definition, input string
		with                    []func(*Trial)
		// status, then output or error, then the next state.
		want string
		seen string
	}{
		{"Pass", `{"Type":"Pass","End":true}`, `1`, nil, `SUCCEEDED 1`, `{"input":1,"afterInputPath":1,"afterParameters":1,"afterResultSelector":1,"afterResultPath":1}`},
		{
			"Pass with a result hides what goes before it", `{"Type":"Pass","InputPath":"$.a","Parameters":{"x":1},"Result":2,"ResultPath":"$.r","Next":"N"}`, `{"a":1}`, nil,
			`SUCCEEDED {"a":1,"r":2} N`, `{"input":{"a":1},"result":2,"afterResultSelector":2,"afterResultPath":{"a":1,"r":2}}`,
		},
		{
			"Pass in JSONata shows its variables", `{"Type":"Pass",` + inJSONata + `,"Output":"{% $v %}","Assign":{"w":"{% $states.input %}"},"End":true}`, `1`,
			[]func(*Trial){func(in *Trial) { in.Variables = object("v", int64(2)) }},
			`SUCCEEDED 2`, `{"input":1,"variables":{"v":2,"w":1}}`,
		},
		{"Succeed", `{"Type":"Succeed","OutputPath":"$.a"}`, `{"a":1}`, nil, `SUCCEEDED 1`, `{"input":{"a":1},"afterInputPath":{"a":1}}`},
		{"Succeed in JSONata", `{"Type":"Succeed",` + inJSONata + `,"Output":"{% 1 + 1 %}"}`, `1`, nil, `SUCCEEDED 2`, `{"input":1}`},
		{"Fail", `{"Type":"Fail","Error":"E","Cause":"C"}`, `1`, nil, `FAILED E: C`, `{"input":1,"afterInputPath":1}`},
		{"Fail in JSONata", `{"Type":"Fail",` + inJSONata + `,"Error":"{% 'E' %}"}`, `1`, nil, `FAILED E: `, `{"input":1}`},
		{"Wait does not wait", `{"Type":"Wait","Seconds":1000,"Next":"N"}`, `1`, nil, `SUCCEEDED 1 N`, `{"input":1,"afterInputPath":1}`},
		{"Wait in JSONata", `{"Type":"Wait",` + inJSONata + `,"Seconds":"{% $states.input %}","Next":"N"}`, `1`, nil, `SUCCEEDED 1 N`, `{"input":1}`},
		{
			"Choice by a rule", `{"Type":"Choice","InputPath":"$.a","Choices":[{"Variable":"$","NumericEquals":1,"Next":"One"}],"Default":"D"}`, `{"a":1}`, nil,
			`SUCCEEDED 1 One`, `{"input":{"a":1},"afterInputPath":1}`,
		},
		{"Choice by default", `{"Type":"Choice",` + inJSONata + `,"Choices":[{"Condition":"{% $states.input = 2 %}","Next":"Two"}],"Default":"D"}`, `1`, nil, `SUCCEEDED 1 D`, `{"input":1}`},
		{
			"Choice without a way", `{"Type":"Choice","Choices":[{"Variable":"$","NumericEquals":1,"Next":"One"}]}`, `2`, nil,
			`FAILED States.NoChoiceMatched: Failed to transition out of the state. The state does not point to a next state.`,
			`{"input":2,"afterInputPath":2}`,
		},
		{
			"Task", `{` + invoke + `,"InputPath":"$.a","Parameters":{"FunctionName":"f","Payload.$":"$"},"ResultSelector":{"p.$":"$.Payload"},"ResultPath":"$.r","OutputPath":"$.r","Next":"N"}`, `{"a":1}`,
			[]func(*Trial){mocked(`{"Payload":2}`)},
			`SUCCEEDED {"p":2} N`,
			`{"input":{"a":1},"afterInputPath":1,"afterParameters":{"FunctionName":"f","Payload":1},"result":{"Payload":2},"afterResultSelector":{"p":2},"afterResultPath":{"a":1,"r":{"p":2}}}`,
		},
		{"Task without parameters", `{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:000000000000:function:f","End":true}`, `1`, []func(*Trial){mocked(`2`)}, `SUCCEEDED 2`, `{"input":1,"afterInputPath":1,"afterParameters":1,"result":2,"afterResultSelector":2,"afterResultPath":2}`},
		{
			"Task in JSONata", `{` + invoke + `,` + inJSONata + `,"Arguments":{"FunctionName":"f","Payload":"{% $states.input %}"},"Output":"{% $states.result.Payload %}","Assign":{"v":"{% $states.result.Payload %}"},"End":true}`, `1`,
			[]func(*Trial){mocked(`{"Payload":2}`)},
			`SUCCEEDED 2`, `{"input":1,"afterArguments":{"FunctionName":"f","Payload":1},"result":{"Payload":2},"variables":{"v":2}}`,
		},
		{
			"a context object that is given", `{` + invoke + `,"Parameters":{"FunctionName.$":"$$.Task.Token"},"End":true}`, `1`,
			[]func(*Trial){mocked(`{}`), func(in *Trial) { in.Context = object("Task", object("Token", "t")) }},
			`SUCCEEDED {}`,
			`{"input":1,"afterInputPath":1,"afterParameters":{"FunctionName":"t"},"result":{},"afterResultSelector":{},"afterResultPath":{}}`,
		},
		{
			"Task that may be tried again", `{` + invoke + `,` + inJSONata + `,"Arguments":{"FunctionName":"f"},"Retry":[{"ErrorEquals":["Other"]},{"ErrorEquals":["States.ALL"],"IntervalSeconds":2,"BackoffRate":3,"MaxDelaySeconds":10}],"End":true}`, `1`,
			[]func(*Trial){raises("E"), func(in *Trial) { in.Retries = 2 }},
			`RETRIABLE E: c`, `{"input":1,"afterArguments":{"FunctionName":"f"},"errorDetails":{"retryBackoffIntervalSeconds":10,"retryIndex":1}}`,
		},
		{
			"Task whose next try is far away", `{` + invoke + `,"Parameters":{},"Retry":[{"ErrorEquals":["E"],"MaxAttempts":1000,"BackoffRate":10}],"End":true}`, `1`,
			[]func(*Trial){raises("E"), func(in *Trial) { in.Retries = 900 }},
			`RETRIABLE E: c`,
			`{"input":1,"afterInputPath":1,"afterParameters":{},"errorDetails":{"retryBackoffIntervalSeconds":2147483647,"retryIndex":0}}`,
		},
		{
			"Task that was tried often enough", `{` + invoke + `,"Parameters":{},"Retry":[{"ErrorEquals":["E"],"MaxAttempts":2}],"End":true}`, `1`,
			[]func(*Trial){raises("E"), func(in *Trial) { in.Retries = 2 }},
			`FAILED E: c`, `{"input":1,"afterInputPath":1,"afterParameters":{}}`,
		},
		{
			"Task whose failure is caught", `{` + invoke + `,"Parameters":{},"Catch":[{"ErrorEquals":["Other"],"Next":"O"},{"ErrorEquals":["States.TaskFailed"],"ResultPath":"$.e","Assign":{"v.$":"$.Error"},"Next":"N"}],"End":true}`, `{"a":1}`,
			[]func(*Trial){raises("E")},
			`CAUGHT_ERROR E: c {"a":1,"e":{"Error":"E","Cause":"c"}} N`,
			`{"input":{"a":1},"afterInputPath":{"a":1},"afterParameters":{},"errorDetails":{"catchIndex":1},"variables":{"v":"E"}}`,
		},
		{
			"Task whose failure is caught in JSONata", `{` + invoke + `,` + inJSONata + `,"Arguments":{},"Catch":[{"ErrorEquals":["States.ALL"],"Output":"{% $states.errorOutput.Error & $states.context.State.RetryCount %}","Next":"N"}],"End":true}`, `1`,
			[]func(*Trial){raises("E"), func(in *Trial) { in.Retries = 1 }},
			`CAUGHT_ERROR E: c "E1" N`, `{"input":1,"afterArguments":{},"errorDetails":{"catchIndex":0}}`,
		},
		{
			"an expression that fails", `{` + invoke + `,"Parameters":{"FunctionName.$":"$.none"},"End":true}`, `{}`,
			[]func(*Trial){mocked(`{}`)},
			`FAILED States.Runtime: *`, `{"input":{},"afterInputPath":{}}`,
		},
		{
			"Parallel", `{` + branches + `,"Parameters":{"x":1},"ResultSelector":{"all.$":"$"}}`, `1`,
			[]func(*Trial){mocked(`[2]`)},
			`SUCCEEDED {"all":[2]}`,
			`{"input":1,"afterParameters":{"x":1},"afterResultSelector":{"all":[2]},"afterResultPath":{"all":[2]}}`,
		},
		{"Parallel in JSONata", `{` + branches + `,` + inJSONata + `,"Arguments":{"x":1},"Output":"{% $states.result %}"}`, `1`, []func(*Trial){mocked(`[2]`)}, `SUCCEEDED [2]`, `{"input":1}`},
		{
			"Parallel whose failure is caught", `{` + branches + `,"Catch":[{"ErrorEquals":["E"],"Next":"N"}]}`, `1`,
			[]func(*Trial){raises("E")},
			`CAUGHT_ERROR E: c {"Error":"E","Cause":"c"} N`, `{"input":1,"errorDetails":{"catchIndex":0}}`,
		},
		{
			"Map", mapOf(`,"ItemsPath":"$.v","ItemSelector":{"i.$":"$$.Map.Item.Index","n.$":"$$.Map.Item.Value"},"MaxConcurrency":3,"ToleratedFailurePercentage":50`), `{"v":[1,2]}`,
			[]func(*Trial){mocked(`[8,9]`), func(in *Trial) { in.FailedItems = 1 }},
			`SUCCEEDED [8,9]`,
			`{"input":{"v":[1,2]},"afterInputPath":{"v":[1,2]},"afterItemsPath":[1,2],"maxConcurrency":3,"toleratedFailurePercentage":50,"afterItemSelector":[{"i":0,"n":1},{"i":1,"n":2}],"afterResultSelector":[8,9],"afterResultPath":[8,9]}`,
		},
		{
			"Map in JSONata", mapOf(`,` + inJSONata + `,"Items":"{% $states.input %}","MaxConcurrency":"{% 2 %}","ToleratedFailureCount":"{% 1 %}","Output":"{% $count($states.result) %}"`), `[1,2]`,
			[]func(*Trial){mocked(`[8,9]`)},
			`SUCCEEDED 2`, `{"input":[1,2],"maxConcurrency":2,"toleratedFailureCount":1}`,
		},
		{
			"Map of which too many failed", mapOf(`,"ToleratedFailureCount":1`), `[1,2]`,
			[]func(*Trial){mocked(`[8,9]`), func(in *Trial) { in.FailedItems = 2 }},
			`FAILED States.ExceedToleratedFailureThreshold: The specified tolerated failure threshold was exceeded`,
			`{"input":[1,2],"afterInputPath":[1,2],"afterItemsPath":[1,2],"maxConcurrency":0,"toleratedFailureCount":1}`,
		},
		{
			"inline Map", inlineOf(`,"ItemsPath":"$.v","ItemSelector":{"n.$":"$$.Map.Item.Value"}`), `{"v":[1]}`,
			[]func(*Trial){mocked(`[9]`)},
			`SUCCEEDED [9]`,
			`{"input":{"v":[1]},"afterInputPath":{"v":[1]},"afterItemsPath":[1],"maxConcurrency":0,"afterItemSelector":[{"n":1}],"afterResultSelector":[9],"afterResultPath":[9]}`,
		},
		{
			"inline Map of nothing has the mock's result", inlineOf(`,` + inJSONata + `,"Items":[]`), `1`, []func(*Trial){mocked(`[9]`)}, `SUCCEEDED [9]`, `{"input":1,"maxConcurrency":0}`,
		},
		{
			"Map of what is no array", mapOf(`,"ItemsPath":"$.v"`), `{"v":1}`,
			[]func(*Trial){mocked(`[]`)},
			`FAILED States.Runtime: Reference path "$.v" must point to array.`,
			`{"input":{"v":1},"afterInputPath":{"v":1}}`,
		},
		{
			"Map of a context object that is no array", inlineOf(`,"ItemsPath":"$$"`), `1`, []func(*Trial){mocked(`[]`)}, `FAILED States.Runtime: Reference path "$" must point to array.`, `{"input":1,"afterInputPath":1}`,
		},
		{
			"Map of items that were read", mapOf(reader + `,"ItemSelector":{"n.$":"$$.Map.Item.Value"},"ItemBatcher":{"MaxItemsPerBatch":2,"BatchInput":{"b":1}}`), `1`,
			[]func(*Trial){mocked(`[7]`), given(ItemsRead{Items: []any{int64(1), int64(2), int64(3)}, Pointed: "all", HasPointed: true})},
			`SUCCEEDED [7]`,
			`{"input":1,"afterInputPath":1,"maxConcurrency":0,"afterItemSelector":[{"n":1},{"n":2},{"n":3}],"afterItemsPointer":"all",` +
				`"afterItemBatcher":[{"BatchInput":{"b":1},"Items":[{"n":1},{"n":2}]},{"BatchInput":{"b":1},"Items":[{"n":3}]}],"afterResultSelector":[7],"afterResultPath":[7]}`,
		},
		{
			"Map whose items cannot be read", mapOf(reader), `1`, []func(*Trial){mocked(`[7]`), func(in *Trial) {
				in.Read = func(*Transfer) (ItemsRead, *Failure) { return ItemsRead{}, &Failure{Error: errItemReader, Cause: "no"} }
			}}, `FAILED States.ItemReaderFailed: no`, `{"input":1,"afterInputPath":1,"maxConcurrency":0}`,
		},
		{
			"Map that may be tried again", mapOf(`,"Retry":[{"ErrorEquals":["States.ExceedToleratedFailureThreshold"],"JitterStrategy":"NONE"}]`), `[1]`,
			[]func(*Trial){mocked(`[7]`), func(in *Trial) { in.FailedItems = 1 }},
			`RETRIABLE States.ExceedToleratedFailureThreshold: The specified tolerated failure threshold was exceeded`,
			`{"input":[1],"afterInputPath":[1],"afterItemsPath":[1],"maxConcurrency":0,"errorDetails":{"retryBackoffIntervalSeconds":1,"retryIndex":0}}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, name, findings := ParseState([]byte(tt.definition), "", Options{})
			if m == nil {
				t.Fatal(findings)
			}
			input, err := value.Parse([]byte(tt.input))
			if err != nil {
				t.Fatal(err)
			}
			in := Trial{Name: name, Single: true, Input: input}
			for _, change := range tt.with {
				change(&in)
			}
			r := m.Try(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), in)
			if got := trialText(r); got != tt.want && (!strings.HasSuffix(tt.want, "*") || !strings.HasPrefix(got, strings.TrimSuffix(tt.want, "*"))) {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			want, err := value.Parse([]byte(tt.seen))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(asTexts(want), asTexts(r.Seen)); diff != "" {
				t.Errorf("seen (-want +got)\n%s", diff)
			}
		})
	}
}

// trialText is a result in one line.
func trialText(r *TrialResult) string {
	out := string(r.Status)
	if r.Failure != nil {
		out += " " + r.Failure.Error + ": " + r.Failure.Cause
	}
	if r.HasOutput {
		out += " " + value.String(r.Output)
	}
	if r.Next != "" {
		out += " " + r.Next
	}
	return out
}

// asTexts are an object's, each as JSON.
func asTexts(v any) map[string]string {
	out := map[string]string{}
	if o, ok := v.(*value.Object); ok {
		for k, e := range o.All() {
			out[k] = value.String(e)
		}
	}
	return out
}

// Within a machine, states that only look at their input show it after an
// InputPath alone.
func TestATrialWithinAMachineShowsLess(t *testing.T) {
	t.Parallel()
	m, _, findings := ParseState([]byte(`{"StartAt":"A","States":{"A":{"Type":"Succeed"},"B":{"Type":"Succeed","InputPath":"$.a"},"C":{"Type":"Pass","Next":"Nowhere"}}}`), "A", Options{})
	if m == nil {
		t.Fatal(findings)
	}
	for name, want := range map[string]bool{"A": false, "B": true, "C": true} {
		r := m.Try(time.Time{}, Trial{Name: name, Input: value.Of("a", int64(1))})
		if _, shown := r.Seen.Get("afterInputPath"); shown != want || r.Status != TrialSucceeded {
			t.Errorf("%s: %s, %t", name, r.Status, shown)
		}
	}
	if r := m.Try(time.Time{}, Trial{Name: "None"}); r.Status != TrialFailed || r.Failure == nil {
		t.Errorf("a state that is not there: %+v", r)
	}
}

func TestAMockIsNoLargerThanAResultMayBe(t *testing.T) {
	t.Parallel()
	m, name, findings := ParseState([]byte(`{`+invoke+`,"Parameters":{},"End":true}`), "", Options{})
	if m == nil {
		t.Fatal(findings)
	}
	r := m.Try(time.Time{}, Trial{
		Name: name, Info: Info{Limits: Limits{Payload: 10}}, Input: int64(1),
		Work: func(Action) (any, *Failure) { return "more than ten bytes", nil },
	})
	if r.Failure == nil || r.Failure.Error != "States.DataLimitExceeded" {
		t.Errorf("%+v", r.Failure)
	}
}

// A state within a Map has its input for the item.
func TestATrialWithinAMapHasAnItem(t *testing.T) {
	t.Parallel()
	const inner = `{"StartAt":"P","States":{"P":{"Type":"Parallel","End":true,"Branches":[{"StartAt":"In","States":{"In":{"Type":"Pass","Parameters":{"i.$":"$$.Map.Item.Index","v.$":"$$.Map.Item.Value"},"End":true}}}]}}}`
	m, _, findings := ParseState([]byte(`{"StartAt":"M","States":{"M":{"Type":"Map","End":true,"ItemProcessor":`+inner+`}}}`), "In", Options{})
	if m == nil {
		t.Fatal(findings)
	}
	if got := trialText(m.Try(time.Time{}, Trial{Name: "In", Input: "x"})); got != `SUCCEEDED {"i":0,"v":"x"}` {
		t.Error(got)
	}
	m, _, findings = ParseState([]byte(inner), "In", Options{})
	if m == nil {
		t.Fatal(findings)
	}
	if r := m.Try(time.Time{}, Trial{Name: "In", Input: "x"}); r.Status != TrialFailed {
		t.Errorf("without a Map: %s", trialText(r))
	}
}
