package compat

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestFlowWithTasks(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		c := newClient(t, s)
		f := c.python("plain.py")
		id := f.text(t, "id")
		f.check(t,
			want{"the flow returns its value", "total", 12},
			want{"task runs become visible", "tasks", []string{"double", "greet"}},
			want{"all task runs are Completed", "states", []string{"Completed"}},
			want{"task inputs are kept", "greet_inputs", []string{"name"}},
			want{"task tags include the flow run's", "double_tags", []string{"arith", c.name + "-tag", "nightly"}},
		)
		contains(t, "prefect flow-run ls shows the run", c.prefect("flow-run", "ls", "--flow-name", c.name+"-plain"),
			id, c.name+"-plain", "COMPLETED")
		t.Run("prefect flow-run inspect shows state, parameters and tags", func(t *testing.T) { inspectPlain(t, c.in(t), id) })
		contains(t, "prefect flow-run logs shows the logs of flow and tasks", c.prefect("flow-run", "logs", id),
			"flow starts with 3 numbers", "doubling 3", "WARNING", "Grüße an Zoë", "printed for Zoë", "Finished in state Completed()")
		contains(t, "prefect task-run ls shows task runs", c.prefect("task-run", "ls", "--task-run-name", f.text(t, "greet_name")),
			"COMPLETED", f.text(t, "greet_name"))
		t.Run("artifacts", func(t *testing.T) { plainArtifacts(t, c.in(t)) })
		t.Run("leat run", func(t *testing.T) { leatRunCommands(t, c.in(t), id) })
	})
}

func inspectPlain(t *testing.T, c *client, id string) {
	t.Helper()
	var run struct {
		flowRun
		Tags        []string `json:"tags"`
		TotalRun    float64  `json:"total_run_time"`
		FlowVersion string   `json:"flow_version"`
	}
	if err := json.Unmarshal([]byte(c.prefect("flow-run", "inspect", id, "--output", "json")), &run); err != nil {
		t.Fatal(err)
	}
	slices.Sort(run.Tags) // the client keeps them in a set
	facts{
		"state": run.State.Name, "type": run.State.Type, "tags": run.Tags, "parameters": run.Parameters,
		"ran": run.TotalRun > 0, "count": run.RunCount, "version": len(run.FlowVersion) > 0,
	}.check(t,
		want{"state name", "state", "Completed"},
		want{"state type", "type", "COMPLETED"},
		want{"tags", "tags", []string{c.name + "-tag", "nightly"}},
		want{"parameters with defaults, nesting and non-ASCII", "parameters", object{
			"name": "Zoë", "numbers": []int{1, 2, 3}, "options": object{"deep": object{"er": []any{nil, true, 1.5}}},
		}},
		want{"total run time", "ran", true},
		want{"run count", "count", 1},
		want{"flow version", "version", true},
	)
}

func plainArtifacts(t *testing.T, c *client) {
	t.Helper()
	list := c.prefect("artifact", "ls")
	for _, kind := range []string{"link", "markdown", "table", "image", "progress"} {
		contains(t, "prefect artifact ls shows a "+kind+" artifact", list, c.name+"-"+kind)
	}
	inspect := func(kind string) string {
		return c.prefect("artifact", "inspect", c.name+"-"+kind, "--output", "json")
	}
	contains(t, "a markdown artifact is inspected with both versions", inspect("markdown"), "some *text*", "second version", "a text")
	contains(t, "an updated progress artifact shows its last value", inspect("progress"), "75")
	contains(t, "a link artifact shows its address", inspect("link"), "https://example.com/report")
	contains(t, "an image artifact shows its address", inspect("image"), "https://example.com/i.png")
	contains(t, "a table artifact shows its rows", inspect("table"), `\"a\": 2`)
}

func leatRunCommands(t *testing.T, c *client, id string) {
	t.Helper()
	leatOnly(t)
	contains(t, "leat run ls shows the run", c.leat("run", "ls"), id[:8], "Completed")
	contains(t, "leat run show shows state, parameters, tags and tasks", c.leat("run", "show", id),
		id, "Completed", "nightly", "Zoë", "greet", "double")
	contains(t, "leat run logs --follow ends with the run", c.leat("run", "logs", id, "--follow"),
		"flow starts with 3 numbers", "doubling 3", "Grüße an Zoë")
	contains(t, "leat run show -o json is JSON", c.leat("run", "show", id, "-o", "json"), `"id"`, id)
}
