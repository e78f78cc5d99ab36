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
	return []row{
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
		{key: "filters", work: "flow_runs/filter + count, 50,000 runs stored", run: filtered, goal: func(string) goal {
			return goal{"p95 < 20 ms, CPU ≤ 1/20", true, func(ours, theirs *sample) bool {
				return ours.P95 < 20 && ours.Errors == 0 && ours.cpuPer1000()*20 <= theirs.cpuPer1000()
			}}
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

// duration is how long a round of a load takes.
func (b *bench) duration() time.Duration {
	if b.quick {
		return 1500 * time.Millisecond
	}
	return 10 * time.Second
}

// loaded is a row that drives a load on the shared server. A short warm-up lets
// both fill their caches; it is not measured.
func loaded(clients int, work func(context.Context, *server, load) (sample, error)) func(context.Context, *bench, target) (sample, error) {
	return func(ctx context.Context, b *bench, t target) (sample, error) {
		s, err := b.server(ctx, t)
		if err != nil {
			return sample{}, err
		}
		if _, err := work(ctx, s, load{clients: clients, limit: b.duration() / 10, max: 10 * clients}); err != nil {
			return sample{}, err
		}
		return work(ctx, s, load{clients: clients, limit: b.duration(), max: 200_000})
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
