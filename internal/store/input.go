package store

import "github.com/leat-dev/leat/internal/core"

const inputSelect = "SELECT i.id, i.created, i.updated, i.flow_run_id, i.key, i.value, i.sender FROM flow_run_input i WHERE i.ws + 0 = ? AND i.flow_run_id = ?"

func scanInput(r rows) (*core.FlowRunInput, error) {
	i := &core.FlowRunInput{}
	return i, r.Scan(&i.ID, timeInto{&i.Created}, timeInto{&i.Updated}, &i.FlowRunID, &i.Key, &i.Value, &i.Sender)
}

// InsertFlowRunInput implements core.FlowRunInputTx.
func (t *tx) InsertFlowRunInput(i *core.FlowRunInput) error {
	return t.exec("INSERT INTO flow_run_input (id, ws, created, updated, flow_run_id, key, value, sender) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		i.ID, int64(t.ws), micros(i.Created), micros(i.Updated), i.FlowRunID, i.Key, i.Value, i.Sender)
}

// FlowRunInput implements core.FlowRunInputTx.
func (t *tx) FlowRunInput(runID core.ID, key string) (*core.FlowRunInput, error) {
	return one(t, core.Errorf(core.NotFound, "Flow run input not found"), scanInput, inputSelect+" AND i.key = ?", int64(t.ws), runID, key)
}

// FlowRunInputs implements core.FlowRunInputTx.
func (t *tx) FlowRunInputs(runID core.ID, prefix string, exclude []string, limit int) ([]*core.FlowRunInput, error) {
	q := inputSelect + " AND substr(i.key, 1, ?) = ?"
	args := []any{int64(t.ws), runID, len([]rune(prefix)), prefix}
	if len(exclude) > 0 {
		q += " AND i.key NOT IN (" + placeholders(len(exclude)) + ")"
		for _, key := range exclude {
			args = append(args, key)
		}
	}
	return listOnce(t, scanInput, q+" ORDER BY i.created, i.id LIMIT ?", append(args, limit)...)
}

// DeleteFlowRunInput implements core.FlowRunInputTx.
func (t *tx) DeleteFlowRunInput(runID core.ID, key string) (bool, error) {
	n, err := t.execN("DELETE FROM flow_run_input WHERE ws + 0 = ? AND flow_run_id = ? AND key = ?", int64(t.ws), runID, key)
	return n > 0, err
}
