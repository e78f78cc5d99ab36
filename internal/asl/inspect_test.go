package asl

import (
	"testing"
	"time"

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
