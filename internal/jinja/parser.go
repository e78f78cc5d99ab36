package jinja

import (
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// Depths that a template may not exceed, so that neither parsing nor rendering
// exhausts the stack. Python's own recursion limit is near.
const (
	maxNesting = 150
	maxChain   = 400
)

// parser builds the statements of a template. Errors are panics with a
// *SyntaxError, which parse turns into a result.
type parser struct {
	lex          *lexer
	cur          token
	ahead        []token
	tags         []string
	ends         [][]string
	nesting      int
	loops        int
	loopDepth    int
	maxLoopDepth int
}

func (p *parser) parse() (body []stmt, err *SyntaxError) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*SyntaxError)
			if !ok {
				panic(r)
			}
			body, err = nil, e
		}
	}()
	p.cur = token{line: 1}
	p.next()
	return p.subparse(nil), nil
}

func (p *parser) fail(message string) { fail(p.cur.line, message) }

func (p *parser) fetch() token {
	if t, ok := p.lex.next(); ok {
		return t
	}
	return token{line: p.cur.line, kind: "eof"}
}

// next goes one token ahead and returns the one it leaves.
func (p *parser) next() token {
	old := p.cur
	if len(p.ahead) > 0 {
		p.cur, p.ahead = p.ahead[0], p.ahead[1:]
	} else if p.cur.kind != "eof" {
		p.cur = p.fetch()
	}
	return old
}

func (p *parser) look() token {
	if len(p.ahead) == 0 {
		p.ahead = append(p.ahead, p.fetch())
	}
	return p.ahead[0]
}

// is tests the current token against a type or "type:text".
func (p *parser) is(want string) bool { return p.cur.test(want) }

func (t token) test(want string) bool {
	if t.kind == want {
		return true
	}
	kind, text, ok := strings.Cut(want, ":")
	return ok && kind == t.kind && text == t.text
}

func (p *parser) anyOf(wants []string) bool { return slices.ContainsFunc(wants, p.is) }

func (p *parser) skipIf(want string) bool {
	if p.is(want) {
		p.next()
		return true
	}
	return false
}

func describeWant(want string) string {
	if kind, text, ok := strings.Cut(want, ":"); ok {
		if kind == "name" {
			return text
		}
		return describeKind(kind)
	}
	return describeKind(want)
}

func (p *parser) expect(want string) token {
	if !p.is(want) {
		text := pyrepr.String(describeWant(want))
		if p.cur.kind == "eof" {
			p.fail("unexpected end of template, expected " + text + ".")
		}
		p.fail("expected token " + text + ", got " + pyrepr.String(p.cur.describe()))
	}
	return p.next()
}

// deeper guards a recursion; its result ends it.
func (p *parser) deeper() func() {
	p.nesting++
	if p.nesting > maxNesting {
		p.fail("template is nested too deeply")
	}
	return func() { p.nesting-- }
}

// chained guards a chain of operators, which becomes a deep tree.
func (p *parser) chained(n int) int {
	if n >= maxChain {
		p.fail("expression is too long")
	}
	return n + 1
}

// lost fails over a tag that nobody knows or the end of the template.
func (p *parser) lost(name string, known bool, ends [][]string, line int) {
	looking := ""
	expected := false
	for _, set := range ends {
		for _, w := range set {
			expected = expected || describeWant(w) == name
		}
	}
	if len(ends) > 0 {
		var words []string
		for _, w := range ends[len(ends)-1] {
			words = append(words, pyrepr.String(describeWant(w)))
		}
		looking = strings.Join(words, " or ")
	}
	message := "Unexpected end of template."
	if known {
		message = "Encountered unknown tag " + pyrepr.String(name) + "."
	}
	if looking != "" {
		if known && expected {
			message += " You probably made a nesting mistake. Jinja is expecting this tag," +
				" but currently looking for " + looking + "."
		} else {
			message += " Jinja was looking for the following tags: " + looking + "."
		}
	}
	if len(p.tags) > 0 {
		message += " The innermost block that needs to be closed is " + pyrepr.String(p.tags[len(p.tags)-1]) + "."
	}
	fail(line, message)
}

// subparse reads statements up to one of the end tags, which it leaves.
func (p *parser) subparse(ends []string) []stmt {
	defer p.deeper()()
	if ends != nil {
		p.ends = append(p.ends, ends)
		defer func() { p.ends = p.ends[:len(p.ends)-1] }()
	}
	var body []stmt
	var parts []any
	flush := func() {
		if len(parts) > 0 {
			body = append(body, &outputStmt{parts: parts})
			parts = nil
		}
	}
	for p.cur.kind != "eof" {
		switch p.cur.kind {
		case "data":
			parts = append(parts, p.next().text)
		case "variable_begin":
			p.next()
			parts = append(parts, p.tuple(tupleOptions{}))
			p.expect("variable_end")
		default:
			flush()
			p.next()
			if ends != nil && p.anyOf(ends) {
				return body
			}
			if s := p.statement(); s != nil {
				body = append(body, s)
			}
			p.expect("block_end")
		}
	}
	flush()
	return body
}

// block reads the body of a statement up to one of the end tags.
func (p *parser) block(drop bool, ends ...string) []stmt {
	p.skipIf("colon")
	p.expect("block_end")
	body := p.subparse(ends)
	if p.cur.kind == "eof" {
		p.lost("", false, append(slices.Clone(p.ends), ends), p.cur.line)
	}
	if drop {
		p.next()
	}
	return body
}

func (p *parser) statement() stmt {
	t := p.cur
	if t.kind != "name" {
		p.fail("tag name expected")
	}
	p.tags = append(p.tags, t.text)
	parse, ok := map[string]func() stmt{
		"for": p.forStatement, "if": p.ifStatement, "block": p.blockStatement,
		"extends": p.loadStatement, "include": p.includeStatement, "import": p.importStatement,
		"from": p.fromStatement, "print": p.printStatement, "macro": p.macroStatement,
		"set": p.setStatement, "with": p.withStatement, "autoescape": p.autoescapeStatement,
		"call": p.callStatement, "filter": p.filterStatement,
	}[t.text]
	if !ok {
		p.tags = p.tags[:len(p.tags)-1]
		p.lost(t.text, true, p.ends, t.line)
	}
	s := parse()
	p.tags = p.tags[:len(p.tags)-1]
	return s
}

func (p *parser) setStatement() stmt {
	p.next()
	target := p.target(true, nil)
	if p.skipIf("assign") {
		return &setStmt{target: target, value: p.tuple(tupleOptions{})}
	}
	filter, _ := p.filter(nil).(*filterExpr) // nil when there is none
	return &setBlockStmt{target: target, filter: filter, body: p.block(true, "name:endset")}
}

func (p *parser) forStatement() stmt {
	p.loops++
	p.loopDepth++
	p.maxLoopDepth = max(p.maxLoopDepth, p.loopDepth)
	defer func() { p.loopDepth-- }()
	s := &forStmt{line: p.expect("name:for").line}
	s.target = p.target(false, []string{"name:in"})
	p.expect("name:in")
	s.iter = p.tuple(tupleOptions{noCond: true, ends: []string{"name:recursive"}})
	if p.skipIf("name:if") {
		s.test = p.expression()
	}
	s.recursive = p.skipIf("name:recursive")
	s.body = p.block(false, "name:endfor", "name:else")
	if p.next().text != "endfor" {
		s.orelse = p.block(true, "name:endfor")
	}
	return s
}

func (p *parser) ifStatement() stmt {
	s := &ifStmt{}
	p.expect("name:if")
	for {
		s.tests = append(s.tests, p.tuple(tupleOptions{noCond: true}))
		s.bodies = append(s.bodies, p.block(false, "name:elif", "name:else", "name:endif"))
		t := p.next()
		if t.text == "elif" {
			continue
		}
		if t.text == "else" {
			s.orelse = p.block(true, "name:endif")
		}
		return s
	}
}

func (p *parser) withStatement() stmt {
	s := &withStmt{}
	p.next()
	for p.cur.kind != "block_end" {
		if len(s.targets) > 0 {
			p.expect("comma")
		}
		s.targets = append(s.targets, p.target(false, nil))
		p.expect("assign")
		s.values = append(s.values, p.expression())
	}
	s.body = p.block(true, "name:endwith")
	return s
}

func (p *parser) autoescapeStatement() stmt {
	p.next()
	value := p.expression()
	return &autoescapeStmt{value: value, body: p.block(true, "name:endautoescape")}
}

func (p *parser) blockStatement() stmt {
	s := &blockStmt{line: p.next().line}
	s.name = p.expect("name").text
	p.skipIf("name:scoped")
	required := p.skipIf("name:required")
	if p.cur.kind == "sub" {
		p.fail("Block names in Jinja have to be valid Python identifiers and may not" +
			" contain hyphens, use an underscore instead.")
	}
	s.body = p.block(true, "name:endblock")
	if required && !blank(s.body) {
		p.fail("Required blocks can only contain comments or whitespace")
	}
	p.skipIf("name:" + s.name)
	return s
}

func blank(body []stmt) bool {
	for _, s := range body {
		out, ok := s.(*outputStmt)
		if !ok {
			return false
		}
		for _, part := range out.parts {
			if text, isText := part.(string); !isText || strings.TrimFunc(text, isSpace) != "" {
				return false
			}
		}
	}
	return true
}

func (p *parser) loadStatement() stmt {
	p.next()
	return &loadStmt{template: p.expression()}
}

func (p *parser) importContext() {
	if (p.is("name:with") || p.is("name:without")) && p.look().test("name:context") {
		p.next()
		p.next()
	}
}

func (p *parser) includeStatement() stmt {
	p.next()
	s := &loadStmt{template: p.expression()}
	if p.is("name:ignore") && p.look().test("name:missing") {
		p.next()
		p.next()
	}
	p.importContext()
	return s
}

func (p *parser) importStatement() stmt {
	p.next()
	s := &loadStmt{template: p.expression()}
	p.expect("name:as")
	p.nameTarget()
	p.importContext()
	return s
}

func (p *parser) fromStatement() stmt {
	p.next()
	s := &loadStmt{template: p.expression()}
	p.expect("name:import")
	context := func() bool {
		if (p.cur.text == "with" || p.cur.text == "without") && p.look().test("name:context") {
			p.next()
			p.next()
			return true
		}
		return false
	}
	for n := 0; ; n++ {
		if n > 0 {
			p.expect("comma")
		}
		if p.cur.kind != "name" {
			p.expect("name")
		}
		if context() {
			return s
		}
		name := p.nameTarget()
		if strings.HasPrefix(name.name, "_") {
			panic(&SyntaxError{Line: name.at(), Message: "names starting with an underline can not be imported", class: "TemplateAssertionError"})
		}
		if p.skipIf("name:as") {
			p.nameTarget()
		}
		if context() || p.cur.kind != "comma" {
			return s
		}
	}
}

func (p *parser) signature() signature {
	var s signature
	p.expect("lparen")
	for p.cur.kind != "rparen" {
		if len(s.args) > 0 {
			p.expect("comma")
		}
		arg := p.nameTarget()
		if p.skipIf("assign") {
			s.defaults = append(s.defaults, p.expression())
		} else if len(s.defaults) > 0 {
			p.fail("non-default argument follows default argument")
		}
		s.args = append(s.args, arg.name)
	}
	p.expect("rparen")
	return s
}

func (p *parser) callStatement() stmt {
	s := &callStmt{line: p.next().line}
	if p.cur.kind == "lparen" {
		s.sig = p.signature()
	}
	call, ok := p.expression().(*callExpr)
	if !ok {
		fail(s.line, "expected call")
	}
	s.call = call
	s.body = p.block(true, "name:endcall")
	return s
}

func (p *parser) filterStatement() stmt {
	p.next()
	s := &filterStmt{filter: p.oneFilter(nil)}
	if more, ok := p.filter(s.filter).(*filterExpr); ok {
		s.filter = more
	}
	s.body = p.block(true, "name:endfilter")
	return s
}

func (p *parser) macroStatement() stmt {
	s := &macroStmt{line: p.next().line}
	s.name = p.nameTarget().name
	s.sig = p.signature()
	s.body = p.block(true, "name:endmacro")
	return s
}

func (p *parser) printStatement() stmt {
	s := &outputStmt{}
	p.next()
	for p.cur.kind != "block_end" {
		if len(s.parts) > 0 {
			p.expect("comma")
		}
		s.parts = append(s.parts, p.expression())
	}
	return s
}

// nameTarget reads a name that is given a value.
func (p *parser) nameTarget() *nameExpr {
	t := p.expect("name")
	n := &nameExpr{pos: pos(t.line), name: t.text}
	if !canAssign(n) {
		fail(t.line, "can't assign to 'name'")
	}
	return n
}

// target reads what an assignment may set.
func (p *parser) target(namespace bool, ends []string) expr {
	e := p.tuple(tupleOptions{simple: true, namespace: namespace, ends: ends})
	if !canAssign(e) {
		fail(e.at(), "can't assign to "+pyrepr.String(nodeName(e)))
	}
	return e
}
