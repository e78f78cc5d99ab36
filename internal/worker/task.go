package worker

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/launch"
)

// What Prefect's ECS worker fills in where the job's configuration is silent.
const (
	taskContainer = "prefect"
	taskCPU       = "1024"
	taskMemory    = "2048"
	taskFargate   = "FARGATE"
	taskSpot      = "FARGATE_SPOT"
)

// task makes a task of ECS of a job's configuration. Prefect: the variables of the
// ecs worker's base job template.
func (a *attempt) task(configuration map[string]any) (*launch.Task, error) {
	t := &launch.Task{VPC: text(configuration["vpc_id"])}
	t.Deregister, _ = configuration["auto_deregister_task_definition"].(bool)
	if err := taskCredentials(t, configuration["aws_credentials"]); err != nil {
		return nil, err
	}
	definition, err := objectOf(configuration, "task_definition")
	if err != nil {
		return nil, err
	}
	if t.Request, err = objectOf(configuration, "task_run_request"); err != nil {
		return nil, err
	}
	t.Container = cmp.Or(text(configuration["container_name"]), firstName(definition), taskContainer)
	if cluster := text(configuration["cluster"]); cluster != "" && text(t.Request["cluster"]) == "" {
		t.Request["cluster"] = cluster
	}
	kind := text(t.Request["launchType"])
	if text(t.Request["taskDefinition"]) == "" {
		if kind == "" && !slices.Contains(list(definition["requiresCompatibilities"]), any("EC2")) {
			kind = taskFargate
		}
		if t.Definition, err = a.definition(t, definition, configuration, kind); err != nil {
			return nil, err
		}
	}
	a.request(t, configuration, kind)
	return t, nil
}

// taskCredentials reads a block of the type AwsCredentials: where tasks run, and
// the role to run them by. Keys are the worker's own.
func taskCredentials(t *launch.Task, block any) error {
	values, ok := block.(map[string]any)
	if !ok {
		return nil
	}
	for _, key := range []string{"aws_access_key_id", "aws_secret_access_key", "aws_session_token", "profile_name"} {
		if text(values[key]) != "" {
			return fmt.Errorf("aws_credentials of the job's configuration has %s: credentials are taken from the worker's environment, only region_name and assume_role_arn from the block", key)
		}
	}
	t.Region, t.Role = text(values["region_name"]), text(values["assume_role_arn"])
	return nil
}

// definition fills a task definition in.
func (a *attempt) definition(t *launch.Task, d, configuration map[string]any, kind string) (map[string]any, error) {
	var containers []any
	var own map[string]any
	for _, item := range list(d["containerDefinitions"]) {
		c, ok := item.(map[string]any)
		if !ok || len(c) == 0 {
			continue
		}
		c = maps.Clone(c)
		containers = append(containers, c)
		if c["name"] == t.Container || c["name"] == nil && own == nil && t.Container == taskContainer {
			own = c
		}
	}
	if own == nil && len(containers) > 0 && len(containers) == unnamed(containers) {
		own, _ = containers[0].(map[string]any) // it was to be named by container_name
	}
	if own == nil {
		if t.Container != taskContainer && len(containers) > 0 {
			return nil, fmt.Errorf("the task definition has no container %q", t.Container)
		}
		own = map[string]any{}
		containers = append(containers, own)
	}
	own["name"], own["image"] = t.Container, cmp.Or(text(own["image"]), defaultImage)
	d["containerDefinitions"] = containers
	if on, _ := configuration["configure_cloudwatch_logs"].(bool); on {
		own["logConfiguration"] = a.logConfiguration(configuration)
		if text(d["executionRoleArn"]) == "" {
			return nil, errors.New("configure_cloudwatch_logs needs an execution_role_arn")
		}
	}
	secrets(own, configuration)
	if d["family"] == nil || d["family"] == "" {
		d["family"] = a.family()
	}
	cpu, memory := cmp.Or(number(d["cpu"]), taskCPU), cmp.Or(number(d["memory"]), taskMemory)
	if kind == taskFargate || kind == taskSpot {
		d["cpu"], d["memory"] = cpu, memory
		if required := list(d["requiresCompatibilities"]); !slices.Contains(required, any(taskFargate)) {
			d["requiresCompatibilities"] = append(slices.Clone(required), taskFargate)
		}
		if text(d["networkMode"]) == "" {
			d["networkMode"] = "awsvpc"
		}
		return d, nil
	}
	for name, value := range map[string]string{"cpu": cpu, "memory": memory} {
		if d[name] != nil {
			d[name] = value
		}
		if own[name] == nil {
			own[name] = json.Number(value)
		}
	}
	return d, nil
}

// logConfiguration sends a container's output to CloudWatch Logs; the launcher
// adds the region.
func (a *attempt) logConfiguration(configuration map[string]any) map[string]any {
	owner := a.run.FlowID.String()
	if a.run.DeploymentID != nil {
		owner = a.run.DeploymentID.String()
	}
	options := map[string]any{
		"awslogs-create-group": "true", "awslogs-group": "prefect",
		"awslogs-stream-prefix": cmp.Or(text(configuration["cloudwatch_logs_prefix"]), "prefect-logs_"+a.w.cfg.Pool+"_"+owner),
	}
	if more, ok := configuration["cloudwatch_logs_options"].(map[string]any); ok {
		for name, value := range more {
			options[name] = plain(value)
		}
	}
	return map[string]any{"logDriver": "awslogs", "options": options}
}

// secretVariables are the variables of the environment that the configuration may
// have ECS read from Secrets Manager.
func secretVariables() map[string]string {
	return map[string]string{"PREFECT_API_KEY": "prefect_api_key_secret_arn", "PREFECT_API_AUTH_STRING": "prefect_api_auth_string_secret_arn"}
}

// secrets adds the secrets that the configuration names to a container's.
func secrets(container, configuration map[string]any) {
	variables := secretVariables()
	kept := []any{}
	for _, item := range list(container["secrets"]) {
		if s, ok := item.(map[string]any); !ok || text(configuration[variables[text(s["name"])]]) == "" {
			kept = append(kept, item)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if arn := text(configuration[variables[name]]); arn != "" {
			kept = append(kept, map[string]any{"name": name, "valueFrom": arn})
		}
	}
	if len(kept) > 0 {
		container["secrets"] = kept
	}
}

// family names a task's family as Prefect's worker does: by pool and deployment,
// or flow.
func (a *attempt) family() string {
	owner := a.run.FlowID.String()
	if a.run.DeploymentID != nil {
		owner = a.run.DeploymentID.String()
	}
	name := regexp.MustCompile(`[^a-zA-Z0-9_-]+`).ReplaceAllString("prefect_"+a.w.cfg.Pool+"_"+owner, "-")
	return name[max(0, len(name)-255):]
}

// request fills the request of RunTask in.
func (a *attempt) request(t *launch.Task, configuration map[string]any, kind string) {
	r := t.Request
	switch {
	case len(list(r["capacityProviderStrategy"])) > 0:
		delete(r, "launchType")
	case kind == taskSpot:
		delete(r, "launchType")
		r["capacityProviderStrategy"] = []any{map[string]any{"capacityProvider": taskSpot, "weight": json.Number("1")}}
	case kind != "":
		r["launchType"] = kind
	}
	if network, ok := configuration["network_configuration"].(map[string]any); ok && len(network) > 0 && r["networkConfiguration"] == nil {
		r["networkConfiguration"] = map[string]any{"awsvpcConfiguration": network}
	}
	if overrides, ok := r["overrides"].(map[string]any); ok {
		for _, name := range []string{"cpu", "memory"} {
			if overrides[name] != nil {
				overrides[name] = number(overrides[name])
			}
		}
		for i, item := range list(overrides["containerOverrides"]) {
			if c, ok := item.(map[string]any); ok && i == 0 && text(c["name"]) == "" {
				c["name"] = t.Container
			}
		}
	}
	a.tags(r, configuration)
}

// tags labels the task: with what the request and the configuration say, and with
// what Prefect's own tools look for.
func (a *attempt) tags(r, configuration map[string]any) {
	tags := map[string]string{
		"prefect.io/flow-run-id": a.run.ID.String(), "prefect.io/flow-run-name": a.run.Name, "prefect.io/flow-id": a.run.FlowID.String(),
		"prefect.io/worker-name": a.w.cfg.Name, "prefect.io/work-pool-name": a.w.cfg.Pool,
	}
	if a.run.DeploymentID != nil {
		tags["prefect.io/deployment-id"] = a.run.DeploymentID.String()
	}
	switch given := r["tags"].(type) {
	case map[string]any:
		for key, value := range given {
			tags[key] = plain(value)
		}
	case []any:
		for _, item := range given {
			if tag, ok := item.(map[string]any); ok {
				tags[text(tag["key"])] = text(tag["value"])
			}
		}
	}
	if labels, ok := configuration["labels"].(map[string]any); ok {
		for key, value := range labels {
			if value != nil {
				tags[key] = plain(value)
			}
		}
	}
	refused := regexp.MustCompile(`[^\p{L}\p{N}_./=+:@-]+`)
	out := []any{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		name, value := cut(refused.ReplaceAllString(key, "-"), 128), cut(refused.ReplaceAllString(tags[key], "-"), 256)
		if name != "" {
			out = append(out, map[string]any{"key": name, "value": value})
		}
	}
	r["tags"] = out
}

// cut shortens a text to a number of bytes, between characters.
func cut(s string, most int) string {
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}

// secretless leaves out the variables that ECS sets from secrets.
func secretless(env []string, configuration map[string]any) []string {
	variables := secretVariables()
	return slices.DeleteFunc(env, func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return text(configuration[variables[name]]) != ""
	})
}

// objectOf returns a copy of an object of a configuration, empty if it is not set.
func objectOf(configuration map[string]any, key string) (map[string]any, error) {
	switch v := configuration[key].(type) {
	case nil:
		return map[string]any{}, nil
	case map[string]any:
		return maps.Clone(v), nil
	}
	return nil, fmt.Errorf("%s of the job's configuration is not an object", key)
}

func list(v any) []any {
	items, _ := v.([]any)
	return items
}

// firstName is the name of a definition's first container that has one.
func firstName(definition map[string]any) string {
	for _, item := range list(definition["containerDefinitions"]) {
		if c, ok := item.(map[string]any); ok && text(c["name"]) != "" {
			return text(c["name"])
		}
	}
	return ""
}

// unnamed counts the containers without a name.
func unnamed(containers []any) int {
	n := 0
	for _, item := range containers {
		if c, ok := item.(map[string]any); ok && text(c["name"]) == "" {
			n++
		}
	}
	return n
}

// number is a number or a text as ECS takes sizes, "" for null.
func number(v any) string {
	if v == nil {
		return ""
	}
	return plain(v)
}
