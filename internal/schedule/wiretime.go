package schedule

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	errDurationLarge = errors.New("durations may not exceed 999,999,999 days")
	errDurationShort = errors.New("input is too short")
	errDurationDigit = errors.New("invalid digit in duration")
	errDurationDay   = errors.New("\"day\" identifier in duration not correctly formatted")

	durationDays  = regexp.MustCompile(`(?i)^(\d+) ?(?:d|day|days)(?:, ?| |$)`)
	durationClock = regexp.MustCompile(`^(\d{1,9}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?$`)
	durationPart  = regexp.MustCompile(`^(\d+(?:[.,]\d+)?)(\D)`)
	wireTime      = regexp.MustCompile(`^(\d{4})-(\d{2})-(\d{2})(?:[Tt _](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([Zz]|[+-]\d{2}(?::?\d{2})?)?)?$`)
	compactTime   = regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})?()(Z|[+-]\d{2}(?::?\d{2})?)?$`)
)

// secondsOf reads a JSON number of seconds, to the nearest microsecond.
func secondsOf(number string) (seconds, micros int64, err error) {
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || math.Abs(v) > maxIntervalDays*secondsPerDay {
		return 0, 0, errDurationLarge
	}
	whole := math.Floor(v)
	return carry(int64(whole), int64(math.Round((v-whole)*microsPerSecond)))
}

func carry(seconds, micros int64) (int64, int64, error) {
	return seconds + micros/microsPerSecond, micros % microsPerSecond, nil
}

// parseDuration reads a duration as text: ISO 8601 (P1DT2H), a clock (01:30:00), or days and a clock.
func parseDuration(text string) (seconds, micros int64, err error) {
	sign := 1.0
	body := text
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		sign, body = -1, rest
	} else {
		body = strings.TrimPrefix(text, "+")
	}
	var total float64
	switch {
	case body == "":
		return 0, 0, errDurationShort
	case body[0] == 'P' || body[0] == 'p':
		total, err = isoDuration(strings.ToUpper(body[1:]))
	case body[0] < '0' || body[0] > '9':
		return 0, 0, errDurationDigit
	default:
		total, err = clockDuration(body)
	}
	if err != nil {
		return 0, 0, err
	}
	if total > maxIntervalDays*secondsPerDay {
		return 0, 0, errDurationLarge
	}
	whole := math.Floor(sign * total)
	return carry(int64(whole), int64(math.Round((sign*total-whole)*microsPerSecond)))
}

// isoDuration reads what follows the P. A year counts 365 days, a month 30.
func isoDuration(text string) (float64, error) {
	if text == "" || text == "T" {
		return 0, errDurationShort
	}
	date := map[string]float64{"Y": 365 * secondsPerDay, "M": 30 * secondsPerDay, "W": 7 * secondsPerDay, "D": secondsPerDay}
	clock := map[string]float64{"H": 3600, "M": 60, "S": 1}
	units, where := date, "date"
	total := 0.0
	for text != "" {
		if rest, ok := strings.CutPrefix(text, "T"); ok && where == "date" {
			units, where, text = clock, "time", rest
			continue
		}
		m := durationPart.FindStringSubmatch(text)
		if m == nil || units[m[2]] == 0 {
			return 0, fmt.Errorf("quantity invalid in %s part of duration", where)
		}
		n, err := strconv.ParseFloat(strings.Replace(m[1], ",", ".", 1), 64)
		if err != nil {
			return 0, errDurationLarge
		}
		total += n * units[m[2]]
		text = text[len(m[0]):]
	}
	return total, nil
}

// clockDuration reads [days] HH:MM[:SS[.fraction]].
func clockDuration(text string) (float64, error) {
	total := 0.0
	if m := durationDays.FindStringSubmatch(text); m != nil {
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return 0, errDurationLarge
		}
		total = n * secondsPerDay
		if text = text[len(m[0]):]; text == "" {
			return total, nil
		}
		if len(text) < 5 {
			return 0, errDurationShort
		}
	}
	m := durationClock.FindStringSubmatch(text)
	if m == nil || len(m[1]) < 2 {
		return 0, errDurationDay
	}
	for i, unit := range []float64{3600, 60, 1} {
		n, err := strconv.ParseFloat("0"+m[i+1], 64)
		if err != nil {
			return 0, errDurationDay
		}
		if i > 0 && n > 59 {
			return 0, fmt.Errorf("%s value is outside expected range of 0-59", []string{"", "minute", "second"}[i])
		}
		total += n * unit
	}
	fraction, err := strconv.ParseFloat("0."+m[4]+"0", 64)
	if err != nil {
		return 0, errDurationDay
	}
	return total + fraction, nil
}

// parseAnchor reads a time: ISO 8601 text (UTC if it has no offset), or seconds since 1970 as number or text, which
// are milliseconds if they would lie far in the future.
func parseAnchor(v json.RawMessage, now time.Time) (time.Time, error) {
	text := string(v)
	if v[0] == '"' {
		if err := json.Unmarshal(v, &text); err != nil {
			return time.Time{}, fmt.Errorf("read anchor: %w", err)
		}
	} else if v[0] != '-' && (v[0] < '0' || v[0] > '9') {
		return time.Time{}, errors.New("not a time")
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil && strings.Trim(text, "+-0123456789.eE") == "" {
		if math.Abs(n) > 2e10 {
			n /= 1000
		}
		if math.Abs(n) > 253402300799 {
			return time.Time{}, fmt.Errorf("Unable to parse string [%s]", text)
		}
		whole := math.Floor(n)
		return time.Unix(int64(whole), int64(math.Round((n-whole)*microsPerSecond))*1000).UTC(), nil
	}
	m := wireTime.FindStringSubmatch(text)
	if m == nil {
		m = compactTime.FindStringSubmatch(text)
	}
	if m == nil {
		return looseTime(text, now)
	}
	var n [6]int
	for i := range n {
		n[i], _ = strconv.Atoi("0" + m[i+1]) // digits by the pattern
	}
	if n[0] < 1 || n[1] < 1 || n[1] > 12 || n[2] < 1 || n[2] > daysIn(n[0], time.Month(n[1])) || n[3] > 23 || n[4] > 59 || n[5] > 59 {
		return time.Time{}, fmt.Errorf("Unable to parse string [%s]", text)
	}
	micros, _ := strconv.Atoi((m[7] + "000000")[:6])
	return time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], micros*1000, offsetZone(m[8])), nil
}

// looseTime reads the shorter forms that the reference falls back to: a month, or a time of today.
func looseTime(text string, now time.Time) (time.Time, error) {
	if t, err := time.Parse("2006-01", text); err == nil {
		return t, nil
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			y, m, d := now.UTC().Date()
			return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, time.UTC), nil
		}
	}
	return time.Time{}, fmt.Errorf("Unable to parse string [%s]", text)
}

// offsetZone returns the zone for Z, +hh, +hhmm or +hh:mm.
func offsetZone(text string) *time.Location {
	if len(text) < 3 {
		return time.UTC
	}
	digits := strings.Replace(text[1:], ":", "", 1) + "00"
	h, _ := strconv.Atoi(digits[:2]) // digits by the pattern
	m, _ := strconv.Atoi(digits[2:4])
	seconds := h*3600 + m*60
	if text[0] == '-' {
		seconds = -seconds
	}
	if seconds == 0 {
		return time.UTC
	}
	return time.FixedZone("", seconds)
}

// formatAnchor writes a time as the reference does: microseconds only if there are any, and then all six digits.
func formatAnchor(t time.Time) string {
	if t.Nanosecond()/1000 == 0 {
		return t.Format("2006-01-02T15:04:05Z07:00")
	}
	return t.Format("2006-01-02T15:04:05.000000Z07:00")
}
