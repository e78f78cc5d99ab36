package asl

import (
	"slices"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/value"
)

// Whatever is tried ends in one of the four ways, and tells which.
func FuzzTry(f *testing.F) {
	for _, definition := range []string{
		`{"Type":"Pass","Parameters":{"a.$":"$.a"},"ResultPath":"$.b[0].c","End":true}`,
		`{"Type":"Choice","Choices":[{"Variable":"$.a","NumericEquals":1,"Next":"X","Assign":{"v.$":"$"}}]}`,
		`{"Type":"Wait","TimestampPath":"$.t","Next":"X"}`,
		`{"Type":"Fail","ErrorPath":"$.a","Cause":"C"}`,
		`{` + invoke + `,"TimeoutSecondsPath":"$.n","Retry":[{"ErrorEquals":["States.ALL"],"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.e","Next":"X"}],"End":true}`,
		`{` + invoke + `,` + inJSONata + `,"Arguments":"{% $states.input %}","Output":"{% $states.result.x[0] %}","Catch":[{"ErrorEquals":["E"],"Output":"{% $states.errorOutput %}","Next":"X"}],"End":true}`,
		`{` + branches + `,"ResultSelector":{"x.$":"$[0]"},"OutputPath":"$.x"}`,
		mapOf(`,"ItemsPath":"$.v","ItemSelector":{"x.$":"$$.Map.Item.Value"},"ItemBatcher":{"MaxItemsPerBatchPath":"$.n"},"ToleratedFailurePercentagePath":"$.n"`),
		mapOf(reader + `,"MaxConcurrencyPath":"$.n"`),
		inlineOf(`,` + inJSONata + `,"Items":"{% $states.input %}","MaxConcurrency":"{% -1 %}"`),
	} {
		f.Add(definition, `{"a":1,"n":-2,"v":[1,{"x":2}],"t":"2026-01-01T00:00:00Z"}`, `[{"x":[1]}]`, int64(1), true)
		f.Add(definition, `[1,2]`, `null`, int64(-1), false)
	}
	f.Fuzz(func(t *testing.T, definition, input, mock string, n int64, fails bool) {
		m, name, _ := ParseState([]byte(definition), "", Options{})
		if m == nil {
			return
		}
		in, err := value.Parse([]byte(input))
		if err != nil {
			return
		}
		result, err := value.Parse([]byte(mock))
		if err != nil {
			return
		}
		o, _ := in.(*value.Object)
		items, _ := result.([]any)
		r := m.Try(time.Unix(0, 0), Trial{
			Name: name, Single: true, Input: in, Variables: o, Context: o, Retries: n, FailedItems: int(n),
			Info: Info{Limits: Limits{Payload: 1 << 12, JSONataDepth: 50, JSONataSteps: 10_000}},
			Work: func(Action) (any, *Failure) {
				if fails {
					return nil, &Failure{Error: input, Cause: mock}
				}
				return result, nil
			},
			Read: func(*Transfer) (ItemsRead, *Failure) { return ItemsRead{Items: items}, nil },
		})
		if !slices.Contains([]TrialStatus{TrialSucceeded, TrialFailed, TrialRetriable, TrialCaught}, r.Status) {
			t.Errorf("status %q", r.Status)
		}
		if (r.Status == TrialSucceeded) == (r.Failure != nil) {
			t.Errorf("%s with failure %v", r.Status, r.Failure)
		}
		if left := r.Status == TrialSucceeded || r.Status == TrialCaught; left != r.HasOutput {
			t.Errorf("%s with output: %t", r.Status, r.HasOutput)
		}
		if _, ok := r.Seen.Get("input"); !ok {
			t.Error("the input is not shown")
		}
	})
}
