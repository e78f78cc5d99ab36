package jsonata

// infix makes a node of an operator and what stands left of it; the parser is
// behind the operator.
func (p *parser) infix(t token, left *node) (*node, error) {
	switch t.text {
	case "(":
		return p.call(t, left)
	case "[":
		return p.predicate(t, left)
	case "@", "#":
		return p.bindStep(t, left)
	case "{":
		return p.groupBy(t, left)
	case "^":
		return p.orderBy(t, left)
	case "?":
		return p.condition(t, left)
	case ":=":
		return p.assign(t, left)
	}
	bound := power(t.text)
	if t.text == "?:" || t.text == "??" {
		bound = 0
	}
	right, err := p.expression(bound)
	if err != nil {
		return nil, err
	}
	kind := kindBinary
	switch t.text {
	case ".":
		return p.joinPath(t, left, right), nil
	case "~>":
		kind = kindApply
	case "?:":
		kind = kindElvis
	case "??":
		kind = kindCoalesce
	}
	n := &node{kind: kind, at: t.at, text: t.text, lhs: left, rhs: right}
	n.seekFrom(left)
	n.seekFrom(right)
	n.keepArray = kind == kindApply && (left.keepArray || right.keepArray)
	return n, nil
}

func (p *parser) condition(t token, left *node) (*node, error) {
	n := &node{kind: kindCondition, at: t.at, text: "?", lhs: left}
	var err error
	if n.rhs, err = p.expression(0); err != nil {
		return nil, err
	}
	n.seekFrom(left)
	n.seekFrom(n.rhs)
	if p.is(":") {
		if err := p.advance(":", true); err != nil {
			return nil, err
		}
		if n.alt, err = p.expression(0); err != nil {
			return nil, err
		}
		n.seekFrom(n.alt)
	}
	return n, nil
}

func (p *parser) assign(t token, left *node) (*node, error) {
	if left.kind != kindVariable || len(left.predicates) > 0 {
		token := left.kindName()
		if left.kind == kindPath && len(left.items) > 1 {
			token = "."
		}
		return nil, fail("S0212").at(left.at).withToken(token)
	}
	right, err := p.expression(power(t.text) - 1)
	if err != nil {
		return nil, err
	}
	n := &node{kind: kindBind, at: t.at, text: left.text, rhs: right}
	n.seekFrom(right)
	return n, nil
}

// call reads the arguments of f(a, b); a ? among them makes it a partial
// application.
func (p *parser) call(t token, left *node) (*node, error) {
	n := &node{kind: kindCall, at: t.at, lhs: left}
	switch left.kind {
	case kindVariable:
		n.text = left.text
	case kindPath:
		n.text = left.items[0].text
	default: // a function without a name
	}
	for more := !p.is(")"); more; {
		if p.is("?") {
			n.kind = kindPartial
			n.items = append(n.items, &node{kind: kindPlaceholder, at: p.tok.at})
			if err := p.advance("?", false); err != nil {
				return nil, err
			}
		} else {
			arg, err := p.expression(0)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, arg)
			n.seekFrom(arg)
		}
		var err error
		if more, err = p.comma(); err != nil {
			return nil, err
		}
	}
	return n, p.advance(")", false)
}

// lambda reads ($a, $b)<signature>{body} behind the word function.
func (p *parser) lambda() (*node, error) {
	n := &node{kind: kindLambda, at: p.tok.at}
	if err := p.advance("(", true); err != nil {
		return nil, err
	}
	var wrong *Error
	for more := !p.is(")"); more; {
		arg := p.tok
		e, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		n.params = append(n.params, e.text)
		if e.kind != kindVariable && wrong == nil {
			wrong = failValue("S0208", float64(len(n.params))).at(arg.at).withWord(arg)
		}
		if more, err = p.comma(); err != nil {
			return nil, err
		}
	}
	if err := p.advance(")", false); err != nil {
		return nil, err
	}
	if wrong != nil {
		return nil, wrong
	}
	if p.is("<") {
		if err := p.lambdaSignature(n); err != nil {
			return nil, err
		}
	}
	if err := p.advance("{", true); err != nil {
		return nil, err
	}
	body, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	n.lhs = body
	markTail(body)
	return n, p.advance("}", false)
}

func (p *parser) lambdaSignature(n *node) error {
	from, depth := p.tok.start, 1
	for {
		if err := p.advance("", false); err != nil {
			return err
		}
		if p.tok.kind == tokenEnd || p.is("{") {
			break
		}
		if p.is("<") {
			depth++
		}
		if p.is(">") {
			if depth--; depth == 0 {
				break
			}
		}
	}
	end := p.tok.at
	if err := p.advance(">", false); err != nil {
		return err
	}
	sig, err := parseSignature(p.lex.text[from:end])
	if err != nil {
		return err.at(end)
	}
	n.sig = sig
	return nil
}

// markTail marks the calls that are the value of a function, which then need
// no stack of their own.
func markTail(n *node) {
	if len(n.predicates) > 0 || n.group != nil || n.keepArray {
		return
	}
	switch n.kind {
	case kindCall:
		n.tail = true
	case kindCondition:
		markTail(n.rhs)
		if n.alt != nil {
			markTail(n.alt)
		}
	case kindBlock:
		if len(n.items) > 0 {
			markTail(n.items[len(n.items)-1])
		}
	default: // no other ends with a call
	}
}
