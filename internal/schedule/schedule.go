// Package schedule says when a deployment is due: interval, cron and recurrence-rule schedules as pure functions of
// time, evaluated and validated as the Prefect 3 server (on Python 3.11) does, down to its habits around daylight
// saving time. It does no I/O and reads no clock. Zones come from [time.LoadLocation]; a program that must not depend
// on the host's zone database imports time/tzdata.
package schedule

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// maxCandidates is how many instants one call looks at: the first and 1,001 after it. A longer list needs another
// call that starts where this one ended.
const maxCandidates = 1002

// defaultMax is the number of dates of a call that has an end but names no number.
const defaultMax = 1000

// Reasons why a schedule has no (more) dates, to be tested with [errors.Is].
var (
	// ErrNeverDue says that the schedule is well-formed but that no further instant matches it, such as 30 February.
	ErrNeverDue = errors.New("schedule is never due")
	// ErrUnusable says that the schedule was accepted but cannot be evaluated, for instance for want of its zone.
	ErrUnusable = errors.New("schedule cannot be evaluated")
)

// Schedule is one of [*Interval], [*Cron] and [*RRule]. Values are immutable and safe for concurrent use.
type Schedule interface {
	// Dates returns the instants t at which the schedule is due with from <= t, and t <= to unless to is zero:
	// ascending, without duplicates, in the schedule's zone, at most max of them. With max <= 0 it returns one date,
	// or up to 1,000 if to is set. An error tells why the list is shorter than it could be; the dates that come
	// with it are valid.
	Dates(from, to time.Time, max int) ([]time.Time, error)
	// MarshalJSON writes the wire form (Prefect REST: the field "schedule" of a deployment schedule).
	MarshalJSON() ([]byte, error)
}

var (
	_ Schedule = (*Interval)(nil)
	_ Schedule = (*Cron)(nil)
	_ Schedule = (*RRule)(nil)
)

// Parse reads the wire form of a schedule that a client sends (Prefect REST: "schedule" in POST and PATCH
// /deployments/{id}/schedules and in POST and PATCH /deployments) and fills what the server fills: the anchor of an
// interval becomes now, and a recurrence rule without DTSTART gets one. The error is an [*Error] if the JSON is
// well-formed.
func Parse(raw []byte, now time.Time) (Schedule, error) {
	s, err := decode(raw, now)
	if err != nil {
		return nil, err
	}
	if r, ok := s.(*RRule); ok {
		return r.anchored(now)
	}
	return s, nil
}

// Load reads a schedule as it was stored. Other than [Parse] it leaves a rule without DTSTART alone; such a rule, and
// an interval without anchor, counts from 2020-01-01 in its zone (UTC for the interval).
func Load(raw []byte) (Schedule, error) {
	return decode(raw, defaultAnchor())
}

// defaultAnchor is where schedules begin that do not say when.
func defaultAnchor() time.Time { return time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) }

// window holds the limits of one call of Dates.
type window struct {
	from, to time.Time
	max      int
}

func newWindow(from, to time.Time, limit int) window {
	if limit <= 0 {
		limit = 1
		if !to.IsZero() {
			limit = defaultMax
		}
	}
	// The reference counts in microseconds; rounding up keeps every date at or after from.
	if r := from.Nanosecond() % 1000; r != 0 {
		from = from.Add(time.Duration(1000 - r))
	}
	return window{from: from, to: to, max: limit}
}

// collect takes moments from next until the window is full, next has no more, or ended says that one lies past the
// end. Moments with equal wall clocks count once, even when an hour is repeated: the reference compares so.
func (w window) collect(next func() (moment, error), ended func(moment) bool) ([]time.Time, error) {
	var dates []time.Time
	seen := make(map[time.Time]bool)
	var failure error
	for range maxCandidates {
		m, err := next()
		if err != nil {
			failure = err
			break
		}
		if !w.to.IsZero() && ended(m) {
			break
		}
		if seen[m.wall] {
			continue
		}
		seen[m.wall] = true
		if m.at.Before(w.from) || !w.to.IsZero() && m.at.After(w.to) {
			continue
		}
		if dates = append(dates, m.at); len(dates) >= w.max {
			break
		}
	}
	slices.SortFunc(dates, time.Time.Compare)
	return dates, failure
}

func unusable(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnusable, fmt.Sprintf(format, args...))
}
