package store

import (
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// FlowRunTimes implements core.ImportTx.
func (t *tx) FlowRunTimes(ids []core.ID) (map[core.ID]time.Time, error) {
	known := make(map[core.ID]time.Time, len(ids))
	for len(ids) > 0 {
		n := min(len(ids), 500)
		args := []any{int64(t.ws)}
		for _, id := range ids[:n] {
			args = append(args, id)
		}
		_, err := listOnce(t, func(r rows) (id core.ID, err error) {
			var updated time.Time
			err = r.Scan(&id, timeInto{&updated})
			known[id] = updated
			return id, err
		}, "SELECT fr.id, fr.updated FROM flow_run fr WHERE fr.ws + 0 = ? AND fr.id IN ("+placeholders(n)+")", args...)
		if err != nil {
			return nil, err
		}
		ids = ids[n:]
	}
	return known, nil
}

// PutFlowRun implements core.ImportTx.
func (t *tx) PutFlowRun(r *core.FlowRun) error {
	known, err := t.FlowRunTimes([]core.ID{r.ID})
	if err != nil {
		return err
	}
	if len(known) == 0 {
		return t.InsertFlowRun(r)
	}
	details := detailsText(r.State)
	args := append([]any{
		micros(r.Created), micros(r.Updated), r.Name, r.FlowID, r.FlowName, r.DeploymentID, r.DeploymentVersion, r.WorkQueueID, r.QueueName,
		r.FlowVersion, text(r.Parameters), r.IdempotencyKey, text(r.Context), asJSON(r.Policy), tagsText(r.Tags), text(r.Labels),
		text(r.JobVariables), text(r.CreatedBy), r.ParentTaskRunID, r.AutoScheduled, r.InfrastructureDocumentID, r.InfrastructurePID,
		r.RunCount, microsPtr(r.ExpectedStartTime), microsPtr(r.NextScheduledStartTime), microsPtr(r.StartTime), microsPtr(r.EndTime),
		r.TotalRunTime.Microseconds(),
	}, stateArgs(r.State, details)...)
	err = t.exec(`UPDATE flow_run SET created = ?, updated = ?, name = ?, flow_id = ?, flow_name = ?, deployment_id = ?,
		deployment_version = ?, work_queue_id = ?, work_queue_name = ?, flow_version = ?, parameters = ?, idempotency_key = ?, context = ?, policy = ?,
		tags = ?, labels = ?, job_variables = ?, created_by = ?, parent_task_run_id = ?, auto_scheduled = ?,
		infrastructure_document_id = ?, infrastructure_pid = ?, run_count = ?, expected_start_time = ?, next_scheduled_start_time = ?,
		start_time = ?, end_time = ?, total_run_time = ?, state_id = ?, state_type = ?, state_name = ?, state_timestamp = ?,
		state_message = ?, state_data = ?, state_details = ? WHERE ws + 0 = ? AND id = ?`, append(args, int64(t.ws), r.ID)...)
	if err != nil || r.State == nil {
		return err
	}
	return t.insertState("flow_run_state", r.ID, r.State, details)
}

// InsertFlowRunStates implements core.ImportTx.
func (t *tx) InsertFlowRunStates(runID core.ID, states []*core.State) error {
	return t.insertMany("INSERT INTO flow_run_state"+stateInsertColumns, " ON CONFLICT (id) DO NOTHING", 9, len(states), func(i int) []any {
		return t.stateRow(runID, states[i], detailsText(states[i]))
	})
}

// pastEvent is the transaction that past events name on Postgres, and bounds
// their numbers on SQLite from above: followers begin at 0.
const pastEvent = -1

// InsertPastEvents implements core.ImportTx. On SQLite their numbers go down
// from -1, on Postgres they name a transaction before all others.
func (t *tx) InsertPastEvents(events []*core.Event) error {
	column, number := "tx", int64(pastEvent)
	step := int64(0)
	if t.d.seqTx == "0" {
		// SQLite numbers on from the largest number, so there must be one above 0.
		newest, err := t.cursor("event")
		if err != nil {
			return err
		}
		if newest == (core.Cursor{}) {
			return core.Errorf(core.Internal, "past events are stored beside others only")
		}
		least, err := number64(t, "SELECT coalesce(min(seq), 0) FROM event")
		if err != nil {
			return err
		}
		column, number, step = "seq", min(least, 0)-int64(len(events)), 1
	}
	return t.insertMany("INSERT INTO event ("+column+", id, ws, occurred, received, event, resource_id, resource, related, payload, follows)",
		" ON CONFLICT (ws, occurred, id) DO NOTHING", 11, len(events), func(i int) []any {
			return append([]any{number + step*int64(i)}, t.eventRow(events[i])...)
		})
}

// number64 reads one integer.
func number64(t *tx, q string) (int64, error) {
	return one(t, core.Errorf(core.Internal, "a count without a row"), func(r rows) (n int64, err error) { return n, r.Scan(&n) }, q)
}

// LogsBetween implements core.ImportTx.
func (t *tx) LogsBetween(flowRunID, taskRunID *core.ID, first, last time.Time) ([]*core.Log, error) {
	column, id := "l.flow_run_id", flowRunID
	if id == nil {
		column, id = "l.flow_run_id IS NULL AND l.task_run_id", taskRunID
	}
	return list(t, scanLog, "SELECT "+logColumns+" FROM log l WHERE "+column+" = ? AND l.timestamp >= ? AND l.timestamp <= ? AND l.ws + 0 = ?",
		*id, micros(first), micros(last), int64(t.ws))
}
