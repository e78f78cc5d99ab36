package compat

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// badCase is a request that is refused. In the path and body {flow}, {run} and
// {deployment} stand for ids that exist, {none} for one that does not.
type badCase struct {
	title  string
	method string
	path   string
	body   string
	status int
	answer string // the whole body, or with a leading ~ a part of it
}

func badCases() []badCase {
	invalid := func(detail, body string) string {
		return `{"exception_message":"Invalid request received.","exception_detail":[` + detail + `],"request_body":` + body + `}`
	}
	conflict := `{"detail":"Data integrity conflict. This usually means a unique or foreign key constraint was violated. See server logs for details."}`
	pattern := func(name string) string {
		return `{"type":"string_pattern_mismatch","loc":["body","name"],"msg":"String should match pattern '^[^/%&><]+$'","input":"` + name + `","ctx":{"pattern":"^[^/%&><]+$"}}`
	}
	return []badCase{
		{"an unknown flow run", "GET", "/flow_runs/{none}", "", 404, `{"detail":"Flow run not found"}`},
		{"an id that is no id", "GET", "/flow_runs/not-a-uuid", "", 404, `{"detail":"Not Found"}`},
		{"an unknown flow", "GET", "/flows/{none}", "", 404, `{"detail":"Flow not found"}`},
		{"an unknown flow name", "GET", "/flows/name/nope", "", 404, `{"detail":"Flow not found"}`},
		{"an unknown task run", "GET", "/task_runs/{none}", "", 404, `{"detail":"Task not found"}`},
		{"an unknown deployment", "GET", "/deployments/{none}", "", 404, `{"detail":"Deployment not found"}`},
		{"an unknown deployment name", "GET", "/deployments/name/no/such", "", 404, `{"detail":"Deployment not found"}`},
		{"an unknown work pool", "GET", "/work_pools/none", "", 404, `{"detail":"Work pool \"none\" not found."}`},
		{"an unknown variable", "GET", "/variables/name/none", "", 404, `{"detail":"Variable not found."}`},
		{"an unknown block type", "GET", "/block_types/slug/none", "", 404, `{"detail":"Block type not found"}`},
		{"an unknown limit", "GET", "/v2/concurrency_limits/none", "", 404, `{"detail":"Concurrency Limit not found"}`},
		{"an unknown tag limit", "GET", "/concurrency_limits/tag/none", "", 404, `{"detail":"Concurrency limit not found"}`},
		{"deleting an unknown flow run", "DELETE", "/flow_runs/{none}", "", 404, `{"detail":"Flow run not found"}`},
		{
			"a state for an unknown flow run", "POST", "/flow_runs/{none}/set_state", `{"state":{"type":"RUNNING"}}`, 404,
			`{"exception_message":"Flow run with id 00000000-0000-0000-0000-00000000000a not found"}`,
		},
		{"a run of an unknown deployment", "POST", "/deployments/{none}/create_flow_run", `{}`, 404, `{"detail":"Deployment not found"}`},
		{"a run of an unknown flow", "POST", "/flow_runs/", `{"flow_id":"{none}"}`, 409, conflict},
		{"a deployment of an unknown flow", "POST", "/deployments/", `{"name":"x","flow_id":"{none}"}`, 409, conflict},
		{"a path that is not there", "GET", "/nowhere", "", 404, `{"detail":"Not Found"}`},
		{"a method that is not allowed", "POST", "/health", "", 405, `{"detail":"Method Not Allowed"}`},

		{"malformed JSON", "POST", "/flow_runs/filter", `{"limit":`, 422, invalid(
			`{"type":"json_invalid","loc":["body",9],"msg":"JSON decode error","input":{},"ctx":{"error":"Expecting value"}}`, `"{\"limit\":"`)},
		{"a wrong type", "POST", "/flow_runs/filter", `{"limit":"many"}`, 422, invalid(
			`{"type":"int_parsing","loc":["body","limit"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"many"}`, `{"limit":"many"}`)},
		{"a limit that is too high", "POST", "/flow_runs/filter", `{"limit":100000}`, 422, `{"detail":"Invalid limit: must be less than or equal to 200."}`},
		{"a limit below 0", "POST", "/flow_runs/filter", `{"limit":-1}`, 422, `{"detail":"Invalid limit: must be greater than or equal to 0."}`},
		{"an unknown sort", "POST", "/flow_runs/filter", `{"sort":"NOPE"}`, 422, `~"type":"enum","loc":["body","sort"]`},
		{
			"a filter with a wrong id", "POST", "/flow_runs/filter", `{"flow_runs":{"id":{"any_":["x"]}}}`, 422,
			`~"type":"uuid_parsing","loc":["body","flow_runs","id","any_",0]`,
		},
		{
			"a filter with an unknown state", "POST", "/flow_runs/filter", `{"flow_runs":{"state":{"type":{"any_":["SLEEPING"]}}}}`, 422,
			`~"type":"enum","loc":["body","flow_runs","state","type","any_",0]`,
		},
		{"a filter with an unknown key", "POST", "/flow_runs/filter", `{"flow_runs":{"surprise":1}}`, 422, invalid(
			`{"type":"extra_forbidden","loc":["body","flow_runs","surprise"],"msg":"Extra inputs are not permitted","input":1}`, `{"flow_runs":{"surprise":1}}`)},
		{"a missing field", "POST", "/flows/", `{}`, 422, invalid(
			`{"type":"missing","loc":["body","name"],"msg":"Field required","input":{}}`, `{}`)},
		{"an empty name", "POST", "/flows/", `{"name":""}`, 422, invalid(pattern(""), `{"name":""}`)},
		{"a name with a slash", "POST", "/flows/", `{"name":"a/b"}`, 422, invalid(pattern("a/b"), `{"name":"a/b"}`)},
		{"a name with a percent sign", "POST", "/flows/", `{"name":"a%b"}`, 422, invalid(pattern("a%b"), `{"name":"a%b"}`)},
		{"a name that is a number", "POST", "/flows/", `{"name":7}`, 422, invalid(
			`{"type":"string_type","loc":["body","name"],"msg":"Input should be a valid string","input":7}`, `{"name":7}`)},
		{"an unknown state", "POST", "/flow_runs/{run}/set_state", `{"state":{"type":"SLEEPING"}}`, 422, `~"type":"enum","loc":["body","state","type"]`},
		{"no state", "POST", "/flow_runs/{run}/set_state", `{}`, 422, invalid(
			`{"type":"missing","loc":["body","state"],"msg":"Field required","input":null}`, `{}`)},
		{
			"schedules that are null", "POST", "/deployments/", `{"name":"x","flow_id":"{flow}","schedules":null}`, 422,
			`~"type":"list_type","loc":["body","schedules"]`,
		},
		{"a bad cron", "POST", "/deployments/{deployment}/schedules", `[{"schedule":{"cron":"61 * * * *"}}]`, 422, `~Invalid request received.`},
		{"a bad time zone", "POST", "/deployments/{deployment}/schedules", `[{"schedule":{"cron":"* * * * *","timezone":"Mars/Olympus"}}]`, 422, `~Invalid request received.`},
		{"a bad rrule", "POST", "/deployments/{deployment}/schedules", `[{"schedule":{"rrule":"FREQ=SOMETIMES"}}]`, 422, `~Invalid request received.`},
		{"an interval of 0", "POST", "/deployments/{deployment}/schedules", `[{"schedule":{"interval":0}}]`, 422, `~interval must be positive`},
		{
			"a reserved pool name", "POST", "/work_pools/", `{"name":"prefect-x","type":"process"}`, 403,
			`{"detail":"Work pools starting with 'Prefect' are reserved for internal use."}`,
		},
		{"a pool name with a slash", "POST", "/work_pools/", `{"name":"a/b","type":"process"}`, 422, invalid(pattern("a/b"), `{"name":"a/b","type":"process"}`)},
		{
			"a bad variable name", "POST", "/variables/", `{"name":"Bad Name","value":1}`, 422,
			`~Value error, Variable name must only contain lowercase letters, numbers, and dashes or underscores.`,
		},
		{"a limit of -1", "POST", "/v2/concurrency_limits/", `{"name":"x","limit":-1}`, 422, `~"type":"greater_than_equal","loc":["body","limit"]`},
		{"a log without its fields", "POST", "/logs/", `[{"name":"x"}]`, 422, `~{"type":"missing","loc":["body",0,"level"],"msg":"Field required","input":{"name":"x"}}`},
		{"logs that are no list", "POST", "/logs/", `{"a":1}`, 422, `~"type":"is_instance_of","loc":["body"]`},
		{
			"a bad artifact key", "POST", "/artifacts/", `{"key":"Bad Key"}`, 422,
			`~Value error, Artifact key must only contain lowercase letters, numbers, and dashes.`,
		},
	}
}

func TestBadInput(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		var flow, run, deployment flowRun
		s.mustCall(t, http.MethodPost, "/flows/", object{"name": env.unique("bad")}, &flow)
		s.mustCall(t, http.MethodPost, "/flow_runs/", object{"flow_id": flow.ID}, &run)
		s.mustCall(t, http.MethodPost, "/deployments/", object{"name": "d", "flow_id": flow.ID}, &deployment)
		ids := strings.NewReplacer("{none}", "00000000-0000-0000-0000-00000000000a", "{flow}", flow.ID, "{run}", run.ID, "{deployment}", deployment.ID)
		for _, c := range badCases() {
			t.Run(c.title, func(t *testing.T) {
				a, err := s.sendUntilFree(t.Context(), c.method, ids.Replace(c.path), []byte(ids.Replace(c.body)))
				if err != nil {
					t.Fatal(err)
				}
				if a.status != c.status {
					t.Errorf("status %d, want %d: %s", a.status, c.status, a.body)
				}
				if part, ok := strings.CutPrefix(c.answer, "~"); ok {
					if !bytes.Contains(a.body, []byte(part)) {
						t.Errorf("no %s in %s", part, a.body)
					}
				} else if diff := cmp.Diff(c.answer, string(a.body)); diff != "" {
					t.Errorf("body (-want +got):\n%s", diff)
				}
			})
		}
		t.Run("versions of the API", func(t *testing.T) { badVersions(t, s) })
		t.Run("nothing is left of refused requests, and the server lives", func(t *testing.T) {
			var found []object
			s.mustCall(t, http.MethodPost, "/flow_runs/filter", object{"flow_runs": object{"id": object{"any_": []string{run.ID}}}}, &found)
			if len(found) != 1 || found[0]["state_type"] != "PENDING" {
				t.Errorf("%v", found)
			}
		})
	})
}

func badVersions(t *testing.T, s *server) {
	t.Helper()
	for version, detail := range map[string]string{
		"nonsense": "Invalid X-PREFECT-API-VERSION header format.Expected header in format 'x.y.z' but received nonsense",
		"0.1.0":    "The request specified API version 0.1.0 but this server requires version 0.8.0 or higher.",
	} {
		a, err := s.send(t.Context(), http.MethodGet, "/flows/00000000-0000-0000-0000-00000000000a", nil, "X-PREFECT-API-VERSION", version)
		if err != nil || a.status != http.StatusBadRequest || !strings.Contains(string(a.body), detail) {
			t.Errorf("%s: status %d, %v: %s", version, a.status, err, a.body)
		}
	}
}

func TestHostileInput(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		t.Run("deep nesting is refused", func(t *testing.T) {
			a, err := s.send(t.Context(), http.MethodPost, "/flow_runs/filter", bytes.Repeat([]byte("["), 100_000))
			if err != nil || a.status/100 != 4 {
				t.Errorf("status %d, %v; want a refusal", a.status, err)
			}
		})
		t.Run("a huge body is refused with 413", func(t *testing.T) {
			leatOnly(t)
			body := append([]byte(`{"name":"`), bytes.Repeat([]byte("x"), 129<<20)...)
			a, err := s.send(t.Context(), http.MethodPost, "/flows/", body)
			if err != nil || a.status != http.StatusRequestEntityTooLarge {
				t.Errorf("status %d, %v; want 413", a.status, err)
			}
		})
		t.Run("names of all scripts, quotes and SQL come back as they were", func(t *testing.T) {
			for _, name := range []string{"日本語 flow", "naïve \"quoted\" 'flow'", "x'); DROP TABLE flow; --", "emoji 🦀", strings.Repeat("long", 60)} {
				name += env.unique("-n")
				var made, found struct{ ID, Name string }
				s.mustCall(t, http.MethodPost, "/flows/", object{"name": name}, &made)
				s.mustCall(t, http.MethodGet, "/flows/"+made.ID, nil, &found)
				if found.Name != name {
					t.Errorf("%q came back as %q", name, found.Name)
				}
			}
		})
		t.Run("logs of a client whose clock is wrong are kept", func(t *testing.T) { skewedClock(t, s) })
		t.Run("what is proposed after the end is answered as the original does", func(t *testing.T) { terminalStates(t, s) })
	})
}

// skewedClock sends logs whose times are years away: they are kept as they are.
func skewedClock(t *testing.T, s *server) {
	t.Helper()
	id := s.rawRun(t, env.unique("skewed"))
	for _, day := range []string{"2099-01-01T00:00:00Z", "2001-01-01T00:00:00Z"} {
		s.mustCall(t, http.MethodPost, "/logs/", []object{{
			"name": "skewed", "level": 20, "message": day, "timestamp": day, "flow_run_id": id,
		}}, nil)
	}
	messages, err := s.logsOf(t.Context(), id)
	if err != nil || strings.Join(messages, " ") != "2001-01-01T00:00:00Z 2099-01-01T00:00:00Z" {
		t.Errorf("got %q, %v", messages, err)
	}
}

// terminalStates wants the answers of the reference to proposals after the end.
func terminalStates(t *testing.T, s *server) {
	t.Helper()
	id := s.rawRun(t, env.unique("ended"))
	for _, step := range []struct{ state, status string }{
		{"RUNNING", "ACCEPT"}, {"COMPLETED", "ACCEPT"}, {"PENDING", "ACCEPT"}, {"RUNNING", "ACCEPT"}, {"CANCELLED", "ACCEPT"},
	} {
		if got := s.setState(t, id, object{"type": step.state, "data": json.RawMessage("null")}); got != step.status {
			t.Errorf("%s: %s, want %s", step.state, got, step.status)
		}
	}
}
