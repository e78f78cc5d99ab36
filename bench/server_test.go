package main

import (
	"context"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	leatserver "github.com/leat-dev/leat/internal/server"
)

// inProcess serves leat from this process, so that go test can profile it:
//
//	go test -run ^$ -bench 'RunLife' -cpuprofile /tmp/life.prof ./bench
//
// The clients are in the profile too, below drive and sender.
func inProcess(tb testing.TB) *inProcessServer {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	cfg := leatserver.Default(tb.TempDir())
	cfg.Port, cfg.LogLevel, cfg.Database = 0, "warn", filepath.Join(tb.TempDir(), "leat.db")
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
		s := &inProcessServer{addr: addr}
		s.flow = s.create(tb)
		return s
	case err := <-ended:
		ended <- err
		tb.Fatal("the server ended: ", err)
		return nil
	}
}

type inProcessServer struct{ addr, flow string }

func (s *inProcessServer) create(tb testing.TB) string {
	tb.Helper()
	c := newConn(s.addr)
	defer c.close()
	body, err := c.post(tb.Context(), "/flows/", []byte(`{"name":"bench","tags":[],"labels":{}}`), 201)
	if err != nil {
		tb.Fatal(err)
	}
	id, err := createdID(body)
	if err != nil {
		tb.Fatal(err)
	}
	return id
}

// BenchmarkRunLife is a run's life by 64 clients; an iteration is a life.
func BenchmarkRunLife(b *testing.B) {
	s, ids := inProcess(b), newIDs()
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ReportAllocs()
	b.ResetTimer()
	var clients sync.WaitGroup
	for range manyClients {
		clients.Go(func() {
			c := newConn(s.addr)
			defer c.close()
			for left.Add(-1) >= 0 {
				if err := oneLife(b.Context(), c, s.flow, ids); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	clients.Wait()
}

// BenchmarkTaskEvents is a task run's three events over four sockets; an
// iteration is a task run.
func BenchmarkTaskEvents(b *testing.B) {
	s := inProcess(b)
	const sockets = 4
	senders := make([]*sender, sockets)
	for i := range senders {
		d, err := newSender(b.Context(), &server{addr: s.addr}, s.flow)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = d.ws.CloseNow() }()
		senders[i] = d
	}
	b.ReportAllocs()
	b.ResetTimer()
	var work sync.WaitGroup
	for _, d := range senders {
		work.Go(func() {
			if err := d.send(b.Context(), time.Now().Add(time.Hour), max(1, b.N/sockets)); err != nil {
				b.Error(err)
			} else if _, err := d.await(b.Context(), d.sent.Load()); err != nil {
				b.Error(err)
			}
		})
	}
	work.Wait()
}
