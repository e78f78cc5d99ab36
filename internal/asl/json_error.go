package asl

import (
	"fmt"
	"unicode/utf8"
)

// JSONError says in the service's words what keeps a text from being JSON; ""
// for a text that is.
func JSONError(data []byte) string {
	r := &jsonReader{data: data}
	if r.space(); r.pos == len(data) {
		return "No content to map due to end-of-input"
	}
	if r.value(0) {
		r.space()
		if r.pos < len(data) {
			r.token()
		}
	}
	return r.message
}

// jsonReader walks a JSON text and words the first error.
type jsonReader struct {
	data    []byte
	pos     int
	message string
}

const anyValue = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

func (r *jsonReader) fail(format string, args ...any) bool {
	if r.message == "" {
		r.message = fmt.Sprintf(format, args...)
	}
	return false
}

func (r *jsonReader) space() {
	for r.pos < len(r.data) {
		switch r.data[r.pos] {
		case ' ', '\t', '\r', '\n':
			r.pos++
			continue
		}
		return
	}
}

// unexpected fails at the character that is next.
func (r *jsonReader) unexpected(expected string) bool {
	if r.pos >= len(r.data) {
		return r.fail("Unexpected end-of-input")
	}
	c, _ := utf8.DecodeRune(r.data[r.pos:])
	return r.fail("Unexpected character ('%c' (code %d)): %s", c, c, expected)
}

// token reads true, false or null, and fails at any other word.
func (r *jsonReader) token() bool {
	start := r.pos
	for r.pos < len(r.data) {
		c, n := utf8.DecodeRune(r.data[r.pos:])
		if !identifierRune(c, r.pos == start) && c != '$' {
			break
		}
		r.pos += n
	}
	switch word := string(r.data[start:r.pos]); word {
	case "true", "false", "null":
		return true
	case "":
		return r.unexpected("expected a valid value " + anyValue)
	default:
		return r.fail("Unrecognized token '%s': was expecting %s", word, anyValue)
	}
}

func (r *jsonReader) value(depth int) bool {
	r.space()
	if r.pos >= len(r.data) {
		return r.fail("Unexpected end-of-input")
	}
	if depth > 1000 {
		return r.fail("Document nesting depth (%d) exceeds the maximum allowed (1000)", depth)
	}
	switch c := r.data[r.pos]; {
	case c == '{':
		return r.object(depth)
	case c == '[':
		return r.array(depth)
	case c == '"':
		return r.str()
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	}
	return r.token()
}

func (r *jsonReader) object(depth int) bool {
	r.pos++
	for first := true; ; first = false {
		r.space()
		if r.pos < len(r.data) && r.data[r.pos] == '}' && first {
			r.pos++
			return true
		}
		if r.pos >= len(r.data) {
			return r.fail("Unexpected end-of-input: expected close marker for Object")
		}
		if r.data[r.pos] != '"' {
			return r.unexpected("was expecting double-quote to start field name")
		}
		if !r.str() {
			return false
		}
		r.space()
		if r.pos >= len(r.data) || r.data[r.pos] != ':' {
			return r.unexpected("was expecting a colon to separate field name and value")
		}
		r.pos++
		if !r.value(depth + 1) {
			return false
		}
		if end, ok := r.next('}', "Object"); end || !ok {
			return ok
		}
	}
}

func (r *jsonReader) array(depth int) bool {
	r.pos++
	r.space()
	if r.pos < len(r.data) && r.data[r.pos] == ']' {
		r.pos++
		return true
	}
	for {
		if !r.value(depth + 1) {
			return false
		}
		if end, ok := r.next(']', "Array"); end || !ok {
			return ok
		}
	}
}

// next reads what follows an element: a comma or the end.
func (r *jsonReader) next(closing byte, what string) (end, ok bool) {
	r.space()
	if r.pos >= len(r.data) {
		return false, r.fail("Unexpected end-of-input: expected close marker for %s", what)
	}
	switch r.data[r.pos] {
	case ',':
		r.pos++
		return false, true
	case closing:
		r.pos++
		return true, true
	}
	return false, r.unexpected("was expecting comma to separate " + what + " entries")
}

func (r *jsonReader) str() bool {
	for r.pos++; r.pos < len(r.data); r.pos++ {
		switch c := r.data[r.pos]; {
		case c == '"':
			r.pos++
			return true
		case c == '\\':
			r.pos++
			if !r.escape() {
				return false
			}
		case c < ' ':
			return r.fail("Illegal unquoted character ((CTRL-CHAR, code %d)): has to be escaped using backslash to be included in string value", c)
		}
	}
	return r.fail("Unexpected end-of-input: was expecting closing quote for a string value")
}

func (r *jsonReader) escape() bool {
	if r.pos >= len(r.data) {
		return r.fail("Unexpected end-of-input in character escape sequence")
	}
	switch c := r.data[r.pos]; c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			r.pos++
			if r.pos >= len(r.data) || !isHex(r.data[r.pos]) {
				return r.unexpected("expected a hex-digit for character escape sequence")
			}
		}
		return true
	default:
		return r.fail("Unrecognized character escape '%c' (code %d)", c, c)
	}
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func (r *jsonReader) digits() int {
	n := 0
	for r.pos < len(r.data) && r.data[r.pos] >= '0' && r.data[r.pos] <= '9' {
		r.pos++
		n++
	}
	return n
}

func (r *jsonReader) number() bool {
	if r.data[r.pos] == '-' {
		r.pos++
	}
	start := r.pos
	if r.digits() == 0 {
		return r.unexpected("expected digit (0-9) to follow minus sign, for valid numeric value")
	}
	if r.data[start] == '0' && r.pos > start+1 {
		return r.fail("Invalid numeric value: Leading zeroes not allowed")
	}
	if r.pos < len(r.data) && r.data[r.pos] == '.' {
		r.pos++
		if r.digits() == 0 {
			return r.unexpected("Decimal point not followed by a digit")
		}
	}
	if r.pos < len(r.data) && (r.data[r.pos] == 'e' || r.data[r.pos] == 'E') {
		r.pos++
		if r.pos < len(r.data) && (r.data[r.pos] == '+' || r.data[r.pos] == '-') {
			r.pos++
		}
		if r.digits() == 0 {
			return r.unexpected("Exponent indicator not followed by a digit")
		}
	}
	return true
}
