package jsonata

import "slices"

// maxParse is how deeply expressions may lie within each other, maxChain how
// many operators may follow each other without brackets.
const (
	maxParse = 500
	maxChain = 10_000
)

// parser reads an expression by operator precedence (Pratt): every operator
// has a binding power, and an operand belongs to the stronger side.
type parser struct {
	lex   lexer
	tok   token
	depth int
	slots int // number of % so far
	// wrong is the first fault of meaning. Faults of syntax go before it.
	wrong *Error
}

// parse reads a whole expression.
func parse(text string) (*node, error) {
	p := &parser{lex: lexer{text: text}}
	if err := p.advance("", true); err != nil {
		return nil, err
	}
	n, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if p.tok.kind != tokenEnd {
		return nil, fail("S0201").at(p.tok.at).withWord(p.tok)
	}
	if n.kind == kindParent || slices.ContainsFunc(n.seeking, func(s *slot) bool { return s.level > 0 }) {
		p.fault(fail("S0217").at(n.at).withToken(n.kindName()))
	}
	if p.wrong != nil {
		return nil, p.wrong
	}
	return n, nil
}

// fault notes what is wrong with the meaning of an expression.
func (p *parser) fault(err *Error) {
	if p.wrong == nil {
		p.wrong = err
	}
}

// power is how strongly an infix operator binds to its left.
func power(op string) int {
	switch op {
	case "(", "[", "@", "#":
		return 80
	case ".":
		return 75
	case "{":
		return 70
	case "*", "/", "%":
		return 60
	case "+", "-", "&":
		return 50
	case "=", "!=", "<", ">", "<=", ">=", "^", "~>", "in", "?:", "??":
		return 40
	case "and":
		return 30
	case "or":
		return 25
	case "?":
		return 20
	case ":=":
		return 10
	}
	return 0
}

// advance passes the current token, which must be want unless that is empty.
// operand says what the token after it may be.
func (p *parser) advance(want string, operand bool) error {
	if want != "" && !p.is(want) {
		code := "S0202"
		if p.tok.kind == tokenEnd {
			code = "S0203"
		}
		return failValue(code, want).withWord(p.tok).at(p.tok.at)
	}
	t, err := p.lex.next(operand)
	if err != nil {
		return err
	}
	p.tok = t
	if t.kind == tokenOperator && (t.text == "!" || t.text == "~") {
		return fail("S0204").at(t.at).withToken(t.text)
	}
	return nil
}

func (p *parser) is(op string) bool { return p.tok.kind == tokenOperator && p.tok.text == op }

// expression reads operands and operators that bind more than bound.
func (p *parser) expression(bound int) (*node, error) {
	if p.depth++; p.depth > maxParse {
		return nil, fail("D1011").at(p.tok.at)
	}
	defer func() { p.depth-- }()
	t := p.tok
	if t.kind == tokenEnd {
		// What is still to be closed is the better message, if there is anything.
		p.fault(fail("S0207").at(t.at).withToken(t.text))
		return &node{kind: kindLiteral, at: t.at, text: t.text, value: ""}, nil
	}
	if err := p.advance("", startsOperand(t)); err != nil {
		return nil, err
	}
	left, err := p.prefix(t)
	if err != nil {
		return nil, err
	}
	for chain := 0; p.tok.kind == tokenOperator && bound < power(p.tok.text); chain++ {
		t := p.tok
		if chain > maxChain {
			return nil, fail("D1011").at(t.at)
		}
		if err := p.advance("", true); err != nil {
			return nil, err
		}
		if left, err = p.infix(t, left); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// startsOperand reports whether what follows a token in prefix position is an
// operand, so that a slash there starts a regular expression.
func startsOperand(t token) bool {
	if t.kind != tokenOperator {
		return false
	}
	switch t.text {
	case "*", "**", "%", "and", "or", "in", "?":
		return false
	}
	return true
}

// prefix makes a node of a token that starts an operand; the parser is behind it.
func (p *parser) prefix(t token) (*node, error) {
	switch t.kind {
	case tokenName:
		if p.is("(") && t.flags == "" && (t.text == "function" || t.text == "λ") {
			return p.lambda()
		}
		return nameNode(t), nil
	case tokenVariable:
		return p.variable(t), nil
	case tokenString, tokenNumber, tokenLiteral:
		return &node{kind: kindLiteral, at: t.at, text: t.text, value: t.value}, nil
	case tokenRegex:
		re, err := compileRegex(t.text, t.flags)
		if err != nil {
			return nil, err.at(t.at)
		}
		return &node{kind: kindRegex, at: t.at, value: re}, nil
	default: // an operator, told by its text; the end is none
	}
	switch t.text {
	case "and", "or", "in":
		return nameNode(t), nil
	case "*":
		return &node{kind: kindWildcard, at: t.at, text: t.text}, nil
	case "**":
		return &node{kind: kindDescendant, at: t.at, text: t.text}, nil
	case "%":
		p.slots++
		return &node{kind: kindParent, at: t.at, text: t.text, modifiers: modifiers{slot: newSlot(p.slots)}}, nil
	case "-":
		return p.negate(t)
	case "(":
		return p.block(t)
	case "[":
		return p.array(t)
	case "{":
		return p.object(t)
	case "|":
		return p.transform(t)
	}
	return nil, fail("S0211").at(t.at).withToken(t.text)
}

func nameNode(t token) *node {
	step := &node{kind: kindName, at: t.at, text: t.text}
	return &node{kind: kindPath, at: t.at, items: []*node{step}}
}

func (p *parser) variable(t token) *node {
	n := &node{kind: kindVariable, at: t.at, text: t.text}
	if f := builtin(t.text); f != nil {
		n.value = f
	}
	return n
}

func (p *parser) negate(t token) (*node, error) {
	operand, err := p.expression(70)
	if err != nil {
		return nil, err
	}
	if f, ok := operand.value.(float64); ok && operand.kind == kindLiteral && len(operand.predicates) == 0 {
		operand.value = -f
		return operand, nil
	}
	n := &node{kind: kindNegate, at: t.at, text: "-", lhs: operand}
	n.seekFrom(operand)
	return n, nil
}

func (p *parser) block(t token) (*node, error) {
	n := &node{kind: kindBlock, at: t.at}
	for !p.is(")") {
		e, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, e)
		n.binds = n.binds || bindsHere(e)
		n.seekFrom(e)
		if !p.is(";") {
			break
		}
		if err := p.advance(";", true); err != nil {
			return nil, err
		}
	}
	return n, p.advance(")", false)
}

// bindsHere reports whether an expression may assign variables of the block
// that it stands in. Only what cannot is told apart.
func bindsHere(n *node) bool {
	switch n.kind {
	case kindLiteral, kindVariable, kindLambda:
		return len(n.predicates) > 0 || n.group != nil
	case kindBinary:
		return len(n.predicates) > 0 || n.group != nil || bindsHere(n.lhs) || bindsHere(n.rhs)
	case kindPath:
		if n.group != nil {
			return true
		}
		for _, s := range n.items {
			if s.kind != kindName && s.kind != kindVariable || len(s.stages)+len(s.predicates) > 0 {
				return true
			}
		}
		return false
	default:
		return true
	}
}

// comma passes a comma, if there is one: then more must follow.
func (p *parser) comma() (bool, error) {
	if !p.is(",") {
		return false, nil
	}
	return true, p.advance(",", true)
}

func (p *parser) array(t token) (*node, error) {
	n := &node{kind: kindArray, at: t.at}
	for more := !p.is("]"); more; {
		item, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		if p.is("..") {
			op := p.tok
			if err := p.advance("..", true); err != nil {
				return nil, err
			}
			to, err := p.expression(0)
			if err != nil {
				return nil, err
			}
			r := &node{kind: kindRange, at: op.at, text: "..", lhs: item, rhs: to}
			r.seekFrom(item)
			r.seekFrom(to)
			item = r
		}
		n.items = append(n.items, item)
		n.seekFrom(item)
		if more, err = p.comma(); err != nil {
			return nil, err
		}
	}
	return n, p.advance("]", false)
}

func (p *parser) object(t token) (*node, error) {
	n := &node{kind: kindObject, at: t.at}
	for more := !p.is("}"); more; {
		key, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		if err := p.advance(":", true); err != nil {
			return nil, err
		}
		v, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		n.pairs = append(n.pairs, pair{key, v})
		n.seekFrom(key)
		n.seekFrom(v)
		if more, err = p.comma(); err != nil {
			return nil, err
		}
	}
	return n, p.advance("}", false)
}

func (p *parser) transform(t token) (*node, error) {
	n := &node{kind: kindTransform, at: t.at}
	var err error
	if n.lhs, err = p.expression(0); err != nil {
		return nil, err
	}
	if err := p.advance("|", true); err != nil {
		return nil, err
	}
	if n.rhs, err = p.expression(0); err != nil {
		return nil, err
	}
	if p.is(",") {
		if err := p.advance(",", true); err != nil {
			return nil, err
		}
		if n.alt, err = p.expression(0); err != nil {
			return nil, err
		}
	}
	return n, p.advance("|", false)
}
