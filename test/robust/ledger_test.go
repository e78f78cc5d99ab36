package robust

import (
	"fmt"
	"maps"
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

// page is how many runs are asked for at once; each has at most 4 lines and 2 task runs.
const page = 40

func (l *ledger) checkLogs(t *testing.T, s *server) {
	t.Helper()
	found := map[string]int{}
	for runs := range slices.Chunk(slices.Collect(maps.Keys(l.runs)), page) {
		var lines []struct{ Message string }
		s.must(http.MethodPost, "/logs/filter", object{"logs": object{"flow_run_id": object{"any_": runs}}, "limit": 200}, &lines)
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

// histories is of how many task runs every state is looked at.
const histories = 300

func (l *ledger) checkTasks(t *testing.T, s *server) {
	t.Helper()
	found := map[string]int{}
	for runs := range slices.Chunk(slices.Collect(maps.Keys(l.runs)), page) {
		var tasks []struct {
			ID    string
			State struct{ Name string }
		}
		s.must(http.MethodPost, "/task_runs/filter", object{"flow_runs": object{"id": object{"any_": runs}}}, &tasks)
		for _, task := range tasks {
			found[task.ID]++
			if l.tasks[task.ID] != "" && task.State.Name != "Completed" {
				t.Errorf("task run %s is %s", task.ID, task.State.Name)
			}
		}
	}
	looked := 0
	for task := range l.tasks {
		if found[task] != 1 {
			t.Errorf("task run %s is there %d times", task, found[task])
		}
		if looked++; looked > histories {
			continue
		}
		if got := names(s.history("task_run", task)); !slices.Equal(got, []string{"Pending", "Running", "Completed"}) {
			t.Errorf("task run %s has the states %v", task, got)
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
