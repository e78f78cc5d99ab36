package importer_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/importer"
)

// mustImport copies, which must succeed.
func mustImport(t *testing.T, from, to *side, o importer.Options) *importer.Report {
	t.Helper()
	r, err := importer.Import(t.Context(), from.source(), to.source(), o)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Complete {
		t.Error("the report says that the copy broke off")
	}
	return r
}

func TestAnImportMayBeRepeated(t *testing.T) {
	t.Parallel()
	from, to := newSide(t, ""), newSide(t, "")
	flow := from.make("/flows/", object{"name": "f", "tags": []string{"a"}})
	run := from.ended(flow, "first", 401)
	from.make("/variables/", object{"name": "v", "value": 1})
	r := mustImport(t, from, to, options())
	if got := count(t, r, importer.Logs).Created; got != 401 {
		t.Errorf("%d lines were created, want 401, equal ones among them", got)
	}
	r = mustImport(t, from, to, options())
	for _, k := range r.Kinds {
		if k.Created+k.Updated+k.Refused > 0 {
			t.Errorf("the second import changed something: %+v", k)
		}
	}
	if got := len(to.rows("/logs/filter", object{"limit": 200, "offset": 400})); got != 1 {
		t.Errorf("there are %d lines, want 401", 400+got)
	}
	from.ended(flow, "second", 3)
	r = mustImport(t, from, to, options())
	if c := count(t, r, importer.FlowRuns); c.Created != 1 {
		t.Errorf("the third import brought %+v, want one run", c)
	}
	if c := count(t, r, importer.Logs); c.Created != 3 {
		t.Errorf("and %+v, want three lines", c)
	}
	var states []object
	to.call("GET", "/flow_run_states/?flow_run_id="+run, nil, &states)
	if len(states) != 3 {
		t.Errorf("the first run has %d states, want 3", len(states))
	}
}

func TestWhatIsNewerInLeatStays(t *testing.T) {
	t.Parallel()
	from, to := newSide(t, ""), newSide(t, "")
	id := from.make("/variables/", object{"name": "v", "value": "old"})
	mustImport(t, from, to, options())
	to.call("PATCH", "/variables/"+id, object{"value": "changed in leat"}, nil)
	mustImport(t, from, to, options())
	if got := to.rows("/variables/filter", object{})[0]["value"]; got != "changed in leat" {
		t.Errorf("the variable is %v", got)
	}
	from.call("PATCH", "/variables/"+id, object{"value": "changed later at the source"}, nil)
	mustImport(t, from, to, options())
	if got := to.rows("/variables/filter", object{})[0]["value"]; got != "changed later at the source" {
		t.Errorf("the variable is %v", got)
	}
}

func TestNamesThatAreTakenAreMapped(t *testing.T) {
	t.Parallel()
	from, to := newSide(t, ""), newSide(t, "")
	theirs, ours := from.make("/flows/", object{"name": "f"}), to.make("/flows/", object{"name": "f"})
	from.make("/work_pools/", object{"name": "p", "type": "process"})
	pool := to.make("/work_pools/", object{"name": "p", "type": "process"})
	deployment := from.make("/deployments/", object{"name": "d", "flow_id": theirs, "work_pool_name": "p", "schedules": []object{}})
	from.make("/automations/", object{
		"name": "a", "trigger": object{"type": "event", "posture": "Reactive", "match": object{"prefect.resource.id": "prefect.flow." + theirs}},
		"actions": []object{{"type": "run-deployment", "source": "selected", "deployment_id": deployment}},
	})
	run := from.ended(theirs, "r", 0)
	mustImport(t, from, to, options())
	var shown object
	to.call("GET", "/flow_runs/"+run, nil, &shown)
	if shown["flow_id"] != ours {
		t.Errorf("the run is of flow %v, want leat's own %s", shown["flow_id"], ours)
	}
	to.call("GET", "/deployments/"+deployment, nil, &shown)
	if shown["flow_id"] != ours || shown["work_pool_name"] != "p" {
		t.Errorf("the deployment is of flow %v and pool %v", shown["flow_id"], shown["work_pool_name"])
	}
	if got := to.rows("/work_pools/filter", object{}); len(got) != 1 || got[0]["id"] != pool {
		t.Errorf("the pools are %v", got)
	}
	trigger, err := json.Marshal(to.rows("/automations/filter", object{})[0]["trigger"])
	if err != nil || !strings.Contains(string(trigger), "prefect.flow."+ours) {
		t.Errorf("the automation watches %s", trigger)
	}
	var page struct{ Events []object }
	to.call("POST", "/events/filter", object{"filter": object{"event": object{"name": []string{"prefect.automation.created"}}}}, &page)
	if len(page.Events) != 2 {
		t.Errorf("%d events tell of the automation, want the source's and one by which leat watches its trigger", len(page.Events))
	}
}

func TestSecretsAndNestedBlocksComeAlong(t *testing.T) {
	t.Parallel()
	from, to := newSide(t, ""), newSide(t, "")
	kind := from.make("/block_types/", object{"name": "Pair", "slug": "pair"})
	var fields object
	if err := json.Unmarshal([]byte(`{"title": "Pair", "type": "object", "secret_fields": ["key"], "block_type_slug": "pair",
		"properties": {"key": {"type": "string"}, "other": {"type": "object"}}, "block_schema_references": {}}`), &fields); err != nil {
		t.Fatal(err)
	}
	schema := from.make("/block_schemas/", object{"fields": fields, "block_type_id": kind})
	block := func(name string, data object) string {
		return from.make("/block_documents/", object{"name": name, "data": data, "block_schema_id": schema, "block_type_id": kind})
	}
	// By name the outer one comes first.
	inner := block("z-inner", object{"key": "hush"})
	block("a-outer", object{"key": "hush too", "other": object{"$ref": object{"block_document_id": inner}}})
	r := mustImport(t, from, to, options())
	if text := remarks(r, importer.BlockDocuments); text != "" {
		t.Error(text)
	}
	docs := to.rows("/block_documents/filter", object{"include_secrets": true})
	if len(docs) != 2 {
		t.Fatalf("%d documents, want 2", len(docs))
	}
	text, err := json.Marshal(docs[0]["data"])
	if want := `{"key":"hush too","other":{"key":"hush"}}`; err != nil || string(text) != want {
		t.Errorf("the outer block is %s, want %s", text, want)
	}
}

func TestASourceThatDiesIsReadOnLater(t *testing.T) {
	t.Parallel()
	from, to := newSide(t, ""), newSide(t, "")
	flow := from.make("/flows/", object{"name": "f"})
	for range 12 {
		from.ended(flow, "r", 4)
	}
	for dies := int64(5); ; dies += 7 {
		var asked atomic.Int64
		from.spoilWith(func(w http.ResponseWriter, _ *http.Request) bool {
			if asked.Add(1) < dies {
				return false
			}
			if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
				_ = conn.Close()
			}
			return true
		})
		r, err := importer.Import(t.Context(), from.source(), to.source(), options())
		if err == nil {
			break
		}
		if r != nil && r.Complete {
			t.Fatal("the report of a copy that broke off says that it is complete")
		}
		if dies > 1000 {
			t.Fatal(err)
		}
	}
	if got := len(to.rows("/flow_runs/filter", object{})); got != 12 {
		t.Errorf("%d runs, want 12", got)
	}
	if got := len(to.rows("/logs/filter", object{})); got != 48 {
		t.Errorf("%d lines, want 48: none lost, none doubled", got)
	}
}

func TestABusySourceIsAskedAgain(t *testing.T) {
	t.Parallel()
	from, to := newSide(t, ""), newSide(t, "")
	from.ended(from.make("/flows/", object{"name": "f"}), "r", 1)
	var asked atomic.Int64
	from.spoilWith(func(w http.ResponseWriter, _ *http.Request) bool {
		n := asked.Add(1)
		if n%4 != 0 {
			return false
		}
		w.Header().Set("Retry-After", "0.01")
		w.WriteHeader([]int{http.StatusServiceUnavailable, http.StatusTooManyRequests}[n/4%2])
		return true
	})
	if c := count(t, mustImport(t, from, to, options()), importer.FlowRuns); c.Created != 1 {
		t.Errorf("%+v", c)
	}
}

func TestRowsThatLeatRefusesAreToldAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	to := newSide(t, "")
	dir := t.TempDir()
	write := func(kind importer.Kind, lines ...string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, string(kind)+".jsonl"), []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const at = `"created": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z"`
	write(importer.Flows,
		`{"id": "00000000-0000-4000-8000-000000000001", `+at+`, "name": "good"}`,
		`{"id": "nonsense", "name": "bad"}`, `17`, `{`+at+`, "name": "without an id"}`)
	write(importer.FlowRuns,
		`{"id": "00000000-0000-4000-8000-000000000002", `+at+`, "name": "r", "flow_id": "00000000-0000-4000-8000-000000000009"}`,
		`{"id": "00000000-0000-4000-8000-000000000003", `+at+`, "name": "r", "flow_id": "00000000-0000-4000-8000-000000000001", `+
			`"state": {"id": "00000000-0000-4000-8000-000000000004", "type": "WEIRD", "name": "x", "timestamp": "2026-01-01T00:00:00Z"}}`)
	write(importer.Deployments,
		`{"id": "00000000-0000-4000-8000-000000000005", `+at+`, "name": "d", "flow_id": "00000000-0000-4000-8000-000000000001", "schedules": [{"id": "00000000-0000-4000-8000-000000000006", `+at+`, "schedule": {"cron": "not a cron"}}]}`,
		`{"id": "00000000-0000-4000-8000-000000000007", `+at+`, "name": "e", "flow_id": "00000000-0000-4000-8000-000000000001", "work_queue_id": "00000000-0000-4000-8000-000000000008"}`,
		`{"id": "00000000-0000-4000-8000-00000000000d", `+at+`, "name": "g", "flow_id": "00000000-0000-4000-8000-000000000001", "schedules": [{"id": "00000000-0000-4000-8000-00000000000e", `+at+`, "schedule": {"cron": "0 3 * * *"}}]}`,
		// It has a schedule of the one before, which the database finds out.
		`{"id": "00000000-0000-4000-8000-00000000000f", `+at+`, "name": "h", "flow_id": "00000000-0000-4000-8000-000000000001", "schedules": [{"id": "00000000-0000-4000-8000-00000000000e", `+at+`, "schedule": {"cron": "0 3 * * *"}}]}`)
	write(importer.SavedSearches,
		`{"id": "00000000-0000-4000-8000-00000000000b", `+at+`, "name": "s", "filters": []}`,
		`{"id": "00000000-0000-4000-8000-00000000000b", `+at+`, "name": "t", "filters": []}`,
		`{"id": "00000000-0000-4000-8000-00000000000c", `+at+`, "name": "u", "filters": []}`)
	write(importer.Logs, `{"name": "l", "level": 20, "message": "of nobody", "timestamp": "2026-01-01T00:00:00Z"}`)
	write(importer.Events, `{"id": "00000000-0000-4000-8000-00000000000a", "event": "e", "occurred": "2026-01-01T00:00:00Z", "resource": {}}`)
	r, err := importer.ImportFiles(t.Context(), dir, to.source(), options())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		kind             importer.Kind
		created, refused int
		text             string
	}{
		{importer.Flows, 1, 3, "no id"},
		{importer.FlowRuns, 0, 2, "known type"},
		{importer.Deployments, 2, 2, "is not here"},
		{importer.Deployments, 2, 2, "its log says why"},
		{importer.SavedSearches, 2, 1, "has this id"},
		{importer.Logs, 0, 1, "belongs to no run"},
		{importer.Events, 0, 1, "no resource"},
	} {
		c := count(t, r, tt.kind)
		if c.Created != tt.created || c.Refused != tt.refused {
			t.Errorf("%+v, want %d created and %d refused", c, tt.created, tt.refused)
		}
		if text := remarks(r, tt.kind); !strings.Contains(text, tt.text) {
			t.Errorf("%s: no remark with %q: %s", tt.kind, tt.text, text)
		}
	}
}

func TestSourcesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	to := newSide(t, "")
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>hello</html>")) }))
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`"2.20.1"`)) }))
	locked := newSide(t, "user:password")
	for _, s := range []*httptest.Server{page, old} {
		t.Cleanup(s.Close)
	}
	wrong := locked.source()
	wrong.AuthString = "user:guess"
	for _, tt := range []struct {
		name string
		from importer.Source
		want string
	}{
		{"a web page", importer.Source{URL: page.URL + "/api"}, "is not the API of a Prefect server"},
		{"Prefect 2", importer.Source{URL: old.URL + "/api"}, "only Prefect 3"},
		{"a wrong password", wrong, "refuses the key or the password"},
		{"nobody", importer.Source{URL: "http://127.0.0.1:1/api", Patience: time.Millisecond}, "no server answers"},
		{"an address that is none", importer.Source{URL: "old-server"}, "is not the address of an API"},
		{"the target itself", to.source(), "the same server"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := importer.Import(t.Context(), tt.from, to.source(), options())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestPrefectCloudsAddressWorks(t *testing.T) {
	t.Parallel()
	from, to := newSide(t, ""), newSide(t, "")
	from.make("/variables/", object{"name": "v", "value": 1})
	// Cloud has an address of its own for each workspace, and no version or storage to ask for.
	const workspace = "/accounts/00000000-0000-4000-8000-000000000001/workspaces/00000000-0000-4000-8000-000000000002"
	cloud := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, ok := strings.CutPrefix(r.URL.Path, "/api"+workspace)
		if !ok || strings.HasPrefix(path, "/admin/") || r.Header.Get("Authorization") != "Bearer pnu_key" {
			http.NotFound(w, r)
			return
		}
		http.Redirect(w, r, from.url+path+"?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(cloud.Close)
	r, err := importer.Import(t.Context(), importer.Source{URL: cloud.URL + "/api" + workspace, Key: "pnu_key"}, to.source(), options())
	if err != nil {
		t.Fatal(err)
	}
	if c := count(t, r, importer.Variables); c.Created != 1 {
		t.Errorf("%+v", c)
	}
}

func TestADryRunWritesNothing(t *testing.T) {
	t.Parallel()
	from, to := newSide(t, ""), newSide(t, "")
	from.ended(from.make("/flows/", object{"name": "f"}), "r", 2)
	o := options()
	o.DryRun = true
	if c := count(t, mustImport(t, from, to, o), importer.FlowRuns); c.Read != 1 {
		t.Errorf("%+v", c)
	}
	if got := to.rows("/flows/filter", object{}); len(got) != 0 {
		t.Errorf("there are flows: %v", got)
	}
}

func TestOptionsRestrictWhatIsCopied(t *testing.T) {
	t.Parallel()
	from := newSide(t, "")
	flow := from.make("/flows/", object{"name": "f"})
	from.ended(flow, "r", 1)
	from.make("/flow_runs/", object{"flow_id": flow, "name": "running", "state": object{"type": "RUNNING"}})
	from.make("/flow_runs/", object{"flow_id": flow, "name": "pending", "state": object{"type": "PENDING"}})
	from.make("/flow_runs/", object{"flow_id": flow, "name": "planned", "state": object{"type": "SCHEDULED"}})
	from.make("/variables/", object{"name": "v", "value": 1})
	for _, tt := range []struct {
		name      string
		change    func(*importer.Options)
		runs      int
		variables int
	}{
		{"what has not ended stays behind, unless it has only been planned by hand", func(*importer.Options) {}, 2, 1},
		{"active runs may come along, unless somebody is about to start them", func(o *importer.Options) { o.IncludeActive = true }, 3, 1},
		{"history may stay behind", func(o *importer.Options) { o.NoHistory = true }, 0, 1},
		{"kinds may be named", func(o *importer.Options) { o.Only = []importer.Kind{importer.Flows, importer.FlowRuns} }, 2, 0},
		{"history may begin at a time", func(o *importer.Options) { o.Since = o.Now().Add(time.Hour) }, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			to, o := newSide(t, ""), options()
			tt.change(&o)
			r := mustImport(t, from, to, o)
			if got := len(to.rows("/flow_runs/filter", object{})); got != tt.runs {
				t.Errorf("%d runs, want %d: %s", got, tt.runs, remarks(r, importer.FlowRuns))
			}
			if got := len(to.rows("/variables/filter", object{})); got != tt.variables {
				t.Errorf("%d variables, want %d", got, tt.variables)
			}
		})
	}
}

func TestFilesThatAreNoExportAreRefused(t *testing.T) {
	t.Parallel()
	to := newSide(t, "")
	dir := t.TempDir()
	single := filepath.Join(dir, "x.jsonl")
	if err := os.WriteFile(single, []byte("{\"kind\": \"flows\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "y.jsonl")
	if err := os.WriteFile(broken, []byte("{\"kind\": \"flows\", \"row\": {}}\n{oh"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir: "holds no export", single: `is not {"kind"`, broken: "line 2 is not JSON", filepath.Join(dir, "none"): "no such file",
	} {
		_, err := importer.ImportFiles(t.Context(), path, to.source(), options())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", path, err, want)
		}
	}
}

func TestAnImportEndsWithItsContext(t *testing.T) {
	t.Parallel()
	from, to := newSide(t, ""), newSide(t, "")
	flow := from.make("/flows/", object{"name": "f"})
	for range 3 {
		from.ended(flow, "r", 1)
	}
	ctx, cancel := context.WithCancel(t.Context())
	from.spoilWith(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/api/logs/filter" {
			cancel()
		}
		return false
	})
	if _, err := importer.Import(ctx, from.source(), to.source(), options()); err == nil {
		t.Error("the import went on")
	}
}

func TestAnExportIsReadBack(t *testing.T) {
	t.Parallel()
	from := newSide(t, "")
	flow := from.make("/flows/", object{"name": "f"})
	from.ended(flow, "r", 5)
	from.make("/deployments/", object{"name": "d", "flow_id": flow, "schedules": []object{{"schedule": object{"cron": "0 3 * * *"}}}})
	for _, name := range []string{"dir", "all.jsonl", "all.jsonl.gz"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, to := filepath.Join(t.TempDir(), name), newSide(t, "")
			if _, err := importer.Export(t.Context(), from.source(), path, options()); err != nil {
				t.Fatal(err)
			}
			if _, err := importer.Export(t.Context(), from.source(), path, options()); err == nil {
				t.Error("a second export overwrote the first")
			}
			for range 2 {
				r, err := importer.ImportFiles(t.Context(), path, to.source(), options())
				if err != nil {
					t.Fatal(err)
				}
				for _, k := range r.Kinds {
					if k.Refused > 0 {
						t.Errorf("%+v: %s", k, remarks(r, k.Kind))
					}
				}
			}
			if got := len(to.rows("/logs/filter", object{})); got != 5 {
				t.Errorf("%d lines, want 5", got)
			}
			if got := to.rows("/deployments/filter", object{}); len(got) != 1 || len(got[0]["schedules"].([]any)) != 1 {
				t.Errorf("the deployments are %v", got)
			}
		})
	}
}
