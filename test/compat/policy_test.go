package compat

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// Runs of a served deployment that take longer than their schedule's interval
// keep to the schedule's policy, which the Prefect client knows nothing of.
func TestSchedulePolicies(t *testing.T) {
	leatOnly(t)
	onEachDatabase(t, func(t *testing.T, s *server) {
		for _, tt := range []struct {
			overlap string
			// several are states of which there must be two runs in the end.
			several []string
			// reason is the message of one of them.
			reason string
		}{
			{"skip", []string{"Completed", "Skipped"}, "the run before it had not ended"},
			{"buffer_one", []string{"Completed", "Skipped"}, "another run waited already"},
			{"cancel_other", []string{"Cancelled"}, ""},
		} {
			t.Run(tt.overlap, func(t *testing.T) {
				t.Parallel()
				c := newClient(t, s)
				seconds := "9"
				if tt.overlap == "cancel_other" {
					seconds = "300"
				}
				c.serve("Your deployments are being served", "served.py", `sleeper={"interval": 6, "parameters": {"seconds": `+seconds+`}}`)
				id := s.deploymentID(t, c.name+"-sleeper/sleeper")
				s.setPolicy(t, id, object{"overlap": tt.overlap, "catchup_window_seconds": 60})
				contains(t, "prefect deployment inspect", c.prefect("deployment", "inspect", c.name+"-sleeper/sleeper"), id)
				waitFor(t, 3*time.Minute, "two runs of each state", func(ctx context.Context) (bool, error) {
					runs, err := s.runsOf(ctx, id)
					return slices.IndexFunc(tt.several, func(state string) bool { return len(inState(runs, state)) < 2 }) < 0, err
				})
				s.checkAlone(t, id)
				runs, err := s.runsOf(t.Context(), id, tt.several...)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.ContainsFunc(runs, func(r flowRun) bool { return strings.Contains(r.State.Message, tt.reason) }) {
					t.Errorf("no run has a message with %q", tt.reason)
				}
			})
		}
	})
}

func inState(runs []flowRun, name string) []flowRun {
	return slices.DeleteFunc(slices.Clone(runs), func(r flowRun) bool { return r.State.Name != name })
}

// setPolicy changes the deployment's only schedule, and wants the change to be shown.
func (s *server) setPolicy(t *testing.T, deployment string, policy object) {
	t.Helper()
	path := "/deployments/" + deployment + "/schedules"
	var schedules []object
	if err := s.call(t.Context(), http.MethodGet, path, nil, &schedules); err != nil {
		t.Fatal(err)
	}
	change := object{"parameters": schedules[0]["parameters"]}
	maps.Copy(change, policy)
	id, ok := schedules[0]["id"].(string)
	if !ok {
		t.Fatalf("schedule %v", schedules[0])
	}
	if err := s.call(t.Context(), http.MethodPatch, path+"/"+id, change, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.call(t.Context(), http.MethodGet, path, nil, &schedules); err != nil {
		t.Fatal(err)
	}
	if schedules[0]["overlap"] != policy["overlap"] {
		t.Errorf("schedule %v", schedules[0])
	}
}

// checkAlone checks that no two runs of the deployment ran at once.
func (s *server) checkAlone(t *testing.T, deployment string) {
	t.Helper()
	var runs []struct {
		Name  string     `json:"name"`
		Start *time.Time `json:"start_time"`
		End   *time.Time `json:"end_time"`
		Count int        `json:"run_count"`
	}
	err := s.call(t.Context(), http.MethodPost, "/flow_runs/filter", object{
		"flow_runs": object{"deployment_id": object{"any_": []string{deployment}}}, "sort": "START_TIME_ASC", "limit": 200,
	}, &runs)
	if err != nil {
		t.Fatal(err)
	}
	var last time.Time
	ran := 0
	for _, r := range runs {
		if r.Count == 0 || r.Start == nil {
			continue
		}
		ran++
		if r.Start.Before(last) {
			t.Errorf("run %s started at %s, before the one before it ended at %s", r.Name, r.Start, last)
		}
		last = time.Now()
		if r.End != nil {
			last = *r.End
		}
	}
	if ran < 2 {
		t.Errorf("%d runs ran", ran)
	}
}
