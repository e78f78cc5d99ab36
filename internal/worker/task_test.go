package worker

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/launch"
)

// ecsTemplate is the job configuration of Prefect's ecs base job template.
const ecsTemplate = `{"job_configuration": {
	"command": "{{ command }}", "env": "{{ env }}", "labels": "{{ labels }}", "name": "{{ name }}", "aws_credentials": "{{ aws_credentials }}",
	"task_definition": {
		"containerDefinitions": [{"image": "{{ image }}", "name": "{{ container_name }}"}],
		"cpu": "{{ cpu }}", "family": "{{ family }}", "memory": "{{ memory }}", "executionRoleArn": "{{ execution_role_arn }}"
	},
	"task_run_request": {
		"launchType": "{{ launch_type }}", "cluster": "{{ cluster }}",
		"overrides": {
			"containerOverrides": [{"name": "{{ container_name }}", "command": "{{ command }}", "environment": "{{ env }}", "cpu": "{{ cpu }}", "memory": "{{ memory }}"}],
			"cpu": "{{ cpu }}", "memory": "{{ memory }}", "taskRoleArn": "{{ task_role_arn }}"
		},
		"tags": "{{ labels }}", "taskDefinition": "{{ task_definition_arn }}", "capacityProviderStrategy": "{{ capacity_provider_strategy }}"
	},
	"configure_cloudwatch_logs": "{{ configure_cloudwatch_logs }}", "cloudwatch_logs_options": "{{ cloudwatch_logs_options }}",
	"cloudwatch_logs_prefix": "{{ cloudwatch_logs_prefix }}", "network_configuration": "{{ network_configuration }}",
	"auto_deregister_task_definition": "{{ auto_deregister_task_definition }}", "vpc_id": "{{ vpc_id }}", "container_name": "{{ container_name }}",
	"cluster": "{{ cluster }}", "prefect_api_key_secret_arn": "{{ prefect_api_key_secret_arn }}"
}, "variables": {"properties": {"launch_type": {"default": "FARGATE"}, "auto_deregister_task_definition": {"default": false}}}}`

func TestTaskOfConfiguration(t *testing.T) {
	t.Parallel()
	id, flow, deployment := core.NewID(time.Now()), core.NewID(time.Now()), core.NewID(time.Now())
	a := &attempt{w: &Worker{cfg: Config{Name: "w", Pool: "my pool"}}, run: client.FlowRun{ID: id, Name: "wise owl?", FlowID: flow, DeploymentID: &deployment}}
	fargate := func(container, rest string) string {
		return `{"containerDefinitions": [` + container + `], "family": "prefect_my-pool_` + deployment.String() + `", "cpu": "1024", "memory": "2048",
			"networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"]` + rest + `}`
	}
	const plain = `{"name": "prefect", "image": "prefecthq/prefect:3-latest"}`
	for _, tt := range []struct {
		name, given, definition, request string
		want                             launch.Task
		err                              string
	}{
		{
			"nothing said", `{}`, fargate(plain, ""), `{"launchType": "FARGATE", "overrides": {"containerOverrides": [{"name": "prefect"}]}}`,
			launch.Task{Container: "prefect"},
			"",
		},
		{
			"sizes, roles, network and labels",
			`{"image": "i:1", "cpu": 256, "memory": 512, "cluster": "c", "task_role_arn": "t", "execution_role_arn": "x", "vpc_id": "vpc-1", "family": "f",
				"container_name": "job", "labels": {"a b": 1}, "network_configuration": {"subnets": ["s"]}, "auto_deregister_task_definition": true}`,
			`{"containerDefinitions": [{"name": "job", "image": "i:1"}], "family": "f", "cpu": "256", "memory": "512", "executionRoleArn": "x",
				"networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"]}`,
			`{"launchType": "FARGATE", "cluster": "c", "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["s"]}}, "overrides": {
				"containerOverrides": [{"name": "job", "cpu": 256, "memory": 512}], "cpu": "256", "memory": "512", "taskRoleArn": "t"}}`,
			launch.Task{Container: "job", VPC: "vpc-1", Deregister: true},
			"",
		},
		{
			"Spot is a capacity provider", `{"launch_type": "FARGATE_SPOT"}`, fargate(plain, ""),
			`{"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}], "overrides": {"containerOverrides": [{"name": "prefect"}]}}`,
			launch.Task{Container: "prefect"},
			"",
		},
		{
			"machines of the account have sizes by container", `{"launch_type": "EC2"}`,
			`{"containerDefinitions": [{"name": "prefect", "image": "prefecthq/prefect:3-latest", "cpu": 1024, "memory": 2048}], "family": "prefect_my-pool_` + deployment.String() + `"}`,
			`{"launchType": "EC2", "overrides": {"containerOverrides": [{"name": "prefect"}]}}`,
			launch.Task{Container: "prefect"},
			"",
		},
		{
			"logs and secrets", `{"configure_cloudwatch_logs": true, "execution_role_arn": "x", "cloudwatch_logs_options": {"awslogs-group": "g"}, "prefect_api_key_secret_arn": "s"}`,
			fargate(`{"name": "prefect", "image": "prefecthq/prefect:3-latest", "secrets": [{"name": "PREFECT_API_KEY", "valueFrom": "s"}],
				"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-create-group": "true", "awslogs-group": "g", "awslogs-stream-prefix": "prefect-logs_my pool_`+deployment.String()+`"}}}`,
				`, "executionRoleArn": "x"`),
			`{"launchType": "FARGATE", "overrides": {"containerOverrides": [{"name": "prefect"}]}}`,
			launch.Task{Container: "prefect"},
			"",
		},
		{
			"a definition that is there already", `{"task_definition_arn": "arn:d"}`, ``,
			`{"launchType": "FARGATE", "taskDefinition": "arn:d", "overrides": {"containerOverrides": [{"name": "prefect"}]}}`,
			launch.Task{Container: "prefect"},
			"",
		},
		{
			"a block that names region and role", `{"aws_credentials": {"region_name": "eu-west-1", "assume_role_arn": "r", "aws_access_key_id": null}}`, fargate(plain, ""),
			`{"launchType": "FARGATE", "overrides": {"containerOverrides": [{"name": "prefect"}]}}`,
			launch.Task{Container: "prefect", Region: "eu-west-1", Role: "r"},
			"",
		},
		{"a block with keys", `{"aws_credentials": {"aws_access_key_id": "k"}}`, ``, ``, launch.Task{}, "aws_access_key_id"},
		{"logs without a role", `{"configure_cloudwatch_logs": true}`, ``, ``, launch.Task{}, "execution_role_arn"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			template, given := object(t, ecsTemplate), object(t, tt.given)
			got, err := a.task(configure(template, given, func(string) (string, bool) { return "", false }))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			checkTags(t, got, id)
			tt.want.Request = object(t, tt.request)
			if tt.definition != "" {
				tt.want.Definition = object(t, tt.definition)
			}
			if diff := cmp.Diff(shown(t, &tt.want), shown(t, got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func shown(t *testing.T, task *launch.Task) map[string]any {
	t.Helper()
	text, err := json.Marshal(task)
	if err != nil {
		t.Fatal(err)
	}
	return object(t, string(text))
}

// checkTags checks the tags of a request and takes them away.
func checkTags(t *testing.T, task *launch.Task, id core.ID) {
	t.Helper()
	tags := map[string]string{}
	for _, item := range list(task.Request["tags"]) {
		tag, _ := item.(map[string]any)
		tags[text(tag["key"])] = text(tag["value"])
	}
	delete(task.Request, "tags")
	if tags["prefect.io/flow-run-id"] != id.String() || tags["prefect.io/flow-run-name"] != "wise-owl-" || tags["prefect.io/work-pool-name"] != "my-pool" {
		t.Errorf("tags are %v", tags)
	}
}

func TestSecretsAreNotInTheEnvironment(t *testing.T) {
	t.Parallel()
	got := secretless([]string{"A=b", "PREFECT_API_KEY=k", "PREFECT_API_AUTH_STRING=s"}, map[string]any{"prefect_api_key_secret_arn": "arn"})
	if diff := cmp.Diff([]string{"A=b", "PREFECT_API_AUTH_STRING=s"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
