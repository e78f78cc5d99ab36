package jinja

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// datetime is a Python datetime, naive or with an offset; date is a day and
// timedelta a count of microseconds.
type (
	datetime struct {
		t     time.Time
		naive bool
	}
	date      struct{ t time.Time }
	timedelta int64
)

const (
	microPerSecond = 1_000_000
	microPerDay    = 86_400 * microPerSecond
)

// offset is the zone's text, such as +00:00; nothing for a naive datetime.
func (d datetime) offset(colon string) string {
	if d.naive {
		return ""
	}
	_, s := d.t.Zone()
	sign := '+'
	if s < 0 {
		sign, s = '-', -s
	}
	out := fmt.Sprintf("%c%02d%s%02d", sign, s/3600, colon, s/60%60)
	if s%60 != 0 {
		out += fmt.Sprintf("%s%02d", colon, s%60)
	}
	return out
}

func (d datetime) micro() int { return d.t.Nanosecond() / 1000 }

func (d datetime) isoformat(sep string) string {
	s := fmt.Sprintf("%04d-%02d-%02d%s%02d:%02d:%02d", d.t.Year(), d.t.Month(), d.t.Day(), sep, d.t.Hour(), d.t.Minute(), d.t.Second())
	if us := d.micro(); us != 0 {
		s += fmt.Sprintf(".%06d", us)
	}
	return s + d.offset(":")
}

func (d datetime) repr() string {
	s := fmt.Sprintf("datetime.datetime(%d, %d, %d, %d, %d", d.t.Year(), d.t.Month(), d.t.Day(), d.t.Hour(), d.t.Minute())
	if d.t.Second() != 0 || d.micro() != 0 {
		s += fmt.Sprintf(", %d", d.t.Second())
	}
	if us := d.micro(); us != 0 {
		s += fmt.Sprintf(", %d", us)
	}
	if d.naive {
		return s + ")"
	}
	if _, off := d.t.Zone(); off != 0 {
		return s + ", tzinfo=datetime.timezone(" + timedelta(int64(off)*microPerSecond).repr() + "))"
	}
	return s + ", tzinfo=datetime.timezone.utc)"
}

func (d date) String() string { return d.t.Format("2006-01-02") }
func (d date) repr() string {
	return fmt.Sprintf("datetime.date(%d, %d, %d)", d.t.Year(), d.t.Month(), d.t.Day())
}

// split is Python's days, seconds and microseconds.
func (t timedelta) split() (days, seconds, micros int64) {
	days = int64(t) / microPerDay
	rest := int64(t) % microPerDay
	if rest < 0 {
		days--
		rest += microPerDay
	}
	return days, rest / microPerSecond, rest % microPerSecond
}

func (t timedelta) String() string {
	days, s, us := t.split()
	out := fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	if days != 0 {
		p := "s"
		if days == 1 || days == -1 {
			p = ""
		}
		out = fmt.Sprintf("%d day%s, %s", days, p, out)
	}
	if us != 0 {
		out += fmt.Sprintf(".%06d", us)
	}
	return out
}

func (t timedelta) repr() string {
	days, s, us := t.split()
	var parts []string
	for _, p := range []struct {
		name string
		n    int64
	}{{"days", days}, {"seconds", s}, {"microseconds", us}} {
		if p.n != 0 {
			parts = append(parts, p.name+"="+strconv.FormatInt(p.n, 10))
		}
	}
	if len(parts) == 0 {
		parts = []string{"0"}
	}
	return "datetime.timedelta(" + strings.Join(parts, ", ") + ")"
}

func (t timedelta) seconds() float64 { return float64(t) / microPerSecond }

// timeOp is + - * / // % of dates and timedeltas; nil when it is none.
func (st *state) timeOp(op string, a, b any) (any, error) {
	switch x := a.(type) {
	case datetime:
		switch y := b.(type) {
		case datetime:
			if op != "sub" {
				return nil, nil
			}
			if x.naive != y.naive {
				return nil, typeError("can't subtract offset-naive and offset-aware datetimes")
			}
			return timedelta(x.t.Sub(y.t) / time.Microsecond), nil
		case timedelta:
			return shift(op, x, y)
		}
	case date:
		switch y := b.(type) {
		case date:
			if op == "sub" {
				return timedelta(x.t.Sub(y.t) / time.Microsecond), nil
			}
		case timedelta:
			days, _, _ := y.split()
			if op == "sub" {
				days = -days
			} else if op != "add" {
				return nil, nil
			}
			return date{x.t.AddDate(0, 0, int(days))}, nil
		}
	case timedelta:
		if y, ok := b.(datetime); ok && op == "add" {
			return shift(op, y, x)
		}
		return durationOp(op, x, b)
	}
	if y, ok := b.(timedelta); ok && op == "mul" && isNumber(a) {
		return durationOp(op, y, a)
	}
	return nil, nil
}

func shift(op string, d datetime, by timedelta) (any, error) {
	switch op {
	case "sub":
		by = -by
	case "add":
	default:
		return nil, nil
	}
	days, s, us := by.split()
	t := d.t.AddDate(0, 0, int(days)).Add(time.Duration(s)*time.Second + time.Duration(us)*time.Microsecond)
	if t.Year() < 1 || t.Year() > 9999 {
		return nil, &pyError{"OverflowError", "date value out of range"}
	}
	return datetime{t, d.naive}, nil
}

func durationOp(op string, x timedelta, b any) (any, error) {
	if y, ok := b.(timedelta); ok {
		switch op {
		case "add":
			return x + y, nil
		case "sub":
			return x - y, nil
		case "div", "floordiv", "mod":
			if y == 0 {
				return nil, &pyError{"ZeroDivisionError", "division by zero"}
			}
			if op == "div" {
				return float64(x) / float64(y), nil
			}
			q, r := floorDivide(bigOf(int64(x)), bigOf(int64(y)))
			if op == "mod" {
				return timedelta(r.Int64()), nil
			}
			return normal(q), nil
		}
		return nil, nil
	}
	f, ok := floatOf(b)
	if !ok {
		return nil, nil
	}
	switch op {
	case "mul":
		return microseconds(float64(x) * f)
	case "div":
		if f == 0 {
			return nil, &pyError{"ZeroDivisionError", "division by zero"}
		}
		return microseconds(float64(x) / f)
	case "floordiv":
		n, small := intOf(b)
		if !small {
			return nil, nil
		}
		if n == 0 {
			return nil, &pyError{"ZeroDivisionError", "integer division or modulo by zero"}
		}
		q, _ := floorDivide(bigOf(int64(x)), bigOf(n))
		return timedelta(q.Int64()), nil
	}
	return nil, nil
}

// microseconds rounds half to even.
func microseconds(f float64) (any, error) {
	if math.IsNaN(f) {
		return nil, valueError("cannot convert float NaN to integer")
	}
	if math.Abs(f) >= 1<<62 {
		return nil, &pyError{"OverflowError", "Python int too large to convert to C int"}
	}
	return timedelta(math.RoundToEven(f)), nil
}

func (t timedelta) attribute(name string) (any, bool, error) {
	days, s, us := t.split()
	switch name {
	case "days":
		return days, true, nil
	case "seconds":
		return s, true, nil
	case "microseconds":
		return us, true, nil
	case "total_seconds":
		return function("timedelta.total_seconds", func(*state, []any) (any, error) { return t.seconds(), nil }), true, nil
	}
	return nil, false, nil
}

func (d date) attribute(name string) (any, bool, error) {
	return datetime{t: d.t, naive: true}.dateAttribute(name)
}

// dateAttribute finds what dates and datetimes have alike.
func (d datetime) dateAttribute(name string) (any, bool, error) {
	call := func(f func(st *state, a []any) (any, error), params ...param) (any, bool, error) {
		return function(name, f, params...), true, nil
	}
	weekday := int64(d.t.Weekday()+6) % 7
	switch name {
	case "year":
		return int64(d.t.Year()), true, nil
	case "month":
		return int64(d.t.Month()), true, nil
	case "day":
		return int64(d.t.Day()), true, nil
	case "weekday":
		return call(func(*state, []any) (any, error) { return weekday, nil })
	case "isoweekday":
		return call(func(*state, []any) (any, error) { return weekday + 1, nil })
	case "toordinal":
		return call(func(*state, []any) (any, error) { return d.t.Unix()/86400 + 719163, nil })
	case "ctime":
		return call(func(*state, []any) (any, error) { return d.t.Format("Mon Jan _2 15:04:05 2006"), nil })
	case "isoformat":
		return call(func(*state, []any) (any, error) { return d.t.Format("2006-01-02"), nil })
	case "strftime":
		return call(func(_ *state, a []any) (any, error) {
			text, ok := textOf(a[0])
			if !ok {
				return nil, typeError("strftime() argument 1 must be str, not " + typeName(a[0]))
			}
			return d.strftime(text)
		}, req("format"))
	}
	return nil, false, nil
}

func (d datetime) attribute(name string) (any, bool, error) {
	call := func(f func(st *state, a []any) (any, error), params ...param) (any, bool, error) {
		return function(name, f, params...), true, nil
	}
	switch name {
	case "hour":
		return int64(d.t.Hour()), true, nil
	case "minute":
		return int64(d.t.Minute()), true, nil
	case "second":
		return int64(d.t.Second()), true, nil
	case "microsecond":
		return int64(d.micro()), true, nil
	case "fold":
		return int64(0), true, nil
	case "isoformat":
		return call(func(_ *state, a []any) (any, error) {
			sep, ok := textOf(a[0])
			if !ok {
				return nil, typeError("isoformat() argument 1 must be a unicode character, not " + typeName(a[0]))
			}
			return d.isoformat(sep), nil
		}, opt("sep", "T"))
	case "timestamp":
		return call(func(*state, []any) (any, error) { return float64(d.t.UnixMicro()) / microPerSecond, nil })
	case "date":
		return call(func(*state, []any) (any, error) {
			return date{time.Date(d.t.Year(), d.t.Month(), d.t.Day(), 0, 0, 0, 0, time.UTC)}, nil
		})
	case "utcoffset":
		return call(func(*state, []any) (any, error) {
			if d.naive {
				return nil, nil
			}
			_, off := d.t.Zone()
			return timedelta(int64(off) * microPerSecond), nil
		})
	case "tzinfo":
		return d.zone(), true, nil
	case "tzname":
		return call(func(*state, []any) (any, error) { return d.zone(), nil })
	case "replace":
		return call(d.replace, opt("year", nil), opt("month", nil), opt("day", nil), opt("hour", nil),
			opt("minute", nil), opt("second", nil), opt("microsecond", nil))
	}
	return d.dateAttribute(name)
}

func (d datetime) zone() any {
	if d.naive {
		return nil
	}
	name, off := d.t.Zone()
	if off == 0 {
		return "UTC"
	}
	if name == "" || strings.HasPrefix(name, "+") || strings.HasPrefix(name, "-") {
		return "UTC" + d.offset(":")
	}
	return name
}

func (d datetime) replace(_ *state, a []any) (any, error) {
	now := []int{d.t.Year(), int(d.t.Month()), d.t.Day(), d.t.Hour(), d.t.Minute(), d.t.Second(), d.micro()}
	for i, v := range a {
		if v == nil {
			continue
		}
		n, ok := intOf(v)
		if !ok {
			return nil, typeError(pyrepr.String(typeName(v)) + " object cannot be interpreted as an integer")
		}
		now[i] = int(n)
	}
	t := time.Date(now[0], time.Month(now[1]), now[2], now[3], now[4], now[5], now[6]*1000, d.t.Location())
	switch {
	case now[0] < 1 || now[0] > 9999:
		return nil, valueError("year " + strconv.Itoa(now[0]) + " is out of range")
	case now[1] < 1 || now[1] > 12:
		return nil, valueError("month must be in 1..12")
	case t.Day() != now[2] || int(t.Month()) != now[1]:
		return nil, valueError("day is out of range for month")
	case now[3] < 0 || now[3] > 23:
		return nil, valueError("hour must be in 0..23")
	case now[4] < 0 || now[4] > 59:
		return nil, valueError("minute must be in 0..59")
	case now[5] < 0 || now[5] > 59:
		return nil, valueError("second must be in 0..59")
	case now[6] < 0 || now[6] > 999_999:
		return nil, valueError("microsecond must be in 0..999999")
	}
	return datetime{t, d.naive}, nil
}

// strftime formats as C's strftime does.
func (d datetime) strftime(format string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 >= len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		unpadded := false
		if format[i] == '-' && i+1 < len(format) {
			unpadded = true
			i++
		}
		s := d.directive(format[i])
		if unpadded {
			s = strings.TrimLeft(s, "0 ")
			if s == "" {
				s = "0"
			}
		}
		b.WriteString(s)
		if b.Len() > maxText {
			return "", errTooLarge
		}
	}
	return b.String(), nil
}

func (d datetime) directive(c byte) string {
	t := d.t
	layouts := map[byte]string{
		'a': "Mon", 'A': "Monday", 'b': "Jan", 'h': "Jan", 'B': "January", 'd': "02", 'e': "_2", 'H': "15",
		'I': "03", 'm': "01", 'M': "04", 'p': "PM", 'S': "05", 'y': "06", 'c': "Mon Jan _2 15:04:05 2006",
		'x': "01/02/06", 'X': "15:04:05", 'D': "01/02/06", 'F': "2006-01-02", 'T': "15:04:05", 'R': "15:04",
		'r': "03:04:05 PM", 'j': "002",
	}
	if l, ok := layouts[c]; ok {
		return t.Format(l)
	}
	weekday := int(t.Weekday()+6) % 7
	year, week := t.ISOWeek()
	switch c {
	case 'Y':
		return strconv.Itoa(t.Year())
	case 'G':
		return strconv.Itoa(year)
	case 'g':
		return fmt.Sprintf("%02d", year%100)
	case 'C':
		return fmt.Sprintf("%02d", t.Year()/100)
	case 'V':
		return fmt.Sprintf("%02d", week)
	case 'U':
		return fmt.Sprintf("%02d", (t.YearDay()+6-int(t.Weekday()))/7)
	case 'W':
		return fmt.Sprintf("%02d", (t.YearDay()+6-weekday)/7)
	case 'u':
		return strconv.Itoa(weekday + 1)
	case 'w':
		return strconv.Itoa(int(t.Weekday()))
	case 'f':
		return fmt.Sprintf("%06d", d.micro())
	case 'k':
		return fmt.Sprintf("%2d", t.Hour())
	case 'l':
		return fmt.Sprintf("%2d", (t.Hour()+11)%12+1)
	case 's':
		return strconv.FormatInt(t.Unix(), 10)
	case 'z':
		return d.offset("")
	case 'Z':
		s, _ := d.zone().(string)
		return s
	case 'n':
		return "\n"
	case 't':
		return "\t"
	case '%':
		return "%"
	}
	return "%" + string(c)
}
