package jsonata_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leat-dev/leat/internal/jsonata"
	"github.com/leat-dev/leat/internal/value"
)

func TestVariablesComeFromTheEnvironment(t *testing.T) {
	t.Parallel()
	env := &jsonata.Env{
		Bindings: map[string]any{"states": value.Of("input", value.Of("x", int64(7))), "sum": "shadowed", "nothing": nil},
		Lookup: func(name string) (any, bool) {
			return "looked up " + name, strings.HasPrefix(name, "var")
		},
		Functions: map[string]*jsonata.Function{
			"eval": {Undefined: true},
			"length": {Signature: "<s:n>", Call: func(args []any) (any, bool, error) {
				text, _ := args[0].(string)
				return int64(-len(text)), true, nil
			}},
			"none":  {Call: func([]any) (any, bool, error) { return nil, false, nil }},
			"fails": {Call: func([]any) (any, bool, error) { return nil, false, errors.New("it failed") }},
			"coded": {Call: func([]any) (any, bool, error) {
				return nil, false, &jsonata.Error{Code: "X1", Message: "as it is"}
			}},
		},
	}
	for _, tt := range []struct{ text, want string }{
		{`$states.input.x + 1`, `8`},
		{`$sum`, `"shadowed"`},
		{`$nothing`, `null`},
		{`$varA & $varB`, `"looked up varAlooked up varB"`},
		{`$missing`, `undefined`},
		{`$length("abc")`, `-3`},
		{`$length(1)`, `!T0410 8 length | Argument 1 of function "length" does not match function signature`},
		{`$map(["a","bc"], $length)`, `[-1,-2]`},
		{`$none()`, `undefined`},
		{`$fails()`, `!D3137 7 fails | it failed`},
		{`$coded()`, `!X1 7 coded | as it is`},
		{`$eval("1")`, `!T1006 6 eval | Attempted to invoke a non-function`},
		{`eval("1")`, `!T1006 5 eval | Attempted to invoke a non-function`},
		{`($length := function($x) {1}; $length("abc"))`, `1`},
	} {
		if got := evaluate(tt.text, jsonata.Undefined{}, env); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.text, got, tt.want)
		}
	}
}

func TestTransformsLeaveWhatIsNotTheirsAlone(t *testing.T) {
	t.Parallel()
	shared := value.Of("a", value.Of("b", int64(1)))
	env := &jsonata.Env{Bindings: map[string]any{"v": shared}}
	if got := evaluate(`{"x": {}} ~> |$v.a|{"c": 1}|`, nil, env); got != `{"x":{}}` {
		t.Errorf("got %s", got)
	}
	if got := evaluate(`$v ~> |a|{"c": 1}|`, nil, env); got != `{"a":{"b":1,"c":1}}` {
		t.Errorf("got %s", got)
	}
	if got := value.String(shared); got != `{"a":{"b":1}}` {
		t.Errorf("the variable has become %s", got)
	}
}

func TestWhatIsKnownWithoutEvaluating(t *testing.T) {
	t.Parallel()
	e, err := jsonata.Compile("$sum")
	if err != nil || e.String() != "$sum" {
		t.Errorf("%v, %v", e, err)
	}
	if !jsonata.IsBuiltin("formatNumber") || jsonata.IsBuiltin("partition") || jsonata.IsBuiltin("") {
		t.Error("the names of built-in functions are wrong")
	}
	v, ok, err := e.Eval(nil, nil)
	if err != nil || !ok || !jsonata.IsFunction(v) || jsonata.IsFunction("sum") || jsonata.HasFunction([]any{1.0}) {
		t.Errorf("%v, %v, %v", v, ok, err)
	}
	_, err = jsonata.Compile("1 +")
	if want := "Unexpected end of expression"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestErrorsSayWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want jsonata.Error
	}{
		{`1 + "a"`, jsonata.Error{Code: "T2002", Position: 3, Token: "+", Value: "a"}},
		{`"ü\ud83d\ude00" & 1 + "a"`, jsonata.Error{Code: "T2001", Position: 21, Token: "+", Value: "ü😀1"}},
		{`"😀" < true`, jsonata.Error{Code: "T2010", Position: 6, Token: "<", Value: true}},
		{`$substring("a", "b")`, jsonata.Error{Code: "T0410", Position: 11, Token: "substring", Index: 2, Value: "b"}},
		{`1 < "a"`, jsonata.Error{Code: "T2009", Position: 3, Token: "<", Value: 1.0, Value2: "a"}},
		{`[3 .. 2e9]`, jsonata.Error{Code: "D2014", Position: 5, Token: "..", Value: 1999999998.0}},
		{`$error("x")`, jsonata.Error{Code: "D3137", Position: 7, Token: "error"}},
	} {
		e, err := jsonata.Compile(tt.text)
		if err == nil {
			_, _, err = e.Eval(nil, nil)
		}
		var got *jsonata.Error
		if !errors.As(err, &got) {
			t.Fatalf("%s: %v", tt.text, err)
		}
		if diff := cmp.Diff(&tt.want, got, cmpopts.IgnoreUnexported(jsonata.Error{}), cmpopts.IgnoreFields(jsonata.Error{}, "Message")); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.text, diff)
		}
	}
}

func TestAnExpressionServesManyGoroutines(t *testing.T) {
	t.Parallel()
	e, err := jsonata.Compile(`$sum(orders[customer.vip].(price * qty)) & /a/("cat").match & orders.lines.%.id[0]`)
	if err != nil {
		t.Fatal(err)
	}
	input := orders(t, 20)
	want, _, err := e.Eval(input, nil)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if got, _, err := e.Eval(input, nil); err != nil || got != want {
					t.Errorf("got %v, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestReferencesAreTheFreeVariables(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text  string
		names []string
		paths []string
	}{
		{`$states.input.a.b + $x[0].c`, []string{"states", "x"}, []string{"states.input.a.b", "x"}},
		{`($y := $x; $y + $z)`, []string{"x", "z"}, []string{"x", "z"}},
		{`($y := 1; 2) + $y`, []string{"y"}, []string{"y"}},
		{`function($a) { $a + $b }`, []string{"b"}, []string{"b"}},
		{`$map($x.items, function($v, $i) { $v & $i & $k })`, []string{"x", "k"}, []string{"map()", "x.items", "k"}},
		{`$sum($x) & $custom($y)`, []string{"x", "custom", "y"}, []string{"sum()", "x", "custom()", "y"}},
		{`orders@$o#$i.{"o": $o, "i": $i, "z": $z}`, []string{"z"}, []string{"z"}},
		{`"$no" & /$re/("x") & $$ & $ & $yes`, []string{"yes"}, []string{"yes"}},
		{`$a[$b = 1].c[$d]{$e: $f}^($g)`, []string{"a", "b", "d", "e", "f", "g"}, []string{"a", "b", "d", "e", "f", "g"}},
		{`$x ~> |$p|{"a": $q}, $r|`, []string{"x", "p", "q", "r"}, []string{"x", "p", "q", "r"}},
		{`$uppercase`, nil, []string{"uppercase"}},
		{"$states.`my key`.x", []string{"states"}, []string{"states.my key.x"}},
	} {
		e, err := jsonata.Compile(tt.text)
		if err != nil {
			t.Fatalf("%s: %v", tt.text, err)
		}
		if diff := cmp.Diff(tt.names, e.Variables()); diff != "" {
			t.Errorf("%s: names (-want +got)\n%s", tt.text, diff)
		}
		var paths []string
		for _, r := range e.References() {
			path := strings.Join(append([]string{r.Name}, r.Path...), ".")
			if r.Called {
				path += "()"
			}
			paths = append(paths, path)
			if end := r.Position; end < len(r.Name) || tt.text[end-len(r.Name):end] != r.Name {
				t.Errorf("%s: %s is not at %d", tt.text, r.Name, end)
			}
		}
		if diff := cmp.Diff(tt.paths, paths); diff != "" {
			t.Errorf("%s: paths (-want +got)\n%s", tt.text, diff)
		}
	}
}
