package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// executed is a load of whole executions: start one, and ask until it has
// succeeded.
func executed(m machine) func(context.Context, *server, load) (sample, error) {
	return func(ctx context.Context, s *server, l load) (sample, error) {
		starter, err := s.starter(ctx, m)
		if err != nil {
			return sample{}, err
		}
		var p pace
		return drive(ctx, s, l, func(ctx context.Context, c *conn, _ int) error {
			execution, err := starter.start(ctx, c)
			if err != nil {
				return err
			}
			status, err := p.await(ctx, c, execution, l.patience)
			if err == nil && status != "SUCCEEDED" {
				err = fmt.Errorf("an execution is %s", status)
			}
			return err
		}), nil
	}
}

// pace is how the clients of a load ask for the end of executions: first at
// three quarters of the time that the last one took, then at steps of an eighth
// of the time gone by. So a fast server is asked in time and a slow one seldom,
// and each spends little on answers.
type pace struct{ last atomic.Int64 }

// errTooSlow is that of an execution that had to be stopped.
var errTooSlow = errors.New("an execution is not done")

// shortestStep is the least time between two questions.
const shortestStep = 500 * time.Microsecond

// await returns the status of an execution that has ended. One that takes longer
// than patience is stopped, so that it does not burden what is measured next.
func (p *pace) await(ctx context.Context, c *conn, execution []byte, patience time.Duration) (string, error) {
	begin := time.Now()
	wait := time.Duration(p.last.Load()) * 3 / 4
	for {
		if err := pause(ctx, min(wait, patience)); err != nil {
			return "", err
		}
		answer, err := c.aws(ctx, "DescribeExecution", execution)
		if err != nil {
			return "", err
		}
		taken := time.Since(begin)
		if status := field(answer, "status"); status != "RUNNING" {
			p.last.Store(int64(taken))
			return status, nil
		}
		if taken > patience {
			if _, err := c.aws(ctx, "StopExecution", execution); err != nil {
				return "", fmt.Errorf("an execution is not done after %v, and cannot be stopped: %w", patience, err)
			}
			return "", fmt.Errorf("%w after %v", errTooSlow, patience)
		}
		wait = max(taken/8, shortestStep)
	}
}

// pause waits, unless the program is ended.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
