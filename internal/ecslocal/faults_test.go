package ecslocal_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/leat-dev/leat/internal/ecslocal"
)

// fault posts to the route of faults.
func (w *world) fault(body string) (int, object) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+"/_leat/faults", strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, text := w.send(req)
	var out object
	if err := json.Unmarshal(text, &out); err != nil {
		w.t.Fatalf("%s: %v", text, err)
	}
	return resp.StatusCode, out
}

func TestFaults(t *testing.T) {
	t.Parallel()
	runInput := func(def string) object {
		return object{"taskDefinition": def, "launchType": "FARGATE", "networkConfiguration": network(), "count": 2}
	}
	t.Run("no capacity fails as many tasks as asked", func(t *testing.T) {
		t.Parallel()
		w := start(t, func(c *ecslocal.Config) { c.Faults = ecslocal.Faults{NoCapacity: 3} })
		def := w.define("f", shell("main", "exit 0"))
		out := w.must("ecs", "RunTask", runInput(def))
		if n := len(get(t, out, "failures").([]any)); n != 2 || len(get(t, out, "tasks").([]any)) != 0 {
			t.Fatalf("RunTask: %v", out)
		}
		if reason := text(t, out, "failures", 0, "reason"); !strings.HasPrefix(reason, "Capacity is unavailable at this time") {
			t.Errorf("reason %q", reason)
		}
		out = w.must("ecs", "RunTask", runInput(def))
		if len(get(t, out, "failures").([]any)) != 1 || len(get(t, out, "tasks").([]any)) != 1 {
			t.Errorf("then: %v", out)
		}
	})
	t.Run("no capacity on EC2 names the resource", func(t *testing.T) {
		t.Parallel()
		w := start(t, func(c *ecslocal.Config) { c.Faults = ecslocal.Faults{NoCapacity: 1} })
		w.must("ecs", "RegisterTaskDefinition", object{"family": "ec2", "containerDefinitions": []object{{"name": "a", "image": "b", "memory": 10}}})
		out := w.must("ecs", "RunTask", object{"taskDefinition": "ec2"})
		if text(t, out, "failures", 0, "reason") != "RESOURCE:MEMORY" {
			t.Errorf("RunTask: %v", out)
		}
	})
	t.Run("throttling is for calls of ECS, or for those named", func(t *testing.T) {
		t.Parallel()
		w := start(t, nil)
		w.fault(`{"throttle": 1}`)
		w.must("sqs", "ListQueues", object{})
		if _, f := w.call("ecs", "ListClusters", object{}); f == nil || f.Type != "ThrottlingException" || f.Message != "Rate exceeded" || f.Status != 400 {
			t.Errorf("throttled: %v", f)
		}
		w.must("ecs", "ListClusters", object{})
		w.fault(`{"throttle": -1, "throttleActions": ["ListQueues"]}`)
		w.must("ecs", "ListClusters", object{})
		for range 3 {
			if _, f := w.call("sqs", "ListQueues", object{}); f == nil {
				t.Error("a named action is not throttled")
			}
		}
		w.fault(`{"throttle": 0, "throttleShare": 1, "throttleActions": []}`)
		if _, f := w.call("ecs", "ListClusters", object{}); f == nil {
			t.Error("a share of 1 lets a call pass")
		}
	})
	t.Run("an image can't be pulled", func(t *testing.T) {
		t.Parallel()
		w := start(t, func(c *ecslocal.Config) { c.Faults = ecslocal.Faults{PullFailures: 1} })
		def := w.define("f", shell("main", "exit 0"))
		if done := w.await(w.run(def, nil), "STOPPED"); done["stopCode"] != "TaskFailedToStart" || !strings.HasPrefix(done["stoppedReason"].(string), "CannotPullContainerError: ") {
			t.Errorf("%v: %v", done["stopCode"], done["stoppedReason"])
		}
		if done := w.await(w.run(def, nil), "STOPPED"); done["stopCode"] != "EssentialContainerExited" {
			t.Errorf("the next: %v", done)
		}
	})
	t.Run("lost events are not told", func(t *testing.T) {
		t.Parallel()
		w := start(t, func(c *ecslocal.Config) { c.Faults = ecslocal.Faults{LostEvents: 4} })
		url := w.eventQueue()
		w.run(w.define("f", shell("main", "exit 0")), nil)
		if e := w.nextEvent(url); get(t, e, "detail", "lastStatus") != "STOPPED" {
			t.Errorf("the first event is %v", get(t, e, "detail", "lastStatus"))
		}
	})
	t.Run("Spot takes tasks away", func(t *testing.T) {
		t.Parallel()
		w := start(t, nil)
		w.must("ecs", "CreateCluster", object{"clusterName": "spot", "capacityProviders": []string{"FARGATE_SPOT"}})
		def := w.define("f", shell("main", "trap 'echo asked' TERM; echo ready; while :; do sleep 0.02; done"))
		spot := w.run(def, object{"cluster": "spot", "capacityProviderStrategy": []object{{"capacityProvider": "FARGATE_SPOT", "weight": 1}}})
		w.line("ready")
		other := w.run(def, nil)
		w.line("ready")
		w.await(spot, "RUNNING")
		w.await(other, "RUNNING")
		status, out := w.fault(`{"interrupt": "*", "interruptSeconds": 0.3}`)
		if status != http.StatusOK || get(t, out, "interrupted", 0) != spot {
			t.Errorf("interrupting: %d %v", status, out)
		}
		w.line("asked")
		done := w.await(spot, "STOPPED")
		if done["stopCode"] != "SpotInterruption" || get(t, done, "containers", 0, "exitCode") != json.Number("137") || done["capacityProviderName"] != "FARGATE_SPOT" {
			t.Errorf("%v: %v", done["stopCode"], done)
		}
		if w.task(other)["lastStatus"] != "RUNNING" {
			t.Error("a task that is not on Spot was taken")
		}
		if status, _ := w.fault(`{"interrupt": "` + other + `", "interruptSeconds": 0}`); status != http.StatusOK {
			t.Errorf("interrupting one: %d", status)
		}
		w.await(other, "STOPPED")
		if status, _ := w.fault(`{"interrupt": "` + other + `"}`); status != http.StatusBadRequest {
			t.Errorf("interrupting what has stopped: %d", status)
		}
	})
	t.Run("a start delay keeps a task PENDING, and it can be stopped meanwhile", func(t *testing.T) {
		t.Parallel()
		w := start(t, func(c *ecslocal.Config) { c.Faults = ecslocal.Faults{StartDelay: 1000} })
		arn := w.run(w.define("f", shell("main", "exit 0")), nil)
		w.await(arn, "PENDING")
		w.must("ecs", "StopTask", object{"task": arn})
		if done := w.await(arn, "STOPPED"); done["stopCode"] != "UserInitiated" || done["stoppedReason"] != "Task stopped by user" || done["startedAt"] != nil {
			t.Errorf("%v: %v", done["stopCode"], done)
		}
	})
	t.Run("what makes no sense is refused and changes nothing", func(t *testing.T) {
		t.Parallel()
		w := start(t, nil)
		for _, body := range []string{`{"colour": 1}`, `{"throttleShare": 2}`, `[]`, `{`, `{"startDelay": -1}`, `{"noCapacity": 5, "interrupt": "none"}`, `{"interrupt": "*", "interruptSeconds": -1}`} {
			if status, out := w.fault(body); status != http.StatusBadRequest || out["message"] == "" {
				t.Errorf("%s: %d %v", body, status, out)
			}
		}
		if _, out := w.fault(`{}`); get(t, out, "faults", "noCapacity") != 0.0 {
			t.Errorf("faults: %v", out)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/_leat/faults", strings.NewReader(`{"noCapacity": 1}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "text/plain")
		if resp, _ := w.send(req); resp.StatusCode != http.StatusUnsupportedMediaType {
			t.Errorf("what a page could send: %d", resp.StatusCode)
		}
	})
}
