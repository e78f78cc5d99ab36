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
// several to a commit.
type lane struct {
	engine engine
	cfg    Config
	wake   func([]core.Topic)

	mu     sync.RWMutex // held for reading while sending to in, for writing to close it
	closed bool
	in     chan *request
	conn   writeConn
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

func newLane(e engine, cfg Config, wake func([]core.Topic)) *lane {
	return &lane{engine: e, cfg: cfg, wake: wake, in: make(chan *request, 4*maxGroup)}
}

// do hands fn to the lane and waits until its commit is durable. When ctx ends
// before fn is taken it will not run; after that do waits for the outcome, since
// fn assigns to the caller's variables.
func (l *lane) do(ctx context.Context, ws core.WorkspaceID, fn func(core.Tx) error) error {
	req := &request{ctx: ctx, ws: ws, fn: fn, done: make(chan error, 1)}
	if err := l.send(ctx, req); err != nil {
		return err
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

func (l *lane) send(ctx context.Context, req *request) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return errClosed
	}
	select {
	case l.in <- req:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close refuses new requests; those accepted before are still served by run.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		close(l.in)
	}
}

// run serves requests until close was called and all are answered.
func (l *lane) run(ctx context.Context) {
	for req := range l.in {
		group := slices.DeleteFunc(l.collect(req), func(r *request) bool { return !r.taken.CompareAndSwap(false, true) })
		if len(group) == 0 {
			continue
		}
		start := l.cfg.Now()
		l.commit(ctx, group)
		l.cfg.Observe(len(group), l.cfg.Now().Sub(start))
	}
	if l.conn != nil {
		l.conn.close()
	}
}

func (l *lane) collect(first *request) []*request {
	group := []*request{first}
	for len(group) < maxGroup {
		select {
		case req, ok := <-l.in:
			if !ok {
				return group
			}
			group = append(group, req)
		default:
			return group
		}
	}
	return group
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
