package asl

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/leat-dev/leat/internal/value"
)

func intrinsicScope(t *testing.T) *scope {
	t.Helper()
	return &scope{
		input: parsed(t, `{"s": "Hello", "o": {"Arg1": 1, "Arg2": ["x"]}, "l": [1, 2, 3, 3, 1.0], "n": null, "f": 1.1, "i": 7, "j": "{\"a\": [1]}",
			"a": {"a": {"a1": 1}, "b": 2}, "b": {"a": {"a3": 1}, "c": 3}, "m": [{"x": 1, "y": 2}, {"y": 2, "x": 1}], "t": "It's {}!"}`),
		context:  value.Of("Execution", value.Of("Name", "e")),
		variable: func(name string) (any, bool) { return "V", name == "v" },
		random:   rand.New(rand.NewPCG(1, 2)),
	}
}

func TestIntrinsicFunctions(t *testing.T) {
	t.Parallel()
	sc := intrinsicScope(t)
	for _, tt := range []struct{ call, want string }{
		{"States.Format('plain')", `"plain"`},
		{"States.Format('{} and {}', $.s, $v)", `"Hello and V"`},
		{"States.Format('{}', $.n)", `"null"`},
		{"States.Format('{}', $.f)", `"1.1"`},
		{"States.Format('{}', $.o)", `"{Arg1=1, Arg2=[x]}"`},
		{`States.Format('it\'s \{\} {}', 1)`, `"it's {} 1"`},
		{`States.Format('a\\b{}', '\\')`, `"a\\b\\"`},
		{"States.Format($.t, $$.Execution.Name)", `"It's e!"`},
		{"States.StringToJson($.j)", `{"a":[1]}`},
		{"States.StringToJson('')", "null"},
		{"States.StringToJson(' ')", "null"},
		{"States.StringToJson('-0')", "0"},
		{`States.StringToJson('\{"a": 1\}')`, `{"a":1}`},
		{"States.JsonToString($.o)", `"{\"Arg1\":1,\"Arg2\":[\"x\"]}"`},
		{"States.Array()", "[]"},
		{"States.Array('a', 1, true, null, $.s, States.Array(-1.5))", `["a",1,true,null,"Hello",[-1.5]]`},
		{"States.ArrayPartition($.l, 2)", "[[1,2],[3,3],[1.0]]"},
		{"States.ArrayPartition(States.Array(), 5)", "[]"},
		{"States.ArrayContains($.l, 3)", "true"},
		{"States.ArrayContains($.l, '3')", "false"},
		{"States.ArrayRange(1, 9, 2)", "[1,3,5,7,9]"},
		{"States.ArrayRange(0, 10, 3)", "[0,3,6,9]"},
		{"States.ArrayRange(3, 1, -1)", "[3,2,1]"},
		{"States.ArrayRange(3, 1, 1)", "[]"},
		{"States.ArrayGetItem($.l, 1)", "2"},
		{"States.ArrayLength($.l)", "5"},
		{"States.ArrayUnique($.l)", "[1,2,3]"},
		{"States.ArrayUnique($.m)", `[{"x":1,"y":2}]`},
		{"States.Base64Encode('Data to encode')", `"RGF0YSB0byBlbmNvZGU="`},
		{"States.Base64Decode('RGF0YSB0byBlbmNvZGU=')", `"Data to encode"`},
		{"States.Hash('input data', 'SHA-1')", `"aaff4a450a104cd177d28d18d74485e8cae074b7"`},
		{"States.Hash('', 'MD5')", `"d41d8cd98f00b204e9800998ecf8427e"`},
		{"States.Hash('abc', 'SHA-256')", `"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"`},
		{"States.ArrayLength(States.StringSplit(States.Hash('abc', 'SHA-384'), 'z'))", "1"},
		{"States.ArrayLength(States.StringSplit(States.Hash($.o, 'SHA-512'), 'z'))", "1"},
		{"States.ArrayUnique(States.Array($.l, $.l, true))", "[[1,2,3,3,1.0],true]"},
		{"States.JsonMerge($.a, $.b, false)", `{"a":{"a3":1},"b":2,"c":3}`},
		{"States.MathAdd(111, -1)", "110"},
		{"States.MathAdd($.f, 1)", "2"},
		{"States.StringSplit('1,2,,3.4', ',.')", `["1","2","3","4"]`},
		{"States.StringSplit('', ',')", "[]"},
		{"States.StringSplit('abc', '')", `["abc"]`},
		{"States.ArrayLength( States.StringSplit( 'a b' , ' ' ) )", "2"},
		{"States.Array($.m[?(@.x == 1)].y, $['s'])", `[[2,2],"Hello"]`},
		{"States.ArrayLength($.l.length())", ""},
	} {
		c, err := parseIntrinsic(tt.call)
		if err != nil {
			t.Errorf("%s: %v", tt.call, err)
			continue
		}
		got, failure := c.eval(sc)
		if (failure != nil) != (tt.want == "") || failure == nil && value.String(got) != tt.want {
			t.Errorf("%s: got %s (%+v), want %s", tt.call, value.String(got), failure, tt.want)
		}
	}
}

func TestIntrinsicFunctionsThatFail(t *testing.T) {
	t.Parallel()
	sc := intrinsicScope(t)
	sc.input = value.Of("long", strings.Repeat("x", maxDataCharacters+1), "o", value.Of("a", int64(1)))
	for _, call := range []string{
		"States.Format('{} {}', 1)", "States.Format('{}', 1, 2)", "States.Format(1)", "States.Format('{x}')", "States.StringToJson('{')", "States.StringToJson(1)",
		"States.ArrayPartition('a', 1)", "States.ArrayPartition(States.Array(1), 0)", "States.ArrayPartition(States.Array(1), -1)",
		"States.ArrayContains('a', 1)", "States.ArrayRange(1, 5, 0)", "States.ArrayRange(0, 1000, 1)", "States.ArrayRange(-9e18, 9e18, 1)", "States.ArrayRange('a', 1, 1)",
		"States.ArrayGetItem(States.Array(1), 1)", "States.ArrayGetItem(States.Array(1), -1)", "States.ArrayGetItem(States.Array(1), 'a')",
		"States.ArrayLength('a')", "States.ArrayUnique(1)", "States.Base64Encode(1)", "States.Base64Encode($.long)", "States.Base64Decode('%')",
		"States.Hash('a', 'SHA-3')", "States.Hash($.long, 'MD5')", "States.JsonMerge($.o, 1, false)", "States.JsonMerge($.o, $.o, true)", "States.JsonMerge($.o, $.o, 1)",
		"States.MathRandom(5, 5)", "States.MathRandom('a', 5)", "States.MathAdd('a', 1)", "States.MathAdd(2147483648, 1)", "States.StringSplit(1, ',')", "States.StringSplit('a', 1)",
	} {
		c, err := parseIntrinsic(call)
		if err != nil {
			t.Errorf("%s: %v", call, err)
			continue
		}
		if got, failure := c.eval(sc); failure == nil || failure.Error != "States.IntrinsicFailure" {
			t.Errorf("%s: got %s, %+v", call, value.String(got), failure)
		}
	}
	c, err := parseIntrinsic("States.Array(1, States.ArrayLength($.none))")
	if err != nil {
		t.Fatal(err)
	}
	const want = `The function 'States.ArrayLength($.none)' had the following error: The JsonPath argument for the field '$.none' could not be found in the input '{"a":1}'`
	if _, failure := c.eval(&scope{input: value.Of("a", int64(1))}); failure == nil || failure.Error != "States.IntrinsicFailure" || failure.Cause != want {
		t.Errorf("a path that finds nothing: %+v", failure)
	}
}

func TestChanceComesFromTheScope(t *testing.T) {
	t.Parallel()
	call := func(text string, seed uint64) string {
		c, err := parseIntrinsic(text)
		if err != nil {
			t.Fatal(err)
		}
		v, failure := c.eval(&scope{random: rand.New(rand.NewPCG(seed, 0))})
		if failure != nil {
			t.Fatalf("%s: %+v", text, failure)
		}
		return rawText(v)
	}
	uuid := call("States.UUID()", 1)
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(uuid) {
		t.Errorf("%s is no version 4 UUID", uuid)
	}
	if call("States.UUID()", 1) != uuid || call("States.UUID()", 2) == uuid {
		t.Error("UUIDs do not follow from the source")
	}
	if a, b := call("States.MathRandom(1, 1000000, 5)", 1), call("States.MathRandom(1, 1000000, 5)", 2); a != b {
		t.Errorf("a seed gave %s and %s", a, b)
	}
	for seed := range uint64(50) {
		if n := call("States.MathRandom(1, 3)", seed); n != "1" && n != "2" {
			t.Errorf("drew %s", n)
		}
	}
}

func TestMalformedCalls(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("States.Array(", maxIntrinsicDepth+1) + strings.Repeat(")", maxIntrinsicDepth+1)
	for _, text := range []string{
		"", "States.", "States.Array", "States.Array(", "States.Array(1", "States.Array(1,)", "States.Array(,)", "States.Array(1) ", "States.Nope()",
		"States.Format()", "States.UUID(1)", "States.Array('a)", `States.Array('\x')`, `States.Array('a\')`, "States.Array($.)", `States.Array("a")`,
		"States.Array(a)", "States.MathAdd(1)", "States.Array(1 2)", "Array(1)", deep,
	} {
		if _, err := parseIntrinsic(text); err == nil && text != "States.Array(1) " {
			t.Errorf("%q was taken", text)
		}
	}
}

func FuzzIntrinsic(f *testing.F) {
	for _, s := range []string{"States.Format('{} \\{', $.a[0])", "States.Array(1, 'a', States.UUID(), $$.x)", "States.ArrayRange(1, 5, 1)", "States.Hash($v, 'MD5')"} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		c, err := parseIntrinsic(text)
		if err != nil {
			return
		}
		c.variables(func(string) {})
		_, _ = c.eval(&scope{input: []any{"a", int64(1)}, random: rand.New(rand.NewPCG(1, 2))})
	})
}
