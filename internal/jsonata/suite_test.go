package jsonata

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/value"
)

// suite is the public test suite of JSONata, beside the checkout.
const suite = "../../../shared/jsonata-suite"

// knownDifferences names cases that are meant to fail, with the reason.
func knownDifferences() map[string]string {
	return map[string]string{}
}

func TestPublicSuite(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(suite, "groups", "*", "*.json"))
	if err != nil || len(files) == 0 {
		t.Skip("the public suite is not beside this checkout: " + suite)
	}
	total, passed := 0, 0
	known := knownDifferences()
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file)) + "/" + strings.TrimSuffix(filepath.Base(file), ".json")
		cases, isList := readSuite(t, file).([]any)
		if !isList {
			cases = []any{readSuite(t, file)}
		}
		for i, c := range cases {
			o, ok := c.(*value.Object)
			if !ok {
				t.Fatalf("%s: no case", name)
			}
			total++
			id := name
			if len(cases) > 1 {
				id += "#" + string(value.Append(nil, int64(i)))
			}
			problem := runSuiteCase(t, filepath.Dir(file), o)
			switch {
			case problem == "":
				passed++
			case known[id] != "":
				t.Logf("%s (known: %s): %s", id, known[id], problem)
			default:
				t.Errorf("%s: %s\n%s", id, problem, value.String(field(o, "expr")))
			}
		}
	}
	t.Logf("passed %d of %d cases (%.2f %%)", passed, total, 100*float64(passed)/float64(total))
}

// readSuite parses a file of the suite. A surrogate that stands alone within
// an expression becomes an escape of the expression, since JSON's own would
// not survive.
func readSuite(t *testing.T, file string) any {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(data); strings.Contains(text, `'\uD800'`) || strings.Contains(text, `'\ud800'`) {
		data = []byte(strings.NewReplacer(`'\uD800'`, `'\\uD800'`, `'\ud800'`, `'\\ud800'`).Replace(text))
	}
	v, err := value.Parse(data)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return v
}

// runSuiteCase says what is wrong with a case, or nothing.
func runSuiteCase(t *testing.T, dir string, c *value.Object) string {
	t.Helper()
	text, _ := field(c, "expr").(string)
	if file, ok := field(c, "expr-file").(string); ok {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		text = string(data)
	}
	input := field(c, "data")
	if name, ok := field(c, "dataset").(string); ok {
		input = readSuite(t, filepath.Join(suite, "datasets", name+".json"))
	}
	env := &Env{Now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), Random: func() float64 { return 0.5 }, Bindings: map[string]any{}}
	if o, ok := field(c, "bindings").(*value.Object); ok {
		maps.Insert(env.Bindings, o.All())
	}
	if depth, ok := toNumber(field(c, "depth")); ok {
		env.Limits.MaxDepth = int(depth)
	}
	want := field(c, "result")
	code, _ := field(c, "code").(string)
	var details *value.Object
	if o, ok := field(c, "error").(*value.Object); ok {
		details = o
		code, _ = field(o, "code").(string)
	}
	var got any
	found := false
	e, err := Compile(text)
	if err == nil {
		got, found, err = e.Eval(input, env)
	}
	switch {
	case code != "":
		return compareError(c, details, code, err, got)
	case err != nil:
		var failure *Error
		errors.As(err, &failure)
		return "failed with " + failure.Code + ": " + err.Error()
	case isUndefined(want):
		if found {
			return "want undefined, got " + value.String(got)
		}
	case !found:
		return "undefined, want " + value.String(want)
	case !value.Equal(got, want) && (field(c, "unordered") != true || !sameItems(got, want)):
		return "got " + value.String(got) + ", want " + value.String(want)
	}
	return ""
}

func compareError(c, details *value.Object, code string, err error, got any) string {
	var failure *Error
	if !errors.As(err, &failure) {
		return "no error, want " + code + "; got " + value.String(got)
	}
	if failure.Code != code {
		return "want " + code + ", got " + failure.Code + ": " + failure.Message
	}
	if details == nil {
		details = c
	}
	if token, ok := field(details, "token").(string); ok && token != failure.Token {
		return "want token " + token + ", got " + failure.Token
	}
	if message, ok := field(details, "message").(string); ok && message != failure.Message {
		return "want message " + message + ", got " + failure.Message
	}
	if index, ok := toNumber(field(details, "index")); ok && int(index) != failure.Index {
		return "another index"
	}
	return ""
}

func sameItems(a, b any) bool {
	x, _ := a.([]any)
	y, _ := b.([]any)
	if len(x) != len(y) {
		return false
	}
	return !slices.ContainsFunc(y, func(want any) bool {
		return !slices.ContainsFunc(x, func(got any) bool { return value.Equal(got, want) })
	})
}
