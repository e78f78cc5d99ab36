package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// How many executions wait. The emulators hold two threads for each, of which a
// machine has some ten thousands.
const (
	waitingExecutions = 100_000
	waitingEmulated   = 2000
)

// Names of the figures of the row of waiting executions.
const (
	waitingNow     = "executions waiting"
	memoryEach     = "memory each, KB"
	goroutinesMore = "goroutines more than before"
	idleCPUBefore  = "CPU of 10 idle s before, s"
	idleCPUNow     = "CPU of 10 idle s, s"
)

// waiting starts executions that wait for a day, on a fresh server, and looks
// at what that costs while nothing happens.
func waiting(ctx context.Context, b *bench, t target) (sample, error) {
	s, err := b.fresh(ctx, t)
	if err != nil {
		return sample{}, err
	}
	defer s.stop()
	l, idle := load{clients: manyClients, limit: 10 * time.Minute, max: waitingExecutions}, 10*time.Second
	if emulates(t.product) {
		l.limit, l.max = time.Minute, waitingEmulated
	}
	if b.quick {
		l.limit, l.max, idle = l.limit/10, l.max/10, 2*time.Second
	}
	return waits(ctx, s, l, idle)
}

// waits is the load of waiting; the server is looked at for the time idle, before
// and after it.
func waits(ctx context.Context, s *server, l load, idle time.Duration) (sample, error) {
	starter, err := s.starter(ctx, waitMachine())
	if err != nil {
		return sample{}, err
	}
	s.settled()
	before, err := s.rest(ctx, idle)
	if err != nil {
		return sample{}, err
	}
	var one atomic.Pointer[[]byte]
	out := drive(ctx, s, l, func(ctx context.Context, c *conn, _ int) error {
		execution, err := starter.start(ctx, c)
		if err == nil {
			one.CompareAndSwap(nil, &execution)
		}
		return err
	})
	if out.Ops == 0 {
		return out, nil
	}
	now, err := s.rest(ctx, idle)
	if err != nil {
		return out, err
	}
	c := newConn(s.addr)
	defer c.close()
	answer, err := c.aws(ctx, "DescribeExecution", *one.Load())
	if err != nil {
		return out, err
	}
	if status := field(answer, "status"); status != "RUNNING" {
		return out, fmt.Errorf("an execution that waits is %s", status)
	}
	out.Values = map[string]float64{
		waitingNow: float64(out.Ops), "memory before, MB": before.memory / megabyte, "memory, MB": now.memory / megabyte,
		memoryEach:    (now.memory - before.memory) / 1024 / float64(out.Ops),
		"threads":     now.threads,
		idleCPUNow:    now.cpu,
		idleCPUBefore: before.cpu,
	}
	if s.product == leat {
		out.Values["goroutines"], out.Values[goroutinesMore] = now.goroutines, now.goroutines-before.goroutines
	}
	return out, nil
}

// resting is what a server has and uses while nothing is asked of it.
type resting struct {
	cpu        float64 // seconds in ten seconds, its database's included
	memory     float64 // bytes, of the server alone
	threads    float64
	goroutines float64 // of leat
}

// rest looks at the server for a time in which nobody asks anything of it.
func (s *server) rest(ctx context.Context, d time.Duration) (resting, error) {
	before := s.usage()
	if err := pause(ctx, d); err != nil {
		return resting{}, err
	}
	after := s.usage()
	r := resting{
		cpu: (after.cpu - before.cpu) * 10 / d.Seconds(), memory: float64(after.resident), threads: float64(after.threads),
	}
	if s.product != leat {
		return r, nil
	}
	c := newConn(s.addr)
	defer c.close()
	text, err := c.ask(ctx, http.MethodGet, "/metrics", "", nil, http.StatusOK)
	if err != nil {
		return r, err
	}
	_, rest, _ := bytes.Cut(text, []byte("\ngo_goroutines "))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	r.goroutines, err = strconv.ParseFloat(string(line), 64)
	return r, err
}

// waitingGoal is that an execution that waits costs memory at most: no goroutine
// each, and nothing that asks again and again.
func waitingGoal(string) goal {
	return goal{"< 1 goroutine per 100 executions, idle CPU ≤ 0.1 s more per 10 s", false, func(ours, _ *sample) bool {
		return ours.Errors == 0 && ours.Ops > 0 && ours.Values[goroutinesMore]*100 < ours.Values[waitingNow] &&
			ours.Values[idleCPUNow] <= ours.Values[idleCPUBefore]+0.1
	}}
}
