package asl_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/asl"
)

const drawn = `{"StartAt": "Get \"it\"", "States": {
	"Get \"it\"": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Sorry"}], "Next": "Each"},
	"Each": {"Type": "Map", "ItemProcessor": {"StartAt": "One", "States": {"One": {"Type": "Pass", "End": true}}}, "Next": "Both"},
	"Both": {"Type": "Parallel", "Branches": [{"StartAt": "L", "States": {"L": {"Type": "Succeed"}}}, {"StartAt": "R<", "States": {"R<": {"Type": "Pass", "End": true}}}], "Next": "Again?"},
	"Again?": {"Type": "Choice", "Choices": [{"Variable": "$.again", "BooleanEquals": true, "Next": "Get \"it\""}], "Default": "Done"},
	"Sorry": {"Type": "Fail"}, "Done": {"Type": "Succeed"}}}`

func TestMermaid(t *testing.T) {
	t.Parallel()
	m, ds := asl.Parse([]byte(drawn), asl.Options{})
	if m == nil {
		t.Fatal(asl.DefinitionError(ds))
	}
	want := `stateDiagram-v2
    state "Get #quot;it#quot;" as s0
    state "Each" as s1 {
        state "One" as s2
        [*] --> s2
        s2 --> [*]
    }
    state "Both" as s3 {
        state "L" as s4
        [*] --> s4
        s4 --> [*]
        --
        state "R<" as s5
        [*] --> s5
        s5 --> [*]
    }
    state "Again?" as s6
    state "Sorry" as s7
    state "Done" as s8
    [*] --> s0
    s0 --> s1
    s0 --> s7 : Catch
    s1 --> s3
    s3 --> s6
    s6 --> s0 : rule 0
    s6 --> s8 : Default
    s7 --> [*]
    s8 --> [*]
`
	if diff := cmp.Diff(want, asl.Mermaid(m)); diff != "" {
		t.Error(diff)
	}
}

func TestSVG(t *testing.T) {
	t.Parallel()
	m, ds := asl.Parse([]byte(drawn), asl.Options{})
	if m == nil {
		t.Fatal(asl.DefinitionError(ds))
	}
	plain := string(asl.SVG(m, nil))
	counts := map[string]int{}
	d := xml.NewDecoder(strings.NewReader(plain))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			counts[e.Name.Local]++
		}
	}
	if counts["rect"] != 9 || counts["path"] != 1+6 || strings.Count(plain, "stroke-dasharray") != 1 {
		t.Errorf("%v", counts)
	}
	coloured := string(asl.SVG(m, map[string]string{"One": "FAILED", "L": "SUCCEEDED"}))
	if strings.Count(coloured, "#dc2626") != 1 || strings.Count(coloured, "#16a34a") != 1 || strings.Contains(plain, "#dc2626") {
		t.Error("a status gives no colour")
	}
}

func TestEveryRecordedMachineCanBeDrawn(t *testing.T) {
	t.Parallel()
	for _, c := range recordings(t) {
		for _, m := range machines(t, c) {
			if svg := asl.SVG(m, nil); !strings.HasSuffix(string(svg), "</svg>\n") || asl.Mermaid(m) == "" {
				t.Errorf("%s: %s", c.ID, svg)
			}
		}
	}
}
