package engine

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// Verdict is what a schedule's policy says of one of its runs.
type Verdict int

// The verdicts.
const (
	// Leave: the run was taken before; the policy has no say in it.
	Leave Verdict = iota
	// Start: the run may be taken.
	Start
	// Hold: the run may not be taken yet.
	Hold
	// Skip: the run ends without having been taken.
	Skip
	// CancelRun: the run, which was taken, makes way for the next.
	CancelRun
)

// Ruling is what becomes of one run of a schedule.
type Ruling struct {
	Run     core.ScheduleRun
	Verdict Verdict
	// Reason says why a run is held, skipped or cancelled.
	Reason string
}

// Reasons of the rulings, as messages of states and answers to workers.
const (
	reasonOverlap    = "Skipped: the run before it had not ended when it was due."
	reasonBuffered   = "Skipped: another run waited already for the one before it to end."
	reasonSuperseded = "Skipped: a later run of the schedule is due."
	reasonMadeWay    = "Cancelled: a later run of the schedule is due."
	reasonHeld       = "Another run of the schedule must end before this one starts."
)

// RuleSchedule says what becomes of the runs of a schedule that have not ended,
// by the time that the schedule gave them. First those go that are too late,
// then those that the overlap policy does not let wait, then the oldest of those
// that are too many. Of what is left, without overlap, the first may start when
// no run is under way.
func RuleSchedule(p core.SchedulePolicy, now time.Time, live []core.ScheduleRun) []Ruling {
	c := newCourt(p, now, live)
	c.tooLate()
	c.overlapping()
	c.tooMany()
	c.admit()
	return c.rulings
}

// court holds the rulings while they are made. due and ahead index those of the
// waiting runs that are due and are not, and taken those that were taken.
type court struct {
	policy            core.SchedulePolicy
	now               time.Time
	rulings           []Ruling
	due, ahead, taken []int
}

func newCourt(p core.SchedulePolicy, now time.Time, live []core.ScheduleRun) *court {
	c := &court{policy: p, now: now}
	for _, r := range live {
		c.rulings = append(c.rulings, Ruling{Run: r})
	}
	slices.SortStableFunc(c.rulings, func(a, b Ruling) int {
		return cmp.Or(a.Run.Due.Compare(b.Run.Due), cmp.Compare(a.Run.ID.String(), b.Run.ID.String()))
	})
	for i, r := range c.rulings {
		switch {
		case !r.Run.Waiting():
			c.taken = append(c.taken, i)
		case r.Run.Due.After(now):
			c.ahead = append(c.ahead, i)
		default:
			c.due = append(c.due, i)
		}
	}
	return c
}

func (c *court) rule(i int, v Verdict, reason string) {
	c.rulings[i].Verdict, c.rulings[i].Reason = v, reason
}

// keepOldest skips all due runs but the first n.
func (c *court) keepOldest(n int, reason string) {
	for len(c.due) > n {
		last := len(c.due) - 1
		c.rule(c.due[last], Skip, reason)
		c.due = c.due[:last]
	}
}

// keepNewest skips all due runs but the last n.
func (c *court) keepNewest(n int, reason string) {
	for len(c.due) > n {
		c.rule(c.due[0], Skip, reason)
		c.due = c.due[1:]
	}
}

func (c *court) tooLate() {
	if c.policy.CatchupWindow == nil {
		return
	}
	window := *c.policy.CatchupWindow
	for len(c.due) > 0 && c.now.Sub(c.rulings[c.due[0]].Run.Due) > window {
		c.keepNewest(len(c.due)-1, fmt.Sprintf("Skipped: it did not start within the catch-up window of %s after its scheduled time.", window))
	}
}

func (c *court) overlapping() {
	busy := 0
	if len(c.taken) > 0 {
		busy = 1
	}
	switch c.policy.Overlap {
	case core.OverlapSkip:
		c.keepOldest(1-busy, reasonOverlap)
	case core.OverlapBufferOne:
		c.keepOldest(2-busy, reasonBuffered)
	case core.OverlapCancelOther:
		c.keepNewest(1, reasonSuperseded)
		c.makeWay()
	case core.OverlapAllow:
	}
}

// makeWay cancels the runs under way before the one that is due.
func (c *court) makeWay() {
	if len(c.due) == 0 {
		return
	}
	for _, i := range c.taken {
		if i < c.due[0] && c.rulings[i].Run.Type != core.Cancelling {
			c.rule(i, CancelRun, reasonMadeWay)
		}
	}
}

func (c *court) tooMany() {
	if n := c.policy.MaxWaiting; n != nil {
		c.keepNewest(*n, fmt.Sprintf("Skipped: more than %d runs of the schedule were waiting to start.", *n))
	}
}

func (c *court) admit() {
	together := c.policy.Overlap == "" || c.policy.Overlap == core.OverlapAllow
	free := len(c.taken) == 0
	for _, i := range slices.Concat(c.due, c.ahead) {
		if !together && !free {
			c.rule(i, Hold, reasonHeld)
			continue
		}
		c.rule(i, Start, "")
		free = false
	}
}
