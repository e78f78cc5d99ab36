package core

import "time"

// Overlap says what becomes of a scheduled run that is due while one before it
// has not ended.
type Overlap string

// The values of Overlap. The empty one stands for OverlapAllow.
const (
	// OverlapAllow: runs of a schedule take no notice of each other.
	OverlapAllow Overlap = "allow"
	// OverlapSkip: the run that is due is skipped.
	OverlapSkip Overlap = "skip"
	// OverlapBufferOne: one run waits for the one before it to end, others are skipped.
	OverlapBufferOne Overlap = "buffer_one"
	// OverlapCancelOther: the one before is cancelled, and the run starts when it has ended.
	OverlapCancelOther Overlap = "cancel_other"
)

// Enum lists the values.
func (Overlap) Enum() []string {
	return []string{string(OverlapAllow), string(OverlapSkip), string(OverlapBufferOne), string(OverlapCancelOther)}
}

// SchedulePolicy says what becomes of a schedule's runs that do not start in
// time or meet each other. The zero value lets all of them run, however late.
type SchedulePolicy struct {
	// CatchupWindow is how long after its time a run may start; nil is no bound.
	CatchupWindow *time.Duration
	Overlap       Overlap
	// MaxWaiting is how many runs may be due and not started; nil is no bound.
	MaxWaiting *int
}

// Restricts reports whether the policy keeps any run from starting.
func (p SchedulePolicy) Restricts() bool {
	return p.CatchupWindow != nil || p.MaxWaiting != nil || p.Overlap != "" && p.Overlap != OverlapAllow
}

// ScheduleRun is a run of a schedule that has not ended.
type ScheduleRun struct {
	ID         ID
	ScheduleID ID
	// Due is the time that the schedule gave it, whatever delayed it since.
	Due  time.Time
	Type StateType
	// Started tells that it was begun before: what is Scheduled and Started waits
	// to go on or was begun again by hand.
	Started bool
}

// Waiting reports whether nobody has taken the run yet.
func (r ScheduleRun) Waiting() bool { return r.Type == Scheduled && !r.Started }

// SchedulePolicyTx reads what the policies of schedules are about.
type SchedulePolicyTx interface {
	// SchedulePolicies returns the policies of those of the schedules that restrict their runs.
	SchedulePolicies(ids []ID) (map[ID]SchedulePolicy, error)
	// RestrictedSchedules lists at most limit schedules after the id, by id, that
	// restrict their runs and have one waiting that is due.
	RestrictedSchedules(now time.Time, after ID, limit int) ([]DueSchedule, error)
	// LiveScheduleRuns lists the runs of the schedules that have not ended and were
	// started or are due up to the time, by that time.
	LiveScheduleRuns(ids []ID, due time.Time) ([]ScheduleRun, error)
	// MoveScheduleRuns gives the runs of a schedule that have not ended to another.
	MoveScheduleRuns(from, to ID) error
}
