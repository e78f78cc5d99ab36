package wire

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Time is an instant as pydantic writes it: UTC, with six digits of a fraction
// or none at all.
type Time struct{ time.Time }

// FromTime returns t in UTC, cut to microseconds.
func FromTime(t time.Time) Time { return Time{t.UTC().Truncate(time.Microsecond)} }

// FromTimePtr is FromTime for a time that may be nil.
func FromTimePtr(t *time.Time) *Time {
	if t == nil {
		return nil
	}
	v := FromTime(*t)
	return &v
}

// Ptr returns a pointer to the time, nil for nil.
func (t *Time) Ptr() *time.Time {
	if t == nil {
		return nil
	}
	v := t.Time
	return &v
}

// String returns the form that is written, without quotes.
func (t Time) String() string { return string(t.append(nil)) }

func (t Time) append(dst []byte) []byte {
	u := t.UTC()
	if u.Nanosecond() < 1000 {
		return u.AppendFormat(dst, "2006-01-02T15:04:05Z")
	}
	return u.AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
}

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	dst := append(make([]byte, 0, 32), '"')
	return append(t.append(dst), '"'), nil
}

// UnmarshalJSON takes what Decode takes.
func (t *Time) UnmarshalJSON(data []byte) error { return Decode(data, t) }

// ParseTime reads a time as the reference does: RFC 3339 with T, a blank or _
// between date and time, the offset with or without a colon, without seconds, or
// a date alone; a number counts seconds (milliseconds, if it is large) since
// 1970. No offset means UTC. What is finer than microseconds is cut off.
func ParseTime(s string) (time.Time, error) {
	t, fault := parseTime(s)
	if fault != nil {
		return t, fault
	}
	return t, nil
}

// timeFault says in pydantic's words why a value is no time.
type timeFault struct{ kind, reason string }

func (f *timeFault) message() string {
	if f.kind == "datetime_parsing" {
		return "Input should be a valid datetime, " + f.reason
	}
	return "Input should be a valid datetime or date, " + f.reason
}

// Error implements error.
func (f *timeFault) Error() string { return f.message() }

var (
	unixText = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$`)
	timeText = regexp.MustCompile(`^([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:[.,]([0-9]+))?)?` +
		`(?:[Zz]|([+-])([01][0-9]|2[0-3]):?([0-5][0-9]))?$`)
)

func parseTime(s string) (time.Time, *timeFault) {
	// Clients send RFC 3339 nearly always, which the standard library reads ten times
	// as fast; it takes an offset of 24 hours, though.
	if t, err := time.Parse(time.RFC3339, s); err == nil && t.Year() > 1 && t.Year() < 9999 && !strings.Contains(s[19:], "24:") {
		return t.UTC().Truncate(time.Microsecond), nil
	}
	if unixText.MatchString(s) {
		return unixTime(s)
	}
	day, fault := parseDate(s)
	if fault != nil {
		return day, fault
	}
	if len(s) == 10 {
		return day, yearFault(day)
	}
	m := timeText.FindStringSubmatch(s[11:])
	if m == nil || !strings.ContainsRune("Tt _", rune(s[10])) {
		return day, &timeFault{"datetime_from_date_parsing", "unexpected extra characters at the end of the input"}
	}
	number := func(text string) time.Duration {
		n, _ := strconv.Atoi(text)
		return time.Duration(n)
	}
	t := day.Add(number(m[1])*time.Hour + number(m[2])*time.Minute + number(m[3])*time.Second)
	if m[4] != "" {
		t = t.Add(number((m[4] + "00000")[:6]) * time.Microsecond)
	}
	offset := number(m[6])*time.Hour + number(m[7])*time.Minute
	if m[5] == "-" {
		offset = -offset
	}
	if fault := yearFault(day); fault != nil {
		return t, fault
	}
	// An offset may lead out of the years that Python and databases know.
	t = t.Add(-offset)
	return t, yearFault(t)
}

// parseDate reads the date that a time begins with.
func parseDate(s string) (time.Time, *timeFault) {
	fault := func(reason string) (time.Time, *timeFault) {
		return time.Time{}, &timeFault{"datetime_from_date_parsing", reason}
	}
	if len(s) < 10 {
		return fault("input is too short")
	}
	var parts [3]int
	for k, part := range []struct {
		name     string
		from, to int
	}{{"year", 0, 4}, {"month", 5, 7}, {"day", 8, 10}} {
		n, ok := digits(s[part.from:part.to])
		if !ok {
			return fault("invalid character in " + part.name)
		}
		if k < 2 && s[part.to] != '-' {
			return fault("invalid date separator, expected `-`")
		}
		parts[k] = n
	}
	if parts[1] < 1 || parts[1] > 12 {
		return fault("month value is outside expected range of 1-12")
	}
	day := time.Date(parts[0], time.Month(parts[1]), parts[2], 0, 0, 0, 0, time.UTC)
	if parts[2] < 1 || day.Day() != parts[2] {
		return fault("day value is outside expected range")
	}
	return day, nil
}

func digits(s string) (int, bool) {
	n := 0
	for k := range len(s) {
		if !isDigit(s[k]) {
			return 0, false
		}
		n = n*10 + int(s[k]-'0')
	}
	return n, true
}

func yearFault(t time.Time) *timeFault {
	switch {
	case t.Year() < 1:
		return &timeFault{"datetime_parsing", "year 0 is out of range"}
	case t.Year() > 9999:
		return &timeFault{"datetime_parsing", "year " + strconv.Itoa(t.Year()) + " is out of range"}
	}
	return nil
}

// Numbers above this count milliseconds; the largest of them is in the year 9999.
const (
	millisecondsFrom = 20_000_000_000
	lastMillisecond  = 253_402_300_799_999
	firstMillisecond = -62_135_596_800_000
)

// unixTime reads a count of seconds or milliseconds since 1970.
func unixTime(text string) (time.Time, *timeFault) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n > millisecondsFrom || n < -millisecondsFrom {
			return fromMilliseconds(n)
		}
		return fromMilliseconds(n * 1000)
	}
	f, err := strconv.ParseFloat(text, 64)
	if math.Abs(f) > millisecondsFrom {
		f /= 1000
	}
	switch {
	case err != nil || f > lastMillisecond/1000:
		return time.Time{}, &timeFault{"datetime_parsing", "dates after 9999 are not supported as unix timestamps"}
	case f < firstMillisecond/1000:
		return time.Time{}, &timeFault{"datetime_parsing", "dates before 0000 are not supported as unix timestamps"}
	}
	seconds := math.Floor(f)
	// The exact fraction of the float, rounded to microseconds.
	fraction := new(big.Float).Sub(big.NewFloat(f), big.NewFloat(seconds))
	micros, _ := fraction.Mul(fraction, big.NewFloat(1e6)).Float64()
	return time.Unix(int64(seconds), 0).Add(time.Duration(math.Round(micros)) * time.Microsecond).UTC(), nil
}

func fromMilliseconds(ms int64) (time.Time, *timeFault) {
	switch {
	case ms > lastMillisecond:
		return time.Time{}, &timeFault{"datetime_parsing", "dates after 9999 are not supported as unix timestamps"}
	case ms < firstMillisecond:
		return time.Time{}, &timeFault{"datetime_parsing", "dates before 0000 are not supported as unix timestamps"}
	}
	return time.UnixMilli(ms).UTC(), nil
}
