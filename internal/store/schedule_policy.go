package store

import (
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// policyColumns are the columns of a schedule's policy.
const policyColumns = "s.catchup_window, coalesce(s.overlap, ''), s.max_waiting"

// policyInto is where policyColumns go.
func policyInto(p *core.SchedulePolicy) []any {
	return []any{durationPtrInto{&p.CatchupWindow}, &p.Overlap, &p.MaxWaiting}
}

// durationPtrInto reads microseconds that may be NULL.
type durationPtrInto struct{ dst **time.Duration }

// Scan implements sql.Scanner.
func (s durationPtrInto) Scan(src any) error {
	if src == nil {
		*s.dst = nil
		return nil
	}
	*s.dst = new(time.Duration)
	return durationInto{*s.dst}.Scan(src)
}

// policyArgs are the values of those columns; what restricts nothing is NULL, so
// that such a schedule is not in the index of those with a policy.
func policyArgs(p core.SchedulePolicy) []any {
	args := []any{nil, nil, p.MaxWaiting}
	if p.CatchupWindow != nil {
		args[0] = p.CatchupWindow.Microseconds()
	}
	if p.Overlap != "" && p.Overlap != core.OverlapAllow {
		args[1] = string(p.Overlap)
	}
	return args
}

// restricts is the condition of the index on schedules with a policy.
const restricts = "(s.catchup_window IS NOT NULL OR s.overlap IS NOT NULL OR s.max_waiting IS NOT NULL)"

// SchedulePolicies implements core.SchedulePolicyTx.
func (t *tx) SchedulePolicies(ids []core.ID) (map[core.ID]core.SchedulePolicy, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	policies := map[core.ID]core.SchedulePolicy{}
	_, err := listOnce(t, func(r rows) (struct{}, error) {
		var id core.ID
		var p core.SchedulePolicy
		err := r.Scan(append([]any{&id}, policyInto(&p)...)...)
		policies[id] = p
		return struct{}{}, err
	}, "SELECT s.id, "+policyColumns+" FROM deployment_schedule s WHERE s.ws + 0 = ? AND "+restricts+
		" AND s.id IN ("+placeholders(len(ids))+")", t.withIDs(ids)...)
	return policies, err
}

// RestrictedSchedules implements core.SchedulePolicyTx.
func (t *tx) RestrictedSchedules(now time.Time, after core.ID, limit int) ([]core.DueSchedule, error) {
	return list(t, func(r rows) (core.DueSchedule, error) {
		var d core.DueSchedule
		return d, r.Scan(&d.DeploymentID, &d.ScheduleID)
	}, "SELECT s.deployment_id, s.id FROM deployment_schedule s WHERE s.ws = ? AND "+restricts+` AND s.id > ?
		AND EXISTS (SELECT 1 FROM flow_run fr WHERE fr.schedule_id = s.id AND fr.end_time IS NULL AND fr.state_type = 'SCHEDULED'
			AND fr.start_time IS NULL AND fr.expected_start_time <= ?)
		ORDER BY s.id LIMIT ?`, int64(t.ws), after.String(), micros(now), limit)
}

// LiveScheduleRuns implements core.SchedulePolicyTx.
func (t *tx) LiveScheduleRuns(ids []core.ID, due time.Time) ([]core.ScheduleRun, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return listOnce(t, func(r rows) (core.ScheduleRun, error) {
		var f core.ScheduleRun
		return f, r.Scan(&f.ID, &f.ScheduleID, timeInto{&f.Due}, &f.Type, &f.Started)
	}, `SELECT fr.id, fr.schedule_id, fr.expected_start_time, fr.state_type, fr.start_time IS NOT NULL FROM flow_run fr
		WHERE fr.ws + 0 = ? AND fr.schedule_id IN (`+placeholders(len(ids))+`) AND fr.end_time IS NULL
		AND (fr.state_type <> 'SCHEDULED' OR fr.start_time IS NOT NULL OR fr.expected_start_time <= ?)
		ORDER BY fr.expected_start_time, fr.id`, append(t.withIDs(ids), micros(due))...)
}

// MoveScheduleRuns implements core.SchedulePolicyTx.
func (t *tx) MoveScheduleRuns(from, to core.ID) error {
	return t.exec("UPDATE flow_run SET schedule_id = ? WHERE ws + 0 = ? AND schedule_id = ? AND end_time IS NULL", to, int64(t.ws), from)
}
