package asl_test

import (
	"testing"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/value"
)

const wanted = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

func TestJSONErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"a": [1, -2.5e+3, "x\n\u00e9", true, false, null, {}, []]}`: "",
		` 1 `:        "",
		`not json`:   "Unrecognized token 'not': was expecting " + wanted,
		`{'a': 1}`:   "Unexpected character (''' (code 39)): was expecting double-quote to start field name",
		`{"a": 1,}`:  "Unexpected character ('}' (code 125)): was expecting double-quote to start field name",
		`{"a" 1}`:    "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
		`{"a": 1 2}`: "Unexpected character ('2' (code 50)): was expecting comma to separate Object entries",
		`[1 2]`:      "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries",
		`[1,`:        "Unexpected end-of-input",
		`[1`:         "Unexpected end-of-input: expected close marker for Array",
		`{"a": 1`:    "Unexpected end-of-input: expected close marker for Object",
		`"a`:         "Unexpected end-of-input: was expecting closing quote for a string value",
		`"\x"`:       "Unrecognized character escape 'x' (code 120)",
		`"\`:         "Unexpected end-of-input in character escape sequence",
		`"\u00g0"`:   "Unexpected character ('g' (code 103)): expected a hex-digit for character escape sequence",
		"\"\n\"":     "Illegal unquoted character ((CTRL-CHAR, code 10)): has to be escaped using backslash to be included in string value",
		`01`:         "Invalid numeric value: Leading zeroes not allowed",
		`-`:          "Unexpected end-of-input",
		`-a`:         "Unexpected character ('a' (code 97)): expected digit (0-9) to follow minus sign, for valid numeric value",
		`1.a`:        "Unexpected character ('a' (code 97)): Decimal point not followed by a digit",
		`1ea`:        "Unexpected character ('a' (code 97)): Exponent indicator not followed by a digit",
		`%`:          "Unexpected character ('%' (code 37)): expected a valid value " + wanted,
		``:           "No content to map due to end-of-input",
		` `:          "No content to map due to end-of-input",
		`{} x`:       "Unrecognized token 'x': was expecting " + wanted,
	} {
		if got := asl.JSONError([]byte(text)); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
}

func FuzzJSONError(f *testing.F) {
	f.Add([]byte(`{"a": [1, "x\u00e9"]} x`))
	f.Fuzz(func(t *testing.T, text []byte) {
		_, err := value.Parse(text)
		if message := asl.JSONError(text); (err == nil) != (message == "") {
			t.Errorf("%q: %v but %q", text, err, message)
		}
	})
}
