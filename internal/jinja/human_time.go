package jinja

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// clockNow is the time of a rendering: one for all filters of it.
func (st *state) clockNow() (time.Time, error) {
	if st.clock == nil {
		if st.env.Now == nil {
			return time.Time{}, &pyError{"RuntimeError", "this template is rendered without a clock"}
		}
		now := st.env.Now().UTC().Truncate(time.Microsecond)
		st.clock = &now
	}
	return *st.clock, nil
}

// units are the names of units of time, the smallest first.
func units() []string {
	return []string{"MICROSECONDS", "MILLISECONDS", "SECONDS", "MINUTES", "HOURS", "DAYS", "MONTHS", "YEARS"}
}

func unitOf(v any) (int, error) {
	s, ok := textOf(v)
	if !ok {
		return 0, &pyError{"AttributeError", pyrepr.String(typeName(v)) + " object has no attribute 'upper'"}
	}
	i := slices.Index(units(), strings.ToUpper(s))
	if i < 0 {
		return 0, &pyError{"KeyError", strings.ToUpper(s)}
	}
	return i, nil
}

func count(n int64, one, many string) string {
	if n == 1 {
		return strings.ReplaceAll(one, "%d", "1")
	}
	return strings.ReplaceAll(many, "%d", strconv.FormatInt(n, 10))
}

func amount(n int64, unit string) string { return count(n, "%d "+unit, "%d "+unit+"s") }

// round2 is round(a / b), half to even.
func round2(a int64, b float64) int64 { return int64(math.RoundToEven(float64(a) / b)) }

func (st *state) naturalDelta(v any, useMonths bool, minimum any) (any, error) {
	unit, err := unitOf(minimum)
	if err != nil {
		return nil, err
	}
	if unit > 2 {
		s, _ := textOf(minimum)
		return nil, valueError("Minimum unit '" + s + "' not supported")
	}
	delta, ok := v.(timedelta)
	if !ok {
		f, shown, err := st.asFloat(v)
		if err != nil {
			return nil, err
		}
		if s, isText := textOf(v); isText && !shown && parseInt(s, 10) == nil {
			shown = true
		}
		if shown || math.IsNaN(f) || math.IsInf(f, 0) {
			return st.str(v)
		}
		d, err := microseconds(f * microPerSecond)
		if err != nil {
			return nil, err
		}
		delta, _ = d.(timedelta)
	}
	delta = max(delta, -delta)
	days, seconds, micros := delta.split()
	years, days := days/365, days%365
	months := round2(days, 30.5)
	switch {
	case years == 0 && days < 1:
		return shortDelta(seconds, micros, unit), nil
	case years == 0:
		return daysText(days, months, useMonths), nil
	case years == 1:
		return yearText(days, months, useMonths), nil
	}
	total, _, _ := delta.split()
	years = round2(total, 365)
	text, err := st.intComma(years, nil)
	if err != nil {
		return nil, err
	}
	s, _ := textOf(text)
	return s + " year" + plural(int(years)), nil
}

func shortDelta(seconds, micros int64, unit int) string {
	switch {
	case seconds == 0 && unit == 0 && micros < 1000:
		return amount(micros, "microsecond")
	case seconds == 0 && unit <= 1:
		return amount(micros/1000, "millisecond")
	case seconds == 0:
		return "a moment"
	case seconds == 1:
		return "a second"
	case seconds < 60:
		return amount(seconds, "second")
	case seconds < 3600:
		minutes := round2(seconds, 60)
		switch minutes {
		case 1:
			return "a minute"
		case 60:
			return "an hour"
		}
		return amount(minutes, "minute")
	}
	hours := round2(seconds, 3600)
	switch hours {
	case 1:
		return "an hour"
	case 24:
		return "a day"
	}
	return amount(hours, "hour")
}

func daysText(days, months int64, useMonths bool) string {
	switch {
	case days == 1:
		return "a day"
	case !useMonths || months == 0:
		return amount(days, "day")
	case months == 1:
		return "a month"
	case months == 12:
		return "a year"
	}
	return amount(months, "month")
}

func yearText(days, months int64, useMonths bool) string {
	switch {
	case months == 0 && days == 0:
		return "a year"
	case months == 0 || !useMonths:
		return "1 year, " + amount(days, "day")
	case months == 1:
		return "1 year, 1 month"
	case months == 12:
		return "2 years"
	}
	return "1 year, " + amount(months, "month")
}

// dateAndDelta is when something was and how long that is from now; nil dates
// mean that it is no time.
func (st *state) dateAndDelta(v any, now datetime, precise bool) (at any, delta any, err error) {
	switch v := v.(type) {
	case datetime:
		if v.naive != now.naive {
			return nil, nil, typeError("can't subtract offset-naive and offset-aware datetimes")
		}
		d := timedelta(now.t.Sub(v.t) / time.Microsecond)
		return v, max(d, -d), nil
	case timedelta:
		at, err := shift("sub", now, v)
		return at, max(v, -v), err
	}
	if _, isText := textOf(v); isText || !isNumber(v) {
		return nil, v, nil
	}
	f, ok := floatOf(v)
	if !ok {
		return nil, nil, &pyError{"OverflowError", "Python int too large to convert to C int"}
	}
	if math.IsNaN(f) {
		return nil, v, nil
	}
	if math.IsInf(f, 0) {
		return nil, nil, &pyError{"OverflowError", "cannot convert float infinity to integer"}
	}
	if !precise {
		f = math.RoundToEven(f)
	}
	d, err := microseconds(f * microPerSecond)
	if err != nil {
		return nil, nil, err
	}
	td, _ := d.(timedelta)
	at, err = shift("sub", now, td)
	return at, max(td, -td), err
}

func dateAndDelta(st *state, a []any) (any, error) {
	now, err := st.clockNow()
	if err != nil {
		return nil, err
	}
	at, delta, err := st.dateAndDelta(a[0], datetime{now, true}, false)
	return newTuple(at, delta), err
}

// localTime makes an aware datetime a naive one in the server's zone, UTC.
func localTime(v any) any {
	if d, ok := v.(datetime); ok && !d.naive {
		return datetime{d.t.UTC(), true}
	}
	return v
}

func naturalTime(st *state, a []any) (any, error) {
	v := localTime(a[0])
	now, ok := localTime(a[4]).(datetime)
	if !ok {
		t, err := st.clockNow()
		if err != nil {
			return nil, err
		}
		now = datetime{t, true}
	}
	at, delta, err := st.dateAndDelta(v, now, false)
	if err != nil {
		return nil, err
	}
	if at == nil {
		return st.str(v)
	}
	future := truth(a[1])
	switch v.(type) {
	case datetime, timedelta:
		d, _ := at.(datetime)
		future = d.t.After(now.t)
	}
	text, err := st.naturalDelta(delta, truth(a[2]), a[3])
	if err != nil {
		return nil, err
	}
	s, _ := textOf(text)
	switch {
	case s == "a moment":
		return "now", nil
	case future:
		return s + " from now", nil
	}
	return s + " ago", nil
}

// daysFromToday counts days between a date and today in its own zone; ok is
// false when v is no date.
func (st *state) daysFromToday(v any) (days int64, day datetime, ok bool, err error) {
	now, err := st.clockNow()
	if err != nil {
		return 0, day, false, err
	}
	var t time.Time
	switch v := v.(type) {
	case datetime:
		t = v.t
		if !v.naive {
			now = now.In(v.t.Location())
		}
	case date:
		t = v.t
	default:
		return 0, day, false, nil
	}
	midnight := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	return int64(midnight(t).Sub(midnight(now)) / (24 * time.Hour)), datetime{midnight(t), true}, true, nil
}

func (st *state) naturalDay(v any, format string) (any, error) {
	days, day, ok, err := st.daysFromToday(v)
	if err != nil {
		return nil, err
	}
	if !ok {
		return st.str(v)
	}
	switch days {
	case 0:
		return "today", nil
	case 1:
		return "tomorrow", nil
	case -1:
		return "yesterday", nil
	}
	return day.strftime(format)
}

func (st *state) naturalDate(v any) (any, error) {
	days, _, ok, err := st.daysFromToday(v)
	if err != nil {
		return nil, err
	}
	if !ok {
		return st.str(v)
	}
	if max(days, -days) >= 153 { // five months
		return st.naturalDay(v, "%b %d %Y")
	}
	return st.naturalDay(v, "%b %d")
}

// precise computes precisedelta: how much of each unit there is.
type precise struct {
	st         *state
	minimum    int
	suppressed [8]bool
	format     string
	err        error
}

// part divides a value by a unit: how many there are, and what is left.
func (p *precise) part(v, divisor float64, unit int) (n, rest float64) {
	if unit == p.minimum {
		n, err := p.st.rounded(p.format, v/divisor)
		if err != nil {
			p.err = err
		}
		return n, 0
	}
	if p.suppressed[unit] {
		return 0, v
	}
	q, r := floatDivMod(v, divisor)
	return q, math.Trunc(r)
}

func preciseDelta(st *state, a []any) (any, error) {
	now := datetime{time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), true}
	if _, ok := a[0].(datetime); ok {
		t, err := st.clockNow()
		if err != nil {
			return nil, err
		}
		now = datetime{t, true}
	}
	at, deltaValue, err := st.dateAndDelta(a[0], now, true)
	if err != nil {
		return nil, err
	}
	if at == nil {
		return st.str(a[0])
	}
	delta, _ := deltaValue.(timedelta)
	p := &precise{st: st}
	if err := p.options(a); err != nil {
		return nil, err
	}
	values := p.split(delta)
	if p.err != nil {
		return nil, p.err
	}
	return p.text(values)
}

func (p *precise) options(a []any) error {
	suppress, err := p.st.iterate(a[2])
	if err != nil {
		return err
	}
	for _, v := range suppress {
		u, err := unitOf(v)
		if err != nil {
			return err
		}
		p.suppressed[u] = true
	}
	if p.minimum, err = unitOf(a[1]); err != nil {
		return err
	}
	all := len(units())
	for p.minimum < all && p.suppressed[p.minimum] {
		p.minimum++
	}
	if p.minimum == all {
		return valueError("Minimum unit is suppressed and no suitable replacement was found")
	}
	for u := range p.minimum {
		p.suppressed[u] = true
	}
	p.format, err = p.st.str(a[3])
	return err
}

// split returns the amounts from years down to microseconds.
func (p *precise) split(delta timedelta) [8]float64 {
	d, s, us := delta.split()
	days, secs, usecs := float64(d), float64(s), float64(us)
	years, days := p.part(days, 365, 7)
	months, days := p.part(days, 30.5, 6)
	secs += days * 24 * 3600
	days, secs = p.part(secs, 24*3600, 5)
	hours, secs := p.part(secs, 3600, 4)
	minutes, secs := p.part(secs, 60, 3)
	usecs += secs * 1e6
	secs, usecs = p.part(usecs, 1e6, 2)
	msecs, usecs := p.part(usecs, 1000, 1)
	carry := func(from, to *float64, size float64, unit int) {
		if *from >= size && !p.suppressed[unit] {
			*from -= size
			*to++
		}
	}
	carry(&msecs, &secs, 1000, 2)
	carry(&secs, &minutes, 60, 3)
	carry(&minutes, &hours, 60, 4)
	carry(&hours, &days, 24, 5)
	carry(&days, &months, 31, 6)
	carry(&months, &years, 12, 7)
	return [8]float64{years, months, days, hours, minutes, secs, msecs, usecs}
}

func (p *precise) text(values [8]float64) (any, error) {
	names := []string{"year", "month", "day", "hour", "minute", "second", "millisecond", "microsecond"}
	var texts []string
	for i, v := range values {
		unit := 7 - i
		if v > 0 || len(texts) == 0 && unit == p.minimum {
			name := names[i]
			if n := int64(v); n != 1 || v > 1 && v < 2 {
				name += "s"
			}
			number := fmt.Sprintf("%d", int64(v))
			switch {
			case unit == p.minimum && v != math.Trunc(v):
				text, err := p.st.percent(p.format, p.format, v)
				if err != nil {
					return nil, err
				}
				number, _ = textOf(text)
			case unit == 7:
				text, err := p.st.intComma(int64(v), nil)
				if err != nil {
					return nil, err
				}
				number, _ = textOf(text)
			}
			texts = append(texts, number+" "+name)
		}
		if unit == p.minimum {
			break
		}
	}
	if n := len(texts); n > 1 {
		return strings.Join(texts[:n-1], ", ") + " and " + texts[n-1], nil
	}
	return strings.Join(texts, ""), nil
}
