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
	r.Handle("GET", "/work_pools/{name}", api.Handle(http.StatusOK, a.readWorkPool))
	r.Handle("PATCH", "/work_pools/{name}", api.Handle(http.StatusNoContent, a.updateWorkPool))
	r.Handle("DELETE", "/work_pools/{name}", api.Handle(http.StatusNoContent, a.deleteWorkPool))
	r.Handle("POST", "/work_pools/filter", api.Handle(http.StatusOK, a.filterWorkPools))
	r.Handle("POST", "/work_pools/count", api.Handle(http.StatusOK, a.countWorkPools))
	r.Handle("POST", "/work_pools/{name}/concurrency_status", api.Handle(http.StatusOK, a.workPoolSlots))
	r.Handle("POST", "/work_pools/{name}/get_scheduled_flow_runs", api.Handle(http.StatusOK, a.pollWorkPool))
	r.Handle("POST", "/work_pools/{name}/workers/heartbeat", api.Handle(http.StatusNoContent, a.beatWorker))
	r.Handle("POST", "/work_pools/{name}/workers/filter", api.Handle(http.StatusOK, a.filterWorkers))
	r.Handle("DELETE", "/work_pools/{name}/workers/{worker}", api.Handle(http.StatusNoContent, a.deleteWorker))
	r.HandleOpen("GET", "/work_pools/{name}/workers/connect", api.Socket(a.workerChannel))
}

type createWorkPoolIn struct {
	Body client.WorkPoolCreate `body:""`
}

func (a *API) createWorkPool(ctx context.Context, in createWorkPoolIn) (out client.WorkPool, err error) {
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

func (a *API) readWorkPool(ctx context.Context, in byName) (out client.WorkPool, err error) {
	err = a.view(ctx, func(tx core.Tx) error {
		p, err := tx.WorkPoolByName(in.Name)
		if err != nil {
			return err
		}
		out, err = showWorkPool(tx, p)
		return err
	})
	return out, err
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

type updateWorkPoolIn struct {
	Name string                `path:"name"`
	Body client.WorkPoolUpdate `body:""`
}

func (a *API) updateWorkPool(ctx context.Context, in updateWorkPoolIn) (struct{}, error) {
	b := in.Body
	change := engine.WorkPoolChange{Description: b.Description, IsPaused: b.IsPaused, ConcurrencyLimit: b.ConcurrencyLimit}
	if t, ok := b.BaseJobTemplate.Get(); ok {
		change.BaseJobTemplate = wire.Some(template(t))
	}
	if s, ok := b.Storage.Get(); ok {
		change.StorageConfiguration = wire.Some(s.JSON())
	}
	return struct{}{}, a.Engine.UpdateWorkPool(ctx, a.workspace(ctx), in.Name, change)
}

func (a *API) deleteWorkPool(ctx context.Context, in byName) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteWorkPool(ctx, a.workspace(ctx), in.Name)
}

type filterWorkPoolsIn struct {
	Body struct {
		_         struct{}        `wire:"embed"`
		WorkPools *workPoolFilter `json:"work_pools"`
		page
	} `body:""`
}

func (a *API) filterWorkPools(ctx context.Context, in filterWorkPoolsIn) (out []client.WorkPool, err error) {
	q, err := query(filters{WorkPools: in.Body.WorkPools}, "", in.Body.page)
	if err != nil {
		return nil, err
	}
	err = a.view(ctx, func(tx core.Tx) error {
		found, err := tx.FilterWorkPools(q)
		if err != nil {
			return err
		}
		out = make([]client.WorkPool, len(found))
		for i, p := range found {
			if out[i], err = showWorkPool(tx, p); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

type countWorkPoolsIn struct {
	Body struct {
		_         struct{}        `wire:"embed"`
		WorkPools *workPoolFilter `json:"work_pools"`
	} `body:""`
}

func (a *API) countWorkPools(ctx context.Context, in countWorkPoolsIn) (n int, err error) {
	f := filters{WorkPools: in.Body.WorkPools}
	err = a.view(ctx, func(tx core.Tx) (err error) {
		n, err = tx.CountWorkPools(core.Query{Where: f.where()})
		return err
	})
	return n, err
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
	p, size, err := in.Body.offset()
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
		shown := pagesOf([]client.PoolQueueSlots{}, len(queues), size, in.Body.Page)
		out = client.PoolSlots{
			ConcurrencyLimit: pool.ConcurrencyLimit, Queues: []client.PoolQueueSlots{}, Count: shown.Count, Limit: size,
			Pages: shown.Pages, Page: shown.Page,
		}
		for _, n := range used {
			out.ActiveSlots += n
		}
		for _, q := range queues[min(p.Offset, len(queues)):min(p.Offset+size, len(queues))] {
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
		return client.WorkerFlowRun{WorkPoolID: r.PoolID, WorkQueueID: r.QueueID, FlowRun: client.PolledRunOf(a.flowRunOf(r.Run))}
	}), err
}

type beatWorkerIn struct {
	Pool string `path:"name"`
	Body struct {
		_        struct{} `wire:"embed"`
		Name     string   `json:"name" wire:"required"`
		Interval *int     `json:"heartbeat_interval_seconds"`
	} `body:""`
}

func (a *API) beatWorker(ctx context.Context, in beatWorkerIn) (struct{}, error) {
	return struct{}{}, a.Engine.BeatWorker(ctx, a.workspace(ctx), in.Pool, in.Body.Name, in.Body.Interval)
}

type filterWorkersIn struct {
	Pool string `path:"name"`
	Body struct {
		_       struct{}      `wire:"embed"`
		Workers *workerFilter `json:"workers"`
		page
	} `body:""`
}

func (a *API) filterWorkers(ctx context.Context, in filterWorkersIn) (out []client.Worker, err error) {
	q, err := query(filters{}, "", in.Body.page)
	if err != nil {
		return nil, err
	}
	if f := in.Body.Workers; f != nil {
		q.Where[core.EntityWorker] = &f.Filter
	}
	err = a.view(ctx, func(tx core.Tx) error {
		p, err := tx.WorkPoolByName(in.Pool)
		if err != nil {
			return err
		}
		q.Where[core.EntityWorkPool] = inPool(p.ID)
		found, err := tx.FilterWorkers(q)
		out = mapped(found, client.WorkerOf)
		return err
	})
	return out, err
}

// inPool selects the pool with the id.
func inPool(id core.ID) *core.Filter {
	return &core.Filter{Conds: []core.Cond{{Field: "id", Op: core.OpAny, Value: []core.ID{id}}}}
}

type deleteWorkerIn struct {
	Pool   string `path:"name"`
	Worker string `path:"worker"`
}

func (a *API) deleteWorker(ctx context.Context, in deleteWorkerIn) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteWorker(ctx, a.workspace(ctx), in.Pool, in.Worker)
}
