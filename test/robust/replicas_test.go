package robust

import (
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// scheduled makes a deployment with a run every second and returns its id.
func scheduled(s *server, flow string) string {
	s.t.Helper()
	var d withID
	s.must(http.MethodPost, "/deployments/", object{
		"name": unique("every-second"), "flow_id": flow, "schedules": []object{{"schedule": object{"interval": 1}, "active": true}},
	}, &d)
	return d.ID
}

// plannedRun is a run that a schedule asked for.
type plannedRun struct {
	ID            string    `json:"id"`
	ExpectedStart time.Time `json:"expected_start_time"`
}

// planned lists the deployment's runs by their time.
func planned(s *server, deployment string) []plannedRun {
	s.t.Helper()
	var all []plannedRun
	for {
		var some []plannedRun
		s.must(http.MethodPost, "/flow_runs/filter", object{
			"flow_runs": object{"deployment_id": object{"any_": []string{deployment}}}, "sort": "EXPECTED_START_TIME_ASC", "offset": len(all),
		}, &some)
		if all = append(all, some...); len(some) == 0 {
			return all
		}
	}
}

func TestThreeReplicasOfWhichOneIsKilled(t *testing.T) {
	t.Parallel()
	database := postgresDatabase(t)
	flags := []string{"--late-after", "1s", "--scheduler-interval", "1s"}
	// The first holds the leases of the background work, and is the one to die.
	replicas := []*server{startServer(t, database, flags...), startServer(t, database, flags...), startServer(t, database, flags...)}
	doomed, survivor, other := replicas[0], replicas[1], replicas[2]
	flow := survivor.flow()
	deployment := scheduled(survivor, survivor.flow())
	sub := subscribe(survivor, object{"event": object{"prefix": []string{"prefect.task-run.", "prefect.flow-run."}}}, false)
	sub.isLive(t, replicas...)
	waitFor(t, 15*time.Second, "a late run", func() bool { return late(survivor, deployment) > 0 })

	l := newLedger()
	const users, each = 12, 25
	errs := make([]error, users)
	var all sync.WaitGroup
	for i := range users {
		u := &user{servers: replicas, at: i % len(replicas), patient: true, flow: flow, ledger: l, alive: t.Context()}
		all.Go(func() { errs[i] = u.lives(each) })
	}
	waitFor(t, 30*time.Second, "a third of the work", func() bool { return l.count() > users*each/3 })
	doomed.kill()
	killed := time.Now()
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if l.count() != users*each {
		t.Errorf("%d runs were created, want %d", l.count(), users*each)
	}
	l.check(t, other, flow)
	l.checkEvents(t, other)
	t.Run("a subscriber of a survivor got every event once", func(t *testing.T) { subscriberHasAll(t, sub, l) })
	t.Run("each time of a schedule has one run, each late run is late once", func(t *testing.T) {
		lateOnce(t, survivor.in(t), deployment, killed.Add(6*time.Second))
	})
}

func subscriberHasAll(t *testing.T, sub *subscriber, l *ledger) {
	waitFor(t, 15*time.Second, "all events", func() bool {
		return sub.hasAll(l.events) && len(sub.named("prefect.flow-run.Completed")) >= len(l.runs)
	})
	sub.noneTwice(t)
	for _, name := range []string{"Pending", "Running", "Completed"} {
		told := sub.named("prefect.flow-run." + name)
		for run := range l.runs {
			if n := told["prefect.flow-run."+run]; n != 1 {
				t.Errorf("the change of flow run %s to %s was told %d times", run, name, n)
			}
		}
	}
}

// late counts the deployment's late runs.
func late(s *server, deployment string) int {
	s.t.Helper()
	var n int
	s.must(http.MethodPost, "/flow_runs/count", object{"flow_runs": object{
		"deployment_id": object{"any_": []string{deployment}}, "state": object{"name": object{"any_": []string{"Late"}}},
	}}, &n)
	return n
}

// lateOnce waits until the runs due before the time are late, and wants one run
// for each second and one Late state in each late run.
func lateOnce(t *testing.T, s *server, deployment string, until time.Time) {
	due := func() (runs []plannedRun) {
		for _, r := range planned(s, deployment) {
			if r.ExpectedStart.Before(until) {
				runs = append(runs, r)
			}
		}
		return runs
	}
	waitFor(t, 25*time.Second, "all due runs to be late", func() bool {
		return time.Now().After(until) && late(s, deployment) >= len(due())
	})
	runs := planned(s, deployment)
	for i := 1; i < len(runs); i++ {
		if gap := runs[i].ExpectedStart.Sub(runs[i-1].ExpectedStart); gap != time.Second {
			t.Errorf("runs %d and %d are %s apart", i-1, i, gap)
		}
	}
	for _, r := range due() {
		if got := names(s.history("flow_run", r.ID)); !slices.Equal(got, []string{"Scheduled", "Late"}) {
			t.Errorf("the run due at %s has the states %v", r.ExpectedStart, got)
		}
	}
	t.Logf("%d runs planned, %d of them late", len(runs), len(due()))
}
