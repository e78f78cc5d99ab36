package prefect3

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/core"
)

const (
	// sinkLimit is how many events of one socket wait in memory before the
	// socket is read no further.
	sinkLimit = 4000
	// sinkBatch is how many are stored by one transaction.
	sinkBatch = 1000
	// sinkPatience is how long storing is tried again before the socket is given
	// up; its client then sends again what was not confirmed.
	sinkPatience = 8 * time.Second
)

// eventSink stores what one socket brings: whatever has come while one
// transaction was under way goes into the next.
type eventSink struct {
	api *API

	mu      sync.Mutex
	changed *sync.Cond
	pending []*core.Event
	busy    bool
	closed  bool
	failed  bool
	// withheld tells that a ping got no pong, since events before it were not stored.
	withheld bool
	// beating are the flow runs whose heartbeats came this way.
	beating map[core.ID]bool
}

func newEventSink(a *API) *eventSink {
	s := &eventSink{api: a, beating: map[core.ID]bool{}}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// add takes an event, and waits while too many are there. It reports false
// when events can no longer be stored.
func (s *eventSink) add(e *core.Event) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.pending) >= sinkLimit && !s.failed {
		s.changed.Wait()
	}
	if id, ok := s.api.Engine.HeartbeatOf(e); ok {
		s.beating[id] = true
	}
	s.pending = append(s.pending, e)
	s.changed.Broadcast()
	return !s.failed
}

// runs lists the flow runs whose heartbeats came this way.
func (s *eventSink) runs() []core.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.beating))
}

// touch makes the open socket a sign of life: a process that is stopped or
// busy sends nothing, but its system keeps the connection. Where that is silent
// too, the machine or its network may be gone.
func (s *eventSink) touch(ctx context.Context) {
	every := time.NewTicker(s.api.TouchEvery)
	defer every.Stop()
	for {
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
		if err := s.api.Engine.TouchFlowRuns(ctx, s.api.workspace(ctx), s.runs(), api.PeerSilence(ctx)); err != nil {
			s.api.Log.Debug("an open event socket was not recorded as a sign of life", "error", err)
		}
	}
}

// close lets run end after all events are stored.
func (s *eventSink) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.changed.Broadcast()
}

// run stores events until close, or until that fails for good.
func (s *eventSink) run(ctx context.Context) {
	ctx = context.WithoutCancel(ctx) // what was read is stored even when the peer has gone
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for len(s.pending) == 0 && !s.closed {
			s.changed.Wait()
		}
		if len(s.pending) == 0 {
			return
		}
		batch := s.pending[:min(len(s.pending), sinkBatch)]
		s.pending = s.pending[len(batch):]
		s.busy = true
		s.mu.Unlock()
		err := s.store(ctx, batch)
		s.mu.Lock()
		s.busy = false
		if err != nil {
			s.failed = true
			s.api.Log.Error("events were not stored; their sender gets no receipt", "count", len(batch), "error", err)
		}
		s.changed.Broadcast()
		if s.failed {
			return
		}
	}
}

func (s *eventSink) store(ctx context.Context, batch []*core.Event) error {
	start, pause := s.api.Now(), 100*time.Millisecond
	for {
		err := s.api.Engine.RecordEvents(ctx, s.api.workspace(ctx), batch)
		if core.CodeOf(err) != core.Unavailable || s.api.Now().Sub(start) > sinkPatience {
			return err
		}
		select {
		case <-time.After(pause):
			pause *= 2
		case <-s.api.Done:
			return err
		}
	}
}

// flushed waits until all events that were added are stored, and reports
// whether they are.
func (s *eventSink) flushed(ctx context.Context) bool {
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.changed.Broadcast()
	})
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for (len(s.pending) > 0 || s.busy) && !s.failed && ctx.Err() == nil {
		s.changed.Wait()
	}
	stored := len(s.pending) == 0 && !s.busy && !s.failed
	s.withheld = s.withheld || !stored
	return stored
}

// broke reports whether the socket ended, or soon will, because events could
// not be stored: that says nothing of its peer.
func (s *eventSink) broke() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed || s.withheld
}
