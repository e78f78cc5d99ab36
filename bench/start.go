package main

import (
	"context"
	"io/fs"
	"path/filepath"
	"time"
)

// Names of the figures of rows that are no load.
const (
	firstStart  = "first start, ms"
	restart     = "restart, ms"
	firstCPU    = "CPU of the first start, s"
	restartCPU  = "CPU of the restart, s"
	idleMemory  = "idle, MB"
	usedMemory  = "after the runs, MB"
	installSize = "size, MB"
)

const megabyte = 1 << 20

// started measures the time until GET /api/health answers true, on an empty
// database and again on the one that this made.
func started(ctx context.Context, b *bench, t target) (sample, error) {
	for _, s := range b.running {
		s.pause()
	}
	dir, database, err := b.newDatabase(ctx, t)
	if err != nil {
		return sample{}, err
	}
	out := sample{Values: map[string]float64{}}
	for _, names := range [][2]string{{firstStart, firstCPU}, {restart, restartCPU}} {
		s, err := b.start(ctx, t.product, dir, database)
		if err != nil {
			return out, err
		}
		out.Values[names[0]] = float64(s.ready.Microseconds()) / 1000
		out.Values[names[1]] = s.startCPU
		s.stop()
	}
	return out, nil
}

// fresh starts a server on a database of its own, while the others rest.
func (b *bench) fresh(ctx context.Context, t target) (*server, error) {
	for _, s := range b.running {
		s.pause()
	}
	dir, database, err := b.newDatabase(ctx, t)
	if err != nil {
		return nil, err
	}
	return b.start(ctx, t.product, dir, database)
}

// resident measures the memory of a fresh server, idle and after runs, of the
// server alone: Postgres has its own.
func resident(ctx context.Context, b *bench, t target) (sample, error) {
	s, err := b.fresh(ctx, t)
	if err != nil {
		return sample{}, err
	}
	defer s.stop()
	time.Sleep(2 * time.Second)
	idle := treeUsage(s.cmd.Process.Pid).resident
	l := load{clients: manyClients, limit: 60 * time.Second, max: memoryRuns}
	if t == (target{reference, sqlite}) {
		l.clients = 1 // more get little but errors
	}
	if b.quick {
		l.limit = 3 * time.Second
	}
	out, err := runLife(ctx, s, l)
	used := treeUsage(s.cmd.Process.Pid).resident
	out.Values = map[string]float64{idleMemory: float64(idle) / megabyte, usedMemory: float64(used) / megabyte, "runs made": float64(out.Ops)}
	return out, err
}

// installed measures what must be on the disk: the binary, or the packages of
// the Python environment.
func installed(_ context.Context, b *bench, t target) (sample, error) {
	path := b.leat
	if t.product == reference {
		path = filepath.Join(filepath.Dir(filepath.Dir(b.python)), "lib")
	}
	var bytes int64
	err := filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	return sample{Values: map[string]float64{installSize: float64(bytes) / megabyte}}, err
}
