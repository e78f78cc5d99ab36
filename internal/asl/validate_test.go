package asl_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/asl"
)

var update = flag.Bool("update", false, "write golden files anew")

// validation is one definition of a file and what is found in it.
type validation struct{ name, definition, want string }

// TestValidation runs testdata/validate: files of definitions, each under a
// sentence between dashes, and what is found after a line "-- finds --". In a
// sentence, EXPRESS makes the machine one of that type, ALONE its definition a
// single state, and WARNINGS are found as well.
func TestValidation(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/validate/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			cases := validations(t, file)
			var out strings.Builder
			for i := range cases {
				c := &cases[i]
				got := findings(c)
				if !*update {
					if diff := cmp.Diff(c.want, got); diff != "" {
						t.Errorf("%s: %s", c.name, diff)
					}
				}
				fmt.Fprintf(&out, "-- %s --\n%s-- finds --\n%s", c.name, c.definition, got)
			}
			if *update {
				if err := os.WriteFile(file, []byte(out.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func validations(t *testing.T, file string) []validation {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []validation
	found := false
	for line := range strings.Lines(string(text)) {
		title, ok := strings.CutPrefix(line, "-- ")
		switch {
		case ok && title == "finds --\n":
			found = true
		case ok:
			out = append(out, validation{name: strings.TrimSuffix(title, " --\n")})
			found = false
		case found:
			out[len(out)-1].want += line
		default:
			out[len(out)-1].definition += line
		}
	}
	return out
}

func findings(c *validation) string {
	o := asl.Options{Express: strings.Contains(c.name, "EXPRESS"), Warnings: strings.Contains(c.name, "WARNINGS")}
	m, ds := (*asl.Machine)(nil), []asl.Diagnostic(nil)
	if strings.Contains(c.name, "ALONE") {
		m, _, ds = asl.ParseState([]byte(c.definition), "", o)
	} else {
		m, ds = asl.Parse([]byte(c.definition), o)
	}
	var b strings.Builder
	for _, d := range ds {
		fmt.Fprintf(&b, "%s %s at %s: %s\n", d.Severity, d.Code, d.Location, d.Message)
	}
	// The message of the whole follows from the findings but for some kinds.
	if text := asl.DefinitionError(ds); m == nil && !strings.HasPrefix(text, "Invalid State Machine Definition: 'SCHEMA") {
		fmt.Fprintf(&b, "%s\n", text)
	}
	return b.String()
}

func TestErrorsAreJoinedAndWarningsLeftOut(t *testing.T) {
	t.Parallel()
	got := asl.DefinitionError([]asl.Diagnostic{
		{Severity: asl.SeverityError, Code: asl.CodeSchema, Message: "a", Location: "/"},
		{Severity: asl.SeverityWarning, Code: "NO_DOLLAR", Message: "w", Location: "/"},
		{Severity: asl.SeverityError, Code: asl.CodeTarget, Message: "b", Location: "/States/B"},
	})
	if want := "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: a at /, MISSING_TRANSITION_TARGET: b at /States/B'"; got != want {
		t.Errorf("got %s", got)
	}
	if got := asl.DefinitionError(nil); got != "" {
		t.Errorf("nothing wrong gave %s", got)
	}
}

func TestLimitsOfDefinitions(t *testing.T) {
	t.Parallel()
	nested := func(n int) string {
		s := `{"Type": "Succeed"}`
		for i := range n {
			s = fmt.Sprintf(`{"Type": "Parallel", "Branches": [{"StartAt": "%d", "States": {"%d": %s}}], "End": true}`, i, i, s)
		}
		return `{"StartAt": "x", "States": {"x": ` + s + `}}`
	}
	rules := `{"StartAt": "A", "States": {"A": {"Type": "Choice", "Choices": [` + strings.Repeat(`{"Not": `, 300) + `{"Variable": "$", "IsNull": true}` + strings.Repeat("}", 300) + `]}}}`
	for name, text := range map[string]string{
		"size":   `{"StartAt": "` + strings.Repeat("a", asl.MaxDefinitionBytes) + `"}`,
		"states": nested(200),
		"rules":  rules,
		"values": `{"StartAt": "A", "States": {"A": {"Type": "Pass", "Parameters": {"a":` + strings.Repeat("[", 900) + strings.Repeat("]", 900) + `}, "End": true}}}`,
		"json":   strings.Repeat("[", 100000),
		"filter": `{"StartAt": "A", "States": {"A": {"Type": "Pass", "InputPath": "$` + strings.Repeat("[?(@", 10000) + `", "End": true}}}`,
	} {
		if m, ds := asl.Parse([]byte(text), asl.Options{}); m != nil || len(ds) == 0 {
			t.Errorf("%s: taken", name)
		}
	}
	if m, ds := asl.Parse([]byte(nested(20)), asl.Options{}); m == nil {
		t.Errorf("twenty levels: %s", asl.DefinitionError(ds))
	}
}

func TestStatesOfAMachineForTestState(t *testing.T) {
	t.Parallel()
	const machine = `{"StartAt": "A", "States": {"A": {"Type": "Parallel", "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Wait", "Seconds": 1, "Next": "Elsewhere"}}}], "End": true}}}`
	m, name, ds := asl.ParseState([]byte(machine), "B", asl.Options{})
	if m == nil || name != "B" {
		t.Fatalf("%q: %s", name, asl.DefinitionError(ds))
	}
	if s, ok := m.State("B"); !ok || s.Type != asl.Wait || s.Next != "Elsewhere" {
		t.Errorf("B is %+v", s)
	}
	if m, _, ds := asl.ParseState([]byte(machine), "C", asl.Options{}); m != nil || len(ds) != 0 {
		t.Errorf("a state that is not there: %v, %v", m, ds)
	}
	m, name, ds = asl.ParseState([]byte(`{"Type": "Succeed"}`), "", asl.Options{})
	if m == nil || name != "StateName" {
		t.Errorf("%q: %s", name, asl.DefinitionError(ds))
	}
}

func TestCharactersOfLabels(t *testing.T) {
	t.Parallel()
	definition := func(label string) string {
		return `{"StartAt": "A", "States": {"A": {"Type": "Map", "Label": "` + label + `", "ItemProcessor": {"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}, "End": true}}}`
	}
	for label, want := range map[string]string{
		"ok-label_1.é":                 "",
		"a b":                          `["Label contains invalid character: ' '"]`,
		"a|b?c":                        `["Label contains invalid character: '?'"]`,
		`a\\b`:                         `["Label contains invalid character: '\\\\'"]`,
		`a\"b`:                         `['Label contains invalid character: \'"\'']`,
		`a\tb`:                         `["Label contains invalid character: '\\t'"]`,
		`a\nb`:                         `["Label contains invalid character: '\\n'"]`,
		`a\u0007b`:                     `["Label contains invalid character: '\\x07'"]`,
		`a\u009fb`:                     `["Label contains invalid character: '\\x9f'"]`,
		"":                             "['Label cannot be empty']",
		strings.Repeat("é", 40):        "",
		strings.Repeat("é", 40) + "e ": "['Label cannot exceed 40 characters']",
	} {
		text := definition(label)
		_, ds := asl.Parse([]byte(text), asl.Options{})
		if want != "" {
			want = "Error=ValueError Args=" + want + " in definition '" + text + "'."
		}
		if got := asl.DefinitionError(ds); got != want {
			t.Errorf("%q: %s", label, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/validate/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for part := range strings.SplitSeq(string(text), "-- ") {
			if _, definition, ok := strings.Cut(part, " --\n"); ok {
				f.Add([]byte(definition), false)
			}
		}
	}
	f.Fuzz(func(t *testing.T, definition []byte, express bool) {
		m, ds := asl.Parse(definition, asl.Options{Express: express})
		if (m == nil) != (asl.DefinitionError(ds) != "") {
			t.Errorf("machine %v with %v", m, ds)
		}
		if m != nil {
			m.VariableReferences()
		}
		asl.ParseState(definition, "A", asl.Options{})
	})
}
