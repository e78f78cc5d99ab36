package asl

import (
	"testing"

	"github.com/leat-dev/leat/internal/value"
)

func compiled(t *testing.T, text string, language Language) *template {
	t.Helper()
	out, err := compileTemplate(parsed(t, text), language, "/States/S/Parameters")
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out
}

func TestPayloadTemplates(t *testing.T) {
	t.Parallel()
	sc := &scope{
		language: JSONPath,
		input:    parsed(t, `{"a": [1, 2], "s": "x"}`),
		context:  value.Of("State", value.Of("Name", "S")),
		variable: func(name string) (any, bool) { return true, name == "v" },
	}
	for _, tt := range []struct{ template, want string }{
		{`{"k": 1, "n": null, "$.x": "$.a"}`, `{"k":1,"n":null,"$.x":"$.a"}`},
		{`{"k.$": "$.a[0]", "c.$": "$$.State.Name", "v.$": "$v", "f.$": "States.Format('{}!', $.s)"}`, `{"k":1,"c":"S","v":true,"f":"x!"}`},
		{
			`{"l": [{"e.$": "$.s"}, [{"e.$": "$.a"}], "$.s"], "o": {"p": {"q.$": "$"}}}`,
			`{"l":[{"e":"x"},[{"e":[1,2]}],"$.s"],"o":{"p":{"q":{"a":[1,2],"s":"x"}}}}`,
		},
		{`{"": {".$": "$.s"}}`, `{"":{"":"x"}}`},
		{`"{% 1 %}"`, `"{% 1 %}"`},
	} {
		got, failure := compiled(t, tt.template, JSONPath).eval(sc, "Parameters")
		if failure != nil || value.String(got) != tt.want {
			t.Errorf("%s: got %s (%+v)", tt.template, value.String(got), failure)
		}
	}
}

func TestPayloadTemplatesNameTheFieldThatFindsNothing(t *testing.T) {
	t.Parallel()
	sc := &scope{language: JSONPath, input: parsed(t, `{"a":1}`), context: value.Of("Task", value.NewObject(0))}
	for _, tt := range []struct{ template, want string }{
		{`{"o": {"f.$": "$.none"}}`, `The JSONPath '$.none' specified for the field 'f.$' could not be found in the input '{"a":1}'`},
		{`{"f.$": "$$.Task.Token"}`, `The JSONPath '$$.Task.Token' specified for the field 'f.$' could not be found in the input '{"Task":{}}'`},
	} {
		_, failure := compiled(t, tt.template, JSONPath).eval(sc, "Parameters")
		if failure == nil || failure.Cause != tt.want || failure.Error != "States.Runtime" || !failure.runtime {
			t.Errorf("%s: %+v", tt.template, failure)
		}
	}
}

func TestMalformedTemplates(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"a.$": 1}`, `{"a.$": "x"}`, `{"a.$": null}`, `{"l": [{"a.$": "$["}]}`, `{"a.$": "States.Nope()"}`, `{"a.$": "States.Format('\\x')"}`} {
		_, err := compileTemplate(parsed(t, text), JSONPath, "/at")
		if err == nil || err.Field != "a.$" {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestATemplateDoesNotChangeWhatItIsMadeOf(t *testing.T) {
	t.Parallel()
	shared := parsed(t, `{"a": {"b": 1}}`)
	before := value.String(shared)
	out, failure := compiled(t, `{"x.$": "$.a", "y": {"z": 1}}`, JSONPath).eval(&scope{input: shared}, "Parameters")
	if failure != nil {
		t.Fatal(failure)
	}
	f, err := newReference("$.x.b")
	if err != nil {
		t.Fatal(err)
	}
	if _, failure := f.set(out, "changed"); failure != nil || value.String(shared) != before {
		t.Errorf("the input became %s (%+v)", value.String(shared), failure)
	}
}
