package robust

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

type object = map[string]any

// httpError is an answer that is no success.
type httpError struct {
	status int
	text   string
}

func (e *httpError) Error() string { return e.text }

// call sends in as JSON, wants a 2xx answer, and decodes it into out unless
// that is nil. Other answers are an *httpError; no answer is another error.
func (s *server) call(ctx context.Context, method, path string, in, out any) (int, error) {
	var body io.Reader = http.NoBody
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return 0, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url(path), body)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	if resp.StatusCode/100 != 2 {
		return resp.StatusCode, &httpError{resp.StatusCode, fmt.Sprintf("%s %s: status %d: %s", method, path, resp.StatusCode, data)}
	}
	if out != nil {
		err = json.Unmarshal(data, out)
	}
	return resp.StatusCode, err
}

// must is call for a test that cannot go on without.
func (s *server) must(method, path string, in, out any) {
	s.t.Helper()
	if _, err := s.call(s.t.Context(), method, path, in, out); err != nil {
		s.t.Fatal(err)
	}
}

type withID struct {
	ID string `json:"id"`
}

// flow makes a flow and returns its id.
func (s *server) flow() string {
	s.t.Helper()
	var f withID
	s.must(http.MethodPost, "/flows/", object{"name": unique("flow")}, &f)
	return f.ID
}

// run makes a flow run and returns its id.
func (s *server) run(flow string) string {
	s.t.Helper()
	var r withID
	s.must(http.MethodPost, "/flow_runs/", object{"flow_id": flow}, &r)
	return r.ID
}

// state is what the tests look at in a state.
type state struct {
	ID        string    `json:"id"`
	Type      string    `json:"type"`
	Name      string    `json:"name"`
	Timestamp time.Time `json:"timestamp"`
}

// history returns the states of a flow run ("flow_run") or task run ("task_run").
func (s *server) history(kind, id string) []state {
	s.t.Helper()
	var states []state
	s.must(http.MethodGet, "/"+kind+"_states/?"+kind+"_id="+id, nil, &states)
	return states
}

func names(states []state) []string {
	var out []string
	for _, st := range states {
		out = append(out, st.Name)
	}
	return out
}

// taskEvent is the event by which the SDK tells of a task run's state.
func taskEvent(flowRun, taskRun, key, name string, at time.Time) object {
	id := newID()
	kind := map[string]string{"Pending": "PENDING", "Running": "RUNNING", "Completed": "COMPLETED"}[name]
	stamp := at.UTC().Format("2006-01-02T15:04:05.000000+00:00")
	return object{
		"id": id, "occurred": stamp, "event": "prefect.task-run." + name,
		"resource": object{
			"prefect.resource.id": "prefect.task-run." + taskRun, "prefect.resource.name": "work-" + key, "prefect.state-name": name,
			"prefect.state-type": kind, "prefect.state-timestamp": stamp, "prefect.orchestration": "client",
		},
		"related": []object{{"prefect.resource.id": "prefect.flow-run." + flowRun, "prefect.resource.role": "flow-run"}},
		"payload": object{
			"validated_state": object{"type": kind, "name": name, "message": "", "state_details": object{}, "data": nil},
			"task_run": object{
				"name": "work-" + key, "task_key": "work", "dynamic_key": key, "empirical_policy": object{}, "tags": []string{},
				"labels": object{}, "task_inputs": object{}, "run_count": 1, "flow_run_run_count": 1,
			},
		},
	}
}

func newID() string { return core.NewID(time.Now()).String() }
