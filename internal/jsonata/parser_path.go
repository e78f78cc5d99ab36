package jsonata

// joinPath makes one path of what stands on both sides of a dot.
func (p *parser) joinPath(t token, left, right *node) *node {
	path := left
	if left.kind != kindPath {
		path = &node{kind: kindPath, at: t.at, items: []*node{left}}
	}
	if left.kind == kindParent {
		path.seeking = append(path.seeking, left.slot)
	} else if path != left {
		path.seekFrom(left)
	}
	path.at = t.at
	if path.lastStep().cons && right.isContext() {
		return path // which keeps the arrays that the step before constructs
	}
	if right.kind == kindPath {
		path.items = append(path.items, right.items...)
	} else {
		right.stages = append(filterStages(right.predicates), right.stages...)
		right.predicates = nil
		path.items = append(path.items, right)
	}
	for i, s := range path.items {
		if s.kind == kindLiteral {
			text, isString := s.value.(string)
			if !isString {
				p.fault(failValue("S0213", s.value).at(s.at))
			}
			path.items[i] = &node{kind: kindName, at: s.at, text: text, modifiers: s.modifiers}
		}
		path.keepArray = path.keepArray || s.keepArray
	}
	for _, s := range []*node{path.items[0], path.items[len(path.items)-1]} {
		if s.kind == kindArray {
			s.cons = true
		}
	}
	p.fault(path.resolveParents())
	return path
}

// isContext reports whether a node is the variable $ and nothing else.
func (n *node) isContext() bool {
	return n.kind == kindVariable && n.text == "" && len(n.predicates) == 0 && n.group == nil &&
		!n.keepArray && n.focus == "" && n.index == ""
}

func filterStages(predicates []*node) []stage {
	var stages []stage
	for _, f := range predicates {
		stages = append(stages, stage{filter: f})
	}
	return stages
}

// lastStep is the step that a postfix operator applies to: of a path its last.
func (n *node) lastStep() *node {
	if n.kind == kindPath {
		return n.items[len(n.items)-1]
	}
	return n
}

func (p *parser) predicate(t token, left *node) (*node, error) {
	step := left.lastStep()
	if p.is("]") {
		step.keepArray = true
		left.keepArray = true
		return left, p.advance("]", false)
	}
	filter, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if step.group != nil {
		p.fault(fail("S0209").at(t.at))
	}
	for _, s := range filter.seeking {
		if s.level == 1 {
			p.fault(step.seekParent(s))
		} else {
			s.level--
		}
	}
	step.seekFrom(filter)
	if left.kind == kindPath {
		step.stages = append(step.stages, stage{filter: filter})
	} else {
		step.predicates = append(step.predicates, filter)
	}
	return left, p.advance("]", false)
}

// bindStep reads the variable of step@$v (the value) or step#$v (its place).
func (p *parser) bindStep(t token, left *node) (*node, error) {
	v, err := p.expression(power(t.text))
	if err != nil {
		return nil, err
	}
	if v.kind != kindVariable {
		return nil, fail("S0214").at(v.at).withToken(t.text)
	}
	step := left.lastStep()
	if t.text == "@" {
		if len(step.stages)+len(step.predicates) > 0 {
			p.fault(fail("S0215").at(t.at))
		}
		if step.kind == kindSort {
			p.fault(fail("S0216").at(t.at))
		}
		step.focus, step.tuple = v.text, true
		return left, nil
	}
	if left.kind != kindPath {
		left = &node{kind: kindPath, at: t.at, items: []*node{step}}
		left.keepArray = step.keepArray
		left.seekFrom(step)
		step.stages = filterStages(step.predicates)
		step.predicates = nil
	}
	if len(step.stages) == 0 {
		step.index = v.text
	} else {
		step.stages = append(step.stages, stage{index: v.text})
	}
	step.tuple = true
	return left, nil
}

func (p *parser) groupBy(t token, left *node) (*node, error) {
	group, err := p.object(t)
	if err != nil {
		return nil, err
	}
	if left.group != nil {
		p.fault(fail("S0210").at(t.at))
	}
	left.group = group
	return left, nil
}

// orderBy reads ^(a, >b): a step that sorts what the path has found.
func (p *parser) orderBy(t token, left *node) (*node, error) {
	if err := p.advance("(", true); err != nil {
		return nil, err
	}
	sort := &node{kind: kindSort, at: t.at, text: "^"}
	for {
		var key term
		if p.is("<") || p.is(">") {
			key.descending = p.is(">")
			if err := p.advance("", true); err != nil {
				return nil, err
			}
		}
		var err error
		if key.expr, err = p.expression(0); err != nil {
			return nil, err
		}
		sort.terms = append(sort.terms, key)
		sort.seekFrom(key.expr)
		if !p.is(",") {
			break
		}
		if err := p.advance(",", true); err != nil {
			return nil, err
		}
	}
	if err := p.advance(")", false); err != nil {
		return nil, err
	}
	path := left
	if left.kind != kindPath {
		path = &node{kind: kindPath, at: t.at, items: []*node{left}}
		path.seekFrom(left)
	}
	path.items = append(path.items, sort)
	p.fault(path.resolveParents())
	return path, nil
}
