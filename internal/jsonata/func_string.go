package jsonata

import (
	"encoding/base64"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/value"
)

// wholeOf is a number as an int, cut to what lengths can be.
func wholeOf(v any) int {
	f, _ := toNumber(v)
	if math.IsNaN(f) {
		return 0
	}
	return int(max(-1<<40, min(1<<40, math.Trunc(f))))
}

func callString(c *callContext, args []any) (any, error) {
	switch v := argument(args, 0).(type) {
	case Undefined, string:
		return v, nil
	default:
		pretty, _ := argument(args, 1).(bool)
		return c.stringOf(v, pretty)
	}
}

// stringOf is a value's JSON text, numbers to 15 digits; a function is empty.
func (ev *evaluator) stringOf(v any, pretty bool) (string, error) {
	if isFunction(v) {
		return "", nil
	}
	if f, ok := toNumber(v); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
		return "", failValue("D3001", f)
	}
	w := &jsonWriter{limit: ev.size, depth: maxNesting, pretty: pretty, round: true}
	if err := w.write(plain(v), 0); err != nil {
		return "", err
	}
	return string(w.out), ev.grow(len(w.out))
}

// span is the part of a text between two places in characters.
func span(s string, from, to int) string {
	start, end, n := len(s), len(s), 0
	for i := range s {
		if n == from {
			start = i
		}
		if n == to {
			end = i
			break
		}
		n++
	}
	if from >= to || start >= end {
		return ""
	}
	return s[start:end]
}

func callSubstring(c *callContext, args []any) (any, error) {
	s, ok := argument(args, 0).(string)
	if !ok {
		return Undefined{}, nil
	}
	if err := c.spend(len(s) / 16); err != nil {
		return nil, err
	}
	length := utf8.RuneCountInString(s)
	start := wholeOf(argument(args, 1))
	if length+start < 0 {
		start = 0
	}
	end := length
	if !isUndefined(argument(args, 2)) {
		count := wholeOf(args[2])
		if count <= 0 {
			return "", nil
		}
		if end = start + count; start < 0 {
			end = length + start + count
		}
	}
	if start < 0 {
		start += length
	}
	return span(s, start, min(end, length)), nil
}

func callSubstringBefore(_ *callContext, args []any) (any, error) {
	s, ok := argument(args, 0).(string)
	if !ok {
		return Undefined{}, nil
	}
	if sep, ok := argument(args, 1).(string); ok {
		before, _, _ := strings.Cut(s, sep)
		if sep == "" {
			return "", nil
		}
		return before, nil
	}
	return s, nil
}

func callSubstringAfter(_ *callContext, args []any) (any, error) {
	s, ok := argument(args, 0).(string)
	if !ok {
		return Undefined{}, nil
	}
	if sep, ok := argument(args, 1).(string); ok {
		if _, after, found := strings.Cut(s, sep); found {
			return after, nil
		}
	}
	return s, nil
}

func callLowercase(c *callContext, args []any) (any, error) {
	s, ok := argument(args, 0).(string)
	if !ok {
		return Undefined{}, nil
	}
	// JavaScript keeps the dot of this letter, Go does not.
	return strings.ToLower(strings.ReplaceAll(s, "İ", "i\u0307")), c.grow(len(s))
}

func callUppercase(c *callContext, args []any) (any, error) {
	s, ok := argument(args, 0).(string)
	if !ok {
		return Undefined{}, nil
	}
	return strings.ReplaceAll(strings.ToUpper(s), "ß", "SS"), c.grow(len(s))
}

func callLength(c *callContext, args []any) (any, error) {
	s, ok := argument(args, 0).(string)
	if !ok {
		return Undefined{}, nil
	}
	return float64(utf8.RuneCountInString(s)), c.spend(len(s) / 64)
}

// callTrim joins runs of white space and takes it off both ends.
func callTrim(c *callContext, args []any) (any, error) {
	s, ok := argument(args, 0).(string)
	if !ok {
		return Undefined{}, nil
	}
	words := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' })
	return strings.Join(words, " "), c.grow(len(s))
}

func callPad(c *callContext, args []any) (any, error) {
	s, ok := argument(args, 0).(string)
	if !ok {
		return Undefined{}, nil
	}
	width := wholeOf(argument(args, 1))
	fill, _ := argument(args, 2).(string)
	if fill == "" {
		fill = " "
	}
	left := width < 0
	if left {
		width = -width
	}
	missing := width - utf8.RuneCountInString(s)
	if missing <= 0 {
		return s, nil
	}
	if err := c.grow(missing * max(1, len(fill)/utf8.RuneCountInString(fill))); err != nil {
		return nil, err
	}
	padding := span(strings.Repeat(fill, missing/utf8.RuneCountInString(fill)+1), 0, missing)
	if left {
		return padding + s, nil
	}
	return s + padding, nil
}

func callJoin(c *callContext, args []any) (any, error) {
	if isUndefined(argument(args, 0)) {
		return Undefined{}, nil
	}
	sep, _ := argument(args, 1).(string)
	list := items(args, 0)
	texts := make([]string, len(list))
	size := 0
	for i, item := range list {
		texts[i], _ = item.(string)
		size += len(texts[i]) + len(sep)
	}
	if err := c.grow(size); err != nil {
		return nil, err
	}
	return strings.Join(texts, sep), nil
}

// callBase64Encode encodes characters up to U+00FF as one byte, as browsers do.
func callBase64Encode(c *callContext, args []any) (any, error) {
	s, ok := argument(args, 0).(string)
	if !ok {
		return Undefined{}, nil
	}
	raw := make([]byte, 0, len(s))
	for _, r := range s {
		if r >= 0x10000 {
			raw = append(raw, byte(0xd800+(r-0x10000)>>10), byte(0xdc00+(r-0x10000)&0x3ff))
			continue
		}
		raw = append(raw, byte(r))
	}
	return base64.StdEncoding.EncodeToString(raw), c.grow(2 * len(s))
}

// callBase64Decode passes over characters that are not of the alphabet.
func callBase64Decode(c *callContext, args []any) (any, error) {
	s, ok := argument(args, 0).(string)
	if !ok {
		return Undefined{}, nil
	}
	s, _, _ = strings.Cut(s, "=")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '-':
			return '+'
		case r == '_':
			return '/'
		case r < 0x80 && alphanumeric(byte(r)) || r == '+' || r == '/':
			return r
		}
		return -1
	}, s)
	if len(s)%4 == 1 {
		s = s[:len(s)-1]
	}
	// Bits that are left over do not matter, so that this cannot fail.
	raw, _ := base64.RawStdEncoding.DecodeString(s)
	var b strings.Builder
	for _, c := range raw {
		b.WriteRune(rune(c))
	}
	return b.String(), c.grow(2 * len(raw))
}

// jsonWriter writes JSON texts up to a length and depth.
type jsonWriter struct {
	out    []byte
	limit  int
	depth  int
	pretty bool
	round  bool // numbers to 15 digits; infinite ones are errors
}

func (w *jsonWriter) write(v any, level int) error {
	if level > w.depth {
		return tooDeep()
	}
	if len(w.out) > w.limit {
		return limitError("The expression builds more data than an evaluation may")
	}
	switch v := v.(type) {
	case []any:
		return w.all('[', ']', len(v), level, func(i int) error { return w.write(v[i], level+1) })
	case *value.Object:
		return w.all('{', '}', v.Len(), level, func(i int) error {
			key, item := v.At(i)
			w.out = append(value.AppendString(w.out, key), ':')
			if w.pretty {
				w.out = append(w.out, ' ')
			}
			return w.write(item, level+1)
		})
	case string:
		w.out = value.AppendString(w.out, v)
		return nil
	}
	if f, ok := toNumber(v); ok {
		return w.number(f)
	}
	if isFunction(v) {
		w.out = append(w.out, `""`...)
		return nil
	}
	w.out = value.Append(w.out, v)
	return nil
}

func (w *jsonWriter) number(f float64) error {
	switch {
	case !w.round && (math.IsNaN(f) || math.IsInf(f, 0)):
		w.out = append(w.out, "null"...)
		return nil
	case math.IsInf(f, 0):
		return failValue("D1001", f)
	case w.round:
		f = roundDigits(f)
	}
	w.out = append(w.out, formatNumber(f)...)
	return nil
}

func (w *jsonWriter) all(open, closing byte, n, level int, item func(i int) error) error {
	w.out = append(w.out, open)
	for i := range n {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.newline(level + 1)
		if err := item(i); err != nil {
			return err
		}
	}
	if n > 0 {
		w.newline(level)
	}
	w.out = append(w.out, closing)
	return nil
}

func (w *jsonWriter) newline(level int) {
	if w.pretty {
		w.out = append(w.out, '\n')
		for range level {
			w.out = append(w.out, ' ', ' ')
		}
	}
}
