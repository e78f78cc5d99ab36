package jsonata_test

import (
	"os"
	"strings"
	"testing"

	"github.com/leat-dev/leat/internal/jsonata"
	"github.com/leat-dev/leat/internal/value"
)

// FuzzCompileEval looks for panics and for evaluations that do not end.
func FuzzCompileEval(f *testing.F) {
	data, err := os.ReadFile("testdata/expressions.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.SplitSeq(string(data), "\n") {
		if text, ok := strings.CutPrefix(line, "> "); ok {
			f.Add(text, `{"a":[{"b":1,"c":"x"},{"b":[2,3],"c":"y"}],"b":5}`)
		}
	}
	f.Fuzz(func(t *testing.T, text, data string) {
		e, err := jsonata.Compile(text)
		if err != nil {
			return
		}
		e.References()
		input, err := value.Parse([]byte(data))
		if err != nil {
			input = jsonata.Undefined{}
		}
		before := value.String(input)
		env := &jsonata.Env{Limits: jsonata.Limits{MaxDepth: 200, MaxSteps: 50_000, MaxSize: 200_000}}
		v, ok, err := e.Eval(input, env)
		if err == nil && ok && !jsonata.HasFunction(v) {
			text := value.Append(nil, v)
			if _, err := value.Parse(text); err != nil {
				t.Errorf("the result has no JSON text: %s: %v", text, err)
			}
		}
		if after := value.String(input); after != before {
			t.Errorf("the input has become %s", after)
		}
	})
}
