package prefect3

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/wire"
)

func (a *API) taskWorkerRoutes(r *api.Router) {
	r.Handle("POST", "/task_workers/filter", api.Handle(http.StatusOK, a.listTaskWorkers))
}

// taskWorkers remembers the task workers whose sockets this replica holds.
type taskWorkers struct {
	mu  sync.Mutex
	all map[string]*taskWorker
}

type taskWorker struct {
	keys map[string]bool
	seen time.Time
}

// observe notes that a worker is there and takes runs of the tasks.
func (w *taskWorkers) observe(id string, keys []string, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[string]*taskWorker{}
	}
	if w.all[id] == nil {
		w.all[id] = &taskWorker{keys: map[string]bool{}}
	}
	w.all[id].seen = now
	for _, k := range keys {
		w.all[id].keys[k] = true
	}
}

// forget removes a worker that has gone.
func (w *taskWorkers) forget(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.all, id)
}

// list shows the workers that take runs of one of the tasks, or all if no task is named.
func (w *taskWorkers) list(keys []string) []client.TaskWorker {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := []client.TaskWorker{}
	for id, t := range w.all {
		if len(keys) == 0 || slices.ContainsFunc(keys, func(k string) bool { return t.keys[k] }) {
			out = append(out, client.TaskWorker{Identifier: id, TaskKeys: slices.Sorted(maps.Keys(t.keys)), Timestamp: wire.FromTime(t.seen)})
		}
	}
	slices.SortFunc(out, func(a, b client.TaskWorker) int { return strings.Compare(a.Identifier, b.Identifier) })
	return out
}

// taskWorkerList is the body of POST /task_workers/filter.
type taskWorkerList struct {
	_      struct{} `wire:"embed"`
	Filter *struct {
		TaskKeys []string `json:"task_keys" wire:"required"`
	} `json:"task_worker_filter"`
}

// listTaskWorkers lists the processes that wait for background task runs.
// Prefect REST: POST /task_workers/filter.
func (a *API) listTaskWorkers(_ context.Context, in bodyIn[taskWorkerList]) ([]client.TaskWorker, error) {
	var keys []string
	if in.Body.Filter != nil {
		keys = in.Body.Filter.TaskKeys
	}
	return a.workers.list(keys), nil
}
