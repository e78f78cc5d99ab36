package schedule

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// frequency is the period of a rule.
type frequency int

const (
	freqYearly frequency = iota
	freqMonthly
	freqWeekly
	freqDaily
	freqHourly
	freqMinutely
	freqSecondly
)

// weekdayNumber is a weekday (0 is Monday), counted within the period if n is not 0.
type weekdayNumber struct{ day, n int }

// rule is one RRULE or EXRULE.
type rule struct {
	freq     frequency
	hasFreq  bool
	interval int
	count    *int
	until    *dateValue
	weekday  []weekdayNumber
	wkst     int
	by       map[string][]int // BYMONTH and so on, as written
}

// dateValue is a time as written; aware says that it had an offset or a zone.
type dateValue struct {
	wall  time.Time
	aware bool
}

var (
	errTooFew  = errors.New("not enough values to unpack (expected 2, got 1)")
	errTooMany = errors.New("too many values to unpack (expected 2)")
	errNoRule  = errors.New("list index out of range")
	errNoFreq  = errors.New("missing FREQ")
	errUntil   = errors.New("RRULE UNTIL values must be specified in UTC when DTSTART is timezone-aware")
	errEmptyBy = errors.New("Invalid rrule byxxx generates an empty set.")

	zoneParameter = regexp.MustCompile(`TZID=([^:]+):`)
)

// parseRuleSet reads the text of a schedule as dateutil does, whose texts of refusal clients see. Without DTSTART the
// check of some rules depends on the time of day, for which now stands.
func parseRuleSet(text string, now time.Time) (ruleSet, error) {
	zones := map[string]string{}
	for _, m := range zoneParameter.FindAllStringSubmatch(text, -1) {
		zones[strings.ToUpper(m[1])] = m[1]
	}
	text = strings.ToUpper(text)
	lines := strings.Fields(text)
	if len(lines) == 0 {
		return ruleSet{}, errors.New("empty string")
	}
	var set ruleSet
	if len(lines) == 1 && (!strings.Contains(text, ":") || strings.HasPrefix(text, "RRULE:")) {
		r, err := parseRule(lines[0], nil, now)
		set.rules = []rule{r}
		return set, err
	}
	var rules, exrules, dates []string
	for _, line := range lines {
		name, value, found := strings.Cut(line, ":")
		if !found {
			name, value = "RRULE", line
		}
		parameters := strings.Split(name, ";")
		name, parameters = parameters[0], parameters[1:]
		var err error
		switch name {
		case "RRULE":
			rules, err = append(rules, value), refuseParameters(name, parameters, "")
		case "EXRULE":
			exrules, err = append(exrules, value), refuseParameters(name, parameters, "")
		case "RDATE":
			dates, err = append(dates, strings.Split(value, ",")...), refuseParameters(name, parameters, "VALUE=DATE-TIME")
		case "EXDATE":
			var values []dateValue
			values, err = parseDates(value, parameters, zones)
			for _, v := range values {
				set.exdates = append(set.exdates, v.wall)
			}
			set.several = true
		case "DTSTART":
			var values []dateValue
			if values, err = parseDates(value, parameters, zones); err == nil && len(values) != 1 {
				err = fmt.Errorf("Multiple DTSTART values specified:%s", value)
			}
			if err == nil {
				set.start = &values[0]
			}
		default:
			err = fmt.Errorf("unsupported property: %s", name)
		}
		if err != nil {
			return ruleSet{}, err
		}
	}
	set.several = set.several || len(rules) > 1 || len(exrules) > 0 || len(dates) > 0
	if len(rules) == 0 && !set.several {
		return ruleSet{}, errNoRule
	}
	return set.fill(rules, dates, exrules, now)
}

// fill reads the values once DTSTART is known.
func (set ruleSet) fill(rules, dates, exrules []string, now time.Time) (ruleSet, error) {
	for _, text := range rules {
		r, err := parseRule(text, set.start, now)
		if err != nil {
			return ruleSet{}, err
		}
		set.rules = append(set.rules, r)
	}
	for _, text := range dates {
		d, err := parseDate(text)
		if err != nil {
			return ruleSet{}, err
		}
		set.dates = append(set.dates, d.wall)
	}
	for _, text := range exrules {
		r, err := parseRule(text, set.start, now)
		if err != nil {
			return ruleSet{}, err
		}
		set.exrules = append(set.exrules, r)
	}
	return set, nil
}

func refuseParameters(name string, parameters []string, allowed string) error {
	for _, p := range parameters {
		if allowed == "" || p != allowed {
			return fmt.Errorf("unsupported %s parm: %s", name, p)
		}
	}
	return nil
}

// parseRule reads one rule and checks it against its beginning.
func parseRule(line string, start *dateValue, now time.Time) (rule, error) {
	r := rule{interval: 1, by: map[string][]int{}}
	switch strings.Count(line, ":") {
	case 0:
	case 1:
		name, value, _ := strings.Cut(line, ":")
		if name != "RRULE" {
			return rule{}, errors.New("unknown parameter name")
		}
		line = value
	default:
		return rule{}, errTooMany
	}
	for pair := range strings.SplitSeq(line, ";") {
		name, value, found := strings.Cut(pair, "=")
		if !found {
			return rule{}, errTooFew
		}
		if strings.Contains(value, "=") {
			return rule{}, errTooMany
		}
		known, ok := r.set(name, value)
		if !known {
			return rule{}, fmt.Errorf("unknown parameter '%s'", name)
		}
		if !ok {
			return rule{}, fmt.Errorf("invalid '%s': %s", name, value)
		}
	}
	if !r.hasFreq {
		return rule{}, errNoFreq
	}
	return r, r.check(start, now)
}

// set stores one parameter of a rule. It reports whether the name is known and the value good.
func (r *rule) set(name, value string) (known, ok bool) {
	var err error
	switch name {
	case "FREQ":
		i := slices.Index([]string{"YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"}, value)
		r.freq, r.hasFreq = frequency(i), true
		return true, i >= 0
	case "WKST":
		r.wkst = weekdayIndex(value)
		return true, r.wkst >= 0
	case "INTERVAL":
		r.interval, err = parseInt(value)
	case "COUNT":
		var n int
		n, err = parseInt(value)
		r.count = &n
	case "UNTIL":
		var d dateValue
		d, err = parseDate(value)
		r.until = &d
	case "BYDAY", "BYWEEKDAY":
		r.weekday, ok = parseWeekdays(value)
		return true, ok
	case "BYSETPOS", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYEASTER", "BYWEEKNO", "BYHOUR", "BYMINUTE", "BYSECOND":
		var list []int
		for item := range strings.SplitSeq(value, ",") {
			n, err := parseInt(item)
			if err != nil {
				return true, false
			}
			list = append(list, n)
		}
		r.by[name] = list
	default:
		return false, false
	}
	return true, err == nil
}

// check refuses what dateutil refuses when it builds the rule.
func (r *rule) check(start *dateValue, now time.Time) error {
	begin := now.UTC()
	if start != nil {
		begin = start.wall
		if r.until != nil && r.until.aware != start.aware {
			return errUntil
		}
	}
	for _, n := range r.by["BYSETPOS"] {
		if n == 0 || n < -366 || n > 366 {
			return errors.New("bysetpos must be between 1 and 366, or between -366 and -1")
		}
	}
	for _, p := range []struct {
		name  string
		freq  frequency
		start int
		base  int
	}{
		{"BYHOUR", freqHourly, begin.Hour(), 24},
		{"BYMINUTE", freqMinutely, begin.Minute(), 60},
		{"BYSECOND", freqSecondly, begin.Second(), 60},
	} {
		list, given := r.by[p.name]
		if given && r.freq == p.freq && !reachable(list, p.start, r.interval, p.base) {
			return errEmptyBy
		}
	}
	if r.freq >= freqHourly {
		return nil
	}
	for _, p := range []struct {
		name, text string
		limit      int
	}{{"BYHOUR", "hour must be in 0..23", 23}, {"BYMINUTE", "minute must be in 0..59", 59}, {"BYSECOND", "second must be in 0..59", 59}} {
		for _, n := range r.by[p.name] {
			if n < 0 || n > p.limit {
				return errors.New(p.text)
			}
		}
	}
	return nil
}

// reachable tells whether one of the values can be met on a dial of base positions, in steps from start.
func reachable(values []int, start, interval, base int) bool {
	d := gcd(interval, base)
	return slices.ContainsFunc(values, func(v int) bool { return (v-start)%d == 0 })
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return max(a, -a)
}

// parseInt reads an integer; what is too large for any calendar is as good as the largest.
func parseInt(s string) (int, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, err
	}
	return int(min(max(n, -maxRuleNumber), maxRuleNumber)), nil
}

// maxRuleNumber is more seconds than the calendar has.
const maxRuleNumber = 400_000_000_000

func weekdayIndex(s string) int {
	return slices.Index([]string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}, s)
}

// parseWeekdays reads a list such as MO,+2TU,FR(-1).
func parseWeekdays(value string) ([]weekdayNumber, bool) {
	var list []weekdayNumber
	for item := range strings.SplitSeq(value, ",") {
		name, number := item, ""
		if before, rest, found := strings.Cut(item, "("); found {
			if rest == "" {
				return nil, false
			}
			name, number = before, rest[:len(rest)-1]
			if number == "" {
				return nil, false
			}
		} else if i := strings.IndexFunc(item, func(c rune) bool { return !strings.ContainsRune("+-0123456789", c) }); i > 0 {
			name, number = item[i:], item[:i]
		}
		d := weekdayNumber{day: weekdayIndex(name)}
		if number != "" {
			n, err := parseInt(number)
			if err != nil || n == 0 {
				return nil, false
			}
			d.n = n
		}
		if d.day < 0 {
			return nil, false
		}
		list = append(list, d)
	}
	return list, true
}
