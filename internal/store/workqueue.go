package store

import (
	"math"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

const workQueueColumns = `wq.id, wq.created, wq.updated, wq.work_pool_id, wq.name, wq.description, wq.is_paused, wq.concurrency_limit,
	wq.priority, wq.last_polled, wq.status, wq.filter, qp.name, qp.type`

const workQueueJoins = "JOIN work_pool qp ON qp.id = wq.work_pool_id"

const workQueueSelect = "SELECT " + workQueueColumns + " FROM work_queue wq " + workQueueJoins + " WHERE wq.ws = ? AND "

// holdsSlot is true for runs that hold a slot of their queue or are about to
// give it back. It is the condition of the index flow_run_slots, word for word:
// for IN with three values SQLite would fill a table at each write of a run.
const holdsSlot = "(fr.state_type = 'PENDING' OR fr.state_type = 'RUNNING' OR fr.state_type = 'CANCELLING')"

// maxQueues bounds how many queues of a pool are read at once.
const maxQueues = 10_000

func scanWorkQueue(r rows) (*core.WorkQueue, error) {
	q := &core.WorkQueue{}
	return q, r.Scan(&q.ID, timeInto{&q.Created}, timeInto{&q.Updated}, &q.WorkPoolID, &q.Name, &q.Description, &q.IsPaused,
		&q.ConcurrencyLimit, &q.Priority, timePtrInto{&q.LastPolled}, &q.Status, rawInto{&q.Filter}, &q.WorkPoolName, &q.WorkPoolType)
}

// InsertWorkQueue implements core.WorkQueueTx.
func (t *tx) InsertWorkQueue(q *core.WorkQueue) error {
	return t.exec(`INSERT INTO work_queue (id, ws, created, updated, work_pool_id, name, description, is_paused, concurrency_limit,
		priority, last_polled, status, filter) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		q.ID, int64(t.ws), micros(q.Created), micros(q.Updated), q.WorkPoolID, q.Name, q.Description, q.IsPaused,
		q.ConcurrencyLimit, q.Priority, microsPtr(q.LastPolled), string(q.Status), text(q.Filter))
}

// WorkQueue implements core.WorkQueueTx.
func (t *tx) WorkQueue(id core.ID) (*core.WorkQueue, error) {
	return one(t, core.Errorf(core.NotFound, "work queue not found"), scanWorkQueue,
		workQueueSelect+"wq.id = ?"+t.lock("wq"), int64(t.ws), id)
}

// WorkQueues implements core.WorkQueueTx.
func (t *tx) WorkQueues(poolID core.ID) ([]*core.WorkQueue, error) {
	return list(t, scanWorkQueue, workQueueSelect+"wq.work_pool_id = ? ORDER BY wq.priority, wq.id LIMIT ?", int64(t.ws), poolID, maxQueues)
}

// UpdateWorkQueue implements core.WorkQueueTx.
func (t *tx) UpdateWorkQueue(q *core.WorkQueue) error {
	return t.exec(`UPDATE work_queue SET updated = ?, name = ?, description = ?, is_paused = ?, concurrency_limit = ?, priority = ?,
		last_polled = ?, status = ?, filter = ? WHERE ws + 0 = ? AND id = ?`,
		micros(q.Updated), q.Name, q.Description, q.IsPaused, q.ConcurrencyLimit, q.Priority, microsPtr(q.LastPolled),
		string(q.Status), text(q.Filter), int64(t.ws), q.ID)
}

// DeleteWorkQueue implements core.WorkQueueTx.
func (t *tx) DeleteWorkQueue(id core.ID) error {
	for _, q := range []string{
		"UPDATE flow_run SET work_queue_id = NULL WHERE ws + 0 = ? AND work_queue_id = ?",
		"UPDATE deployment SET work_queue_id = NULL WHERE ws + 0 = ? AND work_queue_id = ?",
		"DELETE FROM work_queue WHERE ws + 0 = ? AND id = ?",
	} {
		if err := t.exec(q, int64(t.ws), id); err != nil {
			return err
		}
	}
	return nil
}

// FilterWorkQueues implements core.WorkQueueTx.
func (t *tx) FilterWorkQueues(q core.Query) ([]*core.WorkQueue, error) {
	return filter(t, core.EntityWorkQueue, workQueueColumns, workQueueJoins, q, scanWorkQueue)
}

// PollWorkQueues implements core.WorkQueueTx. The queues' `updated` stays: a poll is no change.
func (t *tx) PollWorkQueues(ids []core.ID, at time.Time) error {
	for _, id := range ids {
		if err := t.exec("UPDATE work_queue SET last_polled = ? WHERE ws + 0 = ? AND id = ?", micros(at), int64(t.ws), id); err != nil {
			return err
		}
	}
	return nil
}

// SilentWorkQueues implements core.WorkQueueTx.
func (t *tx) SilentWorkQueues(since time.Time, limit int) ([]core.ID, error) {
	return list(t, scanID, `SELECT wq.id FROM work_queue wq WHERE wq.ws = ? AND wq.status = 'READY'
		AND (wq.last_polled IS NULL OR wq.last_polled < ?) LIMIT ?`, int64(t.ws), micros(since), limit)
}

// DueFlowRuns implements core.WorkQueueTx. The state's type is in the text, not an
// argument, so that SQLite can use the partial indexes. Runs that retry in their own process
// are nobody else's; the policy is stored compact, so its text can be searched.
func (t *tx) DueFlowRuns(q core.DueRuns) ([]*core.FlowRun, error) {
	before, after := int64(math.MaxInt64), int64(math.MinInt64)
	if q.Before != nil {
		before = micros(*q.Before)
	}
	if q.After != nil {
		after = micros(*q.After)
	}
	if q.QueueID.IsZero() {
		if len(q.Deployments) == 0 {
			return nil, nil
		}
		// The plus keeps SQLite from taking the index that begins with the workspace.
		// What is sorted are ids, not whole rows: many runs may be due at one time.
		return listOnce(t, scanFlowRun, "SELECT "+flowRunColumns+" FROM flow_run fr "+flowRunJoins+`
			WHERE fr.id IN (SELECT fr.id FROM flow_run fr WHERE +fr.ws = ? AND fr.deployment_id IN (`+placeholders(len(q.Deployments))+`) AND fr.state_type = 'SCHEDULED'
			AND fr.next_scheduled_start_time <= ? AND fr.next_scheduled_start_time >= ?
			ORDER BY fr.next_scheduled_start_time, fr.id LIMIT ? OFFSET ?) ORDER BY fr.next_scheduled_start_time, fr.id`,
			append(t.withIDs(q.Deployments), before, after, q.Limit, q.Offset)...)
	}
	return list(t, scanFlowRun, flowRunSelect+`fr.work_queue_id = ? AND fr.state_type = 'SCHEDULED'
		AND fr.next_scheduled_start_time <= ? AND fr.next_scheduled_start_time >= ?
		AND fr.policy NOT LIKE '%"retry_type":"in_process"%'
		ORDER BY fr.next_scheduled_start_time, fr.id LIMIT ? OFFSET ?`, int64(t.ws), q.QueueID, before, after, q.Limit, q.Offset)
}

// SlotsInUse implements core.WorkQueueTx.
func (t *tx) SlotsInUse(queueIDs []core.ID, cancelling bool) (map[core.ID]int, error) {
	used := map[core.ID]int{}
	if len(queueIDs) == 0 {
		return used, nil
	}
	type slots struct {
		queue core.ID
		n     int
	}
	found, err := listOnce(t, func(r rows) (s slots, err error) { return s, r.Scan(&s.queue, &s.n) },
		"SELECT fr.work_queue_id, count(*) FROM flow_run fr WHERE fr.ws = ? AND fr.work_queue_id IN ("+placeholders(len(queueIDs))+
			") AND "+holdsSlot+" AND (fr.state_type <> 'CANCELLING' OR ?) GROUP BY fr.work_queue_id",
		append(t.withIDs(queueIDs), cancelling)...)
	for _, s := range found {
		used[s.queue] = s.n
	}
	return used, err
}

// SlotHolders implements core.WorkQueueTx.
func (t *tx) SlotHolders(queueID core.ID, cancelling bool, limit, offset int) ([]*core.FlowRun, error) {
	return list(t, scanFlowRun, flowRunSelect+"fr.work_queue_id = ? AND "+holdsSlot+
		" AND (fr.state_type <> 'CANCELLING' OR ?) ORDER BY fr.id LIMIT ? OFFSET ?", int64(t.ws), queueID, cancelling, limit, offset)
}
