package asl_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/value"
)

func TestVariableReferences(t *testing.T) {
	t.Parallel()
	const definition = `{"StartAt": "Outer", "States": {
		"Outer": {"Type": "Map", "ItemsPath": "$list", "MaxConcurrencyPath": "$most.value", "ItemSelector": {"a.$": "States.Format($t, $$.Map.Item.Value)"},
			"ItemProcessor": {"StartAt": "Sum", "States": {"Sum": {"Type": "Pass", "Assign": {"own": 1, "s.$": "States.MathAdd($y, States.MathAdd($x, $y))"}, "End": true}}}, "Next": "None"},
		"None": {"Type": "Pass", "InputPath": "$.a", "Assign": {"v": "$x"}, "Next": "Both"},
		"Both": {"Type": "Parallel", "Branches": [{"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "SecondsPath": "$pause", "End": true}}}], "Next": "Choose"},
		"Choose": {"Type": "Choice", "Choices": [{"Not": {"Variable": "$l[?(@.id == $wanted)]", "StringEqualsPath": "$right"}, "Next": "Fail"}]},
		"Fail": {"Type": "Fail", "CausePath": "States.Array($why)", "ErrorPath": "$what"}}}`
	const want = `{"Outer":["list","most","t"],"Sum":["x","y"],"Wait":["pause"],"Choose":["l","right","wanted"],"Fail":["what","why"]}`
	m, ds := asl.Parse([]byte(definition), asl.Options{})
	if m == nil {
		t.Fatal(asl.DefinitionError(ds))
	}
	if got := value.String(m.VariableReferences()); got != want {
		t.Errorf("got %s", got)
	}
}

func TestVariableReferencesOfJSONata(t *testing.T) {
	t.Parallel()
	const definition = `{"QueryLanguage": "JSONata", "StartAt": "Map", "States": {
		"Map": {"Type": "Map", "Items": "{% $items %}", "MaxConcurrency": "{% $most + $count($items) %}", "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "Arguments": {"Bucket": "{% $bucket %}"}, "ReaderConfig": {"MaxItems": "{% $n %}"}},
			"ItemBatcher": {"MaxItemsPerBatch": "{% $m %}", "BatchInput": {"a": ["{% $batch %}"]}}, "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Arguments": "{% $out %}"},
			"ItemProcessor": {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Timestamp": "{% $until %}", "End": true}}}, "Next": "Task"},
		"Task": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Arguments": "{% $a %}", "TimeoutSeconds": "{% $t %}", "Credentials": {"RoleArn": "{% $r %}"}, "Output": "{% $states.result & $b & $uuid() %}",
			"Catch": [{"ErrorEquals": ["e"], "Output": "{% $c %}", "Next": "Choose"}], "Next": "Choose"},
		"Choose": {"Type": "Choice", "Choices": [{"Condition": "{% ($local := $d; $local) %}", "Assign": {"x": "{% $e %}"}, "Output": "{% $f %}", "Next": "None"}]},
		"None": {"Type": "Succeed", "Output": "{% $map([1], function($v) { $v }) %}"}}}`
	const want = `{"Map":["batch","bucket","items","m","most","n","out"],"Wait":["until"],"Task":["a","b","c","r","t"],"Choose":["d","e","f"]}`
	m, ds := asl.Parse([]byte(definition), asl.Options{})
	if m == nil {
		t.Fatal(asl.DefinitionError(ds))
	}
	if got := value.String(m.VariableReferences()); got != want {
		t.Errorf("got %s", got)
	}
}

func TestRecordedVariableReferences(t *testing.T) {
	t.Parallel()
	n := 0
	for _, c := range recordings(t) {
		for key, raw := range c.Expected {
			var want struct {
				VariableReferences map[string][]string `json:"variableReferences"`
				Definition         json.RawMessage     `json:"definition"`
			}
			if json.Unmarshal(raw, &want) != nil || want.VariableReferences == nil || len(want.Definition) == 0 {
				continue
			}
			m, ds := asl.Parse([]byte(definitionText(t, want.Definition)), asl.Options{})
			if m == nil {
				t.Errorf("%s: %s", c.ID, asl.DefinitionError(ds))
				continue
			}
			var got map[string][]string
			if err := json.Unmarshal([]byte(value.String(m.VariableReferences())), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.VariableReferences, got); diff != "" {
				t.Errorf("%s %s: %s", c.ID, key, diff)
			}
			n++
		}
	}
	if n == 0 {
		t.Error("no recording tells of variables")
	}
}
