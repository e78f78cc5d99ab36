package jsonata_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/jsonata"
	"github.com/leat-dev/leat/internal/value"
)

// now is the time of all evaluations of these tests.
func now() time.Time { return time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC) }

// evaluate is the result of an expression as the case files write it: JSON,
// undefined, or !CODE position token | message.
func evaluate(text string, input any, env *jsonata.Env) string {
	var v any
	ok := false
	e, err := jsonata.Compile(text)
	if err == nil {
		v, ok, err = e.Eval(input, env)
	}
	var failure *jsonata.Error
	switch {
	case errors.As(err, &failure):
		token := failure.Token
		if token == "" {
			token = "-"
		}
		return fmt.Sprintf("!%s %d %s | %s", failure.Code, failure.Position, token, failure.Message)
	case err != nil:
		return "another error: " + err.Error()
	case !ok:
		return "undefined"
	case jsonata.HasFunction(v):
		return "function"
	}
	return value.String(v)
}

func parse(tb testing.TB, text string) any {
	tb.Helper()
	v, err := value.Parse([]byte(text))
	if err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	return v
}

// same compares results: JSON as values, all else as texts.
func same(got, want string) bool {
	a, errA := value.Parse([]byte(got))
	b, errB := value.Parse([]byte(want))
	if errA != nil || errB != nil {
		return got == want
	}
	return value.Equal(a, b)
}

// The cases of testdata/expressions.txt agree with the public implementation,
// version 2.2.2: expression (>), input (<), result (=).
func TestExpressionsYieldWhatTheCaseFileSays(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/expressions.txt")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(strings.TrimSpace(string(data)), "\n\n")
	if len(blocks) < 600 {
		t.Fatalf("only %d cases were read", len(blocks))
	}
	for _, block := range blocks {
		text, want := "", ""
		var input any = jsonata.Undefined{}
		for line := range strings.SplitSeq(block, "\n") {
			switch kind, rest, _ := strings.Cut(line, " "); kind {
			case ">":
				text = rest
			case "<":
				input = parse(t, rest)
			case "=":
				want = rest
			default:
				t.Fatalf("a line of no kind: %q", line)
			}
		}
		if got := evaluate(text, input, &jsonata.Env{Now: now()}); !same(got, want) {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

// Here ours differs from the public implementation on purpose, or what that
// does could not be recorded.
func TestExpressionsBeyondTheCaseFile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{`1/0 + 1`, `!D1001 5 + | Number out of range: Infinity`},
		{`$string([1/0])`, `!D1001 8 string | Number out of range: Infinity`},
		{`$contains("a]/b", /a]\/b/)`, `true`},
		{`$contains("a(/b", /[(/]b/)`, `true`},
		{`$fromMillis(0, "[H]:[m][Z]", "-0530")`, `"18:30-05:30"`},
		{`$toMillis("2018-13-01")`, `!D3110 10 toMillis | The argument of the toMillis function must be an ISO 8601 formatted timestamp. Given "2018-13-01"`},
		{`$fromMillis(9e15)`, `!D1001 12 fromMillis | Number out of range: 9000000000000000`},
		{`$parseInteger("abc", "0")`, `undefined`},
		{`$now()`, `"2023-11-14T22:13:20.000Z"`},
		{`$now("[H01]", "+0200")`, `"00"`},
		{`$millis()`, `1700000000000`},
		{`$toMillis("13:45", "[H]:[m]") ~> $fromMillis()`, `"2023-11-14T13:45:00.000Z"`},
		{`$random()`, `0`},
		{`$shuffle([1,2,3])`, `[2,3,1]`},
		{`$sum`, `function`},
		{`[function($x){$x}]`, `function`},
		{`{"f": $sum ~> $string}`, `function`},
		{`/a/`, `function`},
		{`|a|{}|`, `function`},
		{`$substring(?, 1)`, `function`},
		{`"\ud800"`, "\"\ufffd\""},
		{`$encodeUrl("\ud800")`, "!D3140 11 encodeUrl | Malformed URL passed to $encodeUrl(): \"\xed\xa0\x80\""},
		{`$contains("x", /(?=x)/)`, `!S0303 22 (?=x) | Regular expression "(?=x)" is not supported: lookahead and lookbehind`},
		{`/(a)\1/`, `!S0303 7 (a)\1 | Regular expression "(a)\\1" is not supported: backreferences`},
		{`$formatNumber(20, "#.0.0")`, `!D3081`},
		{`$formatNumber(20, "#0%%")`, `!D3082`},
		{`$formatNumber(20, "#0‰‰")`, `!D3083`},
		{`$formatNumber(20, "#0%‰")`, `!D3084`},
		{`$formatNumber(20, ".e0")`, `!D3085`},
		{`$formatNumber(20, "0+.e0")`, `!D3086`},
		{`$formatNumber(20, "0,.e0")`, `!D3087`},
		{`$formatNumber(20, "0,")`, `!D3088`},
		{`$formatNumber(20, "0,,0")`, `!D3089`},
		{`$formatNumber(20, "0#.e0")`, `!D3090`},
		{`$formatNumber(20, "#0.#0e0")`, `!D3091`},
		{`$formatNumber(20, "#0.0e0%")`, `!D3092`},
		{`$formatNumber(20, "#0.0e0,0")`, `!D3093`},
		{`$formatNumber(0.00234, "0.0e0")`, `"2.3e-3"`},
		{`$formatNumber(1234.5678, "00.000e0")`, `"12.346e2"`},
		{`$formatNumber(0.14, "###pm", {"per-mille": "pm"})`, `"140pm"`},
		{`$formatInteger(1e46, "w")`, `"ten billion trillion trillion trillion"`},
		{`$formatInteger(12340, "###١")`, `"١٢٣٤٠"`},
	} {
		got := evaluate(tt.text, jsonata.Undefined{}, &jsonata.Env{Now: now()})
		if len(tt.want) == 6 && tt.want[0] == '!' {
			got = got[:min(6, len(got))]
		}
		if !same(got, tt.want) {
			t.Errorf("%s\n got %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

func TestNumbersThatAreOnlyPassedThroughKeepTheirText(t *testing.T) {
	t.Parallel()
	input := parse(t, `{"a":1.50,"b":[12345678901234567890,1e2]}`)
	for _, tt := range []struct{ text, want string }{
		{`a`, `1.50`},
		{`$`, `{"a":1.50,"b":[12345678901234567890,1e2]}`},
		{`{"x": b, "y": a}`, `{"x":[12345678901234567890,1e2],"y":1.50}`},
		{`b[0]`, `12345678901234567890`},
		{`a + 0`, `1.5`},
		{`$string(a)`, `"1.5"`},
		{`b[1] & ""`, `"100"`},
		{`$number(a)`, `1.50`},
		{`b[0] + 1`, `12345678901234567000`},
	} {
		if got := evaluate(tt.text, input, nil); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.text, got, tt.want)
		}
	}
}

func TestKeysKeepTheirOrder(t *testing.T) {
	t.Parallel()
	input := parse(t, `{"z":1,"a":2,"m":{"y":1,"b":2}}`)
	for _, tt := range []struct{ text, want string }{
		{`$merge([m, {"c": 3, "b": 4}])`, `{"y":1,"b":4,"c":3}`},
		{`{"z": a, "a": z}`, `{"z":2,"a":1}`},
		{`$sift($, function($v, $k) {$k != "a"})`, `{"z":1,"m":{"y":1,"b":2}}`},
		{`$ ~> |m|{"n": 1}, "y"|`, `{"z":1,"a":2,"m":{"b":2,"n":1}}`},
		{`$keys($)`, `["z","a","m"]`},
	} {
		if got := evaluate(tt.text, input, nil); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.text, got, tt.want)
		}
	}
	if got := value.String(input); got != `{"z":1,"a":2,"m":{"y":1,"b":2}}` {
		t.Errorf("the input has become %s", got)
	}
}
