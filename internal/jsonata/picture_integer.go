package jsonata

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// integerStyle is how a picture has an integer written.
type integerStyle uint8

const (
	styleDecimal integerStyle = iota
	styleLetters
	styleRoman
	styleWords
	styleUnknown // an enumeration that is not supported
)

type letterCase uint8

const (
	lowerCase letterCase = iota
	upperCase
	titleCase
)

// integerPicture is a picture of $formatInteger, after fn:format-integer of
// XPath 3.1.
type integerPicture struct {
	style     integerStyle
	letters   letterCase
	ordinal   bool
	text      string // the picture without its modifier
	zero      rune
	mandatory int
	optional  int
	places    []int // digits right of each separator
	marks     []rune
	every     int // when one separator stands after every so many digits
}

func parseIntegerPicture(text string) (*integerPicture, error) {
	p := &integerPicture{text: text}
	if i := strings.LastIndexByte(text, ';'); i >= 0 {
		p.text = text[:i]
		p.ordinal = strings.HasPrefix(text[i+1:], "o")
	}
	switch p.text {
	case "A", "a":
		p.style = styleLetters
	case "I", "i":
		p.style = styleRoman
	case "W", "w", "Ww":
		p.style = styleWords
	default:
		return p, p.decimal()
	}
	switch {
	case p.text == "Ww":
		p.letters = titleCase
	case unicode.IsUpper(rune(p.text[0])):
		p.letters = upperCase
	}
	return p, nil
}

// decimal reads a decimal digit pattern from its end.
func (p *integerPicture) decimal() error {
	runes := []rune(p.text)
	for _, r := range slices.Backward(runes) {
		switch zero, isDigit := zeroOf(r); {
		case isDigit:
			if p.mandatory > 0 && zero != p.zero {
				return fail("D3131")
			}
			p.zero = zero
			p.mandatory++
		case r == '#':
			p.optional++
		default:
			p.places = append(p.places, p.mandatory+p.optional)
			p.marks = append(p.marks, r)
		}
	}
	if p.mandatory == 0 {
		p.style = styleUnknown
		return nil
	}
	p.every = regularGroup(p.places)
	for _, m := range p.marks {
		if m != p.marks[0] {
			p.every = 0
		}
	}
	return nil
}

// zeroOf is the zero of a digit's family.
func zeroOf(r rune) (rune, bool) {
	if r < 0x80 {
		return '0', r >= '0' && r <= '9'
	}
	for _, t := range unicode.Nd.R16 {
		if r >= rune(t.Lo) && r <= rune(t.Hi) {
			return r - (r-rune(t.Lo))%10, true
		}
	}
	return 0, false
}

// maxWords is from where on numbers are too large for words and letters: their
// length is bounded before they are made.
const maxWords = 1e60

func (p *integerPicture) format(f float64) (string, error) {
	f = math.Floor(f)
	if p.style == styleUnknown {
		return "", failValue("D3130", p.text)
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "", failValue("D1001", f)
	}
	n, out := math.Abs(f), ""
	switch p.style {
	case styleLetters:
		out = lettersOf(n)
	case styleRoman:
		if n > 1e6 {
			return "", failValue("D1001", f)
		}
		out = romanOf(int(n))
	case styleWords:
		if n > maxWords {
			return "", failValue("D1001", f)
		}
		out = wordsOf(n, p.ordinal)
	default:
		out = p.digits(n)
	}
	switch p.letters {
	case upperCase:
		out = strings.ToUpper(out)
	case titleCase:
		out = titled(out)
	default: // as it is
	}
	if f < 0 {
		out = "-" + out
	}
	return out, nil
}

func (p *integerPicture) digits(n float64) string {
	text := strconv.FormatFloat(n, 'f', -1, 64)
	text = strings.Repeat("0", max(0, p.mandatory-len(text))) + text
	var b strings.Builder
	for i := range text {
		right := len(text) - i
		switch k := slices.Index(p.places, right); {
		case i == 0:
		case p.every > 0 && right%p.every == 0:
			b.WriteRune(p.marks[0])
		case p.every == 0 && k >= 0:
			b.WriteRune(p.marks[k])
		}
		b.WriteRune(p.zero + rune(text[i]-'0'))
	}
	if p.ordinal {
		b.WriteString(ordinalSuffix(text))
	}
	return b.String()
}

func ordinalSuffix(digits string) string {
	if len(digits) > 1 && digits[len(digits)-2] == '1' {
		return "th"
	}
	switch digits[len(digits)-1] {
	case '1':
		return "st"
	case '2':
		return "nd"
	case '3':
		return "rd"
	}
	return "th"
}

// lettersOf counts a to z, aa to az and so on.
func lettersOf(n float64) string {
	var out []byte
	for n >= 1 && len(out) < 256 {
		n--
		out = append(out, 'a'+byte(math.Mod(n, 26)))
		n = math.Floor(n / 26)
	}
	slices.Reverse(out)
	return string(out)
}

type romanNumeral struct {
	value int
	text  string
}

func romanNumerals() [13]romanNumeral {
	return [13]romanNumeral{
		{1000, "m"},
		{900, "cm"},
		{500, "d"},
		{400, "cd"},
		{100, "c"},
		{90, "xc"},
		{50, "l"},
		{40, "xl"},
		{10, "x"},
		{9, "ix"},
		{5, "v"},
		{4, "iv"},
		{1, "i"},
	}
}

func romanOf(n int) string {
	var b strings.Builder
	for _, r := range romanNumerals() {
		for ; n >= r.value; n -= r.value {
			b.WriteString(r.text)
		}
	}
	return b.String()
}

// parse reads an integer that was written by the picture.
func (p *integerPicture) parse(text string) (float64, error) {
	switch p.style {
	case styleUnknown:
		return 0, failValue("D3130", p.text)
	case styleLetters:
		n := 0.0
		for _, r := range strings.ToLower(text) {
			n = n*26 + float64(r-'a'+1)
		}
		return n, nil
	case styleRoman:
		return fromRoman(strings.ToLower(text)), nil
	case styleWords:
		return fromWords(strings.ToLower(text)), nil
	default: // digits, which follow
	}
	digits := strings.Map(func(r rune) rune {
		switch {
		case slices.Contains(p.marks, r):
			return -1
		case r >= p.zero && r < p.zero+10:
			return '0' + r - p.zero
		}
		return r
	}, text)
	end := 0
	for end < len(digits) && (digits[end] >= '0' && digits[end] <= '9' || end == 0 && strings.IndexByte("+-", digits[0]) >= 0) {
		end++
	}
	n, err := strconv.ParseFloat(digits[:end], 64)
	if err != nil && !math.IsInf(n, 0) {
		return math.NaN(), nil
	}
	return n, nil
}

func fromRoman(text string) float64 {
	n := 0
	for _, r := range romanNumerals() {
		for strings.HasPrefix(text, r.text) {
			n += r.value
			text = text[len(r.text):]
		}
	}
	if text != "" {
		return math.NaN()
	}
	return float64(n)
}

func callFormatInteger(c *callContext, args []any) (any, error) {
	n, ok := toNumber(argument(args, 0))
	if !ok {
		return Undefined{}, nil
	}
	picture, _ := argument(args, 1).(string)
	if err := c.grow(4 * (len(picture) + 400)); err != nil {
		return nil, err
	}
	p, err := parseIntegerPicture(picture)
	if err != nil {
		return nil, err
	}
	return wrapText(p.format(n))
}

func wrapText(s string, err error) (any, error) { return s, err }

func callParseInteger(c *callContext, args []any) (any, error) {
	text, ok := argument(args, 0).(string)
	if !ok {
		return Undefined{}, nil
	}
	picture, _ := argument(args, 1).(string)
	if err := c.spend((len(text) + len(picture)) / 8); err != nil {
		return nil, err
	}
	p, err := parseIntegerPicture(picture)
	if err != nil {
		return nil, err
	}
	n, err := p.parse(text)
	if err != nil {
		return nil, err
	}
	if math.IsNaN(n) {
		return Undefined{}, nil
	}
	return n, nil
}
