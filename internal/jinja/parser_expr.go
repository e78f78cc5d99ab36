package jinja

import (
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// isComparison tells whether a token type is that of a comparison.
func isComparison(kind string) bool {
	switch kind {
	case "eq", "ne", "lt", "lteq", "gt", "gteq":
		return true
	}
	return false
}

func (p *parser) expression() expr {
	defer p.deeper()()
	line := pos(p.cur.line)
	e := p.or()
	for n := 0; p.skipIf("name:if"); n = p.chained(n) {
		test := p.or()
		var no expr
		if p.skipIf("name:else") {
			no = p.expression()
		}
		e = &condExpr{pos: line, test: test, yes: e, no: no}
		line = pos(p.cur.line)
	}
	return e
}

func (p *parser) or() expr {
	line := pos(p.cur.line)
	left := p.and()
	for n := 0; p.skipIf("name:or"); n = p.chained(n) {
		left = &orExpr{pos: line, left: left, right: p.and()}
		line = pos(p.cur.line)
	}
	return left
}

func (p *parser) and() expr {
	line := pos(p.cur.line)
	left := p.not()
	for n := 0; p.skipIf("name:and"); n = p.chained(n) {
		left = &andExpr{pos: line, left: left, right: p.not()}
		line = pos(p.cur.line)
	}
	return left
}

func (p *parser) not() expr {
	if p.is("name:not") {
		defer p.deeper()()
		line := pos(p.next().line)
		return &notExpr{pos: line, of: p.not()}
	}
	return p.compare()
}

func (p *parser) compare() expr {
	line := pos(p.cur.line)
	first := p.sum()
	c := &compareExpr{first: first}
	for {
		op := ""
		switch {
		case isComparison(p.cur.kind):
			op = p.next().kind
		case p.skipIf("name:in"):
			op = "in"
		case p.is("name:not") && p.look().test("name:in"):
			p.next()
			p.next()
			op = "notin"
		}
		if op == "" {
			break
		}
		c.ops = append(c.ops, op)
		c.rest = append(c.rest, p.sum())
		line = pos(p.cur.line)
	}
	if len(c.ops) == 0 {
		return first
	}
	c.pos = line
	return c
}

// binary reads a chain of operators of one rank.
func (p *parser) binary(operand func() expr, kinds ...string) expr {
	line := pos(p.cur.line)
	left := operand()
	for n := 0; slices.Contains(kinds, p.cur.kind); n = p.chained(n) {
		op := p.next().kind
		left = &binaryExpr{pos: line, op: op, left: left, right: operand()}
		line = pos(p.cur.line)
	}
	return left
}

func (p *parser) sum() expr { return p.binary(p.concat, "add", "sub") }

func (p *parser) concat() expr {
	c := &concatExpr{pos: pos(p.cur.line), parts: []expr{p.product()}}
	for p.skipIf("tilde") {
		c.parts = append(c.parts, p.product())
	}
	if len(c.parts) == 1 {
		return c.parts[0]
	}
	return c
}

func (p *parser) product() expr { return p.binary(p.power, "mul", "div", "floordiv", "mod") }

func (p *parser) power() expr {
	return p.binary(func() expr { return p.unary(true) }, "pow")
}

func (p *parser) unary(filters bool) expr {
	line := pos(p.cur.line)
	var e expr
	switch p.cur.kind {
	case "sub", "add":
		defer p.deeper()()
		op := p.next().text
		e = &unaryExpr{pos: line, op: op, of: p.unary(false)}
	default:
		e = p.primary(false)
	}
	e = p.postfix(e)
	if filters {
		e = p.filters(e)
	}
	return e
}

func (p *parser) primary(namespace bool) expr {
	t := p.cur
	line := pos(t.line)
	switch t.kind {
	case "name":
		p.next()
		switch t.text {
		case "true", "True":
			return &constExpr{line, true}
		case "false", "False":
			return &constExpr{line, false}
		case "none", "None":
			return &constExpr{line, nil}
		}
		if namespace && p.cur.kind == "dot" {
			p.next()
			return &nsRefExpr{pos: line, name: t.text, attr: p.expect("name").text}
		}
		return &nameExpr{line, t.text}
	case "string":
		p.next()
		var text strings.Builder
		text.WriteString(t.text)
		for p.cur.kind == "string" {
			text.WriteString(p.next().text)
		}
		return &constExpr{line, text.String()}
	case "integer", "float":
		p.next()
		return &constExpr{line, t.value}
	case "lparen":
		p.next()
		e := p.tuple(tupleOptions{parens: true})
		p.expect("rparen")
		return e
	case "lbracket":
		return p.list()
	case "lbrace":
		return p.dict()
	}
	p.fail("unexpected " + pyrepr.String(t.describe()))
	return nil
}

// tupleOptions say how expressions with commas between are read.
type tupleOptions struct {
	simple    bool // names and literals only: a target
	noCond    bool
	parens    bool // nothing is an empty tuple
	namespace bool
	ends      []string
}

func (p *parser) tuple(o tupleOptions) expr {
	line := pos(p.cur.line)
	var items []expr
	isTuple := false
	for {
		if len(items) > 0 {
			p.expect("comma")
		}
		if p.cur.kind == "variable_end" || p.cur.kind == "block_end" || p.cur.kind == "rparen" || p.anyOf(o.ends) {
			break
		}
		switch {
		case o.simple:
			items = append(items, p.primary(o.namespace))
		case o.noCond:
			items = append(items, p.or())
		default:
			items = append(items, p.expression())
		}
		if p.cur.kind != "comma" {
			break
		}
		isTuple = true
		line = pos(p.cur.line)
	}
	if !isTuple {
		if len(items) > 0 {
			return items[0]
		}
		if !o.parens {
			p.fail("Expected an expression, got " + pyrepr.String(p.cur.describe()))
		}
	}
	return &tupleExpr{line, items}
}

func (p *parser) list() expr {
	l := &listExpr{pos: pos(p.expect("lbracket").line)}
	for p.cur.kind != "rbracket" {
		if len(l.items) > 0 {
			p.expect("comma")
		}
		if p.cur.kind == "rbracket" {
			break
		}
		l.items = append(l.items, p.expression())
	}
	p.expect("rbracket")
	return l
}

func (p *parser) dict() expr {
	d := &dictExpr{pos: pos(p.expect("lbrace").line)}
	for p.cur.kind != "rbrace" {
		if len(d.keys) > 0 {
			p.expect("comma")
		}
		if p.cur.kind == "rbrace" {
			break
		}
		key := p.expression()
		p.expect("colon")
		d.keys = append(d.keys, key)
		d.values = append(d.values, p.expression())
	}
	p.expect("rbrace")
	return d
}

func (p *parser) postfix(e expr) expr {
	for n := 0; ; n = p.chained(n) {
		switch p.cur.kind {
		case "dot", "lbracket":
			e = p.subscript(e)
		case "lparen":
			e = p.call(e)
		default:
			return e
		}
	}
}

func (p *parser) filters(e expr) expr {
	for n := 0; ; n = p.chained(n) {
		switch {
		case p.cur.kind == "pipe":
			e = p.filter(e)
		case p.is("name:is"):
			e = p.test(e)
		case p.cur.kind == "lparen":
			e = p.call(e)
		default:
			return e
		}
	}
}

func (p *parser) subscript(of expr) expr {
	t := p.next()
	line := pos(t.line)
	if t.kind == "dot" {
		attr := p.next()
		if attr.kind == "name" {
			return &attrExpr{line, of, attr.text}
		}
		if attr.kind != "integer" {
			fail(attr.line, "expected name or number")
		}
		return &itemExpr{line, of, &constExpr{pos(attr.line), attr.value}}
	}
	var items []expr
	for p.cur.kind != "rbracket" {
		if len(items) > 0 {
			p.expect("comma")
		}
		items = append(items, p.subscribed())
	}
	p.expect("rbracket")
	if len(items) == 1 {
		return &itemExpr{line, of, items[0]}
	}
	return &itemExpr{line, of, &tupleExpr{line, items}}
}

func (p *parser) subscribed() expr {
	s := &sliceExpr{pos: pos(p.cur.line)}
	if !p.skipIf("colon") {
		e := p.expression()
		if !p.skipIf("colon") {
			return e
		}
		s.start = e
	}
	if p.cur.kind != "colon" && p.cur.kind != "rbracket" && p.cur.kind != "comma" {
		s.stop = p.expression()
	}
	if p.skipIf("colon") && p.cur.kind != "rbracket" && p.cur.kind != "comma" {
		s.step = p.expression()
	}
	return s
}

func (p *parser) arguments() arguments {
	var a arguments
	open := p.expect("lparen").line
	ensure := func(ok bool) {
		if !ok {
			fail(open, "invalid syntax for function call expression")
		}
	}
	for n := 0; p.cur.kind != "rparen"; n++ {
		if n > 0 {
			p.expect("comma")
			if p.cur.kind == "rparen" {
				break
			}
		}
		switch {
		case p.cur.kind == "mul":
			ensure(a.star == nil && a.stars == nil)
			p.next()
			a.star = p.expression()
		case p.cur.kind == "pow":
			ensure(a.stars == nil)
			p.next()
			a.stars = p.expression()
		case p.cur.kind == "name" && p.look().kind == "assign":
			ensure(a.stars == nil)
			a.names = append(a.names, p.next().text)
			p.next()
			a.values = append(a.values, p.expression())
		default:
			ensure(a.star == nil && a.stars == nil && len(a.names) == 0)
			a.args = append(a.args, p.expression())
		}
	}
	p.expect("rparen")
	return a
}

func (p *parser) call(of expr) expr {
	line := pos(p.cur.line)
	return &callExpr{line, of, p.arguments()}
}

func (p *parser) dotted() string {
	var name strings.Builder
	name.WriteString(p.expect("name").text)
	for p.skipIf("dot") {
		name.WriteString("." + p.expect("name").text)
	}
	return name.String()
}

// filter reads filters, each with its pipe; without any it returns what it got.
func (p *parser) filter(of expr) expr {
	for n := 0; p.cur.kind == "pipe"; n = p.chained(n) {
		p.next()
		of = p.oneFilter(of)
	}
	return of
}

func (p *parser) oneFilter(of expr) *filterExpr {
	f := &filterExpr{pos: pos(p.cur.line), of: of}
	f.name = p.dotted()
	if p.cur.kind == "lparen" {
		f.arguments = p.arguments()
	}
	return f
}

func (p *parser) test(of expr) expr {
	line := pos(p.next().line)
	negated := p.skipIf("name:not")
	t := &testExpr{pos: line, of: of, name: p.dotted()}
	switch p.cur.kind {
	case "lparen":
		t.arguments = p.arguments()
	case "name", "string", "integer", "float", "lbracket", "lbrace":
		if p.is("name:else") || p.is("name:or") || p.is("name:and") {
			break
		}
		if p.is("name:is") {
			p.fail("You cannot chain multiple tests with is")
		}
		t.args = []expr{p.postfix(p.primary(false))}
	}
	if negated {
		return &notExpr{line, t}
	}
	return t
}
