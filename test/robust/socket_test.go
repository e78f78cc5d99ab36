package robust

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func (s *server) dial(ctx context.Context, path string) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	//nolint:bodyclose // the answer of an accepted websocket has no body to close
	c, _, err := websocket.Dial(ctx, strings.Replace(s.url(path), "http", "ws", 1), nil)
	if err == nil {
		c.SetReadLimit(16 << 20)
	}
	return c, err
}

// sendEvents sends events over a socket of its own and returns nil once a pong
// confirmed them.
func (s *server) sendEvents(ctx context.Context, events []object) error {
	c, err := s.dial(ctx, "/events/in")
	if err != nil {
		return err
	}
	defer func() { _ = c.CloseNow() }()
	ctx, cancel := context.WithTimeout(c.CloseRead(ctx), 10*time.Second) // a ping needs a reader
	defer cancel()
	for _, e := range events {
		data, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if err := c.Write(ctx, websocket.MessageText, data); err != nil {
			return err
		}
	}
	if err := c.Ping(ctx); err != nil {
		return err
	}
	return c.Close(websocket.StatusNormalClosure, "")
}

// received is what a subscriber got.
type received struct {
	ID       string            `json:"id"`
	Event    string            `json:"event"`
	Resource map[string]string `json:"resource"`
}

// subscriber follows /events/out.
type subscriber struct {
	mu     sync.Mutex
	events []received
	count  map[string]int
	ended  error
}

// subscribe follows the server's events until the test ends. Without backfill
// it returns when events that are stored from now on arrive.
func subscribe(s *server, filter object, backfill bool) *subscriber {
	s.t.Helper()
	sub := &subscriber{count: map[string]int{}}
	c, err := s.dial(s.t.Context(), "/events/out")
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.t.Context()))
	done := make(chan struct{})
	s.t.Cleanup(func() { cancel(); <-done })
	data, err := json.Marshal(object{"type": "filter", "filter": filter, "backfill": backfill})
	if err == nil {
		err = c.Write(ctx, websocket.MessageText, data)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	go func() {
		defer close(done)
		defer func() { _ = c.CloseNow() }()
		sub.read(ctx, c)
	}()
	return sub
}

func (sub *subscriber) read(ctx context.Context, c *websocket.Conn) {
	for {
		_, data, err := c.Read(ctx)
		var m struct{ Event received }
		if err == nil {
			err = json.Unmarshal(data, &m)
		}
		sub.mu.Lock()
		if err != nil {
			sub.ended = err
			sub.mu.Unlock()
			return
		}
		sub.events = append(sub.events, m.Event)
		sub.count[m.Event.ID]++
		sub.mu.Unlock()
	}
}

// ending returns the error that ended the subscription, or nil.
func (sub *subscriber) ending() error {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	return sub.ended
}

func (sub *subscriber) hasAll(ids map[string]bool) bool {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	for id := range ids {
		if sub.count[id] == 0 {
			return false
		}
	}
	return true
}

func (sub *subscriber) noneTwice(t *testing.T) {
	t.Helper()
	sub.mu.Lock()
	defer sub.mu.Unlock()
	for id, n := range sub.count {
		if n != 1 {
			t.Errorf("event %s arrived %d times", id, n)
		}
	}
}

// named counts the events of the name about each resource.
func (sub *subscriber) named(event string) map[string]int {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	out := map[string]int{}
	for _, e := range sub.events {
		if e.Event == event {
			out[e.Resource["prefect.resource.id"]]++
		}
	}
	return out
}

// isLive waits until an event that is sent now, through any of the servers, arrives.
func (sub *subscriber) isLive(t *testing.T, through ...*server) {
	t.Helper()
	for _, s := range through {
		sent := map[string]bool{}
		waitFor(t, 15*time.Second, "a sent event to reach the subscriber", func() bool {
			e := taskEvent(newID(), newID(), "probe", "Pending", time.Now())
			if s.sendEvents(t.Context(), []object{e}) == nil {
				sent[e["id"].(string)] = true
			}
			for id := range sent {
				if sub.hasAll(map[string]bool{id: true}) {
					return true
				}
			}
			return false
		})
	}
}
