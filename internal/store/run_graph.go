package store

import (
	"encoding/json"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// A task run that stands for a subflow is shown as the subflow's run.
const (
	graphFrom = `FROM task_run tr LEFT JOIN flow_run fr ON fr.parent_task_run_id = tr.id
		WHERE tr.ws + 0 = ? AND tr.flow_run_id = ? AND coalesce(fr.start_time, fr.expected_start_time, tr.start_time, tr.expected_start_time) IS NOT NULL
		AND coalesce(fr.state_type, tr.state_type) IS NOT NULL`
	graphEnd = "coalesce(fr.end_time, tr.end_time, CASE WHEN tr.state_type = 'COMPLETED' THEN tr.expected_start_time END)"
)

// GraphNodes implements core.RunReadTx.
func (t *tx) GraphNodes(flowRunID core.ID) ([]core.GraphNode, error) {
	return list(t, func(r rows) (n core.GraphNode, err error) {
		return n, r.Scan(&n.ID, &n.Subflow, &n.Label, &n.StateType, timeInto{&n.Start}, timePtrInto{&n.End}, rawInto{&n.Inputs})
	}, `SELECT coalesce(fr.id, tr.id), fr.id IS NOT NULL, coalesce(fr.flow_name || ' / ' || fr.name, tr.name), coalesce(fr.state_type, tr.state_type),
		coalesce(fr.start_time, fr.expected_start_time, tr.start_time, tr.expected_start_time), `+graphEnd+`, tr.task_inputs `+graphFrom+`
		ORDER BY coalesce(fr.id, tr.id)`, int64(t.ws), flowRunID)
}

// CountGraphNodes implements core.RunReadTx.
func (t *tx) CountGraphNodes(flowRunID core.ID, since time.Time, limit int) (int, error) {
	return number(t, false, "SELECT count(*) FROM (SELECT 1 "+graphFrom+" AND ("+graphEnd+" IS NULL OR "+graphEnd+" >= ?) LIMIT ?) AS x",
		int64(t.ws), flowRunID, micros(since), limit)
}

// GraphArtifacts implements core.RunReadTx.
func (t *tx) GraphArtifacts(flowRunID core.ID, limit int) ([]core.GraphArtifact, error) {
	return list(t, func(r rows) (a core.GraphArtifact, err error) {
		var latest json.RawMessage
		err = r.Scan(append(artifactDest(&a.Artifact), rawInto{&latest})...)
		a.Latest = a.Key == nil || latest != nil
		return a, err
	}, "SELECT "+artifactColumns+`, ac.id FROM artifact a LEFT JOIN artifact_collection ac ON ac.ws = a.ws AND ac.key = a.key AND ac.latest_id = a.id
		WHERE a.ws + 0 = ? AND a.flow_run_id = ? AND a.type <> 'result' ORDER BY a.created, a.id LIMIT ?`, int64(t.ws), flowRunID, limit)
}
