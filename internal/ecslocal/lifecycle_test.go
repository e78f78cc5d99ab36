package ecslocal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/ecslocal"
)

func TestLifecycle(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	url := w.eventQueue()
	arn := w.run(w.define("life", shell("main", "exit 3")), object{"startedBy": "test", "tags": []object{{"key": "a", "value": "b"}}})
	var seen []string
	var last object
	for i := range 5 {
		e := w.nextEvent(url)
		last = get(t, e, "detail").(object)
		seen = append(seen, fmt.Sprintf("%v %v", last["lastStatus"], last["version"]))
		if e["source"] != "aws.ecs" || e["account"] != w.account || get(t, e, "resources", 0) != arn || last["tags"] != nil {
			t.Errorf("event %d is %v", i, e)
		}
	}
	if diff := cmp.Diff([]string{"PROVISIONING 1", "PENDING 2", "RUNNING 3", "DEPROVISIONING 4", "STOPPED 5"}, seen); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if _, err := time.Parse(time.RFC3339, text(t, last, "startedAt")); err != nil {
		t.Errorf("an event's times: %v", err)
	}
	done := w.task(arn)
	if done["stopCode"] != "EssentialContainerExited" || done["stoppedReason"] != "Essential container in task exited" || done["desiredStatus"] != "STOPPED" {
		t.Errorf("stopped as %v: %v", done["stopCode"], done["stoppedReason"])
	}
	if code := get(t, done, "containers", 0, "exitCode"); code != json.Number("3") {
		t.Errorf("exit code %v", code)
	}
	earlier := 0.0
	for _, name := range []string{"createdAt", "connectivityAt", "pullStartedAt", "pullStoppedAt", "startedAt", "stoppingAt", "executionStoppedAt", "stoppedAt"} {
		at, err := done[name].(json.Number).Float64()
		if err != nil || at < earlier {
			t.Errorf("%s is %v, before what comes before it", name, done[name])
		}
		earlier = at
	}
	if get(t, done, "attachments", 0, "status") != "DELETED" || get(t, done, "tags", 0, "key") != "a" || done["startedBy"] != "test" {
		t.Errorf("task: %v", done)
	}
}

func TestStopping(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, script string
		more         object
		code         string
	}{
		{"a task that heeds SIGTERM ends by itself", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.02; done", nil, "5"},
		{"a task that does not is killed after its stop timeout", "trap '' TERM; echo ready; while :; do sleep 0.02; done", object{"stopTimeout": 1}, "137"},
		{"a task that knows no signals is ended by SIGTERM", "echo ready; exec sleep 1000", nil, "143"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := start(t, nil)
			c := shell("main", tt.script)
			maps.Copy(c, tt.more)
			arn := w.run(w.define("stop", c), nil)
			w.line("ready")
			w.await(arn, "RUNNING")
			url := w.eventQueue()
			stopped := get(t, w.must("ecs", "StopTask", object{"task": arn, "reason": "enough"}), "task").(object)
			if stopped["desiredStatus"] != "STOPPED" || stopped["stopCode"] != "UserInitiated" {
				t.Errorf("StopTask answers %v", stopped)
			}
			done := w.await(arn, "STOPPED")
			if done["stopCode"] != "UserInitiated" || done["stoppedReason"] != "enough" || get(t, done, "containers", 0, "exitCode") != json.Number(tt.code) {
				t.Errorf("%v, %v, %v", done["stopCode"], done["stoppedReason"], get(t, done, "containers", 0))
			}
			for _, status := range []string{"DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"} {
				if got := get(t, w.nextEvent(url), "detail", "lastStatus"); got != status {
					t.Errorf("event of %v, want %s", got, status)
				}
			}
			if _, f := w.call("ecs", "StopTask", object{"task": "0123"}); f == nil || f.Message != "The referenced task was not found." {
				t.Errorf("stopping what is not there: %v", f)
			}
		})
	}
}

func TestContainers(t *testing.T) {
	t.Parallel()
	t.Run("environment and command come of definition and override", func(t *testing.T) {
		t.Parallel()
		w := start(t, func(c *ecslocal.Config) { c.Env = []string{"GIVEN=all", "B=all"} })
		c := object{
			"name": "main", "image": "any", "entryPoint": []string{"sh", "-c"}, "command": []string{"echo wrong"},
			"environment": []object{{"name": "A", "value": "1"}, {"name": "B", "value": "2"}},
		}
		w.run(w.define("env", c), object{"overrides": object{"containerOverrides": []object{{
			"name": "main", "command": []string{"echo found $A $B $C $GIVEN $AWS_REGION $AWS_ENDPOINT_URL $AWS_ACCESS_KEY_ID"},
			"environment": []object{{"name": "A", "value": "one"}, {"name": "C", "value": "x y"}},
		}}}})
		if line := w.line("found"); !strings.HasSuffix(line, "/main | found one 2 x y all us-east-1 "+w.url+" 000000000000") {
			t.Errorf("wrote %q", line)
		}
	})
	t.Run("what a container leaves behind ends with it", func(t *testing.T) {
		t.Parallel()
		w := start(t, nil)
		arn := w.run(w.define("left", shell("main", "setsid sh -c 'echo pid $$; exec sleep 1000' & sleep 0.2; exit 0")), nil)
		pid, err := strconv.Atoi(strings.Fields(w.line("pid"))[3])
		if err != nil {
			t.Fatal(err)
		}
		w.await(arn, "STOPPED")
		if alive(pid) {
			t.Errorf("process %d is left", pid)
		}
	})
	t.Run("the end of one that is not essential changes nothing", func(t *testing.T) {
		t.Parallel()
		w := start(t, nil)
		side := shell("side", "exit 1")
		side["essential"] = false
		arn := w.run(w.define("side", side, shell("main", "while ! test -e $GO; do sleep 0.02; done")), object{
			"overrides": object{"containerOverrides": []object{{"name": "main", "environment": []object{{"name": "GO", "value": t.TempDir() + "/none"}}}}},
		})
		w.until("the sidecar's end", func() bool { return get(t, w.task(arn), "containers", 0, "lastStatus") == "STOPPED" })
		if got := w.await(arn, "RUNNING"); get(t, got, "containers", 1, "lastStatus") != "RUNNING" {
			t.Errorf("task: %v", got)
		}
	})
	t.Run("one waits for another's success", func(t *testing.T) {
		t.Parallel()
		w := start(t, nil)
		dir := t.TempDir()
		first := shell("first", "sleep 0.1; echo made > "+dir+"/x")
		first["essential"] = false
		second := shell("second", "cat "+dir+"/x")
		second["dependsOn"] = []object{{"containerName": "first", "condition": "SUCCESS"}}
		arn := w.run(w.define("order", second, first), nil)
		w.line("second | made")
		if done := w.await(arn, "STOPPED"); get(t, done, "containers", 0, "exitCode") != json.Number("0") {
			t.Errorf("task: %v", done)
		}
	})
	t.Run("a dependency that fails fails the task", func(t *testing.T) {
		t.Parallel()
		w := start(t, nil)
		first := shell("first", "exit 4")
		first["essential"] = false
		second := shell("second", "echo never")
		second["dependsOn"] = []object{{"containerName": "first", "condition": "SUCCESS"}}
		done := w.await(w.run(w.define("order", second, first), nil), "STOPPED")
		if done["stopCode"] != "TaskFailedToStart" || !strings.Contains(done["stoppedReason"].(string), "ContainerDependencyError") {
			t.Errorf("%v: %v", done["stopCode"], done["stoppedReason"])
		}
	})
	t.Run("a command that is not there can't be started", func(t *testing.T) {
		t.Parallel()
		w := start(t, nil)
		c := object{"name": "main", "image": "any", "command": []string{"leat-no-such-program"}}
		done := w.await(w.run(w.define("none", c), nil), "STOPPED")
		if done["stopCode"] != "TaskFailedToStart" || !strings.HasPrefix(done["stoppedReason"].(string), "CannotStartContainerError: ") || done["startedAt"] != nil {
			t.Errorf("%v: %v", done["stopCode"], done["stoppedReason"])
		}
	})
	t.Run("an image without a known command can't be pulled", func(t *testing.T) {
		t.Parallel()
		w := start(t, nil)
		done := w.await(w.run(w.define("none", object{"name": "main", "image": "example.com/app:1"}), nil), "STOPPED")
		reason := done["stoppedReason"].(string)
		if done["stopCode"] != "TaskFailedToStart" || !strings.HasPrefix(reason, "CannotPullContainerError: ") || !strings.Contains(reason, "--map 'example.com/app:1=") ||
			get(t, done, "containers", 0, "reason") != reason {
			t.Errorf("%v: %v", done["stopCode"], done)
		}
	})
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	arn := w.run(w.define("meta", shell("main", "echo uri $ECS_CONTAINER_METADATA_URI_V4; exec sleep 1000")), nil)
	_, uri, _ := strings.Cut(w.line("uri http"), "uri ")
	w.await(arn, "RUNNING")
	for _, tt := range []struct {
		path string
		want []any // a path of keys, then the value
	}{
		{"", []any{"KnownStatus", "RUNNING"}},
		{"", []any{"Labels", "com.amazonaws.ecs.task-arn", arn}},
		{"/task", []any{"TaskARN", arn}},
		{"/task", []any{"Containers", 0, "Name", "main"}},
		{"/task", []any{"Family", "meta"}},
		{"/taskWithTags", []any{"LaunchType", "FARGATE"}},
		{"/stats", []any{"name", "/main"}},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, uri+tt.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, body := w.send(req)
		var found object
		if err := json.NewDecoder(bytes.NewReader(body)).Decode(&found); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", tt.path, resp.StatusCode, body)
		}
		if got := get(t, found, tt.want[:len(tt.want)-1]...); got != tt.want[len(tt.want)-1] {
			t.Errorf("%s: %v is %v", tt.path, tt.want, got)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/v4/none/task", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if resp, _ := w.send(req); resp.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown container: %d", resp.StatusCode)
	}
}
