package jinja

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// textFunc is a method of str; a are its arguments.
type textFunc func(st *state, s string, a []any) (any, error)

// textMethod is a method and its parameters.
type textMethod struct {
	call   textFunc
	params []param
}

// strMethod finds a method of a str or Markup. What gives text out of a Markup
// is Markup again.
func (st *state) strMethod(of any, name string) (any, bool, error) {
	text, _ := textOf(of)
	_, html := of.(markup)
	switch name {
	case "format", "format_map":
		return formatMethod(text, name, html), true, nil
	}
	if st.textMethods == nil {
		st.textMethods = textMethods()
	}
	m, ok := st.textMethods[name]
	if !ok {
		if html && name == "unescape" {
			m = textMethod{func(_ *state, s string, _ []any) (any, error) { return unescapeHTML(s), nil }, nil}
			html = false
		} else {
			return nil, false, nil
		}
	}
	return &builtin{name: "str." + name, call: func(st *state, args []any, kw []kwarg) (any, error) {
		a, err := bindMethod(name, m.params, args, kw)
		if err != nil {
			return nil, err
		}
		if err := st.spend(len(text)); err != nil {
			return nil, err
		}
		if html {
			for i, v := range a {
				if s, isText := v.(string); isText && name != "center" {
					a[i] = escapeHTML(s)
				}
			}
		}
		v, err := m.call(st, text, a)
		if err != nil || !html {
			return v, err
		}
		return markAll(v), nil
	}}, true, nil
}

// bindMethod is bind with the messages of methods that are written in C.
func bindMethod(name string, params []param, args []any, kw []kwarg) ([]any, error) {
	required := 0
	for _, p := range params {
		if !p.optional {
			required++
		}
	}
	n := plainRepr(int64(len(args)))
	named := name == "split" || name == "rsplit" || name == "splitlines" || name == "expandtabs"
	if len(kw) > 0 && !named {
		return nil, typeError("str." + name + "() takes no keyword arguments")
	}
	switch {
	case len(params) == 0 && len(args) > 0:
		return nil, typeError("str." + name + "() takes no arguments (" + n + " given)")
	case len(params) == 1 && required == 1 && len(args) != 1:
		return nil, typeError("str." + name + "() takes exactly one argument (" + n + " given)")
	case len(args) < required && len(kw) == 0:
		return nil, typeError(name + " expected at least " + plainRepr(int64(required)) + " argument" + plural(required) + ", got " + n)
	case len(args) > len(params):
		if named {
			return nil, typeError(name + "() takes at most " + plainRepr(int64(len(params))) + " argument" + plural(len(params)) + " (" + n + " given)")
		}
		return nil, typeError(name + " expected at most " + plainRepr(int64(len(params))) + " argument" + plural(len(params)) + ", got " + n)
	}
	return bind(name, params, args, kw)
}

func markAll(v any) any {
	switch v := v.(type) {
	case string:
		return markup(v)
	case *list:
		for i, e := range v.items {
			v.items[i] = markAll(e)
		}
	case *tuple:
		for i, e := range v.items {
			v.items[i] = markAll(e)
		}
	}
	return v
}

func formatMethod(text, name string, html bool) *builtin {
	return &builtin{name: name, method: "function", call: func(st *state, args []any, kw []kwarg) (any, error) {
		named := newDict()
		for _, k := range kw {
			named.setText(k.name, k.value)
		}
		if name == "format_map" {
			if len(kw) > 0 {
				return nil, typeError("format_map() takes no keyword arguments")
			}
			if len(args) != 1 {
				return nil, typeError("format_map() takes exactly one argument (" + plainRepr(int64(len(args))) + " given)")
			}
			d, ok := args[0].(*dict)
			if !ok {
				return nil, typeError("format requires a mapping")
			}
			named, args = d, nil
		}
		s, err := st.strFormat(text, args, named, html)
		if err == nil {
			err = st.spend(len(s))
		}
		if html {
			return markup(s), err
		}
		return s, err
	}}
}

func plainText(f func(string) string) textMethod {
	return textMethod{func(_ *state, s string, _ []any) (any, error) { return f(s), nil }, nil}
}

// every tells whether a text has characters and all of them pass.
func every(ok func(rune) bool) textMethod {
	return textMethod{func(_ *state, s string, _ []any) (any, error) {
		return s != "" && strings.IndexFunc(s, func(r rune) bool { return !ok(r) }) < 0, nil
	}, nil}
}

func stripped(trim func(string, func(rune) bool) string) textMethod {
	return textMethod{func(_ *state, s string, a []any) (any, error) {
		if a[0] == nil {
			return trim(s, isSpace), nil
		}
		chars, ok := textOf(a[0])
		if !ok {
			return nil, typeError("strip arg must be None or str")
		}
		return trim(s, func(r rune) bool { return strings.ContainsRune(chars, r) }), nil
	}, []param{opt("chars", nil)}}
}

func needText(v any, what string) (string, error) {
	s, ok := textOf(v)
	if !ok {
		return "", typeError(what + typeName(v))
	}
	return s, nil
}

// textMethods are the methods of str.
func textMethods() map[string]textMethod {
	return map[string]textMethod{
		"upper": plainText(upper), "lower": plainText(lower), "casefold": plainText(casefold),
		"capitalize": plainText(capitalize), "title": plainText(titleCase), "swapcase": plainText(swapCase),
		"strip": stripped(strings.TrimFunc), "lstrip": stripped(strings.TrimLeftFunc), "rstrip": stripped(strings.TrimRightFunc),
		"isdigit": every(unicode.IsDigit), "isdecimal": every(unicode.IsDigit), "isnumeric": every(unicode.IsNumber),
		"isalpha": every(unicode.IsLetter), "isspace": every(isSpace),
		"isalnum": every(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }),
		"isascii": {func(_ *state, s string, _ []any) (any, error) {
			return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0, nil
		}, nil},
		"isprintable": {func(_ *state, s string, _ []any) (any, error) {
			return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0, nil
		}, nil},
		"isidentifier": {func(_ *state, s string, _ []any) (any, error) {
			return isIdentifier(s) && strings.IndexFunc(s, func(r rune) bool { return !isWord(r) }) < 0, nil
		}, nil},
		"islower": {func(_ *state, s string, _ []any) (any, error) { return hasCase(s, true), nil }, nil},
		"isupper": {func(_ *state, s string, _ []any) (any, error) { return hasCase(s, false), nil }, nil},
		"istitle": {func(_ *state, s string, _ []any) (any, error) {
			return titleCase(s) == s && strings.IndexFunc(s, unicode.IsUpper) >= 0, nil
		}, nil},
		"split":      {splitMethod(false), []param{opt("sep", nil), opt("maxsplit", int64(-1))}},
		"rsplit":     {splitMethod(true), []param{opt("sep", nil), opt("maxsplit", int64(-1))}},
		"splitlines": {splitLines, []param{opt("keepends", false)}},
		"join":       {joinMethod, []param{req("iterable")}},
		"replace":    {replaceMethod, []param{req("old"), req("new"), opt("count", int64(-1))}},
		"startswith": {affix(strings.HasPrefix, "startswith"), []param{req("prefix"), opt("start", nil), opt("end", nil)}},
		"endswith":   {affix(strings.HasSuffix, "endswith"), []param{req("suffix"), opt("start", nil), opt("end", nil)}},
		"find":       {findMethod(strings.Index, false), findParams()}, "rfind": {findMethod(strings.LastIndex, false), findParams()},
		"index": {findMethod(strings.Index, true), findParams()}, "rindex": {findMethod(strings.LastIndex, true), findParams()},
		"count":  {countMethod, findParams()},
		"center": {padMethod('^'), []param{req("width"), opt("fillchar", " ")}},
		"ljust":  {padMethod('<'), []param{req("width"), opt("fillchar", " ")}},
		"rjust":  {padMethod('>'), []param{req("width"), opt("fillchar", " ")}},
		"zfill":  {zfill, []param{req("width")}}, "expandtabs": {expandTabs, []param{opt("tabsize", int64(8))}},
		"partition": {partition(strings.Index, false), []param{req("sep")}}, "rpartition": {partition(strings.LastIndex, true), []param{req("sep")}},
		"removeprefix": {func(_ *state, s string, a []any) (any, error) {
			p, err := needText(a[0], "removeprefix() argument must be str, not ")
			return strings.TrimPrefix(s, p), err
		}, []param{req("prefix")}},
		"removesuffix": {func(_ *state, s string, a []any) (any, error) {
			p, err := needText(a[0], "removesuffix() argument must be str, not ")
			return strings.TrimSuffix(s, p), err
		}, []param{req("suffix")}},
	}
}

func findParams() []param { return []param{req("sub"), opt("start", nil), opt("end", nil)} }

func capitalize(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToTitle(r)) + strings.ToLower(s[n:])
}

func titleCase(s string) string {
	inWord := false
	return strings.Map(func(r rune) rune {
		was := inWord
		inWord = unicode.IsLetter(r)
		if was {
			return unicode.ToLower(r)
		}
		return unicode.ToTitle(r)
	}, s)
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

// hasCase tells whether all letters that have a case have this one.
func hasCase(s string, lower bool) bool {
	seen := false
	for _, r := range s {
		if unicode.IsUpper(r) || unicode.IsTitle(r) {
			if lower {
				return false
			}
			seen = true
		} else if unicode.IsLower(r) {
			if !lower {
				return false
			}
			seen = true
		}
	}
	return seen
}

func texts(parts []string) *list {
	items := make([]any, len(parts))
	for i, p := range parts {
		items[i] = p
	}
	return newList(items)
}

func splitMethod(right bool) textFunc {
	return func(_ *state, s string, a []any) (any, error) {
		n, ok := intOf(a[1])
		if !ok {
			return nil, typeError(pyrepr.String(typeName(a[1])) + " object cannot be interpreted as an integer")
		}
		if a[0] == nil {
			return texts(splitSpace(s, n, right)), nil
		}
		sep, err := needText(a[0], "must be str or None, not ")
		if err != nil {
			return nil, err
		}
		if sep == "" {
			return nil, valueError("empty separator")
		}
		if n < 0 || n > int64(len(s)) {
			n = int64(len(s))
		}
		if !right {
			return texts(strings.SplitN(s, sep, int(n)+1)), nil
		}
		var parts []string
		for ; n > 0; n-- {
			i := strings.LastIndex(s, sep)
			if i < 0 {
				break
			}
			parts = append(parts, s[i+len(sep):])
			s = s[:i]
		}
		parts = append(parts, s)
		slices.Reverse(parts)
		return texts(parts), nil
	}
}

func splitSpace(s string, n int64, right bool) []string {
	if n < 0 {
		return strings.FieldsFunc(s, isSpace)
	}
	var parts []string
	if right {
		for s = strings.TrimRightFunc(s, isSpace); s != ""; n-- {
			i := strings.LastIndexFunc(s, isSpace)
			if n == 0 || i < 0 {
				parts = append(parts, s)
				break
			}
			_, size := utf8.DecodeRuneInString(s[i:])
			parts = append(parts, s[i+size:])
			s = strings.TrimRightFunc(s[:i], isSpace)
		}
		slices.Reverse(parts)
		return parts
	}
	for s = strings.TrimLeftFunc(s, isSpace); s != ""; n-- {
		i := strings.IndexFunc(s, isSpace)
		if n == 0 || i < 0 {
			parts = append(parts, s)
			break
		}
		parts = append(parts, s[:i])
		s = strings.TrimLeftFunc(s[i:], isSpace)
	}
	return parts
}

// lines cuts a text as str.splitlines does.
func lines(s string, keep bool) []string {
	var out []string
	start := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if !strings.ContainsRune("\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029", r) {
			i += size
			continue
		}
		end := i + size
		if r == '\r' && end < len(s) && s[end] == '\n' {
			end++
		}
		if keep {
			out = append(out, s[start:end])
		} else {
			out = append(out, s[start:i])
		}
		i, start = end, end
	}
	if start < len(s) {
		out = append(out, s[start:])
	}
	return out
}

func splitLines(_ *state, s string, a []any) (any, error) { return texts(lines(s, truth(a[0]))), nil }

func joinMethod(st *state, s string, a []any) (any, error) {
	items, err := st.iterate(a[0])
	if err != nil {
		return nil, typeError("can only join an iterable")
	}
	var b strings.Builder
	for i, v := range items {
		text, ok := textOf(v)
		if !ok {
			return nil, typeError("sequence item " + plainRepr(int64(i)) + ": expected str instance, " + typeName(v) + " found")
		}
		if i > 0 {
			b.WriteString(s)
		}
		b.WriteString(text)
		if b.Len() > maxText {
			return nil, errTooLarge
		}
	}
	return b.String(), st.spend(b.Len())
}

func replaceMethod(st *state, s string, a []any) (any, error) {
	old, err := needText(a[0], "replace() argument 1 must be str, not ")
	if err != nil {
		return nil, err
	}
	with, err := needText(a[1], "replace() argument 2 must be str, not ")
	if err != nil {
		return nil, err
	}
	n, ok := intOf(a[2])
	if !ok {
		return nil, typeError(pyrepr.String(typeName(a[2])) + " object cannot be interpreted as an integer")
	}
	return st.replaced(s, old, with, n)
}

// replaced is str.replace within the bounds of a text.
func (st *state) replaced(s, old, with string, n int64) (string, error) {
	count := int64(strings.Count(s, old))
	if n < 0 || n > count {
		n = count
	}
	if grown := int64(len(with) - len(old)); grown > 0 && n > (maxText-int64(len(s)))/grown {
		return "", errTooLarge
	}
	out := strings.Replace(s, old, with, int(n))
	return out, st.spend(len(out))
}

// window cuts a text to the runes between two arguments of a method.
func window(s string, start, end any) (cut string, from int, err error) {
	if start == nil && end == nil {
		return s, 0, nil
	}
	runes := []rune(s)
	i, j, _, err := sliceBounds(sliceValue{start: start, stop: end}, int64(len(runes)))
	if err != nil {
		return "", 0, err
	}
	if i > j {
		return "", -1, nil
	}
	return string(runes[i:j]), int(i), nil
}

func affix(has func(string, string) bool, name string) textFunc {
	return func(st *state, s string, a []any) (any, error) {
		s, from, err := window(s, a[1], a[2])
		if err != nil || from < 0 {
			return false, err
		}
		options := []any{a[0]}
		if t, ok := a[0].(*tuple); ok {
			options = t.items
		}
		for _, o := range options {
			text, ok := textOf(o)
			if !ok {
				return nil, typeError(name + " first arg must be str or a tuple of str, not " + typeName(o))
			}
			if has(s, text) {
				return true, nil
			}
		}
		return false, st.spend(len(options))
	}
}

func findMethod(index func(string, string) int, must bool) textFunc {
	return func(_ *state, s string, a []any) (any, error) {
		sub, err := needText(a[0], "must be str, not ")
		if err != nil {
			return nil, err
		}
		cut, from, err := window(s, a[1], a[2])
		if err != nil {
			return nil, err
		}
		i := index(cut, sub)
		if i < 0 || from < 0 {
			if must {
				return nil, valueError("substring not found")
			}
			return int64(-1), nil
		}
		return int64(from + utf8.RuneCountInString(cut[:i])), nil
	}
}

func countMethod(_ *state, s string, a []any) (any, error) {
	sub, err := needText(a[0], "must be str, not ")
	if err != nil {
		return nil, err
	}
	cut, from, err := window(s, a[1], a[2])
	if err != nil || from < 0 {
		return int64(0), err
	}
	return int64(strings.Count(cut, sub)), nil
}

func widthOf(v any) (int, error) {
	n, ok := intOf(v)
	if !ok {
		if isInt(v) {
			return 0, errTooLarge
		}
		return 0, typeError(pyrepr.String(typeName(v)) + " object cannot be interpreted as an integer")
	}
	if n > maxText {
		return 0, errTooLarge
	}
	return int(max(n, 0)), nil
}

func padMethod(align byte) textFunc {
	return func(st *state, s string, a []any) (any, error) {
		width, err := widthOf(a[0])
		if err != nil {
			return nil, err
		}
		fill, ok := textOf(a[1])
		if !ok || utf8.RuneCountInString(fill) != 1 {
			return nil, typeError("The fill character must be exactly one character long")
		}
		r, _ := utf8.DecodeRuneInString(fill)
		return centered(st, s, r, width, align)
	}
}

// centered pads a text. Where the margin is odd, Python's center leaves the
// larger half to the left if the width is odd.
func centered(st *state, s string, fill rune, width int, align byte) (string, error) {
	margin := width - utf8.RuneCountInString(s)
	if margin <= 0 {
		return s, nil
	}
	if err := st.spend(width); err != nil {
		return "", err
	}
	left := 0
	switch align {
	case '^':
		left = margin/2 + margin&width&1
	case '>':
		left = margin
	}
	return strings.Repeat(string(fill), left) + s + strings.Repeat(string(fill), margin-left), nil
}

func zfill(st *state, s string, a []any) (any, error) {
	width, err := widthOf(a[0])
	if err != nil {
		return nil, err
	}
	n := width - utf8.RuneCountInString(s)
	if n <= 0 {
		return s, nil
	}
	sign := ""
	if s != "" && (s[0] == '+' || s[0] == '-') {
		sign, s = s[:1], s[1:]
	}
	return sign + strings.Repeat("0", n) + s, st.spend(width)
}

func expandTabs(st *state, s string, a []any) (any, error) {
	size, err := widthOf(a[0])
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	column := 0
	for _, r := range s {
		switch {
		case r == '\t' && size > 0:
			n := size - column%size
			if b.Len()+n > maxText {
				return nil, errTooLarge
			}
			b.WriteString(strings.Repeat(" ", n))
			column += n
		case r == '\t':
		case r == '\n' || r == '\r':
			b.WriteRune(r)
			column = 0
		default:
			b.WriteRune(r)
			column++
		}
	}
	return b.String(), st.spend(b.Len())
}

func partition(index func(string, string) int, right bool) textFunc {
	return func(_ *state, s string, a []any) (any, error) {
		sep, err := needText(a[0], "must be str, not ")
		if err != nil {
			return nil, err
		}
		if sep == "" {
			return nil, valueError("empty separator")
		}
		i := index(s, sep)
		switch {
		case i >= 0:
			return newTuple(s[:i], sep, s[i+len(sep):]), nil
		case right:
			return newTuple("", "", s), nil
		}
		return newTuple(s, "", ""), nil
	}
}

// upper knows the letters whose capital is several letters, which Go's tables
// leave out.
func upper(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch r {
		case 'ß':
			b.WriteString("SS")
		case 'ŉ':
			b.WriteString("ʼN")
		case 'ǰ':
			b.WriteString("J̌")
		case 'ﬀ':
			b.WriteString("FF")
		case 'ﬁ':
			b.WriteString("FI")
		case 'ﬂ':
			b.WriteString("FL")
		case 'ﬃ':
			b.WriteString("FFI")
		case 'ﬄ':
			b.WriteString("FFL")
		case 'ﬅ', 'ﬆ':
			b.WriteString("ST")
		default:
			b.WriteRune(unicode.ToUpper(r))
		}
	}
	return b.String()
}

// lower knows the one letter whose small one is two.
func lower(s string) string    { return strings.ToLower(strings.ReplaceAll(s, "İ", "i̇")) }
func casefold(s string) string { return strings.ReplaceAll(lower(s), "ß", "ss") }
