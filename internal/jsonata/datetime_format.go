package jsonata

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// maxMillis bounds dates, as in JavaScript: 100 million days around 1970.
const maxMillis = 8.64e15

func callNow(c *callContext, args []any) (any, error) {
	return c.formatTime(float64(c.env.Now.UnixMilli()), argument(args, 0), argument(args, 1))
}

func callMillis(c *callContext, _ []any) (any, error) {
	return float64(c.env.Now.UnixMilli()), nil
}

func callFromMillis(c *callContext, args []any) (any, error) {
	millis, ok := toNumber(argument(args, 0))
	if !ok {
		return Undefined{}, nil
	}
	return c.formatTime(millis, argument(args, 1), argument(args, 2))
}

// formatTime writes a time by a picture, by default as ISO 8601, in a zone
// given as ±HHMM.
func (c *callContext) formatTime(millis float64, picture, zone any) (any, error) {
	if math.IsNaN(millis) || math.Abs(millis) > maxMillis {
		return nil, failValue("D1001", millis)
	}
	text, ok := picture.(string)
	if !ok {
		text = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]"
	}
	if err := c.grow(8 * (len(text) + 16)); err != nil {
		return nil, err
	}
	parts, err := parseDatePicture(text)
	if err != nil {
		return nil, err
	}
	offset := 0
	if s, ok := zone.(string); ok {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err == nil && n > -10000 && n < 10000 {
			offset = n/100*60 + n%100
		}
	}
	t := time.UnixMilli(int64(millis)).In(time.FixedZone("", offset*60))
	var b strings.Builder
	for _, p := range parts {
		if p.component == 0 {
			b.WriteString(p.literal)
			continue
		}
		s, err := p.format(t, offset)
		if err != nil {
			return nil, err
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

func (p *datePart) format(t time.Time, offset int) (string, error) {
	switch p.component {
	case 'Z', 'z':
		return p.formatZone(offset)
	case 'P':
		name := "am"
		if t.Hour() >= 12 {
			name = "pm"
		}
		if p.names == "N" {
			name = strings.ToUpper(name)
		}
		return name, nil
	case 'C', 'E':
		return "ISO", nil
	}
	n := dateNumber(t, p.component)
	if p.names != "" {
		names := monthNames()
		if p.component == 'F' {
			names = dayNames()
		}
		return p.name(names[n-1]), nil
	}
	if p.digits > 0 && p.digits < 16 {
		n %= int(math.Pow10(p.digits))
	}
	return p.picture.format(float64(n))
}

// dateNumber is the value of a component. Weeks start on Monday and belong to
// the year and month of their Thursday.
func dateNumber(t time.Time, component byte) int {
	weekday := (int(t.Weekday())+6)%7 + 1
	thursday := t.AddDate(0, 0, 4-weekday)
	switch component {
	case 'Y':
		return t.Year()
	case 'M':
		return int(t.Month())
	case 'D':
		return t.Day()
	case 'd':
		return t.YearDay()
	case 'F':
		return weekday
	case 'W':
		return (thursday.YearDay()-1)/7 + 1
	case 'w':
		return (thursday.Day()-1)/7 + 1
	case 'X':
		return thursday.Year()
	case 'x':
		return int(thursday.Month())
	case 'H':
		return t.Hour()
	case 'h':
		return (t.Hour()+11)%12 + 1
	case 'm':
		return t.Minute()
	case 's':
		return t.Second()
	}
	return t.Nanosecond() / 1e6
}

func (p *datePart) name(name string) string {
	switch p.names {
	case "N":
		name = strings.ToUpper(name)
	case "n":
		name = strings.ToLower(name)
	}
	if p.max > 0 && p.max < len(name) {
		name = name[:p.max]
	}
	return name
}

// formatZone writes an offset in minutes.
func (p *datePart) formatZone(offset int) (string, error) {
	if offset == 0 && p.military {
		return "Z", nil
	}
	sign, hours, minutes := "+", offset/60, offset%60
	if offset < 0 {
		sign, hours, minutes = "-", -hours, -minutes
	}
	if p.component == 'z' {
		sign = "GMT" + sign
	}
	var out string
	var err error
	switch digits := p.picture.mandatory; {
	case p.picture.every > 0 || digits == 3 || digits == 4:
		out, err = p.picture.format(float64(100*hours + minutes))
	case digits > 4:
		return "", fail("D3134")
	default:
		out, err = p.picture.format(float64(hours))
		if minutes != 0 {
			out += ":" + strconv.Itoa(100 + minutes)[1:]
		}
	}
	return sign + out, err
}
