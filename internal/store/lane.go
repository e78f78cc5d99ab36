package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

const (
	// maxGroup bounds how many closures share a commit, and with it how long one waits.
	maxGroup = 256
	// maxAttempts bounds how often a closure is run again after a conflict with
	// another replica.
	maxAttempts = 8
	// maxConnects bounds how often a connection that is refused is tried again
	// before those that wait for it are told.
	maxConnects = 5
)

var errClosed = core.Errorf(core.Unavailable, "the server is stopping")

// lane runs all writes of the process one after the other on one connection,
// several to a commit. Whoever finds it idle writes in its own goroutine, for
// handing a request over costs as much as a small write; what has gathered
// meanwhile is the group of run.
type lane struct {
	engine engine
	cfg    Config
	wake   func([]core.Topic)
	// stopping ends the waits for a database that is out of reach.
	stopping context.Context

	mu      sync.Mutex // guards waiting, busy and closed
	waiting []*request
	busy    bool // one goroutine has the connection
	closed  bool
	more    chan struct{} // hands the connection to run; closed after the last write

	conn writeConn // of whoever made the lane busy
}

// request is one caller's closure and the place for its outcome.
type request struct {
	ctx  context.Context
	ws   core.WorkspaceID
	fn   func(core.Tx) error
	done chan error // capacity 1; written once, never closed
	// taken is set by the lane that will run fn, or by a caller that gave up before.
	taken atomic.Bool
	err   error
	// topics to wake after the commit.
	topics []core.Topic
}

func newLane(stopping context.Context, e engine, cfg Config, wake func([]core.Topic)) *lane {
	return &lane{engine: e, cfg: cfg, wake: wake, stopping: stopping, more: make(chan struct{}, 1)}
}

// do runs fn in a transaction and waits until its commit is durable. When ctx
// ends before fn is taken it will not run; after that do waits for the outcome,
// since fn assigns to the caller's variables.
func (l *lane) do(ctx context.Context, ws core.WorkspaceID, fn func(core.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	req := &request{ctx: ctx, ws: ws, fn: fn, done: make(chan error, 1)}
	first, err := l.enter(req)
	if err != nil {
		return err
	}
	if first {
		l.serve([]*request{req})
		l.handOver()
	}
	select {
	case err := <-req.done:
		return err
	case <-ctx.Done():
		if req.taken.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		return <-req.done
	}
}

// enter reports whether the lane was idle and is the caller's now; else req waits.
func (l *lane) enter(req *request) (first bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false, errClosed
	}
	if l.busy {
		l.waiting = append(l.waiting, req)
		return false, nil
	}
	l.busy = true
	return true, nil
}

// handOver gives the lane to run when requests wait.
func (l *lane) handOver() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) > 0 {
		l.more <- struct{}{}
		return
	}
	l.leave()
}

// leave makes the lane idle; mu is held.
func (l *lane) leave() {
	l.busy = false
	if l.closed {
		close(l.more)
	}
}

// close refuses new requests; those accepted before are still served by run.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	if !l.busy {
		close(l.more)
	}
}

// run serves the requests that gathered, until close was called and all are answered.
func (l *lane) run() {
	for range l.more {
		for group := l.next(); len(group) > 0; group = l.next() {
			l.serve(group)
		}
	}
	if l.conn != nil {
		l.conn.close()
	}
}

// next takes the next group, or leaves the lane when nobody waits.
func (l *lane) next() []*request {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.waiting), maxGroup)
	if n == 0 {
		l.leave()
		return nil
	}
	group := slices.Clone(l.waiting[:n])
	l.waiting = slices.Delete(l.waiting, 0, n)
	return group
}

// serve carries out what of the group nobody gave up.
func (l *lane) serve(group []*request) {
	group = slices.DeleteFunc(group, func(r *request) bool { return !r.taken.CompareAndSwap(false, true) })
	if len(group) == 0 {
		return
	}
	start := l.cfg.Now()
	l.commit(l.stopping, group)
	l.cfg.Observe(len(group), l.cfg.Now().Sub(start))
}

// commit runs the group in one transaction. When a closure fails after it has
// written, or the database refuses a statement, the transaction is undone and
// every closure runs in a transaction of its own: that costs a sync each, but
// it happens rarely and needs no savepoint in the usual case.
func (l *lane) commit(ctx context.Context, group []*request) {
	if err := l.attempt(ctx, group); err != nil {
		l.separately(ctx, group, err)
	}
	for _, req := range group {
		if req.err == nil {
			l.wake(req.topics)
		}
		req.done <- req.err
	}
}

// errSpoiled tells that a transaction cannot be committed because one closure
// left a part of its writes in it.
var errSpoiled = errors.New("a closure failed after writing")

// errUncertain tells that the connection broke while a commit was under way:
// nobody knows whether it took place, so its closures must not run again.
var errUncertain = errors.New("the connection broke during the commit")

// unreachable is the error of a database to which no connection can be made.
type unreachable struct{ error }

func (u unreachable) Unwrap() error { return u.error }

// unanswered reports whether a connection was waited for as long as is reasonable.
func unanswered(err error) bool {
	_, ok := errors.AsType[unreachable](err)
	return ok && errors.Is(err, context.DeadlineExceeded)
}

// separately answers a group whose transaction failed. Once the database is
// known to be out of reach, the rest is told so without another try: whoever
// waits in line does not wait for the attempts of all before.
func (l *lane) separately(ctx context.Context, group []*request, err error) {
	if errors.Is(err, errUncertain) {
		for _, req := range group {
			if req.err == nil {
				req.err = unavailable(err)
			}
		}
		return
	}
	var down error
	if unanswered(err) {
		down = unavailable(err)
	}
	for _, req := range group {
		if down != nil {
			req.err = down
			continue
		}
		down = l.alone(ctx, req)
	}
}

func (l *lane) attempt(ctx context.Context, group []*request) error {
	c, err := l.connect(ctx)
	if err != nil {
		return err
	}
	if err := c.begin(); err != nil {
		l.drop()
		return err
	}
	for _, req := range group {
		if req.err = req.ctx.Err(); req.err != nil {
			continue
		}
		before := c.writes()
		req.err = l.call(c, req)
		if c.broken() || req.err != nil && c.writes() != before {
			if req.err == nil {
				req.err = errors.New("the closure ignored an error of the database")
			}
			l.rollback()
			return errSpoiled
		}
	}
	var topics []core.Topic
	for _, req := range group {
		if req.err == nil {
			topics = append(topics, req.topics...)
		}
	}
	slices.Sort(topics)
	if err := c.commit(slices.Compact(topics)); err != nil {
		l.rollback()
		return err
	}
	return nil
}

// alone runs one request in its own transaction, again when another replica
// was in its way or the connection was lost before the commit was sent. It
// returns an error when the database is out of reach.
func (l *lane) alone(ctx context.Context, req *request) (down error) {
	for try := range maxAttempts {
		req.err = nil
		err := l.attempt(ctx, []*request{req})
		if err == nil {
			return nil
		}
		if errors.Is(err, errSpoiled) {
			if req.err != nil && core.CodeOf(req.err) != core.Internal {
				return nil // the closure's own refusal; its writes are undone
			}
			err = req.err
		}
		if errors.Is(err, errUncertain) {
			req.err = unavailable(err)
			return nil
		}
		if !l.engine.dialect().retryable(err) || req.ctx.Err() != nil {
			req.err = fmt.Errorf("store: %w", err)
			return nil //nolint:nilerr // the request is told; the database may be there
		}
		req.err = unavailable(err)
		if _, ok := errors.AsType[unreachable](err); ok && try+1 >= maxConnects || unanswered(err) {
			return req.err
		}
		l.pause(ctx, req.ctx, try)
	}
	return nil
}

// pause waits before another attempt, longer each time.
func (l *lane) pause(ctx, reqCtx context.Context, try int) {
	timer := time.NewTimer(time.Duration(1<<try) * 5 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-reqCtx.Done():
	case <-ctx.Done():
	}
}

// call runs the closure and turns a panic in it into an error, so that a
// defect in one request does not end the others.
func (l *lane) call(c writeConn, req *request) (err error) {
	t := &tx{conn: c, ws: req.ws, d: l.engine.dialect(), req: req}
	req.topics = nil
	defer func() {
		if p := recover(); p != nil {
			l.cfg.Log.Error("panic in a transaction", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic in a transaction: %v", p)
		}
	}()
	return req.fn(t)
}

func (l *lane) connect(ctx context.Context) (writeConn, error) {
	if l.conn != nil {
		return l.conn, nil
	}
	c, err := l.engine.writer(ctx)
	if err != nil {
		return nil, unreachable{err}
	}
	l.conn = c
	return c, nil
}

func (l *lane) rollback() {
	if err := l.conn.rollback(); err != nil {
		l.drop()
	}
}

// drop gives the connection up; the next request opens another.
func (l *lane) drop() {
	l.conn.close()
	l.conn = nil
}

// outage is an Unavailable error. Clients are told no more than that; the log
// is told the cause, which may name hosts and users.
type outage struct {
	told  *core.Error
	cause error
}

// Error implements error.
func (o *outage) Error() string { return o.told.Message + ": " + o.cause.Error() }

// Unwrap implements the interface of errors.As and errors.Is.
func (o *outage) Unwrap() []error { return []error{o.told, o.cause} }

func unavailable(err error) error {
	if _, ok := errors.AsType[*core.Error](err); ok {
		return err // it is worded for clients, such as that of a full disk
	}
	return &outage{core.Errorf(core.Unavailable, "the database does not answer; try again"), err}
}
