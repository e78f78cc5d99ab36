package api

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// inflight counts the handlers that have not returned.
type inflight struct {
	mu    sync.Mutex
	count map[string]int // by route
	// idle is closed when the last handler returns; nil while nobody waits for that.
	idle chan struct{}
}

func (f *inflight) begin(route string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count == nil {
		f.count = map[string]int{}
	}
	f.count[route]++
}

func (f *inflight) end(route string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count[route]--; f.count[route] == 0 {
		delete(f.count, route)
	}
	if len(f.count) == 0 && f.idle != nil {
		close(f.idle)
		f.idle = nil
	}
}

// routes lists the routes of handlers that have not returned. When there are
// some, the channel is closed once there are none.
func (f *inflight) routes() ([]string, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.count) > 0 && f.idle == nil {
		f.idle = make(chan struct{})
	}
	return slices.Sorted(maps.Keys(f.count)), f.idle
}

// Drain waits until every handler has returned, or ctx ends, and lists the
// routes of those that have not. Unlike http.Server.Shutdown it waits for the
// handlers of websockets, too.
func (rt *Router) Drain(ctx context.Context) (left []string) {
	for {
		left, idle := rt.busy.routes()
		if len(left) == 0 {
			return nil
		}
		select {
		case <-idle:
		case <-ctx.Done():
			return left
		}
	}
}
