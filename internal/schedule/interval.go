package schedule

import (
	"math"
	"time"
)

const (
	secondsPerDay    = 24 * 60 * 60
	microsPerSecond  = 1_000_000
	maxIntervalDays  = 999_999_999
	maxScheduledYear = 9999
)

// Interval is due every so often, counted from an anchor (wire form: {"interval": seconds, "anchor_date": time,
// "timezone": name}).
//
// Less than a day is counted in elapsed time, whole days on the wall clock of the zone; but a far jump from the anchor
// to the first date is counted in elapsed time as well, so that a daily schedule anchored in winter is due an hour
// later by the clock when asked for in summer. An hour that the clock repeats is due once. All this is the reference's
// behaviour.
type Interval struct {
	// Seconds and Micros are the length of the interval; Micros is 0 to 999,999.
	Seconds, Micros int64
	// Anchor is a date of the schedule, with the offset from UTC that the client sent.
	Anchor time.Time
	// Timezone is the IANA name of the zone; empty means UTC.
	Timezone string
}

// Dates implements [Schedule]. Its cost does not depend on the distance from the anchor.
func (s *Interval) Dates(from, to time.Time, limit int) ([]time.Time, error) {
	loc, err := location(s.Timezone)
	if err != nil {
		return nil, err
	}
	if s.Seconds < 0 || s.Seconds == 0 && s.Micros <= 0 {
		return nil, unusable("interval is not positive")
	}
	if s.Seconds > 10_000*366*secondsPerDay {
		return nil, unusable("interval is longer than the calendar")
	}
	w := newWindow(from, to, limit)
	start, end := momentAt(w.from, loc), momentAt(w.to, loc)
	m := s.jump(w.from, loc)
	for m.wall.Before(start.wall) {
		m = s.after(m, loc)
	}
	begun := false
	next := func() (moment, error) {
		if begun {
			m = s.after(m, loc)
		}
		begun = true
		if m.wall.Year() > maxScheduledYear {
			return moment{}, ErrNeverDue
		}
		return m, nil
	}
	return w.collect(next, func(m moment) bool { return m.wall.After(end.wall) })
}

// jump returns the date nearest to t on the anchor's side. It uses floating point as the reference does, because the
// result is rounded to microseconds.
func (s *Interval) jump(t time.Time, loc *time.Location) moment {
	elapsed := float64(t.UnixMicro()-s.Anchor.UnixMicro()) / microsPerSecond
	distance := s.totalSeconds() * math.Trunc(elapsed/s.totalSeconds())
	whole, fraction := math.Modf(distance)
	at := time.Unix(s.Anchor.Unix()+int64(whole), int64(s.Anchor.Nanosecond()))
	return momentAt(at.Add(time.Duration(math.RoundToEven(fraction*microsPerSecond))*time.Microsecond), loc)
}

// after returns the date that follows m.
func (s *Interval) after(m moment, loc *time.Location) moment {
	days := s.Seconds / secondsPerDay
	rest := time.Duration(s.Seconds%secondsPerDay)*time.Second + time.Duration(s.Micros)*time.Microsecond
	if days == 0 {
		return momentAt(m.at.Add(rest), loc)
	}
	return resolve(m.wall.AddDate(0, 0, int(days)).Add(rest), loc, second)
}

func (s *Interval) totalSeconds() float64 {
	return float64(s.Seconds) + float64(s.Micros)/microsPerSecond
}
