package store

import (
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// The tally of flow runs.
//
// flow_run_tally holds how many runs were expected in a minute or an hour (its
// slot), by state, for all runs of a workspace, for those of a flow and for those
// of a deployment (its scope), and what their sums of run time and of lateness
// are made of, in seconds: of runs that are Running, or wait to start, only the
// part that does not grow with the clock. It holds the runs that were expected
// before the mark's sealed time; those after it are counted one by one.
//
// A change of a run that was expected before the mark's pending time is noted in
// flow_run_tally_change, by triggers of flow_run (0010_run_reads.sql): what the
// run no longer is, and what it is now. So whoever writes runs, in whatever way,
// keeps the tally right, and writers never wait for each other on a row of it.
// What is counted is always the tally and the changes together; folding moves
// changes into the tally.
//
// The mark moves in three steps, each a transaction. First pending is moved
// ahead: from then on writers note changes up to there. Second, a barrier is
// taken: all transactions that may not have seen the new pending are smaller.
// Third, when these have ended, runs are counted, less the changes noted so far,
// and sealed follows, in chunks. One statement counts both, and so sees them as
// they were at one moment. Without a mark there is no tally, and all runs are
// counted one by one.

const (
	minute = int64(time.Minute / time.Microsecond)
	hour   = 60 * minute
	// beginning is before every run, in microseconds since 1970: the year 1.
	beginning = -62135596800 * 1_000_000
	// noBarrier is the barrier of a mark whose pending time is new.
	noBarrier = -1
	// tallyChunk is how many runs are sealed, or changes folded, in a transaction.
	tallyChunk = 4000
	// maxTallyChanges is how many changes may wait to be folded. When more come
	// at once, as with an import, all is counted anew instead, and meanwhile
	// nothing is noted.
	maxTallyChanges = 20_000
)

// tallyMark says how far the tally is.
type tallyMark struct{ sealed, pending, barrier int64 }

func scanTallyMark(r rows) (m tallyMark, err error) {
	return m, r.Scan(&m.sealed, &m.pending, &m.barrier)
}

func (t *tx) tallyMark() (tallyMark, error) {
	return one(t, core.Errorf(core.NotFound, "no tally"), scanTallyMark,
		"SELECT sealed, pending, barrier FROM flow_run_tally_mark m WHERE ws = ?"+t.lock("m"), int64(t.ws))
}

// RunTallyMark implements core.RunTallyTx.
func (t *tx) RunTallyMark() (time.Time, bool, error) {
	m, err := t.tallyMark()
	if core.CodeOf(err) == core.NotFound {
		return time.Time{}, false, nil
	}
	return time.UnixMicro(m.sealed).UTC(), err == nil, err
}

// AdvanceRunTally implements core.RunTallyTx.
func (t *tx) AdvanceRunTally(before time.Time) (more bool, err error) {
	m, err := t.tallyMark()
	if core.CodeOf(err) == core.NotFound {
		return true, t.beginTally(before)
	}
	if err != nil {
		return false, err
	}
	waiting, err := number(t, false, "SELECT count(*) FROM (SELECT 1 FROM flow_run_tally_change c WHERE c.ws + 0 = ? LIMIT ?) AS x",
		int64(t.ws), maxTallyChanges+1)
	if err != nil {
		return false, err
	}
	if waiting > maxTallyChanges {
		return true, t.exec("DELETE FROM flow_run_tally_mark WHERE ws = ?", int64(t.ws))
	}
	switch {
	case m.sealed < m.pending && m.barrier == noBarrier:
		return true, t.exec("UPDATE flow_run_tally_mark SET barrier = "+t.d.barrier+" WHERE ws = ?", int64(t.ws))
	case m.sealed < m.pending:
		return t.sealTally(m)
	}
	folded, err := t.foldTally()
	if err != nil || folded {
		return true, err
	}
	if micros(before)-m.pending < minute {
		return false, nil
	}
	return true, t.exec("UPDATE flow_run_tally_mark SET pending = ?, barrier = ? WHERE ws = ?", micros(before), noBarrier, int64(t.ws))
}

// beginTally makes a mark, once nothing is left of an older tally. Changes that
// come too late for that do no harm: what is sealed is counted less them.
func (t *tx) beginTally(before time.Time) error {
	n, err := t.execN(`DELETE FROM flow_run_tally WHERE ws = ? AND (scope, width, slot) IN (
		SELECT o.scope, o.width, o.slot FROM flow_run_tally o WHERE o.ws = ? LIMIT ?)`, int64(t.ws), int64(t.ws), 5*tallyChunk)
	if err != nil || n > 0 {
		return err
	}
	n, err = t.execN(`DELETE FROM flow_run_tally_change WHERE seq IN (
		SELECT c.seq FROM flow_run_tally_change c WHERE c.ws + 0 = ? ORDER BY c.seq LIMIT ?)`, int64(t.ws), 5*tallyChunk)
	if err != nil || n > 0 {
		return err
	}
	return t.exec("INSERT INTO flow_run_tally_mark (ws, sealed, pending, barrier) VALUES (?, ?, ?, ?) ON CONFLICT (ws) DO NOTHING",
		int64(t.ws), int64(beginning), micros(before), noBarrier)
}

// sealTally counts a chunk of the runs before the mark's pending time, once
// every writer knows of it.
func (t *tx) sealTally(m tallyMark) (more bool, err error) {
	passed, err := number(t, false, "SELECT CASE WHEN "+t.d.passed+" THEN 1 ELSE 0 END", m.barrier)
	if err != nil || passed == 0 {
		return false, err
	}
	upTo := m.pending
	next, err := list(t, scanInt64, `SELECT fr.expected_start_time FROM flow_run fr
		WHERE fr.ws = ? AND fr.expected_start_time >= ? AND fr.expected_start_time < ? ORDER BY fr.expected_start_time LIMIT 1 OFFSET ?`,
		int64(t.ws), m.sealed, m.pending, tallyChunk)
	if err != nil {
		return false, err
	}
	if len(next) > 0 {
		upTo = max(next[0], m.sealed+1)
	}
	err = t.exec(tallyInsert(`SELECT fr.expected_start_time AS expected, fr.flow_id, fr.deployment_id, coalesce(fr.state_type, '') AS state_type,
			coalesce(fr.state_name, '') AS state_name, 1 AS runs, `+fixedRunTime("fr")+` AS run_time, `+fixedLateness("fr")+` AS lateness,
			`+waits("fr")+` AS waiting
		FROM flow_run fr WHERE fr.ws = ? AND fr.expected_start_time >= ? AND fr.expected_start_time < ?
		UNION ALL SELECT c.expected, c.flow_id, c.deployment_id, c.state_type, c.state_name, -c.runs, -c.run_time, -c.lateness, -c.waiting
		FROM flow_run_tally_change c WHERE c.ws = ? AND c.expected >= ? AND c.expected < ?`),
		int64(t.ws), int64(t.ws), m.sealed, upTo, int64(t.ws), m.sealed, upTo)
	if err != nil {
		return false, err
	}
	return true, t.exec("UPDATE flow_run_tally_mark SET sealed = ? WHERE ws = ?", upTo, int64(t.ws))
}

// foldTally moves changes into the tally and reports whether there were any.
func (t *tx) foldTally() (bool, error) {
	top, err := list(t, scanInt64, `SELECT coalesce(max(x.seq), 0) FROM (
		SELECT c.seq FROM flow_run_tally_change c WHERE c.ws + 0 = ? ORDER BY c.seq LIMIT ?) AS x`, int64(t.ws), tallyChunk)
	if err != nil || top[0] == 0 {
		return false, err
	}
	// What a concurrent transaction adds below the top is not marked, and stays.
	const upTo = " WHERE seq <= ? AND ws + 0 = ?"
	if err := t.exec("UPDATE flow_run_tally_change SET batch = 1"+upTo, top[0], int64(t.ws)); err != nil {
		return false, err
	}
	source := "SELECT expected, flow_id, deployment_id, state_type, state_name, runs, run_time, lateness, waiting FROM flow_run_tally_change" + upTo
	if err := t.exec(tallyInsert(source+" AND batch = 1"), int64(t.ws), top[0], int64(t.ws)); err != nil {
		return false, err
	}
	if err := t.exec("DELETE FROM flow_run_tally_change"+upTo+" AND batch = 1", top[0], int64(t.ws)); err != nil {
		return false, err
	}
	return true, t.exec("DELETE FROM flow_run_tally WHERE ws = ? AND runs = 0", int64(t.ws))
}

// tallyInsert adds what a query of runs or changes returns to the slots. Its
// first argument is the workspace.
func tallyInsert(source string) string {
	return `INSERT INTO flow_run_tally (ws, scope, width, slot, state_type, state_name, runs, run_time, lateness, waiting)
		SELECT y.ws, y.scope, y.width, y.slot, y.state_type, y.state_name, sum(y.runs), sum(y.run_time), sum(y.lateness), sum(y.waiting)
		FROM (SELECT CAST(? AS BIGINT) AS ws, w.column2 AS width, x.expected - ((x.expected % w.column2) + w.column2) % w.column2 AS slot,
			CASE w.column1 WHEN 'a' THEN '' WHEN 'f' THEN 'f' || x.flow_id ELSE 'd' || x.deployment_id END AS scope,
			x.state_type, x.state_name, x.runs, x.run_time, x.lateness, x.waiting
			FROM (` + source + `) AS x CROSS JOIN (VALUES ('a', 60000000), ('f', 60000000), ('d', 60000000),
				('a', 3600000000), ('f', 3600000000), ('d', 3600000000)) AS w) AS y
		WHERE y.scope IS NOT NULL
		GROUP BY y.ws, y.scope, y.width, y.slot, y.state_type, y.state_name
		ON CONFLICT (ws, scope, width, slot, state_type, state_name) DO UPDATE SET runs = flow_run_tally.runs + excluded.runs,
			run_time = flow_run_tally.run_time + excluded.run_time, lateness = flow_run_tally.lateness + excluded.lateness,
			waiting = flow_run_tally.waiting + excluded.waiting`
}

func scanInt64(r rows) (n int64, err error) { return n, r.Scan(&n) }

// The expressions below take a run's row by its alias and are those of the
// triggers. With the clock in seconds added once for each run that is Running,
// or that waits, they become what core.EstimatedRunTime and
// core.EstimatedLateness say, in whole seconds.

const ended = "('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')"

func fixedRunTime(r string) string {
	return "(" + r + ".total_run_time / 1000000 - CASE WHEN " + r + ".state_type = 'RUNNING' THEN " + r + ".state_timestamp / 1000000 ELSE 0 END)"
}

func waiting(r string) string {
	return r + ".start_time IS NULL AND " + r + ".state_type NOT IN " + ended
}

func waits(r string) string { return "CASE WHEN " + waiting(r) + " THEN 1 ELSE 0 END" }

func fixedLateness(r string) string {
	return "CASE WHEN " + r + ".start_time > " + r + ".expected_start_time THEN (" + r + ".start_time - " + r + ".expected_start_time) / 1000000 WHEN " +
		waiting(r) + " THEN -(" + r + ".expected_start_time / 1000000) ELSE 0 END"
}
