package store

import (
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

const flowRunOwnColumns = `fr.id, fr.created, fr.updated, fr.name, fr.flow_id, fr.flow_name, fr.deployment_id, fr.deployment_version,
	fr.work_queue_id, fr.work_queue_name, fr.flow_version, fr.parameters, fr.idempotency_key, fr.context, fr.policy, fr.tags, fr.labels, fr.job_variables,
	fr.created_by, fr.parent_task_run_id, fr.auto_scheduled, fr.schedule_id, fr.infrastructure_document_id, fr.infrastructure_pid, fr.run_count,
	fr.expected_start_time, fr.next_scheduled_start_time, fr.start_time, fr.end_time, fr.total_run_time,
	fr.claimed_by, fr.state_id, fr.state_type, fr.state_name, fr.state_timestamp, fr.state_message, fr.state_data, fr.state_details`

// flowRunPlaceColumns are what comes with a run that has a deployment or a queue.
const flowRunPlaceColumns = "d.name, d.tags, wq.name, wp.id, wp.name, wp.type, d.concurrency_limit_id, d.concurrency_options"

const flowRunColumns = flowRunOwnColumns + ", f.tags, " + flowRunPlaceColumns

// flowRunJoins brings what comes with a run.
const flowRunJoins = `LEFT JOIN flow f ON f.id = fr.flow_id
	LEFT JOIN deployment d ON d.id = fr.deployment_id
	LEFT JOIN work_queue wq ON wq.id = fr.work_queue_id
	LEFT JOIN work_pool wp ON wp.id = wq.work_pool_id`

const flowRunSelect = "SELECT " + flowRunColumns + " FROM flow_run fr " + flowRunJoins + " WHERE fr.ws = ? AND "

func scanFlowRun(r rows) (*core.FlowRun, error) {
	f := &core.FlowRun{}
	var cur currentState
	dest := append([]any{
		&f.ID,
		timeInto{&f.Created},
		timeInto{&f.Updated},
		&f.Name, &f.FlowID, &f.FlowName,
		idPtrInto{&f.DeploymentID},
		&f.DeploymentVersion,
		idPtrInto{&f.WorkQueueID},
		&f.QueueName,
		&f.FlowVersion,
		rawInto{&f.Parameters},
		&f.IdempotencyKey,
		rawInto{&f.Context},
		jsonInto{&f.Policy},
		jsonInto{&f.Tags},
		rawInto{&f.Labels},
		rawInto{&f.JobVariables},
		rawInto{&f.CreatedBy},
		idPtrInto{&f.ParentTaskRunID},
		&f.AutoScheduled,
		idPtrInto{&f.ScheduleID},
		idPtrInto{&f.InfrastructureDocumentID},
		&f.InfrastructurePID, &f.RunCount,
		timePtrInto{&f.ExpectedStartTime},
		timePtrInto{&f.NextScheduledStartTime},
		timePtrInto{&f.StartTime},
		timePtrInto{&f.EndTime},
		durationInto{&f.TotalRunTime},
		&f.ClaimedBy,
	}, cur.dest()...)
	dest = append(append(dest, jsonInto{&f.FlowTags}), placeOf(f)...)
	if err := r.Scan(dest...); err != nil {
		return nil, err
	}
	var err error
	f.State, err = cur.state()
	return f, err
}

// placeOf is where flowRunPlaceColumns go.
func placeOf(f *core.FlowRun) []any {
	return []any{
		&f.DeploymentName,
		jsonInto{&f.DeploymentTags},
		&f.WorkQueueName,
		idPtrInto{&f.WorkPoolID},
		&f.WorkPoolName, &f.WorkPoolType,
		idPtrInto{&f.ConcurrencyLimitID},
		rawInto{&f.ConcurrencyOptions},
	}
}

// InsertFlowRun implements core.FlowRunTx.
func (t *tx) InsertFlowRun(r *core.FlowRun) error {
	details := detailsText(r.State)
	args := append([]any{
		r.ID, int64(t.ws), micros(r.Created), micros(r.Updated), r.Name, r.FlowID, r.FlowName, r.DeploymentID, r.DeploymentVersion,
		r.WorkQueueID, r.QueueName, r.FlowVersion, text(r.Parameters), r.IdempotencyKey, text(r.Context), asJSON(r.Policy), tagsText(r.Tags),
		text(r.Labels), text(r.JobVariables), text(r.CreatedBy), r.ParentTaskRunID, r.AutoScheduled, r.ScheduleID, r.InfrastructureDocumentID,
		r.InfrastructurePID, r.RunCount, microsPtr(r.ExpectedStartTime), microsPtr(r.NextScheduledStartTime),
		microsPtr(r.StartTime), microsPtr(r.EndTime), r.TotalRunTime.Microseconds(),
	}, stateArgs(r.State, details)...)
	err := t.exec(`INSERT INTO flow_run (id, ws, created, updated, name, flow_id, flow_name, deployment_id, deployment_version,
		work_queue_id, work_queue_name, flow_version, parameters, idempotency_key, context, policy, tags, labels, job_variables, created_by,
		parent_task_run_id, auto_scheduled, schedule_id, infrastructure_document_id, infrastructure_pid, run_count, expected_start_time,
		next_scheduled_start_time, start_time, end_time, total_run_time,
		state_id, state_type, state_name, state_timestamp, state_message, state_data, state_details)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, args...)
	if err != nil || r.State == nil {
		return err
	}
	return t.insertState("flow_run_state", r.ID, r.State, details)
}

// flowRunAlone reads a run without its place: most runs that are moved by hand
// have none, and Postgres takes longer to set up the joins than to read the row.
const flowRunAlone = "SELECT " + flowRunOwnColumns + `, f.tags, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
	FROM flow_run fr LEFT JOIN flow f ON f.id = fr.flow_id WHERE fr.ws + 0 = ? AND fr.id = ?`

const flowRunPlace = "SELECT " + flowRunPlaceColumns + " FROM flow_run fr " + flowRunJoins + " WHERE fr.ws + 0 = ? AND fr.id = ?"

// FlowRun implements core.FlowRunTx.
func (t *tx) FlowRun(id core.ID) (*core.FlowRun, error) {
	missing := core.Errorf(core.NotFound, "Flow run not found")
	run, err := one(t, missing, scanFlowRun, flowRunAlone+t.lock("fr"), int64(t.ws), id)
	if err != nil || run.DeploymentID == nil && run.WorkQueueID == nil {
		return run, err
	}
	return one(t, missing, func(r rows) (*core.FlowRun, error) {
		return run, r.Scan(placeOf(run)...)
	}, flowRunPlace, int64(t.ws), id)
}

// FlowRunByIdempotencyKey implements core.FlowRunTx.
func (t *tx) FlowRunByIdempotencyKey(flowID core.ID, key string) (*core.FlowRun, error) {
	return one(t, core.Errorf(core.NotFound, "Flow run not found"), scanFlowRun,
		flowRunSelect+"fr.flow_id = ? AND fr.idempotency_key = ?", int64(t.ws), flowID, key)
}

// FlowRunByParentTask implements core.FlowRunTx.
func (t *tx) FlowRunByParentTask(taskRunID core.ID) (*core.FlowRun, error) {
	return one(t, core.Errorf(core.NotFound, "Flow run not found"), scanFlowRun,
		flowRunSelect+"fr.parent_task_run_id = ? ORDER BY fr.id LIMIT 1", int64(t.ws), taskRunID)
}

// UpdateFlowRun implements core.FlowRunTx.
func (t *tx) UpdateFlowRun(r *core.FlowRun) error {
	return t.exec(`UPDATE flow_run SET updated = ?, name = ?, work_queue_id = ?, flow_version = ?, parameters = ?, policy = ?,
		tags = ?, labels = ?, job_variables = ?, infrastructure_pid = ?, expected_start_time = ?, idempotency_key = ?
		WHERE ws + 0 = ? AND id = ?`,
		micros(r.Updated), r.Name, r.WorkQueueID, r.FlowVersion, text(r.Parameters), asJSON(r.Policy), tagsText(r.Tags),
		text(r.Labels), text(r.JobVariables), r.InfrastructurePID, microsPtr(r.ExpectedStartTime), r.IdempotencyKey, int64(t.ws), r.ID)
}

// SetFlowRunState implements core.FlowRunTx. SQLite writes an index anew when
// one of its columns is set, changed or not; so times that stay are left out.
func (t *tx) SetFlowRunState(r *core.FlowRun, was core.RunTimes) error {
	details := detailsText(r.State)
	var set strings.Builder
	set.WriteString(`UPDATE flow_run SET state_id = ?, state_type = ?, state_name = ?, state_timestamp = ?, state_message = ?,
		state_data = ?, state_details = ?, updated = ?, run_count = ?, policy = ?, next_scheduled_start_time = ?,
		total_run_time = ?, claimed_by = ?`)
	args := append(stateArgs(r.State, details), micros(r.Updated), r.RunCount, asJSON(r.Policy), microsPtr(r.NextScheduledStartTime),
		r.TotalRunTime.Microseconds(), r.ClaimedBy)
	for _, c := range []struct {
		column   string
		was, now *time.Time
	}{
		{"expected_start_time", was.Expected, r.ExpectedStartTime}, {"start_time", was.Start, r.StartTime}, {"end_time", was.End, r.EndTime},
	} {
		if microsPtr(c.was) != microsPtr(c.now) {
			set.WriteString(", " + c.column + " = ?")
			args = append(args, microsPtr(c.now))
		}
	}
	if err := t.exec(set.String()+" WHERE ws + 0 = ? AND id = ?", append(args, int64(t.ws), r.ID)...); err != nil {
		return err
	}
	return t.insertState("flow_run_state", r.ID, r.State, details)
}

// FlowRunStates implements core.FlowRunTx.
func (t *tx) FlowRunStates(runID core.ID) ([]*core.State, error) {
	return t.states("flow_run_state", runID)
}

// FlowRunState implements core.FlowRunTx.
func (t *tx) FlowRunState(id core.ID) (*core.State, error) {
	return t.state("flow_run_state", "Flow run state not found", id)
}

// DeleteFlowRun implements core.FlowRunTx.
func (t *tx) DeleteFlowRun(id core.ID) (bool, error) {
	n, err := t.execN("DELETE FROM flow_run WHERE ws + 0 = ? AND id = ?", int64(t.ws), id)
	if err != nil || n == 0 {
		return false, err
	}
	for _, p := range flowRunParts() {
		if err := t.exec("DELETE FROM "+p.table+" WHERE "+p.where, id); err != nil {
			return false, err
		}
	}
	for _, q := range []string{
		"UPDATE flow_run SET parent_task_run_id = NULL WHERE parent_task_run_id IN (SELECT id FROM task_run WHERE flow_run_id = ?)",
		"DELETE FROM task_run_state WHERE run_id IN (SELECT id FROM task_run WHERE flow_run_id = ?)",
		"DELETE FROM task_run WHERE flow_run_id = ?",
	} {
		if err := t.exec(q, id); err != nil {
			return false, err
		}
	}
	return true, nil
}

// part is a table some of whose rows belong to a run: those that meet a
// condition on the run's id. key names the columns that tell rows apart.
type part struct{ table, key, where string }

// flowRunParts lists what belongs to a flow run besides its task runs.
func flowRunParts() []part {
	return []part{
		{"execution", "run_id", "run_id = ?"},
		{"flow_run_input", "id", "flow_run_id = ?"},
		{"log", "seq", "flow_run_id = ?"},
		{"execution_action", "run_id, key", "run_id = ?"},
		{"execution_piece", "run_id, key", "run_id = ?"},
		{"execution_history", "run_id, first", "run_id = ?"},
		{"map_run_item", "map_run_id, number", "map_run_id IN (SELECT id FROM map_run WHERE run_id = ?)"},
		{"map_run", "id", "run_id = ?"},
		{"flow_run_state", "run_id, timestamp, id", "run_id = ?"},
	}
}

// FilterFlowRuns implements core.FlowRunTx.
func (t *tx) FilterFlowRuns(q core.Query) ([]*core.FlowRun, error) {
	return filter(t, core.EntityFlowRun, flowRunColumns, flowRunJoins, q, scanFlowRun)
}

// LateFlowRuns implements core.FlowRunTx.
func (t *tx) LateFlowRuns(before time.Time, limit int) ([]core.ID, error) {
	return list(t, scanID, `SELECT fr.id FROM flow_run fr WHERE fr.ws = ? AND fr.state_type = 'SCHEDULED' AND fr.state_name = 'Scheduled'
		AND fr.next_scheduled_start_time <= ? ORDER BY fr.next_scheduled_start_time LIMIT ?`, int64(t.ws), micros(before), limit)
}

// ExpiredPauses implements core.FlowRunTx.
func (t *tx) ExpiredPauses(now time.Time, limit int) ([]core.ID, error) {
	paused, err := list(t, scanFlowRun, flowRunSelect+"fr.state_type = 'PAUSED' ORDER BY fr.expected_start_time LIMIT 10000", int64(t.ws))
	if err != nil {
		return nil, err
	}
	var ids []core.ID
	for _, r := range paused {
		if end := r.State.Details.PauseTimeout; end != nil && end.Before(now) && len(ids) < limit {
			ids = append(ids, r.ID)
		}
	}
	return ids, nil
}

func scanID(r rows) (id core.ID, err error) { return id, r.Scan(&id) }

const staleColumns = "fr.id, fr.state_timestamp, fr.last_beat, fr.last_seen, fr.lost, fr.rhythm"

func scanStale(r rows) (core.StaleRun, error) {
	var s core.StaleRun
	return s, r.Scan(&s.ID, timeInto{&s.Since}, timePtrInto{&s.LastBeat}, timePtrInto{&s.LastSeen}, timePtrInto{&s.Lost}, durationInto{&s.Rhythm})
}

// StaleFlowRuns implements core.FlowRunTx.
func (t *tx) StaleFlowRuns(kind core.StateType, since time.Time, limit int) ([]core.StaleRun, error) {
	return list(t, scanStale, "SELECT "+staleColumns+` FROM flow_run fr
		WHERE fr.ws = ? AND fr.state_type = ? AND coalesce(fr.last_seen, fr.state_timestamp) <= ? AND fr.state_timestamp <= ?
		ORDER BY fr.expected_start_time LIMIT ?`, int64(t.ws), string(kind), micros(since), micros(since), limit)
}

// StaleFlowRun implements core.FlowRunTx.
func (t *tx) StaleFlowRun(id core.ID) (core.StaleRun, error) {
	return one(t, core.Errorf(core.NotFound, "Flow run not found"), scanStale,
		"SELECT "+staleColumns+" FROM flow_run fr WHERE fr.ws + 0 = ? AND fr.id = ?", int64(t.ws), id)
}

// OrphanedFlowRuns implements core.FlowRunTx.
func (t *tx) OrphanedFlowRuns(limit int) ([]core.ID, error) {
	return list(t, scanID, `SELECT fr.id FROM flow_run fr
		JOIN task_run tr ON tr.id = fr.parent_task_run_id JOIN flow_run parent ON parent.id = tr.flow_run_id
		WHERE fr.ws = ? AND fr.parent_task_run_id IS NOT NULL AND fr.end_time IS NULL AND fr.state_type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED')
		AND parent.state_type = 'CANCELLED' ORDER BY fr.id LIMIT ?`, int64(t.ws), limit)
}

// TouchFlowRuns implements core.FlowRunTx.
func (t *tx) TouchFlowRuns(beats []core.Heartbeat) error {
	for _, b := range beats {
		at := micros(b.At)
		var err error
		if b.Beat {
			err = t.exec(`UPDATE flow_run SET last_seen = ?, last_beat = ?,
				rhythm = CASE WHEN last_beat IS NOT NULL AND ? - last_beat > rhythm THEN ? - last_beat ELSE rhythm END
				WHERE ws + 0 = ? AND id = ?`, at, at, at, at, int64(t.ws), b.FlowRunID)
		} else {
			err = t.exec("UPDATE flow_run SET last_seen = ? WHERE ws + 0 = ? AND id = ?", at, int64(t.ws), b.FlowRunID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// LoseFlowRun implements core.FlowRunTx.
func (t *tx) LoseFlowRun(id core.ID, at time.Time) error {
	return t.exec("UPDATE flow_run SET lost = ? WHERE ws + 0 = ? AND id = ?", micros(at), int64(t.ws), id)
}
