package jsonata

import (
	"math"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// limitOf reads an optional limit: how often at most, or -1 for always.
func limitOf(v any, code string, index int) (float64, error) {
	if isUndefined(v) {
		return math.Inf(1), nil
	}
	f, _ := toNumber(v)
	if f < 0 {
		return 0, failValue(code, f).withIndex(index)
	}
	return f, nil
}

func callMatch(c *callContext, args []any) (any, error) {
	s, ok := argument(args, 0).(string)
	if !ok {
		return Undefined{}, nil
	}
	limit, err := limitOf(argument(args, 2), "D3040", 3)
	if err != nil {
		return nil, err
	}
	out := sequence()
	if limit == 0 {
		return out, nil
	}
	m, err := c.search(args[1], s)
	for ; err == nil && m != nil && float64(len(out.items)) < limit; m, err = m.next() {
		if err := c.grow(3 + len(m.groups)); err != nil {
			return nil, err
		}
		out.items = append(out.items, value.Of(
			"match", m.text, "index", float64(m.at), "groups", groupsOf(m.groups)))
	}
	return out, err
}

func callContains(c *callContext, args []any) (any, error) {
	s, ok := argument(args, 0).(string)
	if !ok {
		return Undefined{}, nil
	}
	if err := c.spend(len(s) / 256); err != nil {
		return nil, err
	}
	switch token := argument(args, 1).(type) {
	case string:
		return strings.Contains(s, token), nil
	case function:
		m, err := c.search(token, s)
		return m != nil, err
	}
	return Undefined{}, nil
}

func callSplit(c *callContext, args []any) (any, error) {
	s, ok := argument(args, 0).(string)
	if !ok {
		return Undefined{}, nil
	}
	limit, err := limitOf(argument(args, 2), "D3020", 3)
	if err != nil {
		return nil, err
	}
	out := []any{}
	switch sep := argument(args, 1).(type) {
	case string:
		if err := c.grow(strings.Count(s, sep) + 1); err != nil {
			return nil, err
		}
		for part := range strings.SplitSeq(s, sep) {
			if float64(len(out)) >= math.Floor(limit) {
				break
			}
			out = append(out, part)
		}
		return out, nil
	case function:
		from := 0
		m, err := c.search(sep, s)
		for ; err == nil && m != nil && float64(len(out)) < limit; m, err = m.next() {
			out = append(out, s[min(from, m.start):m.start])
			from = m.end
			if err := c.grow(1); err != nil {
				return nil, err
			}
		}
		if float64(len(out)) < limit {
			out = append(out, s[from:])
		}
		return out, err
	}
	return Undefined{}, nil
}

func callReplace(c *callContext, args []any) (any, error) {
	s, ok := argument(args, 0).(string)
	if !ok {
		return Undefined{}, nil
	}
	pattern, replacement := argument(args, 1), argument(args, 2)
	if pattern == "" {
		return nil, failValue("D3010", pattern).withIndex(2)
	}
	limit, err := limitOf(argument(args, 3), "D3011", 4)
	if err != nil {
		return nil, err
	}
	if isUndefined(replacement) {
		return Undefined{}, nil
	}
	if text, ok := pattern.(string); ok {
		return c.replaceText(s, text, replacement, limit)
	}
	m, err := c.search(pattern, s)
	var b strings.Builder
	from, done := 0, 0.0
	for ; err == nil && m != nil && done < limit; m, err = m.next() {
		with, err := c.replacementOf(m, s, replacement)
		if err != nil {
			return nil, err
		}
		if err := c.grow(len(with) + m.start - min(from, m.start)); err != nil {
			return nil, err
		}
		b.WriteString(s[min(from, m.start):m.start])
		b.WriteString(with)
		from = m.end
		done++
	}
	if err != nil {
		return nil, err
	}
	b.WriteString(s[from:])
	return b.String(), c.grow(len(s) - from)
}

func (c *callContext) replaceText(s, text string, replacement any, limit float64) (any, error) {
	with, ok := replacement.(string)
	if !ok {
		return Undefined{}, nil
	}
	count := -1
	if limit < float64(len(s)) {
		count = int(math.Ceil(limit))
	}
	times := strings.Count(s, text)
	if count >= 0 {
		times = min(times, count)
	}
	if err := c.grow(len(s) + times*len(with)); err != nil {
		return nil, err
	}
	return strings.Replace(s, text, with, count), nil
}

// replacementOf is what a match is replaced by.
func (c *callContext) replacementOf(m *found, s string, replacement any) (string, error) {
	if text, ok := replacement.(string); ok {
		return expand(text, m), nil
	}
	v, err := c.apply(replacement, []any{m.object(s)}, nil)
	if err != nil {
		return "", err
	}
	text, ok := v.(string)
	if !ok {
		return "", failValue("D3012", v)
	}
	return text, nil
}

// expand puts the groups of a match in the place of $1, $2 and so on; $0 is
// the match and $$ a dollar sign. Of digits that name no group only as many
// count as the number of groups has.
func expand(text string, m *found) string {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(text, "$")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		text = after
		switch {
		case strings.HasPrefix(text, "$"):
			b.WriteByte('$')
			text = text[1:]
			continue
		case strings.HasPrefix(text, "0"):
			b.WriteString(m.text)
			text = text[1:]
			continue
		}
		digits := 0
		most := 1
		if len(m.groups) > 0 {
			most = len(strconv.Itoa(len(m.groups)))
		}
		for digits < len(text) && digits < most && text[digits] >= '0' && text[digits] <= '9' {
			digits++
		}
		n, err := strconv.Atoi(text[:digits])
		if err != nil {
			b.WriteByte('$')
			continue
		}
		if most > 1 && n > len(m.groups) {
			digits--
			n, _ = strconv.Atoi(text[:digits])
		}
		if n >= 1 && n <= len(m.groups) {
			group, _ := m.groups[n-1].(string)
			b.WriteString(group)
		}
		text = text[digits:]
	}
}
