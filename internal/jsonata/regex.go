package jsonata

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/value"
)

// regex is a regular expression, which in JSONata is a function that matches.
type regex struct {
	source  string
	pattern *regexp.Regexp
}

func (r *regex) arity() int { return 1 }

// compileRegex translates a JavaScript pattern. Go's matcher takes linear
// time, hence has neither lookaround nor backreferences: these are refused.
func compileRegex(source, flags string) (*regex, *Error) {
	refuse := func(reason string) (*regex, *Error) {
		return nil, fail("S0303").withToken(source).withDetail("reason", reason)
	}
	text, reason := translateRegex(source)
	if reason != "" {
		return refuse(reason)
	}
	if flags != "" {
		text = "(?" + uniqueFlags(flags) + ")" + text
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return refuse(strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return &regex{source: source, pattern: re}, nil
}

func uniqueFlags(flags string) string {
	out := ""
	for _, f := range flags {
		if !strings.ContainsRune(out, f) {
			out += string(f)
		}
	}
	return out
}

// space is JavaScript's \s within brackets.
const space = `\t\n\v\f\r \x{a0}\x{feff}\p{Z}`

// translateRegex writes a pattern in Go's syntax, or says what Go has not.
func translateRegex(source string) (text, reason string) {
	var b strings.Builder
	class := false
	for i := 0; i < len(source); {
		c := source[i]
		switch {
		case c == '\\':
			n, reason := translateEscape(&b, source[i:], class)
			if reason != "" {
				return "", reason
			}
			i += n
			continue
		case class && c == ']':
			class = false
		case class && c == '[':
			b.WriteByte('\\')
		case class:
		case strings.HasPrefix(source[i:], "[^]"):
			b.WriteString(`(?s:.)`)
			i += 3
			continue
		case strings.HasPrefix(source[i:], "[]"):
			b.WriteString(`[^\x00-\x{10ffff}]`)
			i += 2
			continue
		case c == '[':
			class = true
		case c == '.':
			b.WriteString(`[^\n\r\x{2028}\x{2029}]`)
			i++
			continue
		case lookaround(source[i:]):
			return "", "lookahead and lookbehind"
		}
		b.WriteByte(c)
		i++
	}
	return b.String(), ""
}

func lookaround(s string) bool {
	for _, start := range []string{"(?=", "(?!", "(?<=", "(?<!"} {
		if strings.HasPrefix(s, start) {
			return true
		}
	}
	return false
}

// translateEscape writes what a backslash starts and returns its length.
func translateEscape(b *strings.Builder, s string, class bool) (int, string) {
	if len(s) < 2 {
		return 0, "a backslash at the end"
	}
	switch c := s[1]; c {
	case 's':
		if class {
			b.WriteString(space)
		} else {
			b.WriteString("[" + space + "]")
		}
	case 'S':
		if class {
			return 0, `\S within brackets`
		}
		b.WriteString("[^" + space + "]")
	case 'd', 'D', 'w', 'W', 'n', 'r', 't', 'f', 'v':
		b.WriteString(s[:2])
	case 'b', 'B':
		if class {
			b.WriteString(`\x08`)
		} else {
			b.WriteString(s[:2])
		}
	case '0':
		b.WriteString(`\x00`)
	case 'u':
		if r, ok := hexUnit(s, 2); ok {
			b.WriteString(regexp.QuoteMeta(string(r)))
			return 6, ""
		}
		b.WriteByte('u')
	case 'x', 'p', 'P':
		b.WriteString(s[:2])
	case 'c', 'k':
		return 0, `\` + string(c)
	default:
		if c >= '1' && c <= '9' {
			return 0, "backreferences"
		}
		r, n := utf8.DecodeRuneInString(s[1:])
		if class && strings.ContainsRune(`-]^[`, r) {
			b.WriteString(`\` + string(r))
		} else {
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
		return 1 + n, ""
	}
	return 2, ""
}

// found is one match: offsets are bytes, places UTF-16 units. next finds the
// match after it.
type found struct {
	text       string
	start, end int
	at, until  int // places of start and end
	groups     []any
	next       func() (*found, error)
}

// first finds the first match, or nil.
func (r *regex) first(ev *evaluator, s string) (*found, error) {
	if !assertive(r.source) {
		return r.from(ev, s, &found{}, nil)
	}
	// Go cannot search from an offset with the text before it in view, as ^ and
	// \b need it: all matches are found at once.
	if err := ev.spend(1 + len(s)/16); err != nil {
		return nil, err
	}
	return r.from(ev, s, &found{}, r.pattern.FindAllStringSubmatchIndex(s, -1))
}

func assertive(source string) bool {
	return strings.ContainsRune(source, '^') || strings.Contains(source, `\b`) || strings.Contains(source, `\B`)
}

// from finds the match after another, or takes it from those known. A match of
// no text is an error, since it would be found forever.
func (r *regex) from(ev *evaluator, s string, last *found, known [][]int) (*found, error) {
	var at []int
	if known != nil {
		at, known = known[0], known[1:]
	} else if !assertive(r.source) {
		if err := ev.spend(1 + (len(s)-last.end)/16); err != nil {
			return nil, err
		}
		at = r.pattern.FindStringSubmatchIndex(s[last.end:])
		for i := range at {
			if at[i] >= 0 {
				at[i] += last.end
			}
		}
	}
	if at == nil {
		return nil, nil
	}
	if at[0] == at[1] {
		return nil, failValue("D1004", r.source)
	}
	m := &found{text: s[at[0]:at[1]], start: at[0], end: at[1]}
	m.at = last.until + units(s[last.end:m.start])
	m.until = m.at + units(m.text)
	for i := 2; i < len(at); i += 2 {
		if at[i] < 0 {
			m.groups = append(m.groups, Undefined{})
		} else {
			m.groups = append(m.groups, s[at[i]:at[i+1]])
		}
	}
	m.next = func() (*found, error) {
		if m.end >= len(s) || known != nil && len(known) == 0 {
			return nil, nil
		}
		return r.from(ev, s, m, known)
	}
	return m, nil
}

// matcher calls the regular expression as a function.
func (r *regex) matcher(ev *evaluator, args []any) (any, error) {
	s, ok := argument(args, 0).(string)
	if !ok {
		return Undefined{}, nil
	}
	m, err := r.first(ev, s)
	if err != nil || m == nil {
		return Undefined{}, err
	}
	return m.object(s), nil
}

// nextMatch is the function next of a match.
type nextMatch struct {
	after *found
	text  string
}

func (f *nextMatch) arity() int { return 0 }

func (f *nextMatch) next(*evaluator) (any, error) {
	m, err := f.after.next()
	if err != nil || m == nil {
		return Undefined{}, err
	}
	return m.object(f.text), nil
}

// object is a match as an expression sees it; places are UTF-16 units.
func (m *found) object(s string) *value.Object {
	return value.Of(
		"match", m.text,
		"start", float64(m.at),
		"end", float64(m.until),
		"groups", groupsOf(m.groups),
		"next", &nextMatch{after: m, text: s},
	)
}

// groupsOf lists the groups of a match; one that took no part is null.
func groupsOf(groups []any) []any {
	out := make([]any, len(groups))
	for i, g := range groups {
		if out[i] = g; isUndefined(g) {
			out[i] = nil
		}
	}
	return out
}

// units is the length of a text in UTF-16 units.
func units(s string) int {
	n := 0
	for _, r := range s {
		if n++; r >= 0x10000 {
			n++
		}
	}
	return n
}

// fromUnits is the byte offset of a place in UTF-16 units.
func fromUnits(s string, place int) int {
	for i, r := range s {
		if place <= 0 {
			return i
		}
		if place--; r >= 0x10000 {
			place--
		}
	}
	return len(s)
}

// search starts matching by any function that does so as a regular expression
// would.
func (ev *evaluator) search(fn any, s string) (*found, error) {
	if r, ok := fn.(*regex); ok {
		return r.first(ev, s)
	}
	v, err := ev.apply(fn, []any{s}, nil)
	if err != nil {
		return nil, err
	}
	return ev.foundBy(v, s)
}

// foundBy reads the object that a matching function has returned.
func (ev *evaluator) foundBy(v any, s string) (*found, error) {
	if isUndefined(v) {
		return nil, nil
	}
	o, ok := v.(*value.Object)
	if !ok {
		return nil, fail("T1010")
	}
	text, _ := field(o, "match").(string)
	start, okStart := toNumber(field(o, "start"))
	end, okEnd := toNumber(field(o, "end"))
	groups, okGroups := field(o, "groups").([]any)
	next, okNext := field(o, "next").(function)
	if !okStart || !okEnd || !okGroups || !okNext {
		return nil, fail("T1010")
	}
	if err := ev.spend(len(s) / 64); err != nil {
		return nil, err
	}
	m := &found{text: text, start: fromUnits(s, wholeOf(start)), end: fromUnits(s, wholeOf(end)), groups: groups}
	m.end = max(m.start, m.end)
	m.at, m.until = wholeOf(start), wholeOf(end)
	m.next = func() (*found, error) {
		v, err := ev.apply(next, nil, nil)
		if err != nil {
			return nil, err
		}
		return ev.foundBy(v, s)
	}
	return m, nil
}

func field(o *value.Object, key string) any {
	if v, ok := o.Get(key); ok {
		return v
	}
	return Undefined{}
}
