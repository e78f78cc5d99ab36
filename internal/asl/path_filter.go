package asl

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/leat-dev/leat/internal/value"
)

// identifierRune reports whether a rune may be in the name of a variable: a
// letter, a digit that is not first, or an underscore.
func identifierRune(r rune, first bool) bool {
	return r == '_' || unicode.IsLetter(r) || !first && unicode.IsDigit(r)
}

// filter is a condition in a path: [?(...)]. Either op joins the sides, or left
// and right are compared.
type filter struct {
	// op is ||, &&, !, a comparison, or "" for "left is there".
	op          string
	sides       []*filter
	left, right operand
	pattern     *regexp.Regexp
}

// operand is a path or a literal.
type operand struct {
	path    *path
	literal any
}

func (p *pathParser) filter(depth int) (*filter, error) { return p.joined(depth, "||", "&&") }

func (p *pathParser) joined(depth int, op, tighter string) (*filter, error) {
	next := func() (*filter, error) {
		if tighter != "" {
			return p.joined(depth, tighter, "")
		}
		return p.term(depth)
	}
	f, err := next()
	if err != nil {
		return nil, err
	}
	for p.space(); p.take(op); p.space() {
		g, err := next()
		if err != nil {
			return nil, err
		}
		f = &filter{op: op, sides: []*filter{f, g}}
	}
	return f, nil
}

func (p *pathParser) term(depth int) (*filter, error) {
	if depth > maxPathNesting {
		return nil, errPathDepth
	}
	p.space()
	switch {
	case p.take("!"):
		f, err := p.term(depth + 1)
		return &filter{op: "!", sides: []*filter{f}}, err
	case p.take("("):
		f, err := p.filter(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.space(); !p.take(")") {
			return nil, p.errorf(") is missing")
		}
		return f, nil
	}
	return p.comparison(depth)
}

// comparisons are tried in this order, so that a longer one is not taken for its beginning.
func comparisons() []string {
	return []string{"===", "!==", "==", "!=", "=~", "<=", ">=", "<", ">", "in ", "nin ", "contains ", "size ", "empty ", "subsetof ", "anyof ", "noneof "}
}

func (p *pathParser) comparison(depth int) (*filter, error) {
	f := &filter{}
	var err error
	if f.left, err = p.operand(depth); err != nil {
		return nil, err
	}
	p.space()
	for _, op := range comparisons() {
		if p.take(op) {
			f.op = strings.TrimRight(op, " ")
			break
		}
	}
	switch f.op {
	case "":
		if f.left.path == nil {
			return nil, p.errorf("a literal alone is no condition")
		}
		return f, nil
	case "=~":
		p.space()
		f.pattern, err = p.regexp()
		return f, err
	}
	p.space()
	f.right, err = p.operand(depth)
	return f, err
}

func (p *pathParser) regexp() (*regexp.Regexp, error) {
	if !p.take("/") {
		return nil, p.errorf("a pattern starts with /")
	}
	start := p.pos
	for p.pos < len(p.text) && p.text[p.pos] != '/' {
		if p.text[p.pos] == '\\' {
			p.pos++
		}
		p.pos++
	}
	if p.pos >= len(p.text) {
		return nil, p.errorf("a pattern ends with /")
	}
	text := p.text[start:p.pos]
	p.pos++
	if p.take("i") {
		text = "(?i)" + text
	}
	re, err := regexp.Compile("^(?:" + text + ")$")
	if err != nil {
		return nil, p.errorf("%v", err)
	}
	return re, nil
}

func (p *pathParser) operand(depth int) (operand, error) {
	switch c := p.peek(); c {
	case '@', '$':
		q, err := p.path(depth + 1)
		return operand{path: q}, err
	case '\'', '"':
		s, err := p.quoted()
		return operand{literal: s}, err
	case '[', '{':
		return p.literal(p.closing(c))
	}
	start := p.pos
	for p.pos < len(p.text) && strings.IndexByte(" )&|,<>=!]", p.text[p.pos]) < 0 {
		p.pos++
	}
	end := p.pos
	p.pos = start
	return p.literal(end)
}

// closing finds the end of the bracketed text that starts here.
func (p *pathParser) closing(open byte) int {
	end := map[byte]byte{'[': ']', '{': '}'}[open]
	depth, quote := 0, byte(0)
	for i := p.pos; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case quote != 0:
			switch c {
			case '\\':
				i++
			case quote:
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == open:
			depth++
		case c == end:
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return p.pos
}

// literal reads the JSON that ends where given; its strings may be in single quotes.
func (p *pathParser) literal(end int) (operand, error) {
	text := p.text[p.pos:end]
	v, err := value.Parse([]byte(text))
	if err != nil {
		v, err = value.Parse([]byte(strings.ReplaceAll(text, "'", `"`)))
	}
	if err != nil {
		return operand{}, p.errorf("%v", err)
	}
	p.pos = end
	return operand{literal: v}, nil
}

// matches tells whether item passes; root is what $ stands for.
func (f *filter) matches(root pathRoots, item any) bool {
	switch f.op {
	case "||":
		return f.sides[0].matches(root, item) || f.sides[1].matches(root, item)
	case "&&":
		return f.sides[0].matches(root, item) && f.sides[1].matches(root, item)
	case "!":
		return !f.sides[0].matches(root, item)
	}
	a, ok := f.left.get(root, item)
	if f.op == "" {
		return ok
	}
	if f.op == "=~" {
		s, isText := a.(string)
		return isText && f.pattern.MatchString(s)
	}
	b, okB := f.right.get(root, item)
	switch f.op {
	case "==", "===":
		return ok == okB && value.Equal(a, b)
	case "!=", "!==":
		return ok != okB || !value.Equal(a, b)
	}
	return ok && okB && compareItems(f.op, a, b)
}

func compareItems(op string, a, b any) bool {
	switch op {
	case "<", "<=", ">", ">=":
		c, ok := order(a, b)
		return ok && (c < 0 && op[0] == '<' || c > 0 && op[0] == '>' || c == 0 && len(op) == 2)
	case "in":
		return within(a, b)
	case "nin":
		return !within(a, b)
	case "contains":
		if s, ok := a.(string); ok {
			t, ok := b.(string)
			return ok && strings.Contains(s, t)
		}
		return within(b, a)
	case "size":
		n, ok := value.Integer(b)
		return ok && int64(lengthOf(a)) == n
	case "empty":
		yes, ok := b.(bool)
		return ok && (lengthOf(a) == 0) == yes
	}
	list, _ := a.([]any)
	isIn := func(v any) bool { return within(v, b) }
	switch op {
	case "subsetof":
		return !slices.ContainsFunc(list, func(v any) bool { return !isIn(v) })
	case "anyof":
		return slices.ContainsFunc(list, isIn)
	}
	return !slices.ContainsFunc(list, isIn)
}

func within(v, list any) bool {
	l, _ := list.([]any)
	return slices.ContainsFunc(l, func(e any) bool { return value.Equal(e, v) })
}

// lengthOf is the length of a list, object or text, and -1 of what has none.
func lengthOf(v any) int {
	switch v := v.(type) {
	case []any:
		return len(v)
	case *value.Object:
		return v.Len()
	case string:
		return len([]rune(v))
	}
	return -1
}

// order compares numbers or texts.
func order(a, b any) (int, bool) {
	if x, ok := value.Number(a); ok {
		y, ok := value.Number(b)
		switch {
		case !ok:
			return 0, false
		case x < y:
			return -1, true
		case x > y:
			return 1, true
		}
		return 0, true
	}
	x, ok := a.(string)
	y, ok2 := b.(string)
	return strings.Compare(x, y), ok && ok2
}

func (o operand) get(root pathRoots, item any) (any, bool) {
	if o.path == nil {
		return o.literal, true
	}
	if o.path.root == rootItem {
		v, err := o.path.find(item, root)
		return v, err == nil
	}
	start, err := root.start(o.path)
	if err != nil {
		return nil, false
	}
	v, err := o.path.find(start, root)
	return v, err == nil
}
