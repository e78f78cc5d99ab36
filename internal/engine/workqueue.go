package engine

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// NewWorkQueue describes a queue to be made.
type NewWorkQueue struct {
	Name             string
	Description      string
	IsPaused         bool
	ConcurrencyLimit *int
	// Priority nil is the first number that no queue of the pool has.
	Priority *int
	Filter   json.RawMessage
}

// WorkQueueChange is what is to change in a queue.
type WorkQueueChange struct {
	Name             wire.Opt[string]
	Description      wire.Opt[string]
	IsPaused         wire.Opt[bool]
	ConcurrencyLimit wire.Opt[int]
	Priority         wire.Opt[int]
	LastPolled       wire.Opt[time.Time]
	Filter           wire.Opt[json.RawMessage]
}

// CreateWorkQueue makes a queue; without a pool it belongs to the agents' one,
// which is made if need be. Prefect REST: POST /work_pools/{name}/queues and
// POST /work_queues/.
func (e *Engine) CreateWorkQueue(ctx context.Context, ws core.WorkspaceID, pool string, in NewWorkQueue) (q *core.WorkQueue, err error) {
	now := e.now()
	return q, e.store.Update(ctx, ws, func(tx core.Tx) error {
		taken := "A work queue with this name already exists in work pool {work_pool_name!r}." // as the reference writes it
		var p *core.WorkPool
		if pool == "" {
			taken = "A work queue with this name already exists."
			var made bool
			if p, made, err = agentPoolOrNew(tx, now); err != nil {
				return err
			}
			if made && in.Name == "default" {
				q, err = tx.WorkQueue(*p.DefaultQueueID)
				return err
			}
			if made {
				now = now.Add(time.Microsecond) // younger than the pool's default queue
			}
		} else if p, err = tx.WorkPoolByName(pool); err != nil {
			return err
		}
		queues, err := tx.WorkQueues(p.ID)
		if err != nil {
			return err
		}
		if named(queues, in.Name) != nil {
			return core.Errorf(core.Conflict, "%s", taken)
		}
		q, err = createWorkQueue(tx, now, p, queues, in)
		return err
	})
}

func named(queues []*core.WorkQueue, name string) *core.WorkQueue {
	for _, q := range queues {
		if q.Name == name {
			return q
		}
	}
	return nil
}

func createWorkQueue(tx core.Tx, now time.Time, p *core.WorkPool, others []*core.WorkQueue, in NewWorkQueue) (*core.WorkQueue, error) {
	q := &core.WorkQueue{
		ID: core.NewID(now), Created: now, Updated: now, WorkPoolID: p.ID, Name: in.Name, Description: in.Description,
		IsPaused: in.IsPaused, ConcurrencyLimit: in.ConcurrencyLimit, Status: core.NotReady, Filter: in.Filter,
		WorkPoolName: p.Name, WorkPoolType: p.Type,
	}
	if in.Priority == nil {
		q.Priority = freePriority(others)
		if err := tx.InsertWorkQueue(q); err != nil {
			return nil, err
		}
		return q, tellQueue(tx, now, "created", q, nil)
	}
	q.Priority = *in.Priority
	if err := tx.InsertWorkQueue(q); err != nil {
		return nil, err
	}
	if err := storePriorities(tx, now, append(slices.Clone(others), q), q.ID); err != nil {
		return nil, err
	}
	return q, tellQueue(tx, now, "created", q, nil)
}

// freePriority is the first rank that is not taken.
func freePriority(queues []*core.WorkQueue) int {
	taken := make([]int, 0, len(queues))
	for _, q := range queues {
		taken = append(taken, q.Priority)
	}
	slices.Sort(taken)
	for i, p := range taken {
		if p != i+1 {
			return i + 1
		}
	}
	if len(taken) == 0 {
		return 1
	}
	return taken[len(taken)-1] + 1
}

// rankQueues makes the priorities of a pool's queues distinct again after those
// of moved ones were set: others give way downwards, by as little as will do.
func rankQueues(queues []*core.WorkQueue, moved core.ID) {
	slices.SortStableFunc(queues, func(a, b *core.WorkQueue) int {
		if a.Priority != b.Priority {
			return a.Priority - b.Priority
		}
		switch moved {
		case a.ID:
			return -1
		case b.ID:
			return 1
		}
		return 0
	})
	last := 0
	for _, q := range queues {
		if q.Priority <= last {
			q.Priority = last + 1
		}
		last = q.Priority
	}
}

// storePriorities ranks the queues and stores those that moved.
func storePriorities(tx core.Tx, now time.Time, queues []*core.WorkQueue, moved core.ID) error {
	before := map[core.ID]int{}
	for _, q := range queues {
		before[q.ID] = q.Priority
	}
	rankQueues(queues, moved)
	for _, q := range queues {
		if q.Priority == before[q.ID] {
			continue
		}
		q.Updated = now
		if err := tx.UpdateWorkQueue(q); err != nil {
			return err
		}
	}
	return nil
}

// poolAndQueues returns the pool of the name and its queues.
func poolAndQueues(tx core.Tx, name string) (*core.WorkPool, []*core.WorkQueue, error) {
	p, err := tx.WorkPoolByName(name)
	if err != nil {
		return nil, nil, err
	}
	queues, err := tx.WorkQueues(p.ID)
	return p, queues, err
}

// queueOrNew returns the pool's queue of the name, made if it is not there.
func queueOrNew(tx core.Tx, now time.Time, pool, name string) (*core.WorkQueue, error) {
	p, err := tx.WorkPoolByName(pool)
	if err != nil {
		return nil, err
	}
	return queueIn(tx, now, p, NewWorkQueue{Name: name})
}

// queueIn returns the pool's queue of the name, made as described if it is not there.
func queueIn(tx core.Tx, now time.Time, p *core.WorkPool, in NewWorkQueue) (*core.WorkQueue, error) {
	queues, err := tx.WorkQueues(p.ID)
	if err != nil {
		return nil, err
	}
	if q := named(queues, in.Name); q != nil {
		return q, nil
	}
	return createWorkQueue(tx, now, p, queues, in)
}

// agentPoolOrNew returns the agents' pool and reports whether it was made.
func agentPoolOrNew(tx core.Tx, now time.Time) (*core.WorkPool, bool, error) {
	p, err := tx.WorkPoolByName(AgentPool)
	if !missing(err) {
		return p, false, err
	}
	p, err = createWorkPool(tx, now, NewWorkPool{
		Name: AgentPool, Type: agentPoolType, BaseJobTemplate: json.RawMessage("{}"), StorageConfiguration: json.RawMessage("{}"),
	})
	return p, true, err
}

// agentQueue returns the queue that a client means who names no pool, made in the
// agents' pool if there is none.
func agentQueue(tx core.Tx, now time.Time, name string) (*core.WorkQueue, error) {
	q, err := QueueNamed(tx, name)
	if !missing(err) {
		return q, err
	}
	p, made, err := agentPoolOrNew(tx, now)
	if err != nil {
		return nil, err
	}
	if made {
		now = now.Add(time.Microsecond) // younger than the pool's default queue
	}
	first := 1
	return queueIn(tx, now, p, NewWorkQueue{Name: name, Priority: &first})
}

// QueueNamed returns the queue of the name in the agents' pool, or, while there
// is no such pool, the oldest one of the name in any; else a NotFound error.
func QueueNamed(tx core.Tx, name string) (*core.WorkQueue, error) {
	_, err := tx.WorkPoolByName(AgentPool)
	if err == nil {
		return QueueRef{Pool: AgentPool, Name: name}.Find(tx)
	}
	if !missing(err) {
		return nil, err
	}
	q := core.On(core.EntityWorkQueue, core.Cond{Field: "name", Op: core.OpAny, Value: []string{name}})
	q.Sort, q.Limit = "CREATED", 1
	found, err := tx.FilterWorkQueues(q)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errNoQueue(AgentPool, name)
	}
	return found[0], nil
}

// QueueRef names a queue by its id, or by the names of its pool and its own.
type QueueRef struct {
	ID   core.ID
	Pool string
	Name string
}

// Find returns the queue; what is missing is worded as the reference does.
func (r QueueRef) Find(tx core.Tx) (*core.WorkQueue, error) {
	if !r.ID.IsZero() {
		return tx.WorkQueue(r.ID)
	}
	_, queues, err := poolAndQueues(tx, r.Pool)
	if err != nil {
		return nil, err
	}
	if q := named(queues, r.Name); q != nil {
		return q, nil
	}
	return nil, errNoQueue(r.Pool, r.Name)
}

func errNoQueue(pool, name string) error {
	return core.Errorf(core.NotFound, "Work pool queue '%s/%s' not found.", pool, name)
}

// UpdateWorkQueue changes a queue. Prefect REST: PATCH
// /work_pools/{name}/queues/{name} and PATCH /work_queues/{id}.
func (e *Engine) UpdateWorkQueue(ctx context.Context, ws core.WorkspaceID, ref QueueRef, in WorkQueueChange) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		q, err := ref.Find(tx)
		if err != nil {
			return err
		}
		queues, err := tx.WorkQueues(q.WorkPoolID)
		if err != nil {
			return err
		}
		none := in.Name.Null || in.Description.Null || in.Priority.Null
		if name := in.Name.Or(q.Name); none || name != q.Name && named(queues, name) != nil {
			return integrityConflict()
		}
		return updateWorkQueue(tx, now, q, queues, in)
	})
}

func updateWorkQueue(tx core.Tx, now time.Time, q *core.WorkQueue, queues []*core.WorkQueue, in WorkQueueChange) error {
	before := *q
	q.Updated = now
	q.Name = in.Name.Or(q.Name)
	q.Description = in.Description.Or(q.Description)
	q.Priority = in.Priority.Or(q.Priority)
	assign(&q.ConcurrencyLimit, in.ConcurrencyLimit)
	assign(&q.LastPolled, in.LastPolled)
	assignRaw(&q.Filter, in.Filter)
	if paused, ok := in.IsPaused.Get(); ok {
		q.IsPaused = paused
		switch {
		case paused:
			q.Status = core.PausedReady
		case q.Status == core.PausedReady && q.LastPolled != nil && now.Sub(*q.LastPolled) < pollTimeout:
			q.Status = core.Ready
		case q.Status == core.PausedReady:
			q.Status = core.NotReady
		}
	}
	u := &updates{}
	u.compare("name", before.Name, q.Name)
	u.compare("description", before.Description, q.Description)
	u.compare("concurrency_limit", before.ConcurrencyLimit, q.ConcurrencyLimit)
	u.compare("priority", before.Priority, q.Priority)
	if err := tx.UpdateWorkQueue(q); err != nil {
		return err
	}
	if in.Priority.Set {
		others := slices.DeleteFunc(slices.Clone(queues), func(o *core.WorkQueue) bool { return o.ID == q.ID })
		if err := storePriorities(tx, now, append(others, q), q.ID); err != nil {
			return err
		}
	}
	tx.Wake(core.TopicScheduledRuns)
	if len(u.Fields) > 0 {
		if err := tellQueue(tx, now, "updated", q, u); err != nil {
			return err
		}
	}
	if q.Status == before.Status {
		return nil
	}
	return tellQueue(tx, now, kebab(q.Status), q, nil)
}

// DeleteWorkQueue removes a queue; those below it move up only where they must.
// A pool's default queue cannot go: its pool refers to it.
// Prefect REST: DELETE /work_pools/{name}/queues/{name} and /work_queues/{id}.
func (e *Engine) DeleteWorkQueue(ctx context.Context, ws core.WorkspaceID, ref QueueRef) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		q, err := ref.Find(tx)
		if err != nil {
			return err
		}
		p, err := tx.WorkPool(q.WorkPoolID)
		if err != nil {
			return err
		}
		if p.DefaultQueueID != nil && *p.DefaultQueueID == q.ID {
			return integrityConflict()
		}
		if err := tx.DeleteWorkQueue(q.ID); err != nil {
			return err
		}
		return tellQueue(tx, now, "deleted", q, nil)
	})
}

func tellQueue(tx core.Tx, now time.Time, what string, q *core.WorkQueue, u *updates) error {
	e := &core.Event{
		ID: core.NewID(now), Occurred: now, Received: now, Event: "prefect.work-queue." + what,
		Resource: core.Labels{
			{Key: core.ResourceID, Value: "prefect.work-queue." + q.ID.String()},
			{Key: core.ResourceName, Value: q.Name},
			{Key: core.ResourceRole, Value: "work-queue"},
		},
		Related: []core.Labels{poolRole(q.WorkPoolID, q.WorkPoolName, q.WorkPoolType)},
	}
	if u != nil {
		payload, err := u.MarshalJSON()
		if err != nil {
			return err
		}
		e.Payload = payload
	}
	return tx.InsertEvents([]*core.Event{e})
}
