package asl

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/leat-dev/leat/internal/value"
)

// recordedCase is a case of ../shared/sfn-conformance as far as evaluation goes.
type recordedCase struct {
	ID    string `json:"id"`
	Steps []struct {
		Op     string `json:"op"`
		Params struct {
			Definition json.RawMessage `json:"definition"`
			Input      string          `json:"input"`
		} `json:"params"`
	} `json:"steps"`
	Expected map[string]json.RawMessage `json:"expected"`
}

func recordedCases(t *testing.T, file string) []recordedCase {
	t.Helper()
	text, err := os.ReadFile("../../../shared/sfn-conformance/" + file)
	if err != nil {
		t.Skip("no recordings beside the repository")
	}
	var out []recordedCase
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRecordedChoices(t *testing.T) {
	t.Parallel()
	n := 0
	for _, c := range recordedCases(t, "choice_operators.json") {
		for _, raw := range c.Expected {
			var outcomes []struct {
				Input  json.RawMessage `json:"input"`
				Output json.RawMessage `json:"output"`
			}
			if err := json.Unmarshal(raw, &outcomes); err != nil {
				t.Fatalf("%s: %v", c.ID, err)
			}
			var rule *choiceRule
			k := 0
			for _, step := range c.Steps {
				switch step.Op {
				case "CreateStateMachine":
					m, ds := Parse(step.Params.Definition, Options{})
					if m == nil {
						t.Fatalf("%s: %s", c.ID, DefinitionError(ds))
					}
					rule = m.States["CheckValues"].Choices[0]
				case "StartExecution":
					yes, failure := rule.matches(&scope{input: parsed(t, step.Params.Input)})
					got := map[bool]string{true: "ConditionTrue", false: "ConditionFalse"}[yes]
					want, _ := objectOf(t, string(outcomes[k].Output)).Get("TestResult.$")
					if failure != nil || got != want {
						t.Errorf("%s of %s: %s %+v, want %s", c.ID, step.Params.Input, got, failure, want)
					}
					k++
					n++
				}
			}
		}
	}
	t.Logf("%d choices", n)
}

// TestRecordedPasses evaluates the machines that are one Pass state with a
// template alone.
func TestRecordedPasses(t *testing.T) {
	t.Parallel()
	n := 0
	for _, file := range []string{"intrinsic_functions.json", "scenarios.json", "base.json", "evaluate_jsonata.json", "outputdecl.json", "comments.json"} {
		for _, c := range recordedCases(t, file) {
			var s *State
			var inputs []string
			for _, step := range c.Steps {
				switch step.Op {
				case "CreateStateMachine":
					s = lonePass(step.Params.Definition)
				case "StartExecution":
					inputs = append(inputs, step.Params.Input)
				}
			}
			for k, input := range inputs {
				want, ok := recordedOutput(t, c, k, len(inputs))
				if !ok || s == nil {
					continue
				}
				in := parsed(t, input)
				sc := &scope{input: in, states: value.Of("input", in), language: s.Language}
				tmpl := s.Parameters
				if s.Language == JSONata {
					tmpl = s.Output
				}
				got, failure := tmpl.eval(sc, "Output")
				if failure != nil || !value.Equal(got, want) {
					t.Errorf("%s of %s: %s %+v, want %s", c.ID, input, value.String(got), failure, value.String(want))
				}
				n++
			}
		}
	}
	t.Logf("%d evaluations", n)
}

// lonePass is the one state of a machine that does nothing but evaluate a template.
func lonePass(definition []byte) *State {
	m, _ := Parse(definition, Options{})
	if m == nil || len(m.States) != 1 {
		return nil
	}
	s := m.States[m.StartAt]
	if s.Type != Pass || s.InputPath != nil || s.OutputPath != nil || s.ResultPath != nil || s.HasResult || s.Assign != nil || s.Parameters == nil && s.Output == nil {
		return nil
	}
	return s
}

// recordedOutput is the output of the k-th of n executions of a case.
func recordedOutput(t *testing.T, c recordedCase, k, n int) (any, bool) {
	t.Helper()
	for key, raw := range c.Expected {
		var history struct {
			Events []struct {
				Type    string `json:"type"`
				Details struct {
					Output json.RawMessage `json:"output"`
				} `json:"executionSucceededEventDetails"`
			} `json:"events"`
		}
		suffix := "_" + value.String(int64(k))
		if json.Unmarshal(raw, &history) != nil || len(history.Events) == 0 || n > 1 && !strings.HasSuffix(key, suffix) {
			continue
		}
		if history.Events[len(history.Events)-1].Type != "ExecutionSucceeded" {
			continue
		}
		v := parsed(t, string(history.Events[len(history.Events)-1].Details.Output))
		if text, ok := v.(string); ok {
			v = parsed(t, text) // what is no object or array was left as JSON text
		}
		return v, true
	}
	return nil, false
}
