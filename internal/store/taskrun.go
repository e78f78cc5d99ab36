package store

import (
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

const taskRunColumns = `tr.id, tr.created, tr.updated, tr.name, tr.flow_run_id, tr.task_key, tr.dynamic_key, tr.cache_key, tr.cache_expiration,
	tr.task_version, tr.policy, tr.tags, tr.labels, tr.task_inputs, tr.run_count, tr.flow_run_run_count, tr.expected_start_time,
	tr.next_scheduled_start_time, tr.start_time, tr.end_time, tr.total_run_time,
	tr.state_id, tr.state_type, tr.state_name, tr.state_timestamp, tr.state_message, tr.state_data, tr.state_details`

const taskRunInsert = `INSERT INTO task_run (id, ws, created, updated, name, flow_run_id, task_key, dynamic_key, cache_key,
	cache_expiration, task_version, policy, tags, labels, task_inputs, run_count, flow_run_run_count, expected_start_time,
	next_scheduled_start_time, start_time, end_time, total_run_time,
	state_id, state_type, state_name, state_timestamp, state_message, state_data, state_details)`

// taskRunForward brings a run that is there already forward to a state with a
// later timestamp. What the client says of a run's times grows with its states,
// so the later state's account replaces the earlier one's.
const taskRunForward = ` ON CONFLICT (id) DO UPDATE SET updated = excluded.updated, name = excluded.name,
	cache_key = excluded.cache_key, cache_expiration = excluded.cache_expiration, task_version = excluded.task_version,
	policy = excluded.policy, tags = excluded.tags, labels = excluded.labels, task_inputs = excluded.task_inputs,
	run_count = excluded.run_count, flow_run_run_count = excluded.flow_run_run_count,
	expected_start_time = excluded.expected_start_time, next_scheduled_start_time = excluded.next_scheduled_start_time,
	start_time = excluded.start_time, end_time = excluded.end_time, total_run_time = excluded.total_run_time,
	state_id = excluded.state_id, state_type = excluded.state_type, state_name = excluded.state_name,
	state_timestamp = excluded.state_timestamp, state_message = excluded.state_message, state_data = excluded.state_data,
	state_details = excluded.state_details
	WHERE task_run.state_timestamp IS NULL OR task_run.state_timestamp < excluded.state_timestamp`

func scanTaskRun(r rows) (*core.TaskRun, error) {
	k := &core.TaskRun{}
	var cur currentState
	dest := append([]any{
		&k.ID,
		timeInto{&k.Created},
		timeInto{&k.Updated},
		&k.Name,
		idPtrInto{&k.FlowRunID},
		&k.TaskKey, &k.DynamicKey, &k.CacheKey,
		timePtrInto{&k.CacheExpiration},
		&k.TaskVersion,
		jsonInto{&k.Policy},
		jsonInto{&k.Tags},
		rawInto{&k.Labels},
		rawInto{&k.TaskInputs},
		&k.RunCount, &k.FlowRunRunCount,
		timePtrInto{&k.ExpectedStartTime},
		timePtrInto{&k.NextScheduledStartTime},
		timePtrInto{&k.StartTime},
		timePtrInto{&k.EndTime},
		durationInto{&k.TotalRunTime},
	}, cur.dest()...)
	if err := r.Scan(dest...); err != nil {
		return nil, err
	}
	var err error
	k.State, err = cur.state()
	return k, err
}

func (t *tx) taskRunArgs(r *core.TaskRun, details string) []any {
	return append([]any{
		r.ID, int64(t.ws), micros(r.Created), micros(r.Updated), r.Name, r.FlowRunID, r.TaskKey, r.DynamicKey, r.CacheKey,
		microsPtr(r.CacheExpiration), r.TaskVersion, asJSON(r.Policy), tagsText(r.Tags), text(r.Labels), text(r.TaskInputs),
		r.RunCount, r.FlowRunRunCount, microsPtr(r.ExpectedStartTime), microsPtr(r.NextScheduledStartTime),
		microsPtr(r.StartTime), microsPtr(r.EndTime), r.TotalRunTime.Microseconds(),
	}, stateArgs(r.State, details)...)
}

// InsertTaskRun implements core.TaskRunTx.
func (t *tx) InsertTaskRun(r *core.TaskRun) error {
	details := detailsText(r.State)
	if err := t.exec(taskRunInsert+" VALUES ("+placeholders(29)+")", t.taskRunArgs(r, details)...); err != nil || r.State == nil {
		return err
	}
	return t.insertState("task_run_state", r.ID, r.State, details)
}

// TaskRun implements core.TaskRunTx.
func (t *tx) TaskRun(id core.ID) (*core.TaskRun, error) {
	return one(t, core.Errorf(core.NotFound, "Task run not found"), scanTaskRun,
		"SELECT "+taskRunColumns+" FROM task_run tr WHERE tr.ws + 0 = ? AND tr.id = ?"+t.lock("tr"), int64(t.ws), id)
}

// TaskRunByKey implements core.TaskRunTx.
func (t *tx) TaskRunByKey(flowRunID *core.ID, taskKey, dynamicKey string) (*core.TaskRun, error) {
	missing := core.Errorf(core.NotFound, "Task run not found")
	if flowRunID == nil {
		return one(t, missing, scanTaskRun, "SELECT "+taskRunColumns+` FROM task_run tr
			WHERE tr.ws = ? AND tr.flow_run_id IS NULL AND tr.task_key = ? AND tr.dynamic_key = ? ORDER BY tr.id LIMIT 1`,
			int64(t.ws), taskKey, dynamicKey)
	}
	return one(t, missing, scanTaskRun, "SELECT "+taskRunColumns+` FROM task_run tr
		WHERE tr.ws + 0 = ? AND tr.flow_run_id = ? AND tr.task_key = ? AND tr.dynamic_key = ?`, int64(t.ws), *flowRunID, taskKey, dynamicKey)
}

// UpdateTaskRun implements core.TaskRunTx.
func (t *tx) UpdateTaskRun(r *core.TaskRun) error {
	return t.exec("UPDATE task_run SET updated = ?, name = ? WHERE ws + 0 = ? AND id = ?", micros(r.Updated), r.Name, int64(t.ws), r.ID)
}

// SetTaskRunState implements core.TaskRunTx.
func (t *tx) SetTaskRunState(r *core.TaskRun) error {
	details := detailsText(r.State)
	args := append(stateArgs(r.State, details), micros(r.Updated), r.RunCount, r.FlowRunRunCount, asJSON(r.Policy),
		microsPtr(r.ExpectedStartTime), microsPtr(r.NextScheduledStartTime), microsPtr(r.StartTime), microsPtr(r.EndTime),
		r.TotalRunTime.Microseconds(), int64(t.ws), r.ID)
	err := t.exec(`UPDATE task_run SET state_id = ?, state_type = ?, state_name = ?, state_timestamp = ?, state_message = ?,
		state_data = ?, state_details = ?, updated = ?, run_count = ?, flow_run_run_count = ?, policy = ?, expected_start_time = ?,
		next_scheduled_start_time = ?, start_time = ?, end_time = ?, total_run_time = ? WHERE ws + 0 = ? AND id = ?`, args...)
	if err != nil {
		return err
	}
	return t.insertState("task_run_state", r.ID, r.State, details)
}

// RecordTaskRuns implements core.TaskRunTx.
func (t *tx) RecordTaskRuns(runs []*core.TaskRun) error {
	err := t.insertMany("INSERT INTO task_run_state"+stateInsertColumns, " ON CONFLICT (id) DO NOTHING", 9, len(runs), func(i int) []any {
		return t.stateRow(runs[i].ID, runs[i].State, detailsText(runs[i].State))
	})
	if err != nil {
		return err
	}
	last := make(map[core.ID]*core.TaskRun, len(runs))
	for _, r := range runs {
		if prior, ok := last[r.ID]; !ok || prior.State.Timestamp.Before(r.State.Timestamp) {
			last[r.ID] = r
		}
	}
	shown := slices.DeleteFunc(slices.Clone(runs), func(r *core.TaskRun) bool { return last[r.ID] != r })
	// Two states of one run in one statement would meet each other in the conflict.
	return t.insertMany(taskRunInsert, taskRunForward, 29, len(shown), func(i int) []any {
		return t.taskRunArgs(shown[i], detailsText(shown[i].State))
	})
}

// waitingTaskRuns is the condition for background task runs that a worker of
// the tasks may take, and its arguments.
func (t *tx) waitingTaskRuns(taskKeys []string, now time.Time) (string, []any) {
	args := []any{int64(t.ws)}
	for _, k := range taskKeys {
		args = append(args, k)
	}
	return `tr.ws = ? AND tr.state_type = 'SCHEDULED' AND tr.task_key IN (` + placeholders(len(taskKeys)) + `)
		AND tr.flow_run_id IS NULL AND tr.claimed_until < ? AND tr.next_scheduled_start_time <= ?`, append(args, micros(now), micros(now))
}

// TaskRunWaits implements core.TaskRunTx.
func (t *tx) TaskRunWaits(taskKeys []string, now time.Time) (bool, error) {
	where, args := t.waitingTaskRuns(taskKeys, now)
	n, err := number(t, true, "SELECT count(*) FROM (SELECT 1 FROM task_run tr WHERE "+where+" LIMIT 1) x", args...)
	return n > 0, err
}

// ClaimTaskRun implements core.TaskRunTx.
func (t *tx) ClaimTaskRun(taskKeys []string, now, until time.Time) (*core.TaskRun, error) {
	where, args := t.waitingTaskRuns(taskKeys, now)
	found, err := listOnce(t, scanTaskRun,
		"SELECT "+taskRunColumns+" FROM task_run tr WHERE "+where+" ORDER BY tr.state_timestamp LIMIT 1"+t.claim("tr"), args...)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, core.Errorf(core.NotFound, "no task run waits")
	}
	return found[0], t.exec("UPDATE task_run SET claimed_until = ? WHERE id = ?", micros(until), found[0].ID)
}

// CacheTaskState implements core.TaskRunTx.
func (t *tx) CacheTaskState(key string, s *core.State) error {
	return t.exec("INSERT INTO task_cache (ws, cache_key, state_id, created, expires) VALUES (?, ?, ?, ?, ?)",
		int64(t.ws), key, s.ID, micros(s.Timestamp), microsPtr(s.Details.CacheExpiration))
}

// CachedTaskState implements core.TaskRunTx.
func (t *tx) CachedTaskState(key string, now time.Time) (*core.State, error) {
	return one(t, core.Errorf(core.NotFound, "nothing cached"), scanState, `SELECT s.id, s.type, s.name, s.timestamp, s.message, s.data, s.details
		FROM task_cache c JOIN task_run_state s ON s.id = c.state_id WHERE c.ws = ? AND c.cache_key = ? AND (c.expires IS NULL OR c.expires > ?)
		ORDER BY c.created DESC LIMIT 1`, int64(t.ws), key, micros(now))
}

// TaskRunStates implements core.TaskRunTx.
func (t *tx) TaskRunStates(runID core.ID) ([]*core.State, error) {
	return t.states("task_run_state", runID)
}

// TaskRunState implements core.TaskRunTx.
func (t *tx) TaskRunState(id core.ID) (*core.State, error) {
	return t.state("task_run_state", "Flow run state not found", id)
}

// DeleteTaskRun implements core.TaskRunTx.
func (t *tx) DeleteTaskRun(id core.ID) (bool, error) {
	n, err := t.execN("DELETE FROM task_run WHERE ws + 0 = ? AND id = ?", int64(t.ws), id)
	if err != nil || n == 0 {
		return false, err
	}
	for _, text := range []string{
		"DELETE FROM task_run_state WHERE run_id = ?",
		"UPDATE flow_run SET parent_task_run_id = NULL WHERE parent_task_run_id = ?",
	} {
		if err := t.exec(text, id); err != nil {
			return false, err
		}
	}
	return true, t.exec("DELETE FROM log WHERE task_run_id = ?", id)
}

// FilterTaskRuns implements core.TaskRunTx.
func (t *tx) FilterTaskRuns(q core.Query) ([]*core.TaskRun, error) {
	return filter(t, core.EntityTaskRun, taskRunColumns, "", q, scanTaskRun)
}

// CountTaskRuns implements core.TaskRunTx.
func (t *tx) CountTaskRuns(q core.Query) (int, error) { return count(t, core.EntityTaskRun, q) }

// AbandonedTaskRuns implements core.TaskRunTx.
func (t *tx) AbandonedTaskRuns(since time.Time, limit int) ([]core.ID, error) {
	return list(t, scanID, `SELECT tr.id FROM flow_run fr JOIN task_run tr ON tr.flow_run_id = fr.id
		WHERE fr.ws = ? AND fr.state_type = 'CANCELLED' AND fr.end_time >= ?
		AND tr.state_type NOT IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') ORDER BY tr.id LIMIT ?`, int64(t.ws), micros(since), limit)
}
