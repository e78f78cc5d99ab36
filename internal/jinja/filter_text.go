package jinja

import (
	"html"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// onText makes a filter that turns a value's text into another; a Markup stays one.
func onText(name string, f func(string) string) *builtin {
	return function(name, func(st *state, a []any) (any, error) {
		v, err := st.softStr(a[0])
		if err != nil {
			return nil, err
		}
		text, _ := textOf(v)
		if err := st.spend(len(text)); err != nil {
			return nil, err
		}
		if _, ok := v.(markup); ok {
			return markup(f(text)), nil
		}
		return f(text), nil
	}, req("s"))
}

// textFilter finds the filters of texts.
func textFilter(name string) *builtin {
	switch name {
	case "upper":
		return onText("do_upper", upper)
	case "lower":
		return onText("do_lower", lower)
	case "capitalize":
		return onText("do_capitalize", capitalize)
	case "title":
		return onText("do_title", titleFilter)
	case "escape", "e":
		return function("escape", func(st *state, a []any) (any, error) { return st.escape(a[0]) }, req("s"))
	case "forceescape":
		return function("do_forceescape", func(st *state, a []any) (any, error) {
			s, err := st.str(a[0])
			return markup(escapeHTML(s)), err
		}, req("value"))
	case "safe":
		return function("do_mark_safe", func(st *state, a []any) (any, error) {
			s, err := st.str(a[0])
			return markup(s), err
		}, req("value"))
	case "string":
		return function("soft_str", func(st *state, a []any) (any, error) { return st.softStr(a[0]) }, req("s"))
	case "striptags":
		return function("do_striptags", func(st *state, a []any) (any, error) {
			s, err := st.str(a[0])
			return stripTags(s), err
		}, req("value"))
	case "trim":
		return function("do_trim", trimFilter, req("value"), opt("chars", nil))
	case "replace":
		return function("do_replace", replaceFilter, req("s"), req("old"), req("new"), opt("count", nil))
	case "center":
		return function("do_center", centerFilter, req("value"), opt("width", int64(80)))
	case "truncate":
		return function("do_truncate", truncate, req("s"), opt("length", int64(255)), opt("killwords", false), opt("end", "..."), opt("leeway", nil))
	case "indent":
		return function("do_indent", indent, req("s"), opt("width", int64(4)), opt("first", false), opt("blank", false))
	case "wordwrap":
		return function("do_wordwrap", wordWrap, req("s"), opt("width", int64(79)), opt("break_long_words", true),
			opt("wrapstring", nil), opt("break_on_hyphens", true))
	case "wordcount":
		return function("do_wordcount", func(st *state, a []any) (any, error) {
			s, err := st.str(a[0])
			return int64(len(strings.FieldsFunc(s, func(r rune) bool { return !isWord(r) }))), err
		}, req("s"))
	case "urlencode":
		return function("do_urlencode", urlEncode, req("value"))
	case "urlize":
		return function("do_urlize", urlizeFilter, req("value"), opt("trim_url_limit", nil), opt("nofollow", false),
			opt("target", nil), opt("rel", nil), opt("extra_schemes", nil))
	case "xmlattr":
		return function("do_xmlattr", xmlAttr, req("d"), opt("autospace", true))
	case "format":
		return &builtin{name: "do_format", method: "function", call: formatFilter}
	case "flow_run_id":
		return function("flow_run_id", flowRunID, req("text"))
	}
	return nil
}

var reWordStart = regexp.MustCompile(`[-\s\v\x1c-\x1f\x{85}\x{a0}({\[<]+`)

func titleFilter(s string) string {
	var b strings.Builder
	word := func(w string) {
		r, n := utf8.DecodeRuneInString(w)
		if n > 0 {
			b.WriteString(strings.ToUpper(string(r)) + strings.ToLower(w[n:]))
		}
	}
	at := 0
	for _, m := range reWordStart.FindAllStringIndex(s, -1) {
		word(s[at:m[0]])
		word(s[m[0]:m[1]])
		at = m[1]
	}
	word(s[at:])
	return b.String()
}

func unescapeHTML(s string) string { return html.UnescapeString(s) }

var (
	reComment = regexp.MustCompile(`(?s)<!--.*?-->`)
	reTag     = regexp.MustCompile(`(?s)<.*?>`)
)

func stripTags(s string) string {
	s = reTag.ReplaceAllString(reComment.ReplaceAllString(s, ""), "")
	return unescapeHTML(strings.Join(strings.FieldsFunc(s, isSpace), " "))
}

func trimFilter(st *state, a []any) (any, error) {
	v, err := st.softStr(a[0])
	if err != nil {
		return nil, err
	}
	m, _, err := st.strMethod(v, "strip")
	if err != nil {
		return nil, err
	}
	return st.call(m, []any{a[1]}, nil)
}

func replaceFilter(st *state, a []any) (any, error) {
	n := int64(-1)
	if a[3] != nil {
		var ok bool
		if n, ok = intOf(a[3]); !ok {
			return nil, typeError(pyrepr.String(typeName(a[3])) + " object cannot be interpreted as an integer")
		}
	}
	var parts [3]string
	html := false
	if st.autoescape {
		_, sHTML := a[0].(markup)
		_, oldHTML := a[1].(markup)
		_, newHTML := a[2].(markup)
		html = sHTML || oldHTML || newHTML
	}
	for i := range parts {
		var err error
		if html {
			var m markup
			m, err = st.escape(a[i])
			parts[i] = string(m)
		} else {
			parts[i], err = st.str(a[i])
		}
		if err != nil {
			return nil, err
		}
	}
	s, err := st.replaced(parts[0], parts[1], parts[2], n)
	if html {
		return markup(s), err
	}
	return s, err
}

func centerFilter(st *state, a []any) (any, error) {
	v, err := st.softStr(a[0])
	if err != nil {
		return nil, err
	}
	width, err := widthOf(a[1])
	if err != nil {
		return nil, err
	}
	s, _ := textOf(v)
	out, err := centered(st, s, ' ', width, '^')
	if _, ok := v.(markup); ok {
		return markup(out), err
	}
	return out, err
}

func truncate(st *state, a []any) (any, error) {
	size, ok := intOf(a[1])
	if !ok {
		return nil, typeError("'>=' not supported between instances of " + pyrepr.String(typeName(a[1])) + " and 'int'")
	}
	end, err := needText(a[3], "can only concatenate str to ")
	if err != nil {
		return nil, err
	}
	leeway := int64(5)
	if a[4] != nil {
		leeway, _ = intOf(a[4])
	}
	endLen := int64(utf8.RuneCountInString(end))
	if size < endLen {
		return nil, &pyError{"AssertionError", "expected length >= " + plainRepr(endLen) + ", got " + plainRepr(size)}
	}
	if leeway < 0 {
		return nil, &pyError{"AssertionError", "expected leeway >= 0, got " + plainRepr(leeway)}
	}
	n, err := length(a[0])
	if err != nil {
		return nil, err
	}
	if int64(n) <= size+leeway {
		return a[0], nil
	}
	s, ok := textOf(a[0])
	if !ok {
		return nil, typeError(pyrepr.String(typeName(a[0])) + " object has no attribute 'rsplit'")
	}
	_, html := a[0].(markup)
	cut := string([]rune(s)[:size-endLen])
	if !truth(a[2]) {
		if i := strings.LastIndexByte(cut, ' '); i >= 0 {
			cut = cut[:i]
		}
	}
	if html {
		m, err := st.escape(a[3])
		return markup(cut) + m, err
	}
	return cut + end, st.spend(len(s))
}

func indent(st *state, a []any) (any, error) {
	s, ok := textOf(a[0])
	if !ok {
		if u, isUndef := a[0].(*undefined); isUndef {
			return nil, u.fail()
		}
		if _, isList := a[0].(*list); isList {
			return nil, &pyError{"AttributeError", "'list' object has no attribute 'splitlines'"}
		}
		return nil, typeError("unsupported operand type(s) for +=: " + pyrepr.String(typeName(a[0])) + " and 'str'")
	}
	_, html := a[0].(markup)
	pad, isText := textOf(a[1])
	if !isText {
		width, err := widthOf(a[1])
		if err != nil {
			return nil, err
		}
		if width > maxWidth {
			return nil, errTooLarge
		}
		pad = strings.Repeat(" ", width)
	}
	all := lines(s+"\n", false)
	if len(pad)*len(all)+len(s) > maxText {
		return nil, errTooLarge
	}
	var b strings.Builder
	for i, line := range all {
		if i > 0 {
			b.WriteByte('\n')
			if line != "" || truth(a[3]) {
				b.WriteString(pad)
			}
		}
		b.WriteString(line)
	}
	out := b.String()
	if truth(a[2]) {
		out = pad + out
	}
	if html {
		return markup(out), st.spend(len(out))
	}
	return out, st.spend(len(out))
}

func formatFilter(st *state, args []any, kw []kwarg) (any, error) {
	v, err := st.softStr(args[0])
	if err != nil {
		return nil, err
	}
	args = args[1:]
	if len(args) > 0 && len(kw) > 0 {
		return nil, &pyError{"FilterArgumentError", "can't handle positional and keyword arguments at the same time"}
	}
	text, _ := textOf(v)
	if len(kw) == 0 {
		return st.percent(text, v, newTuple(args...))
	}
	d := newDict()
	for _, k := range kw {
		d.setText(k.name, k.value)
	}
	return st.percent(text, v, d)
}

// quoteURL escapes what has a meaning in a URL.
func quoteURL(s string, query bool) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '.', c == '-', c == '~':
			b.WriteByte(c)
		case c == '/' && !query:
			b.WriteByte(c)
		case c == ' ' && query:
			b.WriteByte('+')
		default:
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}

func urlEncode(st *state, a []any) (any, error) {
	var pairs []any
	switch v := a[0].(type) {
	case *dict:
		pairs = (&view{of: v, kind: "items"}).items()
	case *list, *tuple, *view, *iterator, rangeValue, *undefined:
		var err error
		if pairs, err = st.iterate(v); err != nil {
			return nil, err
		}
	default:
		s, err := st.str(v)
		return quoteURL(s, false), err
	}
	var b strings.Builder
	for i, p := range pairs {
		kv, err := st.unpack(p, 2)
		if err != nil {
			return nil, err
		}
		k, err := st.str(kv[0])
		if err != nil {
			return nil, err
		}
		v, err := st.str(kv[1])
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(quoteURL(k, true) + "=" + quoteURL(v, true))
		if b.Len() > maxText {
			return nil, errTooLarge
		}
	}
	return b.String(), nil
}

func xmlAttr(st *state, a []any) (any, error) {
	d, ok := a[0].(*dict)
	if !ok {
		if u, isUndef := a[0].(*undefined); isUndef {
			return nil, u.fail()
		}
		return nil, &pyError{"AttributeError", pyrepr.String(typeName(a[0])) + " object has no attribute 'items'"}
	}
	var parts []string
	for i, k := range d.keys {
		if _, isUndef := d.values[i].(*undefined); isUndef || d.values[i] == nil {
			continue
		}
		name, isText := textOf(k)
		if !isText {
			return nil, typeError("expected string or bytes-like object, got " + pyrepr.String(typeName(k)))
		}
		if strings.ContainsAny(name, " \t\n\r\f\v/>=") {
			return nil, valueError("Invalid character in attribute name: " + pyrepr.String(name))
		}
		key, err := st.escape(k)
		if err != nil {
			return nil, err
		}
		v, err := st.escape(d.values[i])
		if err != nil {
			return nil, err
		}
		parts = append(parts, string(key)+`="`+string(v)+`"`)
	}
	out := strings.Join(parts, " ")
	if truth(a[1]) && out != "" {
		out = " " + out
	}
	return st.marked(out), st.spend(len(out))
}

var reFlowRun = regexp.MustCompile(`flow-run/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})`)

// flowRunID finds the id of a flow run in a text, such as the address of its page.
func flowRunID(_ *state, a []any) (any, error) {
	if !truth(a[0]) {
		return nil, nil
	}
	s, ok := textOf(a[0])
	if !ok {
		return nil, typeError("expected string or bytes-like object, got " + pyrepr.String(typeName(a[0])))
	}
	if m := reFlowRun.FindStringSubmatch(s); m != nil {
		return m[1], nil
	}
	return nil, nil
}

// wordWrap breaks lines at a width, as textwrap does.
func wordWrap(st *state, a []any) (any, error) {
	v := a[0]
	s, ok := textOf(v)
	if !ok {
		if u, isUndef := v.(*undefined); isUndef {
			return nil, u.fail()
		}
		return nil, &pyError{"AttributeError", pyrepr.String(typeName(v)) + " object has no attribute 'splitlines'"}
	}
	width, okWidth := intOf(a[1])
	if !okWidth || width <= 0 {
		return nil, valueError("invalid width " + repr(a[1]) + " (must be > 0)")
	}
	sep := "\n"
	if a[3] != nil {
		var err error
		if sep, err = needText(a[3], "wrapstring must be str, not "); err != nil {
			return nil, err
		}
	}
	if len(s)/int(min(width, maxText))*(len(sep)+1) > 2*maxText {
		return nil, errTooLarge
	}
	var out []string
	for _, line := range lines(s, false) {
		out = append(out, strings.Join(wrapLine(line, int(min(width, maxText)), truth(a[2]), truth(a[4])), sep))
	}
	if len(out)*len(sep)+len(s) > maxText || len(s)*len(sep) > 4*maxText {
		return nil, errTooLarge
	}
	return strings.Join(out, sep), st.spend(4 * len(s))
}

// chunks cuts a line into words, spaces and parts of words that end in a hyphen.
func chunks(line string, hyphens bool) []string {
	var out []string
	for line != "" {
		space := isWrapSpace(rune(line[0]))
		n := strings.IndexFunc(line, func(r rune) bool { return isWrapSpace(r) != space })
		if n < 0 {
			n = len(line)
		}
		word := line[:n]
		line = line[n:]
		for hyphens && !space {
			i := hyphenIn(word)
			if i < 0 {
				break
			}
			out = append(out, word[:i])
			word = word[i:]
		}
		out = append(out, word)
	}
	return out
}

func isWrapSpace(r rune) bool { return strings.ContainsRune("\t\n\x0b\x0c\r ", r) }

// hyphenIn is where a word may be broken: behind a hyphen between letters.
func hyphenIn(word string) int {
	for i := 1; i+1 < len(word); i++ {
		if word[i] != '-' || word[i-1] == '-' {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(word[:i])
		rest := word[i+1:]
		after, n := utf8.DecodeRuneInString(rest)
		second, _ := utf8.DecodeRuneInString(rest[n:])
		if i >= 2 && unicode.IsLetter(before) && unicode.IsLetter(after) && (unicode.IsLetter(second) || second == '-') {
			prev, _ := utf8.DecodeLastRuneInString(word[:i-utf8.RuneLen(before)])
			if unicode.IsLetter(prev) {
				return i + 1
			}
		}
	}
	return -1
}

// firstRunes is how many bytes the first n runes of a text take.
func firstRunes(s string, n int) int {
	for i := range s {
		if n <= 0 {
			return i
		}
		n--
	}
	return len(s)
}

func wrapLine(line string, width int, breakLong, hyphens bool) []string {
	words := chunks(line, hyphens)
	var out []string
	for len(words) > 0 {
		if len(out) > 0 && strings.TrimFunc(words[0], isWrapSpace) == "" {
			words = words[1:]
			if len(words) == 0 {
				break
			}
		}
		var cur []string
		size := 0
		for len(words) > 0 && firstRunes(words[0], width-size) == len(words[0]) {
			size += utf8.RuneCountInString(words[0])
			cur = append(cur, words[0])
			words = words[1:]
		}
		if len(words) > 0 && firstRunes(words[0], width) < len(words[0]) {
			switch {
			case breakLong:
				n := firstRunes(words[0], max(width-size, 1))
				if i := strings.LastIndexByte(words[0][:n], '-'); hyphens && i > 0 && n < len(words[0]) && strings.Trim(words[0][:i], "-") != "" {
					n = i + 1
				}
				cur = append(cur, words[0][:n])
				words[0] = words[0][n:]
			case len(cur) == 0:
				cur = append(cur, words[0])
				words = words[1:]
			}
		}
		if len(cur) > 0 && strings.TrimFunc(cur[len(cur)-1], isWrapSpace) == "" {
			cur = cur[:len(cur)-1]
		}
		if len(cur) > 0 {
			out = append(out, strings.Join(cur, ""))
		}
	}
	return out
}
