package ecs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/value"
)

// callTime is how long a call may take with its repetitions.
const callTime = time.Minute

// place is where calls go and as whom.
type place struct{ region, role string }

// call calls an operation; out, unless it is nil, takes the members of the answer
// by name without regard to case.
func (l *Launcher) call(ctx context.Context, at place, service, operation string, in map[string]any, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	r, err := at.request(service, operation, in)
	if err != nil {
		return err
	}
	answer, _, err := l.Caller.Call(ctx, r)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(value.Append(nil, answer), out); err != nil {
		return fmt.Errorf("read the answer of %s: %w", operation, err)
	}
	return nil
}

// body calls an operation and returns its answer as it came.
func (l *Launcher) body(ctx context.Context, at place, service, operation string, in map[string]any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	r, err := at.request(service, operation, in)
	if err != nil {
		return nil, err
	}
	body, _, err := l.Caller.Body(ctx, r)
	return body, err
}

func (at place) request(service, operation string, in map[string]any) (awscall.Request, error) {
	text, err := json.Marshal(in)
	if err != nil {
		return awscall.Request{}, fmt.Errorf("%s: %w", operation, err)
	}
	parsed, err := value.Parse(text)
	if err != nil {
		return awscall.Request{}, fmt.Errorf("%s: %w", operation, err)
	}
	params, _ := parsed.(*value.Object)
	return awscall.Request{
		Service: service, Operation: operation, Params: params, Region: at.region, RoleARN: at.role, SessionName: "leat",
	}, nil
}

// isCode tells whether a service refused with one of the codes.
func isCode(err error, codes ...string) bool {
	var refused *awscall.Error
	return errors.As(err, &refused) && slices.Contains(codes, refused.Code)
}

// transient tells whether the same call may well succeed later.
func transient(err error) bool {
	if refused, ok := errors.AsType[*awscall.Error](err); ok {
		return throttled(refused) || refused.Status >= http.StatusInternalServerError || noCapacity(refused.Message)
	}
	var down net.Error
	return errors.As(err, &down)
}

func throttled(e *awscall.Error) bool {
	return strings.Contains(e.Code, "Throttl") || e.Code == "RequestLimitExceeded" || e.Status == http.StatusTooManyRequests || strings.HasPrefix(e.Message, "Rate exceeded")
}

// noCapacity tells whether a failure or a refusal is about room that others may
// leave. AWS: "API failure reasons" and the quotas of Fargate.
func noCapacity(reason string) bool {
	reason = strings.ToLower(reason)
	return strings.HasPrefix(reason, "resource:") || strings.Contains(reason, "capacity is unavailable") ||
		strings.Contains(reason, "limit on the number of tasks") || strings.Contains(reason, "concurrently")
}

// backoff is how long to wait after an attempt.
func (l *Launcher) backoff(attempt int) time.Duration {
	if l.Backoff != nil {
		return l.Backoff(attempt)
	}
	limit := min(time.Second<<min(attempt-1, 10), 30*time.Second)
	return limit/2 + rand.N(limit/2)
}

// rest waits, or returns the context's error.
func (l *Launcher) rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Launcher) patience() time.Duration { return otherwise(l.Patience, 2*time.Minute) }
func (l *Launcher) pollMin() time.Duration  { return otherwise(l.PollMin, time.Second) }
func (l *Launcher) pollMax() time.Duration {
	return max(otherwise(l.PollMax, 10*time.Second), l.pollMin())
}
func (l *Launcher) logLag() time.Duration { return otherwise(l.LogLag, 2*time.Second) }

func otherwise(d, zero time.Duration) time.Duration {
	if d == 0 {
		return zero
	}
	return d
}
