package store

import (
	"time"

	"github.com/leat-dev/leat/internal/core"
)

const mapRunSelect = `SELECT m.id, m.run_id, m.key, m.arn, m.machine_arn, m.label, m.state, m.status, m.spec, m.counts, m.started, m.stopped
	FROM map_run m WHERE `

func scanMapRun(r rows) (*core.MapRun, error) {
	m := &core.MapRun{}
	return m, r.Scan(&m.ID, &m.RunID, &m.Key, &m.ARN, &m.MachineARN, &m.Label, &m.State, &m.Status, rawInto{&m.Spec}, jsonInto{&m.MapRunCounts}, timeInto{&m.Started}, timePtrInto{&m.Stopped})
}

func noMapRun() *core.Error { return core.Errorf(core.NotFound, "Map run not found") }

// InsertMapRun implements core.MapRunTx.
func (t *tx) InsertMapRun(m *core.MapRun) error {
	return t.exec(`INSERT INTO map_run (id, ws, run_id, key, arn, machine_arn, label, state, status, spec, counts, started, stopped)
		VALUES (`+placeholders(13)+")", m.ID, int64(t.ws), m.RunID, m.Key, m.ARN, m.MachineARN, m.Label, m.State, m.Status, text(m.Spec),
		asJSON(m.MapRunCounts), micros(m.Started), microsPtr(m.Stopped))
}

// MapRun implements core.MapRunTx.
func (t *tx) MapRun(id core.ID) (*core.MapRun, error) {
	return one(t, noMapRun(), scanMapRun, mapRunSelect+"m.ws + 0 = ? AND m.id = ?"+t.lock("m"), int64(t.ws), id)
}

// MapRunByARN implements core.MapRunTx.
func (t *tx) MapRunByARN(arn string) (*core.MapRun, error) {
	return one(t, noMapRun(), scanMapRun, mapRunSelect+"m.ws = ? AND m.arn = ?"+t.lock("m"), int64(t.ws), arn)
}

// MapRunOf implements core.MapRunTx.
func (t *tx) MapRunOf(runID core.ID, key int64) (*core.MapRun, error) {
	return one(t, noMapRun(), scanMapRun, mapRunSelect+"m.ws + 0 = ? AND m.run_id = ? AND m.key = ?"+t.lock("m"), int64(t.ws), runID, key)
}

// UpdateMapRun implements core.MapRunTx.
func (t *tx) UpdateMapRun(m *core.MapRun) error {
	return t.exec("UPDATE map_run SET key = ?, status = ?, counts = ?, stopped = ? WHERE ws + 0 = ? AND id = ?",
		m.Key, m.Status, asJSON(m.MapRunCounts), microsPtr(m.Stopped), int64(t.ws), m.ID)
}

// ListMapRuns implements core.MapRunTx.
func (t *tx) ListMapRuns(runID core.ID, before *core.ExecutionPosition, limit int) ([]*core.MapRun, error) {
	if before == nil {
		return list(t, scanMapRun, mapRunSelect+"m.ws + 0 = ? AND m.run_id = ? ORDER BY m.started DESC, m.id DESC LIMIT ?", int64(t.ws), runID, limit)
	}
	at := micros(before.Started)
	return list(t, scanMapRun, mapRunSelect+`m.ws + 0 = ? AND m.run_id = ? AND (m.started < ? OR m.started = ? AND m.id < ?)
		ORDER BY m.started DESC, m.id DESC LIMIT ?`, int64(t.ws), runID, at, at, before.RunID, limit)
}

// InsertMapRunItems implements core.MapRunTx.
func (t *tx) InsertMapRunItems(id core.ID, from int, items []core.MapRunItem) error {
	return t.insertMany("INSERT INTO map_run_item (map_run_id, number, ws, input, items)", " ON CONFLICT (map_run_id, number) DO NOTHING", 5, len(items),
		func(i int) []any { return []any{id, int64(from + i), int64(t.ws), items[i].Input, items[i].Items} })
}

// MapRunItem implements core.MapRunTx.
func (t *tx) MapRunItem(id core.ID, number int) (core.MapRunItem, error) {
	return one(t, core.Errorf(core.NotFound, "Map run has no such item"), func(r rows) (i core.MapRunItem, err error) {
		return i, r.Scan(&i.Input, &i.Items)
	}, "SELECT input, items FROM map_run_item WHERE map_run_id = ? AND number = ?", id, int64(number))
}

// MapRunResults implements core.MapRunTx.
func (t *tx) MapRunResults(id core.ID) ([]*core.Execution, error) {
	return list(t, scanExecution, executionSelect+"x.map_run_id = ? AND x.item >= 0 ORDER BY x.item", id)
}

// PendRedrives implements core.MapRunTx.
func (t *tx) PendRedrives(id core.ID, events int64, since time.Time) ([]core.PendedRedrives, error) {
	const which = " x.map_run_id = ? AND x.item >= 0 AND x.status IN ('FAILED', 'TIMED_OUT', 'ABORTED') AND (x.express OR x.events < ?) AND x.stopped >= ?"
	args := []any{id, events, micros(since)}
	counts, err := list(t, func(r rows) (p core.PendedRedrives, err error) {
		return p, r.Scan(&p.Status, &p.Executions, &p.Items)
	}, `SELECT x.status, count(*), CAST(sum(i.items) AS BIGINT) FROM execution x JOIN map_run_item i ON i.map_run_id = x.map_run_id AND i.number = x.item
		WHERE`+which+" GROUP BY x.status", args...)
	if err != nil || len(counts) == 0 {
		return nil, err
	}
	return counts, t.exec("UPDATE execution AS x SET status = 'PENDING_REDRIVE', version = version + 1 WHERE"+which, args...)
}

// ReplaceMapRunExecution implements core.MapRunTx.
func (t *tx) ReplaceMapRunExecution(runID core.ID, status string, item int) error {
	return t.exec("UPDATE execution SET status = ?, item = ?, version = version + 1 WHERE ws + 0 = ? AND run_id = ?", status, item, int64(t.ws), runID)
}
