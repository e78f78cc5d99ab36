package compat

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// answer is the server's answer to one request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send makes one request; the body is sent as it is.
func (s *server) send(ctx context.Context, method, path string, body []byte, headers ...string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.api+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Close = true // the reference closes idle connections without a word
	req.Header.Set("Content-Type", "application/json")
	if user, password, ok := strings.Cut(s.auth, ":"); ok {
		req.SetBasicAuth(user, password)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := env.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, data}, err
}

// sendUntilFree is send, again when the reference answers 503, as it does
// whenever its SQLite database is busy.
func (s *server) sendUntilFree(ctx context.Context, method, path string, body []byte) (a answer, err error) {
	err = poll(ctx, func(ctx context.Context) (bool, error) {
		var err error
		a, err = s.send(ctx, method, path, body)
		return !env.reference || a.status != http.StatusServiceUnavailable, err
	})
	return a, err
}

// call sends in as JSON, wants a 2xx answer, and decodes it into out unless that is nil.
func (s *server) call(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	a, err := s.sendUntilFree(ctx, method, path, body)
	if err != nil {
		return err
	}
	if a.status/100 != 2 {
		return fmt.Errorf("%s %s: status %d: %s", method, path, a.status, a.body)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(a.body, out)
}

// mustCall is call for a test that cannot go on without.
func (s *server) mustCall(t *testing.T, method, path string, in, out any) {
	t.Helper()
	if err := s.call(t.Context(), method, path, in, out); err != nil {
		t.Fatal(err)
	}
}

type object = map[string]any

// flowRun is what the tests look at in a flow run.
type flowRun struct {
	ID               string         `json:"id"`
	Name             string         `json:"name"`
	DeploymentID     string         `json:"deployment_id"`
	Parameters       map[string]any `json:"parameters"`
	RunCount         int            `json:"run_count"`
	InfrastructureID string         `json:"infrastructure_pid"`
	ExpectedStart    time.Time      `json:"expected_start_time"`
	WorkQueue        string         `json:"work_queue_name"`
	State            struct {
		Type    string `json:"type"`
		Name    string `json:"name"`
		Message string `json:"message"`
	} `json:"state"`
}

func (s *server) flowRun(ctx context.Context, id string) (flowRun, error) {
	var r flowRun
	err := s.call(ctx, http.MethodGet, "/flow_runs/"+id, nil, &r)
	return r, err
}

// waitState waits until the run's state has the name, and returns the run.
func (s *server) waitState(t *testing.T, id, name string, limit time.Duration) flowRun {
	t.Helper()
	var last flowRun
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("flow run %s was last seen %s: %s", id, last.State.Name, last.State.Message)
		}
	})
	waitFor(t, limit, "flow run "+id+" to be "+name, func(ctx context.Context) (bool, error) {
		r, err := s.flowRun(ctx, id)
		if err != nil {
			return false, err
		}
		last = r
		if r.State.Name != name && final(r.State.Type) {
			return false, fmt.Errorf("it is %s: %s", r.State.Name, r.State.Message)
		}
		return r.State.Name == name, nil
	})
	return last
}

func final(stateType string) bool {
	switch stateType {
	case "COMPLETED", "FAILED", "CRASHED", "CANCELLED":
		return true
	}
	return false
}

// deploymentID finds the deployment FLOW/NAME.
func (s *server) deploymentID(t *testing.T, name string) string {
	t.Helper()
	var d struct{ ID string }
	s.mustCall(t, http.MethodGet, "/deployments/name/"+name, nil, &d)
	return d.ID
}

// createRun asks for a run of the deployment and returns its id.
func (s *server) createRun(t *testing.T, deployment string, body object) string {
	t.Helper()
	if body == nil {
		body = object{}
	}
	var r flowRun
	s.mustCall(t, http.MethodPost, "/deployments/"+deployment+"/create_flow_run", body, &r)
	return r.ID
}

// setState proposes a state for the flow run and returns the answer's status.
func (s *server) setState(t *testing.T, id string, state object) string {
	t.Helper()
	var out struct{ Status string }
	s.mustCall(t, http.MethodPost, "/flow_runs/"+id+"/set_state", object{"state": state}, &out)
	return out.Status
}

// runsOf lists the deployment's flow runs by expected start.
func (s *server) runsOf(ctx context.Context, deployment string, states ...string) ([]flowRun, error) {
	filter := object{"deployment_id": object{"any_": []string{deployment}}}
	if len(states) > 0 {
		filter["state"] = object{"name": object{"any_": states}}
	}
	var runs []flowRun
	err := s.call(ctx, http.MethodPost, "/flow_runs/filter",
		object{"flow_runs": filter, "sort": "EXPECTED_START_TIME_ASC", "limit": 200}, &runs)
	return runs, err
}

// logsOf returns the run's log messages in order.
func (s *server) logsOf(ctx context.Context, run string) ([]string, error) {
	var logs []struct{ Message string }
	err := s.call(ctx, http.MethodPost, "/logs/filter",
		object{"logs": object{"flow_run_id": object{"any_": []string{run}}}, "sort": "TIMESTAMP_ASC", "limit": 200}, &logs)
	messages := make([]string, len(logs))
	for i, l := range logs {
		messages[i] = l.Message
	}
	return messages, err
}

// waitLog waits until one of the run's log messages contains the text.
func (s *server) waitLog(t *testing.T, run, text string, limit time.Duration) {
	t.Helper()
	waitFor(t, limit, fmt.Sprintf("log %q of flow run %s", text, run), func(ctx context.Context) (bool, error) {
		messages, err := s.logsOf(ctx, run)
		return strings.Contains(strings.Join(messages, "\n"), text), err
	})
}
