package asl

import (
	"math/rand/v2"
	"testing"

	"github.com/leat-dev/leat/internal/value"
)

func queryScope(t *testing.T) *scope {
	t.Helper()
	return &scope{
		language: JSONata,
		states:   value.Of("input", parsed(t, `{"a": [1, 2], "s": "x", "n": null}`), "context", value.Of("State", value.Of("Name", "S"))),
		variable: func(name string) (any, bool) { return parsed(t, `{"b": [true]}`), name == "v" },
		random:   rand.New(rand.NewPCG(1, 2)),
	}
}

func TestTemplatesOfJSONata(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ template, want string }{
		{`"{% $states.input.a[1] %}"`, "2"},
		{`"{%$states.context.State.Name%}"`, `"S"`},
		{`{"k": 1, "x.$": "$.a", "o": {"l": [1, "{% $v.b %}", [{"e": "{% $states.input.n %}"}]]}}`, `{"k":1,"x.$":"$.a","o":{"l":[1,[true],[{"e":null}]]}}`},
		{`"a {% 1 %}"`, `"a {% 1 %}"`},
		{`"{% $x := 1 %}"`, "1"},
		{`"{% [] %}"`, "[]"},
		{`"{% $hash('input data', 'SHA-1') %}"`, `"aaff4a450a104cd177d28d18d74485e8cae074b7"`},
		{`"{% $length($uuid()) %}"`, "36"},
		{`"{% $random(5) = $random(5) %}"`, "true"},
		{`"{% $parse('{\"a\": 1}').a %}"`, "1"},
	} {
		got, failure := compiled(t, tt.template, JSONata).eval(queryScope(t), "Output")
		if failure != nil || value.String(got) != tt.want {
			t.Errorf("%s: got %s (%+v)", tt.template, value.String(got), failure)
		}
	}
}

func TestQueriesThatFail(t *testing.T) {
	t.Parallel()
	const expression = "The JSONata expression '"
	for _, tt := range []struct{ template, location, want string }{
		{`"{% $doesNotExist %}"`, "Output", expression + "$doesNotExist' specified for the field 'Output' returned nothing (undefined)."},
		{`{"result": "{% $doesNotExist %}"}`, "Output/result", expression + "$doesNotExist' specified for the field 'Output/result' returned nothing (undefined)."},
		{`{"a": [1, {"b": "{% $states.input.x %}"}]}`, "Output/a[1]/b", expression + "$states.input.x' specified for the field 'Output/a[1]/b' returned nothing (undefined)."},
		{`["{% a %}"]`, "Output[0]", expression + "a' specified for the field 'Output[0]' returned nothing (undefined)."},
		{`"{% $fn := function($x){$x} %}"`, "Output", expression + "$fn := function($x){$x}' specified for the field 'Output' returned an unsupported result type."},
		{`{"f": "{% $randomSeeded(1) %}"}`, "Output/f", expression + "$randomSeeded(1)' specified for the field 'Output/f' threw an error during evaluation. T1006: Attempted to invoke a non-function"},
		{`{"f": "{% $eval('1') %}"}`, "Output/f", expression + "$eval('1')' specified for the field 'Output/f' threw an error during evaluation. T1006: Attempted to invoke a non-function"},
	} {
		_, failure := compiled(t, tt.template, JSONata).eval(queryScope(t), "Output")
		if failure == nil || failure.Error != "States.QueryEvaluationError" || failure.Cause != tt.want || failure.Location != tt.location || !failure.runtime {
			t.Errorf("%s: %+v", tt.template, failure)
		}
	}
}

func TestQueriesOfAnotherTypeThanExpected(t *testing.T) {
	t.Parallel()
	sc := queryScope(t)
	_, failure := compiled(t, `"{% true %}"`, JSONata).array(sc, "Items")
	if failure == nil || failure.Cause != "The JSONata expression 'true' specified for the field 'Items' returned an unexpected result type. Expected 'array', but was 'boolean' for value: true" {
		t.Errorf("Items: %+v", failure)
	}
	_, failure = compiled(t, `"{% {'foo': 'bar'} %}"`, JSONata).array(sc, "Items")
	if failure == nil || failure.Cause != `The JSONata expression '{'foo': 'bar'}' specified for the field 'Items' returned an unexpected result type. Expected 'array', but was 'object' for value: {"foo":"bar"}` {
		t.Errorf("Items: %+v", failure)
	}
	s := &scalar{Field: "Timestamp", tmpl: compiled(t, `"{% '2016-13-05T21:29:29Z' %}"`, JSONata)}
	if _, failure = s.time(sc); failure == nil || failure.Error != "States.QueryEvaluationError" || failure.Location != "Timestamp" ||
		failure.Cause != "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: 2016-13-05T21:29:29Z" {
		t.Errorf("Timestamp: %+v", failure)
	}
	s = &scalar{Field: "Seconds", tmpl: compiled(t, `"{% 'soon' %}"`, JSONata)}
	if _, failure = s.seconds(sc); failure == nil || failure.Location != "Seconds" ||
		failure.Cause != `The JSONata expression ''soon'' specified for the field 'Seconds' returned an unexpected result type. Expected 'integer', but was 'string' for value: "soon"` {
		t.Errorf("Seconds: %+v", failure)
	}
	s = &scalar{Field: "MaxConcurrency", tmpl: compiled(t, `"{% $variable := 2 %}"`, JSONata)}
	if n, failure := s.count(sc); failure != nil || n != 2 {
		t.Errorf("MaxConcurrency: %d %+v", n, failure)
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		condition string
		want      bool
		failure   string
	}{
		{"true", true, ""},
		{"false", false, ""},
		{`"{% $states.input.s = 'x' %}"`, true, ""},
		{`"{% $not($v.b[0]) %}"`, false, ""},
		{`"{% 1 %}"`, false, "The JSONata expression '1' specified for the field 'Choices[0]/Condition' returned an unexpected result type. Expected 'boolean', but was 'number' for value: 1"},
		{`"{% $none %}"`, false, "The JSONata expression '$none' specified for the field 'Choices[0]/Condition' returned nothing (undefined)."},
	} {
		got, failure := ruleOf(t, `{"Condition": `+tt.condition+`, "Next": "N"}`, JSONata).matches(queryScope(t))
		cause := ""
		if failure != nil {
			cause = failure.Cause
		}
		if got != tt.want || cause != tt.failure {
			t.Errorf("%s: %v %+v", tt.condition, got, failure)
		}
	}
}
