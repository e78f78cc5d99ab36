package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	leatserver "github.com/leat-dev/leat/internal/server"
)

// inProcess serves leat from this process, so that go test can profile it:
//
//	go test -run ^$ -bench Server/life64 -cpuprofile life.prof ./bench
//
// The clients are in the profile too, below drive and sender.
func inProcess(tb testing.TB, database string) *server {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	cfg := leatserver.Default(tb.TempDir())
	cfg.Port, cfg.LogLevel, cfg.Database = 0, "warn", database
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- leatserver.Run(ctx, cfg, leatserver.Environment{
			Log: tb.Output(), Now: time.Now, Version: "bench", Ready: func(addr string) { ready <- addr },
		})
	}()
	tb.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Error(err)
		}
	})
	select {
	case addr := <-ready:
		return &server{product: leat, addr: addr}
	case err := <-ended:
		ended <- err
		tb.Fatal("the server ended: ", err)
		return nil
	}
}

// generators are the loads that run on a server in this process.
func generators() map[string]struct {
	clients int
	work    func(context.Context, *server, load) (sample, error)
} {
	type generator = struct {
		clients int
		work    func(context.Context, *server, load) (sample, error)
	}
	return map[string]generator{
		"life1": {1, runLife}, "life64": {manyClients, runLife}, "deployment": {someClients, deploymentRuns},
		"logs": {someClients, logs}, "leases": {someClients, leases}, "events": {4, taskEvents}, "filters": {1, filters},
		"pass": {1, executed(passMachine())}, "chain100": {1, executed(chainMachine(100))}, "loop1000": {1, executed(loopMachine(1000))},
		"map1000": {1, executed(mapMachine(1000))}, "three64": {manyClients, executed(threeMachine())},
	}
}

// TestGenerators checks that what the loads send is what leat accepts: a figure
// of refused requests would be worth nothing.
func TestGenerators(t *testing.T) {
	t.Parallel()
	s := inProcess(t, filepath.Join(t.TempDir(), "leat.db"))
	for name, g := range generators() {
		got, err := g.work(t.Context(), s, load{clients: g.clients, limit: time.Minute, max: 2 * g.clients, patience: time.Minute})
		if err != nil || got.Errors != 0 || got.Ops != 2*g.clients {
			t.Errorf("%s: %d operations, %d errors, %s, %v", name, got.Ops, got.Errors, got.Note, err)
		}
	}
}

// BenchmarkServer runs each load on SQLite; an iteration is an operation.
func BenchmarkServer(b *testing.B) {
	benchmarkServer(b, func(b *testing.B) string { return filepath.Join(b.TempDir(), "leat.db") })
}

// BenchmarkServerPostgres is the same on the Postgres of LEAT_TEST_POSTGRES.
func BenchmarkServerPostgres(b *testing.B) {
	address := os.Getenv("LEAT_TEST_POSTGRES")
	if address == "" {
		b.Skip("LEAT_TEST_POSTGRES is not set")
	}
	benchmarkServer(b, func(b *testing.B) string {
		own := &bench{log: b.Output()}
		if err := own.usePostgres(address); err != nil {
			b.Fatal(err)
		}
		database, err := own.createDatabase(b.Context(), leat, fmt.Sprintf("bench_%d", time.Now().UnixNano()))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { own.dropDatabases(context.WithoutCancel(b.Context())) })
		return database
	})
}

func benchmarkServer(b *testing.B, database func(*testing.B) string) {
	for name, g := range generators() {
		b.Run(name, func(b *testing.B) {
			s := inProcess(b, database(b))
			if _, err := g.work(b.Context(), s, load{clients: 1, limit: time.Minute, max: 1, patience: time.Minute}); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			got, err := g.work(b.Context(), s, load{clients: min(g.clients, b.N), limit: time.Hour, max: b.N, patience: time.Minute})
			if err != nil || got.Errors != 0 {
				b.Fatal(err, got.Note)
			}
		})
	}
}
