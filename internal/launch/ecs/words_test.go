package ecs

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/launch"
)

func TestExit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, task string
		want       launch.Exit
	}{
		{
			"the program ended by itself",
			`{"stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited", "containers": [{"name": "prefect", "exitCode": 3}]}`,
			launch.Exit{Code: 3},
		},
		{
			"memory ran out",
			`{"stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited",
				"containers": [{"name": "prefect", "exitCode": 137, "reason": "OutOfMemoryError: Container killed due to memory usage"}]}`,
			launch.Exit{Code: 137, OutOfMemory: true, Reason: "OutOfMemoryError: Container killed due to memory usage"},
		},
		{
			"memory of the whole task ran out", `{"stopCode": "EssentialContainerExited", "stoppedReason": "OutOfMemoryError: Container killed due to memory usage", "containers": [{"name": "prefect"}]}`,
			launch.Exit{Unknown: true, OutOfMemory: true, Reason: "EssentialContainerExited: OutOfMemoryError: Container killed due to memory usage"},
		},
		{
			"the image can't be pulled",
			`{"stopCode": "TaskFailedToStart", "stoppedReason": "CannotPullContainerError: not found", "containers": [{"name": "prefect", "reason": "CannotPullContainerError: not found"}]}`,
			launch.Exit{Unknown: true, Reason: "TaskFailedToStart: CannotPullContainerError: not found"},
		},
		{
			"Spot took it", `{"stopCode": "SpotInterruption", "stoppedReason": "Your Spot Task was interrupted.", "containers": [{"name": "prefect", "exitCode": 143}]}`,
			launch.Exit{Code: 143, Reason: "SpotInterruption: Your Spot Task was interrupted."},
		},
		{
			"another container failed", `{"stopCode": "EssentialContainerExited", "containers": [{"name": "prefect", "exitCode": 143}, {"name": "aside", "exitCode": 1}]}`,
			launch.Exit{Code: 143, Reason: "the container aside ended with exit status 1."},
		},
		{"nothing is known", `{}`, launch.Exit{Unknown: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var one task
			if err := json.Unmarshal([]byte(tt.task), &one); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, one.exit("prefect")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCanonicalDefinitions(t *testing.T) {
	t.Parallel()
	const wanted = `{"family": "f", "cpu": "256", "networkMode": "awsvpc", "containerDefinitions": [{
		"name": "prefect", "image": "i", "memory": 512, "environment": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}], "portMappings": [{"containerPort": 80}]}]}`
	for _, tt := range []struct {
		name, shown string
		same        bool
	}{
		{"what ECS fills in makes no difference", `{"family": "f", "cpu": "256", "networkMode": "awsvpc", "taskDefinitionArn": "a", "revision": 3, "status": "ACTIVE",
			"registeredAt": 1.5e9, "registeredBy": "me", "compatibilities": ["EC2", "FARGATE"], "requiresAttributes": [{"name": "x"}], "volumes": [], "placementConstraints": [],
			"containerDefinitions": [{"name": "prefect", "image": "i", "cpu": 0, "memory": 512, "essential": true, "mountPoints": [], "volumesFrom": [], "systemControls": [],
				"environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]}]}`, true},
		{"another value of the environment does", strings.Replace(wanted, `"2"`, `"3"`, 1), false},
		{"another memory does", strings.Replace(wanted, `512`, `1024`, 1), false},
		{"a container that is not essential does", strings.Replace(wanted, `"image"`, `"essential": false, "image"`, 1), false},
		{"a limit that is not wanted does", strings.Replace(wanted, `"image"`, `"stopTimeout": 5, "image"`, 1), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var a, b map[string]any
			for text, into := range map[string]*map[string]any{wanted: &a, tt.shown: &b} {
				d := json.NewDecoder(strings.NewReader(text))
				d.UseNumber()
				if err := d.Decode(into); err != nil {
					t.Fatal(err)
				}
			}
			if same := reflect.DeepEqual(canonical(a), canonical(b)); same != tt.same {
				t.Errorf("the same: %v\n%v\n%v", same, canonical(a), canonical(b))
			}
		})
	}
}

// FuzzWords reads what a server or a service says: the identifier of a run, and
// answers about tasks and definitions.
func FuzzWords(f *testing.F) {
	f.Add("arn:aws:ecs:us-east-1:0:cluster/c::arn:aws:ecs:us-east-1:0:task/c/t")
	f.Add("c::arn:aws:ecs:../x:0:task/t")
	f.Add(`{"containerDefinitions": [{"name": "p", "environment": [1, {"name": null}], "portMappings": [null, {}]}], "networkMode": "awsvpc"}`)
	f.Add(`{"containers": [{"name": "prefect", "exitCode": 1}], "overrides": {"containerOverrides": [{"name": "x", "command": ["y"]}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if _, arn, at, ok := parseIdentifier(text); ok && (at.region == "" || strings.ContainsAny(at.region, "/.:@") || !strings.HasPrefix(arn, "arn:")) {
			t.Errorf("%q is read as %q in %q", text, arn, at.region)
		}
		var whole map[string]any
		if json.Unmarshal([]byte(text), &whole) == nil {
			form := canonical(whole)
			copied, err := clone(form)
			if err != nil || !reflect.DeepEqual(canonical(copied), form) {
				t.Errorf("%q: the canonical form %v has another, %v (%v)", text, form, canonical(copied), err)
			}
		}
		var one task
		if json.Unmarshal([]byte(text), &one) == nil {
			_ = one.exit(one.program()).String()
		}
	})
}
