package schedule

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/teambition/rrule-go"
)

// maxRuleSteps bounds the occurrences that one call walks over before it gives up.
const maxRuleSteps = 500_000

// gregorianCycle is the number of years after which dates fall on the same weekdays again.
const gregorianCycle = 400

// errWalked says that a rule or a list of dates has come to its end.
var errWalked = errors.New("no further occurrence")

// walker returns one wall clock after the other, ascending, then errWalked.
type walker func() (time.Time, error)

// walk returns the recurrences of the set from about lowest on: it may begin earlier but leaves nothing out.
func (set *ruleSet) walk(lowest time.Time) (walker, error) {
	budget := maxRuleSteps
	included, err := set.walkers(set.rules, set.dates, lowest, &budget)
	if err != nil {
		return nil, err
	}
	excluded, err := set.walkers(set.exrules, set.exdates, lowest, &budget)
	if err != nil {
		return nil, err
	}
	in, out := merge(included), merge(excluded)
	barred, barring := out()
	return func() (time.Time, error) {
		for {
			t, err := in()
			if err != nil {
				return t, ended(err)
			}
			for barring == nil && barred.Before(t) {
				barred, barring = out()
			}
			if barring != nil && !errors.Is(barring, errWalked) {
				return t, barring
			}
			if barring != nil || !barred.Equal(t) {
				return t, nil //nolint:nilerr // barring says that no more dates are excluded
			}
		}
	}, nil
}

func ended(err error) error {
	if errors.Is(err, errWalked) {
		return ErrNeverDue
	}
	return err
}

// walkers begins to walk over each rule and over the listed dates.
func (set *ruleSet) walkers(rules []rule, dates []time.Time, lowest time.Time, budget *int) ([]walker, error) {
	dates = slices.Clone(dates)
	slices.SortFunc(dates, time.Time.Compare)
	all := []walker{func() (time.Time, error) {
		if len(dates) == 0 {
			return time.Time{}, errWalked
		}
		t := dates[0]
		dates = dates[1:]
		return t, nil
	}}
	start := dateValue{wall: defaultAnchor()}
	if set.start != nil {
		start = *set.start
	}
	for _, r := range rules {
		if r.until != nil && r.until.aware != start.aware {
			return nil, fmt.Errorf("%w: %w", ErrUnusable, errUntil)
		}
		if err := r.usable(start.wall); err != nil {
			return nil, err
		}
		w, err := r.walk(start.wall, lowest, budget)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// merge joins walkers into one without duplicates.
func merge(walkers []walker) walker {
	type head struct {
		t   time.Time
		err error
	}
	heads := make([]head, len(walkers))
	for i, w := range walkers {
		heads[i].t, heads[i].err = w()
	}
	return func() (time.Time, error) {
		best := -1
		for i, h := range heads {
			if h.err != nil && !errors.Is(h.err, errWalked) {
				return time.Time{}, h.err
			}
			if h.err == nil && (best < 0 || h.t.Before(heads[best].t)) {
				best = i
			}
		}
		if best < 0 {
			return time.Time{}, errWalked
		}
		t := heads[best].t
		for i := range heads {
			for heads[i].err == nil && heads[i].t.Equal(t) {
				heads[i].t, heads[i].err = walkers[i]()
			}
		}
		return t, nil
	}
}

// usable refuses rules that would be searched for ever.
func (r *rule) usable(start time.Time) error {
	if r.interval <= 0 {
		return unusable("INTERVAL is not positive")
	}
	if r.freq < freqHourly {
		return nil
	}
	// The times of day that the steps touch.
	unit, cycle := 0, secondsPerDay
	switch r.freq {
	case freqHourly:
		unit = 3600
	case freqMinutely:
		unit = 60
	default: // freqSecondly
		unit = 1
	}
	step := gcd(r.interval*unit, cycle)
	at := start.Hour()*3600 + start.Minute()*60 + start.Second()
	for range cycle / step {
		if r.admits("BYHOUR", freqHourly, at/3600) && r.admits("BYMINUTE", freqMinutely, at/60%60) &&
			r.admits("BYSECOND", freqSecondly, at%60) {
			return nil
		}
		at = (at + step) % cycle
	}
	return unusable("INTERVAL never meets the hours, minutes and seconds of the rule")
}

// admits tells whether a step of the rule's frequency may fall on the value. Parts finer than the frequency do not
// restrict the step; they say what happens within it.
func (r *rule) admits(name string, freq frequency, value int) bool {
	list, given := r.by[name]
	return !given || r.freq < freq || slices.Contains(list, value)
}

// walk walks over one rule.
func (r *rule) walk(start, lowest time.Time, budget *int) (walker, error) {
	none := func() (time.Time, error) { return time.Time{}, errWalked }
	option, ok := r.option()
	if !ok || !r.hasPosition() {
		return none, nil
	}
	option.Until = time.Date(maxScheduledYear, 12, 31, 23, 59, 59, 0, time.UTC)
	if r.until != nil {
		option.Until = r.until.wall
	}
	shift := 0
	if len(option.Byeaster) == 0 {
		shift = equalCalendar(max(start.Year(), lowest.Year()))
		if r.until != nil {
			option.Until = option.Until.AddDate(shift, 0, 0)
		}
	}
	if r.freq >= freqHourly && r.filtersDays() {
		// Stepping by the second through days that do not match would take long: look for the first that does.
		day, ok, err := firstDay(option, later(start, lowest).AddDate(shift, 0, 0))
		if err != nil || !ok {
			return none, err
		}
		lowest = later(lowest, day.AddDate(-shift, 0, 0))
	}
	begin, count, ok := r.jump(start, lowest)
	if !ok {
		return none, nil
	}
	option.Dtstart, option.Count = begin.AddDate(shift, 0, 0), count
	next, err := compile(option)
	if err != nil {
		return nil, err
	}
	return func() (time.Time, error) {
		if *budget--; *budget < 0 {
			return time.Time{}, unusable("too many occurrences before the first date")
		}
		t, ok := next()
		if !ok {
			return t, errWalked
		}
		return t.AddDate(-shift, 0, 0), nil
	}, nil
}

// equalCalendar returns a number of years that leads from the given year to one near the end of the calendar in which
// all dates fall on the same weekdays. A rule that matches nothing is searched up to the end, and that way it is near.
func equalCalendar(year int) int {
	return max(0, (maxScheduledYear-gregorianCycle/4-year)/gregorianCycle) * gregorianCycle
}

// filtersDays tells whether the rule restricts the days on which it may be due.
func (r *rule) filtersDays() bool {
	for _, name := range []string{"BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYEASTER"} {
		if len(r.by[name]) > 0 {
			return true
		}
	}
	return len(r.weekday) > 0
}

// hasPosition tells whether a period of a day or less has enough occurrences for BYSETPOS to pick one. Otherwise the
// rule would be searched to the end of the calendar, period by period.
func (r *rule) hasPosition() bool {
	positions := r.by["BYSETPOS"]
	if r.freq < freqDaily || len(positions) == 0 {
		return true
	}
	size := 1
	for i, name := range []string{"BYHOUR", "BYMINUTE", "BYSECOND"} {
		if finer := freqHourly + frequency(i); finer > r.freq {
			size *= max(1, len(r.by[name]))
		}
	}
	return slices.ContainsFunc(positions, func(p int) bool { return p <= size && p >= -size })
}

// firstDay returns the beginning of the first day from t on that passes the rule's restrictions of days.
func firstDay(o rrule.ROption, t time.Time) (time.Time, bool, error) {
	y, m, d := t.Date()
	o.Freq, o.Interval, o.Dtstart = rrule.DAILY, 1, time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	o.Bysetpos, o.Byhour, o.Byminute, o.Bysecond = nil, nil, nil, nil
	next, err := compile(o)
	if err != nil {
		return t, false, err
	}
	day, ok := next()
	return day, ok, nil
}

// compile builds the iterator over a rule. It refuses what the library's tables have no room for.
func compile(o rrule.ROption) (rrule.Next, error) {
	for _, n := range o.Byeaster {
		if n < -80 || n > 240 {
			return nil, unusable("BYEASTER leads out of the year")
		}
	}
	compiled, err := rrule.NewRRule(o)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnusable, err)
	}
	return compiled.Iterator(), nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// jump moves the beginning of a rule as close to lowest as leaves its occurrences from there on unchanged, and
// returns it with the count that is left (0 is unlimited). It reports false if nothing is left.
func (r *rule) jump(start, lowest time.Time) (begin time.Time, count int, ok bool) {
	if r.count != nil {
		if count = *r.count; count <= 0 {
			return start, 0, false
		}
	}
	units := map[frequency]int64{freqWeekly: 7 * secondsPerDay, freqDaily: secondsPerDay, freqHourly: 3600, freqMinutely: 60, freqSecondly: 1}
	unit, known := units[r.freq]
	if !known || count > 0 && (len(r.by) > 0 || len(r.weekday) > 0) {
		return start, count, true
	}
	// One period less than would fit: the first one after a beginning may be cut short by it.
	periods := (lowest.Unix()-start.Unix())/(unit*int64(r.interval)) - 1
	if periods <= 0 {
		return start, count, true
	}
	if count > 0 {
		if int64(count) <= periods {
			return start, 0, false
		}
		count -= int(periods)
	}
	return time.Unix(start.Unix()+periods*unit*int64(r.interval), 0).UTC(), count, true
}

// option translates the parts of the rule. Values outside the calendar match nothing and are left out; it reports
// false if nothing is left of a part, so that the rule matches nothing.
func (r *rule) option() (rrule.ROption, bool) {
	o := rrule.ROption{Freq: rrule.Frequency(r.freq), Interval: r.interval}
	days := []rrule.Weekday{rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU}
	o.Wkst = days[r.wkst]
	ok := true
	within := func(name string, low, high int, negative bool) []int {
		list, given := r.by[name]
		kept := slices.DeleteFunc(slices.Clone(list), func(v int) bool {
			return (v < low || v > high) && (!negative || v > -low || v < -high)
		})
		ok = ok && (!given || len(kept) > 0)
		slices.Sort(kept)
		return slices.Compact(kept)
	}
	o.Bymonth = within("BYMONTH", 1, 12, false)
	o.Byyearday = within("BYYEARDAY", 1, 366, true)
	o.Byweekno = within("BYWEEKNO", 1, 53, true)
	o.Byhour = within("BYHOUR", 0, 23, false)
	o.Byminute = within("BYMINUTE", 0, 59, false)
	o.Bysecond = within("BYSECOND", 0, 59, false)
	o.Bysetpos = within("BYSETPOS", 1, 366, true)
	o.Byeaster = r.by["BYEASTER"]
	if list := r.by["BYMONTHDAY"]; len(list) > 0 && !slices.ContainsFunc(list, func(v int) bool { return v != 0 }) {
		o.Bymonthday = steps(1, 31, 1) // dateutil takes 0 for no restriction
	} else {
		o.Bymonthday = within("BYMONTHDAY", 1, 31, true)
	}
	for _, w := range r.weekday {
		day := days[w.day]
		if w.n != 0 && r.freq <= freqMonthly {
			if w.n < -53 || w.n > 53 {
				continue
			}
			day = day.Nth(w.n)
		}
		o.Byweekday = append(o.Byweekday, day)
	}
	ok = ok && (len(r.weekday) == 0 || len(o.Byweekday) > 0)
	return o, ok
}
