package asl

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxPathNesting bounds how deep filters of a path may lie within each other.
const maxPathNesting = 50

// rootKind says what a path starts at.
type rootKind int

const (
	rootInput    rootKind = iota // $
	rootContext                  // $$
	rootVariable                 // $name
	rootItem                     // @, within a filter
)

// path is a compiled JSONPath in the dialect of Step Functions.
type path struct {
	text string
	root rootKind
	// variable is the name of a rootVariable.
	variable string
	segments []segment
	// definite: the path names one place, so what it finds is a value, not a list.
	definite bool
}

type segmentKind int

const (
	segNames segmentKind = iota
	segWildcard
	segIndexes
	segSlice
	segFilter
	segFunction
)

// segment is one step of a path. With deep, it applies to every value below as well.
type segment struct {
	kind     segmentKind
	deep     bool
	names    []string
	indexes  []int
	from, to *int
	step     int
	filter   *filter
	function string
}

// parsePath compiles a path that is the whole text.
func parsePath(text string) (*path, error) {
	p := &pathParser{text: text}
	out, err := p.path(0)
	if err != nil {
		return nil, err
	}
	if p.pos != len(text) {
		return nil, p.errorf("unexpected %q", text[p.pos:])
	}
	return out, nil
}

// reference reports whether the path may be written to: it names one place by
// fields and indexes alone.
func (p *path) reference() bool {
	for i := range p.segments {
		s := &p.segments[i]
		switch {
		case s.deep, s.kind != segNames && s.kind != segIndexes:
			return false
		case len(s.names) > 1, len(s.indexes) > 1:
			return false
		case s.kind == segIndexes && s.indexes[0] < 0:
			return false
		}
	}
	return true
}

// String is the normal form that errors show: $['a'][0].
func (p *path) String() string { return p.prefix(len(p.segments)) }

// prefix is the normal form of the first n segments.
func (p *path) prefix(n int) string {
	var b strings.Builder
	b.WriteByte('$')
	if p.root == rootItem {
		b.Reset()
		b.WriteByte('@')
	}
	for i := range p.segments[:n] {
		p.segments[i].write(&b)
	}
	return b.String()
}

func (s *segment) write(b *strings.Builder) {
	if s.deep {
		b.WriteString("..")
	}
	switch s.kind {
	case segNames:
		b.WriteByte('[')
		for i, n := range s.names {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString("'" + n + "'")
		}
		b.WriteByte(']')
	case segWildcard:
		b.WriteString("[*]")
	case segIndexes:
		b.WriteByte('[')
		for i, n := range s.indexes {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strconv.Itoa(n))
		}
		b.WriteByte(']')
	case segSlice:
		b.WriteByte('[')
		if s.from != nil {
			b.WriteString(strconv.Itoa(*s.from))
		}
		b.WriteByte(':')
		if s.to != nil {
			b.WriteString(strconv.Itoa(*s.to))
		}
		b.WriteByte(']')
	case segFilter:
		b.WriteString("[?]")
	case segFunction:
		b.WriteString("." + s.function + "()")
	}
}

type pathParser struct {
	text string
	pos  int
}

var errPathDepth = errors.New("filters are nested too deeply")

func (p *pathParser) errorf(format string, args ...any) error {
	return fmt.Errorf("invalid path at %d: %s", p.pos, fmt.Sprintf(format, args...))
}

func (p *pathParser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *pathParser) take(prefix string) bool {
	if strings.HasPrefix(p.text[p.pos:], prefix) {
		p.pos += len(prefix)
		return true
	}
	return false
}

func (p *pathParser) space() {
	for p.peek() == ' ' {
		p.pos++
	}
}

// path reads a path from its root to where no further segment follows.
func (p *pathParser) path(depth int) (*path, error) {
	if depth > maxPathNesting {
		return nil, errPathDepth
	}
	out := &path{definite: true}
	start := p.pos
	switch {
	case p.take("$$"):
		out.root = rootContext
	case p.take("$"):
		if name := identifier(p.text[p.pos:]); name != "" {
			out.root, out.variable = rootVariable, name
			p.pos += len(name)
		}
	case depth > 0 && p.take("@"):
		out.root = rootItem
	default:
		return nil, p.errorf("a path starts with $")
	}
	for {
		s, ok, err := p.segment(depth)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		out.segments = append(out.segments, s)
	}
	out.text = p.text[start:p.pos]
	for i := range out.segments {
		s := &out.segments[i]
		last := i == len(out.segments)-1
		out.definite = out.definite && !s.deep && (s.kind == segFunction ||
			s.kind == segNames && (len(s.names) == 1 || last) || s.kind == segIndexes && len(s.indexes) == 1)
		if s.kind == segFunction && !last {
			return nil, p.errorf("nothing may follow a function")
		}
		out.definite = out.definite || s.kind == segFunction
	}
	return out, nil
}

// segment reads one step; ok is false where the path ends.
func (p *pathParser) segment(depth int) (s segment, ok bool, err error) {
	switch {
	case p.take(".."):
		s.deep = true
		if p.peek() != '[' {
			break
		}
		err = p.bracket(&s, depth)
		return s, true, err
	case p.take("."):
		if p.peek() == '[' {
			return s, false, p.errorf("unexpected [")
		}
	case p.peek() == '[':
		err = p.bracket(&s, depth)
		return s, true, err
	default:
		return s, false, nil
	}
	if p.take("*") {
		s.kind = segWildcard
		return s, true, nil
	}
	name := p.name(depth)
	if name == "" {
		return s, false, p.errorf("a name is missing")
	}
	if p.peek() == '(' {
		return p.function(name, s.deep)
	}
	s.names = []string{name}
	return s, true, nil
}

// name reads an unquoted name. Within a filter, operators end it.
func (p *pathParser) name(depth int) string {
	start := p.pos
	stop := ".[("
	if depth > 0 {
		stop = ".[()]=<>!&|,~"
	}
	for p.pos < len(p.text) && p.text[p.pos] > ' ' && strings.IndexByte(stop, p.text[p.pos]) < 0 {
		p.pos++
	}
	return p.text[start:p.pos]
}

func (p *pathParser) function(name string, deep bool) (segment, bool, error) {
	s := segment{kind: segFunction, function: name}
	switch name {
	case "length", "size", "min", "max", "avg", "sum", "stddev", "keys", "first", "last":
	default:
		return s, false, p.errorf("unknown function %s", name)
	}
	if deep || !p.take("()") {
		return s, false, p.errorf("malformed call of %s", name)
	}
	return s, true, nil
}

// bracket reads [...].
func (p *pathParser) bracket(s *segment, depth int) error {
	p.pos++
	p.space()
	switch c := p.peek(); {
	case p.take("*"):
		s.kind = segWildcard
	case c == '\'' || c == '"':
		return p.quotedNames(s)
	case p.take("?"):
		p.space()
		if !p.take("(") {
			return p.errorf("a filter starts with (")
		}
		f, err := p.filter(depth + 1)
		if err != nil {
			return err
		}
		p.space()
		if !p.take(")") {
			return p.errorf("a filter ends with )")
		}
		s.kind, s.filter = segFilter, f
	default:
		return p.indexes(s)
	}
	return p.closeBracket()
}

func (p *pathParser) closeBracket() error {
	p.space()
	if !p.take("]") {
		return p.errorf("] is missing")
	}
	return nil
}

func (p *pathParser) quotedNames(s *segment) error {
	for {
		p.space()
		name, err := p.quoted()
		if err != nil {
			return err
		}
		s.names = append(s.names, name)
		p.space()
		if !p.take(",") {
			return p.closeBracket()
		}
	}
}

// quoted reads a text in single or double quotes; a backslash takes the next
// character as it is.
func (p *pathParser) quoted() (string, error) {
	quote := p.peek()
	if quote != '\'' && quote != '"' {
		return "", p.errorf("a quoted name is missing")
	}
	var b strings.Builder
	for i := p.pos + 1; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == quote:
			p.pos = i + 1
			return b.String(), nil
		case c == '\\' && i+1 < len(p.text):
			i++
			b.WriteByte(p.text[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", p.errorf("a quote is not closed")
}

func (p *pathParser) integer() (*int, error) {
	p.space()
	start := p.pos
	p.take("-")
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.pos++
	}
	if p.pos == start {
		return nil, nil
	}
	n, err := strconv.Atoi(p.text[start:p.pos])
	if err != nil {
		return nil, p.errorf("not an index")
	}
	p.space()
	return &n, nil
}

// indexes reads indexes or a slice, up to the closing bracket.
func (p *pathParser) indexes(s *segment) error {
	n, err := p.integer()
	if err != nil {
		return err
	}
	if p.take(":") {
		return p.slice(s, n)
	}
	s.kind = segIndexes
	for {
		if n == nil {
			return p.errorf("an index is missing")
		}
		s.indexes = append(s.indexes, *n)
		if !p.take(",") {
			return p.closeBracket()
		}
		if n, err = p.integer(); err != nil {
			return err
		}
	}
}

func (p *pathParser) slice(s *segment, from *int) error {
	to, err := p.integer()
	if err != nil {
		return err
	}
	s.kind, s.from, s.to, s.step = segSlice, from, to, 1
	if p.take(":") {
		step, err := p.integer()
		if err != nil {
			return err
		}
		if step != nil {
			if *step <= 0 {
				return p.errorf("a step is positive")
			}
			s.step = *step
		}
	}
	return p.closeBracket()
}

// identifier returns the name of a variable that the text starts with.
func identifier(text string) string {
	for i, r := range text {
		if !identifierRune(r, i == 0) {
			return text[:i]
		}
	}
	return text
}
