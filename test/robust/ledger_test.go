package robust

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// ledger remembers what the servers acknowledged.
type ledger struct {
	mu sync.Mutex
	// runs holds the names of the acknowledged states of each flow run.
	runs map[string][]string
	// unsure are the runs whose last request got no answer.
	unsure map[string]bool
	// logs holds the run of each acknowledged line, by its message.
	logs map[string]string
	// tasks holds the flow run of each task run that has all its events confirmed.
	tasks map[string]string
	// events holds the confirmed events by id.
	events map[string]bool
	// unanswered counts runs whose creation got no answer.
	unanswered int
}

func newLedger() *ledger {
	return &ledger{runs: map[string][]string{}, unsure: map[string]bool{}, logs: map[string]string{}, tasks: map[string]string{}, events: map[string]bool{}}
}

func (l *ledger) note(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.runs)
}

// check wants all that was acknowledged on the server, once.
func (l *ledger) check(t *testing.T, s *server, flow string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var total int
	s.must(http.MethodPost, "/flow_runs/count", object{"flows": object{"id": object{"any_": []string{flow}}}}, &total)
	if total < len(l.runs) || total > len(l.runs)+l.unanswered {
		t.Errorf("%d flow runs, %d were acknowledged and %d may be there", total, len(l.runs), l.unanswered)
	}
	for run, want := range l.runs {
		got := names(s.history("flow_run", run))
		if len(got) < len(want) || !slices.Equal(got[:len(want)], want) || !l.unsure[run] && len(got) != len(want) || len(got) > len(want)+1 {
			t.Errorf("flow run %s has the states %v, acknowledged were %v", run, got, want)
		}
	}
	l.checkLogs(t, s)
	l.checkTasks(t, s)
	t.Logf("%d flow runs, %d log lines, %d task runs, %d events are there", len(l.runs), len(l.logs), len(l.tasks), len(l.events))
}

func (l *ledger) checkLogs(t *testing.T, s *server) {
	t.Helper()
	found := map[string]int{}
	for run := range l.runs {
		var lines []struct{ Message string }
		s.must(http.MethodPost, "/logs/filter", object{"logs": object{"flow_run_id": object{"any_": []string{run}}}, "limit": 200}, &lines)
		for _, line := range lines {
			found[line.Message]++
		}
	}
	for message := range l.logs {
		if found[message] != 1 {
			t.Errorf("log line %q is there %d times", message, found[message])
		}
	}
}

func (l *ledger) checkTasks(t *testing.T, s *server) {
	t.Helper()
	byRun := map[string][]string{}
	for task, run := range l.tasks {
		byRun[run] = append(byRun[run], task)
	}
	for run, tasks := range byRun {
		var found []withID
		s.must(http.MethodPost, "/task_runs/filter", object{"flow_runs": object{"id": object{"any_": []string{run}}}}, &found)
		for _, task := range tasks {
			n := 0
			for _, f := range found {
				if f.ID == task {
					n++
				}
			}
			if n != 1 {
				t.Errorf("task run %s is there %d times", task, n)
			}
			if got := names(s.history("task_run", task)); !slices.Equal(got, []string{"Pending", "Running", "Completed"}) {
				t.Errorf("task run %s has the states %v", task, got)
			}
		}
	}
}

// checkEvents wants each confirmed event once among those that a new
// subscriber is sent of the recent past.
func (l *ledger) checkEvents(t *testing.T, s *server) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	sub := subscribe(s, object{"event": object{"prefix": []string{"prefect.task-run."}}}, true)
	waitFor(t, 20*time.Second, fmt.Sprintf("all of %d events", len(l.events)), func() bool { return sub.hasAll(l.events) })
	sub.noneTwice(t)
}
