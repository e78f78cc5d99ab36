package jsonata

import (
	"strconv"
	"strings"
)

// Pictures of dates and times follow fn:format-dateTime of XPath 3.1, section
// 9.8, as far as JSONata supports it.

// datePart is a literal text or a component of a picture.
type datePart struct {
	literal   string
	component byte // 0 for a literal
	picture   *integerPicture
	names     string // N, n or Nn where the component is written as a name
	military  bool   // t: Z for no offset
	min, max  int    // width; -1 is none
	digits    int    // how many of a year's last digits are written; -1 is all
	width     int    // how many digits are read where another component follows
}

// defaultPresentation is how a component is written when nothing is said, or
// empty for what is no component.
func defaultPresentation(component byte) string {
	switch component {
	case 'Y', 'M', 'D', 'd', 'W', 'w', 'X', 'x', 'H', 'h', 'f':
		return "1"
	case 'F', 'P', 'C', 'E':
		return "n"
	case 'm', 's':
		return "01"
	case 'Z', 'z':
		return "01:01"
	}
	return ""
}

// parseDatePicture takes a picture apart. Brackets are doubled to stand for
// themselves.
func parseDatePicture(text string) ([]*datePart, error) {
	var parts []*datePart
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			parts = append(parts, &datePart{literal: literal.String()})
			literal.Reset()
		}
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '[' && strings.HasPrefix(text[i:], "[["):
			literal.WriteByte('[')
			i++
		case c == '[':
			flush()
			end := strings.IndexByte(text[i:], ']')
			if end < 0 {
				return nil, fail("D3135")
			}
			parts = append(parts, &datePart{component: '[', literal: text[i+1 : i+end]})
			i += end
		case c == ']' && strings.HasPrefix(text[i:], "]]"):
			literal.WriteByte(']')
			i++
		default:
			literal.WriteByte(c)
		}
	}
	flush()
	for i, p := range parts {
		if p.component != 0 {
			part, err := parseDatePart(p.literal)
			if err != nil {
				return nil, err
			}
			parts[i] = part
		}
	}
	for i, p := range parts {
		if p.picture == nil || i+1 == len(parts) || parts[i+1].component == 0 {
			continue
		}
		if p.width = p.picture.mandatory + p.picture.optional; p.max > 0 {
			p.width = p.max
		}
	}
	return parts, nil
}

// parseDatePart reads what stands within brackets.
func parseDatePart(text string) (*datePart, error) {
	text = strings.Join(strings.Fields(text), "")
	if text == "" {
		return nil, failValue("D3132", "")
	}
	p := &datePart{component: text[0], min: -1, max: -1, digits: -1}
	modifier := text[1:]
	if i := strings.LastIndexByte(modifier, ','); i >= 0 {
		low, high, hasHigh := strings.Cut(modifier[i+1:], "-")
		p.min = widthOf(low)
		if hasHigh {
			p.max = widthOf(high)
		}
		modifier = modifier[:i]
	}
	presentation := defaultPresentation(p.component)
	if presentation == "" {
		return nil, failValue("D3132", string([]rune(text)[0]))
	}
	ordinal := false
	if modifier != "" {
		last := modifier[len(modifier)-1]
		if len(modifier) > 1 && strings.IndexByte("atco", last) >= 0 {
			p.military = last == 't'
			ordinal = last == 'o'
			modifier = modifier[:len(modifier)-1]
		}
		presentation = modifier
	}
	return p, p.present(presentation, ordinal)
}

func widthOf(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1000 {
		return -1
	}
	return n
}

// present reads how a component is to be written.
func (p *datePart) present(presentation string, ordinal bool) error {
	switch presentation {
	case "N", "n", "Nn":
		p.names = presentation
		if strings.IndexByte("MxFPCE", p.component) < 0 {
			return failValue("D3133", string(p.component))
		}
		return nil
	}
	if p.component == 'P' || p.component == 'C' || p.component == 'E' {
		p.names = "n"
		return nil
	}
	if ordinal {
		presentation += ";o"
	}
	picture, err := parseIntegerPicture(presentation)
	if err != nil {
		return err
	}
	p.picture = picture
	if p.component == 'Z' || p.component == 'z' {
		return nil
	}
	if p.min > 0 && picture.style == styleDecimal {
		picture.mandatory = max(picture.mandatory, p.min)
	}
	if p.component == 'Y' {
		switch digits := picture.mandatory + picture.optional; {
		case p.max > 0:
			p.digits = p.max
			picture.mandatory = min(picture.mandatory, p.max)
		case digits >= 2 && picture.style == styleDecimal:
			p.digits = digits
		}
	}
	return nil
}

func dayNames() []string {
	return strings.Fields("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
}

func monthNames() []string {
	return strings.Fields("January February March April May June July August September October November December")
}
