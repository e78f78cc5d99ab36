package jinja

import (
	"math/big"
	"strings"
	"unicode/utf8"
)

// percentRun is one use of Python's % on a text.
type percentRun struct {
	st     *state
	values []any
	next   int
	dict   *dict
	single bool
	html   bool
}

// percent is text % value.
func (st *state) percent(text string, left, v any) (any, error) {
	_, html := left.(markup)
	p := &percentRun{st: st, html: html}
	switch v := v.(type) {
	case *tuple:
		p.values = v.items
	case *dict:
		p.dict, p.values, p.single = v, []any{v}, true
	default:
		p.values, p.single = []any{v}, true
	}
	out, err := p.run(text)
	if err != nil {
		return nil, err
	}
	if html {
		return markup(out), st.spend(len(out))
	}
	return out, st.spend(len(out))
}

func (p *percentRun) run(text string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(text); {
		j := strings.IndexByte(text[i:], '%')
		if j < 0 {
			b.WriteString(text[i:])
			break
		}
		b.WriteString(text[i : i+j])
		i += j + 1
		if i < len(text) && text[i] == '%' {
			b.WriteByte('%')
			i++
			continue
		}
		n, s, err := p.field(text, i)
		if err != nil {
			return "", err
		}
		b.WriteString(s)
		i = n
		if b.Len() > maxText {
			return "", errTooLarge
		}
		if err := p.st.spend(0); err != nil {
			return "", err
		}
	}
	if p.next < len(p.values) && p.dict == nil && (!p.single || !isSequenceArg(p.values[0])) {
		return "", typeError("not all arguments converted during string formatting")
	}
	return b.String(), nil
}

// isSequenceArg tells which single arguments Python does not miss when no field
// takes them: mappings, as which lists count.
func isSequenceArg(v any) bool {
	switch v.(type) {
	case *list, rangeValue, *undefined:
		return true
	}
	return false
}

func (p *percentRun) take() (any, error) {
	if p.next >= len(p.values) {
		return nil, typeError("not enough arguments for format string")
	}
	p.next++
	return p.values[p.next-1], nil
}

// field formats one field, which begins behind its %; n is where it ends.
func (p *percentRun) field(text string, i int) (n int, s string, err error) {
	var v any
	named := i < len(text) && text[i] == '('
	if named {
		if v, i, err = p.named(text, i); err != nil {
			return 0, "", err
		}
	}
	f := spec{fill: ' ', precision: -1}
	left, zero, i := percentFlags(&f, text, i)
	if f.width, i, err = p.count(text, i, 0); err != nil {
		return 0, "", err
	}
	if f.width < 0 {
		left, f.width = true, -f.width
	}
	if i < len(text) && text[i] == '.' {
		if f.precision, i, err = p.count(text, i+1, 0); err != nil {
			return 0, "", err
		}
		f.precision = max(f.precision, 0)
	}
	for i < len(text) && strings.IndexByte("hlL", text[i]) >= 0 {
		i++
	}
	if i >= len(text) {
		return 0, "", valueError("incomplete format")
	}
	r, size := utf8.DecodeRuneInString(text[i:])
	if strings.ContainsRune("diuoxXeEfFgGcrsa", r) {
		f.verb = byte(r)
	} else {
		at := utf8.RuneCountInString(text[:i])
		return 0, "", valueError("unsupported format character '" + string(r) + "' (0x" + lowerHex(r) + ") at index " + plainRepr(int64(at)))
	}
	switch {
	case left:
		f.align = '<'
	case zero && strings.IndexByte("csra", f.verb) < 0:
		f.align, f.fill = '=', '0'
	}
	if !named {
		if v, err = p.take(); err != nil {
			return 0, "", err
		}
	}
	s, err = p.format(f, v)
	return i + size, s, err
}

// named reads the name of a field in parentheses and finds its value; end is
// where the name ends.
func (p *percentRun) named(text string, i int) (v any, end int, err error) {
	depth, end := 1, i+1
	for ; end < len(text) && depth > 0; end++ {
		switch text[end] {
		case '(':
			depth++
		case ')':
			depth--
		}
	}
	if depth > 0 {
		return nil, 0, valueError("incomplete format key")
	}
	if p.dict == nil {
		return nil, 0, typeError("format requires a mapping")
	}
	key := text[i+1 : end-1]
	v, ok := p.dict.get(textKey(key))
	if !ok {
		return nil, 0, &pyError{"KeyError", key}
	}
	return v, end, nil
}

// percentFlags reads the flags of a field; end is where they end.
func percentFlags(f *spec, text string, i int) (left, zero bool, end int) {
	for ; i < len(text) && strings.IndexByte("-+ #0", text[i]) >= 0; i++ {
		switch text[i] {
		case '-':
			left = true
		case '+':
			f.sign = '+'
		case ' ':
			if f.sign == 0 {
				f.sign = ' '
			}
		case '#':
			f.alternate = true
		case '0':
			zero = true
		}
	}
	return left, zero, i
}

func lowerHex(r rune) string { return big.NewInt(int64(r)).Text(16) }

func (p *percentRun) count(text string, i, fallback int) (n, end int, err error) {
	if i < len(text) && text[i] == '*' {
		v, err := p.take()
		if err != nil {
			return 0, 0, err
		}
		w, ok := intOf(v)
		if !ok {
			return 0, 0, typeError("* wants int")
		}
		if w > maxWidth || w < -maxWidth {
			return 0, 0, errTooLarge
		}
		return int(w), i + 1, nil
	}
	n, rest, err := digits(text[i:], fallback)
	return n, len(text) - len(rest), err
}

func (p *percentRun) format(f spec, v any) (string, error) {
	switch f.verb {
	case 's', 'r', 'a':
		return p.formatText(f, v)
	case 'c':
		if s, ok := textOf(v); ok {
			if utf8.RuneCountInString(s) != 1 {
				return "", typeError("%c requires int or char")
			}
			f.verb = 0
			return f.pad("", s, '>'), nil
		}
		if !isInt(v) {
			return "", typeError("%c requires int or char")
		}
		s, err := f.integer(bigOf(v), "int")
		return s, err
	case 'e', 'E', 'f', 'F', 'g', 'G':
		if u, ok := v.(*undefined); ok {
			return "", u.fail()
		}
		x, ok := floatOf(v)
		if !ok {
			return "", typeError("must be real number, not " + typeName(v))
		}
		return f.float(x)
	}
	n := bigOf(v)
	if x, ok := v.(float64); ok && strings.IndexByte("diu", f.verb) >= 0 {
		whole, err := floatToInt(x)
		if err != nil {
			return "", err
		}
		n = whole
	}
	if n == nil {
		if strings.IndexByte("oxX", f.verb) >= 0 {
			return "", typeError("%" + string(f.verb) + " format: an integer is required, not " + typeName(v))
		}
		if u, ok := v.(*undefined); ok {
			return "", u.fail()
		}
		return "", typeError("%" + string(f.verb) + " format: a real number is required, not " + typeName(v))
	}
	if strings.IndexByte("diu", f.verb) >= 0 {
		f.verb = 'd'
	}
	minimum := f.precision
	f.precision = -1
	if minimum > 0 {
		text := new(big.Int).Abs(n).String()
		if len(text) < minimum {
			sign := f.signOf(n.Sign() < 0)
			return f.pad(sign, strings.Repeat("0", minimum-len(text))+text, '>'), nil
		}
	}
	return f.integer(n, "int")
}

func (p *percentRun) formatText(f spec, v any) (string, error) {
	var s string
	var err error
	if f.verb == 's' {
		if p.html {
			m, escapeErr := p.st.escape(v)
			s, err = string(m), escapeErr
		} else {
			s, err = p.st.str(v)
		}
	} else {
		w := &writer{limit: maxText}
		err = w.repr(v, 0)
		s = w.b.String()
	}
	if err != nil {
		return "", err
	}
	if f.precision >= 0 {
		if r := []rune(s); len(r) > f.precision {
			s = string(r[:f.precision])
		}
	}
	return f.pad("", s, '>'), nil
}
