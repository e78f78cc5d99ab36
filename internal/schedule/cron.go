package schedule

import "time"

// maxYearsBetweenDates is how far ahead a cron expression is searched before it counts as never due.
const maxYearsBetweenDates = 50

// Cron is due when the wall clock of its zone matches an expression (wire form: {"cron": expression, "timezone": name
// or null, "day_or": bool}). See [parseCron] for the syntax.
//
// The expression is evaluated on the wall clock alone and the result is then placed in the zone: what the clock skips
// is due as long before the gap as it lies in it, what the clock repeats is due the first time only.
type Cron struct {
	// Expression has five fields, or six (seconds last) or seven (then the year), or is an alias such as @daily.
	Expression string
	// Timezone is the IANA name of the zone; nil and empty mean UTC.
	Timezone *string
	// DayOr says that day of month and day of week are alternatives if both are restricted; otherwise both must match.
	DayOr bool

	plan cronPlan
}

// NewCron parses the expression. The error is an [*Error] as for a client's request.
func NewCron(expression string, timezone *string, dayOr bool) (*Cron, error) {
	plan, ok := parseCron(expression)
	if !ok {
		return nil, &Error{Details: []Detail{valueError([]string{memberCron, "cron"}, quoteJSON(expression), invalidCron(expression))}}
	}
	return &Cron{Expression: expression, Timezone: timezone, DayOr: dayOr, plan: plan}, nil
}

// Dates implements [Schedule].
func (s *Cron) Dates(from, to time.Time, limit int) ([]time.Time, error) {
	name := ""
	if s.Timezone != nil {
		name = *s.Timezone
	}
	loc, err := location(name)
	if err != nil {
		return nil, err
	}
	w := newWindow(from, to, limit)
	end := momentAt(w.to, loc)
	// One second back, so that from itself can be a date; fractions of a second round up.
	begin := w.from.Add(-time.Second)
	if begin.Nanosecond() > 0 {
		begin = begin.Add(time.Second)
	}
	wall := momentAt(begin, loc).wall.Truncate(time.Second)
	next := func() (moment, error) {
		var ok bool
		if wall, ok = s.plan.next(wall, s.DayOr); !ok {
			return moment{}, ErrNeverDue
		}
		return resolve(wall, loc, first), nil
	}
	return w.collect(next, func(m moment) bool { return m.wall.After(end.wall) })
}

// next returns the first matching time after wall.
func (p *cronPlan) next(wall time.Time, dayOr bool) (time.Time, bool) {
	if !dayOr || p.fields[dayField].any || p.fields[weekdayField].any {
		return p.search(wall, p.fields[dayField], p.fields[weekdayField])
	}
	// Both must have a date of their own, or the schedule has none: the reference computes one, then the other.
	byDay, ok := p.search(wall, p.fields[dayField], cronField{any: true})
	if !ok {
		return time.Time{}, false
	}
	byWeekday, ok := p.search(wall, cronField{any: true}, p.fields[weekdayField])
	if !ok {
		return time.Time{}, false
	}
	if byWeekday.Before(byDay) {
		return byWeekday, true
	}
	return byDay, true
}

// search walks forward field by field, coarse to fine, and starts over whenever a field had to move.
func (p *cronPlan) search(wall time.Time, day, weekday cronField) (time.Time, bool) {
	step := time.Minute
	if p.seconds {
		step = time.Second
	}
	t := wall.Add(step)
	if !p.seconds {
		t = t.Truncate(time.Minute)
	}
	lastYear := t.Year() + maxYearsBetweenDates
	for t.Year() <= lastYear {
		moved, ok := p.align(t, day, weekday)
		if !ok {
			return time.Time{}, false
		}
		if moved.Equal(t) {
			return t, true
		}
		t = moved
	}
	return time.Time{}, false
}

// align moves t to the next value of the coarsest field that does not match, or returns t if all do. It reports
// false if no year is left.
func (p *cronPlan) align(t time.Time, day, weekday cronField) (time.Time, bool) {
	y, mon, d := t.Date()
	if f := p.fields[yearField]; p.years && !f.any {
		next, ok := f.nextYear(y)
		if !ok {
			return t, false
		}
		if next != y {
			return time.Date(next, 1, 1, 0, 0, 0, 0, time.UTC), true
		}
	}
	if n := p.fields[monthField].distance(int(mon), 12); n > 0 {
		return time.Date(y, mon+time.Month(n), 1, 0, 0, 0, 0, time.UTC), true
	}
	if n := day.daysTo(d, daysIn(y, mon)); n > 0 {
		return time.Date(y, mon, d+n, 0, 0, 0, 0, time.UTC), true
	}
	if n := p.weekdayDistance(t, weekday); n > 0 {
		return time.Date(y, mon, d+n, 0, 0, 0, 0, time.UTC), true
	}
	if n := p.fields[hourField].distance(t.Hour(), 24); n > 0 {
		return time.Date(y, mon, d, t.Hour()+n, 0, 0, 0, time.UTC), true
	}
	if n := p.fields[minuteField].distance(t.Minute(), 60); n > 0 {
		return time.Date(y, mon, d, t.Hour(), t.Minute()+n, 0, 0, time.UTC), true
	}
	if p.seconds {
		return t.Add(time.Duration(p.fields[secondField].distance(t.Second(), 60)) * time.Second), true
	}
	return t, true
}

// weekdayDistance returns the days to go to a matching weekday, or, if the expression counts weekdays within the
// month (2#1, L5), to the next such day or else to the next month.
func (p *cronPlan) weekdayDistance(t time.Time, weekday cronField) int {
	if !p.counted() {
		return weekday.distance(int(t.Weekday()), 7)
	}
	y, mon, d := t.Date()
	days := daysIn(y, mon)
	best := days + 1
	for wd, which := range p.nth {
		firstDay := 1 + (wd-int(time.Date(y, mon, 1, 0, 0, 0, 0, time.UTC).Weekday())+7)%7
		for n := 1; firstDay <= days; n, firstDay = n+1, firstDay+7 {
			if (which.has(n) || which.last && firstDay+7 > days) && firstDay >= d && firstDay < best {
				best = firstDay
			}
		}
	}
	return best - d
}

// distance returns how far the next value lies ahead of v on a dial of the given size.
func (f cronField) distance(v, size int) int {
	if f.any || len(f.values) == 0 {
		return 0
	}
	for _, x := range f.values {
		if x >= v {
			return x - v
		}
	}
	return f.values[0] - v + size
}

// daysTo is distance for the day of the month. It may overshoot the end of a short month and so pass over a listed
// day of the next one, as the reference does: after 1 February, 1,30 is due on 30 March.
func (f cronField) daysTo(d, days int) int {
	switch {
	case f.any, f.last && d == days:
		return 0
	case len(f.values) == 0:
		return days - d
	}
	for _, x := range f.values {
		if x >= d {
			return x - d
		}
	}
	if f.last {
		return days - d
	}
	return f.values[0] - d + days
}

func (f cronField) nextYear(y int) (int, bool) {
	for _, x := range f.values {
		if x >= y {
			return x, true
		}
	}
	return 0, false
}

func daysIn(y int, m time.Month) int { return time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day() }
