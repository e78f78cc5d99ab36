package store

import (
	"time"

	"github.com/leat-dev/leat/internal/core"
)

const workerColumns = `w.id, w.created, w.updated, w.work_pool_id, w.name, w.last_heartbeat_time, w.heartbeat_interval_seconds, w.status`

func scanWorker(r rows) (*core.Worker, error) {
	w := &core.Worker{}
	return w, r.Scan(&w.ID, timeInto{&w.Created}, timeInto{&w.Updated}, &w.WorkPoolID, &w.Name, timeInto{&w.LastHeartbeat},
		&w.HeartbeatInterval, &w.Status)
}

// BeatWorker implements core.WorkerTx.
func (t *tx) BeatWorker(w *core.Worker) error {
	return t.exec(`INSERT INTO worker (id, ws, created, updated, work_pool_id, name, last_heartbeat_time, heartbeat_interval_seconds, status)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (work_pool_id, name) DO UPDATE SET
		last_heartbeat_time = excluded.last_heartbeat_time, status = excluded.status,
		heartbeat_interval_seconds = coalesce(excluded.heartbeat_interval_seconds, worker.heartbeat_interval_seconds)`,
		w.ID, int64(t.ws), micros(w.Created), micros(w.Updated), w.WorkPoolID, w.Name, micros(w.LastHeartbeat),
		w.HeartbeatInterval, string(w.Status))
}

// DeleteWorker implements core.WorkerTx.
func (t *tx) DeleteWorker(poolID core.ID, name string) (bool, error) {
	n, err := t.execN("DELETE FROM worker WHERE ws = ? AND work_pool_id = ? AND name = ?", int64(t.ws), poolID, name)
	return n > 0, err
}

// FilterWorkers implements core.WorkerTx.
func (t *tx) FilterWorkers(q core.Query) ([]*core.Worker, error) {
	return filter(t, core.EntityWorker, workerColumns, "", q, scanWorker)
}

// SilenceWorkers implements core.WorkerTx.
func (t *tx) SilenceWorkers(now time.Time, missed int, fallback time.Duration) (int, error) {
	n, err := t.execN(`UPDATE worker SET status = 'OFFLINE' WHERE ws = ? AND status = 'ONLINE'
		AND last_heartbeat_time + coalesce(heartbeat_interval_seconds * 1000000, ?) * ? < ?`,
		int64(t.ws), fallback.Microseconds(), missed, micros(now))
	return int(n), err
}
