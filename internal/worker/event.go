package worker

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/launch"
	"github.com/leat-dev/leat/internal/wire"
)

// emitter sends events in the background, in order, and again until the server
// has confirmed them.
type emitter struct {
	c   *client.Client
	log *slog.Logger

	mu      sync.Mutex
	pending []client.Event
	wake    chan struct{} // holds one when there may be something to send
	empty   chan struct{} // closed and replaced when all was sent
}

// maxPending is how many events wait at most for a server that can't be reached;
// the oldest are given up.
const maxPending = 10_000

func newEmitter(c *client.Client, log *slog.Logger) *emitter {
	return &emitter{c: c, log: log, wake: make(chan struct{}, 1), empty: make(chan struct{})}
}

func (e *emitter) add(event client.Event) {
	e.mu.Lock()
	e.pending = append(e.pending, event)
	if extra := len(e.pending) - maxPending; extra > 0 {
		e.pending = e.pending[extra:]
	}
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// run sends until ctx ends.
func (e *emitter) run(ctx context.Context) {
	wait := time.Second
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.wake:
		}
		for e.waiting() > 0 {
			err := e.send(ctx)
			if err == nil {
				wait = time.Second
				continue
			}
			if ctx.Err() != nil {
				return
			}
			e.log.Debug("sending events", "error", err)
			if sleep(ctx, wait) != nil {
				return
			}
			wait = min(2*wait, 30*time.Second)
		}
	}
}

func (e *emitter) waiting() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.pending)
}

// send sends what is pending now.
func (e *emitter) send(ctx context.Context) error {
	e.mu.Lock()
	batch := append([]client.Event{}, e.pending...)
	e.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := e.c.SendEvents(ctx, batch); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	// While it was sent, the oldest may have been given up, and newer ones came.
	last := batch[len(batch)-1].ID
	for i := range e.pending {
		if e.pending[i].ID == last {
			e.pending = e.pending[i+1:]
			break
		}
	}
	if len(e.pending) == 0 {
		close(e.empty)
		e.empty = make(chan struct{})
	}
	return nil
}

// flushTime is how long a stopping worker waits for its last events to be sent.
const flushTime = 5 * time.Second

// flush waits until all was sent, but not longer than flushTime.
func (e *emitter) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, flushTime)
	defer cancel()
	e.mu.Lock()
	left, empty := len(e.pending), e.empty
	e.mu.Unlock()
	if left == 0 {
		return
	}
	select {
	case <-empty:
	case <-ctx.Done():
	}
}

// emit queues an event about this worker and returns its id. Prefect: events
// prefect.worker.*; the pool is always related.
func (w *Worker) emit(name string, related []core.Labels, follows *core.ID) core.ID {
	now := w.cfg.Now()
	pool := w.workPool()
	e := client.Event{
		Occurred: wire.FromTime(now), Event: name, ID: core.NewID(now), Follows: follows, Payload: json.RawMessage("{}"),
		Resource: core.Labels{
			{Key: "prefect.resource.id", Value: "prefect.worker." + w.cfg.Type + "." + slug(w.cfg.Name)},
			{Key: "prefect.resource.name", Value: w.cfg.Name},
			{Key: "prefect.version", Value: "leat " + w.cfg.Version},
			{Key: "prefect.worker-type", Value: w.cfg.Type},
		},
	}
	e.Related = append(append(e.Related, related...), resource("work-pool", pool.ID, pool.Name))
	w.events.add(e)
	return e.ID
}

// resource is a related resource whose role is its kind.
func resource(kind string, id core.ID, name string) core.Labels {
	return core.Labels{
		{Key: "prefect.resource.id", Value: "prefect." + kind + "." + id.String()},
		{Key: "prefect.resource.role", Value: kind},
		{Key: "prefect.resource.name", Value: name},
	}
}

// withExit notes on the related flow run what ran it and how that ended.
func withExit(related []core.Labels, identifier string, exit launch.Exit) []core.Labels {
	out := make([]core.Labels, len(related))
	for i, labels := range related {
		out[i] = labels
		for _, l := range labels {
			if l.Key == "prefect.resource.role" && l.Value == "flow-run" {
				out[i] = append(append(core.Labels{}, labels...),
					core.Label{Key: "prefect.infrastructure.identifier", Value: identifier},
					core.Label{Key: "prefect.infrastructure.status-code", Value: strconv.Itoa(exit.Code)})
			}
		}
	}
	return out
}

// slug is a name as it stands in a resource id: lower-case letters and digits,
// everything between them a hyphen.
func slug(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return strings.Join(words, "-")
}
