package drive_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/drive"
)

const ordered = `{"StartAt": "Reserve", "States": {
	"Reserve": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "reserve", "Payload.$": "$"}, "OutputPath": "$.Payload",
		"Retry": [{"ErrorEquals": ["Busy"]}], "Catch": [{"ErrorEquals": ["Sold"], "Next": "Sorry"}], "Next": "Large?"},
	"Large?": {"Type": "Choice", "Choices": [{"Variable": "$.total", "NumericGreaterThan": 100, "Next": "Ask"}], "Default": "Done"},
	"Ask": {"Type": "Wait", "Seconds": 86400, "Next": "Done"},
	"Done": {"Type": "Succeed"}, "Sorry": {"Type": "Fail", "Error": "SoldOut"}}}`

func TestCasesOfAFile(t *testing.T) {
	t.Parallel()
	f, err := drive.ParseMocks([]byte(`{"mocks": {"Reserve": {"return": {"Payload": {"total": 5}}}}, "cases": {
		"small": {"expect": {"output": {"total": 5}, "path": ["Reserve", "Large?", "Done"]}},
		"large after a retry": {"input": {"id": 1}, "mocks": {"Reserve": [{"throw": {"error": "Busy"}, "delay": "2s", "times": 2}, {"return": {"Payload": {"total": 500}}}]}, "expect": {"path": ["Reserve", "Large?", "Ask", "Done"]}},
		"sold out": {"mocks": {"Reserve": {"throw": {"error": "Sold", "cause": "x"}}}, "expect": {"error": "SoldOut"}},
		"wrong": {"expect": {"output": {"total": 6, "more": 1}, "path": ["Done"]}},
		"too few answers": {"mocks": {"Reserve": [{"throw": {"error": "Busy"}}]}}}}`), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	m := machine(t, ordered)
	got := map[string]string{}
	covered := drive.NewCoverage(m)
	for _, c := range f.Cases {
		x, wrong := c.Run(t.Context(), drive.Config{Machine: m})
		got[c.Name] = strings.Join(wrong, "\n")
		if c.Name != "large after a retry" {
			covered.Add(x)
		}
	}
	want := map[string]string{
		"small": "", "large after a retry": "", "sold out": "",
		"wrong":           "output.total: expected 6, was 5\noutput.more: expected 1, was missing\npath: expected Done, was Reserve > Large? > Done",
		"too few answers": `the state "Reserve" calls arn:aws:states:::lambda:invoke once more than its mock has answers (1)`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	r := covered.Report()
	if diff := cmp.Diff([]string{"Ask"}, r.Unvisited); diff != "" || r.Percent() != 80 {
		t.Error(diff, r.Percent())
	}
	if len(r.Untaken) != 1 || r.Untaken[0].Branch != "Choices[0]" || r.Untaken[0].Next != "Ask" || r.Ways != 3 {
		t.Errorf("%+v", r)
	}
}

// The format of AWS Step Functions Local, after the example of its documentation.
const awsMocks = `{"StateMachines": {"Order": {"TestCases": {
	"HappyPath": {"Reserve": "Reserved"}, "RetryPath": {"Reserve": "BusyFirst"}, "SoldPath": {"Reserve": "Sold"}}}},
	"MockedResponses": {
		"Reserved": {"0": {"Return": {"StatusCode": 200, "Payload": {"total": 1}}}},
		"BusyFirst": {"0": {"Throw": {"Error": "Busy", "Cause": "c"}}, "1-2": {"Throw": {"Error": "Busy", "Cause": "c"}}, "3": {"Return": {"Payload": {"total": 101}}}},
		"Sold": {"0": {"Throw": {"Error": "Sold", "Cause": "c"}}}}}`

func TestMocksInTheFormatOfAWS(t *testing.T) {
	t.Parallel()
	f, err := drive.ParseMocks([]byte(awsMocks), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range f.Cases {
		x, wrong := c.Run(t.Context(), drive.Config{Machine: machine(t, ordered)})
		got[c.Name] = strings.Join(x.Path(), " ") + strings.Join(wrong, "\n")
	}
	want := map[string]string{
		"HappyPath": "Reserve Large? Done", "RetryPath": "Reserve Large? Ask Done",
		"SoldPath": "Reserve Sorrystatus: expected SUCCEEDED, was FAILED: SoldOut: ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsWrongWithAMockFileIsNamedWithItsPlace(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		`[]`:                   "no JSON object",
		`{"case": {}}`:         "/case: this means nothing here",
		`{"cases": {"a": 1}}`:  "/cases/a: expected an object",
		`{"mocks": {"S": {}}}`: "/mocks/S: expected one of return and throw",
		`{"mocks": {"S": [{"return": 1, "throw": {}}]}}`:                                                     "/mocks/S/0: expected one of return and throw",
		`{"mocks": {"S": {"throw": {"Error": "E"}}}}`:                                                        "/mocks/S/throw/Error: this means nothing here",
		`{"mocks": {"S": {"return": 1, "times": 0}}}`:                                                        "/mocks/S/times: expected a whole number from 1",
		`{"mocks": {"S": {"return": 1, "delay": "soon"}}}`:                                                   "/mocks/S/delay: expected seconds",
		`{"mocks": {"S": {"items": {}}}}`:                                                                    "/mocks/S/items: expected a list",
		`{"cases": {"a": {"expect": {"status": "FINE"}}}}`:                                                   `/cases/a/expect/status: "FINE" is not`,
		`{"cases": {"a": {"expect": {"path": ["a", 1]}}}}`:                                                   "/cases/a/expect/path: expected a list of texts",
		`{"StateMachines": {"A": {}, "B": {}}}`:                                                              `no machine "" but A, B: name one`,
		`{"StateMachines": {"A": {"TestCases": {"c": {"S": "R"}}}}}`:                                         `/StateMachines/A/TestCases/c/S: there is no mocked response "R"`,
		`{"StateMachines": {"A": {}}, "MockedResponses": {"R": {"1": {"Return": 1}}}}`:                       "the call 0 is not answered",
		`{"StateMachines": {"A": {}}, "MockedResponses": {"R": {"2-1": {"Return": 1}}}}`:                     "neither the number of a call nor a range",
		`{"StateMachines": {"A": {}}, "MockedResponses": {"R": {"0-1": {"Return": 1}, "1": {"Return": 1}}}}`: "the call 1 is answered twice",
		`{"StateMachines": {"A": {}}, "MockedResponses": {"R": {"0": {"Return": 1, "Throw": {}}}}}`:          "expected one of Return and Throw",
	}
	for text, want := range tests {
		if _, err := drive.ParseMocks([]byte(text), "", nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzParseMocks(f *testing.F) {
	f.Add([]byte(awsMocks))
	f.Add([]byte(`{"input": 1, "mocks": {"S": [{"return": 1, "delay": 1.5, "times": 3}, {"throw": {"error": "E"}}]}, "cases": {"a": {"expect": {"output": null, "path": []}}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := drive.ParseMocks(text, "", nil)
		if (file == nil) == (err == nil) {
			t.Fatalf("%v and %v", file, err)
		}
	})
}
