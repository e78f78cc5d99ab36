package prefect3

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/wire"
)

func (a *API) workPoolRoutes(r *api.Router) {
	r.Handle("POST", "/work_pools/", api.Handle(http.StatusCreated, a.createWorkPool))
	r.Handle("GET", "/work_pools/{name}", api.Handle(http.StatusOK, get[byName](a, workPool)))
	r.Handle("PATCH", "/work_pools/{name}", api.Handle(http.StatusNoContent, a.updateWorkPool))
	r.Handle("DELETE", "/work_pools/{name}", api.Handle(http.StatusNoContent, do[byName](a, a.Engine.DeleteWorkPool)))
	r.Handle("POST", "/work_pools/filter", api.Handle(http.StatusOK, list[workPoolList](a, workPools)))
	r.Handle("POST", "/work_pools/count", api.Handle(http.StatusOK, count[workPoolFilters](a, core.Tx.CountWorkPools)))
	r.Handle("POST", "/work_pools/{name}/concurrency_status", api.Handle(http.StatusOK, a.workPoolSlots))
	r.Handle("POST", "/work_pools/{name}/get_scheduled_flow_runs", api.Handle(http.StatusOK, a.pollWorkPool))
	r.Handle("POST", "/work_pools/{name}/workers/heartbeat", api.Handle(http.StatusNoContent, a.beatWorker))
	r.Handle("POST", "/work_pools/{name}/workers/filter", api.Handle(http.StatusOK, listInPool[workerList](a, each(core.Tx.FilterWorkers, client.WorkerOf))))
	r.Handle("DELETE", "/work_pools/{name}/workers/{worker}", api.Handle(http.StatusNoContent, a.deleteWorker))
	r.HandleOpen("GET", "/work_pools/{name}/workers/connect", api.Socket(a.workerChannel))
}

func (a *API) createWorkPool(ctx context.Context, in bodyIn[client.WorkPoolCreate]) (out client.WorkPool, err error) {
	b := in.Body
	p, err := a.Engine.CreateWorkPool(ctx, a.workspace(ctx), engine.NewWorkPool{
		Name: string(b.Name), Description: b.Description, Type: b.Type, BaseJobTemplate: template(b.BaseJobTemplate), IsPaused: b.IsPaused,
		ConcurrencyLimit: b.ConcurrencyLimit, StorageConfiguration: b.Storage.JSON(),
	})
	if err != nil {
		return out, err
	}
	return client.WorkPoolOf(p, new(int)), nil
}

// template is a base job template as it is stored.
func template(t client.JobTemplate) json.RawMessage {
	if len(t) == 0 {
		return json.RawMessage("{}")
	}
	return json.RawMessage(t)
}

// showWorkPool counts the slots in use where a limit asks for it.
func showWorkPool(tx core.Tx, p *core.WorkPool) (client.WorkPool, error) {
	if p.ConcurrencyLimit == nil {
		return client.WorkPoolOf(p, nil), nil
	}
	used, err := poolSlots(tx, p.ID)
	total := 0
	for _, n := range used {
		total += n
	}
	return client.WorkPoolOf(p, &total), err
}

func poolSlots(tx core.Tx, poolID core.ID) (map[core.ID]int, error) {
	queues, err := tx.WorkQueues(poolID)
	if err != nil {
		return nil, err
	}
	return tx.SlotsInUse(mapped(queues, func(q *core.WorkQueue) core.ID { return q.ID }), false)
}

func workPool(tx core.Tx, name string) (out client.WorkPool, err error) {
	p, err := tx.WorkPoolByName(name)
	if err != nil {
		return out, err
	}
	return showWorkPool(tx, p)
}

func workPools(tx core.Tx, q core.Query) ([]client.WorkPool, error) {
	found, err := tx.FilterWorkPools(q)
	if err != nil {
		return nil, err
	}
	out := make([]client.WorkPool, len(found))
	for i, p := range found {
		if out[i], err = showWorkPool(tx, p); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// workPoolFilters is the part of a body that selects pools.
type workPoolFilters struct {
	_         struct{}            `wire:"embed"`
	WorkPools *filter[ofWorkPool] `json:"work_pools"`
}

func (f workPoolFilters) where() selection { return where(f.WorkPools) }

type workPoolList struct {
	workPoolFilters
	page
	unordered
}

func (a *API) updateWorkPool(ctx context.Context, in nameIn[client.WorkPoolUpdate]) (struct{}, error) {
	b := in.Body
	change := engine.WorkPoolChange{Description: b.Description, IsPaused: b.IsPaused, ConcurrencyLimit: b.ConcurrencyLimit}
	if t, ok := b.BaseJobTemplate.Get(); ok {
		change.BaseJobTemplate = wire.Some(template(t))
	}
	change.StorageConfiguration = wire.Opt[json.RawMessage]{Set: b.Storage.Set, Null: b.Storage.Null}
	if s, ok := b.Storage.Get(); ok {
		change.StorageConfiguration = wire.Some(s.JSON())
	}
	return struct{}{}, a.Engine.UpdateWorkPool(ctx, a.workspace(ctx), in.Name, change)
}

type workPoolSlotsIn struct {
	Name string `path:"name"`
	Body struct {
		_ struct{} `wire:"embed"`
		numbered
		Runs int `json:"flow_run_limit" wire:"default=10,ge=0,le=200"`
	} `body:""`
}

func (a *API) workPoolSlots(ctx context.Context, in workPoolSlotsIn) (out client.PoolSlots, err error) {
	page, err := query(filters{}, "", in.Body.rows())
	if err != nil {
		return out, err
	}
	now := a.Now()
	err = a.view(ctx, func(tx core.Tx) error {
		pool, err := tx.WorkPoolByName(in.Name)
		if err != nil {
			return err
		}
		queues, err := tx.WorkQueues(pool.ID)
		if err != nil {
			return err
		}
		used, err := poolSlots(tx, pool.ID)
		if err != nil {
			return err
		}
		shown := pagesOf([]client.PoolQueueSlots{}, len(queues), page.Limit, in.Body.Page)
		out = client.PoolSlots{
			ConcurrencyLimit: pool.ConcurrencyLimit, Queues: []client.PoolQueueSlots{}, Count: shown.Count, Limit: page.Limit,
			Pages: shown.Pages, Page: shown.Page,
		}
		for _, n := range used {
			out.ActiveSlots += n
		}
		for _, q := range queues[min(page.Offset, len(queues)):min(page.Offset+page.Limit, len(queues))] {
			runs, err := tx.SlotHolders(q.ID, false, in.Body.Runs, 0)
			if err != nil {
				return err
			}
			out.Queues = append(out.Queues, client.PoolQueueSlots{
				QueueID: q.ID, QueueName: q.Name, ActiveSlots: used[q.ID], ConcurrencyLimit: q.ConcurrencyLimit,
				FlowRuns: holders(runs, now), FlowRunCount: used[q.ID],
			})
		}
		return nil
	})
	return out, missingAs(err, "Work pool '"+in.Name+"' not found.")
}

func holders(runs []*core.FlowRun, now time.Time) []client.SlotHolder {
	return mapped(runs, func(r *core.FlowRun) client.SlotHolder { return client.SlotHolderOf(r, now) })
}

type pollWorkPoolIn struct {
	Name string `path:"name"`
	Body struct {
		_      struct{}   `wire:"embed"`
		Queues []string   `json:"work_queue_names" wire:"nullable"`
		Before *wire.Time `json:"scheduled_before"`
		After  *wire.Time `json:"scheduled_after"`
		Limit  *int       `json:"limit"`
	} `body:""`
}

func (a *API) pollWorkPool(ctx context.Context, in pollWorkPoolIn) ([]client.WorkerFlowRun, error) {
	n, err := limit(in.Body.Limit)
	if err != nil {
		return nil, err
	}
	due, err := a.Engine.PollPool(ctx, a.workspace(ctx), engine.PoolPoll{
		Pool: in.Name, Queues: in.Body.Queues, Before: in.Body.Before.Ptr(), After: in.Body.After.Ptr(), Limit: n,
	})
	return mapped(due, func(r engine.ScheduledRun) client.WorkerFlowRun {
		return client.WorkerFlowRun{WorkPoolID: r.PoolID, WorkQueueID: r.QueueID, FlowRun: client.PolledRunOf(a.flowRunOf(r.Run), r.Run.QueueName)}
	}), err
}

type beatWorkerIn struct {
	Pool string `path:"name"`
	Body struct {
		_        struct{} `wire:"embed"`
		Name     string   `json:"name" wire:"required"`
		Interval *int     `json:"heartbeat_interval_seconds"`
	} `body:""`
	Request *http.Request
}

func (a *API) beatWorker(ctx context.Context, in beatWorkerIn) (struct{}, error) {
	life := in.Request.Header.Get(client.LifeHeader)
	return struct{}{}, a.Engine.BeatWorker(ctx, a.workspace(ctx), in.Pool, in.Body.Name, life, in.Body.Interval)
}

type workerList struct {
	Workers *filter[ofWorker] `json:"workers"`
	page
	unordered
}

func (b workerList) where() selection { return where(b.Workers) }

// listInPool is list for what belongs to a pool.
func listInPool[B listing, W any](a *API, find func(core.Tx, core.Query) ([]W, error)) func(context.Context, nameIn[B]) ([]W, error) {
	return func(ctx context.Context, in nameIn[B]) ([]W, error) {
		inPool := func(tx core.Tx, q core.Query) ([]W, error) {
			p, err := tx.WorkPoolByName(in.Name)
			if err != nil {
				return nil, err
			}
			q.Where[core.EntityWorkPool] = &core.Filter{Conds: []core.Cond{{Field: "id", Op: core.OpAny, Value: []core.ID{p.ID}}}}
			return find(tx, q)
		}
		return list[B](a, inPool)(ctx, bodyIn[B]{in.Body})
	}
}

type deleteWorkerIn struct {
	Pool   string `path:"name"`
	Worker string `path:"worker"`
}

func (a *API) deleteWorker(ctx context.Context, in deleteWorkerIn) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteWorker(ctx, a.workspace(ctx), in.Pool, in.Worker)
}
