package store

import (
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// WorkerLives implements core.WorkerTx.
func (t *tx) WorkerLives(poolID core.ID, name string) ([]core.WorkerLife, error) {
	return list(t, func(r rows) (l core.WorkerLife, err error) {
		return l, r.Scan(&l.ID, timeInto{&l.Since}, timeInto{&l.Until})
	}, "SELECT id, since, until FROM worker_life WHERE ws + 0 = ? AND work_pool_id = ? AND name = ? ORDER BY id", int64(t.ws), poolID, name)
}

// PutWorkerLife implements core.WorkerTx.
func (t *tx) PutWorkerLife(poolID core.ID, name string, life core.WorkerLife) error {
	return t.exec(`INSERT INTO worker_life (ws, work_pool_id, name, id, since, until) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (work_pool_id, name, id) DO UPDATE SET since = excluded.since, until = excluded.until`,
		int64(t.ws), poolID, name, life.ID, micros(life.Since), micros(life.Until))
}

// ForgetWorkerLives implements core.WorkerTx.
func (t *tx) ForgetWorkerLives(before time.Time) error {
	return t.exec("DELETE FROM worker_life WHERE ws = ? AND until < ?", int64(t.ws), micros(before))
}
