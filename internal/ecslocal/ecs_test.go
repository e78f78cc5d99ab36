package ecslocal_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// overlay is base with changes; a nil value takes a key away.
func overlay(base, changes object) object {
	out := maps.Clone(base)
	for name, value := range changes {
		if value == nil {
			delete(out, name)
			continue
		}
		out[name] = value
	}
	return out
}

func TestRegisterTaskDefinition(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	good := object{
		"family": "f", "requiresCompatibilities": []string{"FARGATE"}, "networkMode": "awsvpc", "cpu": "256", "memory": "512",
		"containerDefinitions": []object{{"name": "a", "image": "b"}},
	}
	awslogs := object{"logDriver": "awslogs", "options": object{"awslogs-group": "g", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "p"}}
	for _, tt := range []struct {
		name    string
		changes object
		want    string // part of the message; "" is success
	}{
		{"a definition for Fargate", nil, ""},
		{"sizes in words", object{"cpu": ".25 vCPU", "memory": "1 GB"}, ""},
		{"the greatest size", object{"cpu": "16384", "memory": "122880"}, ""},
		{"no family", object{"family": nil}, "Family should not be null or empty."},
		{"a family with other characters", object{"family": "a b"}, "Family contains invalid characters."},
		{"no containers", object{"containerDefinitions": []object{}}, "Container list cannot be empty."},
		{"a container without a name", object{"containerDefinitions": []object{{"image": "b"}}}, "Container.name should not be null or empty."},
		{"a container without an image", object{"containerDefinitions": []object{{"name": "a"}}}, "Container.image should not be null or empty."},
		{"two containers of a name", object{"containerDefinitions": []object{{"name": "a", "image": "b"}, {"name": "a", "image": "b"}}}, "unique"},
		{"nothing essential", object{"containerDefinitions": []object{{"name": "a", "image": "b", "essential": false}}}, "essential"},
		{"Fargate without awsvpc", object{"networkMode": "bridge"}, "Fargate only supports network mode ‘awsvpc’."},
		{"Fargate without cpu", object{"cpu": nil}, "Fargate requires that 'cpu' be defined at the task level."},
		{"Fargate without memory", object{"memory": nil}, "Fargate requires that 'memory' be defined at the task level."},
		{"too much memory for the cpu", object{"memory": "4096"}, "No Fargate configuration exists for given values: 256 CPU, 4096 memory."},
		{"cpu that Fargate has not", object{"cpu": "300"}, "No Fargate configuration exists"},
		{"memory between two steps", object{"cpu": "8192", "memory": "17408"}, "No Fargate configuration exists"},
		{"cpu that is no number", object{"cpu": "much"}, "Invalid 'cpu' setting for task."},
		{"EC2 without container memory", object{"requiresCompatibilities": nil, "networkMode": nil, "cpu": nil, "memory": nil}, "At least one of 'memory' or 'memoryReservation' must be specified."},
		{"a network mode that is none", object{"networkMode": "wifi"}, "network mode"},
		{"awslogs without a role", object{"containerDefinitions": []object{{"name": "a", "image": "b", "logConfiguration": awslogs}}}, "execution role ARN to support log driver awslogs"},
		{"an image of ECR without a role", object{"containerDefinitions": []object{{"name": "a", "image": "1.dkr.ecr.x.amazonaws.com/b"}}}, "execution role ARN to support ECR images"},
		{"awslogs with a role", object{"executionRoleArn": "r", "containerDefinitions": []object{{"name": "a", "image": "b", "logConfiguration": awslogs}}}, ""},
		{"a dependency on nothing", object{"containerDefinitions": []object{{"name": "a", "image": "b", "dependsOn": []object{{"containerName": "x", "condition": "START"}}}}}, "dependsOn"},
		{"dependencies in a circle", object{"containerDefinitions": []object{
			{"name": "a", "image": "b", "dependsOn": []object{{"containerName": "c", "condition": "START"}}},
			{"name": "c", "image": "b", "dependsOn": []object{{"containerName": "a", "condition": "START"}}},
		}}, "cycle"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, f := w.call("ecs", "RegisterTaskDefinition", overlay(good, tt.changes))
			switch {
			case tt.want == "" && f != nil:
				t.Error(f)
			case tt.want != "" && (f == nil || f.Type != "ClientException" || f.Status != 400 || !strings.Contains(f.Message, tt.want)):
				t.Errorf("%v, want %q", f, tt.want)
			}
		})
	}
}

func TestTaskDefinitions(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	first := w.define("app", object{"name": "main", "image": "x", "ulimits": []object{{"name": "nofile", "softLimit": 1, "hardLimit": 2}}})
	second := w.define("app", shell("main", "exit 0"))
	w.define("other", shell("main", "exit 0"))
	d := get(t, w.must("ecs", "DescribeTaskDefinition", object{"taskDefinition": "app:1"}), "taskDefinition").(object)
	if d["taskDefinitionArn"] != first || get(t, d, "containerDefinitions", 0, "ulimits", 0, "name") != "nofile" || get(t, d, "containerDefinitions", 0, "essential") != true ||
		fmt.Sprint(d["compatibilities"]) != "[EC2 FARGATE]" || d["status"] != "ACTIVE" {
		t.Errorf("described as %v", d)
	}
	if got := get(t, w.must("ecs", "DescribeTaskDefinition", object{"taskDefinition": "app"}), "taskDefinition", "taskDefinitionArn"); got != second {
		t.Errorf("the family's latest is %v", got)
	}
	if got := w.must("ecs", "ListTaskDefinitions", object{"familyPrefix": "app", "sort": "DESC", "maxResults": 1}); text(t, got, "taskDefinitionArns", 0) != second ||
		text(t, w.must("ecs", "ListTaskDefinitions", object{"familyPrefix": "app", "sort": "DESC", "nextToken": got["nextToken"]}), "taskDefinitionArns", 0) != first {
		t.Errorf("listed as %v", got)
	}
	w.must("ecs", "DeregisterTaskDefinition", object{"taskDefinition": second})
	if got := get(t, w.must("ecs", "DescribeTaskDefinition", object{"taskDefinition": "app"}), "taskDefinition", "taskDefinitionArn"); got != first {
		t.Errorf("the latest active one is %v", got)
	}
	if got := get(t, w.must("ecs", "DescribeTaskDefinition", object{"taskDefinition": second}), "taskDefinition", "status"); got != "INACTIVE" {
		t.Errorf("deregistered: %v", got)
	}
	w.must("ecs", "DeregisterTaskDefinition", object{"taskDefinition": first})
	if got := get(t, w.must("ecs", "ListTaskDefinitionFamilies", object{"status": "ACTIVE"}), "families"); fmt.Sprint(got) != "[other]" {
		t.Errorf("active families: %v", got)
	}
	for action, in := range map[string]object{
		"DescribeTaskDefinition": {"taskDefinition": "none"}, "DeregisterTaskDefinition": {"taskDefinition": "app"},
	} {
		if _, f := w.call("ecs", action, in); f == nil || f.Type != "ClientException" {
			t.Errorf("%s %v: %v", action, in, f)
		}
	}
}

func TestRunTaskRefuses(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	w.must("ecs", "CreateCluster", object{"clusterName": "c"})
	w.define("app", shell("main", "exit 0"))
	w.define("old", shell("main", "exit 0"))
	w.must("ecs", "DeregisterTaskDefinition", object{"taskDefinition": "old:1"})
	w.must("ecs", "RegisterTaskDefinition", object{"family": "bridge", "containerDefinitions": []object{{"name": "a", "image": "b", "memory": 10}}})
	good := object{"cluster": "c", "taskDefinition": "app", "launchType": "FARGATE", "networkConfiguration": network()}
	for _, tt := range []struct {
		name    string
		changes object
		code    string
		want    string
	}{
		{"a cluster that is not there", object{"cluster": "none"}, "ClusterNotFoundException", "Cluster not found."},
		{"no definition", object{"taskDefinition": nil}, "InvalidParameterException", "TaskDefinition can not be blank."},
		{"a definition that is not there", object{"taskDefinition": "none"}, "ClientException", "TaskDefinition not found."},
		{"an inactive definition", object{"taskDefinition": "old:1"}, "ClientException", "TaskDefinition is inactive"},
		{"a family that is all inactive", object{"taskDefinition": "old"}, "ClientException", "TaskDefinition is inactive"},
		{"awsvpc without a network", object{"networkConfiguration": nil}, "InvalidParameterException", "Network Configuration must be provided when networkMode 'awsvpc' is specified."},
		{"no subnets", object{"networkConfiguration": object{"awsvpcConfiguration": object{"subnets": []string{}}}}, "InvalidParameterException", "subnets can not be empty."},
		{"a network for bridge", object{"taskDefinition": "bridge", "launchType": "EC2"}, "InvalidParameterException", "Network Configuration is not valid"},
		{"Fargate for what does not fit it", object{"taskDefinition": "bridge", "networkConfiguration": nil}, "InvalidParameterException", "Task definition does not support launch_type FARGATE."},
		{"too many", object{"count": 11}, "InvalidParameterException", "Count should be between 1 and 10."},
		{"an override of no container", object{"overrides": object{"containerOverrides": []object{{"name": "x"}}}}, "InvalidParameterException", "Override for container named x is not a container in the TaskDefinition."},
		{"sizes that Fargate has not", object{"overrides": object{"cpu": "256", "memory": "8192"}}, "ClientException", "No Fargate configuration exists"},
		{"launch type and strategy", object{"capacityProviderStrategy": []object{{"capacityProvider": "FARGATE"}}}, "InvalidParameterException", "both a launch type and capacity provider strategy"},
		{"a provider that the cluster has not", object{"launchType": nil, "capacityProviderStrategy": []object{{"capacityProvider": "FARGATE_SPOT"}}}, "InvalidParameterException", "'FARGATE_SPOT' was not found"},
		{"a launch type that is none", object{"launchType": "MOON"}, "InvalidParameterException", "MOON"},
		{"a group of services", object{"group": "service:x"}, "InvalidParameterException", "Invalid namespace for group."},
		{"a tag of AWS", object{"tags": []object{{"key": "aws:x", "value": ""}}}, "InvalidParameterException", "aws:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, f := w.call("ecs", "RunTask", overlay(good, tt.changes))
			if f == nil || f.Type != tt.code || f.Status != http.StatusBadRequest || !strings.Contains(f.Message, tt.want) {
				t.Errorf("%v, want %s: %s", f, tt.code, tt.want)
			}
		})
	}
}

func TestRunTaskTwiceByToken(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	in := object{"taskDefinition": w.define("app", shell("main", "exit 0")), "launchType": "FARGATE", "networkConfiguration": network(), "count": 2, "clientToken": "once"}
	first, second := w.must("ecs", "RunTask", in), w.must("ecs", "RunTask", in)
	for i := range 2 {
		if text(t, first, "tasks", i, "taskArn") != text(t, second, "tasks", i, "taskArn") {
			t.Errorf("task %d differs", i)
		}
	}
	in["count"] = 1
	if _, f := w.call("ecs", "RunTask", in); f == nil || f.Type != "ConflictException" {
		t.Errorf("another request with the token: %v", f)
	}
}

func TestListTasks(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	long := w.define("long", shell("main", "exec sleep 1000"))
	running := w.run(long, object{"startedBy": "me", "tags": []object{{"key": "k", "value": "v"}}, "propagateTags": "TASK_DEFINITION"})
	stopped := w.run(w.define("short", shell("main", "exit 0")), nil)
	w.await(running, "RUNNING")
	w.await(stopped, "STOPPED")
	for _, tt := range []struct {
		in   object
		want []string
	}{
		{object{}, []string{running}},
		{object{"desiredStatus": "STOPPED"}, []string{stopped}},
		{object{"family": "long"}, []string{running}},
		{object{"family": "lo"}, nil},
		{object{"startedBy": "me"}, []string{running}},
		{object{"startedBy": "you"}, nil},
		{object{"launchType": "FARGATE"}, []string{running}},
		{object{"launchType": "EC2"}, nil},
	} {
		var got []string
		for _, arn := range get(t, w.must("ecs", "ListTasks", tt.in), "taskArns").([]any) {
			got = append(got, arn.(string))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tt.in, diff)
		}
	}
	out := w.must("ecs", "DescribeTasks", object{"tasks": []string{running, "0123"}})
	if get(t, out, "failures", 0, "reason") != "MISSING" || len(get(t, out, "tasks", 0, "tags").([]any)) != 0 {
		t.Errorf("DescribeTasks: %v", out)
	}
	clusters := w.must("ecs", "DescribeClusters", object{})
	if fmt.Sprint(get(t, clusters, "clusters", 0, "runningTasksCount")) != "1" {
		t.Errorf("DescribeClusters: %v", clusters)
	}
	if _, f := w.call("ecs", "DeleteCluster", object{"cluster": "default"}); f == nil || f.Type != "ClusterContainsTasksException" {
		t.Errorf("deleting a cluster with tasks: %v", f)
	}
	w.must("ecs", "TagResource", object{"resourceArn": running, "tags": []object{{"key": "k", "value": "w"}, {"key": "l", "value": "x"}}})
	w.must("ecs", "UntagResource", object{"resourceArn": running, "tagKeys": []string{"l"}})
	if got := fmt.Sprint(get(t, w.must("ecs", "ListTagsForResource", object{"resourceArn": running}), "tags")); got != "[map[key:k value:w]]" {
		t.Errorf("tags: %s", got)
	}
}

func TestClusters(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	w.must("ecs", "CreateCapacityProvider", object{"name": "mine", "autoScalingGroupProvider": object{"autoScalingGroupArn": "arn"}})
	made := w.must("ecs", "CreateCluster", object{
		"clusterName": "a", "capacityProviders": []string{"FARGATE_SPOT", "FARGATE"},
		"defaultCapacityProviderStrategy": []object{{"capacityProvider": "FARGATE_SPOT", "weight": 3}, {"capacityProvider": "FARGATE", "base": 1, "weight": 1}},
	})
	if get(t, made, "cluster", "status") != "ACTIVE" || len(get(t, made, "cluster", "defaultCapacityProviderStrategy").([]any)) != 2 {
		t.Errorf("made: %v", made)
	}
	def := w.define("app", shell("main", "exec sleep 1000"))
	out := w.must("ecs", "RunTask", object{"cluster": "a", "taskDefinition": def, "networkConfiguration": network(), "count": 5})
	count := map[any]int{}
	for i := range 5 {
		count[get(t, out, "tasks", i, "capacityProviderName")]++
		if get(t, out, "tasks", i, "launchType") != "FARGATE" {
			t.Errorf("task %d: %v", i, get(t, out, "tasks", i))
		}
	}
	if count["FARGATE_SPOT"] != 3 || count["FARGATE"] != 2 {
		t.Errorf("spread: %v", count)
	}
	w.must("ecs", "PutClusterCapacityProviders", object{"cluster": "a", "capacityProviders": []string{"mine"}, "defaultCapacityProviderStrategy": []object{}})
	for _, in := range []object{
		{"clusterName": "b", "capacityProviders": []string{"none"}},
		{"clusterName": "b", "capacityProviders": []string{"FARGATE"}, "defaultCapacityProviderStrategy": []object{{"capacityProvider": "FARGATE_SPOT"}}},
		{"clusterName": "a b"},
	} {
		if _, f := w.call("ecs", "CreateCluster", in); f == nil || f.Type != "InvalidParameterException" {
			t.Errorf("%v: %v", in, f)
		}
	}
	for _, name := range []string{"x1", "x2", "x3"} {
		w.must("ecs", "CreateCluster", object{"clusterName": name})
	}
	var names []string
	token := any(nil)
	for {
		in := object{"maxResults": 2}
		if token != nil {
			in["nextToken"] = token
		}
		page := w.must("ecs", "ListClusters", in)
		for _, arn := range page["clusterArns"].([]any) {
			names = append(names, arn.(string)[strings.LastIndex(arn.(string), "/")+1:])
		}
		if token = page["nextToken"]; token == nil {
			break
		}
	}
	if want := []string{"a", "x1", "x2", "x3"}; !slices.Equal(names, want) {
		t.Errorf("clusters %v, want %v", names, want)
	}
	w.must("ecs", "DeleteCluster", object{"cluster": "x1"})
	if got := w.must("ecs", "DescribeClusters", object{"clusters": []string{"x1", "none"}}); get(t, got, "clusters", 0, "status") != "INACTIVE" || get(t, got, "failures", 0, "reason") != "MISSING" {
		t.Errorf("deleted: %v", got)
	}
	providers := w.must("ecs", "DescribeCapacityProviders", object{})
	if len(get(t, providers, "capacityProviders").([]any)) != 3 {
		t.Errorf("providers: %v", providers)
	}
}

func TestServices(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	w.define("web", shell("main", "echo serving $$; exec sleep 1000"))
	created := w.must("ecs", "CreateService", object{
		"serviceName": "web", "taskDefinition": "web", "desiredCount": 2, "launchType": "FARGATE", "networkConfiguration": network(),
		"tags": []object{{"key": "team", "value": "x"}}, "propagateTags": "SERVICE",
	})
	if get(t, created, "service", "status") != "ACTIVE" || get(t, created, "service", "deployments", 0, "status") != "PRIMARY" {
		t.Errorf("created: %v", created)
	}
	describe := func() object {
		return get(t, w.must("ecs", "DescribeServices", object{"services": []string{"web"}}), "services", 0).(object)
	}
	steady := func(n string, definition string) func() bool {
		return func() bool {
			s := describe()
			return fmt.Sprint(s["runningCount"]) == n && fmt.Sprint(s["pendingCount"]) == "0" && len(s["deployments"].([]any)) == 1 &&
				strings.HasSuffix(text(t, s, "taskDefinition"), definition) && get(t, s, "deployments", 0, "rolloutState") == "COMPLETED"
		}
	}
	w.until("two tasks", steady("2", "web:1"))
	tasks := w.must("ecs", "ListTasks", object{"serviceName": "web"})
	first := text(t, tasks, "taskArns", 0)
	if one := w.task(first); one["group"] != "service:web" || get(t, one, "tags", 0, "key") != "team" || !strings.HasPrefix(text(t, one, "startedBy"), "ecs-svc/") {
		t.Errorf("a task of the service: %v", one)
	}
	w.must("ecs", "StopTask", object{"task": first})
	w.await(first, "STOPPED")
	w.until("two tasks again", func() bool {
		arns := fmt.Sprint(get(t, w.must("ecs", "ListTasks", object{"serviceName": "web"}), "taskArns"))
		return !strings.Contains(arns, first) && steady("2", "web:1")()
	})
	w.define("web", shell("main", "echo newer; exec sleep 1000"))
	w.must("ecs", "UpdateService", object{"service": "web", "taskDefinition": "web"})
	w.until("the newer definition", steady("2", "web:2"))
	stopped := w.must("ecs", "ListTasks", object{"desiredStatus": "STOPPED", "family": "web"})
	codes := map[any]int{}
	for _, arn := range stopped["taskArns"].([]any) {
		codes[w.task(arn.(string))["stopCode"]]++
	}
	if codes["ServiceSchedulerInitiated"] != 2 || codes["UserInitiated"] != 1 {
		t.Errorf("stop codes: %v", codes)
	}
	if _, f := w.call("ecs", "DeleteService", object{"service": "web"}); f == nil || f.Message != "The service cannot be stopped while it is scaled above 0." {
		t.Errorf("deleting a service that runs: %v", f)
	}
	w.must("ecs", "UpdateService", object{"service": "web", "desiredCount": 0})
	w.until("no task", steady("0", "web:2"))
	w.must("ecs", "DeleteService", object{"service": "web"})
	w.until("the service's end", func() bool { return describe()["status"] == "INACTIVE" })
	for action, in := range map[string]object{
		"UpdateService": {"service": "none"}, "DeleteService": {"service": "none"},
	} {
		if _, f := w.call("ecs", action, in); f == nil || f.Type != "ServiceNotFoundException" {
			t.Errorf("%s of what is not there: %v", action, f)
		}
	}
}

func TestServiceRestartsWhatEnds(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	w.define("brief", shell("main", "echo ran; exit 1"))
	w.must("ecs", "CreateService", object{"serviceName": "brief", "taskDefinition": "brief", "desiredCount": 1, "launchType": "FARGATE", "networkConfiguration": network()})
	for range 3 {
		w.line("ran")
	}
	s := get(t, w.must("ecs", "DescribeServices", object{"services": []string{"brief"}}), "services", 0)
	if text(t, s, "events", 0, "message") == "" || fmt.Sprint(get(t, s, "deployments", 0, "failedTasks")) == "0" {
		t.Errorf("service: %v", s)
	}
	w.must("ecs", "DeleteService", object{"service": "brief", "force": true})
}
