package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// freshPostgres makes a database of the test's own.
func freshPostgres(t *testing.T) string {
	t.Helper()
	admin := os.Getenv("LEAT_TEST_POSTGRES")
	if admin == "" {
		t.Skip("LEAT_TEST_POSTGRES is not set; run scripts/with-postgres.sh go test ./internal/server")
	}
	c, err := pgx.Connect(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("leat_server_%d_%d", os.Getpid(), time.Now().UnixNano())
	if _, err := c.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// call makes a request of the REST API and returns what it answers.
func (s *started) call(method, path string, in any) map[string]any {
	s.t.Helper()
	return s.request(method, s.url+path, in, nil)
}

// states makes a request of Step Functions.
func (s *started) states(action string, in any) map[string]any {
	s.t.Helper()
	return s.request(http.MethodPost, strings.TrimSuffix(s.url, "/api")+"/", in, http.Header{
		"X-Amz-Target": {"AWSStepFunctions." + action}, "Content-Type": {"application/x-amz-json-1.0"},
	})
}

func (s *started) request(method, address string, in any, header http.Header) map[string]any {
	s.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, address, strings.NewReader(string(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	maps.Copy(req.Header, header)
	res, err := s.http.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %d %s %v", method, address, res.StatusCode, data, err)
	}
	var out map[string]any
	_ = json.Unmarshal(data, &out) // lists and nothing are not looked at
	return out
}

// end stops the server and waits for it.
func (s *started) end() {
	s.t.Helper()
	s.stop()
	if err := <-s.stopped; err != nil {
		s.t.Fatal(err)
	}
}

// until asks again until the answer is the wanted one.
func (s *started) until(what string, ask func() bool) {
	s.t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for range 400 {
		if ask() {
			return
		}
		<-again.C
	}
	s.t.Errorf("%s has not come about", what)
}

func TestAServerGoesOnWithAMovedDatabase(t *testing.T) {
	t.Parallel()
	there := freshPostgres(t)
	cfg := config(t)
	s := startOn(t, cfg)
	run, execution, document := begin(t, s)
	s.end()
	back := filepath.Join(cfg.Home, "back.db")
	for i, to := range []string{there, back} {
		if _, err := Move(t.Context(), cfg, DatabaseMove{To: to}); err != nil {
			t.Fatal(err)
		}
		cfg.Database = to
		s = startOn(t, cfg)
		goesOn(t, s, i, run, execution, document)
		s.end()
		awaitIdle(t, to)
	}
}

// awaitIdle waits until Postgres has forgotten the connections of a server that stopped.
func awaitIdle(t *testing.T, database string) {
	t.Helper()
	if !strings.HasPrefix(database, "postgres") {
		return
	}
	c, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(t.Context())) }() // it only looked
	for range 1000 {
		n := 0
		if err := c.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()").Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// begin starts a run, an execution that waits, a schedule, and stores a secret.
func begin(t *testing.T, s *started) (run, execution, document string) {
	t.Helper()
	flow := s.call(http.MethodPost, "/flows/", map[string]any{"name": "f"})["id"]
	run, _ = s.call(http.MethodPost, "/flow_runs/", map[string]any{"flow_id": flow, "state": map[string]any{"type": "RUNNING"}})["id"].(string)
	s.call(http.MethodPost, "/deployments/", map[string]any{
		"flow_id": flow, "name": "d", "schedules": []any{map[string]any{"schedule": map[string]any{"interval": 3600}, "active": true}},
	})
	s.until("a scheduled run", func() bool { return s.count(`{"flow_runs":{"state":{"type":{"any_":["SCHEDULED"]}}}}`) >= 3 })
	machine := s.states("CreateStateMachine", map[string]any{
		"name": "m", "roleArn": "arn:aws:iam::000000000000:role/r",
		"definition": `{"StartAt":"W","States":{"W":{"Type":"Wait","SecondsPath":"$.s","Next":"A"},"A":{"Type":"Wait","SecondsPath":"$.s","End":true}}}`,
	})["stateMachineArn"]
	execution, _ = s.states("StartExecution", map[string]any{"stateMachineArn": machine, "input": `{"s":3}`})["executionArn"].(string)
	kind := s.call(http.MethodGet, "/block_types/slug/secret", nil)["id"]
	schema := s.first("/block_schemas/filter", fmt.Sprintf(`{"block_schemas":{"block_type_id":{"any_":["%s"]}}}`, kind))["id"]
	document, _ = s.call(http.MethodPost, "/block_documents/", map[string]any{
		"name": "mine", "block_type_id": kind, "block_schema_id": schema, "data": map[string]any{"value": "hidden"},
	})["id"].(string)
	return run, execution, document
}

// goesOn checks that what begin began goes on; round 0 ends it.
func goesOn(t *testing.T, s *started, round int, run, execution, document string) {
	t.Helper()
	state := "COMPLETED"
	if round == 0 {
		state = "RUNNING"
	}
	got := s.call(http.MethodGet, "/flow_runs/"+run, nil)
	if got["state_type"] != state {
		t.Errorf("the run is %v", got["state_type"])
	}
	if round == 0 {
		s.call(http.MethodPost, "/flow_runs/"+run+"/set_state", map[string]any{"state": map[string]any{"type": "COMPLETED"}})
	}
	if secret := s.call(http.MethodGet, "/block_documents/"+document+"?include_secrets=true", nil)["data"]; fmt.Sprint(secret) != "map[value:hidden]" {
		t.Errorf("the secret is %v", secret)
	}
	if n := s.count(`{"flow_runs":{"state":{"type":{"any_":["SCHEDULED"]}}}}`); n < 3 {
		t.Errorf("%d runs are scheduled", n)
	}
	s.until("the end of the execution", func() bool {
		return s.states("DescribeExecution", map[string]any{"executionArn": execution})["status"] == "SUCCEEDED"
	})
	before := s.count(`{}`)
	flow := s.call(http.MethodPost, "/flows/", map[string]any{"name": "f"})["id"]
	s.call(http.MethodPost, "/deployments/", map[string]any{
		"flow_id": flow, "name": fmt.Sprint("new", round), "schedules": []any{map[string]any{"schedule": map[string]any{"interval": 600}, "active": true}},
	})
	s.until("new scheduled runs", func() bool { return s.count(`{}`) >= before+3 })
}

func (s *started) count(filter string) int {
	s.t.Helper()
	body, err := s.post("/flow_runs/count", filter)
	n := 0
	if _, scanErr := fmt.Sscan(body, &n); err != nil || scanErr != nil {
		s.t.Fatalf("count: %s %v", body, err)
	}
	return n
}

// first returns the first of a list.
func (s *started) first(path, filter string) map[string]any {
	s.t.Helper()
	body, err := s.post(path, filter)
	var out []map[string]any
	if jsonErr := json.Unmarshal([]byte(body), &out); err != nil || jsonErr != nil || len(out) == 0 {
		s.t.Fatalf("%s: %s %v", path, body, err)
	}
	return out[0]
}
