package robust

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

// A client's clock may be wrong by hours; the order in which things happened
// to one run is its own, and the server's clock says who is alive.
func TestClientsWithWrongClocks(t *testing.T) {
	t.Parallel()
	s := startServer(t, "", "--heartbeat-timeout", "4s")
	flow := s.flow()
	for name, skew := range map[string]time.Duration{"five hours behind": -5 * time.Hour, "five hours ahead": 5 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := s.in(t)
			run := s.run(flow)
			for _, kind := range []string{"RUNNING", "COMPLETED"} {
				s.must(http.MethodPost, "/flow_runs/"+run+"/set_state", object{"state": object{"type": kind}}, nil)
			}
			if got := names(s.history("flow_run", run)); !slices.Equal(got, []string{"Pending", "Running", "Completed"}) {
				t.Errorf("flow run states in the order %v", got)
			}
			skewedTask(t, s, run, time.Now().Add(skew))
		})
		t.Run("heartbeats "+name, func(t *testing.T) {
			t.Parallel()
			skewedHeartbeats(t, s.in(t), flow, skew)
		})
	}
}

// skewedTask sends a task run's events in the wrong order.
func skewedTask(t *testing.T, s *server, run string, at time.Time) {
	t.Helper()
	task, key := newID(), newID()
	var events []object
	for i, name := range []string{"Pending", "Running", "Completed"} {
		events = append(events, taskEvent(run, task, key, name, at.Add(time.Duration(i)*time.Millisecond)))
	}
	for _, i := range []int{2, 0, 1} {
		if err := s.sendEvents(t.Context(), events[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if got := names(s.history("task_run", task)); !slices.Equal(got, []string{"Pending", "Running", "Completed"}) {
		t.Errorf("task run states in the order %v", got)
	}
	var r struct{ State state }
	s.must(http.MethodGet, "/task_runs/"+task, nil, &r)
	if r.State.Name != "Completed" {
		t.Errorf("the task run is %s", r.State.Name)
	}
}

// skewedHeartbeats wants a run to live while it beats, and to crash when it has
// stopped to, by the server's clock.
func skewedHeartbeats(t *testing.T, s *server, flow string, skew time.Duration) {
	run := s.run(flow)
	s.must(http.MethodPost, "/flow_runs/"+run+"/set_state", object{"state": object{"type": "RUNNING"}}, nil)
	beat := time.NewTicker(time.Second)
	defer beat.Stop()
	for range 8 {
		<-beat.C
		s.must(http.MethodPost, "/events", []object{{
			"id": newID(), "occurred": time.Now().Add(skew).UTC(), "event": "prefect.flow-run.heartbeat",
			"resource": object{"prefect.resource.id": "prefect.flow-run." + run, "prefect.resource.name": "skewed"},
		}}, nil)
		if got := names(s.history("flow_run", run)); !slices.Equal(got, []string{"Pending", "Running"}) {
			t.Fatalf("a run that beats has the states %v", got)
		}
	}
	last := time.Now()
	waitFor(t, 15*time.Second, "the run to be declared crashed", func() bool {
		return slices.Contains(names(s.history("flow_run", run)), "Crashed")
	})
	if took := time.Since(last); took < 3*time.Second {
		t.Errorf("declared crashed %s after the last heartbeat", took)
	}
}
