package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// queueFilter is what a queue of the oldest clients takes runs by, wherever the
// runs are placed. Prefect REST: QueueFilter.
type queueFilter struct {
	Tags []string `json:"tags"`
	// DeploymentIDs nil selects the runs of all deployments, an empty list those of none.
	DeploymentIDs []core.ID `json:"deployment_ids"`
}

// filterOf reads the queue's filter; nil when it takes the runs that are placed there.
func filterOf(q *core.WorkQueue) (*queueFilter, error) {
	if len(q.Filter) == 0 || string(q.Filter) == "null" {
		return nil, nil
	}
	f := &queueFilter{}
	if err := json.Unmarshal(q.Filter, f); err != nil {
		return nil, fmt.Errorf("filter of work queue %s: %w", q.ID, err)
	}
	return f, nil
}

// query selects the filter's runs in states of the types.
func (f *queueFilter) query(types ...core.StateType) core.Query {
	conds := []core.Cond{
		{Field: "deployment_id", Op: core.OpIsNull, Value: false},
		{Field: "state.type", Op: core.OpAny, Value: types},
	}
	if len(f.Tags) > 0 {
		conds = append(conds, core.Cond{Field: "tags", Op: core.OpAll, Value: f.Tags})
	}
	if f.DeploymentIDs != nil {
		conds = append(conds, core.Cond{Field: "deployment_id", Op: core.OpAny, Value: f.DeploymentIDs})
	}
	return core.On(core.EntityFlowRun, conds...)
}

// takes reports whether the queue may take the deployment's runs.
func (f *queueFilter) takes(d *core.Deployment) bool {
	missing := func(tag string) bool { return !slices.Contains(d.Tags, tag) }
	return !slices.ContainsFunc(f.Tags, missing) && (len(f.DeploymentIDs) == 0 || slices.Contains(f.DeploymentIDs, d.ID))
}

// due lists the filter's runs that are due, no more than the queue has slots for.
func (f *queueFilter) due(tx core.Tx, now time.Time, q *core.WorkQueue, before *time.Time, limit int) ([]*core.FlowRun, error) {
	if q.ConcurrencyLimit != nil {
		used, err := tx.CountFlowRuns(f.query(core.Pending, core.Running))
		if err != nil {
			return nil, err
		}
		limit = min(limit, *q.ConcurrencyLimit-used)
	}
	if q.IsPaused || limit <= 0 {
		return nil, nil
	}
	query := f.query(core.Scheduled)
	query.Sort, query.Limit = "NEXT_SCHEDULED_START_TIME_ASC", limit
	if before != nil {
		where := query.Where[core.EntityFlowRun]
		where.Conds = append(where.Conds, core.Cond{Field: "next_scheduled_start_time", Op: core.OpBefore, Value: *before})
	}
	runs, err := tx.FilterFlowRuns(query)
	if err != nil {
		return nil, err
	}
	return withoutHeld(tx, now, runs)
}

// QueueSlots counts the runs that hold a slot of each queue that is asked for by
// itself, not by its pool: what is being cancelled counts, and a queue with a
// filter has the slots of the runs that it selects.
func QueueSlots(tx core.Tx, queues []*core.WorkQueue) (map[core.ID]int, error) {
	used, err := tx.SlotsInUse(queueIDs(queues), true)
	if err != nil {
		return nil, err
	}
	for _, q := range queues {
		f, err := filterOf(q)
		if err != nil {
			return nil, err
		}
		if f == nil {
			continue
		}
		if used[q.ID], err = tx.CountFlowRuns(f.query(core.Pending, core.Running)); err != nil {
			return nil, err
		}
	}
	return used, nil
}

// QueuesFor leaves of the queues those that may take the deployment's runs.
// Prefect REST: GET /deployments/{id}/work_queue_check.
func QueuesFor(d *core.Deployment, queues []*core.WorkQueue) ([]*core.WorkQueue, error) {
	var kept []*core.WorkQueue
	for _, q := range queues {
		f, err := filterOf(q)
		if err != nil {
			return nil, err
		}
		if f == nil || f.takes(d) {
			kept = append(kept, q)
		}
	}
	return kept, nil
}
