package prefect3_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/api/prefect3"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/wire"
)

// pin holds what the reference's OpenAPI document says of names, types, limits
// and defaults: facts, without its texts. One line is one operation or schema.
const pin = "testdata/upstream_schemas.txt"

// upstream is the reference's OpenAPI document as far as it is compared.
type upstream struct {
	operations map[string]*upstreamOperation // by method and path
	schemas    map[string]*wire.Schema
}

type upstreamOperation struct {
	Parameters []api.Parameter         `json:"parameters,omitempty"`
	Body       *wire.Schema            `json:"body,omitempty"`
	Answers    map[string]*wire.Schema `json:"answers"`
}

// readPin reads what writePin wrote.
func readPin(t *testing.T) (text string, u upstream) {
	t.Helper()
	b, err := os.ReadFile(pin)
	if err != nil {
		t.Fatal(err)
	}
	u = upstream{map[string]*upstreamOperation{}, map[string]*wire.Schema{}}
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, " {")
		value = "{" + value
		if strings.Contains(name, " ") {
			u.operations[name] = &upstreamOperation{}
			err = json.Unmarshal([]byte(value), u.operations[name])
		} else {
			u.schemas[name] = &wire.Schema{}
			err = json.Unmarshal([]byte(value), u.schemas[name])
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return string(b), u
}

// pinOf makes the text of the pin from an OpenAPI document.
func pinOf(t *testing.T, document []byte) string {
	t.Helper()
	var raw struct {
		Paths map[string]map[string]struct {
			Parameters  []api.Parameter
			RequestBody struct {
				Content map[string]struct{ Schema *wire.Schema }
			}
			Responses map[string]struct {
				Content map[string]struct{ Schema *wire.Schema }
			}
		}
		Components struct{ Schemas map[string]*wire.Schema }
	}
	if err := json.Unmarshal(document, &raw); err != nil {
		t.Fatal(err)
	}
	lines := map[string]any{}
	for path, methods := range raw.Paths {
		for method, item := range methods {
			o := &upstreamOperation{Body: item.RequestBody.Content["application/json"].Schema, Answers: map[string]*wire.Schema{}}
			for _, p := range item.Parameters {
				if p.In != "header" {
					o.Parameters = append(o.Parameters, p)
				}
			}
			for status, answer := range item.Responses {
				if status < "400" {
					o.Answers[status] = answer.Content["application/json"].Schema
				}
			}
			lines[strings.ToUpper(method)+" "+path] = o
		}
	}
	for name, s := range raw.Components.Schemas {
		if !strings.Contains(name, "Settings") { // of GET /admin/settings, which says what this server has
			lines[name] = s
		}
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		var line bytes.Buffer
		e := json.NewEncoder(&line)
		e.SetEscapeHTML(false)
		if err := e.Encode(lines[name]); err != nil {
			t.Fatal(err)
		}
		b.WriteString(name + " " + line.String())
	}
	return b.String()
}

// TestThePinOfTheReferencesSchemasIsFresh derives the pin anew from the
// installed reference; -update writes it.
func TestThePinOfTheReferencesSchemasIsFresh(t *testing.T) {
	t.Parallel()
	python := os.Getenv("LEAT_TEST_PYTHON")
	if python == "" {
		t.Skip("LEAT_TEST_PYTHON is not set: set it to a python that has prefect 3.8.8")
	}
	cmd := exec.CommandContext(t.Context(), python, "-c",
		"import json\nfrom prefect.server.api.server import create_app\nprint(json.dumps(create_app().openapi()))")
	cmd.Env = append(os.Environ(), "PREFECT_HOME="+t.TempDir(), "PREFECT_SERVER_ANALYTICS_ENABLED=false", "PREFECT_LOGGING_LEVEL=ERROR")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := pinOf(t, out[bytes.IndexByte(out, '{'):])
	if *update {
		if err := os.WriteFile(pin, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, _ := readPin(t)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s is not what the reference says; run the test with -update\n%s", pin, diff)
	}
}

// TestBodiesHaveTheReferencesSchemas compares what handlers read and write, as
// their Go types tell, with the reference's document.
func TestBodiesHaveTheReferencesSchemas(t *testing.T) {
	t.Parallel()
	_, u := readPin(t)
	d := wire.NewDescriber()
	c := &schemaComparison{
		reference: u.schemas, own: d.Schemas, seen: map[schemaPair]bool{}, found: map[string]bool{}, properties: map[string]bool{},
	}
	operations := prefect3.New(prefect3.Config{Engine: engine.New(engine.Config{})}).Operations()
	for i := range operations {
		o := &operations[i]
		for name, theirs := range u.operations {
			if shape(name) == shape(o.Method+" "+strings.TrimPrefix(o.Path, "/api")) && o.Status != 0 {
				c.operation(name, theirs, o, d)
			}
		}
	}
	known, still := knownDifferences(), map[string]bool{}
	for _, difference := range slices.Sorted(maps.Keys(c.found)) {
		place, _, _ := strings.Cut(difference, ": reference ")
		if still[place] = true; known[place] == "" {
			t.Errorf("%s", difference)
		}
	}
	for place := range known {
		if !still[place] {
			t.Errorf("not found any more, remove it from the list: %s", place)
		}
	}
	t.Logf("%d properties and parameters compared", len(c.properties))
}
