package engine

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// AgentPool is the pool of queues that are named without one, and agentPoolType the type of
// pools that agents of older clients serve.
const (
	AgentPool     = "default-agent-pool"
	agentPoolType = "prefect-agent"
)

// NewWorkPool describes a pool to be made.
type NewWorkPool struct {
	Name                 string
	Description          *string
	Type                 string
	BaseJobTemplate      json.RawMessage
	IsPaused             bool
	ConcurrencyLimit     *int
	StorageConfiguration json.RawMessage
}

// WorkPoolChange is what is to change in a pool.
type WorkPoolChange struct {
	Description          wire.Opt[string]
	IsPaused             wire.Opt[bool]
	BaseJobTemplate      wire.Opt[json.RawMessage]
	ConcurrencyLimit     wire.Opt[int]
	StorageConfiguration wire.Opt[json.RawMessage]
}

// reserved reports whether only the server itself makes pools of the name.
func reserved(name string) bool { return strings.HasPrefix(strings.ToLower(name), "prefect") }

// CreateWorkPool makes a pool with its default queue. A name that is taken is a
// Conflict. Prefect REST: POST /work_pools/.
func (e *Engine) CreateWorkPool(ctx context.Context, ws core.WorkspaceID, in NewWorkPool) (p *core.WorkPool, err error) {
	if reserved(in.Name) {
		return nil, core.Errorf(core.Forbidden, "Work pools starting with 'Prefect' are reserved for internal use.")
	}
	now := e.now()
	return p, e.store.Update(ctx, ws, func(tx core.Tx) error {
		_, err := tx.WorkPoolByName(in.Name)
		if err == nil {
			return core.Errorf(core.Conflict, "A work pool with this name already exists.")
		}
		if !missing(err) {
			return err
		}
		if err := checkTemplate(in.BaseJobTemplate); err != nil {
			return err
		}
		if p, err = createWorkPool(tx, now, in); err != nil || p.Status == nil {
			return err
		}
		return tellPoolStatus(tx, now, nil, p)
	})
}

// createWorkPool makes a pool whose name is free.
func createWorkPool(tx core.Tx, now time.Time, in NewWorkPool) (*core.WorkPool, error) {
	p := &core.WorkPool{
		ID: core.NewID(now), Created: now, Updated: now, Name: in.Name, Description: in.Description, Type: in.Type,
		BaseJobTemplate: in.BaseJobTemplate, IsPaused: in.IsPaused, ConcurrencyLimit: in.ConcurrencyLimit,
		StorageConfiguration: in.StorageConfiguration,
	}
	if p.Type != agentPoolType {
		status := core.NotReady
		if p.IsPaused {
			status = core.PausedReady
		}
		p.Status = &status
	}
	queue := &core.WorkQueue{
		ID: core.NewID(now), Created: now, Updated: now, WorkPoolID: p.ID, Name: "default", Description: "The work pool's default queue.",
		Priority: 1, Status: core.NotReady, WorkPoolName: p.Name, WorkPoolType: p.Type,
	}
	p.DefaultQueueID = &queue.ID
	if err := tx.InsertWorkPool(p); err != nil {
		return nil, err
	}
	if err := tx.InsertWorkQueue(queue); err != nil {
		return nil, err
	}
	if err := tellQueue(tx, now, "created", queue, nil); err != nil {
		return nil, err
	}
	return p, tellPool(tx, now, "created", p, nil)
}

// UpdateWorkPool changes a pool. A status event tells of every change of
// is_paused, even to what it was. Prefect REST: PATCH /work_pools/{name}.
func (e *Engine) UpdateWorkPool(ctx context.Context, ws core.WorkspaceID, name string, in WorkPoolChange) error {
	if reserved(name) && (in.Description.Set || in.BaseJobTemplate.Set || in.StorageConfiguration.Set) {
		return core.Errorf(core.Forbidden, "Work pools starting with 'Prefect' are reserved for internal use "+
			"and can only be updated to set concurrency limits or pause.")
	}
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		p, err := tx.WorkPoolByName(name)
		if err != nil {
			return err
		}
		if in.StorageConfiguration.Null || in.IsPaused.Null {
			return integrityConflict() // a pool always has both
		}
		return updateWorkPool(tx, now, p, in)
	})
}

func updateWorkPool(tx core.Tx, now time.Time, p *core.WorkPool, in WorkPoolChange) error {
	before := *p
	assign(&p.Description, in.Description)
	assign(&p.ConcurrencyLimit, in.ConcurrencyLimit)
	p.BaseJobTemplate = in.BaseJobTemplate.Or(p.BaseJobTemplate)
	p.StorageConfiguration = in.StorageConfiguration.Or(p.StorageConfiguration)
	p.Updated = now
	paused, told := in.IsPaused.Get()
	told = told && p.Type != agentPoolType
	p.IsPaused = in.IsPaused.Or(p.IsPaused)
	if told {
		status, err := poolReadiness(tx, p.ID, paused)
		if err != nil {
			return err
		}
		setPoolStatus(p, now, status)
	}
	if err := tx.UpdateWorkPool(p); err != nil {
		return err
	}
	u := &updates{}
	u.compare("description", before.Description, p.Description)
	u.compare("base_job_template", before.BaseJobTemplate, p.BaseJobTemplate)
	u.compare("concurrency_limit", before.ConcurrencyLimit, p.ConcurrencyLimit)
	u.compare("storage_configuration", before.StorageConfiguration, p.StorageConfiguration)
	if len(u.Fields) > 0 {
		if err := tellPool(tx, now, "updated", p, u); err != nil {
			return err
		}
	}
	tx.Wake(core.TopicScheduledRuns)
	if !told {
		return nil
	}
	return tellPoolStatus(tx, now, &before, p)
}

// poolReadiness is the status of a pool that is paused or not any more.
func poolReadiness(tx core.Tx, poolID core.ID, paused bool) (core.Readiness, error) {
	if paused {
		return core.PausedReady, nil
	}
	online, err := tx.FilterWorkers(core.Query{Limit: 1, Where: map[core.Entity]*core.Filter{
		core.EntityWorkPool: {Conds: []core.Cond{{Field: "id", Op: core.OpAny, Value: []core.ID{poolID}}}},
		core.EntityWorker:   {Conds: []core.Cond{{Field: "status", Op: core.OpAny, Value: []string{string(core.WorkerOnline)}}}},
	}})
	if len(online) > 0 {
		return core.Ready, err
	}
	return core.NotReady, err
}

func setPoolStatus(p *core.WorkPool, now time.Time, s core.Readiness) {
	id := core.NewID(now)
	p.Status, p.LastStatusEventID = &s, &id
}

// DeleteWorkPool removes a pool with its queues and workers.
// Prefect REST: DELETE /work_pools/{name}.
func (e *Engine) DeleteWorkPool(ctx context.Context, ws core.WorkspaceID, name string) error {
	if reserved(name) {
		return core.Errorf(core.Forbidden, "Work pools starting with 'Prefect' are reserved for internal use and can not be deleted.")
	}
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		p, queues, err := poolAndQueues(tx, name)
		if err != nil {
			return err
		}
		if err := tx.DeleteWorkPool(p.ID); err != nil {
			return err
		}
		for _, q := range queues {
			if err := tellQueue(tx, now, "deleted", q, nil); err != nil {
				return err
			}
		}
		return tellPool(tx, now, "deleted", p, nil)
	})
}

// BeatWorker records that a worker lives; the pool becomes Ready. life is "" for
// one that does not say which of its lives it is.
// Prefect REST: POST /work_pools/{name}/workers/heartbeat.
func (e *Engine) BeatWorker(ctx context.Context, ws core.WorkspaceID, pool, worker, life string, interval *int) error {
	now := e.now()
	if len(life) > maxLife {
		life = ""
	}
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		p, err := tx.WorkPoolByName(pool)
		if err != nil {
			return err
		}
		return beatWorker(tx, now, p, worker, life, interval)
	})
}

func beatWorker(tx core.Tx, now time.Time, p *core.WorkPool, name, life string, interval *int) error {
	w := &core.Worker{
		ID: core.NewID(now), Created: now, Updated: now, WorkPoolID: p.ID, Name: name, LastHeartbeat: now,
		HeartbeatInterval: interval, Status: core.WorkerOnline,
	}
	if err := tx.BeatWorker(w); err != nil {
		return err
	}
	if err := prolongLife(tx, now, p.ID, name, life, interval); err != nil {
		return err
	}
	if p.Status == nil || *p.Status != core.NotReady {
		return nil
	}
	return changePoolStatus(tx, now, p, core.Ready)
}

// changePoolStatus stores a new status and tells of it.
func changePoolStatus(tx core.Tx, now time.Time, p *core.WorkPool, s core.Readiness) error {
	before := *p
	setPoolStatus(p, now, s)
	p.Updated = now
	if err := tx.UpdateWorkPool(p); err != nil {
		return err
	}
	return tellPoolStatus(tx, now, &before, p)
}

// DeleteWorker forgets a worker; the pool stays as it is.
// Prefect REST: DELETE /work_pools/{name}/workers/{name}.
func (e *Engine) DeleteWorker(ctx context.Context, ws core.WorkspaceID, pool, worker string) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		p, err := tx.WorkPoolByName(pool)
		if err != nil {
			return err
		}
		existed, err := tx.DeleteWorker(p.ID, worker)
		if err == nil && !existed {
			return core.Errorf(core.NotFound, "Worker not found.")
		}
		return err
	})
}

func kebab(s core.Readiness) string {
	return strings.ReplaceAll(strings.ToLower(string(s)), "_", "-")
}

// poolRole is an event's mention of a pool.
func poolRole(id core.ID, name, kind string) core.Labels {
	return core.Labels{
		{Key: core.ResourceID, Value: "prefect.work-pool." + id.String()},
		{Key: core.ResourceName, Value: name},
		{Key: "prefect.work-pool.type", Value: kind},
		{Key: core.ResourceRole, Value: "work-pool"},
	}
}

func tellPool(tx core.Tx, now time.Time, what string, p *core.WorkPool, u *updates) error {
	e := &core.Event{
		ID: core.NewID(now), Occurred: now, Received: now, Event: "prefect.work-pool." + what,
		Resource: poolRole(p.ID, p.Name, p.Type),
	}
	if u != nil {
		payload, err := u.MarshalJSON()
		if err != nil {
			return err
		}
		e.Payload = payload
		return tx.InsertEvents([]*core.Event{e})
	}
	if p.DefaultQueueID != nil {
		e.Related = append(e.Related, core.Labels{
			{Key: core.ResourceID, Value: "prefect.work-queue." + p.DefaultQueueID.String()},
			{Key: core.ResourceRole, Value: "default-queue"},
		})
	}
	block, _ := fieldOf(members(p.StorageConfiguration), "default_result_storage_block_id")
	var id core.ID
	if json.Unmarshal(block, &id) == nil && !id.IsZero() {
		e.Related = append(e.Related, core.Labels{
			{Key: core.ResourceID, Value: "prefect.block-document." + id.String()},
			{Key: core.ResourceRole, Value: "result-storage"},
		})
	}
	return tx.InsertEvents([]*core.Event{e})
}

// tellPoolStatus tells of the pool's status. The event follows the one that
// told of the status before.
func tellPoolStatus(tx core.Tx, now time.Time, before, p *core.WorkPool) error {
	if p.Status == nil {
		return nil
	}
	e := &core.Event{
		ID: core.NewID(now), Occurred: now, Received: now, Event: "prefect.work-pool." + kebab(*p.Status),
		Resource: poolRole(p.ID, p.Name, p.Type)[:3],
	}
	if p.LastStatusEventID != nil && before != nil {
		e.ID = *p.LastStatusEventID
		if before.LastStatusEventID != nil && now.Sub(before.Updated) < recentEvent {
			e.Follows = before.LastStatusEventID
		}
	}
	return tx.InsertEvents([]*core.Event{e})
}

// recentEvent is how long ago an event may be that another one names as the one it follows.
const recentEvent = 5 * time.Minute
