package jinja

import (
	"math"
	"math/big"
	"sort"
	"strconv"
	"strings"
)

// humanFilter finds the filters that write numbers and times for people, those
// of the package humanize in English.
func humanFilter(name string) *builtin {
	short, ok := strings.CutPrefix(name, "humanize_")
	if !ok {
		return nil
	}
	value, unit := req("value"), opt("minimum_unit", "seconds")
	switch short {
	case "naturalsize":
		return function(name, naturalSize, value, opt("binary", false), opt("gnu", false), opt("format", "%.1f"))
	case "intcomma":
		return function(name, func(st *state, a []any) (any, error) { return st.intComma(a[0], a[1]) }, value, opt("ndigits", nil))
	case "intword":
		return function(name, intWord, value, opt("format", "%.1f"))
	case "ordinal":
		return function(name, ordinal, value, opt("gender", "male"))
	case "apnumber":
		return function(name, apNumber, value)
	case "fractional":
		return function(name, fractional, value)
	case "scientific":
		return function(name, func(st *state, a []any) (any, error) { return st.scientific(a[0], a[1]) }, value, opt("precision", int64(2)))
	case "clamp":
		return function(name, clamp, value, opt("floor", nil), opt("ceil", nil), opt("format", "{:}"), opt("floor_token", "<"), opt("ceil_token", ">"))
	case "metric":
		return function(name, metric, value, opt("unit", ""), opt("precision", int64(3)))
	case "abs_timedelta":
		return function(name, func(st *state, a []any) (any, error) { return absFilter(st, a, nil) }, req("delta"))
	case "date_and_delta":
		return function(name, dateAndDelta, value)
	case "naturaldate":
		return function(name, func(st *state, a []any) (any, error) { return st.naturalDate(a[0]) }, value)
	case "naturalday":
		return function(name, func(st *state, a []any) (any, error) { return st.naturalDay(a[0], "%b %d") }, value)
	case "naturaldelta":
		return function(name, func(st *state, a []any) (any, error) { return st.naturalDelta(a[0], truth(a[1]), a[2]) },
			value, opt("months", true), unit)
	case "naturaltime":
		return function(name, naturalTime, value, opt("future", false), opt("months", true), unit, opt("when", nil))
	case "precisedelta":
		return function(name, preciseDelta, value, unit, opt("suppress", newTuple()), opt("format", "%0.2f"))
	case "activate":
		return function(name, func(_ *state, a []any) (any, error) {
			return nil, &pyError{"FileNotFoundError", "[Errno 2] No translation file found for domain: 'humanize'"}
		}, req("locale"), opt("path", nil))
	case "deactivate":
		return function(name, func(*state, []any) (any, error) { return nil, nil }, value)
	case "thousands_separator":
		return function(name, func(*state, []any) (any, error) { return ",", nil }, value)
	case "decimal_separator":
		return function(name, func(*state, []any) (any, error) { return ".", nil }, value)
	}
	return nil
}

// asFloat is float(v) of the filters: class is "" if it worked; what fails with
// a TypeError or ValueError is shown as it is.
func (st *state) asFloat(v any) (f float64, shown bool, err error) {
	f, err = toFloat(v)
	if e, ok := err.(*pyError); ok && (e.class == "TypeError" || e.class == "ValueError") { //nolint:errorlint // never wrapped inside the package
		return 0, true, nil
	}
	return f, false, err
}

func notFinite(f float64) (string, bool) {
	switch {
	case math.IsNaN(f):
		return "NaN", true
	case math.IsInf(f, -1):
		return "-Inf", true
	case math.IsInf(f, 1):
		return "+Inf", true
	}
	return "", false
}

// whole reads a value as humanize does: an integer, or the text to show instead.
func (st *state) whole(v any) (n *big.Int, text string, err error) {
	f, shown, err := st.asFloat(v)
	if err != nil {
		return nil, "", err
	}
	if !shown {
		if s, odd := notFinite(f); odd {
			return nil, s, nil
		}
		if s, isText := textOf(v); isText {
			n = parseInt(s, 10)
			if n == nil {
				return nil, s, nil
			}
			return n, "", nil
		}
		if isInt(v) {
			return bigOf(v), "", nil
		}
		n, err = floatToInt(f)
		return n, "", err
	}
	text, err = st.str(v)
	return nil, text, err
}

func ordinal(st *state, a []any) (any, error) {
	n, text, err := st.whole(a[0])
	if n == nil || err != nil {
		return text, err
	}
	_, mod100 := floorDivide(n, big.NewInt(100))
	_, mod10 := floorDivide(n, big.NewInt(10))
	suffix := []string{"th", "st", "nd", "rd", "th", "th", "th", "th", "th", "th"}[mod10.Int64()]
	if m := mod100.Int64(); m >= 11 && m <= 13 {
		suffix = "th"
	}
	return n.String() + suffix, nil
}

func apNumber(st *state, a []any) (any, error) {
	n, text, err := st.whole(a[0])
	if n == nil || err != nil {
		return text, err
	}
	if n.IsInt64() && n.Int64() >= 0 && n.Int64() < 10 {
		return []string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}[n.Int64()], nil
	}
	return bigText(n)
}

func (st *state) intComma(v, places any) (any, error) {
	var num any
	switch v := v.(type) {
	case string, markup:
		s, _ := textOf(v)
		s = strings.ReplaceAll(s, ",", "")
		f, ok := parseFloat(s)
		if !ok {
			return s, nil
		}
		if text, odd := notFinite(f); odd {
			return text, nil
		}
		num = f
		if !strings.Contains(s, ".") {
			n := parseInt(s, 10)
			if n == nil {
				return s, nil
			}
			num = normal(n)
		}
	case bool, int64, *big.Int:
		num = v
	default:
		f, shown, err := st.asFloat(v)
		if err != nil {
			return nil, err
		}
		if shown {
			return st.str(v)
		}
		if text, odd := notFinite(f); odd {
			return text, nil
		}
		num = f
	}
	if places != nil {
		p, err := st.str(places)
		if err != nil {
			return nil, err
		}
		return st.formatValue(num, ",."+p+"f")
	}
	return st.formatValue(num, ",")
}

func intWord(st *state, a []any) (any, error) {
	n, text, err := st.whole(a[0])
	if n == nil || err != nil {
		return text, err
	}
	words := []string{
		"thousand", "million", "billion", "trillion", "quadrillion", "quintillion", "sextillion",
		"septillion", "octillion", "nonillion", "decillion", "googol",
	}
	exps := []int64{3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 100}
	powers := make([]*big.Int, len(exps))
	for i, e := range exps {
		powers[i] = new(big.Int).Exp(big.NewInt(10), big.NewInt(e), nil)
	}
	sign := ""
	if n.Sign() < 0 {
		sign, n = "-", new(big.Int).Neg(n)
	}
	if n.Cmp(powers[0]) < 0 {
		return sign + n.String(), nil
	}
	i := sort.Search(len(powers), func(i int) bool { return powers[i].Cmp(n) > 0 }) - 1
	chopped, err := intDivide(n, powers[i])
	if err != nil {
		return nil, err
	}
	format, err := st.str(a[1])
	if err != nil {
		return nil, err
	}
	rounded, err := st.rounded(format, chopped)
	if err != nil {
		return nil, err
	}
	if i+1 < len(powers) {
		if next, _ := floorDivide(powers[i+1], powers[i]); next.IsInt64() && rounded == float64(next.Int64()) {
			i++
			rounded = 1
		}
	}
	number, err := st.percent(format, format, rounded)
	if err != nil {
		return nil, err
	}
	out, err := st.str(number)
	return sign + out + " " + words[i], err
}

// rounded is float(format % value).
func (st *state) rounded(format string, v any) (float64, error) {
	text, err := st.percent(format, format, v)
	if err != nil {
		return 0, err
	}
	return toFloat(text)
}

func fractional(st *state, a []any) (any, error) {
	f, shown, err := st.asFloat(a[0])
	switch {
	case err != nil:
		return nil, err
	case shown:
		return st.str(a[0])
	}
	if text, odd := notFinite(f); odd {
		return text, nil
	}
	whole := math.Trunc(f)
	frac := limitDenominator(new(big.Rat).SetFloat64(f-whole), 1000)
	n, d := frac.Num(), frac.Denom()
	num, _ := new(big.Float).SetInt(n).Float64()
	switch {
	case d.IsInt64() && d.Int64() == 1:
		return strconv.FormatFloat(whole+num, 'f', 0, 64), nil
	case whole == 0:
		return n.String() + "/" + d.String(), nil
	}
	return strconv.FormatFloat(whole, 'f', 0, 64) + " " + new(big.Int).Abs(n).String() + "/" + d.String(), nil
}

// limitDenominator is the fraction closest to r whose denominator is at most limit.
func limitDenominator(r *big.Rat, limit int64) *big.Rat {
	most := big.NewInt(limit)
	if r.Denom().Cmp(most) <= 0 {
		return r
	}
	p0, q0, p1, q1 := big.NewInt(0), big.NewInt(1), big.NewInt(1), big.NewInt(0)
	n, d := new(big.Int).Set(r.Num()), new(big.Int).Set(r.Denom())
	for {
		a, rest := floorDivide(n, d)
		q2 := new(big.Int).Add(q0, new(big.Int).Mul(a, q1))
		if q2.Cmp(most) > 0 {
			break
		}
		p0, q0, p1, q1 = p1, q1, new(big.Int).Add(p0, new(big.Int).Mul(a, p1)), q2
		n, d = d, rest
	}
	k, _ := floorDivide(new(big.Int).Sub(most, q0), q1)
	one := new(big.Rat).SetFrac(new(big.Int).Add(p0, new(big.Int).Mul(k, p1)), new(big.Int).Add(q0, new(big.Int).Mul(k, q1)))
	two := new(big.Rat).SetFrac(p1, q1)
	far := func(x *big.Rat) *big.Rat { return new(big.Rat).Abs(new(big.Rat).Sub(x, r)) }
	if far(two).Cmp(far(one)) <= 0 {
		return two
	}
	return one
}

// superscript raises a number.
func superscript(n int) string {
	return strings.Map(func(r rune) rune {
		if r == '-' {
			return '⁻'
		}
		return []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")[r-'0']
	}, strconv.Itoa(n))
}

func (st *state) scientific(v, precision any) (any, error) {
	f, shown, err := st.asFloat(v)
	switch {
	case err != nil:
		return nil, err
	case shown:
		return st.str(v)
	}
	if text, odd := notFinite(f); odd {
		return text, nil
	}
	p, ok := intOf(precision)
	if !ok || p < 0 {
		return nil, valueError("Format specifier missing precision")
	}
	if p > maxWidth {
		return nil, errTooLarge
	}
	mantissa, exp, _ := strings.Cut(strconv.FormatFloat(f, 'e', int(p), 64), "e")
	n, err := strconv.Atoi(exp)
	return mantissa + " x 10" + superscript(n), err
}

func clamp(st *state, a []any) (any, error) {
	if a[0] == nil {
		return nil, nil
	}
	f, ok := floatOf(a[0])
	if !ok {
		return nil, typeError("must be real number, not " + typeName(a[0]))
	}
	if text, odd := notFinite(f); odd {
		return text, nil
	}
	v, token := a[0], ""
	for i, op := range []string{"<", ">"} {
		if a[1+i] == nil || token != "" {
			continue
		}
		beyond, err := st.less(op, v, a[1+i])
		if err != nil {
			return nil, err
		}
		if beyond {
			v = a[1+i]
			if token, err = st.str(a[4+i]); err != nil {
				return nil, err
			}
			break
		}
	}
	format, ok := textOf(a[3])
	if !ok {
		return nil, valueError("Invalid format. Must be either a valid formatting string, or a function that accepts value and returns a string.")
	}
	s, err := st.strFormat(format, []any{v}, newDict(), false)
	return token + s, err
}

func metric(st *state, a []any) (any, error) {
	if u, ok := a[0].(*undefined); ok {
		return nil, u.fail()
	}
	f, ok := floatOf(a[0])
	if !ok {
		return nil, typeError("must be real number, not " + typeName(a[0]))
	}
	if text, odd := notFinite(f); odd {
		return text, nil
	}
	unit, err := needText(a[1], "can only concatenate str to ")
	if err != nil {
		return nil, err
	}
	p, _ := intOf(a[2])
	if p > maxWidth || p < -maxWidth {
		return nil, errTooLarge
	}
	exp := int64(0)
	if f != 0 {
		exp = int64(math.Floor(math.Log10(math.Abs(f))))
	}
	if exp >= 33 || exp < -30 {
		s, err := st.scientific(f, p-1)
		if err != nil {
			return nil, err
		}
		text, _ := s.(string)
		return text + unit, nil
	}
	bucket := floorDiv(exp, 3) * 3
	f /= math.Pow(10, float64(bucket))
	places := max(0, p-(exp-bucket)-1)
	limit := math.Pow(10, float64(exp-bucket+1))
	r, err := pyRound(math.Abs(f), places)
	if err != nil {
		return nil, err
	}
	if rf, _ := floatOf(r); exp < 30 && rf >= limit {
		exp++
		next := floorDiv(exp, 3) * 3
		f /= math.Pow(10, float64(next-bucket))
		bucket = next
		places = max(0, p-(exp-bucket)-1)
	}
	prefix := ""
	if exp >= 3 {
		prefix = string("kMGTPEZYRQ"[exp/3-1])
	} else if exp < 0 {
		prefix = string([]rune("mμnpfazyrq")[(-exp-1)/3])
	}
	space := " "
	if unit+prefix == "" || unit == "°" || unit == "′" || unit == "″" {
		space = ""
	}
	return strconv.FormatFloat(f, 'f', int(places), 64) + space + prefix + unit, nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func naturalSize(st *state, a []any) (any, error) {
	f, err := toFloat(a[0])
	if err != nil {
		return nil, err
	}
	format, err := st.str(a[3])
	if err != nil {
		return nil, err
	}
	gnu := truth(a[2])
	base, units, space := 1000.0, []string{"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB", "RB", "QB"}, " "
	switch {
	case gnu:
		base, units, space = 1024, strings.Split("KMGTPEZYRQ", ""), ""
	case truth(a[1]):
		base, units = 1024, []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB", "RiB", "QiB"}
	}
	abs := math.Abs(f)
	if abs < base {
		n, err := floatToInt(f)
		switch {
		case err != nil:
			return nil, err
		case gnu:
			return n.String() + "B", nil
		case abs == 1:
			return n.String() + " Byte", nil
		}
		return n.String() + " Bytes", nil
	}
	if math.IsNaN(abs) {
		return nil, valueError("cannot convert float NaN to integer")
	}
	exp := int(math.Min(math.Log(abs)/math.Log(base), float64(len(units))))
	r, err := st.rounded(format, abs/math.Pow(base, float64(exp)))
	if err != nil {
		return nil, err
	}
	if exp < len(units) && r >= base {
		exp++
	}
	number, err := st.percent(format, format, f/math.Pow(base, float64(exp)))
	if err != nil {
		return nil, err
	}
	text, err := st.str(number)
	return text + space + units[exp-1], err
}
