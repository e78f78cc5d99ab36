package store

import (
	"time"

	"github.com/leat-dev/leat/internal/core"
)

const scheduleColumns = `s.id, s.created, s.updated, s.deployment_id, s.schedule, s.active, s.max_scheduled_runs, s.parameters, s.slug,
	` + policyColumns

func scanSchedule(r rows) (*core.DeploymentSchedule, error) {
	s := &core.DeploymentSchedule{}
	return s, r.Scan(append([]any{
		&s.ID,
		timeInto{&s.Created},
		timeInto{&s.Updated},
		&s.DeploymentID,
		rawInto{&s.Schedule},
		&s.Active,
		&s.MaxScheduledRuns,
		rawInto{&s.Parameters},
		&s.Slug,
	}, policyInto(&s.Policy)...)...)
}

// InsertSchedules implements core.ScheduleTx.
func (t *tx) InsertSchedules(schedules []*core.DeploymentSchedule) error {
	for _, s := range schedules {
		err := t.exec(`INSERT INTO deployment_schedule (id, ws, created, updated, deployment_id, schedule, active, max_scheduled_runs,
			parameters, slug, due, catchup_window, overlap, max_waiting) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)`,
			append([]any{
				s.ID, int64(t.ws), micros(s.Created), micros(s.Updated), s.DeploymentID, string(s.Schedule), s.Active,
				s.MaxScheduledRuns, string(s.Parameters), s.Slug,
			}, policyArgs(s.Policy)...)...)
		if err != nil {
			return err
		}
	}
	t.Wake(core.TopicSchedules)
	return nil
}

// UpdateSchedule implements core.ScheduleTx.
func (t *tx) UpdateSchedule(s *core.DeploymentSchedule) error {
	t.Wake(core.TopicSchedules)
	return t.exec(`UPDATE deployment_schedule SET updated = ?, schedule = ?, active = ?, max_scheduled_runs = ?, parameters = ?, slug = ?,
		due = 0, catchup_window = ?, overlap = ?, max_waiting = ? WHERE ws + 0 = ? AND id = ?`,
		append(append([]any{micros(s.Updated), string(s.Schedule), s.Active, s.MaxScheduledRuns, string(s.Parameters), s.Slug},
			policyArgs(s.Policy)...), int64(t.ws), s.ID)...)
}

// DeleteSchedule implements core.ScheduleTx.
func (t *tx) DeleteSchedule(deploymentID, id core.ID) (bool, error) {
	n, err := t.execN("DELETE FROM deployment_schedule WHERE ws + 0 = ? AND deployment_id = ? AND id = ?", int64(t.ws), deploymentID, id)
	return n > 0, err
}

// DeleteSchedules implements core.ScheduleTx.
func (t *tx) DeleteSchedules(deploymentID core.ID) error {
	return t.exec("DELETE FROM deployment_schedule WHERE ws + 0 = ? AND deployment_id = ?", int64(t.ws), deploymentID)
}

// DueSchedules implements core.ScheduleTx.
func (t *tx) DueSchedules(now time.Time, limit int) ([]core.DueSchedule, error) {
	return list(t, func(r rows) (core.DueSchedule, error) {
		var d core.DueSchedule
		var due int64
		err := r.Scan(&d.DeploymentID, &d.ScheduleID, &due, timePtrInto{&d.Filled})
		d.Fresh = due == 0
		return d, err
	}, `SELECT s.deployment_id, s.id, s.due, s.filled FROM deployment_schedule s JOIN deployment d ON d.id = s.deployment_id
		WHERE s.ws = ? AND s.active AND s.due IS NOT NULL AND s.due <= ? AND NOT d.paused ORDER BY s.due, s.id LIMIT ?`,
		int64(t.ws), micros(now), limit)
}

// SetScheduleDue implements core.ScheduleTx.
func (t *tx) SetScheduleDue(id core.ID, at *time.Time) error {
	return t.exec("UPDATE deployment_schedule SET due = ? WHERE ws + 0 = ? AND id = ?", microsPtr(at), int64(t.ws), id)
}

// SetScheduleFilled implements core.ScheduleTx.
func (t *tx) SetScheduleFilled(id core.ID, until, again time.Time) error {
	return t.exec("UPDATE deployment_schedule SET due = ?, filled = ? WHERE ws + 0 = ? AND id = ?", micros(again), micros(until), int64(t.ws), id)
}

// KnownRunKeys implements core.ScheduleTx.
func (t *tx) KnownRunKeys(flowID core.ID, keys []string) (map[string]bool, error) {
	known := map[string]bool{}
	if len(keys) == 0 {
		return known, nil
	}
	args := []any{flowID}
	for _, k := range keys {
		args = append(args, k)
	}
	found, err := listOnce(t, func(r rows) (key string, err error) { return key, r.Scan(&key) },
		"SELECT fr.idempotency_key FROM flow_run fr WHERE fr.flow_id = ? AND fr.idempotency_key IN ("+placeholders(len(keys))+")", args...)
	for _, k := range found {
		known[k] = true
	}
	return known, err
}
