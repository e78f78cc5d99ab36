package jsonata_test

import (
	"testing"

	"github.com/leat-dev/leat/internal/jsonata"
)

func TestFunctionsOfStepFunctions(t *testing.T) {
	t.Parallel()
	env := &jsonata.Env{Functions: jsonata.AWSFunctions(
		func(seed *int64) float64 {
			if seed == nil {
				return 0.5
			}
			return float64(*seed) / 1000
		},
		func() string { return "0b2a4b1c-0000-4000-8000-000000000000" },
	)}
	for _, tt := range []struct{ text, want string }{
		{`$range(0, 9, 3)`, `[0,3,6,9]`},
		{`$range(0, 10, 3)`, `[0,3,6,9]`},
		{`$range(1, 9, 9)`, `1`},
		{`$range(9, 1, -4)`, `[9,5,1]`},
		{`$range(1, 9, -1)`, `[]`},
		{`$range(9, 1, 1)`, `[]`},
		{`$range(0, 1, 0.5)`, `[0,0.5,1]`},
		{`$range(1, 9, 0)`, `!D3137 7 range | The step passed to $range() must not be zero`},
		{`$range(1, 1e9, 1)`, `!D2014`},
		{`$range(1, "9", 1)`, `!T0410`},
		{`$range(1, $nothing, 1)`, `undefined`},
		{`$partition([1,2,3,4,5], 2)`, `[[1,2],[3,4],5]`},
		{`$partition([1,2,3,4], 2)`, `[[1,2],[3,4]]`},
		{`$partition([1,2,3], 5)`, `[[1,2,3]]`},
		{`$partition([1], 1)`, `[[1]]`},
		{`$partition([], 2)`, `!D3137`},
		{`$partition([1,2], 0)`, `!D3137`},
		{`$partition($nothing, 2)`, `undefined`},
		{`$hash("input data", "SHA-1")`, `"aaff4a450a104cd177d28d18d74485e8cae074b7"`},
		{`$hash("", "MD5")`, `"d41d8cd98f00b204e9800998ecf8427e"`},
		{`$hash("abc", "SHA-256")`, `"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"`},
		{`$length($hash("abc", "SHA-384"))`, `96`},
		{`$length($hash({"a": 1}, "SHA-512"))`, `128`},
		{`$hash("abc", "CRC")`, `!D3137 6 hash | Unsupported hash algorithm: CRC`},
		{`$random()`, `0.5`},
		{`$random(7)`, `0.007`},
		{`$uuid()`, `"0b2a4b1c-0000-4000-8000-000000000000"`},
		{`$parse("-0")`, `0`},
		{`$parse("1.1")`, `1.1`},
		{`$parse("true")`, `true`},
		{`$parse("[1, 2, \"HelloWorld\"]")`, `[1,2,"HelloWorld"]`},
		{`$parse('{"Arg1": 1, "Arg2": []}')`, `{"Arg1":1,"Arg2":[]}`},
		{`$parse("{")`, `!D3137`},
		{`$parse($nothing)`, `undefined`},
		{`$eval("1")`, `!T1006 6 eval | Attempted to invoke a non-function`},
		{`$randomSeeded(1)`, `!T1006 14 randomSeeded | Attempted to invoke a non-function`},
	} {
		got := evaluate(tt.text, jsonata.Undefined{}, env)
		if len(tt.want) == 6 && tt.want[0] == '!' {
			got = got[:min(6, len(got))]
		}
		if !same(got, tt.want) {
			t.Errorf("%s: got %s, want %s", tt.text, got, tt.want)
		}
	}
}
