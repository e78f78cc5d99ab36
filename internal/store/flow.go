package store

import (
	"github.com/leat-dev/leat/internal/core"
)

const flowColumns = "f.id, f.created, f.updated, f.name, f.tags, f.labels"

func scanFlow(r rows) (*core.Flow, error) {
	f := &core.Flow{}
	return f, r.Scan(&f.ID, timeInto{&f.Created}, timeInto{&f.Updated}, &f.Name, jsonInto{&f.Tags}, rawInto{&f.Labels})
}

// InsertFlow implements core.FlowTx.
func (t *tx) InsertFlow(f *core.Flow) error {
	return t.exec("INSERT INTO flow (id, ws, created, updated, name, tags, labels) VALUES (?, ?, ?, ?, ?, ?, ?)",
		f.ID, int64(t.ws), micros(f.Created), micros(f.Updated), f.Name, tagsText(f.Tags), text(f.Labels))
}

// Flow implements core.FlowTx.
func (t *tx) Flow(id core.ID) (*core.Flow, error) {
	return one(t, core.Errorf(core.NotFound, "Flow not found"), scanFlow,
		"SELECT "+flowColumns+" FROM flow f WHERE f.ws + 0 = ? AND f.id = ?", int64(t.ws), id)
}

// FlowByName implements core.FlowTx.
func (t *tx) FlowByName(name string) (*core.Flow, error) {
	return one(t, core.Errorf(core.NotFound, "Flow not found"), scanFlow,
		"SELECT "+flowColumns+" FROM flow f WHERE f.ws = ? AND f.name = ?", int64(t.ws), name)
}

// UpdateFlow implements core.FlowTx.
func (t *tx) UpdateFlow(f *core.Flow) error {
	return t.exec("UPDATE flow SET updated = ?, tags = ?, labels = ? WHERE ws + 0 = ? AND id = ?",
		micros(f.Updated), tagsText(f.Tags), text(f.Labels), int64(t.ws), f.ID)
}

// DeleteFlow implements core.FlowTx.
func (t *tx) DeleteFlow(id core.ID) (bool, error) {
	n, err := t.execN("DELETE FROM flow WHERE ws + 0 = ? AND id = ?", int64(t.ws), id)
	if err != nil || n == 0 {
		return false, err
	}
	for _, q := range []string{
		"DELETE FROM deployment_schedule WHERE deployment_id IN (SELECT id FROM deployment WHERE flow_id = ?)",
		"DELETE FROM deployment WHERE flow_id = ?",
		"DELETE FROM log WHERE flow_run_id IN (SELECT id FROM flow_run WHERE flow_id = ?)",
		"DELETE FROM task_run_state WHERE run_id IN (SELECT t.id FROM task_run t JOIN flow_run r ON r.id = t.flow_run_id WHERE r.flow_id = ?)",
		"DELETE FROM task_run WHERE flow_run_id IN (SELECT id FROM flow_run WHERE flow_id = ?)",
		"DELETE FROM flow_run_state WHERE run_id IN (SELECT id FROM flow_run WHERE flow_id = ?)",
		"DELETE FROM flow_run_input WHERE flow_run_id IN (SELECT id FROM flow_run WHERE flow_id = ?)",
		"DELETE FROM execution WHERE run_id IN (SELECT id FROM flow_run WHERE flow_id = ?)",
		"DELETE FROM execution_piece WHERE run_id IN (SELECT id FROM flow_run WHERE flow_id = ?)",
		"DELETE FROM execution_history WHERE run_id IN (SELECT id FROM flow_run WHERE flow_id = ?)",
		"DELETE FROM execution_action WHERE run_id IN (SELECT id FROM flow_run WHERE flow_id = ?)",
		"DELETE FROM map_run_item WHERE map_run_id IN (SELECT m.id FROM map_run m JOIN flow_run r ON r.id = m.run_id WHERE r.flow_id = ?)",
		"DELETE FROM map_run WHERE run_id IN (SELECT id FROM flow_run WHERE flow_id = ?)",
		"DELETE FROM flow_run WHERE flow_id = ?",
	} {
		if err := t.exec(q, id); err != nil {
			return false, err
		}
	}
	return true, nil
}

// FilterFlows implements core.FlowTx.
func (t *tx) FilterFlows(q core.Query) ([]*core.Flow, error) {
	return filter(t, core.EntityFlow, flowColumns, "", q, scanFlow)
}

// CountFlows implements core.FlowTx.
func (t *tx) CountFlows(q core.Query) (int, error) { return count(t, core.EntityFlow, q) }

// filter lists an entity's rows.
func filter[T any](t *tx, e core.Entity, columns, joins string, q core.Query, scan func(rows) (T, error)) ([]T, error) {
	text, args, err := selects(t.d, t.ws, e, columns, joins, q)
	if err != nil {
		return nil, err
	}
	return listOnce(t, scan, text, args...)
}

// count counts an entity's rows.
func count(t *tx, e core.Entity, q core.Query) (int, error) {
	text, args, err := counts(t.d, t.ws, e, q)
	if err != nil {
		return 0, err
	}
	return number(t, true, text, args...)
}
