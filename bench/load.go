package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// load says how many clients work for how long; whatever ends first of time and
// number ends it.
type load struct {
	clients int
	limit   time.Duration
	max     int // operations; 0 means no limit
	// patience is how long an execution of a state machine may take.
	patience time.Duration
}

// sample is what a row measured on one server.
type sample struct {
	Ops     int     `json:"ops,omitempty"`
	Errors  int     `json:"errors"`
	Seconds float64 `json:"seconds,omitempty"`
	// CPU is of the server and its database, in seconds.
	CPU float64 `json:"cpu_seconds,omitempty"`
	// DatabaseCPU is the part of CPU that Postgres used.
	DatabaseCPU float64 `json:"database_cpu_seconds,omitempty"`
	// Latencies in milliseconds of the operations that succeeded.
	P50 float64 `json:"p50_ms,omitempty"`
	P95 float64 `json:"p95_ms,omitempty"`
	P99 float64 `json:"p99_ms,omitempty"`
	// Values are the figures of rows that are no load, by name with unit.
	Values map[string]float64 `json:"values,omitempty"`
	// Note says what a reader must know, such as an error's text.
	Note string `json:"note,omitempty"`

	latencies []float64
}

// rate is operations per second.
func (s *sample) rate() float64 {
	if s.Seconds == 0 {
		return 0
	}
	return float64(s.Ops) / s.Seconds
}

// cpuPer1000 is CPU seconds per 1,000 operations.
func (s *sample) cpuPer1000() float64 {
	if s.Ops == 0 {
		return 0
	}
	return s.CPU / float64(s.Ops) * 1000
}

// spent notes what the server used between two looks at it.
func (s *sample) spent(before, after usage) {
	s.CPU, s.DatabaseCPU = after.cpu-before.cpu, after.database-before.database
}

// usable tells whether the figures can be compared with: what a server spends
// on refusals would count as what it spends on the few operations that it did.
func (s *sample) usable() bool { return s != nil && s.Errors*20 <= s.Ops }

// add takes another round in. Values keep those of the last round.
func (s *sample) add(o sample) {
	s.Ops += o.Ops
	s.Errors += o.Errors
	s.Seconds += o.Seconds
	s.CPU += o.CPU
	s.DatabaseCPU += o.DatabaseCPU
	s.latencies = append(s.latencies, o.latencies...)
	if o.Values != nil {
		s.Values = o.Values
	}
	if s.Note == "" {
		s.Note = o.Note
	}
	s.quantiles()
}

func (s *sample) quantiles() {
	slices.Sort(s.latencies)
	s.P50, s.P95, s.P99 = quantile(s.latencies, 0.50), quantile(s.latencies, 0.95), quantile(s.latencies, 0.99)
}

// quantile takes sorted values.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// operation is one unit of a load; n counts them over all clients.
type operation func(ctx context.Context, c *conn, n int) error

// drive runs the operation by several clients, each with its own connection,
// and measures the server meanwhile.
func drive(ctx context.Context, s *server, l load, op operation) sample {
	clients := make([]sample, l.clients)
	var next atomic.Int64
	var work sync.WaitGroup
	before, start := s.usage(), time.Now()
	end := start.Add(l.limit)
	for i := range clients {
		work.Go(func() {
			c := newConn(s.addr)
			defer c.close()
			for ctx.Err() == nil && time.Now().Before(end) {
				n := int(next.Add(1)) - 1
				if l.max > 0 && n >= l.max {
					return
				}
				clients[i].time(func() error { return op(ctx, c, n) })
			}
		})
	}
	work.Wait()
	total := sample{Seconds: time.Since(start).Seconds()}
	total.spent(before, s.settled())
	for _, c := range clients {
		total.add(c)
	}
	return total
}

// time runs one operation and notes how it went.
func (s *sample) time(op func() error) {
	start := time.Now()
	if err := op(); err != nil {
		s.Errors++
		if s.Note == "" {
			s.Note = fmt.Sprintf("first error: %v", err)
		}
		return
	}
	s.Ops++
	s.latencies = append(s.latencies, float64(time.Since(start).Microseconds())/1000)
}
