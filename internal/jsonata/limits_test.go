package jsonata_test

import (
	"strings"
	"testing"

	"github.com/leat-dev/leat/internal/jsonata"
)

// Whatever an expression does, it ends: with an error of code U1001 (or the
// range operator's own) and without much memory.
func TestRunawayExpressionsAreStopped(t *testing.T) {
	t.Parallel()
	limits := jsonata.Limits{MaxDepth: 400, MaxSteps: 200_000, MaxSize: 1_000_000}
	for _, tt := range []struct{ name, text, code string }{
		{"deep recursion", `($f := function($n){$n + $f($n - 1)}; $f(5))`, "U1001"},
		{"an endless tail call", `($f := function(){$f()}; $f())`, "U1001"},
		{"endless calls of two functions in turn", `($f := function(){$g()}; $g := function(){$f()}; $f())`, "U1001"},
		{"recursion through a built-in function", `($f := function($x){$map([1], $f)}; $f(1))`, "U1001"},
		{"recursion through a partial application", `($f := function($g, $n){$g($g, $n)}; $h := $f(?, 1); $f($f, $h))`, "U1001"},
		{"a chain of functions without end", `($f := function($x){$x ~> ($f ~> $f)}; $f(1))`, "U1001"},
		{"a range that is too long for the limit", `[1..5000000]`, "U1001"},
		{"a range that is too long for anyone", `[1..50000000]`, "D2014"},
		{"padding without end", `$pad("x", 1000000000)`, "U1001"},
		{"padding to the left", `$pad("x", -1000000000, "ab")`, "U1001"},
		{"a text that doubles", `($f := function($s, $n){$n = 0 ? $s : $f($s & $s, $n - 1)}; $f("abc", 60))`, "U1001"},
		{"an array that doubles", `($f := function($s, $n){$n = 0 ? $s : $f($append($s, $s), $n - 1)}; $f([1], 60))`, "U1001"},
		{"an array literal that doubles", `($f := function($s, $n){$n = 0 ? $s : $f([$s, $s], $n - 1)}; $f([1], 60))`, "U1001"},
		{"an object that refers to itself twice, again and again", `($f := function($s, $n){$n = 0 ? $s : $f({"a": $s, "b": $s}, $n - 1)}; $f({}, 60))`, "U1001"},
		{"the text of such an object", `($f := function($s, $n){$n = 0 ? $s : $f({"a": $s, "b": $s}, $n - 1)}; $length($string($f({}, 60))))`, "U1001"},
		{"comparing such objects", `($f := function($s, $n){$n = 0 ? $s : $f({"a": $s, "b": $s}, $n - 1)}; $f({}, 60) = $f({}, 60))`, "U1001"},
		{"the parts of such an object", `($f := function($s, $n){$n = 0 ? $s : $f({"a": $s, "b": $s}, $n - 1)}; $count($f({}, 60).**))`, "U1001"},
		{"copying such an object", `($f := function($s, $n){$n = 0 ? $s : $f({"a": $s, "b": $s}, $n - 1)}; $count([$clone($f({}, 60))]))`, "U1001"},
		{"a value that is nested too deeply", `($f := function($s, $n){$n = 0 ? $s : $f({"a": $s}, $n - 1)}; $f({}, 5000))`, "U1001"},
		{"a deep value that is only measured", `($f := function($s, $n){$n = 0 ? $s : $f([[$s]], $n - 1)}; $length($string($f([], 5000))))`, "U1001"},
		{"splitting into many parts", `($s := $pad("", 500000, "a"); $count([$split($s, ""), $split($s, ""), $split($s, "")]))`, "U1001"},
		{"replacing by long texts", `($s := $pad("", 5000, "a"); $length($replace($s, "a", $s)))`, "U1001"},
		{"replacing by a pattern", `($s := $pad("", 5000, "a"); $length($replace($s, /a/, $s)))`, "U1001"},
		{"joining by long texts", `($s := $pad("", 5000, "a"); $length($join($split($s, ""), $s)))`, "U1001"},
		{"a long picture", `($s := $pad("", 200000, "0"); $formatNumber(1, $s))`, "U1001"},
		{"all pairs of items", `($a := [1..2000]; $count($map($a, function($x){$map($a, function($y){$x * $y})})))`, "U1001"},
		{"all pairs of a join", `($a := [1..2000]; $count($a@$x.$a@$y[$x = $y].{"x": $x}))`, "U1001"},
		{"sorting by a slow function", `$sort([1..50000], function($a, $b){$string($a) > $string($b)})`, "U1001"},
		{"an object within itself", `($o := {"a": {}} ~> |$|{"s": $}|; ($f := function($o, $n){$n = 0 ? $o : $f($o ~> |$|{"s": $, "t": $}|, $n - 1)}; $f($o, 40)))`, "U1001"},
		{"matching all over again", `($s := $pad("", 100000, "ab"); $map([1..1000], function($i){$count($match($s, /\bx|(a+b)+c/))}))`, "U1001"},
		{"comparing long texts", `($s := $pad("", 100000, "a"); $t := $s & "b"; $sort([1..10000], function($a, $b){$s & $a < $t}))`, "U1001"},
		{"a signature of many repeated parameters", `function($a)<x+x+x+x+x+x+x+x+x+x+x+x+x+x+n:x>{1}(1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,"a")`, "T0410"},
		{"texts evaluated in turn", `($f := function($s){$eval($s)}; $f("$eval('1') + $eval('$map([1..100000], function($x){$eval(\"1\")})')"))`, "U1001"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := evaluate(tt.text, nil, &jsonata.Env{Limits: limits})
			if !strings.HasPrefix(got, "!"+tt.code) {
				t.Errorf("%s: got %.200s, want %s", tt.text, got, tt.code)
			}
		})
	}
}

func TestTheDefaultLimitsAllowWhatIsUsual(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{`($f := function($n){$n < 2 ? 1 : $n * $f($n - 1)}; $f(100) > 1e157)`, `true`},
		{`($f := function($n, $a){$n = 0 ? $a : $f($n - 1, $a + $n)}; $f(100000, 0))`, `5000050000`},
		{`$count([1..1000000])`, `1000000`},
		{`$sum([1..100000].($ * 2))`, `10000100000`},
		{`$length($pad("", 1000000, "ab"))`, `1000000`},
		{strings.Repeat("1+", 5000) + "1", `5001`},
		{strings.Repeat("a ? b : ", 200) + "1", `1`},
		{strings.Repeat("(", 400) + "1" + strings.Repeat(")", 400), `1`},
		{`{"a": 1} ~> |$|{"self": $}|`, `{"a":1,"self":{"a":1}}`},
		{`($f := function(){$f()}; $f())`, `!U1001`},
		{`($f := function(){1 + $f()}; $f())`, `!U1001`},
	} {
		if got := evaluate(tt.text, nil, nil); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: got %s, want %s", tt.text, got, tt.want)
		}
	}
}

func TestDeeplyNestedTextsAreRefused(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"(", "[", "-", "a.(", "{\"a\":", "a[", "$f(", "1 + (", "a ? ", "function($x){", "$x := ", "|a|"} {
		if got := evaluate(strings.Repeat(unit, 100_000), nil, nil); got[0] != '!' {
			t.Errorf("%s: got %.100s", unit, got)
		}
	}
	for _, text := range []string{
		strings.Repeat("a.", 20_000) + "a",
		strings.Repeat("1+", 50_000) + "1",
		"a" + strings.Repeat("[0]", 20_000),
		strings.Repeat("-", 100) + "1",
	} {
		if got := evaluate(text, nil, nil); got == "" {
			t.Errorf("%.20s: nothing", text)
		}
	}
}
