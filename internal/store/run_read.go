package store

import (
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// CountFlowRuns implements core.FlowRunTx. Where the tally can answer, it does.
func (t *tx) CountFlowRuns(q core.Query) (int, error) {
	if _, ok := tallies(q); !ok {
		return count(t, core.EntityFlowRun, q)
	}
	counts, err := t.countRuns(runCounts{
		entity: core.EntityFlowRun, alias: "fr", query: q, from: beginning, width: 1, buckets: 1, open: true, now: time.UnixMicro(beginning),
	})
	n := 0
	for _, c := range counts {
		n += c.Runs
	}
	return n, err
}

// FlowRunHistory implements core.RunReadTx.
func (t *tx) FlowRunHistory(q core.Query, b core.Buckets, now time.Time) ([]core.RunCount, error) {
	return t.history(core.EntityFlowRun, "fr", q, b, now)
}

// TaskRunHistory implements core.RunReadTx.
func (t *tx) TaskRunHistory(q core.Query, b core.Buckets, now time.Time) ([]core.RunCount, error) {
	return t.history(core.EntityTaskRun, "tr", q, b, now)
}

func (t *tx) history(e core.Entity, alias string, q core.Query, b core.Buckets, now time.Time) ([]core.RunCount, error) {
	return t.countRuns(runCounts{
		entity: e, alias: alias, query: q, from: micros(b.Start), width: b.Width.Microseconds(), buckets: b.Count, now: now,
	})
}

// FlowRunLateness implements core.RunReadTx.
func (t *tx) FlowRunLateness(q core.Query, now time.Time) (*float64, error) {
	counts, err := t.countRuns(runCounts{
		entity: core.EntityFlowRun, alias: "fr", query: q, from: beginning, width: 1, buckets: 1, open: true, now: now,
	})
	runs, seconds := 0, 0.0
	for _, c := range counts {
		runs += c.Runs
		seconds += c.Lateness.Seconds()
	}
	if err != nil || runs == 0 {
		return nil, err
	}
	seconds /= float64(runs)
	return &seconds, nil
}

// BriefFlowRuns implements core.RunReadTx.
func (t *tx) BriefFlowRuns(q core.Query, now time.Time) ([]core.BriefFlowRun, error) {
	found, err := filter(t, core.EntityFlowRun,
		"fr.id, fr.state_type, fr.state_timestamp, fr.expected_start_time, fr.start_time, fr.total_run_time", "", q,
		func(r rows) (*core.FlowRun, error) {
			run := &core.FlowRun{}
			var kind *string
			var at *time.Time
			err := r.Scan(&run.ID, &kind, timePtrInto{&at}, timePtrInto{&run.ExpectedStartTime}, timePtrInto{&run.StartTime},
				durationInto{&run.TotalRunTime})
			if kind != nil && at != nil {
				run.State = &core.State{Type: core.StateType(*kind), Timestamp: *at}
			}
			return run, err
		})
	out := []core.BriefFlowRun{}
	for _, r := range found {
		at := r.StartTime
		if at == nil {
			at = r.ExpectedStartTime
		}
		if r.State == nil || at == nil {
			continue
		}
		out = append(out, core.BriefFlowRun{
			ID: r.ID, StateType: r.State.Type, At: *at, RunTime: core.EstimatedRunTime(r.TotalRunTime, r.State, now),
			Lateness: core.EstimatedLateness(r.ExpectedStartTime, r.StartTime, r.State, now),
		})
	}
	return out, err
}

// NextFlowRuns implements core.RunReadTx.
func (t *tx) NextFlowRuns(flowIDs []core.ID) ([]core.NextFlowRun, error) {
	var out []core.NextFlowRun
	for _, id := range flowIDs {
		next, err := list(t, func(r rows) (n core.NextFlowRun, err error) {
			return n, r.Scan(&n.ID, &n.FlowID, &n.Name, &n.StateName, &n.StateType, timeInto{&n.Due})
		}, `SELECT fr.id, fr.flow_id, fr.name, fr.state_name, fr.state_type, fr.next_scheduled_start_time FROM flow_run fr
			WHERE fr.ws + 0 = ? AND fr.flow_id = ? AND fr.state_type = 'SCHEDULED' AND fr.next_scheduled_start_time IS NOT NULL
			ORDER BY fr.next_scheduled_start_time, fr.id LIMIT 1`, int64(t.ws), id)
		if err != nil {
			return nil, err
		}
		out = append(out, next...)
	}
	return out, nil
}

// CountTasksOfRuns implements core.RunReadTx.
func (t *tx) CountTasksOfRuns(flowRunIDs []core.ID) (map[core.ID]int, error) {
	return t.countBy("tr.flow_run_id", "task_run tr", "tr", flowRunIDs,
		" AND NOT EXISTS (SELECT 1 FROM flow_run sf WHERE sf.parent_task_run_id = tr.id)")
}

// CountDeploymentsOfFlows implements core.RunReadTx.
func (t *tx) CountDeploymentsOfFlows(flowIDs []core.ID) (map[core.ID]int, error) {
	return t.countBy("d.flow_id", "deployment d", "d", flowIDs, "")
}

// countBy counts the rows that belong to each of some ids.
func (t *tx) countBy(column, table, alias string, ids []core.ID, more string) (map[core.ID]int, error) {
	b := &builder{d: t.d, ws: t.ws}
	text := "SELECT " + column + ", count(*) FROM " + table + " WHERE " + alias + ".ws + 0 = " + b.arg(int64(t.ws)) + " AND " +
		b.in(column, "IN", ids) + more + " GROUP BY " + column
	out := map[core.ID]int{}
	_, err := listOnce(t, func(r rows) (none struct{}, err error) {
		var id core.ID
		var n int
		err = r.Scan(&id, &n)
		out[id] = n
		return none, err
	}, text, b.args...)
	return out, err
}

// CountTaskRunsByState implements core.RunReadTx.
func (t *tx) CountTaskRunsByState(q core.Query) (map[core.StateType]int, error) {
	b := &builder{d: t.d, ws: t.ws}
	where, err := b.where(core.EntityTaskRun, q)
	if err != nil {
		return nil, err
	}
	out := map[core.StateType]int{}
	_, err = listOnce(t, func(r rows) (none struct{}, err error) {
		var kind core.StateType
		var n int
		err = r.Scan(&kind, &n)
		out[kind] = n
		return none, err
	}, "SELECT tr.state_type, count(*) FROM task_run tr WHERE "+where+" AND tr.state_type IS NOT NULL GROUP BY tr.state_type", b.args...)
	return out, err
}

// CountEndedTaskRuns implements core.RunReadTx.
func (t *tx) CountEndedTaskRuns(q core.Query, buckets core.Buckets) ([]core.EndedCount, error) {
	b := &builder{d: t.d, ws: t.ws}
	text := "SELECT x.bucket, CAST(sum(x.runs - x.failed) AS BIGINT), CAST(sum(x.failed) AS BIGINT) FROM (SELECT (tr.start_time - CAST(" +
		b.arg(micros(buckets.Start)) + " AS BIGINT)) / CAST(" + b.arg(buckets.Width.Microseconds()) +
		" AS BIGINT) AS bucket, 1 AS runs, CASE WHEN tr.state_type IN ('FAILED', 'CRASHED') THEN 1 ELSE 0 END AS failed FROM task_run tr WHERE "
	where, err := b.where(core.EntityTaskRun, q)
	if err != nil {
		return nil, err
	}
	text += where + " AND tr.state_type IN " + ended + ") AS x GROUP BY x.bucket ORDER BY x.bucket"
	return listOnce(t, func(r rows) (c core.EndedCount, err error) { return c, r.Scan(&c.Bucket, &c.Completed, &c.Failed) }, text, b.args...)
}
