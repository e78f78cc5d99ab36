package core

import "time"

// Retention says how long things are kept; 0 is for ever. What belongs to a run
// goes with it at the latest.
type Retention struct {
	// Runs is the age, since their end, at which finished flow runs go, with their
	// states, task runs, logs, inputs and artifacts, and executions with their
	// histories and map runs; and task runs that belong to no flow run.
	Runs time.Duration
	// Logs is the age at which log lines go.
	Logs time.Duration
	// Events is the age at which events go; none goes before MinEventAge.
	Events time.Duration
	// Artifacts is the age at which artifacts go; the newest of a key stays.
	Artifacts time.Duration
}

const (
	// MinEventAge is how long events are kept at least: followers and automations
	// that wait for something look back on them.
	MinEventAge = 24 * time.Hour
	// WorkerAge is how long a worker of which nothing is heard is remembered.
	WorkerAge = 30 * 24 * time.Hour
)

// EventAge is how long events are kept; 0 is for ever.
func (r Retention) EventAge() time.Duration {
	if r.Events == 0 {
		return 0
	}
	return max(r.Events, MinEventAge)
}

// RunMark is a position in a list of runs by time.
type RunMark struct {
	At time.Time
	ID ID
}

// RetentionTx removes what was kept long enough, a bounded number of rows in a
// call, so that nobody waits long for the transaction. A run's row goes first,
// at once, and what belonged to it follows by ClearRemains: whoever looks sees
// the whole run or none, and what an interruption left is not forgotten.
type RetentionTx interface {
	// ExpiredFlowRuns lists finished flow runs that ended before the time, in the
	// order of their end, from after on. A run lives on with the run that called
	// it, and with the map run that it is a part of.
	ExpiredFlowRuns(before time.Time, after RunMark, limit int) ([]RunMark, error)
	// ForgetFlowRuns removes those of the runs that are still finished, with an
	// end before the time, and returns how many.
	ForgetFlowRuns(ids []ID, before time.Time) (int, error)
	// ForgetTaskRuns removes finished task runs without a flow run that ended
	// before the time, and returns how many.
	ForgetTaskRuns(before time.Time, limit int) (int, error)
	// StrayTaskRuns lists task runs that were expected before the time and whose
	// flow run is not stored, among the next limit from after on, and returns how
	// far it looked; the same position again at the end.
	StrayTaskRuns(before time.Time, after RunMark, limit int) ([]ID, RunMark, error)
	// ForgetStrays removes those of the task runs whose flow run is not stored.
	ForgetStrays(ids []ID) (int, error)
	// ClearRemains removes about limit rows of what belonged to removed runs, and
	// reports whether there is more.
	ClearRemains(limit int) (rows int, more bool, err error)
	// ForgetLogs removes lines, of all workspaces, that were stored before the
	// time, among the next limit after the cursor. It returns how many, and where
	// to go on; the zero Cursor when the rest is younger. Lines from the future
	// are passed over.
	ForgetLogs(after Cursor, before, now time.Time, limit int) (int, Cursor, error)
	// ForgetEvents removes events that occurred before the time and were received
	// MinEventAge before now.
	ForgetEvents(before, now time.Time, limit int) (int, error)
	// ForgetArtifacts removes artifacts made before the time, other than the newest of a key.
	ForgetArtifacts(before time.Time, limit int) (int, error)
	// ForgetWorkers removes workers of which nothing was heard since the time.
	ForgetWorkers(before time.Time) (int, error)
	// ForgetTaskCache removes keys of cached results that have expired.
	ForgetTaskCache(now time.Time, limit int) (int, error)
	// GiveBack returns about so many free pages of the database's file to the disk,
	// keeping reserve of them for what comes, and reports how many are left to
	// return. A database that looks after that itself has none.
	GiveBack(pages, reserve int) (int, error)
}
