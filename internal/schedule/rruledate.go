package schedule

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// dateText matches the times that a rule's text may have: 20200131, 20200131T0900, 20200131T090000 and the same with
// separators, then optionally Z or an offset. (dateutil guesses at many more forms; those are refused here.)
var dateText = regexp.MustCompile(`^(\d{4})-?(\d{2})-?(\d{2})(?:T(\d{2})(?::?(\d{2})(?::?(\d{2})(?:[.,]\d+)?)?)?)?(Z|UTC|[+-]\d{2}(?::?\d{2})?)?$`)

// parseDates reads the value of DTSTART or EXDATE with its parameters.
func parseDates(value string, parameters []string, zones map[string]string) ([]dateValue, error) {
	typed, zoned := false, false
	for _, p := range parameters {
		if key, ok := strings.CutPrefix(p, "TZID="); ok {
			if name, ok := zones[key]; ok {
				_, err := time.LoadLocation(name)
				zoned = err == nil
			}
			continue
		}
		if p != "VALUE=DATE-TIME" && p != "VALUE=DATE" {
			return nil, fmt.Errorf("unsupported parm: %s", p)
		}
		if typed {
			return nil, fmt.Errorf("Duplicate value parameter found in: %s", p)
		}
		typed = true
	}
	var dates []dateValue
	for text := range strings.SplitSeq(value, ",") {
		d, err := parseDate(text)
		if err != nil {
			return nil, err
		}
		if zoned {
			if d.aware {
				return nil, fmt.Errorf("DTSTART/EXDATE specifies multiple timezone")
			}
			d.aware = true
		}
		dates = append(dates, d)
	}
	return dates, nil
}

// parseDate reads one time, in capitals.
func parseDate(text string) (dateValue, error) {
	if text == "" {
		return dateValue{}, fmt.Errorf("String does not contain a date: %s", text)
	}
	m := dateText.FindStringSubmatch(text)
	if m == nil {
		return dateValue{}, fmt.Errorf("Unknown string format: %s", text)
	}
	var n [6]int
	for i := range n {
		if m[i+1] != "" {
			n[i], _ = strconv.Atoi(m[i+1]) // the pattern admits digits only
		}
	}
	limits := []struct {
		value, low, high int
		text             string
	}{
		{n[0], 1, 9999, fmt.Sprintf("year %d is out of range", n[0])},
		{n[1], 1, 12, "month must be in 1..12"},
		{n[2], 1, daysIn(n[0], time.Month(min(max(n[1], 1), 12))), "day is out of range for month"},
		{n[3], 0, 23, "hour must be in 0..23"},
		{n[4], 0, 59, "minute must be in 0..59"},
		{n[5], 0, 59, "second must be in 0..59"},
	}
	for _, l := range limits {
		if l.value < l.low || l.value > l.high {
			return dateValue{}, fmt.Errorf("%s: %s", l.text, text)
		}
	}
	wall := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC)
	return dateValue{wall: wall, aware: m[7] != ""}, nil
}
