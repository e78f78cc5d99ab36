package jinja_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/jinja"
	"github.com/leat-dev/leat/internal/value"
)

// variables reads what the templates in testdata use.
func variables(t testing.TB) map[string]any {
	t.Helper()
	data, err := os.ReadFile("testdata/vars.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := value.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	vars := map[string]any{}
	root, _ := doc.(*value.Object)
	for k, v := range root.All() {
		vars[k] = revive(t, v)
	}
	return vars
}

// revive makes times and spans of the objects that stand for them.
func revive(t testing.TB, v any) any {
	t.Helper()
	o, ok := v.(*value.Object)
	if !ok {
		return v
	}
	if text, isTime := o.Get("$time"); isTime {
		s, _ := text.(string)
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	if n, isSpan := o.Get("$delta"); isSpan {
		number, _ := n.(json.Number)
		seconds, err := number.Float64()
		if err != nil {
			t.Fatal(err)
		}
		return time.Duration(seconds * float64(time.Second))
	}
	return v
}

// unquote reads a line of testdata, which is JSON if it begins with a quote.
func unquote(t testing.TB, line string) string {
	t.Helper()
	if !strings.HasPrefix(line, `"`) {
		return line
	}
	var s string
	if err := json.Unmarshal([]byte(line), &s); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return s
}

// testCase is a template of testdata and what the reference makes of it.
type testCase struct{ file, template, class, want string }

func cases(t testing.TB) []testCase {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	var out []testCase
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		template := ""
		for line := range strings.Lines(string(data)) {
			line = strings.TrimSuffix(line, "\n")
			switch {
			case line == "" || strings.HasPrefix(line, "# "):
			case strings.HasPrefix(line, "= "):
				out = append(out, testCase{name, template, "", unquote(t, line[2:])})
			case strings.HasPrefix(line, "! "):
				class, message, _ := strings.Cut(line[2:], ": ")
				out = append(out, testCase{name, template, class, unquote(t, message)})
			default:
				template = unquote(t, line)
			}
		}
	}
	return out
}

func TestTemplatesRenderAsWithTheReference(t *testing.T) {
	t.Parallel()
	all := cases(t)
	if len(all) < 250 {
		t.Fatalf("only %d cases were read", len(all))
	}
	vars := variables(t)
	for _, tt := range all {
		got, err := jinja.Environment{}.Render(tt.template, vars)
		var failed *jinja.RenderError
		switch {
		case err != nil && !errors.As(err, &failed):
			t.Errorf("%s: %s\n error of another kind: %v", tt.file, tt.template, err)
		case tt.class == "" && err != nil:
			t.Errorf("%s: %s\n got  %v\n want %q", tt.file, tt.template, err, tt.want)
		case tt.class == "" && got != tt.want:
			t.Errorf("%s: %s\n got  %q\n want %q", tt.file, tt.template, got, tt.want)
		case tt.class != "" && err == nil:
			t.Errorf("%s: %s\n got  %q\n want %s: %s", tt.file, tt.template, got, tt.class, tt.want)
		case tt.class != "" && (failed.Class != tt.class || failed.Message != tt.want):
			t.Errorf("%s: %s\n got  %s: %s\n want %s: %s", tt.file, tt.template, failed.Class, failed.Message, tt.class, tt.want)
		}
	}
}
