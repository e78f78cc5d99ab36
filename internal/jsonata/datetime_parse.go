package jsonata

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var isoTime = regexp.MustCompile(
	`^(\d{4})(?:-([01]\d))?(?:-([0-3]\d))?(?:T([0-2]\d):([0-5]\d):([0-5]\d))?(?:\.(\d+))?(?:([+-])([0-2]\d):?([0-5]\d)|Z)?$`)

func callToMillis(c *callContext, args []any) (any, error) {
	text, ok := argument(args, 0).(string)
	if !ok {
		return Undefined{}, nil
	}
	if picture, ok := argument(args, 1).(string); ok {
		return c.parseTime(text, picture)
	}
	m := isoTime.FindStringSubmatch(text)
	if m == nil {
		return nil, failValue("D3110", text)
	}
	number := func(i, missing int) int {
		n, err := strconv.Atoi(m[i])
		if err != nil {
			return missing
		}
		return n
	}
	month, hour := number(2, 1), number(4, 0)
	if month < 1 || month > 12 || hour > 24 || number(3, 1) < 1 || number(3, 1) > 31 {
		return nil, failValue("D3110", text)
	}
	t := time.Date(number(1, 0), time.Month(month), number(3, 1), hour, number(5, 0), number(6, 0), 0, time.UTC)
	millis := t.UnixMilli() + int64(millisOf(m[7]))
	offset := int64(number(9, 0)*60+number(10, 0)) * 60_000
	if m[8] == "-" {
		offset = -offset
	}
	return float64(millis - offset), nil
}

// millisOf reads the digits after the decimal point of a second.
func millisOf(digits string) int {
	n, _ := strconv.Atoi((digits + "000")[:3])
	return n
}

// parseTime reads a time as a picture has it written. What does not fit the
// picture is undefined.
func (c *callContext) parseTime(text, picture string) (any, error) {
	if err := c.spend(len(text) + 8*len(picture)); err != nil {
		return nil, err
	}
	parts, err := parseDatePicture(picture)
	if err != nil {
		return nil, err
	}
	var pattern strings.Builder
	pattern.WriteString("(?i)^")
	for _, p := range parts {
		expr, err := p.pattern()
		if err != nil {
			return nil, err
		}
		pattern.WriteString(expr)
	}
	pattern.WriteString("$")
	re, err := regexp.Compile(pattern.String())
	if err != nil {
		return nil, fail("D3136")
	}
	m := re.FindStringSubmatch(text)
	if m == nil {
		return Undefined{}, nil
	}
	found := map[byte]int{}
	group := 1
	for _, p := range parts {
		if p.component == 0 {
			continue
		}
		n, ok, err := p.read(m[group])
		if err != nil {
			return nil, err
		}
		if !ok {
			return Undefined{}, nil
		}
		found[p.component] = n
		group++
	}
	if len(found) == 0 {
		return Undefined{}, nil
	}
	return compose(found, c.env.Now.UTC())
}

// pattern is the regular expression of a part, with one group for a component.
func (p *datePart) pattern() (string, error) {
	switch {
	case p.component == 0:
		return regexp.QuoteMeta(p.literal), nil
	case p.names != "":
		return `([a-z]+)`, nil
	case p.component == 'Z' || p.component == 'z':
		prefix := ""
		if p.component == 'z' {
			prefix = "GMT"
		}
		if p.military {
			return prefix + `([-+][0-9]+(?::?[0-9]+)?|Z)`, nil
		}
		return prefix + `([-+][0-9]+(?::?[0-9]+)?)`, nil
	}
	switch p.picture.style {
	case styleLetters:
		return `([a-z]+)`, nil
	case styleRoman:
		return `([mdclxvi]*)`, nil
	case styleWords:
		return `((?:` + strings.Join(numberWords(), "|") + `|and|[-, ])+)`, nil
	case styleUnknown:
		return "", failValue("D3130", p.picture.text)
	default: // digits, which follow
	}
	var digit strings.Builder
	digit.WriteString("[" + string(p.picture.zero) + "-" + string(p.picture.zero+9))
	for _, r := range p.picture.marks {
		digit.WriteString(regexp.QuoteMeta(string(r)))
	}
	count := "+"
	if p.width > 0 {
		count = "{" + strconv.Itoa(min(p.width, 100)) + "}"
	}
	if p.picture.ordinal {
		return "(" + digit.String() + "]" + count + "(?:th|st|nd|rd))", nil
	}
	return "(" + digit.String() + "]" + count + ")", nil
}

// numberWords are all words that numbers are written with.
func numberWords() []string {
	words := append(append(smallNumbers(), tens()...), powers()...)
	words = append(words, "hundred")
	out := make([]string, 0, 2*len(words))
	// Longer ones first, so that "seven" does not hide "seventh".
	for _, w := range words {
		out = append(out, ordinalOf(w))
	}
	for _, word := range slices.Backward(words) {
		out = append(out, word)
	}
	return out
}

// read is the number that a component's text stands for.
func (p *datePart) read(text string) (int, bool, error) {
	lower := strings.ToLower(text)
	switch {
	case p.component == 'P':
		if lower == "pm" {
			return 1, true, nil
		}
		return 0, lower == "am", nil
	case p.component == 'Z' || p.component == 'z':
		return readZone(lower), true, nil
	case p.component == 'C' || p.component == 'E':
		return 0, true, nil
	case p.names != "":
		names := monthNames()
		if p.component == 'F' {
			names = dayNames()
		}
		for i, name := range names {
			if p.max > 0 && p.max < len(name) {
				name = name[:p.max]
			}
			if strings.EqualFold(name, text) {
				return i + 1, true, nil
			}
		}
		return 0, false, nil
	case p.component == 'f' && p.picture.style == styleDecimal:
		return millisOf(strings.Map(func(r rune) rune { return '0' + r - p.picture.zero }, text)), true, nil
	}
	n, err := p.picture.parse(text)
	if err != nil || math.IsNaN(n) || n > 1e6 {
		return 0, false, err
	}
	return int(n), true, nil
}

// readZone reads an offset in minutes: +5, +05:30 or +0530.
func readZone(text string) int {
	if text == "z" {
		return 0
	}
	hours, minutes, colon := strings.Cut(text[1:], ":")
	if !colon && len(hours) > 2 {
		hours, minutes = hours[:len(hours)-2], hours[len(hours)-2:]
	}
	h, _ := strconv.Atoi(hours)
	m, _ := strconv.Atoi(minutes)
	offset := min(h, 100)*60 + min(m, 60)
	if text[0] == '-' {
		return -offset
	}
	return offset
}

// compose makes a time of components. Those before the first that is given
// are of now, those after the last are as small as can be; none may be missing
// in between.
func compose(found map[byte]int, now time.Time) (any, error) {
	_, weekYear := found['X']
	_, year := found['Y']
	_, dayOfYear := found['d']
	_, month := found['M']
	_, day := found['D']
	date := "YMD"
	switch {
	case month || day:
	case dayOfYear:
		date = "Yd"
	case weekYear && !year: // weeks are written, but not read
		return nil, fail("D3136")
	}
	clock := "Hmsf"
	_, half := found['P']
	_, hour12 := found['h']
	if half || hour12 {
		clock = "Phmsf"
	}
	started, ended := false, false
	for i := range len(date + clock) {
		c := (date + clock)[i]
		if _, ok := found[c]; ok {
			if ended {
				return nil, fail("D3136")
			}
			started = true
			continue
		}
		switch {
		case !started && c == 'P':
		case !started:
			found[c] = dateNumber(now, c)
		case c == 'M' || c == 'D' || c == 'd':
			found[c], ended = 1, true
		default:
			found[c], ended = 0, true
		}
	}
	hour := found['H']
	if clock != "Hmsf" {
		if hour = found['h'] % 12; found['P'] == 1 {
			hour += 12
		}
	}
	if y := found['Y']; y < 100 {
		found['Y'] = 1900 + y // as JavaScript's Date has it
	}
	if date == "Yd" {
		found['M'], found['D'] = 1, found['d']
	}
	t := time.Date(found['Y'], time.Month(found['M']), found['D'], hour, found['m'], found['s'], 0, time.UTC)
	offset := found['Z'] + found['z']
	return float64(t.UnixMilli() + int64(found['f']) - int64(offset)*60_000), nil
}
