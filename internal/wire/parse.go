package wire

import (
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how many arrays and objects may lie within each other: about what
// the reference's recursive reader can take.
const maxDepth = 900

// maxValues is how many values a body may hold: their index takes twenty bytes
// each, ten times the text that a long list of digits needs.
const maxValues = 4_000_000

type kind uint8

const (
	kindNull kind = iota
	kindFalse
	kindTrue
	kindNumber
	kindString
	kindArray
	kindObject
)

// node is one value of a parsed document. The values within an array, and the
// keys and values within an object in turn, follow it.
type node struct {
	kind kind
	// escaped: a string has escapes; fraction: a number is a float for Python.
	escaped, fraction bool
	// unfit: a string that is no valid text or holds NUL, or a number beyond a
	// float's range: neither database could give it back.
	unfit unfit
	// start and end are offsets of the text, with the quotes of a string.
	start, end int32
	// next is the index of the node after all that lies within this one.
	next int32
	// count is the number of values in an array or object.
	count int32
}

type unfit uint8

const (
	fit unfit = iota
	unfitSurrogate
	unfitNUL
	unfitInfinite
)

// document is a JSON text with the index of its values.
type document struct {
	data  []byte
	nodes []node
	// unfit is true when some node is.
	unfit bool
}

// parser reads JSON as Python's json module does, except that it refuses NaN
// and Infinity: the reference fails when it is to write them.
type parser struct {
	document
	pos   int
	depth int
}

// parse makes the index. The error is a *Malformed, *TooDeep or *BadEncoding.
func parse(data []byte) (*document, error) {
	if !utf8.Valid(data) {
		return nil, &BadEncoding{}
	}
	if len(data) >= 3 && string(data[:3]) == "\ufeff" {
		data = data[3:]
	}
	p := &parser{document: document{data: data, nodes: make([]node, 0, 16+len(data)/16)}}
	p.space()
	if err := p.value(); err != nil {
		return nil, err
	}
	p.space()
	if p.pos < len(data) {
		return nil, p.fail(p.pos, "Extra data")
	}
	return &p.document, nil
}

func (p *parser) fail(at int, reason string) error {
	return &Malformed{Pos: utf8.RuneCount(p.data[:at]), Reason: reason}
}

// peek returns the next byte, or 0 at the end.
func (p *parser) peek() byte {
	if p.pos < len(p.data) {
		return p.data[p.pos]
	}
	return 0
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

// open appends a node that begins here and returns its index.
func (p *parser) open(k kind) int {
	p.nodes = append(p.nodes, node{kind: k, start: int32(p.pos)})
	return len(p.nodes) - 1
}

// shut ends a node here.
func (p *parser) shut(i int) {
	p.nodes[i].end = int32(p.pos)
	p.nodes[i].next = int32(len(p.nodes))
}

func (p *parser) value() error {
	if len(p.nodes) >= maxValues {
		return &TooDeep{}
	}
	switch c := p.peek(); {
	case c == '"':
		return p.text()
	case c == '{':
		return p.object()
	case c == '[':
		return p.array()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case c == 't':
		return p.literal("true", kindTrue)
	case c == 'f':
		return p.literal("false", kindFalse)
	case c == 'n':
		return p.literal("null", kindNull)
	}
	return p.fail(p.pos, "Expecting value")
}

func (p *parser) literal(word string, k kind) error {
	if len(p.data)-p.pos < len(word) || string(p.data[p.pos:p.pos+len(word)]) != word {
		return p.fail(p.pos, "Expecting value")
	}
	i := p.open(k)
	p.pos += len(word)
	p.shut(i)
	return nil
}

func (p *parser) object() error {
	if p.depth++; p.depth > maxDepth {
		return &TooDeep{}
	}
	i := p.open(kindObject)
	p.pos++
	p.space()
	if p.peek() == '}' {
		p.pos++
	} else if err := p.members(i); err != nil {
		return err
	}
	p.shut(i)
	p.depth--
	return nil
}

func (p *parser) members(i int) error {
	for {
		if p.peek() != '"' {
			return p.fail(p.pos, "Expecting property name enclosed in double quotes")
		}
		if err := p.text(); err != nil {
			return err
		}
		p.space()
		if p.peek() != ':' {
			return p.fail(p.pos, "Expecting ':' delimiter")
		}
		p.pos++
		p.space()
		if err := p.value(); err != nil {
			return err
		}
		p.nodes[i].count++
		p.space()
		switch p.peek() {
		case '}':
			p.pos++
			return nil
		case ',':
			p.pos++
			p.space()
		default:
			return p.fail(p.pos, "Expecting ',' delimiter")
		}
	}
}

func (p *parser) array() error {
	if p.depth++; p.depth > maxDepth {
		return &TooDeep{}
	}
	i := p.open(kindArray)
	p.pos++
	p.space()
	if p.peek() == ']' {
		p.pos++
		p.shut(i)
		p.depth--
		return nil
	}
	for {
		if err := p.value(); err != nil {
			return err
		}
		p.nodes[i].count++
		p.space()
		switch p.peek() {
		case ']':
			p.pos++
			p.shut(i)
			p.depth--
			return nil
		case ',':
			p.pos++
			p.space()
		default:
			return p.fail(p.pos, "Expecting ',' delimiter")
		}
	}
}

// number reads the longest number; what follows it is the caller's business, as
// with Python, where 01 is a 0 with extra data.
func (p *parser) number() error {
	start := p.pos
	i := p.open(kindNumber)
	if p.peek() == '-' {
		p.pos++
	}
	switch c := p.peek(); {
	case c == '0':
		p.pos++
	case c >= '1' && c <= '9':
		p.digits()
	default:
		return p.fail(start, "Expecting value")
	}
	if p.peek() == '.' && p.pos+1 < len(p.data) && isDigit(p.data[p.pos+1]) {
		p.nodes[i].fraction = true
		p.pos++
		p.digits()
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		at := p.pos + 1
		if at < len(p.data) && (p.data[at] == '+' || p.data[at] == '-') {
			at++
		}
		if at < len(p.data) && isDigit(p.data[at]) {
			p.nodes[i].fraction = true
			p.pos = at
			p.digits()
		}
	}
	if p.nodes[i].fraction {
		if _, err := parseFloat(string(p.data[start:p.pos])); err != nil {
			p.nodes[i].unfit, p.unfit = unfitInfinite, true
		}
	}
	p.shut(i)
	return nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (p *parser) digits() {
	for isDigit(p.peek()) {
		p.pos++
	}
}

// text reads a string and notes whether it can be stored.
func (p *parser) text() error {
	start := p.pos
	i := p.open(kindString)
	for p.pos++; p.pos < len(p.data); {
		switch c := p.data[p.pos]; {
		case c == '"':
			p.pos++
			p.shut(i)
			return nil
		case c == '\\':
			p.nodes[i].escaped = true
			if err := p.escape(start, i); err != nil {
				return err
			}
		case c < ' ':
			return p.fail(p.pos, "Invalid control character at")
		default:
			p.pos++
		}
	}
	return p.fail(start, "Unterminated string starting at")
}

// escape reads one escape of the string that begins at start.
func (p *parser) escape(start, i int) error {
	at := p.pos
	if at+1 >= len(p.data) {
		return p.fail(start, "Unterminated string starting at")
	}
	switch p.data[at+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		p.pos += 2
		return nil
	case 'u':
	default:
		return p.fail(at, `Invalid \escape`)
	}
	r, ok := hex4(p.data, at+2)
	if !ok || at+6 >= len(p.data) {
		return p.fail(at+1, `Invalid \uXXXX escape`)
	}
	p.pos += 6
	switch {
	case r == 0:
		p.nodes[i].unfit, p.unfit = unfitNUL, true
	case utf16.IsSurrogate(r):
		low, ok := lowSurrogate(p.data, p.pos)
		if utf16.DecodeRune(r, low) == utf8.RuneError || !ok {
			p.nodes[i].unfit, p.unfit = unfitSurrogate, true
			return nil
		}
		p.pos += 6
	}
	return nil
}

// lowSurrogate reads an escape \uXXXX at the offset, if there is one.
func lowSurrogate(data []byte, at int) (rune, bool) {
	if at+1 >= len(data) || data[at] != '\\' || data[at+1] != 'u' {
		return 0, false
	}
	return hex4(data, at+2)
}

func hex4(data []byte, at int) (rune, bool) {
	if at+4 > len(data) {
		return 0, false
	}
	var r rune
	for _, c := range data[at : at+4] {
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
