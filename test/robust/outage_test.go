package robust

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket/wsjson"
)

// How long a request may take while the database refuses connections, and
// while it takes them and says nothing.
const (
	patience     = 5 * time.Second
	deepPatience = 21 * time.Second
)

// probes are requests of every kind, as functions that make one.
func probes(flow, run string) []func(s *server) (string, object) {
	fixed := func(path string, in object) func(*server) (string, object) {
		return func(*server) (string, object) { return path, in }
	}
	return []func(s *server) (string, object){
		fixed("/flow_runs/"+run, nil),
		fixed("/flow_runs/filter", object{}),
		fixed("/flow_runs/", object{"flow_id": flow}),
		fixed("/flow_runs/"+run+"/set_state", object{"state": object{"type": "RUNNING"}}),
		fixed("/flows/", object{"name": unique("flow")}),
		fixed("/task_runs/filter", object{}),
	}
}

// refusedEverywhere makes requests of every kind, several at once, and wants
// each refused with 503 in the API's shape.
func refusedEverywhere(t *testing.T, s *server, flow, run string, patience time.Duration) {
	t.Helper()
	var all sync.WaitGroup
	for _, probe := range probes(flow, run) {
		for range 8 {
			all.Go(func() {
				path, in := probe(s)
				method := http.MethodPost
				var body any = in
				if in == nil {
					method, body = http.MethodGet, nil
				}
				start := time.Now()
				status, err := s.call(t.Context(), method, path, body, nil)
				if status != http.StatusServiceUnavailable || !strings.Contains(err.Error(), `{"exception_message":"Service Unavailable: `) {
					t.Errorf("%s %s: status %d, %v", method, path, status, err)
				}
				if took := time.Since(start); took > patience {
					t.Errorf("%s %s took %s", method, path, took)
				}
			})
		}
	}
	all.Wait()
}

func TestPostgresGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	database := postgresDatabase(t)
	p, through := newProxy(t, database)
	// Nothing but a notification wakes the scheduler of s, which holds the lease.
	s := startServer(t, through, "--scheduler-interval", "1h")
	flow := s.flow()
	run := s.run(flow)
	other := startServer(t, database, "--scheduler-interval", "1h")
	sub := subscribe(s, object{}, false)
	sub.isLive(t, s)

	l := newLedger()
	const users, each = 8, 20
	errs := make([]error, users)
	var all sync.WaitGroup
	for i := range users {
		u := &user{servers: []*server{s}, patient: true, flow: flow, ledger: l, alive: t.Context()}
		all.Go(func() { errs[i] = u.lives(each) })
	}
	for i := range 2 {
		waitFor(t, 30*time.Second, "some work", func() bool { return l.count() > (i+1)*users*each/4 })
		p.down()
		refusedEverywhere(t, s, flow, run, patience)
		refusedEverywhere(t, s, flow, run, patience)
		p.up()
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	// The probes' runs were refused, so that the flow has those of the ledger and the one above.
	l.note(func() { l.runs[run] = []string{"Pending"} })
	l.check(t, s, flow)
	l.checkEvents(t, s)
	if err := sub.ending(); err != nil {
		t.Errorf("the subscriber's socket ended: %v", err)
	}
	waitFor(t, 10*time.Second, "all events at the subscriber", func() bool { return sub.hasAll(l.events) })
	sub.noneTwice(t)
	sub.isLive(t, other)
	deployment := scheduled(other, other.flow())
	waitFor(t, 5*time.Second, "the notification of a new schedule", func() bool { return len(planned(s, deployment)) > 0 })
}

func TestPostgresStopsAnswering(t *testing.T) {
	t.Parallel()
	p, through := newProxy(t, postgresDatabase(t))
	s := startServer(t, through)
	flow := s.flow()
	run := s.run(flow)
	p.stall()
	refusedEverywhere(t, s, flow, run, deepPatience)
	p.resume()
	waitFor(t, 20*time.Second, "the server to recover", func() bool {
		_, err := s.call(t.Context(), http.MethodPost, "/flows/", object{"name": unique("flow")}, nil)
		return err == nil
	})
	if got := names(s.history("flow_run", run)); fmt.Sprint(got) != "[Pending]" && fmt.Sprint(got) != "[Pending Running]" {
		t.Errorf("the run has the states %v", got)
	}
	s.run(flow)
}

// The end of an event socket tells that a process died, unless the server ended
// it because it could not store the events.
func TestALiveRunIsNotLostWithItsEventSocket(t *testing.T) {
	t.Parallel()
	p, through := newProxy(t, postgresDatabase(t))
	s := startServer(t, through, "--silence-timeout", "3s")
	run := s.run(s.flow())
	s.must(http.MethodPost, "/flow_runs/"+run+"/set_state", object{"state": object{"type": "RUNNING"}}, nil)
	beat := func() object {
		return object{
			"id": newID(), "occurred": time.Now().UTC(), "event": "prefect.flow-run.heartbeat",
			"resource": object{"prefect.resource.id": "prefect.flow-run." + run, "prefect.resource.name": "blameless"},
		}
	}
	if err := s.sendEvents(t.Context(), []object{beat()}); err != nil {
		t.Fatal(err)
	}
	c, err := s.dial(t.Context(), "/events/in")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	ended := c.CloseRead(t.Context())
	p.down()
	if err := wsjson.Write(ended, c, beat()); err != nil {
		t.Fatal(err)
	}
	waitFor(t, 30*time.Second, "the server to end the socket of events that it cannot store", func() bool { return ended.Err() != nil })
	every := time.NewTicker(200 * time.Millisecond)
	defer every.Stop()
	p.up()
	for since := time.Now(); time.Since(since) < 6*time.Second; <-every.C {
		var got []state
		if _, err := s.call(t.Context(), http.MethodGet, "/flow_run_states/?flow_run_id="+run, nil, &got); err == nil && len(got) != 2 {
			t.Fatalf("the run has the states %v", names(got))
		}
	}
}
