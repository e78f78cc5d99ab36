package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

const (
	// longHistory is as many events as AWS lets an execution have.
	longHistory = 25_000
	pageEvents  = 1000
)

// storedEvents names a figure of the row of histories.
const storedEvents = "events stored for it"

// paged makes an execution with a long history and reads the pages of it.
func paged(ctx context.Context, b *bench, t target) (sample, error) {
	s, err := b.server(ctx, t)
	if err != nil {
		return sample{}, err
	}
	events, limit := longHistory, b.fill
	if b.quick {
		events, limit = 2*pageEvents, 10*time.Second
	}
	execution, err := s.looped(ctx, events, limit)
	if err != nil {
		return sample{}, err
	}
	return pages(ctx, s, execution, load{clients: 1, limit: b.duration(), max: 20_000})
}

// looped makes an execution with a number of events, and stops it where time is
// up before. Another row's call finds the one that there is.
func (s *server) looped(ctx context.Context, events int, limit time.Duration) ([]byte, error) {
	if s.fixtures.looped != nil {
		return s.fixtures.looped, nil
	}
	starter, err := s.starter(ctx, loopMachine((events-8)/4))
	if err != nil {
		return nil, err
	}
	c := newConn(s.addr)
	defer c.close()
	execution, err := starter.start(ctx, c)
	if err != nil {
		return nil, err
	}
	var p pace
	if _, err := p.await(ctx, c, execution, limit); err != nil && !errors.Is(err, errTooSlow) {
		return nil, err
	}
	s.fixtures.looped = execution
	return execution, nil
}

// pages reads a history page by page and over again; an operation is a page.
func pages(ctx context.Context, s *server, execution []byte, l load) (sample, error) {
	r := reader{execution: bytes.TrimSuffix(execution, []byte("}"))}
	c := newConn(s.addr)
	defer c.close()
	stored := 0
	for more := true; more; more = r.token != "" {
		n, err := r.next(ctx, c)
		if err != nil {
			return sample{}, err
		}
		stored += n
	}
	out := drive(ctx, s, l, func(ctx context.Context, c *conn, _ int) error {
		_, err := r.next(ctx, c)
		return err
	})
	out.Values = map[string]float64{storedEvents: float64(stored), "events of the longest page": float64(r.longest)}
	return out, nil
}

// reader reads one history after the other, for one client.
type reader struct {
	execution []byte // the body that names it, without its end
	token     string // of the next page, "" for the first
	longest   int
}

// next reads a page and returns how many events it has.
func (r *reader) next(ctx context.Context, c *conn) (int, error) {
	body := fmt.Appendf(bytes.Clone(r.execution), `,"maxResults":%d`, pageEvents)
	if r.token != "" {
		token, err := json.Marshal(r.token)
		if err != nil {
			return 0, err
		}
		body = append(append(body, `,"nextToken":`...), token...)
	}
	answer, err := c.aws(ctx, "GetExecutionHistory", append(body, '}'))
	if err != nil {
		return 0, err
	}
	r.token = field(answer, "nextToken")
	n := bytes.Count(answer, []byte(`"previousEventId"`))
	if n == 0 {
		return 0, fmt.Errorf("a page without events: %.200s", answer)
	}
	r.longest = max(r.longest, n)
	return n, nil
}
