package wire

import (
	"encoding/json"
	"unicode/utf16"
	"unicode/utf8"
)

// raw is the text of a value.
func (d *document) raw(i int) []byte { return d.data[d.nodes[i].start:d.nodes[i].end] }

// str is the value of a string.
func (d *document) str(i int) string {
	n := &d.nodes[i]
	body := d.data[n.start+1 : n.end-1]
	if !n.escaped {
		return string(body)
	}
	return string(unescape(make([]byte, 0, len(body)), body))
}

// unescape appends the text that a checked string without its quotes stands for.
func unescape(dst, body []byte) []byte {
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' {
			dst = append(dst, body[i])
			continue
		}
		i++
		switch body[i] {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, _ := hex4(body, i+1)
			i += 4
			if utf16.IsSurrogate(r) {
				low, _ := lowSurrogate(body, i+1)
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, body[i])
		}
	}
	return dst
}

// canonical is the value as Python would write it again: compact, floats in
// their shortest form, no needless escapes.
func (d *document) canonical(i int) json.RawMessage {
	n := &d.nodes[i]
	dst, _ := d.appendCanonical(make([]byte, 0, n.end-n.start), i)
	return dst
}

// appendCanonical returns the index of the node after the value, too.
func (d *document) appendCanonical(dst []byte, i int) ([]byte, int) {
	n := &d.nodes[i]
	switch n.kind {
	case kindString:
		return d.appendText(dst, i), int(n.next)
	case kindNumber:
		if f, err := parseFloat(string(d.raw(i))); n.fraction && err == nil {
			return appendFloat(dst, f), int(n.next)
		}
		return append(dst, d.raw(i)...), int(n.next)
	case kindArray:
		dst = append(dst, '[')
		j := i + 1
		for k := range int(n.count) {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst, j = d.appendCanonical(dst, j)
		}
		return append(dst, ']'), int(n.next)
	case kindObject:
		dst = append(dst, '{')
		j := i + 1
		for k := range int(n.count) {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = append(d.appendText(dst, j), ':')
			dst, j = d.appendCanonical(dst, j+1)
		}
		return append(dst, '}'), int(n.next)
	case kindNull, kindFalse, kindTrue:
	}
	return append(dst, d.raw(i)...), int(n.next)
}

func (d *document) appendText(dst []byte, i int) []byte {
	n := &d.nodes[i]
	// A lone surrogate has no other form than its escape.
	if !n.escaped || n.unfit == unfitSurrogate {
		return append(dst, d.raw(i)...)
	}
	return appendString(dst, d.str(i))
}

// Echo returns a body as the reference repeats it in request_body: the JSON
// value, a string with the text if it is not JSON, null if it is empty.
func Echo(body []byte) json.RawMessage {
	if len(body) == 0 {
		return json.RawMessage("null")
	}
	d, err := parse(body)
	if err != nil {
		return Quote(body)
	}
	return d.canonical(0)
}

// Quote returns text as a JSON string. Bytes that are not UTF-8 are replaced.
func Quote(text []byte) json.RawMessage {
	if !utf8.Valid(text) {
		text = []byte(string([]rune(string(text))))
	}
	return appendString(make([]byte, 0, len(text)+2), string(text))
}
