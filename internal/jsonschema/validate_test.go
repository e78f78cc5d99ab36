package jsonschema_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/leat-dev/leat/internal/jsonschema"
)

// TestValidate compares with what the reference answered to the same
// schemas and parameters (testdata/reference.json).
func TestValidate(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Schema, Parameters json.RawMessage
		Error              *string
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for _, tt := range cases {
		want := ""
		if tt.Error != nil {
			want = *tt.Error
		}
		got := ""
		if err := jsonschema.Validate(tt.Parameters, tt.Schema, jsonschema.Options{}); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s against %s:\n got %s\nwant %s", compact(tt.Parameters), compact(tt.Schema), got, want)
		}
	}
}

func compact(raw json.RawMessage) string {
	b, err := json.Marshal(raw)
	if err != nil {
		return string(raw)
	}
	return string(b)
}

func TestValidateIgnoresRequired(t *testing.T) {
	t.Parallel()
	schema := []byte(`{"type":"object","properties":{"x":{"type":"integer"}},"required":["x"]}`)
	if err := jsonschema.Validate([]byte(`{}`), schema, jsonschema.Options{IgnoreRequired: true}); err != nil {
		t.Errorf("a missing property was refused: %v", err)
	}
	if err := jsonschema.Validate([]byte(`{}`), schema, jsonschema.Options{}); err == nil {
		t.Error("a missing required property was accepted")
	}
}

func TestCheckSchema(t *testing.T) {
	t.Parallel()
	for schema, want := range map[string]string{
		`{"type":"object","properties":{"x":{"anyOf":[{"type":"integer"},true]}}}`: "",
		`{"type":"nope"}`: "'nope' is not valid under any of the given schemas",
	} {
		got := ""
		if err := jsonschema.CheckSchema([]byte(schema)); err != nil {
			e, ok := errors.AsType[*jsonschema.Error](err)
			if !ok {
				t.Fatal(err)
			}
			got = e.Message
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", schema, got, want)
		}
	}
}

func TestCircularSchemaIsReported(t *testing.T) {
	t.Parallel()
	err := jsonschema.Validate([]byte(`{}`), []byte(`{"$ref":"#"}`), jsonschema.Options{})
	if !errors.Is(err, jsonschema.ErrCircular) {
		t.Errorf("got %v", err)
	}
}

func TestSchemaBombsEnd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, join, value string }{
		{"alternatives of alternatives", "anyOf", `5`},
		{"all of all", "allOf", `"x"`},
		{"one of one", "oneOf", `"x"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			defs := []string{`"a0":{"type":"string"}`}
			for i := range 40 {
				defs = append(defs, fmt.Sprintf(`"a%d":{%q:[{"$ref":"#/$defs/a%d"},{"$ref":"#/$defs/a%d"}]}`, i+1, tt.join, i, i))
			}
			schema := `{"$ref":"#/$defs/a40","$defs":{` + strings.Join(defs, ",") + `}}`
			err := jsonschema.Validate([]byte(tt.value), []byte(schema), jsonschema.Options{})
			if err == nil || !strings.Contains(err.Error(), "steps") {
				t.Errorf("got %v", err)
			}
		})
	}
}
