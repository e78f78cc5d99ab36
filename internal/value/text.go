package value

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// MaxDepth is how many arrays and objects may lie within each other.
const MaxDepth = 1000

var errDepth = errors.New("the value is nested too deeply")

// Parse reads one JSON text. The error says where it is none.
func Parse(data []byte) (any, error) {
	p := &parser{data: data}
	p.space()
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.pos != len(data) {
		return nil, p.unexpected()
	}
	return v, nil
}

type parser struct {
	data []byte
	pos  int
}

func (p *parser) unexpected() error {
	if p.pos >= len(p.data) {
		return errors.New("unexpected end of JSON")
	}
	r, _ := utf8.DecodeRune(p.data[p.pos:])
	return fmt.Errorf("unexpected %q at offset %d", r, p.pos)
}

func (p *parser) space() {
	for p.pos < len(p.data) {
		switch p.data[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

func (p *parser) value(depth int) (any, error) {
	if depth > MaxDepth {
		return nil, errDepth
	}
	if p.pos >= len(p.data) {
		return nil, p.unexpected()
	}
	switch c := p.data[p.pos]; {
	case c == '{':
		return p.object(depth + 1)
	case c == '[':
		return p.array(depth + 1)
	case c == '"':
		return p.str()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	for _, w := range []struct {
		text string
		v    any
	}{{"true", true}, {"false", false}, {"null", nil}} {
		if len(p.data)-p.pos >= len(w.text) && string(p.data[p.pos:p.pos+len(w.text)]) == w.text {
			p.pos += len(w.text)
			return w.v, nil
		}
	}
	return nil, p.unexpected()
}

func (p *parser) object(depth int) (any, error) {
	p.pos++
	o := NewObject(4)
	p.space()
	if p.take('}') {
		return o, nil
	}
	for {
		p.space()
		if p.pos >= len(p.data) || p.data[p.pos] != '"' {
			return nil, p.unexpected()
		}
		key, err := p.str()
		if err != nil {
			return nil, err
		}
		p.space()
		if !p.take(':') {
			return nil, p.unexpected()
		}
		p.space()
		v, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		o.Set(key, v)
		p.space()
		if p.take('}') {
			return o, nil
		}
		if !p.take(',') {
			return nil, p.unexpected()
		}
	}
}

func (p *parser) array(depth int) (any, error) {
	p.pos++
	out := []any{}
	p.space()
	if p.take(']') {
		return out, nil
	}
	for {
		p.space()
		v, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		p.space()
		if p.take(']') {
			return out, nil
		}
		if !p.take(',') {
			return nil, p.unexpected()
		}
	}
}

func (p *parser) take(c byte) bool {
	if p.pos < len(p.data) && p.data[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

func (p *parser) str() (string, error) {
	start := p.pos
	p.pos++
	plain := true
	for ; p.pos < len(p.data); p.pos++ {
		switch c := p.data[p.pos]; {
		case c == '"':
			p.pos++
			if plain {
				return string(p.data[start+1 : p.pos-1]), nil
			}
			var s string
			if err := json.Unmarshal(p.data[start:p.pos], &s); err != nil {
				return "", fmt.Errorf("string at offset %d: %w", start, err)
			}
			return s, nil
		case c == '\\':
			plain = false
			p.pos++
		case c < ' ':
			return "", p.unexpected()
		case c >= utf8.RuneSelf:
			plain = false // Unmarshal replaces what is no UTF-8
		}
	}
	return "", p.unexpected()
}

func (p *parser) number() (any, error) {
	start := p.pos
	for p.pos < len(p.data) {
		switch c := p.data[p.pos]; {
		case c >= '0' && c <= '9', c == '-', c == '+', c == '.', c == 'e', c == 'E':
			p.pos++
			continue
		}
		break
	}
	text := p.data[start:p.pos]
	if !json.Valid(text) {
		return nil, fmt.Errorf("malformed number %q at offset %d", text, start)
	}
	return json.Number(text), nil
}

// String is the compact JSON text of a value.
func String(v any) string { return string(Append(nil, v)) }

// Append appends the compact JSON text of a value to dst. Characters are
// written as they are, but for quotes, backslashes and control characters.
func Append(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case string:
		return AppendString(dst, v)
	case json.Number:
		return append(dst, v...)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case float64:
		return appendFloat(dst, v)
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = Append(dst, e)
		}
		return append(dst, ']')
	case *Object:
		dst = append(dst, '{')
		for i, k := range v.keys {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(AppendString(dst, k), ':')
			dst = Append(dst, v.values[i])
		}
		return append(dst, '}')
	}
	return append(dst, "null"...) // no value of ours
}

// appendFloat writes a number as JavaScript does; what is none is null.
func appendFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return strconv.AppendInt(dst, int64(f), 10)
	}
	b, err := json.Marshal(f)
	if err != nil {
		return append(dst, "null"...)
	}
	return append(dst, b...)
}

const hex = "0123456789abcdef"

// AppendString appends a JSON string to dst.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, s[start:]...), '"')
}
