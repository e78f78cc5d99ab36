package store

import (
	"github.com/leat-dev/leat/internal/core"
)

const workPoolColumns = `wp.id, wp.created, wp.updated, wp.name, wp.description, wp.type, wp.base_job_template, wp.is_paused,
	wp.concurrency_limit, wp.default_queue_id, wp.status, wp.last_status_event_id, wp.storage_configuration`

const workPoolSelect = "SELECT " + workPoolColumns + " FROM work_pool wp WHERE wp.ws = ? AND "

func scanWorkPool(r rows) (*core.WorkPool, error) {
	p := &core.WorkPool{}
	status := ""
	err := r.Scan(&p.ID, timeInto{&p.Created}, timeInto{&p.Updated}, &p.Name, &p.Description, &p.Type, rawInto{&p.BaseJobTemplate},
		&p.IsPaused, &p.ConcurrencyLimit, idPtrInto{&p.DefaultQueueID}, &status, idPtrInto{&p.LastStatusEventID},
		rawInto{&p.StorageConfiguration})
	if status != "" {
		p.Status = (*core.Readiness)(&status)
	}
	return p, err
}

// poolStatus is a pool's status as it is stored: empty for none.
func poolStatus(s *core.Readiness) string {
	if s == nil {
		return ""
	}
	return string(*s)
}

// InsertWorkPool implements core.WorkPoolTx.
func (t *tx) InsertWorkPool(p *core.WorkPool) error {
	return t.exec(`INSERT INTO work_pool (id, ws, created, updated, name, description, type, base_job_template, is_paused,
		concurrency_limit, default_queue_id, status, last_status_event_id, storage_configuration)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		p.ID, int64(t.ws), micros(p.Created), micros(p.Updated), p.Name, p.Description, p.Type, string(p.BaseJobTemplate), p.IsPaused,
		p.ConcurrencyLimit, p.DefaultQueueID, poolStatus(p.Status), p.LastStatusEventID, string(p.StorageConfiguration))
}

// WorkPool implements core.WorkPoolTx.
func (t *tx) WorkPool(id core.ID) (*core.WorkPool, error) {
	return one(t, core.Errorf(core.NotFound, "Work pool %q not found.", id), scanWorkPool,
		workPoolSelect+"wp.id = ?"+t.lock("wp"), int64(t.ws), id)
}

// WorkPoolByName implements core.WorkPoolTx.
func (t *tx) WorkPoolByName(name string) (*core.WorkPool, error) {
	return one(t, core.Errorf(core.NotFound, "Work pool \"%s\" not found.", name), scanWorkPool,
		workPoolSelect+"wp.name = ?"+t.lock("wp"), int64(t.ws), name)
}

// UpdateWorkPool implements core.WorkPoolTx.
func (t *tx) UpdateWorkPool(p *core.WorkPool) error {
	return t.exec(`UPDATE work_pool SET updated = ?, description = ?, base_job_template = ?, is_paused = ?, concurrency_limit = ?,
		default_queue_id = ?, status = ?, last_status_event_id = ?, storage_configuration = ? WHERE ws + 0 = ? AND id = ?`,
		micros(p.Updated), p.Description, string(p.BaseJobTemplate), p.IsPaused, p.ConcurrencyLimit, p.DefaultQueueID,
		poolStatus(p.Status), p.LastStatusEventID, string(p.StorageConfiguration), int64(t.ws), p.ID)
}

// DeleteWorkPool implements core.WorkPoolTx.
func (t *tx) DeleteWorkPool(id core.ID) error {
	queues, err := t.WorkQueues(id)
	if err != nil {
		return err
	}
	for _, q := range queues {
		if err := t.DeleteWorkQueue(q.ID); err != nil {
			return err
		}
	}
	if err := t.exec("DELETE FROM worker WHERE ws = ? AND work_pool_id = ?", int64(t.ws), id); err != nil {
		return err
	}
	return t.exec("DELETE FROM work_pool WHERE ws + 0 = ? AND id = ?", int64(t.ws), id)
}

// FilterWorkPools implements core.WorkPoolTx.
func (t *tx) FilterWorkPools(q core.Query) ([]*core.WorkPool, error) {
	return filter(t, core.EntityWorkPool, workPoolColumns, "", q, scanWorkPool)
}

// CountWorkPools implements core.WorkPoolTx.
func (t *tx) CountWorkPools(q core.Query) (int, error) { return count(t, core.EntityWorkPool, q) }

// DesertedWorkPools implements core.WorkPoolTx.
func (t *tx) DesertedWorkPools(limit int) ([]core.ID, error) {
	return list(t, scanID, `SELECT wp.id FROM work_pool wp WHERE wp.ws = ? AND wp.status = 'READY'
		AND NOT EXISTS (SELECT 1 FROM worker w WHERE w.work_pool_id = wp.id AND w.status = 'ONLINE') ORDER BY wp.id LIMIT ?`,
		int64(t.ws), limit)
}
