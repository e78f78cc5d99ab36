package jinja

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// token is a word of a template. Its kind is Jinja's name of the token type.
type token struct {
	line  int
	kind  string
	text  string
	value any // of a number
}

// operators maps the text of an operator to its token type.
func operators() map[string]string {
	return map[string]string{
		"+": "add", "-": "sub", "/": "div", "//": "floordiv", "*": "mul", "%": "mod",
		"**": "pow", "~": "tilde", "[": "lbracket", "]": "rbracket", "(": "lparen",
		")": "rparen", "{": "lbrace", "}": "rbrace", "==": "eq", "!=": "ne", ">": "gt",
		">=": "gteq", "<": "lt", "<=": "lteq", "=": "assign", ".": "dot", ":": "colon",
		"|": "pipe", ",": "comma", ";": "semicolon",
	}
}

// describeKind is how messages name a token type.
func describeKind(kind string) string {
	switch kind {
	case "block_begin":
		return "begin of statement block"
	case "block_end":
		return "end of statement block"
	case "variable_begin":
		return "begin of print statement"
	case "variable_end":
		return "end of print statement"
	case "data":
		return "template data / text"
	case "eof":
		return "end of template"
	}
	for text, k := range operators() {
		if k == kind {
			return text
		}
	}
	return kind
}

func (t token) describe() string {
	if t.kind == "name" {
		return t.text
	}
	return describeKind(t.kind)
}

var (
	reFloat = regexp.MustCompile(`^(?i)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+\-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)`)
	reInt   = regexp.MustCompile(`^(?i)(?:0b(?:_?[0-1])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*)`)
	reStr   = regexp.MustCompile(`^(?s)(?:'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*")`)
	reRaw   = regexp.MustCompile(`^\{%[-+]?[\s\v]*raw[\s\v]*(?:-%\}[\s\v]*|%\})`)
	reEnd   = regexp.MustCompile(`\{%([-+]?)[\s\v]*endraw[\s\v]*(?:\+%\}|-%\}[\s\v]*|%\})`)
)

type lexMode int

const (
	inText lexMode = iota
	inBlock
	inVariable
)

// lexer cuts a source into tokens, one when asked, since an error of the parser
// comes before an error of the lexer further on.
type lexer struct {
	src     string
	pos     int
	line    int
	mode    lexMode
	balance []byte
	queue   []token
	// operators is what the function of that name returns.
	operators map[string]string
}

func newLexer(source string) *lexer {
	source = strings.ReplaceAll(strings.ReplaceAll(source, "\r\n", "\n"), "\r", "\n")
	return &lexer{src: strings.TrimSuffix(source, "\n"), line: 1, operators: operators()}
}

// isSpace tells what Python's \s matches.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

func fail(line int, message string) {
	panic(&SyntaxError{Line: line, Message: message, class: "TemplateSyntaxError"})
}

// next returns the next token; ok is false at the end.
func (l *lexer) next() (t token, ok bool) {
	for len(l.queue) == 0 {
		if l.pos >= len(l.src) {
			return token{}, false
		}
		if l.mode == inText {
			l.text()
		} else {
			l.tag()
		}
	}
	t, l.queue = l.queue[0], l.queue[1:]
	return t, true
}

func (l *lexer) emit(kind, text string) {
	l.queue = append(l.queue, token{line: l.line, kind: kind, text: text})
}

// text reads template data up to the next tag.
func (l *lexer) text() {
	rest := l.src[l.pos:]
	at := -1
	for i := 0; i+1 < len(rest); i++ {
		if rest[i] == '{' && (rest[i+1] == '{' || rest[i+1] == '%' || rest[i+1] == '#') {
			at = i
			break
		}
	}
	if at < 0 {
		l.emit("data", rest)
		l.pos = len(l.src)
		return
	}
	raw := reRaw.FindString(rest[at:])
	after := at + 2
	sign := byte(0)
	if after < len(rest) && (rest[after] == '-' || rest[after] == '+') {
		sign = rest[after]
		after++
	}
	l.data(rest[:at], sign)
	switch {
	case raw != "":
		l.pos += at + len(raw)
		l.line += strings.Count(raw, "\n")
		l.raw()
		return
	case rest[at+1] == '#':
		l.pos += after
		l.comment()
		return
	case rest[at+1] == '%':
		l.mode = inBlock
		l.emit("block_begin", rest[at:after])
	default:
		l.mode = inVariable
		l.emit("variable_begin", rest[at:after])
	}
	l.pos += after
}

func (l *lexer) data(text string, sign byte) {
	lines := strings.Count(text, "\n")
	if sign == '-' {
		text = strings.TrimRightFunc(text, isSpace)
	}
	if text != "" {
		l.emit("data", text)
	}
	l.line += lines
}

func (l *lexer) comment() {
	rest := l.src[l.pos:]
	if rest == "" {
		return
	}
	end := strings.Index(rest, "#}")
	if end < 0 {
		fail(l.line, "Missing end of comment tag")
	}
	strip := end > 0 && rest[end-1] == '-'
	n := end + 2
	if strip {
		n = len(rest) - len(strings.TrimLeftFunc(rest[n:], isSpace))
	}
	l.line += strings.Count(rest[:n], "\n")
	l.pos += n
}

func (l *lexer) raw() {
	rest := l.src[l.pos:]
	if rest == "" {
		return
	}
	m := reEnd.FindStringSubmatchIndex(rest)
	if m == nil {
		fail(l.line, "Missing end of raw directive")
	}
	sign := byte(0)
	if m[3] > m[2] {
		sign = rest[m[2]]
	}
	l.data(rest[:m[0]], sign)
	l.line += strings.Count(rest[m[0]:m[1]], "\n")
	l.pos += m[1]
}

// tagEnd reads the end of a tag, if one is here and no bracket is open.
func (l *lexer) tagEnd(rest string) bool {
	if len(l.balance) > 0 {
		return false
	}
	end, kind := "}}", "variable_end"
	if l.mode == inBlock {
		end, kind = "%}", "block_end"
	}
	n := 0
	switch {
	case strings.HasPrefix(rest, end):
		n = 2
	case strings.HasPrefix(rest, "-"+end):
		n = len(rest) - len(strings.TrimLeftFunc(rest[3:], isSpace))
	case l.mode == inBlock && strings.HasPrefix(rest, "+"+end):
		n = 3
	default:
		return false
	}
	l.emit(kind, rest[:n])
	l.mode = inText
	l.line += strings.Count(rest[:n], "\n")
	l.pos += n
	return true
}

func isWord(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) || r > 127 && unicode.In(r, unicode.Mn, unicode.Mc)
}

// tag reads one token within a tag.
func (l *lexer) tag() {
	rest := l.src[l.pos:]
	if l.tagEnd(rest) {
		return
	}
	if trimmed := strings.TrimLeftFunc(rest, isSpace); len(trimmed) < len(rest) {
		n := len(rest) - len(trimmed)
		l.line += strings.Count(rest[:n], "\n")
		l.pos += n
		return
	}
	if rest[0] >= '0' && rest[0] <= '9' && l.number(rest) {
		return
	}
	if word := rest[:len(rest)-len(strings.TrimLeftFunc(rest, isWord))]; word != "" {
		if !isIdentifier(word) {
			fail(l.line, "Invalid character in identifier")
		}
		l.emit("name", word)
		l.pos += len(word)
		return
	}
	if s := reStr.FindString(rest); s != "" {
		text, err := unescape(s[1 : len(s)-1])
		if err != "" {
			fail(l.line, err)
		}
		l.emit("string", text)
		l.line += strings.Count(s, "\n")
		l.pos += len(s)
		return
	}
	l.operator(rest)
}

func isIdentifier(s string) bool {
	for i, r := range s {
		if i == 0 && r != '_' && !unicode.IsLetter(r) && !unicode.Is(unicode.Nl, r) {
			return false
		}
		if i > 0 && unicode.Is(unicode.No, r) {
			return false
		}
	}
	return s != ""
}

func (l *lexer) number(rest string) bool {
	afterDot := l.pos > 0 && l.src[l.pos-1] == '.'
	if s := reFloat.FindString(rest); s != "" && !afterDot {
		f, _ := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
		l.emit("float", s)
		l.queue[len(l.queue)-1].value = f
		l.pos += len(s)
		return true
	}
	s := reInt.FindString(rest)
	if s == "" {
		return false
	}
	if len(s) > maxDigits {
		fail(l.line, "Exceeds the limit (4300 digits) for integer string conversion: value has "+
			strconv.Itoa(len(s))+" digits; use sys.set_int_max_str_digits() to increase the limit")
	}
	n, _ := new(big.Int).SetString(strings.ReplaceAll(s, "_", ""), 0)
	l.emit("integer", s)
	l.queue[len(l.queue)-1].value = normal(n)
	l.pos += len(s)
	return true
}

func (l *lexer) operator(rest string) {
	op := ""
	for n := min(2, len(rest)); n > 0 && op == ""; n-- {
		if _, ok := l.operators[rest[:n]]; ok {
			op = rest[:n]
		}
	}
	switch op {
	case "":
		r, _ := utf8.DecodeRuneInString(rest)
		fail(l.line, "unexpected char "+pyrepr.String(string(r))+" at "+strconv.Itoa(utf8.RuneCountInString(l.src[:l.pos])))
	case "{":
		l.balance = append(l.balance, '}')
	case "(":
		l.balance = append(l.balance, ')')
	case "[":
		l.balance = append(l.balance, ']')
	case "}", ")", "]":
		if len(l.balance) == 0 {
			fail(l.line, "unexpected '"+op+"'")
		}
		want := l.balance[len(l.balance)-1]
		l.balance = l.balance[:len(l.balance)-1]
		if want != op[0] {
			fail(l.line, "unexpected '"+op+"', expected '"+string(want)+"'")
		}
	}
	l.emit(l.operators[op], op)
	l.pos += len(op)
}

// simpleEscape is what one of Python's escapes of one letter stands for.
func simpleEscape(c byte) (text string, ok bool) {
	switch c {
	case '\\', '\'', '"':
		return string(rune(c)), true
	case 'a':
		return "\a", true
	case 'b':
		return "\b", true
	case 'f':
		return "\f", true
	case 'n':
		return "\n", true
	case 'r':
		return "\r", true
	case 't':
		return "\t", true
	case 'v':
		return "\v", true
	case '\n':
		return "", true
	}
	return "", false
}

// unescape replaces Python's escapes in the text of a string literal; problem is
// the reason when there is a malformed one.
func unescape(s string) (text, problem string) {
	if !strings.Contains(s, "\\") {
		return s, ""
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 >= len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		c := s[i]
		if t, ok := simpleEscape(c); ok {
			b.WriteString(t)
			continue
		}
		digits, name := 0, ""
		switch c {
		case 'x':
			digits, name = 2, "truncated \\xXX escape"
		case 'u':
			digits, name = 4, "truncated \\uXXXX escape"
		case 'U':
			digits, name = 8, "truncated \\UXXXXXXXX escape"
		}
		switch {
		case digits > 0:
			n, err := strconv.ParseUint(s[i+1:min(i+1+digits, len(s))], 16, 32)
			if err != nil || i+1+digits > len(s) {
				return "", name
			}
			if n > unicode.MaxRune {
				return "", "illegal Unicode character"
			}
			b.WriteRune(rune(n)) //nolint:gosec // at most MaxRune
			i += digits
		case c >= '0' && c <= '7':
			n, j := 0, i
			for ; j < len(s) && j < i+3 && s[j] >= '0' && s[j] <= '7'; j++ {
				n = n*8 + int(s[j]-'0')
			}
			b.WriteRune(rune(n)) //nolint:gosec // at most 0777
			i = j - 1
		case c == 'N':
			return "", "malformed \\N character escape"
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}
