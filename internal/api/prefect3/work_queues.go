package prefect3

import (
	"context"
	"net/http"
	"time"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/wire"
)

// poolQueueRoutes serve the queues of a pool by name.
func (a *API) poolQueueRoutes(r *api.Router) {
	r.Handle("POST", "/work_pools/{name}/queues", api.Handle(http.StatusCreated, a.createPoolQueue))
	r.Handle("GET", "/work_pools/{name}/queues/{queue}", api.Handle(http.StatusOK, get[poolQueue](a, poolQueueByName)))
	r.Handle("PATCH", "/work_pools/{name}/queues/{queue}", api.Handle(http.StatusNoContent, a.updatePoolQueue))
	r.Handle("DELETE", "/work_pools/{name}/queues/{queue}", api.Handle(http.StatusNoContent, a.deletePoolQueue))
	r.Handle("POST", "/work_pools/{name}/queues/filter", api.Handle(http.StatusOK, listInPool[poolQueueList](a, workQueues(placedSlots))))
}

// workQueueRoutes serve queues by id, and those of older clients that name no pool.
func (a *API) workQueueRoutes(r *api.Router) {
	r.Handle("POST", "/work_queues/", api.Handle(http.StatusCreated, a.createWorkQueue))
	r.Handle("GET", "/work_queues/{id:uuid}", api.Handle(http.StatusOK, get[byID](a, workQueue)))
	r.Handle("PATCH", "/work_queues/{id:uuid}", api.Handle(http.StatusNoContent, a.updateWorkQueue))
	r.Handle("DELETE", "/work_queues/{id:uuid}", api.Handle(http.StatusNoContent, a.deleteWorkQueue))
	r.Handle("GET", "/work_queues/name/{name}", api.Handle(http.StatusOK, get[byName](a, agentQueueByName)))
	r.Handle("POST", "/work_queues/filter", api.Handle(http.StatusOK, list[workQueueList](a, workQueues(engine.QueueSlots))))
	r.Handle("POST", "/work_queues/{id:uuid}/get_runs", api.Handle(http.StatusOK, a.pollWorkQueue))
	r.Handle("POST", "/work_queues/{id:uuid}/concurrency_status", api.Handle(http.StatusOK, a.workQueueSlots))
	r.Handle("GET", "/work_queues/{id:uuid}/status", api.Handle(http.StatusOK, a.workQueueStatus))
}

func (a *API) createWorkQueue(ctx context.Context, in bodyIn[client.WorkQueueCreate]) (out client.WorkQueue, err error) {
	return a.makeWorkQueue(ctx, "", in.Body)
}

func (a *API) createPoolQueue(ctx context.Context, in nameIn[client.WorkQueueCreate]) (out client.WorkQueue, err error) {
	return a.makeWorkQueue(ctx, in.Name, in.Body)
}

// makeWorkQueue makes a queue of the pool; "" is that of the oldest clients.
func (a *API) makeWorkQueue(ctx context.Context, pool string, b client.WorkQueueCreate) (out client.WorkQueue, err error) {
	q := engine.NewWorkQueue{
		Name: b.Name, IsPaused: b.IsPaused, ConcurrencyLimit: b.ConcurrencyLimit, Priority: b.Priority, Filter: b.Filter.JSON(),
	}
	if b.Description != nil {
		q.Description = *b.Description
	}
	made, err := a.Engine.CreateWorkQueue(ctx, a.workspace(ctx), pool, q)
	if err != nil {
		return out, err
	}
	return client.WorkQueueOf(made, new(int)), nil
}

// slotCount counts the slots in use of each queue.
type slotCount func(core.Tx, []*core.WorkQueue) (map[core.ID]int, error)

// placedSlots counts as pools do: what is being cancelled has given its slot back.
func placedSlots(tx core.Tx, queues []*core.WorkQueue) (map[core.ID]int, error) {
	return tx.SlotsInUse(mapped(queues, func(q *core.WorkQueue) core.ID { return q.ID }), false)
}

// showWorkQueues counts the slots in use where limits ask for it.
func showWorkQueues(tx core.Tx, queues []*core.WorkQueue, count slotCount) ([]client.WorkQueue, error) {
	var limited []*core.WorkQueue
	for _, q := range queues {
		if q.ConcurrencyLimit != nil {
			limited = append(limited, q)
		}
	}
	used, err := count(tx, limited)
	return mapped(queues, func(q *core.WorkQueue) client.WorkQueue {
		n := used[q.ID]
		return client.WorkQueueOf(q, &n)
	}), err
}

// showWorkQueue shows a queue that was looked for.
func showWorkQueue(tx core.Tx, q *core.WorkQueue, err error, count slotCount) (out client.WorkQueue, _ error) {
	if err != nil {
		return out, err
	}
	shown, err := showWorkQueues(tx, []*core.WorkQueue{q}, count)
	if err != nil {
		return out, err
	}
	return shown[0], nil
}

func workQueue(tx core.Tx, id core.ID) (client.WorkQueue, error) {
	q, err := tx.WorkQueue(id)
	return showWorkQueue(tx, q, err, engine.QueueSlots)
}

// workQueues lists queues with the slots that count has.
func workQueues(count slotCount) func(core.Tx, core.Query) ([]client.WorkQueue, error) {
	return func(tx core.Tx, q core.Query) ([]client.WorkQueue, error) {
		found, err := tx.FilterWorkQueues(q)
		if err != nil {
			return nil, err
		}
		return showWorkQueues(tx, found, count)
	}
}

// workQueueFilters is the part of a body that selects queues.
type workQueueFilters struct {
	Queues *filter[ofWorkQueue] `json:"work_queues"`
}

func (f workQueueFilters) where() selection { return where(f.Queues) }

type (
	workQueueList struct {
		page
		workQueueFilters
		unordered
	}
	// poolQueueList orders the queues of a pool by their ranks.
	poolQueueList struct {
		workQueueFilters
		page
	}
)

func (poolQueueList) order() string { return "PRIORITY" }

type poolQueue struct {
	Pool  string `path:"name"`
	Queue string `path:"queue"`
}

func (in poolQueue) key() poolQueue { return in }

// poolQueueByName words alike that there is no such queue and no such pool.
func poolQueueByName(tx core.Tx, in poolQueue) (client.WorkQueue, error) {
	q, err := engine.QueueRef{Pool: in.Pool, Name: in.Queue}.Find(tx)
	return showWorkQueue(tx, q, missingAs(err, "Work pool queue '"+in.Pool+"/"+in.Queue+"' not found."), placedSlots)
}

func agentQueueByName(tx core.Tx, name string) (client.WorkQueue, error) {
	q, err := engine.QueueNamed(tx, name)
	return showWorkQueue(tx, q, missingAs(err, "work queue not found"), engine.QueueSlots)
}

func queueChange(b client.WorkQueueUpdate) engine.WorkQueueChange {
	c := engine.WorkQueueChange{
		Name: b.Name, Description: b.Description, ConcurrencyLimit: b.ConcurrencyLimit, Priority: b.Priority,
	}
	if paused, ok := b.IsPaused.Get(); ok {
		c.IsPaused = wire.Some(paused)
	}
	if t, ok := b.LastPolled.Get(); ok {
		c.LastPolled = wire.Some(t.Time)
	}
	if f, ok := b.Filter.Get(); ok {
		c.Filter = wire.Some(f.JSON())
	}
	return c
}

func (a *API) updateWorkQueue(ctx context.Context, in idIn[client.WorkQueueUpdate]) (struct{}, error) {
	err := a.Engine.UpdateWorkQueue(ctx, a.workspace(ctx), engine.QueueRef{ID: in.ID}, queueChange(in.Body))
	return struct{}{}, missingAs(err, "Work Queue "+in.ID.String()+" not found")
}

type updatePoolQueueIn struct {
	Pool  string                 `path:"name"`
	Queue string                 `path:"queue"`
	Body  client.WorkQueueUpdate `body:""`
}

func (a *API) updatePoolQueue(ctx context.Context, in updatePoolQueueIn) (struct{}, error) {
	ref := engine.QueueRef{Pool: in.Pool, Name: in.Queue}
	return struct{}{}, a.Engine.UpdateWorkQueue(ctx, a.workspace(ctx), ref, queueChange(in.Body))
}

func (a *API) deleteWorkQueue(ctx context.Context, in byID) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteWorkQueue(ctx, a.workspace(ctx), engine.QueueRef{ID: in.ID})
}

func (a *API) deletePoolQueue(ctx context.Context, in poolQueue) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteWorkQueue(ctx, a.workspace(ctx), engine.QueueRef{Pool: in.Pool, Name: in.Queue})
}

type pollWorkQueueIn struct {
	ID core.ID `path:"id"`
	// UI tells that a person looks, which is no poll.
	UI   *bool `header:"X-Prefect-Ui"`
	Body struct {
		_      struct{}   `wire:"embed"`
		Limit  *int       `json:"limit"`
		Before *wire.Time `json:"scheduled_before"`
	} `body:""`
}

func (a *API) pollWorkQueue(ctx context.Context, in pollWorkQueueIn) ([]client.FlowRun, error) {
	n, err := limit(in.Body.Limit)
	if err != nil {
		return nil, err
	}
	runs, err := a.Engine.PollQueue(ctx, a.workspace(ctx), in.ID, in.Body.Before.Ptr(), n, in.UI != nil && *in.UI)
	return mapped(runs, func(r *core.FlowRun) client.FlowRun {
		out := a.flowRunOf(r)
		// This route alone names the queue and not its pool.
		out.WorkPoolID, out.WorkPoolName = nil, nil
		return out
	}), missingException(err, "Work queue with id "+in.ID.String()+" not found.")
}

func (a *API) workQueueSlots(ctx context.Context, in idIn[numbered]) (out client.QueueSlots, err error) {
	page, err := query(filters{}, "", in.Body.rows())
	if err != nil {
		return out, err
	}
	now := a.Now()
	err = a.view(ctx, func(tx core.Tx) error {
		q, err := tx.WorkQueue(in.ID)
		if err != nil {
			return err
		}
		used, err := tx.SlotsInUse([]core.ID{q.ID}, true)
		if err != nil {
			return err
		}
		runs, err := tx.SlotHolders(q.ID, true, page.Limit, page.Offset)
		shown := pagesOf(holders(runs, now), used[q.ID], page.Limit, in.Body.Page)
		out = client.QueueSlots{
			ActiveSlots: shown.Count, ConcurrencyLimit: q.ConcurrencyLimit, FlowRuns: shown.Results, Count: shown.Count, Limit: page.Limit,
			Pages: shown.Pages, Page: shown.Page,
		}
		return err
	})
	return out, missingAs(err, "Work queue not found.")
}

// healthyPoll is how long ago the last poll of a healthy queue may be.
const healthyPoll = 60 * time.Second

func (a *API) workQueueStatus(ctx context.Context, in byID) (out client.QueueStatus, err error) {
	err = a.view(ctx, func(tx core.Tx) error {
		q, err := tx.WorkQueue(in.ID)
		if err != nil {
			return err
		}
		late, err := tx.CountFlowRuns(core.Query{Where: map[core.Entity]*core.Filter{
			core.EntityFlowRun:   {Conds: []core.Cond{{Field: "state.name", Op: core.OpAny, Value: []string{core.NameLate}}}},
			core.EntityWorkQueue: {Conds: []core.Cond{{Field: "id", Op: core.OpAny, Value: []core.ID{in.ID}}}},
		}})
		out = client.QueueStatus{
			Healthy:  late == 0 && q.LastPolled != nil && a.Now().Sub(*q.LastPolled) <= healthyPoll,
			LateRuns: late, LastPolled: wire.FromTimePtr(q.LastPolled),
			Policy: client.QueueHealthPolicy{MaximumSecondsSincePoll: int(healthyPoll.Seconds())},
		}
		return err
	})
	return out, missingException(err, "Work queue with id "+in.ID.String()+" not found")
}
