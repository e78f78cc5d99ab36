package asl_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/leat-dev/leat/internal/asl"
)

// recording is a case recorded from the service, as ../shared/sfn-conformance has them.
type recording struct {
	ID    string `json:"id"`
	Steps []struct {
		Op     string          `json:"op"`
		Params json.RawMessage `json:"params"`
	} `json:"steps"`
	Expected map[string]json.RawMessage `json:"expected"`
}

type recordedParams struct {
	Definition json.RawMessage `json:"definition"`
	Type       string          `json:"type"`
	StateName  string          `json:"stateName"`
}

// recordings reads all cases; it skips where the folder is absent.
func recordings(t *testing.T) []recording {
	t.Helper()
	files, err := filepath.Glob("../../../shared/sfn-conformance/*.json")
	if err != nil || len(files) == 0 {
		t.Skip("no recordings beside the repository")
	}
	var out []recording
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cases []recording
		if err := json.Unmarshal(text, &cases); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		out = append(out, cases...)
	}
	return out
}

// definitionText is a definition as it went over the wire: written with a space
// after commas and colons and in ASCII, as the recording client does.
func definitionText(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return wireText(raw)
}

// wireText writes a JSON text anew: ASCII, one space after commas and colons.
func wireText(raw []byte) string {
	var b strings.Builder
	inString, escaped := false, false
	var compact strings.Builder
	for _, r := range string(raw) {
		switch {
		case inString:
			compact.WriteRune(r)
			if escaped {
				escaped = false
			} else if r == '\\' {
				escaped = true
			} else if r == '"' {
				inString = false
			}
			continue
		case r == ' ' || r == '\n' || r == '\t' || r == '\r':
			continue
		case r == '"':
			inString = true
		}
		compact.WriteRune(r)
		if r == ',' || r == ':' {
			compact.WriteByte(' ')
		}
	}
	for _, r := range compact.String() {
		if r < 0x7f {
			b.WriteRune(r)
			continue
		}
		b.WriteString(`\u`)
		const hex = "0123456789abcdef"
		for shift := 12; shift >= 0; shift -= 4 {
			b.WriteByte(hex[r>>shift&15])
		}
	}
	return b.String()
}

// refusals are the messages with which the service refused definitions of a case.
func refusals(c recording) []string {
	var out []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, e := range v {
				walk(e)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		case string:
			v = strings.TrimPrefix(v, "An error occurred (InvalidDefinition) when calling the CreateStateMachine operation: ")
			if strings.HasPrefix(v, "Invalid State Machine Definition: ") || strings.HasPrefix(v, "Error=ValueError") {
				out = append(out, v)
			}
		}
	}
	for _, raw := range c.Expected {
		var v any
		if json.Unmarshal(raw, &v) == nil {
			walk(v)
		}
	}
	return out
}

var placeholder = regexp.MustCompile(`<[a-z]+>`)

func TestRecordedDefinitionsAreTakenOrRefusedAsTheServiceDid(t *testing.T) {
	t.Parallel()
	taken, refused := 0, 0
	references := regexp.MustCompile(`\$\{\d+(\.[A-Za-z0-9_]+)+\}`)
	for _, c := range recordings(t) {
		want := refusals(c)
		for _, step := range c.Steps {
			var params recordedParams
			if json.Unmarshal(step.Params, &params) != nil || len(params.Definition) == 0 {
				continue
			}
			text := references.ReplaceAllStringFunc(definitionText(t, params.Definition), func(r string) string {
				if strings.HasSuffix(r, "activityArn}") {
					return "arn:aws:states:us-east-1:000000000000:activity:a"
				}
				return "arn:aws:lambda:us-east-1:000000000000:function:f"
			})
			if text == "" {
				continue // an update that leaves the definition
			}
			var ds []asl.Diagnostic
			switch step.Op {
			case "CreateStateMachine", "UpdateStateMachine":
				_, ds = asl.Parse([]byte(text), asl.Options{Express: params.Type == "EXPRESS", Resource: knownResource})
			case "TestState":
				if strings.Contains(string(c.Expected["exception"]), "ParamValidationError") {
					continue // the client did not send it
				}
				_, _, ds = asl.ParseState([]byte(text), params.StateName, asl.Options{})
			default:
				continue
			}
			got := asl.DefinitionError(ds)
			switch {
			case len(want) == 0 && got != "":
				t.Errorf("%s: refused: %s", c.ID, got)
			case len(want) > 0 && placeholder.ReplaceAllString(want[0], "x") != placeholder.ReplaceAllString(strings.ReplaceAll(got, "arn:aws:", "arn:<partition>:"), "x"):
				t.Errorf("%s:\n got %s\nwant %s", c.ID, got, want[0])
			case got == "":
				taken++
			default:
				refused++
			}
		}
	}
	t.Logf("%d definitions taken, %d refused", taken, refused)
}

// knownResource refuses the one integration that a recording has no such thing of.
func knownResource(resource string) error {
	if strings.HasSuffix(resource, ":::dynamodb:query") {
		return os.ErrNotExist
	}
	return nil
}

// machines are those that a case makes.
func machines(t *testing.T, c recording) []*asl.Machine {
	t.Helper()
	var out []*asl.Machine
	for _, step := range c.Steps {
		var params recordedParams
		if step.Op != "CreateStateMachine" || json.Unmarshal(step.Params, &params) != nil {
			continue
		}
		text := strings.NewReplacer(`"${`, `"arn:${`).Replace(definitionText(t, params.Definition))
		if m, _ := asl.Parse([]byte(text), asl.Options{}); m != nil {
			out = append(out, m)
		}
	}
	return out
}
