package jsonata

import (
	"strings"
	"unicode/utf8"
)

// URL encoding is ECMAScript's encodeURI and encodeURIComponent: these are the
// characters that stay as they are beside letters and digits.
const (
	urlMarks    = "-_.!~*'()"
	urlReserved = ";/?:@&=+$,#"
)

func malformed(name string, s string) error {
	return failValue("D3140", s).withDetail("functionName", name)
}

func encodeURL(name string) implementation {
	keep := urlMarks
	if name == "encodeUrl" {
		keep += urlReserved
	}
	return func(c *callContext, args []any) (any, error) {
		s, ok := argument(args, 0).(string)
		if !ok {
			return Undefined{}, nil
		}
		if !utf8.ValidString(s) {
			return nil, malformed(name, s)
		}
		var b strings.Builder
		for i := range len(s) {
			ch := s[i]
			if alphanumeric(ch) || strings.IndexByte(keep, ch) >= 0 {
				b.WriteByte(ch)
				continue
			}
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[ch>>4], hex[ch&15]})
		}
		return b.String(), c.grow(b.Len())
	}
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// decodeURL decodes escapes; decodeUrl leaves those of reserved characters.
func decodeURL(name string) implementation {
	reserved := ""
	if name == "decodeUrl" {
		reserved = urlReserved
	}
	return func(c *callContext, args []any) (any, error) {
		s, ok := argument(args, 0).(string)
		if !ok {
			return Undefined{}, nil
		}
		out := make([]byte, 0, len(s))
		for i := 0; i < len(s); i++ {
			if s[i] != '%' {
				out = append(out, s[i])
				continue
			}
			ch, ok := escapedByte(s, i)
			if !ok {
				return nil, malformed(name, s)
			}
			if strings.IndexByte(reserved, ch) >= 0 {
				out = append(out, s[i:i+3]...)
			} else {
				out = append(out, ch)
			}
			i += 2
		}
		if utf8.ValidString(s) && !utf8.Valid(out) {
			return nil, malformed(name, s)
		}
		return string(out), c.grow(len(out))
	}
}

func escapedByte(s string, i int) (byte, bool) {
	if i+3 > len(s) {
		return 0, false
	}
	high, low := hexDigit(s[i+1]), hexDigit(s[i+2])
	return byte(high<<4 | low), high >= 0 && low >= 0
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
