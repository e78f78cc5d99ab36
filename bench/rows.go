package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// row is one line of the table.
type row struct {
	key, work string
	// once: the row does not depend on the database.
	once bool
	// single: one round is enough.
	single bool
	// states: the row is of Step Functions and is compared with the emulators.
	states bool
	run    func(ctx context.Context, b *bench, t target) (sample, error)
	goal   func(database string) goal
}

// goal is what a row should reach.
type goal struct {
	text     string
	relative bool // it compares with the reference
	met      func(ours, theirs *sample) bool
}

// manyClients is how many clients a busy server has. The reference on SQLite
// refuses much of what comes from more than someClients at once.
const (
	manyClients = 64
	someClients = 2
	storedRuns  = 50_000
	memoryRuns  = 10_000
)

// rows lists the lines of the table in its order.
func rows() []row {
	return append(flowRows(), stateRows()...)
}

// flowRows are compared with the reference.
func flowRows() []row {
	return append([]row{
		{key: "life1", work: "a run's life, 1 client", run: loaded(1, runLife), goal: cpuGoal(75)},
		{key: "life64", work: "the same, 64 clients", run: loaded(manyClients, runLife), goal: lifeGoal},
		{key: "deployment", work: "create_flow_run from a deployment", run: loaded(someClients, deploymentRuns), goal: cpuGoal(75)},
		{key: "logs", work: "POST /logs of 100 lines", run: loaded(someClients, logs), goal: cpuGoal(40)},
		{key: "leases", work: "lease acquire + release", run: loaded(someClients, leases), goal: cpuGoal(40)},
		{key: "events", work: "task runs recorded, 3 events each", run: recorded, goal: func(string) goal {
			return goal{"≥ 3,000 task runs/s, visible within 1 s", false, func(ours, _ *sample) bool {
				return ours.rate() >= 3000 && ours.Errors == 0 && ours.Values["visible after sending meanwhile, at most, s"] <= 1
			}}
		}},
		{key: "automations", work: "500 automations watch 10,000 events/s", single: true, run: automated, goal: func(string) goal {
			return goal{"≥ 9,500 events/s, event lag p95 < 1 s", false, func(ours, _ *sample) bool {
				return ours.rate() >= 9500 && ours.Errors == 0 && ours.Values[lagLate] < 1000 && ours.Values[probesSeen] >= 1
			}}
		}},
		{key: "filters", work: "flow_runs/filter + count, 50,000 runs stored", run: filtered, goal: func(string) goal {
			return goal{"p95 < 20 ms, CPU ≤ 1/20", true, func(ours, theirs *sample) bool {
				return ours.P95 < 20 && ours.Errors == 0 && ours.cpuPer1000()*20 <= theirs.cpuPer1000()
			}}
		}},
		{key: "dashboard", work: "counts and histories, 1,000,000 runs stored", single: true, run: dashboard, goal: func(string) goal {
			return goal{"p95 < 100 ms", false, func(ours, _ *sample) bool { return ours.P95 < 100 && ours.Errors == 0 }}
		}},
		{key: "commits", work: "one-row commits and groups: the store beside the bare driver", once: true, single: true, run: commits, goal: commitGoal},
		{key: "ready", work: "ready after first start / restart", run: started, goal: func(string) goal {
			return goal{"< 300 ms / < 150 ms", false, func(ours, _ *sample) bool {
				return ours.Values[firstStart] < 300 && ours.Values[restart] < 150
			}}
		}},
		{key: "memory", work: "resident memory idle / after 10,000 runs", single: true, run: resident, goal: func(string) goal {
			return goal{"< 60 / < 120 MB", false, func(ours, _ *sample) bool {
				return ours.Values[idleMemory] < 60 && ours.Values[usedMemory] < 120
			}}
		}},
		{key: "size", work: "install", once: true, single: true, run: installed, goal: func(string) goal {
			return goal{"one binary < 60 MB", false, func(ours, _ *sample) bool { return ours.Values[installSize] < 60 }}
		}},
		{key: "view10", work: "the client's view: a flow with 10 mapped tasks", run: viewed(10), goal: noGoal},
		{key: "view1000", work: "the client's view: a flow with 1,000 mapped tasks", run: viewed(1000), goal: noGoal},
	}, pollRows()...)
}

// stateRows are compared with the emulators of Step Functions.
func stateRows() []row {
	return []row{
		{key: "pass", work: "one Pass state", states: true, run: loaded(1, executed(passMachine())), goal: eachGoal(2)},
		{key: "chain100", work: "a chain of 100 Pass states", states: true, run: loaded(1, executed(chainMachine(100))), goal: eachGoal(30)},
		{key: "loop1000", work: "a loop of 1,000 Choice and Pass", states: true, run: loaded(1, executed(loopMachine(1000))), goal: eachGoal(200)},
		{key: "map1000", work: "an inline Map of 1,000 items", states: true, run: loaded(1, executed(mapMachine(1000))), goal: eachGoal(250)},
		{key: "three64", work: "three states, 64 clients", states: true, run: loaded(manyClients, executed(threeMachine())), goal: func(string) goal {
			return goal{"≥ 1,000 executions/s, 0 errors", false, func(ours, _ *sample) bool { return ours.rate() >= 1000 && ours.Errors == 0 }}
		}},
		{key: "history", work: "a page of 1,000 of 25,000 events", states: true, run: paged, goal: func(string) goal {
			return goal{"p95 < 20 ms", false, func(ours, _ *sample) bool { return ours.Ops > 0 && ours.P95 < 20 && ours.Errors == 0 }}
		}},
		{key: "waiting", work: "100,000 executions that wait", states: true, single: true, run: waiting, goal: waitingGoal},
	}
}

func rowKeys() []string {
	var keys []string
	for _, r := range rows() {
		keys = append(keys, r.key)
	}
	return keys
}

func selectRows(chosen string) ([]row, error) {
	all := rows()
	if chosen == "" {
		return all, nil
	}
	var selected []row
	for key := range strings.SplitSeq(chosen, ",") {
		switch key {
		case "flows":
			selected = append(selected, flowRows()...)
			continue
		case "states":
			selected = append(selected, stateRows()...)
			continue
		}
		i := slices.IndexFunc(all, func(r row) bool { return r.key == key })
		if i < 0 {
			return nil, fmt.Errorf("no row is named %q; there are %s", key, strings.Join(rowKeys(), ", "))
		}
		selected = append(selected, all[i])
	}
	return selected, nil
}

func noGoal(string) goal { return goal{} }

// cpuGoal asks for a fraction of the reference's CPU.
func cpuGoal(part float64) func(string) goal {
	return func(string) goal {
		return goal{fmt.Sprintf("CPU ≤ 1/%.0f", part), true, func(ours, theirs *sample) bool {
			return ours.Ops > 0 && ours.Errors == 0 && ours.cpuPer1000()*part <= theirs.cpuPer1000()
		}}
	}
}

func lifeGoal(database string) goal {
	rate, text := 1500.0, "≥ 1,500 runs/s, 0 errors, p99 < 150 ms"
	if database == postgres {
		rate, text = 800, "≥ 800 runs/s, 0 errors, p99 < 150 ms"
	}
	return goal{text, false, func(ours, _ *sample) bool { return ours.rate() >= rate && ours.Errors == 0 && ours.P99 < 150 }}
}

// eachGoal asks for a CPU time per execution, in milliseconds, which is the same
// number as that of CPU seconds per 1,000.
func eachGoal(ms float64) func(string) goal {
	return func(string) goal {
		return goal{fmt.Sprintf("≤ %.0f ms CPU each", ms), false, func(ours, _ *sample) bool {
			return ours.Ops > 0 && ours.Errors == 0 && ours.cpuPer1000() <= ms
		}}
	}
}

// patience is how long an execution of a state machine may take.
func (b *bench) patience() time.Duration {
	if b.quick {
		return 20 * time.Second
	}
	return time.Minute
}

// duration is how long a round of a load takes.
func (b *bench) duration() time.Duration {
	if b.quick {
		return 1500 * time.Millisecond
	}
	return 10 * time.Second
}

// loaded is a row that drives a load on the shared server. A short warm-up lets
// both fill their caches; it is not measured. An emulator that can do nothing of
// it is not asked again: that would take as long and tell as little.
func loaded(clients int, work func(context.Context, *server, load) (sample, error)) func(context.Context, *bench, target) (sample, error) {
	return func(ctx context.Context, b *bench, t target) (sample, error) {
		s, err := b.server(ctx, t)
		if err != nil {
			return sample{}, err
		}
		l := load{clients: clients, limit: b.duration() / 10, max: 10 * clients, patience: b.patience()}
		if first, err := work(ctx, s, l); err != nil || emulates(t.product) && first.Ops == 0 {
			return first, err
		}
		l.limit, l.max = b.duration(), 200_000
		return work(ctx, s, l)
	}
}

// recorded sends task runs' events. The reference takes them faster than it
// records them, so it gets no more than it can show in time.
func recorded(ctx context.Context, b *bench, t target) (sample, error) {
	s, err := b.server(ctx, t)
	if err != nil {
		return sample{}, err
	}
	l := load{clients: 4, limit: b.duration(), max: 200_000}
	if t.product == reference {
		l.max = 500
		if b.quick {
			l.max = 60
		}
	}
	return taskEvents(ctx, s, l)
}

// filtered stores runs and lists them.
func filtered(ctx context.Context, b *bench, t target) (sample, error) {
	s, err := b.server(ctx, t)
	if err != nil {
		return sample{}, err
	}
	n, l := storedRuns, load{clients: manyClients, limit: b.fill}
	if t == (target{reference, sqlite}) {
		l.clients = 1 // more get little but errors
	}
	if b.quick {
		n, l.limit = 3000, 5*time.Second
	}
	stored, err := s.fill(ctx, n, l)
	if err != nil {
		return sample{}, err
	}
	out, err := filters(ctx, s, load{clients: 1, limit: b.duration(), max: 20_000})
	out.Values = map[string]float64{"runs stored for it": float64(stored)}
	return out, err
}
