package robust

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

// A run that lives is not declared dead because nobody could hear it for a while.
func TestARunOutlivesAnAbsenceOfTheServer(t *testing.T) {
	t.Parallel()
	t.Run("the server is down", func(t *testing.T) {
		t.Parallel()
		s := startServer(t, "", "--heartbeat-timeout", "3s")
		outlives(t, s, s.kill, s.start)
	})
	t.Run("Postgres is down", func(t *testing.T) {
		t.Parallel()
		p, through := newProxy(t, postgresDatabase(t))
		s := startServer(t, through, "--heartbeat-timeout", "3s")
		outlives(t, s, p.down, p.up)
	})
}

// outlives takes away what beats go to for longer than the limit, and wants the
// run to live on, and to be declared crashed when it stops beating.
func outlives(t *testing.T, s *server, away, back func()) {
	t.Helper()
	run := s.run(s.flow())
	s.must(http.MethodPost, "/flow_runs/"+run+"/set_state", object{"state": object{"type": "RUNNING"}}, nil)
	beat := func() error {
		_, err := s.call(t.Context(), http.MethodPost, "/events", []object{{
			"id": newID(), "occurred": time.Now().UTC(), "event": "prefect.flow-run.heartbeat",
			"resource": object{"prefect.resource.id": "prefect.flow-run." + run, "prefect.resource.name": "patient"},
		}}, nil)
		return err
	}
	every := time.NewTicker(700 * time.Millisecond)
	defer every.Stop()
	if err := beat(); err != nil {
		t.Fatal(err)
	}
	away()
	for gone := time.Now(); time.Since(gone) < 5*time.Second; <-every.C {
		if beat() == nil {
			t.Fatal("a heartbeat was taken by nobody")
		}
	}
	back()
	heard := 0
	for since := time.Now(); time.Since(since) < 6*time.Second; <-every.C {
		if beat() == nil {
			heard++
		}
	}
	if got := names(s.history("flow_run", run)); heard == 0 || !slices.Equal(got, []string{"Pending", "Running"}) {
		t.Errorf("a run that lives has the states %v; %d heartbeats were taken", got, heard)
	}
	waitFor(t, 15*time.Second, "the run to be declared crashed", func() bool {
		return slices.Contains(names(s.history("flow_run", run)), "Crashed")
	})
}
