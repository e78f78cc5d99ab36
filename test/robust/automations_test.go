package robust

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// automated are the ids of what a test of automations uses.
type automated struct {
	deployment, each, third string
}

// automate makes a deployment, an automation that runs it for each "load.run"
// event, and one that fires for each third "load.count" event of a resource.
func automate(s *server) automated {
	s.t.Helper()
	var a automated
	post := func(path string, in any) string {
		var made struct{ ID string }
		if _, err := s.call(s.t.Context(), http.MethodPost, path, in, &made); err != nil {
			s.t.Fatal(err)
		}
		return made.ID
	}
	flow := post("/flows/", object{"name": unique("flow")})
	a.deployment = post("/deployments/", object{"name": unique("d"), "flow_id": flow})
	a.each = post("/automations/", object{
		"name": "each", "trigger": object{"type": "event", "posture": "Reactive", "expect": []string{"load.run"}},
		"actions": []object{{
			"type": "run-deployment", "source": "selected", "deployment_id": a.deployment, "parameters": object{"n": "{{ event.payload.n }}"},
		}},
	})
	a.third = post("/automations/", object{
		"name": "third", "actions": []object{{"type": "do-nothing"}},
		"trigger": object{
			"type": "compound", "require": "all", "within": 3600,
			"triggers": []object{
				{"type": "event", "posture": "Reactive", "expect": []string{"load.odd"}},
				{"type": "event", "posture": "Reactive", "expect": []string{"load.even"}},
			},
		},
	})
	return a
}

// happen sends n pairs of events that automations watch, each until it is acknowledged.
func happen(ctx context.Context, servers []*server, n int, sent *atomic.Int64) error {
	u := &user{servers: servers, patient: true, alive: ctx}
	for i := range n {
		name := []string{"load.odd", "load.even"}[i%2]
		event := func(name string, at time.Time, id int) object {
			return object{
				"id": fmt.Sprintf("%08x-0000-7000-8000-%012x", id, i), "occurred": at.UTC().Format(time.RFC3339Nano), "event": name,
				"resource": object{"prefect.resource.id": "load"}, "payload": object{"n": i},
			}
		}
		now := time.Now()
		events := []object{event("load.run", now, 1), event(name, now, 2)}
		if err := u.ask(ctx, http.MethodPost, "/events", events, nil); err != nil {
			return err
		}
		sent.Add(1)
	}
	return nil
}

// outcome counts what automations did.
type outcome struct{ runs, each, third, executed int }

func (a automated) outcome(s *server) outcome {
	var o outcome
	if _, err := s.call(s.t.Context(), http.MethodPost, "/flow_runs/count", object{
		"deployments": object{"id": object{"any_": []string{a.deployment}}},
	}, &o.runs); err != nil {
		return outcome{}
	}
	count := func(event, automation string) int {
		var page struct{ Total int }
		_, err := s.call(s.t.Context(), http.MethodPost, "/events/filter", object{"filter": object{
			"occurred": object{"since": time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)},
			"event":    object{"name": []string{event}}, "resource": object{"id": []string{"prefect.automation." + automation}},
		}}, &page)
		if err != nil {
			return -1
		}
		return page.Total
	}
	o.each, o.third = count("prefect.automation.triggered", a.each), count("prefect.automation.triggered", a.third)
	o.executed = count("prefect.automation.action.executed", a.each) + count("prefect.automation.action.executed", a.third)
	return o
}

// watched are how many events each test sends; a third of them come between two kills.
const watched = 120

func (a automated) check(s *server) {
	s.t.Helper()
	want := outcome{runs: watched, each: watched, third: watched / 2, executed: watched + watched/2}
	var got outcome
	settled := func() bool { got = a.outcome(s); return got.executed >= want.executed && got.runs >= want.runs }
	// What a server had in hand when it died is taken up when its claim has ended.
	s.waitFor(150*time.Second, "the automations to have acted", settled)
	if got != want {
		s.t.Errorf("automations did %+v, want %+v", got, want)
	}
}

func TestAutomationsActOnceThroughKills(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			name := ""
			if database == "postgres" {
				name = postgresDatabase(t)
			}
			s := startServer(t, name)
			a := automate(s)
			var sent atomic.Int64
			var sender sync.WaitGroup
			sender.Go(func() {
				if err := happen(t.Context(), []*server{s}, watched, &sent); err != nil {
					t.Error(err)
				}
			})
			for round := range int64(3) {
				s.waitFor(60*time.Second, "some events to be sent", func() bool { return sent.Load() > watched/4*(round+1) })
				s.kill()
				s.start()
			}
			sender.Wait()
			a.check(s)
		})
	}
}

func TestAutomationsOfAReplicaThatDies(t *testing.T) {
	t.Parallel()
	database := postgresDatabase(t)
	replicas := []*server{startServer(t, database), startServer(t, database)}
	a := automate(replicas[1])
	var sent atomic.Int64
	var sender sync.WaitGroup
	sender.Go(func() {
		if err := happen(t.Context(), []*server{replicas[1]}, watched, &sent); err != nil {
			t.Error(err)
		}
	})
	replicas[1].waitFor(60*time.Second, "some events to be sent", func() bool { return sent.Load() > watched/3 })
	replicas[0].kill()
	sender.Wait()
	a.check(replicas[1])
}
