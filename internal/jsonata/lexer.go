package jsonata

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenOperator
	tokenName
	tokenVariable
	tokenString
	tokenNumber
	tokenLiteral // true, false, null
	tokenRegex
)

// token is one word of an expression. at is the offset of its end, which is
// where JSONata's errors point.
type token struct {
	kind  tokenKind
	text  string // operator, name, or the source of a number or pattern
	value any    // of strings, numbers and literals
	flags string // of a regular expression
	at    int
	start int
}

type lexer struct {
	text string
	pos  int
}

const operatorCharacters = ".[]{}(),@#;:?+-*/%|=<>^&!~"

func doubleOperator(s string) bool {
	switch s {
	case "..", ":=", "!=", ">=", "<=", "**", "~>", "?:", "??":
		return true
	}
	return false
}

// next reads a token. A slash where an operand is expected starts a regular
// expression, else it divides.
func (l *lexer) next(operand bool) (token, error) {
	if err := l.skip(); err != nil {
		return token{}, err
	}
	start := l.pos
	if l.pos >= len(l.text) {
		return token{kind: tokenEnd, text: "(end)", at: len(l.text), start: start}, nil
	}
	t, err := l.read(operand)
	t.at, t.start = l.pos, start
	return t, err
}

// skip passes white space and comments.
func (l *lexer) skip() error {
	for l.pos < len(l.text) {
		switch c := l.text[l.pos]; {
		case c == ' ' || c >= '\t' && c <= '\r':
			l.pos++
		case strings.HasPrefix(l.text[l.pos:], "\u00a0"), strings.HasPrefix(l.text[l.pos:], "\ufeff"):
			_, n := utf8.DecodeRuneInString(l.text[l.pos:])
			l.pos += n
		case strings.HasPrefix(l.text[l.pos:], "/*"):
			end := strings.Index(l.text[l.pos+2:], "*/")
			if end < 0 {
				return fail("S0106").at(l.pos)
			}
			l.pos += end + 4
		default:
			return nil
		}
	}
	return nil
}

func (l *lexer) read(operand bool) (token, error) {
	c := l.text[l.pos]
	switch {
	case c == '/' && operand:
		return l.regex()
	case l.pos+1 < len(l.text) && doubleOperator(l.text[l.pos:l.pos+2]):
		l.pos += 2
		return token{kind: tokenOperator, text: l.text[l.pos-2 : l.pos]}, nil
	case strings.IndexByte(operatorCharacters, c) >= 0:
		l.pos++
		return token{kind: tokenOperator, text: l.text[l.pos-1 : l.pos]}, nil
	case c == '"' || c == '\'':
		return l.str(c)
	case c >= '0' && c <= '9':
		return l.number()
	case c == '`':
		end := strings.IndexByte(l.text[l.pos+1:], '`')
		if end < 0 {
			l.pos = len(l.text)
			return token{}, fail("S0105").at(l.pos)
		}
		name := l.text[l.pos+1 : l.pos+1+end]
		l.pos += end + 2
		return token{kind: tokenName, text: name, flags: "`"}, nil
	}
	return l.word(), nil
}

// word reads a name, a variable or a literal.
func (l *lexer) word() token {
	start := l.pos
	for l.pos < len(l.text) {
		c := l.text[l.pos]
		if c == ' ' || c >= '\t' && c <= '\r' || strings.IndexByte(operatorCharacters, c) >= 0 {
			break
		}
		l.pos++
	}
	text := l.text[start:l.pos]
	if text[0] == '$' {
		return token{kind: tokenVariable, text: text[1:]}
	}
	switch text {
	case "or", "in", "and":
		return token{kind: tokenOperator, text: text}
	case "true":
		return token{kind: tokenLiteral, text: text, value: true}
	case "false":
		return token{kind: tokenLiteral, text: text, value: false}
	case "null":
		return token{kind: tokenLiteral, text: text}
	}
	return token{kind: tokenName, text: text}
}

func (l *lexer) number() (token, error) {
	start := l.pos
	digits := func() {
		for l.pos < len(l.text) && l.text[l.pos] >= '0' && l.text[l.pos] <= '9' {
			l.pos++
		}
	}
	if l.text[l.pos] == '0' {
		l.pos++
	} else {
		digits()
	}
	if l.pos+1 < len(l.text) && l.text[l.pos] == '.' && l.text[l.pos+1] >= '0' && l.text[l.pos+1] <= '9' {
		l.pos++
		digits()
	}
	if l.pos < len(l.text) && l.text[l.pos]|0x20 == 'e' {
		mantissa := l.pos
		l.pos++
		if l.pos < len(l.text) && (l.text[l.pos] == '+' || l.text[l.pos] == '-') {
			l.pos++
		}
		exponent := l.pos
		if digits(); l.pos == exponent {
			l.pos = mantissa
		}
	}
	text := l.text[start:l.pos]
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return token{}, fail("S0102").withToken(text).at(start)
	}
	return token{kind: tokenNumber, text: text, value: n}, nil
}

// str reads a string literal. A surrogate that stands alone is kept in three
// bytes, as UTF-8 would have it: functions that need real text see it there.
func (l *lexer) str(quote byte) (token, error) {
	l.pos++
	var b strings.Builder
	for l.pos < len(l.text) {
		switch c := l.text[l.pos]; c {
		case quote:
			l.pos++
			return token{kind: tokenString, text: b.String(), value: b.String()}, nil
		case '\\':
			if err := l.escape(&b); err != nil {
				return token{}, err
			}
		default:
			b.WriteByte(c)
			l.pos++
		}
	}
	return token{}, fail("S0101").at(l.pos)
}

func (l *lexer) escape(b *strings.Builder) error {
	l.pos++
	if l.pos >= len(l.text) {
		return fail("S0103").at(l.pos)
	}
	c, size := utf8.DecodeRuneInString(l.text[l.pos:])
	if i := strings.IndexRune(`"\/bfnrt`, c); i >= 0 {
		b.WriteByte("\"\\/\b\f\n\r\t"[i])
		l.pos += size
		return nil
	}
	if c != 'u' {
		return fail("S0103").withToken(string(c)).at(l.pos)
	}
	unit, ok := hexUnit(l.text, l.pos+1)
	if !ok {
		return fail("S0104").at(l.pos)
	}
	l.pos += 5
	if unit >= 0xd800 && unit < 0xdc00 && strings.HasPrefix(l.text[l.pos:], `\u`) {
		if low, ok := hexUnit(l.text, l.pos+2); ok && low >= 0xdc00 && low < 0xe000 {
			l.pos += 6
			b.WriteRune(0x10000 + (unit-0xd800)<<10 + (low - 0xdc00))
			return nil
		}
	}
	if unit >= 0xd800 && unit < 0xe000 {
		b.Write([]byte{0xe0 | byte(unit>>12), 0x80 | byte(unit>>6)&0x3f, 0x80 | byte(unit)&0x3f})
		return nil
	}
	b.WriteRune(unit)
	return nil
}

func hexUnit(s string, from int) (rune, bool) {
	if from+4 > len(s) {
		return 0, false
	}
	n, err := strconv.ParseUint(s[from:from+4], 16, 16)
	return rune(n), err == nil
}

// regex reads /pattern/flags. The closing slash is the first that is neither
// escaped nor within brackets.
func (l *lexer) regex() (token, error) {
	l.pos++
	start, depth, class := l.pos, 0, false
	for ; l.pos < len(l.text); l.pos++ {
		switch c := l.text[l.pos]; {
		case c == '\\':
			l.pos++
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case c == '(' || c == '{':
			depth++
		case (c == ')' || c == '}') && depth > 0:
			depth--
		case c == '/' && depth == 0:
			return l.endRegex(l.text[start:l.pos])
		}
	}
	l.pos = len(l.text)
	return token{}, fail("S0302").at(l.pos)
}

func (l *lexer) endRegex(pattern string) (token, error) {
	if pattern == "" {
		return token{}, fail("S0301").at(l.pos)
	}
	l.pos++
	from := l.pos
	for l.pos < len(l.text) && (l.text[l.pos] == 'i' || l.text[l.pos] == 'm') {
		l.pos++
	}
	return token{kind: tokenRegex, text: pattern, flags: l.text[from:l.pos]}, nil
}
