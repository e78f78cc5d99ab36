package schedule

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Positions of the fields in an expression.
const (
	minuteField = iota
	hourField
	dayField
	monthField
	weekdayField
	secondField
	yearField
	fieldCount
)

// cronField is what one field allows.
type cronField struct {
	values []int // sorted
	any    bool  // an asterisk is among the items, or all values are
	last   bool  // the last day of the month is among the items
}

// size counts the distinct items.
func (f cronField) size() int {
	n := len(f.values)
	if f.any {
		n++
	}
	if f.last {
		n++
	}
	return n
}

// nthWeekday says which of a weekday's days in a month match.
type nthWeekday struct {
	mask uint8 // bit n for the n-th
	last bool
}

func (w nthWeekday) has(n int) bool { return w.mask&(1<<n) != 0 }

// cronPlan is a parsed expression.
type cronPlan struct {
	fields  [fieldCount]cronField
	nth     [7]nthWeekday // from Sunday
	seconds bool          // the expression has a field for seconds
	years   bool
}

// counted tells whether weekdays are counted within the month.
func (p *cronPlan) counted() bool { return p.nth != [7]nthWeekday{} }

// cronBounds returns the smallest and largest value of a field.
func cronBounds(field int) (low, high int) {
	switch field {
	case hourField:
		return 0, 23
	case dayField:
		return 1, 31
	case monthField:
		return 1, 12
	case weekdayField:
		return 0, 6
	case yearField:
		return 1970, 2099
	default:
		return 0, 59
	}
}

var (
	cronRange  = regexp.MustCompile(`^([^-]+)-([^-/]+)(?:/([0-9]+))?$`)
	cronDigits = regexp.MustCompile(`^[0-9]+$`)
	cronHashed = regexp.MustCompile(`^[hr](\([0-9]+-[0-9]+\))?(/[0-9]+)?$`)
	cronNth    = regexp.MustCompile(`^(?:((?:sun|mon|tue|wed|thu|fri|sat)(?:-(?:sun|mon|tue|wed|thu|fri|sat))?|\w+)#|l)([0-9]+)$`)
)

// invalidCron is the reference's text for an expression that parseCron refuses.
func invalidCron(expression string) string {
	for f := range strings.FieldsSeq(expression) {
		if strings.EqualFold(f, "r") {
			if _, ok := parseCron(strings.NewReplacer("R", "1", "r", "1").Replace(expression)); ok {
				return fmt.Sprintf("Random and Hashed expressions are unsupported, received: \"%s\"", expression)
			}
		}
	}
	return fmt.Sprintf("Invalid cron string: \"%s\"", expression)
}

// parseCron reads an expression in the dialect of croniter, which the reference uses: five fields, a sixth for the
// second, a seventh for the year; names, ranges (also backwards, which wrap around), steps, lists, ? and L in the
// days, 2#1 and L5 in the weekdays, and aliases such as @hourly. Random fields (R, R/5, R(0-9)) are refused; the
// reference refuses only the first of these and draws anew at every look for the others.
func parseCron(expression string) (cronPlan, bool) {
	text := strings.ToLower(expression)
	switch text {
	case "@midnight", "@daily":
		text = "0 0 * * *"
	case "@hourly":
		text = "0 * * * *"
	case "@weekly":
		text = "0 0 * * 0"
	case "@monthly":
		text = "0 0 1 * *"
	case "@yearly", "@annually":
		text = "0 0 1 1 *"
	}
	items := strings.Fields(text)
	if len(items) < 5 || len(items) > fieldCount {
		return cronPlan{}, false
	}
	p := cronPlan{seconds: len(items) > secondField, years: len(items) > yearField}
	for i, item := range items {
		reader := cronReader{plan: &p, field: i, columns: len(items)}
		if !reader.read(item) {
			return cronPlan{}, false
		}
		// A field that lists everything counts as an asterisk, except where that would turn "either day" into "any".
		low, high := cronBounds(i)
		otherRestricted := i == dayField && !strings.Contains(items[weekdayField], "*") ||
			i == weekdayField && !strings.Contains(items[dayField], "*")
		if reader.out.size() == high-low+1 && !otherRestricted {
			reader.out = cronField{any: true}
		}
		p.fields[i] = reader.out
	}
	if !p.weekdaysAgree() {
		return cronPlan{}, false
	}
	return p, true
}

// weekdaysAgree refuses a mixture of plain and counted weekdays.
func (p *cronPlan) weekdaysAgree() bool {
	f := p.fields[weekdayField]
	if !p.counted() || f.size() == 7 {
		return true
	}
	return !slices.ContainsFunc(f.values, func(v int) bool { return p.nth[v] == nthWeekday{} })
}

// cronReader reads one field.
type cronReader struct {
	plan    *cronPlan
	field   int
	columns int
	out     cronField
}

func (r *cronReader) read(item string) bool {
	if cronHashed.MatchString(item) {
		return false
	}
	if strings.Contains(item, "?") {
		if item != "?" || r.field != dayField && r.field != weekdayField {
			return false
		}
		item = "*"
	}
	for part := range strings.SplitSeq(item, ",") {
		if !r.readPart(part) {
			return false
		}
	}
	slices.Sort(r.out.values)
	r.out.values = slices.Compact(r.out.values)
	return true
}

// readPart reads one item of a list.
func (r *cronReader) readPart(part string) bool {
	var which nthWeekday
	if r.field == weekdayField {
		if m := cronNth.FindStringSubmatch(part); m != nil && m[1] != "" {
			n, err := strconv.Atoi(m[2])
			if err != nil || n < 1 || n > 5 {
				return false
			}
			part, which.mask = m[1], 1<<n
		} else if m != nil {
			part, which.last = m[2], true
		}
	}
	low, high := cronBounds(r.field)
	text := part
	if rest, ok := strings.CutPrefix(part, "*/"); ok {
		text = fmt.Sprintf("%d-%d/%s", low, high, rest)
	}
	m := cronRange.FindStringSubmatch(text)
	if m == nil {
		if i := strings.LastIndex(part, "/"); i > 0 && i < len(part)-1 {
			text = fmt.Sprintf("%s-%d/%s", part[:i], high, part[i+1:])
			m = cronRange.FindStringSubmatch(text)
		}
	}
	if m == nil {
		return r.readSingle(text, which)
	}
	values, ok := r.expand(m[1], m[2], m[3])
	for _, v := range values {
		ok = ok && r.add(v, which)
	}
	return ok
}

// readSingle reads an item that is neither a range nor a step.
func (r *cronReader) readSingle(text string, which nthWeekday) bool {
	switch {
	case text == "*":
		r.out.any = true
		return true
	case text == "l" && r.field == dayField:
		r.out.last = true
		return true
	}
	v, ok := r.value(text)
	return ok && r.add(v, which)
}

// add notes a value if it is within bounds.
func (r *cronReader) add(v int, which nthWeekday) bool {
	v = r.alias(v)
	low, high := cronBounds(r.field)
	if v < low || v > high {
		return false
	}
	r.out.values = append(r.out.values, v)
	if r.field == weekdayField {
		r.plan.nth[v].mask |= which.mask
		r.plan.nth[v].last = r.plan.nth[v].last || which.last
	}
	return true
}

// expand lists the values of low-high/step.
func (r *cronReader) expand(lowText, highText, stepText string) ([]int, bool) {
	if r.field == dayField && highText == "l" {
		highText = "31"
	}
	low, okLow := r.value(lowText)
	high, okHigh := r.value(highText)
	step := 1
	if stepText != "" {
		step = atoiClamped(stepText)
	}
	low, high = r.alias(low), r.alias(high)
	smallest, largest := cronBounds(r.field)
	if !okLow || !okHigh || step == 0 || max(low, high) > largest {
		return nil, false
	}
	switch {
	case low == high: // the whole dial, from its beginning
		return steps(smallest, largest, step), true
	case low < high:
		return steps(low, high, step), true
	}
	values := steps(low, largest, step)
	tail := values[len(values)-1]
	skip := 0
	if left := largest - tail; tail-smallest+step > largest-smallest+1 && left < step {
		skip = step - left
	}
	return append(values, steps(smallest+skip, high, step)...), true
}

func steps(low, high, step int) []int {
	var values []int
	for v := low; v <= high; v += step {
		values = append(values, v)
	}
	return values
}

// value reads a number or a name.
func (r *cronReader) value(text string) (int, bool) {
	if cronDigits.MatchString(text) {
		return atoiClamped(text), true
	}
	var names string
	low, _ := cronBounds(r.field)
	switch r.field {
	case monthField:
		names = "jan feb mar apr may jun jul aug sep oct nov dec"
	case weekdayField:
		names = "sun mon tue wed thu fri sat"
	}
	i := slices.Index(strings.Fields(names), text)
	return low + i, i >= 0
}

// alias maps the values that have a second name: weekday 7 with five columns, and day 0 with six, month 0 with none
// of those lengths that are in use.
func (r *cronReader) alias(v int) int {
	switch {
	case r.field == weekdayField && r.columns == 5 && v == 7:
		return 0
	case r.field == dayField && r.columns == 6 && v == 0:
		return 1
	}
	return v
}

// atoiClamped reads digits; what does not fit is as good as any other number out of bounds.
func atoiClamped(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return math.MaxInt32
	}
	return min(n, math.MaxInt32)
}
