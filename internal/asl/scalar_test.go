package asl

import (
	"testing"
	"time"
)

// scalarAt is a ...Path field that refers to $.v.
func scalarAt(t *testing.T, field string) *scalar {
	t.Helper()
	f, err := newPathField("$.v", true)
	if err != nil {
		t.Fatal(err)
	}
	return &scalar{Field: field, path: f}
}

func TestScalarsGivenByPaths(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ field, input, want string }{
		{"SecondsPath", `{"v": 1}`, ""},
		{"SecondsPath", `{"v": 0}`, ""},
		{"SecondsPath", `{"v": 1.5}`, "The SecondsPath parameter cannot be parsed as a long value: $.v == 1.5"},
		{"SecondsPath", `{"v": -1.5}`, "The SecondsPath parameter cannot be parsed as a long value: $.v == -1.5"},
		{"SecondsPath", `{"v": "1"}`, "The SecondsPath parameter cannot be parsed as a long value: $.v == 1"},
		{"SecondsPath", `{"v": -1}`, "The SecondsPath parameter references a negative value: $.v == -1"},
		{"SecondsPath", `{}`, "The SecondsPath parameter does not reference an input value: $.v"},
		{"TimeoutSecondsPath", `{}`, "Invalid path '$.v' : No results for path: $['v']"},
		{"HeartbeatSecondsPath", `{"v": "x"}`, "The HeartbeatSecondsPath parameter cannot be parsed as a long value: $.v == x"},
		{"MaxConcurrencyPath", `{"v": "NoNumber"}`, `The MaxConcurrencyPath field refers to value "NoNumber" which is not a valid integer: $.v`},
		{"ToleratedFailureCountPath", `{"v": {}}`, `The ToleratedFailureCountPath field refers to value "{}" which is not a valid integer: $.v`},
		{"ToleratedFailureCountPath", `{"v": -1}`, "ToleratedFailureCount cannot be negative."},
		{"MaxItemsPath", `{"v": "12"}`, ""},
		{"MaxItemsPath", `{"v": -1}`, "field MaxItems must be positive"},
	} {
		_, failure := scalarAt(t, tt.field).seconds(&scope{input: parsed(t, tt.input)})
		if failure == nil && tt.want != "" || failure != nil && failure.Cause != tt.want {
			t.Errorf("%s of %s: %+v", tt.field, tt.input, failure)
		}
	}
	for _, tt := range []struct{ input, want string }{
		{`{"v": 1.1}`, ""},
		{`{"v": "NoNumber"}`, `The ToleratedFailurePercentagePath field refers to value "NoNumber" which is not a valid float: $.v`},
		{`{"v": {}}`, `The ToleratedFailurePercentagePath field refers to value "{}" which is not a valid float: $.v`},
		{`{"v": -1.1}`, "ToleratedFailurePercentage must be between 0 and 100."},
		{`{"v": 100.5}`, "ToleratedFailurePercentage must be between 0 and 100."},
	} {
		_, failure := scalarAt(t, "ToleratedFailurePercentagePath").float(&scope{input: parsed(t, tt.input)})
		if failure == nil && tt.want != "" || failure != nil && failure.Cause != tt.want {
			t.Errorf("%s: %+v", tt.input, failure)
		}
	}
}

func TestTimestampsGivenByPaths(t *testing.T) {
	t.Parallel()
	want := time.Date(2016, 12, 5, 21, 29, 29, 0, time.UTC)
	for _, tt := range []struct {
		input string
		ok    bool
	}{
		{`"2016-12-05T21:29:29Z"`, true},
		{`"2016-12-05T21:29:29.000000Z"`, true},
		{`"2016-12-05T22:29:29+01:00"`, true},
		{`"2016-12-05T21:29:29"`, false},
		{`"2016-12-05T21:29:29.000000"`, false},
		{`"05-12-2016T21:29:29Z"`, false},
		{`"2016-13-05T21:29:29Z"`, false},
		{`"2016-12-05T25:29:29Z"`, false},
		{`"2016-12-05t21:29:29z"`, false},
		{`"2016-12-05 21:29:29Z"`, false},
		{`7`, false},
	} {
		v := parsed(t, tt.input)
		got, failure := scalarAt(t, "TimestampPath").time(&scope{input: parsed(t, `{"v": `+tt.input+`}`)})
		switch {
		case tt.ok && (failure != nil || !got.Equal(want)):
			t.Errorf("%s: %s %+v", tt.input, got, failure)
		case !tt.ok && (failure == nil || failure.Cause !=
			"The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: $.v == "+rawText(v)):
			t.Errorf("%s: %+v", tt.input, failure)
		}
	}
	if _, failure := scalarAt(t, "TimestampPath").time(&scope{input: parsed(t, `{}`)}); failure == nil ||
		failure.Cause != "The TimestampPath parameter does not reference an input value: $.v" {
		t.Errorf("a missing value: %+v", failure)
	}
}

func TestTextsGivenByPaths(t *testing.T) {
	t.Parallel()
	s := scalarAt(t, "CausePath")
	if got, failure := s.text(&scope{input: parsed(t, `{"v": "why"}`)}); failure != nil || got != "why" {
		t.Errorf("got %q %+v", got, failure)
	}
	_, failure := s.text(&scope{input: parsed(t, `{"a":1}`)})
	if failure == nil || failure.Cause != `The JSONPath '$.v' specified for the field 'CausePath' could not be found in the input '{"a":1}'` {
		t.Errorf("a missing value: %+v", failure)
	}
	if _, failure := s.text(&scope{input: parsed(t, `{"v":1}`)}); failure == nil {
		t.Error("a number was taken for a text")
	}
	literal := &scalar{Field: "Cause", Literal: "because"}
	if got, failure := literal.text(&scope{}); failure != nil || got != "because" {
		t.Errorf("a literal gave %q %+v", got, failure)
	}
}
