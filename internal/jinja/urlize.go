package jinja

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/pyrepr"
)

var (
	reLink = regexp.MustCompile(`(?i)^(?:(?:https?://|www\.)(?:(?:[\p{L}\p{N}_%-]+\.)+)?(?:[a-z]{2,63}|xn--[\p{L}\p{N}_%]{2,59})` +
		`|(?:[\p{L}\p{N}_%-]{2,63}\.)+(?:com|net|int|edu|gov|org|info|mil)` +
		`|https?://(?:\d{1,3}(?:\.\d{1,3}){3}|\[(?:[\da-f]{0,4}:){2}(?:[\da-f]{0,4}:?){1,6}\]))` +
		`(?::\d{1,5})?(?:[/?#]\S*)?$`)
	reMail   = regexp.MustCompile(`^\S+@[\p{L}\p{N}_][\p{L}\p{N}_.-]*\.[\p{L}\p{N}_]+$`)
	reHead   = regexp.MustCompile(`^(?:[(<]|&lt;)+`)
	reTail   = regexp.MustCompile(`(?:[)>.,\n]|&gt;)+$`)
	reScheme = regexp.MustCompile(`^[\p{L}\p{N}_.+-]{2,}:/{0,2}$`)
	reSpaces = regexp.MustCompile(`[\s\v\x1c-\x1f\x{85}\x{a0}]+`)
)

// linker makes links of the addresses in a text.
type linker struct {
	limit   int64 // runes of an address that are shown; -1 for all
	attrs   string
	schemes []string
}

func urlizeFilter(st *state, a []any) (any, error) {
	text, err := st.escape(a[0])
	if err != nil {
		return nil, err
	}
	l := linker{limit: -1}
	if a[1] != nil {
		n, ok := intOf(a[1])
		if !ok {
			return nil, typeError("'>' not supported between instances of 'int' and " + pyrepr.String(typeName(a[1])))
		}
		l.limit = max(n, 0)
	}
	rel := []string{"noopener"}
	if s, ok := textOf(a[4]); ok {
		rel = append(rel, strings.FieldsFunc(s, isSpace)...)
	}
	if truth(a[2]) {
		rel = append(rel, "nofollow")
	}
	slices.Sort(rel)
	l.attrs = ` rel="` + escapeHTML(strings.Join(slices.Compact(rel), " ")) + `"`
	if truth(a[3]) {
		target, err := st.escape(a[3])
		if err != nil {
			return nil, err
		}
		l.attrs += ` target="` + string(target) + `"`
	}
	if a[5] != nil {
		schemes, err := st.iterate(a[5])
		if err != nil {
			return nil, err
		}
		for _, v := range schemes {
			s, _ := textOf(v)
			if !reScheme.MatchString(s) {
				return nil, &pyError{"FilterArgumentError", repr(v) + " is not a valid URI scheme prefix."}
			}
			l.schemes = append(l.schemes, s)
		}
	}
	out, err := l.run(st, string(text))
	if err != nil {
		return nil, err
	}
	return st.marked(out), nil
}

func (l *linker) run(st *state, text string) (string, error) {
	var b strings.Builder
	at := 0
	for _, m := range append(reSpaces.FindAllStringIndex(text, -1), []int{len(text), len(text)}) {
		b.WriteString(l.word(text[at:m[0]]))
		b.WriteString(text[m[0]:m[1]])
		at = m[1]
		if b.Len() > maxText {
			return "", errTooLarge
		}
	}
	return b.String(), st.spend(4 * b.Len())
}

func (l *linker) shown(s string) string {
	if l.limit >= 0 && int64(utf8.RuneCountInString(s)) > l.limit {
		return string([]rune(s)[:l.limit]) + "..."
	}
	return s
}

func (l *linker) word(word string) string {
	head := reHead.FindString(word)
	middle := word[len(head):]
	tail := reTail.FindString(middle)
	middle = middle[:len(middle)-len(tail)]
	for _, pair := range [][2]string{{"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}} {
		open := strings.Count(middle, pair[0])
		if open <= strings.Count(middle, pair[1]) {
			continue
		}
		for range min(open, strings.Count(tail, pair[1])) {
			end := strings.Index(tail, pair[1]) + len(pair[1])
			middle += tail[:end]
			tail = tail[end:]
		}
	}
	return head + l.link(middle) + tail
}

func (l *linker) link(s string) string {
	switch {
	case reLink.MatchString(s):
		address := s
		if !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") {
			address = "https://" + s
		}
		return `<a href="` + address + `"` + l.attrs + ">" + l.shown(s) + "</a>"
	case strings.HasPrefix(s, "mailto:") && reMail.MatchString(s[7:]):
		return `<a href="` + s + `">` + s[7:] + "</a>"
	case strings.Contains(s, "@") && !strings.HasPrefix(s, "www.") && !strings.HasPrefix(s, "@") &&
		!strings.Contains(s, ":") && reMail.MatchString(s):
		return `<a href="mailto:` + s + `">` + s + "</a>"
	}
	for _, scheme := range l.schemes {
		if s != scheme && strings.HasPrefix(s, scheme) {
			return `<a href="` + s + `"` + l.attrs + ">" + s + "</a>"
		}
	}
	return s
}
