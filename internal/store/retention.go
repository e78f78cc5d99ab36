package store

import (
	"errors"
	"math/bits"
	"strconv"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// expired is the condition for flow runs that are not kept any longer: no run
// that lives refers to them.
const expired = `fr.ws = ? AND fr.end_time < ? AND fr.state_type IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')
	AND NOT EXISTS (SELECT 1 FROM task_run p WHERE p.id = fr.parent_task_run_id)
	AND NOT EXISTS (SELECT 1 FROM execution x JOIN map_run m ON m.id = x.map_run_id WHERE x.run_id = fr.id)`

func scanMark(r rows) (m core.RunMark, err error) {
	var at *int64
	err = r.Scan(&at, &m.ID)
	if at != nil {
		m.At = time.UnixMicro(*at).UTC()
	}
	return m, err
}

// ExpiredFlowRuns implements core.RetentionTx.
func (t *tx) ExpiredFlowRuns(before time.Time, after core.RunMark, limit int) ([]core.RunMark, error) {
	at := micros(after.At)
	return list(t, scanMark, "SELECT fr.end_time, fr.id FROM flow_run fr WHERE "+expired+
		" AND fr.end_time >= ? AND (fr.end_time > ? OR fr.id > ?) ORDER BY fr.end_time, fr.id LIMIT ?", int64(t.ws), micros(before), at, at, after.ID, limit)
}

// ForgetFlowRuns implements core.RetentionTx.
func (t *tx) ForgetFlowRuns(ids []core.ID, before time.Time) (int, error) {
	n := 0
	for _, id := range ids {
		found, err := list(t, scanID, "SELECT fr.id FROM flow_run fr WHERE "+expired+" AND fr.id = ?"+t.claim("fr"), int64(t.ws), micros(before), id)
		if err != nil {
			return n, err
		}
		if len(found) == 0 {
			continue
		}
		if err := errors.Join(
			t.exec("DELETE FROM flow_run WHERE id = ?", id),
			t.exec("DELETE FROM execution WHERE run_id = ?", id),
			t.leaveRemains(id, false),
		); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// leaveRemains notes that rows are left of a run that was removed.
func (t *tx) leaveRemains(id core.ID, task bool) error {
	return t.exec("INSERT INTO run_remains (run_id, ws, task) VALUES (?, ?, ?) ON CONFLICT (run_id) DO NOTHING", id, int64(t.ws), task)
}

// ForgetTaskRuns implements core.RetentionTx.
func (t *tx) ForgetTaskRuns(before time.Time, limit int) (int, error) {
	ids, err := list(t, scanID, `SELECT tr.id FROM task_run tr WHERE tr.ws = ? AND tr.flow_run_id IS NULL AND tr.end_time < ?
		AND tr.state_type IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') ORDER BY tr.end_time LIMIT ?`+t.claim("tr"), int64(t.ws), micros(before), limit)
	if err != nil {
		return 0, err
	}
	return len(ids), t.forgetTasks(ids)
}

// forgetTasks removes task runs and notes what is left of them.
func (t *tx) forgetTasks(ids []core.ID) error {
	for _, id := range ids {
		err := errors.Join(t.exec("DELETE FROM task_run WHERE ws + 0 = ? AND id = ?", int64(t.ws), id), t.leaveRemains(id, true))
		if err != nil {
			return err
		}
	}
	return nil
}

// StrayTaskRuns implements core.RetentionTx.
func (t *tx) StrayTaskRuns(before time.Time, after core.RunMark, limit int) ([]core.ID, core.RunMark, error) {
	type seen struct {
		core.RunMark
		stray bool
	}
	at := micros(after.At)
	page, err := list(t, func(r rows) (s seen, err error) {
		var at, owners int64
		var of *string
		err = r.Scan(&at, &s.ID, &of, &owners)
		s.At, s.stray = time.UnixMicro(at).UTC(), of != nil && owners == 0
		return s, err
	}, `SELECT tr.expected_start_time, tr.id, tr.flow_run_id, (SELECT count(*) FROM flow_run fr WHERE fr.id = tr.flow_run_id) FROM task_run tr
		WHERE tr.ws = ? AND tr.expected_start_time < ? AND tr.expected_start_time >= ? AND (tr.expected_start_time > ? OR tr.id > ?)
		ORDER BY tr.expected_start_time, tr.id LIMIT ?`, int64(t.ws), micros(before), at, at, after.ID, limit)
	if err != nil {
		return nil, after, err
	}
	var ids []core.ID
	for _, s := range page {
		after = s.RunMark
		if s.stray {
			ids = append(ids, s.ID)
		}
	}
	return ids, after, nil
}

// ForgetStrays implements core.RetentionTx.
func (t *tx) ForgetStrays(ids []core.ID) (int, error) {
	var strays []core.ID
	for _, id := range ids {
		found, err := list(t, scanID, `SELECT tr.id FROM task_run tr WHERE tr.ws + 0 = ? AND tr.id = ? AND tr.flow_run_id IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM flow_run fr WHERE fr.id = tr.flow_run_id)`+t.claim("tr"), int64(t.ws), id)
		if err != nil {
			return 0, err
		}
		strays = append(strays, found...)
	}
	return len(strays), t.forgetTasks(strays)
}

// runCost is what looking for a run's rows costs, as a number of rows.
const runCost = 5

// ClearRemains implements core.RetentionTx.
func (t *tx) ClearRemains(limit int) (int, bool, error) {
	type remains struct {
		id   core.ID
		task bool
	}
	s := sweep{t: t, left: max(limit, 2*runCost)}
	for s.left > 0 {
		next, err := list(t, func(r rows) (l remains, err error) { return l, r.Scan(&l.id, &l.task) },
			"SELECT rr.run_id, rr.task FROM run_remains rr WHERE rr.ws = ? ORDER BY rr.run_id LIMIT 1"+t.claim("rr"), int64(t.ws))
		if err != nil || len(next) == 0 {
			return s.rows, false, err
		}
		if next[0].task {
			err = s.ofTasks([]core.ID{next[0].id})
		} else {
			err = s.ofFlowRun(next[0].id)
		}
		if err == nil && s.left > 0 {
			err = t.exec("DELETE FROM run_remains WHERE run_id = ?", next[0].id)
		}
		if err != nil {
			return s.rows, false, err
		}
		s.left -= runCost
	}
	return s.rows, true, nil
}

// sweep removes rows until there are no more or its budget is used up; then
// left is 0 or less.
type sweep struct {
	t    *tx
	left int // rows that may still be removed
	rows int // rows removed
}

func (s *sweep) delete(p part, args ...any) error {
	if s.left <= 0 {
		return nil
	}
	n, err := s.t.execN(s.t.d.deleteSome(p.table, p.key, p.where), append(args, s.left)...)
	s.left, s.rows = s.left-int(n), s.rows+int(n)
	return err
}

// ofFlowRun removes what belongs to a flow run.
func (s *sweep) ofFlowRun(id core.ID) error {
	if err := s.artifacts("a.flow_run_id = ?", id); err != nil {
		return err
	}
	for _, p := range flowRunParts() {
		if err := s.delete(p, id); err != nil {
			return err
		}
	}
	for s.left > 0 {
		tasks, err := list(s.t, scanID, "SELECT tr.id FROM task_run tr WHERE tr.flow_run_id = ? LIMIT ?", id, taskPage)
		if err != nil || len(tasks) == 0 {
			return err
		}
		if err := s.ofTasks(tasks); err != nil {
			return err
		}
		if s.left > 0 {
			if err := s.delete(part{"task_run", "id", "id IN (" + placeholders(taskPage) + ")"}, page(tasks)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// taskPage is how many task runs one statement removes.
const taskPage = 20

// page fills the places of a statement for taskPage task runs.
func page(ids []core.ID) []any {
	args := make([]any, taskPage, taskPage+1)
	for i := range args {
		args[i] = ids[min(i, len(ids)-1)]
	}
	return args
}

// ofTasks removes what belongs to task runs, at most taskPage of them.
func (s *sweep) ofTasks(ids []core.ID) error {
	const among = " IN (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" // taskPage places
	if err := s.artifacts("a.task_run_id"+among, page(ids)...); err != nil {
		return err
	}
	for _, p := range []part{
		{"log", "seq", "task_run_id" + among},
		{"task_cache", "rowid", "state_id IN (SELECT id FROM task_run_state WHERE run_id" + among + ")"},
		{"task_run_state", "run_id, timestamp, id", "run_id" + among},
	} {
		if err := s.delete(p, page(ids)...); err != nil {
			return err
		}
	}
	return s.t.exec("UPDATE flow_run SET parent_task_run_id = NULL WHERE parent_task_run_id"+among, page(ids)...)
}

// artifacts removes artifacts and brings their collections up to date.
func (s *sweep) artifacts(where string, args ...any) error {
	type artifact struct {
		id  core.ID
		key *string
	}
	if s.left <= 0 {
		return nil
	}
	found, err := list(s.t, func(r rows) (a artifact, err error) { return a, r.Scan(&a.id, &a.key) },
		"SELECT a.id, a.key FROM artifact a WHERE "+where+" LIMIT ?", append(args, s.left)...)
	if err != nil {
		return err
	}
	for _, a := range found {
		if err := s.t.exec("DELETE FROM artifact WHERE id = ?", a.id); err != nil {
			return err
		}
		if a.key != nil {
			if err := s.t.settleCollection(*a.key); err != nil {
				return err
			}
		}
	}
	s.left, s.rows = s.left-len(found), s.rows+len(found)
	return nil
}

// settleCollection lets a collection name the newest of the artifacts that are
// left, or removes it when there is none.
func (t *tx) settleCollection(key string) error {
	const others = "SELECT a.id FROM artifact a WHERE a.ws = artifact_collection.ws AND a.key = artifact_collection.key"
	return errors.Join(
		t.exec("DELETE FROM artifact_collection WHERE ws = ? AND key = ? AND NOT EXISTS ("+others+")", int64(t.ws), key),
		t.exec("UPDATE artifact_collection SET latest_id = ("+others+` ORDER BY a.created DESC, a.id DESC LIMIT 1)
			WHERE ws = ? AND key = ? AND NOT EXISTS (SELECT 1 FROM artifact a WHERE a.id = latest_id)`, int64(t.ws), key),
	)
}

// ForgetLogs implements core.RetentionTx. Lines are stored in the order in which
// they came, whosever they are; so the old ones come first and no index is needed.
func (t *tx) ForgetLogs(after core.Cursor, before, now time.Time, limit int) (int, core.Cursor, error) {
	type line struct {
		core.Cursor
		created time.Time
	}
	beyond, upto, order := "seq > ?", "seq <= ?", "seq"
	place := func(c core.Cursor) []any { return []any{c.Seq} }
	if t.d.seqTx != "0" {
		beyond, upto, order = "(tx, seq) > (?, ?)", "(tx, seq) <= (?, ?)", "tx, seq"
		place = func(c core.Cursor) []any { return []any{c.Tx, c.Seq} }
	}
	lines, err := list(t, func(r rows) (l line, err error) { return l, r.Scan(&l.Tx, &l.Seq, timeInto{&l.created}) },
		"SELECT "+t.d.seqTx+", seq, created FROM log WHERE "+beyond+" ORDER BY "+order+" LIMIT ?", append(place(after), limit)...)
	if err != nil {
		return 0, after, err
	}
	last, old := core.Cursor{}, 0
	for _, l := range lines {
		if !l.created.Before(before) && !l.created.After(now) {
			break
		}
		if last = l.Cursor; l.created.Before(before) {
			old++
		}
	}
	next := last
	if len(lines) < limit || last != lines[len(lines)-1].Cursor {
		next = core.Cursor{}
	}
	if old == 0 {
		return 0, next, nil
	}
	args := append(append(place(after), place(last)...), micros(before))
	n, err := t.execN("DELETE FROM log WHERE "+beyond+" AND "+upto+" AND created < ?", args...)
	return int(n), next, err
}

// ForgetEvents implements core.RetentionTx. The newest event stays: SQLite gives
// its number, where followers stand, again when it is gone.
func (t *tx) ForgetEvents(before, now time.Time, limit int) (int, error) {
	where := "ws = ? AND occurred < ? AND received < ?"
	if t.d.seqTx == "0" {
		where += " AND seq < (SELECT max(seq) FROM event)"
	}
	n, err := t.execN(t.d.deleteSome("event", "seq", where+" ORDER BY occurred"), int64(t.ws), micros(before), micros(now.Add(-core.MinEventAge)), limit)
	return int(n), err
}

// ForgetArtifacts implements core.RetentionTx.
func (t *tx) ForgetArtifacts(before time.Time, limit int) (int, error) {
	n, err := t.execN(t.d.deleteSome("artifact", "id", `ws = ? AND created < ? AND NOT EXISTS (SELECT 1 FROM artifact_collection c
		WHERE c.ws = artifact.ws AND c.key = artifact.key AND c.latest_id = artifact.id) ORDER BY created`), int64(t.ws), micros(before), limit)
	return int(n), err
}

// ForgetWorkers implements core.RetentionTx.
func (t *tx) ForgetWorkers(before time.Time) (int, error) {
	n, err := t.execN("DELETE FROM worker WHERE ws = ? AND last_heartbeat_time < ? AND status <> 'ONLINE'", int64(t.ws), micros(before))
	return int(n), errors.Join(err, t.ForgetWorkerLives(before))
}

// ForgetTaskCache implements core.RetentionTx.
func (t *tx) ForgetTaskCache(now time.Time, limit int) (int, error) {
	n, err := t.execN(t.d.deleteSome("task_cache", "rowid", "ws = ? AND expires IS NOT NULL AND expires < ? ORDER BY expires"), int64(t.ws), micros(now), limit)
	return int(n), err
}

// GiveBack implements core.RetentionTx.
func (t *tx) GiveBack(pages, reserve int) (int, error) {
	if t.d.freePages == "" {
		return 0, nil
	}
	free, err := number(t, false, t.d.freePages)
	if err != nil || free <= reserve || pages <= 0 {
		return max(free-reserve, 0), err
	}
	// Few sizes, so that few statements are prepared.
	pages = 1 << (bits.Len(uint(min(pages, free-reserve))) - 1)
	return free - reserve - pages, t.exec("PRAGMA incremental_vacuum(" + strconv.Itoa(pages) + ")")
}
