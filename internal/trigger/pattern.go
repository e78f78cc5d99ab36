package trigger

import "strings"

// glob reports whether the whole text matches the pattern in the manner of
// Python's fnmatchcase: * is any text, ? any character, [ab-c] one of a set and
// [!ab] one outside of it. A bracket that is not closed stands for itself.
func glob(pattern, text string) bool {
	p, s := []rune(pattern), []rune(text)
	back, from := -1, 0 // where the last * stands, and how far it has taken the text
	i, j := 0, 0
	for j < len(s) {
		if i < len(p) && p[i] == '*' {
			back, from = i, j
			i++
			continue
		}
		if next, ok := globOne(p, i, s[j]); ok {
			i, j = next, j+1
			continue
		}
		if back < 0 {
			return false
		}
		from++
		i, j = back+1, from
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// globOne matches one character at p[i:] and returns where the pattern goes on.
func globOne(p []rune, i int, c rune) (int, bool) {
	if i >= len(p) {
		return 0, false
	}
	switch p[i] {
	case '?':
		return i + 1, true
	case '[':
		if end := setEnd(p, i); end > 0 {
			return end + 1, inSet(p[i+1:end], c)
		}
	}
	return i + 1, p[i] == c
}

// setEnd finds the bracket that closes the one at i; 0 for none.
func setEnd(p []rune, i int) int {
	j := i + 1
	if j < len(p) && p[j] == '!' {
		j++
	}
	if j < len(p) && p[j] == ']' {
		j++
	}
	for ; j < len(p); j++ {
		if p[j] == ']' {
			return j
		}
	}
	return 0
}

func inSet(set []rune, c rune) bool {
	not := len(set) > 0 && set[0] == '!'
	if not {
		set = set[1:]
	}
	hit := false
	for k := 0; k < len(set); k++ {
		if k+2 < len(set) && set[k+1] == '-' {
			hit = hit || set[k] <= c && c <= set[k+2]
			k += 2
			continue
		}
		hit = hit || set[k] == c
	}
	return hit != not
}

// matches reports whether a label's or an event's value is as expected: a glob,
// or with a leading ! anything but it. Prefect: events.schemas.events.matches.
func matches(expected, value string) bool {
	if rest, not := strings.CutPrefix(expected, "!"); not {
		return !glob(rest, value)
	}
	return glob(expected, value)
}

// begins reports whether the text begins with the pattern, in which only * is
// special and stands for at least one character. Prefect: EventTrigger.covers.
func begins(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	text = text[len(parts[0]):]
	for _, part := range parts[1:] {
		if text == "" {
			return false
		}
		at := strings.Index(text[1:], part)
		if at < 0 {
			return false
		}
		text = text[1+at+len(part):]
	}
	return true
}

// plain reports whether the pattern matches nothing but itself.
func plain(pattern string) bool { return !strings.ContainsAny(pattern, "*?[") }
