package compat

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestImportAndExport copies a real Prefect server, filled by Prefect's client,
// into leat, reads both APIs field by field, and goes the way back.
func TestImportAndExport(t *testing.T) {
	leatOnly(t)
	t.Parallel()
	source, empty := startReference(t), startReference(t)
	for _, s := range []*server{source, empty} {
		s.awaitReference(t)
	}
	filled := newClient(t, source).python("import_fill.py", "1", "3")
	source.settle(t)
	t.Run("into", func(t *testing.T) {
		for _, kind := range env.databases() {
			t.Run(kind, func(t *testing.T) {
				t.Parallel()
				importInto(t, source, kind, filled)
			})
		}
	})
	leat := ownServer(t, "sqlite", options{flags: []string{"--scheduler-interval", "24h"}})
	c := newClient(t, leat)
	c.importFrom(source)
	newClient(t, source).python("import_fill.py", "2", "1")
	source.settle(t)
	t.Run("a later import brings what was made since", func(t *testing.T) {
		r := c.in(t).importFrom(source)
		if r.sum("created") == 0 {
			t.Error("nothing was created")
		}
		sameServers(t, source, leat)
	})
	t.Run("files bring all into another leat", func(t *testing.T) { throughFiles(t, c.in(t), leat) })
	t.Run("a push fills another Prefect server", func(t *testing.T) { pushed(t, c.in(t), leat, empty) })
}

// importInto copies the source into a leat of its own, twice, and runs what was imported.
func importInto(t *testing.T, source *server, kind string, filled facts) {
	t.Helper()
	leat := ownServer(t, kind, options{flags: []string{"--scheduler-interval", "24h"}})
	c := newClient(t, leat)
	t.Run("the first import brings all", func(t *testing.T) {
		r := c.in(t).importFrom(source)
		if n := r.sum("refused"); n != 0 {
			t.Errorf("%d rows were refused: %v", n, r.Remarks)
		}
		sameServers(t, source, leat)
	})
	t.Run("the second brings nothing", func(t *testing.T) {
		r := c.in(t).importFrom(source)
		if created, updated := r.sum("created"), r.sum("updated"); created != 0 || updated != 0 {
			t.Errorf("%d rows were created and %d updated: %v", created, updated, r.Kinds)
		}
	})
	t.Run("a run that did not end stays behind, with a remark", func(t *testing.T) {
		busy := filled.text(t, "busy")
		r := c.in(t).importFrom(source, "--only", "flow_runs")
		if !slices.ContainsFunc(r.Remarks, func(m remark) bool { return m.ID == busy && strings.Contains(m.Text, "has not ended") }) {
			t.Errorf("no remark about %s: %v", busy, r.Remarks)
		}
		if _, err := leat.flowRun(t.Context(), busy); err == nil {
			t.Error("the run is here")
		}
	})
	t.Run("an imported deployment runs", func(t *testing.T) { runImported(t, c.in(t), filled) })
}

// startReference starts `prefect server start` without the services that change
// rows by themselves; it is awaited later.
func startReference(t *testing.T) *server {
	t.Helper()
	s, err := env.newServer(t.Context(), "sqlite", options{})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), env.python, "-m", "prefect", "server", "start",
		"--host", "127.0.0.1", "--port", strconv.Itoa(s.port), "--no-ui", "--analytics-off")
	cmd.Env = append(cleanEnvironment(), "PREFECT_HOME="+s.dir, "PREFECT_LOGGING_LEVEL=ERROR",
		"PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL=0.5")
	for _, service := range []string{"LATE_RUNS", "FOREMAN", "TRIGGERS", "REPOSSESSOR", "DB_VACUUM"} {
		cmd.Env = append(cmd.Env, "PREFECT_SERVER_SERVICES_"+service+"_ENABLED=false")
	}
	out, err := os.Create(s.log)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.cmd, s.exited = cmd, make(chan struct{})
	go func() {
		defer close(s.exited)
		_ = cmd.Wait()
		_ = out.Close()
	}()
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Errorf("reference: %v", err)
		}
	})
	s.showLogOnFailure(t)
	return s
}

// awaitReference waits until the reference is healthy and has written its block
// types, of which it has more than 20: it is healthy long before.
func (s *server) awaitReference(t *testing.T) {
	t.Helper()
	waitFor(t, 2*time.Minute, "the reference", s.healthy)
	last, same := -1, 0
	waitFor(t, time.Minute, "the reference's block types", func(ctx context.Context) (bool, error) {
		var types, schemas []object
		if s.call(ctx, http.MethodPost, "/block_types/filter", object{}, &types) != nil ||
			s.call(ctx, http.MethodPost, "/block_schemas/filter", object{}, &schemas) != nil {
			return false, nil //nolint:nilerr // it is asked again
		}
		if n := len(types) + len(schemas); n != last {
			last, same = n, 0
		} else {
			same++
		}
		return len(types) > 20 && same >= 5, nil
	})
}

// settle waits until the reference has recorded what was told to it: task runs
// and events come after the runs.
func (s *server) settle(t *testing.T) {
	t.Helper()
	last, same := "", 0
	waitFor(t, time.Minute, "the reference to settle", func(ctx context.Context) (bool, error) {
		var runs []object
		var page struct{ Total int }
		if s.call(ctx, http.MethodPost, "/task_runs/filter", object{}, &runs) != nil ||
			s.call(ctx, http.MethodPost, "/events/filter", object{"limit": 1}, &page) != nil {
			return false, nil //nolint:nilerr // it is asked again
		}
		now := fmt.Sprint(page.Total)
		for _, r := range runs {
			now += fmt.Sprint(r["id"], r["state_name"])
		}
		if now != last {
			last, same = now, 0
		} else {
			same++
		}
		return same >= 8, nil
	})
}

// report is the part of an import's report that tests look at.
type report struct {
	Kinds   []map[string]any `json:"kinds"`
	Remarks []remark         `json:"remarks"`
}

type remark struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Text string `json:"text"`
}

func (r report) sum(field string) int {
	n := 0.0
	for _, k := range r.Kinds {
		v, _ := k[field].(float64)
		n += v
	}
	return int(n)
}

// importFrom runs leat import prefect and returns its report.
func (c *client) importFrom(source *server, flags ...string) (r report) {
	c.t.Helper()
	file := filepath.Join(c.dir, "report.json")
	c.leat(append([]string{"import", "prefect", "--from", source.api, "--to", c.s.api, "--report", file}, flags...)...)
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

// sameServers compares what both APIs show of what is imported.
func sameServers(t *testing.T, a, b *server) {
	t.Helper()
	for _, tt := range []struct {
		path   string
		body   object
		change func(object)
	}{
		{"/flows/filter", object{}, nil},
		{"/flow_runs/filter", object{"flow_runs": object{"state": object{"type": object{"any_": []string{"COMPLETED", "FAILED", "CRASHED"}}}}}, without("estimated_run_time")},
		{"/flow_runs/filter", object{"flow_runs": object{"name": object{"like_": "ahead-"}}}, without("estimated_start_time_delta")},
		{"/task_runs/filter", object{}, nil},
		{"/deployments/filter", object{}, nil},
		{"/work_pools/filter", object{}, nil},
		{"/work_queues/filter", object{}, nil},
		{"/variables/filter", object{}, nil},
		{"/automations/filter", object{}, nil},
		{"/v2/concurrency_limits/filter", object{}, nil},
		{"/concurrency_limits/filter", object{}, nil},
		{"/saved_searches/filter", object{}, nil},
		{"/artifacts/filter", object{}, nil},
		{"/artifacts/latest/filter", object{}, nil},
		{"/block_documents/filter", object{"include_secrets": true, "block_documents": object{}}, plainBlock},
		{"/logs/filter", object{}, func(row object) {
			row["id"] = fmt.Sprint(row["timestamp"], row["flow_run_id"], row["task_run_id"], row["message"])
			delete(row, "updated")
		}},
	} {
		t.Run(strings.Trim(tt.path, "/"), func(t *testing.T) {
			want, got := a.rows(t, tt.path, tt.body, tt.change), b.rows(t, tt.path, tt.body, tt.change)
			if len(want) == 0 {
				t.Error("there is nothing to compare")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-source +leat):\n%s", diff)
			}
			for id := range want {
				switch {
				case strings.HasPrefix(tt.path, "/flow_runs/"):
					sameStates(t, a, b, "/flow_run_states/?flow_run_id="+id)
				case strings.HasPrefix(tt.path, "/task_runs/"):
					sameStates(t, a, b, "/task_run_states/?task_run_id="+id)
				}
			}
		})
	}
	t.Run("events", func(t *testing.T) {
		want, got := a.recordedEvents(t), b.recordedEvents(t)
		for id := range got {
			if _, ok := want[id]; !ok {
				delete(got, id) // leat's own
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
			t.Errorf("of %d (-source +leat):\n%s", len(want), diff)
		}
	})
}

func sameStates(t *testing.T, a, b *server, path string) {
	t.Helper()
	var want, got []object
	a.mustCall(t, http.MethodGet, path, nil, &want)
	b.mustCall(t, http.MethodGet, path, nil, &got)
	if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
		t.Errorf("%s: of %d (-source +leat):\n%s", path, len(want), diff)
	}
}

func without(fields ...string) func(object) {
	return func(row object) {
		for _, f := range fields {
			delete(row, f)
		}
	}
}

// plainBlock leaves of a document what does not lie in its type and schema: the
// types that all servers bring along have an id of each server's own.
func plainBlock(row object) {
	schema, _ := row["block_schema"].(object)
	row["checksum"] = schema["checksum"]
	refs := object{}
	if list, ok := row["block_document_references"].(object); ok {
		for name, ref := range list {
			document, _ := ref.(object)["block_document"].(object)
			refs[name] = document["id"]
		}
	}
	row["block_document_references"] = refs
	without("block_schema", "block_schema_id", "block_type", "block_type_id")(row)
}

// rows reads all rows of a filter by their ids.
func (s *server) rows(t *testing.T, path string, body object, change func(object)) map[string]object {
	t.Helper()
	out := map[string]object{}
	for offset := 0; ; offset += 200 {
		ask := maps.Clone(body)
		ask["limit"], ask["offset"] = 200, offset
		var page []object
		s.mustCall(t, http.MethodPost, path, ask, &page)
		for _, row := range page {
			if change != nil {
				change(row)
			}
			out[fmt.Sprint(row["id"])] = row
		}
		if len(page) < 200 {
			return out
		}
	}
}

// recordedEvents reads all events by their ids.
func (s *server) recordedEvents(t *testing.T) map[string]object {
	t.Helper()
	out := map[string]object{}
	since := "2020-01-01T00:00:00Z"
	for {
		var page struct {
			Events []object `json:"events"`
			Next   *string  `json:"next_page"`
		}
		s.mustCall(t, http.MethodPost, "/events/filter", object{"limit": 50, "filter": object{
			"occurred": object{"since": since}, "order": "ASC",
		}}, &page)
		for _, e := range page.Events {
			out[fmt.Sprint(e["id"])] = e
			since = fmt.Sprint(e["occurred"])
		}
		if page.Next == nil {
			return out
		}
	}
}

// runImported has a worker execute a run of a deployment that was imported.
func runImported(t *testing.T, c *client, filled facts) {
	t.Helper()
	output := c.prefect("deployment", "run", "small flow/live-1")
	contains(t, "prefect deployment run", output, "live-1")
	prefectWorker(c, filled.text(t, "pool"), "--work-queue", "live")
	deployment := filled.text(t, "live")
	runs, err := c.s.runsOf(t.Context(), deployment)
	if err != nil || len(runs) == 0 {
		t.Fatalf("%d runs, %v; want 1", len(runs), err)
	}
	run := c.s.waitState(t, runs[0].ID, "Completed", 90*time.Second)
	if got := fmt.Sprint(run.Parameters["n"]); got != "5" {
		t.Errorf("the run was made with n=%s", got)
	}
}

// throughFiles goes by a directory and by one file into other leat servers.
func throughFiles(t *testing.T, c *client, from *server) {
	t.Helper()
	for _, name := range []string{"export", "export.jsonl.gz"} {
		t.Run(name, func(t *testing.T) {
			c := c.in(t)
			path := filepath.Join(c.dir, name)
			c.leat("export", "--to", path, "--from", from.api)
			to := ownServer(t, "sqlite", options{flags: []string{"--scheduler-interval", "24h"}})
			for range 2 {
				c.leat("import", path, "--to", to.api)
			}
			sameServers(t, from, to)
		})
	}
}

// pushed compares what a push left with where it came from, ids and times aside.
func pushed(t *testing.T, c *client, from, to *server) {
	t.Helper()
	for range 2 { // the second finds all there
		c.leat("export", "prefect", "--from", from.api, "--to", to.api)
	}
	named := func(keys ...string) func(object) {
		return func(row object) {
			row["id"] = row["name"]
			for k := range row {
				if !slices.Contains(keys, k) && k != "id" {
					delete(row, k)
				}
			}
		}
	}
	for _, tt := range []struct {
		path   string
		body   object
		change func(object)
	}{
		{"/flows/filter", object{}, named("name", "tags")},
		{"/variables/filter", object{}, named("name", "value", "tags")},
		{"/work_pools/filter", object{}, named("name", "type", "description", "base_job_template", "concurrency_limit", "is_paused")},
		{"/work_queues/filter", object{}, func(row object) {
			row["name"] = fmt.Sprint(row["work_pool_name"], "/", row["name"])
			named("name", "is_paused", "priority", "concurrency_limit")(row)
		}},
		{"/deployments/filter", object{}, named("name", "version", "description", "parameters", "tags", "path", "entrypoint", "pull_steps",
			"job_variables", "work_pool_name", "work_queue_name", "parameter_openapi_schema", "enforce_parameter_schema")},
		{"/automations/filter", object{}, named("name", "description", "enabled", "tags")},
		{"/saved_searches/filter", object{}, named("name", "filters")},
		{"/v2/concurrency_limits/filter", object{}, func(row object) {
			if strings.HasPrefix(fmt.Sprint(row["name"]), "deployment:") {
				row["name"] = "of a deployment"
			}
			named("name", "limit", "active", "slot_decay_per_second")(row)
		}},
		{"/block_documents/filter", object{"include_secrets": true}, named("name", "data", "block_type_name")},
	} {
		t.Run(strings.Trim(tt.path, "/"), func(t *testing.T) {
			want, got := from.rows(t, tt.path, tt.body, tt.change), to.rows(t, tt.path, tt.body, tt.change)
			if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
				t.Errorf("of %d (-leat +reference):\n%s", len(want), diff)
			}
		})
	}
}
