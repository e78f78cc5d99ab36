package asl

import (
	"strings"
	"testing"
)

// ruleOf parses a Choice state with one rule.
func ruleOf(t *testing.T, rule string, language Language) *choiceRule {
	t.Helper()
	text := `{"QueryLanguage": "` + string(language) + `", "StartAt": "C", "States": {"C": {"Type": "Choice", "Choices": [` + rule + `]}, "N": {"Type": "Succeed"}}}`
	m, ds := Parse([]byte(text), Options{})
	if m == nil {
		t.Fatalf("%s: %s", rule, DefinitionError(ds))
	}
	return m.States["C"].Choices[0]
}

func TestChoiceOperators(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		operator, operand string
		match, differ     []string
	}{
		{"BooleanEquals", "true", []string{"true"}, []string{"false", "null", "1", `"true"`, "[]"}},
		{"BooleanEquals", "false", []string{"false"}, []string{"true", "null", "0", `""`}},
		{"StringEquals", `"a"`, []string{`"a"`}, []string{`"A"`, `"a "`, "1", "null", `["a"]`}},
		{"StringLessThan", `"b"`, []string{`"a"`, `"B"`, `""`}, []string{`"b"`, `"c"`, "1"}},
		{"StringLessThanEquals", `"b"`, []string{`"a"`, `"b"`}, []string{`"bb"`, "1"}},
		{"StringGreaterThan", `""`, []string{`"a"`}, []string{`""`, "1"}},
		{"StringGreaterThanEquals", `"ab"`, []string{`"ab"`, `"b"`}, []string{`"a"`, "null"}},
		{"NumericEquals", "1", []string{"1", "1.0", "1e0"}, []string{"2", `"1"`, "true", "null"}},
		{"NumericLessThan", "1.5", []string{"1", "-3"}, []string{"1.5", "2", `"1"`}},
		{"NumericLessThanEquals", "1.5", []string{"1.5", "1"}, []string{"2"}},
		{"NumericGreaterThan", "1", []string{"1.1"}, []string{"1", "0", `"2"`}},
		{"NumericGreaterThanEquals", "1", []string{"1", "2"}, []string{"0.9"}},
		{"TimestampEquals", `"2020-01-01T00:00:00Z"`, []string{`"2020-01-01T00:00:00Z"`, `"2020-01-01T01:00:00+01:00"`}, []string{`"2020-01-01T00:00:01Z"`, `"x"`, "1"}},
		{"TimestampLessThan", `"2020-01-01T00:00:00Z"`, []string{`"2019-12-31T23:59:59.999Z"`}, []string{`"2020-01-01T00:00:00Z"`, `"2019"`}},
		{"TimestampLessThanEquals", `"2020-01-01T00:00:00Z"`, []string{`"2020-01-01T00:00:00Z"`}, []string{`"2020-01-01T00:00:00.1Z"`}},
		{"TimestampGreaterThan", `"2020-01-01T00:00:00Z"`, []string{`"2020-01-01T00:00:00.1Z"`}, []string{`"2020-01-01T00:00:00Z"`}},
		{"TimestampGreaterThanEquals", `"2020-01-01T00:00:00Z"`, []string{`"2020-01-01T00:00:00Z"`}, []string{`"2019-01-01T00:00:00Z"`}},
		{"StringMatches", `"log-*.txt"`, []string{`"log-.txt"`, `"log-a.b.txt"`, `"log-.txt.txt"`}, []string{`"log-.tx"`, `"alog-.txt"`, "1"}},
		{"StringMatches", `"a\\*b*"`, []string{`"a*b"`, `"a*bc"`}, []string{`"axb"`}},
		{"StringMatches", `"a\\\\*"`, []string{`"a\\"`, `"a\\b"`}, []string{`"ab"`, `"a*"`}},
		{"StringMatches", `"*a*b*c"`, []string{`"xxaxxbbxxcc"`}, []string{`"acb"`}},
		{"IsNull", "true", []string{"null"}, []string{"0", `""`, "false"}},
		{"IsNull", "false", []string{"0"}, []string{"null"}},
		{"IsBoolean", "true", []string{"true", "false"}, []string{"null", "1"}},
		{"IsNumeric", "true", []string{"0", "1.5", "-2e3"}, []string{"null", `"1"`, "true"}},
		{"IsNumeric", "false", []string{"null", `"1"`}, []string{"1"}},
		{"IsString", "true", []string{`""`}, []string{"null", "1", "[]"}},
		{"IsTimestamp", "true", []string{`"2020-01-01T00:00:00Z"`, `"2020-01-01T00:00:00.5+02:00"`}, []string{`"2020-01-01"`, `"2020-01-01T00:00:00"`, "1"}},
		{"IsPresent", "true", []string{"null", "0"}, nil},
		{"IsPresent", "false", nil, []string{"null", "1"}},
	} {
		r := ruleOf(t, `{"Variable": "$.v", "`+tt.operator+`": `+tt.operand+`, "Next": "N"}`, JSONPath)
		check := func(v string, want bool) {
			if got, failure := r.matches(&scope{input: parsed(t, `{"v": `+v+`}`)}); failure != nil || got != want {
				t.Errorf("%s %s of %s: %v %+v", tt.operator, tt.operand, v, got, failure)
			}
		}
		for _, v := range tt.match {
			check(v, true)
		}
		for _, v := range tt.differ {
			check(v, false)
		}
		if strings.HasPrefix(tt.operator, "Is") || tt.operator == "StringMatches" {
			continue
		}
		r = ruleOf(t, `{"Variable": "$.v", "`+tt.operator+`Path": "$$.o", "Next": "N"}`, JSONPath)
		for _, v := range tt.match {
			sc := &scope{input: parsed(t, `{"v": `+v+`}`), context: objectOf(t, `{"o": `+tt.operand+`}`)}
			if got, failure := r.matches(sc); failure != nil || !got {
				t.Errorf("%sPath %s of %s: %v %+v", tt.operator, tt.operand, v, got, failure)
			}
		}
	}
}

func TestAMissingVariableFailsAllButIsPresent(t *testing.T) {
	t.Parallel()
	sc := &scope{input: parsed(t, `{"v": 1}`)}
	for _, tt := range []struct {
		rule    string
		want    bool
		failure string
	}{
		{`{"Variable": "$.x", "IsPresent": false, "Next": "N"}`, true, ""},
		{`{"Variable": "$.x.y[0]", "IsPresent": true, "Next": "N"}`, false, ""},
		{`{"Variable": "$.x", "IsNull": true, "Next": "N"}`, false, "Invalid path '$.x': The choice state's condition path references an invalid value."},
		{`{"Variable": "$.v", "NumericEqualsPath": "$.x", "Next": "N"}`, false, "Invalid path '$.x': The choice state's condition path references an invalid value."},
		{`{"And": [{"Variable": "$.x", "IsPresent": true}, {"Variable": "$.x", "IsNull": true}], "Next": "N"}`, false, ""},
		{`{"Or": [{"Variable": "$.v", "NumericEquals": 1}, {"Variable": "$.x", "IsNull": true}], "Next": "N"}`, true, ""},
		{`{"Not": {"Variable": "$.x", "IsNull": true}, "Next": "N"}`, false, "Invalid path '$.x': The choice state's condition path references an invalid value."},
	} {
		got, failure := ruleOf(t, tt.rule, JSONPath).matches(sc)
		cause := ""
		if failure != nil {
			cause = failure.Cause
		}
		if got != tt.want || cause != tt.failure {
			t.Errorf("%s: %v %+v", tt.rule, got, failure)
		}
	}
}

func TestCombinedRules(t *testing.T) {
	t.Parallel()
	sc := &scope{input: parsed(t, `{"v": 5}`)}
	const yes, no = `{"Variable": "$.v", "NumericEquals": 5}`, `{"Variable": "$.v", "NumericEquals": 6}`
	for rule, want := range map[string]bool{
		`"And": [` + yes + `,` + yes + `]`: true,
		`"And": [` + yes + `,` + no + `]`:  false,
		`"Or": [` + no + `,` + yes + `]`:   true,
		`"Or": [` + no + `,` + no + `]`:    false,
		`"Not": ` + no:                     true,
		`"Not": {"And": [` + yes + `,{"Or": [` + no + `,{"Not": ` + no + `}]}]}`: false,
	} {
		if got, failure := ruleOf(t, `{`+rule+`, "Next": "N"}`, JSONPath).matches(sc); failure != nil || got != want {
			t.Errorf("%s: %v %+v", rule, got, failure)
		}
	}
}

func TestAPatternOfManyStarsIsMatchedInReasonableTime(t *testing.T) {
	t.Parallel()
	if matchPattern(strings.Repeat("*a", 500)+"b", strings.Repeat("a", 5000)) {
		t.Error("matched")
	}
}
