package integration_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/value"
)

func TestParametersOfFlowRuns(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, params string
		want         integration.FlowRun
		refusal      string // what the cause ends with
	}{
		{
			name: "a deployment is named by its flow and itself", params: `{"Deployment": "f/d"}`,
			want: integration.FlowRun{Flow: "f", Deployment: "d"},
		},
		{
			name: "all fields are read, and objects keep their order",
			params: `{"DeploymentId": "x", "Parameters": {"b": 1, "a": [2]}, "Name": "n", "Tags": ["t", "u"],
				"JobVariables": {"env": {}}, "IdempotencyKey": "k"}`,
			want: integration.FlowRun{
				DeploymentID: "x", Name: "n", Parameters: []byte(`{"b":1,"a":[2]}`), JobVariables: []byte(`{"env":{}}`),
				Tags: []string{"t", "u"}, IdempotencyKey: "k",
			},
		},
		{name: "what is no object is refused", params: `[]`, refusal: "[The Parameters must be a JSON object]"},
		{name: "a deployment is needed", params: `{}`, refusal: `[The field "Deployment" is required but was missing]`},
		{name: "one deployment is enough", params: `{"Deployment": "f/d", "DeploymentId": "x"}`, refusal: "exclude each other]"},
		{name: "a deployment needs its flow", params: `{"Deployment": "d"}`, refusal: "a slash and the name of a deployment]"},
		{name: "a flow needs its deployment", params: `{"Deployment": "f/"}`, refusal: "a slash and the name of a deployment]"},
		{name: "a deployment has a name", params: `{"Deployment": ""}`, refusal: "[The value for the field 'Deployment' must be a string that is not empty]"},
		{
			name: "all that is wrong is told", params: `{"Deployment": "f/d", "Wait": true, "Tags": ["a", 1], "Parameters": []}`,
			refusal: `[The field "Wait" is not supported by Step Functions, The value for the field 'Tags' must be a list of strings, ` +
				`The value for the field 'Parameters' must be an object]`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			params, err := value.Parse([]byte(tt.params))
			if err != nil {
				t.Fatal(err)
			}
			got, failure := integration.ReadFlowRun(params)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			switch {
			case tt.refusal == "" && failure != nil:
				t.Errorf("refused: %s", failure.Cause)
			case tt.refusal != "" && (failure == nil || !failure.Parameters || failure.Error != "States.Runtime" || !strings.HasSuffix(failure.Cause, tt.refusal)):
				t.Errorf("the refusal is %+v", failure)
			}
		})
	}
}
