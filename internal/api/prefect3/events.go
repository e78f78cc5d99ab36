package prefect3

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

func (a *API) eventRoutes(r *api.Router) {
	r.Handle("POST", "/events", api.Handle(http.StatusNoContent, a.createEvents))
	r.Handle("POST", "/events/filter", api.Handle(http.StatusOK, a.filterEvents))
	r.Handle("GET", "/events/filter/next", api.Handle(http.StatusOK, a.nextEvents))
	r.HandleOpen("GET", "/events/in", api.Socket(a.eventsIn))
	r.HandleOpen("GET", "/events/out", api.Socket(a.eventsOut))
}

type createEventsIn struct {
	Body []client.EventCreate `body:""`
}

func (a *API) createEvents(ctx context.Context, in createEventsIn) (struct{}, error) {
	events := make([]*core.Event, len(in.Body))
	for i := range in.Body {
		events[i] = a.eventOf(&in.Body[i])
	}
	return struct{}{}, a.Engine.RecordEvents(ctx, a.workspace(ctx), events)
}

func (a *API) eventOf(b *client.EventCreate) *core.Event {
	e := &core.Event{
		ID: b.ID, Occurred: b.Occurred.Time, Event: string(b.Event), Resource: core.Labels(b.Resource), Related: b.Related.Labels(), Payload: b.Payload, Follows: b.Follows,
	}
	if e.ID.IsZero() {
		e.ID = core.NewID(a.Now())
	}
	return e
}

// eventsIn takes events. The only receipt a client gets is the pong to its
// ping, so a pong is sent only after all that came before is committed.
// Prefect REST: WS /events/in.
func (a *API) eventsIn(w http.ResponseWriter, r *http.Request) {
	sink := newEventSink(a)
	var s *socket
	s = a.accept(w, r, api.SocketOptions{ReadLimit: 16 << 20, OnPing: func(ctx context.Context) bool {
		stored := sink.flushed(ctx)
		if !stored && s != nil {
			// A client that waits for a pong that does not come waits for ever.
			go s.refuse(websocket.StatusInternalError, "the events cannot be stored")
		}
		return stored
	}})
	if s == nil {
		return
	}
	defer s.cancel()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		sink.run(s.ctx)
		if sink.broke() {
			// The client sends again, on another socket, what no pong confirmed.
			s.refuse(websocket.StatusInternalError, "the events cannot be stored")
			s.cancel()
		}
	}()
	go sink.touch(s.ctx)
	err := a.readEvents(s, sink)
	sink.close()
	<-stopped
	a.socketEnded(r, sink, err)
	s.refuse(websocket.StatusNormalClosure, "")
}

// readEvents reads until the socket ends.
func (a *API) readEvents(s *socket, sink *eventSink) error {
	for {
		_, data, err := s.Read(s.ctx)
		if err != nil {
			return err
		}
		var b client.EventCreate
		if err := wire.Decode(data, &b); err != nil {
			// The client would send it again for ever if it were turned away.
			a.Log.Warn("an event that cannot be read is left out", "error", err)
			continue
		}
		if !sink.add(a.eventOf(&b)) {
			return errors.New("the events cannot be stored")
		}
	}
}

// socketEnded remembers that the process of some flow runs may have died: their
// connection ended without a word. Behind a proxy that says nothing.
func (a *API) socketEnded(r *http.Request, sink *eventSink, err error) {
	var closed websocket.CloseError
	stopping := false
	select {
	case <-a.Done:
		stopping = true
	default:
	}
	if errors.As(err, &closed) || stopping || sink.broke() || r.Header.Get("X-Forwarded-For") != "" || len(sink.runs()) == 0 {
		return
	}
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return // the network broke, not the process
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 10*time.Second)
	defer cancel()
	if err := a.Engine.LoseFlowRuns(ctx, a.workspace(ctx), sink.runs()); err != nil {
		a.Log.Warn("the end of an event socket was not recorded", "error", err)
	}
}

// maxBackfill is how far back a subscriber gets events that came before it.
const maxBackfill = 15 * time.Minute

// backfillBatch is how many of them are read at once.
const backfillBatch = 5000

// eventsOut sends the events that match the subscriber's filter, first those
// of the recent past if it wants them. Prefect REST: WS /events/out.
func (a *API) eventsOut(w http.ResponseWriter, r *http.Request) {
	s := a.accept(w, r, api.SocketOptions{})
	if s == nil {
		return
	}
	defer s.cancel()
	var f eventFilter
	m, ok := s.receiveFilter(&f)
	if !ok {
		return
	}
	filter := f.core()
	sent := map[core.ID]bool{}
	send := func(e *core.Event) error {
		if !filter.Matches(e) {
			return nil
		}
		return s.send(map[string]any{"type": "event", "event": client.EventOf(e)})
	}
	// The subscription begins before the backfill, so that nothing falls between them.
	follow := a.newFollower(s, core.TopicEvents)
	defer follow.stop()
	var cursor core.Cursor
	err := a.view(s.ctx, func(tx core.Tx) (err error) {
		cursor, err = tx.EventCursor()
		return err
	})
	if err == nil && (m.Backfill == nil || *m.Backfill) {
		err = a.backfill(s.ctx, filter, sent, send)
	}
	if err == nil {
		err = follow.run(func() (more bool, err error) {
			var events []*core.Event
			err = a.view(s.ctx, func(tx core.Tx) (err error) {
				events, cursor, err = tx.EventsAfter(cursor, followBatch)
				return err
			})
			for _, e := range events {
				if err == nil && !sent[e.ID] {
					err = send(e)
				}
			}
			return len(events) == followBatch, err
		})
	}
	a.endFollowing(s, err)
}

func (a *API) backfill(ctx context.Context, f *core.EventFilter, sent map[core.ID]bool, send func(*core.Event) error) error {
	since := a.Now().Add(-maxBackfill)
	if f.Since != nil && f.Since.After(since) {
		since = *f.Since
	}
	for {
		var events []*core.Event
		err := a.view(ctx, func(tx core.Tx) (err error) {
			events, err = tx.RecentEvents(since, backfillBatch)
			return err
		})
		if err != nil {
			return err
		}
		fresh := 0
		for _, e := range events {
			if sent[e.ID] {
				continue
			}
			fresh++
			sent[e.ID] = true
			if err := send(e); err != nil {
				return err
			}
		}
		if len(events) < backfillBatch || fresh == 0 {
			return nil
		}
		since = events[len(events)-1].Occurred // its own instant comes again
	}
}
