package jsonata

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// Pictures of $formatNumber follow fn:format-number of XPath 3.1, section 4.7.

// decimalFormat is the characters that have a meaning in a picture.
type decimalFormat struct {
	decimal, grouping, exponent, minus, percent, perMille, zero, digit, separator string
	infinity, nan                                                                 string
}

// decimalFormatOf reads the options of a call.
func decimalFormatOf(options any) *decimalFormat {
	f := &decimalFormat{
		decimal: ".", grouping: ",", exponent: "e", minus: "-", percent: "%", perMille: "‰",
		zero: "0", digit: "#", separator: ";", infinity: "Infinity", nan: "NaN",
	}
	o, ok := options.(*value.Object)
	if !ok {
		return f
	}
	for name, field := range map[string]*string{
		"decimal-separator": &f.decimal, "grouping-separator": &f.grouping, "exponent-separator": &f.exponent,
		"minus-sign": &f.minus, "percent": &f.percent, "per-mille": &f.perMille, "zero-digit": &f.zero,
		"digit": &f.digit, "pattern-separator": &f.separator, "infinity": &f.infinity, "NaN": &f.nan,
	} {
		if v, ok := o.Get(name); ok {
			if text, ok := v.(string); ok && text != "" {
				*field = text
			}
		}
	}
	return f
}

// isDigit reports whether a character is of the family of the zero digit.
func (f *decimalFormat) isDigit(r rune) bool {
	zero := []rune(f.zero)[0]
	return r >= zero && r < zero+10
}

func (f *decimalFormat) active(r rune) bool {
	c := string(r)
	return f.isDigit(r) || c == f.decimal || c == f.grouping || c == f.exponent || c == f.digit
}

// subPicture is one half of a picture, taken apart.
type subPicture struct {
	prefix, suffix               string
	integer, fraction, exponent  string
	hasExponent                  bool
	percent, perMille            bool
	groups, fractionGroups       []int // digits between a separator and the decimal point
	every                        int   // digits of a group when all are alike
	minInteger, scaling          int
	minFraction, maxFraction     int
	minExponent                  int
	active, mantissa, wholeGiven string
}

// split finds the parts of a sub-picture.
func (f *decimalFormat) split(text string) *subPicture {
	runes := []rune(text)
	first, last := -1, -1
	for i, r := range runes {
		if f.active(r) && string(r) != f.exponent {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	p := &subPicture{wholeGiven: text}
	if first < 0 {
		p.prefix = text
		return p
	}
	p.prefix, p.active, p.suffix = string(runes[:first]), string(runes[first:last+1]), string(runes[last+1:])
	p.mantissa, p.exponent, p.hasExponent = strings.Cut(p.active, f.exponent)
	p.integer, p.fraction, _ = strings.Cut(p.mantissa, f.decimal)
	p.percent = strings.Contains(text, f.percent)
	p.perMille = strings.Contains(text, f.perMille)
	return p
}

// fault is the code of what is wrong with a sub-picture, or empty.
func (f *decimalFormat) fault(p *subPicture) string {
	text := p.wholeGiven
	digits := strings.ContainsFunc(p.mantissa, func(r rune) bool { return f.isDigit(r) || string(r) == f.digit })
	passive := strings.ContainsFunc(p.active, func(r rune) bool { return !f.active(r) })
	integer, fraction := f.kinds(p.integer), f.kinds(p.fraction)
	switch {
	case p.active == "":
		return "D3086"
	case strings.Count(text, f.decimal) > 1:
		return "D3081"
	case strings.Count(text, f.percent) > 1:
		return "D3082"
	case strings.Count(text, f.perMille) > 1:
		return "D3083"
	case p.percent && p.perMille:
		return "D3084"
	case !digits:
		return "D3085"
	case passive:
		return "D3086"
	case strings.Contains(text, f.grouping+f.decimal), strings.Contains(text, f.decimal+f.grouping):
		return "D3087"
	case !strings.Contains(p.mantissa, f.decimal) && strings.HasSuffix(p.integer, f.grouping):
		return "D3088"
	case strings.Contains(text, f.grouping+f.grouping):
		return "D3089"
	case strings.Contains(integer, "0#"):
		return "D3090"
	case strings.Contains(fraction, "#0"):
		return "D3091"
	case p.hasExponent && (p.percent || p.perMille):
		return "D3092"
	case p.hasExponent && (p.exponent == "" || strings.ContainsFunc(p.exponent, func(r rune) bool { return !f.isDigit(r) })):
		return "D3093"
	}
	return ""
}

// kinds writes a part with 0 for digits and # for optional ones.
func (f *decimalFormat) kinds(part string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case f.isDigit(r):
			return '0'
		case string(r) == f.digit:
			return '#'
		}
		return -1
	}, part)
}

// measure counts what the format needs to know.
func (f *decimalFormat) measure(p *subPicture) {
	count := func(part string, kind string) int { return strings.Count(f.kinds(part), kind) }
	places := func(part string, fromRight bool) []int {
		var out []int
		pieces := strings.Split(part, f.grouping)
		for i := 1; i < len(pieces); i++ {
			if fromRight {
				out = append(out, len(f.kinds(strings.Join(pieces[i:], ""))))
			} else {
				out = append(out, len(f.kinds(strings.Join(pieces[:i], ""))))
			}
		}
		return out
	}
	p.groups = places(p.integer, true)
	p.fractionGroups = places(p.fraction, false)
	p.every = regularGroup(p.groups)
	p.minInteger = count(p.integer, "0")
	p.scaling = p.minInteger
	p.minFraction = count(p.fraction, "0")
	p.maxFraction = p.minFraction + count(p.fraction, "#")
	p.minExponent = count(p.exponent, "0")
	if p.minInteger == 0 && p.maxFraction == 0 {
		if p.hasExponent {
			p.minFraction, p.maxFraction = 1, 1
		} else {
			p.minInteger = 1
		}
	}
	if p.hasExponent && p.minInteger == 0 && strings.Contains(p.integer, f.digit) {
		p.minInteger = 1
	}
	if p.minInteger == 0 && p.minFraction == 0 {
		p.minFraction = 1
	}
}

// regularGroup is the size of groups whose separators stand at all multiples
// of it, or 0.
func regularGroup(places []int) int {
	size := 0
	for _, p := range places {
		a, b := size, p
		for b != 0 {
			a, b = b, a%b
		}
		size = a
	}
	for i := range places {
		if !slices.Contains(places, (i+1)*size) {
			return 0
		}
	}
	return size
}

func callFormatNumber(c *callContext, args []any) (any, error) {
	n, ok := toNumber(argument(args, 0))
	if !ok {
		return Undefined{}, nil
	}
	picture, _ := argument(args, 1).(string)
	f := decimalFormatOf(argument(args, 2))
	if err := c.grow(4 * (len(picture) + 400)); err != nil {
		return nil, err
	}
	halves := strings.Split(picture, f.separator)
	if len(halves) > 2 {
		return nil, fail("D3080")
	}
	pictures := make([]*subPicture, len(halves))
	for i, half := range halves {
		pictures[i] = f.split(half)
		if code := f.fault(pictures[i]); code != "" {
			return nil, fail(code)
		}
		f.measure(pictures[i])
	}
	p := pictures[0]
	prefix := p.prefix
	if n < 0 {
		if len(pictures) == 2 {
			p = pictures[1]
			prefix = p.prefix
		} else {
			prefix = f.minus + prefix
		}
	}
	switch {
	case math.IsNaN(n):
		return f.nan, nil
	case math.IsInf(n, 0):
		return prefix + f.infinity + p.suffix, nil
	}
	return prefix + f.format(p, math.Abs(n)) + p.suffix, nil
}

// format writes a number that is not negative.
func (f *decimalFormat) format(p *subPicture, n float64) string {
	switch {
	case p.percent:
		n *= 100
	case p.perMille:
		n *= 1000
	}
	exponent := 0
	if p.hasExponent && n != 0 {
		most, least := math.Pow(10, float64(p.scaling)), math.Pow(10, float64(p.scaling-1))
		for n < least {
			n *= 10
			exponent--
		}
		for n > most {
			n /= 10
			exponent++
		}
	}
	text := strconv.FormatFloat(roundTo(n, float64(p.maxFraction)), 'f', p.maxFraction, 64)
	integer, fraction, _ := strings.Cut(text, ".")
	integer = strings.TrimLeft(integer, "0")
	integer = strings.Repeat("0", max(0, p.minInteger-len(integer))) + integer
	fraction = strings.TrimRight(fraction, "0")
	fraction += strings.Repeat("0", max(0, p.minFraction-len(fraction)))
	out := f.group(p, integer)
	if fraction != "" {
		out += f.decimal + f.groupFraction(p, fraction)
	}
	if p.hasExponent {
		digits := strconv.Itoa(max(exponent, -exponent))
		digits = strings.Repeat("0", max(0, p.minExponent-len(digits))) + digits
		sign := ""
		if exponent < 0 {
			sign = f.minus
		}
		out += f.exponent + sign + f.digits(digits)
	}
	return out
}

// digits writes ASCII digits in the family of the zero digit.
func (f *decimalFormat) digits(s string) string {
	zero := []rune(f.zero)[0]
	return strings.Map(func(r rune) rune { return zero + r - '0' }, s)
}

func (f *decimalFormat) group(p *subPicture, integer string) string {
	var b strings.Builder
	for i := range integer {
		right := len(integer) - i
		if i > 0 && (p.every > 0 && right%p.every == 0 || p.every == 0 && slices.Contains(p.groups, right)) {
			b.WriteString(f.grouping)
		}
		b.WriteString(f.digits(integer[i : i+1]))
	}
	return b.String()
}

func (f *decimalFormat) groupFraction(p *subPicture, fraction string) string {
	var b strings.Builder
	for i := range fraction {
		if i > 0 && slices.Contains(p.fractionGroups, i) {
			b.WriteString(f.grouping)
		}
		b.WriteString(f.digits(fraction[i : i+1]))
	}
	return b.String()
}
