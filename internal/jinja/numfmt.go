package jinja

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// maxWidth bounds widths and precisions, so that no format makes a huge text.
const maxWidth = 10_000

// spec is a format specification of Python: of format() and of %.
type spec struct {
	fill      rune
	align     byte // '<', '>', '^', '=', or 0
	sign      byte // '+', '-', ' ', or 0
	alternate bool
	zero      bool
	width     int
	group     byte // ',' or '_', or 0
	precision int  // -1 when none is given
	verb      byte // 0 when none is given
}

// parseSpec reads what follows the colon of a format field.
func parseSpec(s, typ string) (spec, error) {
	f := spec{fill: ' ', precision: -1}
	r, n := utf8.DecodeRuneInString(s)
	switch {
	case len(s) > n && strings.IndexByte("<>=^", s[n]) >= 0:
		f.fill, f.align = r, s[n]
		s = s[n+1:]
	case s != "" && strings.IndexByte("<>=^", s[0]) >= 0:
		f.align, s = s[0], s[1:]
	}
	if s != "" && strings.IndexByte("+- ", s[0]) >= 0 {
		f.sign, s = s[0], s[1:]
	}
	if s != "" && s[0] == 'z' {
		s = s[1:]
	}
	if s != "" && s[0] == '#' {
		f.alternate, s = true, s[1:]
	}
	if s != "" && s[0] == '0' {
		f.zero, s = true, s[1:]
		if f.align == 0 {
			f.fill, f.align = '0', '='
			if typ == "str" {
				f.align = '<'
			}
		}
	}
	var err error
	if f.width, s, err = digits(s, 0); err != nil {
		return f, err
	}
	if s != "" && (s[0] == ',' || s[0] == '_') {
		f.group, s = s[0], s[1:]
	}
	if s != "" && s[0] == '.' {
		rest := s[1:]
		if f.precision, s, err = digits(rest, -1); err != nil {
			return f, err
		}
		if f.precision < 0 {
			return f, valueError("Format specifier missing precision")
		}
	}
	switch {
	case len(s) > 1:
		return f, valueError("Invalid format specifier '" + s + "' for object of type '" + typ + "'")
	case len(s) == 1:
		f.verb = s[0]
	}
	return f, nil
}

func digits(s string, fallback int) (n int, rest string, err error) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i == 0 {
		return fallback, s, nil
	}
	n, err = strconv.Atoi(s[:i])
	if err != nil || n > maxWidth {
		return 0, "", errTooLarge
	}
	return n, s[i:], nil
}

// pad fills a number or text, given as its sign (or prefix) and the rest.
func (f spec) pad(sign, body string, byDefault byte) string {
	align := f.align
	if align == 0 {
		align = byDefault
	}
	n := f.width - utf8.RuneCountInString(sign) - utf8.RuneCountInString(body)
	if n <= 0 {
		return sign + body
	}
	fill := func(k int) string { return strings.Repeat(string(f.fill), k) }
	switch align {
	case '<':
		return sign + body + fill(n)
	case '^':
		return fill(n/2) + sign + body + fill(n-n/2)
	case '=':
		return sign + fill(n) + body
	}
	return fill(n) + sign + body
}

func (f spec) signOf(negative bool) string {
	switch {
	case negative:
		return "-"
	case f.sign == '+' || f.sign == ' ':
		return string(f.sign)
	}
	return ""
}

// grouped puts a separator between groups of digits, filling with zeros to the
// width when that is asked for.
func (f spec) grouped(sign, body string, size int) string {
	if f.group == 0 {
		return body
	}
	whole, frac, hasFrac := strings.Cut(body, ".")
	tail := ""
	if hasFrac {
		tail = "." + frac
	} else if i := strings.IndexAny(whole, "e%"); i >= 0 && size == 3 {
		whole, tail = whole[:i], whole[i:]
	}
	group := func(d string) string {
		var b strings.Builder
		for i, c := range d {
			if i > 0 && (len(d)-i)%size == 0 {
				b.WriteByte(f.group)
			}
			b.WriteRune(c)
		}
		return b.String()
	}
	out := group(whole)
	if f.fill == '0' && f.align == '=' {
		for len(sign)+len(out)+len(tail) < f.width {
			whole = "0" + whole
			out = group(whole)
		}
	}
	return out + tail
}

// formatValue is Python's format(v, spec).
func (st *state) formatValue(v any, text string) (string, error) {
	if text == "" {
		return st.str(v)
	}
	switch v := v.(type) {
	case string, markup:
		s, _ := textOf(v)
		f, err := parseSpec(text, "str")
		if err != nil {
			return "", err
		}
		return f.text(s)
	case bool, int64, *big.Int:
		f, err := parseSpec(text, typeName(v))
		if err != nil {
			return "", err
		}
		return f.integer(bigOf(v), typeName(v))
	case float64:
		f, err := parseSpec(text, "float")
		if err != nil {
			return "", err
		}
		return f.float(v)
	case datetime:
		return v.strftime(text)
	case date:
		return datetime{t: v.t, naive: true}.strftime(text)
	}
	return "", typeError("unsupported format string passed to " + typeName(v) + ".__format__")
}

func (f spec) text(s string) (string, error) {
	if f.verb != 0 && f.verb != 's' {
		return "", valueError("Unknown format code '" + string(f.verb) + "' for object of type 'str'")
	}
	switch {
	case f.sign != 0:
		return "", valueError("Sign not allowed in string format specifier")
	case f.alternate:
		return "", valueError("Alternate form (#) not allowed in string format specifier")
	case f.align == '=':
		return "", valueError("'=' alignment not allowed in string format specifier")
	case f.group != 0:
		return "", valueError("Cannot specify '" + string(f.group) + "' with 's'.")
	}
	if f.precision >= 0 {
		if r := []rune(s); len(r) > f.precision {
			s = string(r[:f.precision])
		}
	}
	return f.pad("", s, '<'), nil
}

func (f spec) integer(n *big.Int, typ string) (string, error) {
	switch f.verb {
	case 0, 'd', 'n', 'b', 'o', 'x', 'X', 'c':
	case 'e', 'E', 'f', 'F', 'g', 'G', '%':
		x, ok := floatOf(normal(n))
		if !ok {
			return "", errIntFloat
		}
		return f.float(x)
	default:
		return "", valueError("Unknown format code '" + string(f.verb) + "' for object of type '" + typ + "'")
	}
	if f.precision >= 0 {
		return "", valueError("Precision not allowed in integer format specifier")
	}
	sign := f.signOf(n.Sign() < 0)
	abs := new(big.Int).Abs(n)
	size := 3
	body := ""
	switch f.verb {
	case 'b', 'o', 'x', 'X':
		size = 4
		base := map[byte]int{'b': 2, 'o': 8, 'x': 16, 'X': 16}[f.verb]
		body = abs.Text(base)
		if f.verb == 'X' {
			body = strings.ToUpper(body)
		}
		if f.alternate {
			sign += "0" + string(f.verb)
		}
	case 'c':
		if !abs.IsInt64() || abs.Int64() > utf8.MaxRune || n.Sign() < 0 {
			return "", &pyError{"OverflowError", "%c arg not in range(0x110000)"}
		}
		return f.pad("", string(rune(abs.Int64())), '<'), nil //nolint:gosec // at most MaxRune
	default:
		var err error
		if body, err = bigText(abs); err != nil {
			return "", err
		}
	}
	return f.pad(sign, f.grouped(sign, body, size), '>'), nil
}

func (f spec) float(x float64) (string, error) {
	verb := f.verb
	if verb != 0 && strings.IndexByte("eEfFgGn%", verb) < 0 {
		return "", valueError("Unknown format code '" + string(verb) + "' for object of type 'float'")
	}
	sign := f.signOf(math.Signbit(x) && !math.IsNaN(x))
	body := f.digits(math.Abs(x), verb)
	return f.pad(sign, f.grouped(sign, body, 3), '>'), nil
}

// digits writes a float that is not negative.
func (f spec) digits(x float64, verb byte) string {
	if verb == '%' {
		x *= 100
	}
	if math.IsInf(x, 0) || math.IsNaN(x) {
		s := "inf"
		if math.IsNaN(x) {
			s = "nan"
		}
		if verb == 'E' || verb == 'F' || verb == 'G' {
			s = strings.ToUpper(s)
		}
		if verb == '%' {
			s += "%"
		}
		return s
	}
	p := f.precision
	if p < 0 && verb != 0 {
		p = 6
	}
	switch verb {
	case 'e', 'E':
		return strconv.FormatFloat(x, verb, p, 64)
	case 'f', 'F':
		return f.point(strconv.FormatFloat(x, 'f', p, 64))
	case '%':
		return strconv.FormatFloat(x, 'f', p, 64) + "%"
	case 0:
		if p < 0 {
			return pyrepr.Float(x)
		}
		s := general(x, p, false, true)
		return s
	case 'G':
		return strings.ToUpper(general(x, p, f.alternate, false))
	}
	return general(x, p, f.alternate, false)
}

func (f spec) point(s string) string {
	if f.alternate && !strings.Contains(s, ".") {
		return s + "."
	}
	return s
}

// general is the format g: p significant digits, an exponent for small and large
// numbers. As repr it keeps a digit after the point.
func general(x float64, p int, keepZeros, asRepr bool) string {
	if p == 0 {
		p = 1
	}
	e := strconv.FormatFloat(x, 'e', p-1, 64)
	mantissa, expText, _ := strings.Cut(e, "e")
	exp, _ := strconv.Atoi(expText)
	limit := p
	if asRepr {
		limit--
	}
	if exp < -4 || exp >= limit {
		if !keepZeros && strings.Contains(mantissa, ".") {
			mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
		}
		return mantissa + "e" + expText
	}
	s := strconv.FormatFloat(x, 'f', max(p-1-exp, 0), 64)
	if !keepZeros && strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if asRepr && !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
