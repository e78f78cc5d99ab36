package jsonata

import "slices"

// Reference is a free variable of an expression: one that it neither assigns
// nor takes as a parameter where it is used.
type Reference struct {
	Name string
	// Path is the fields that are taken of it at once: $states.input.x has
	// input and x.
	Path     []string
	Position int  // UTF-16 units, behind the name
	Builtin  bool // a built-in function has this name
	Called   bool // it is called as a function
}

// Variables lists the names of free variables in the order of their first use,
// without those that name built-in functions and without $ and $$.
func (e *Expression) Variables() []string {
	var names []string
	for _, r := range e.References() {
		if !r.Builtin && !slices.Contains(names, r.Name) {
			names = append(names, r.Name)
		}
	}
	return names
}

// References lists every use of a free variable in the order of the text, but
// for $ and $$.
func (e *Expression) References() []Reference {
	w := &referenceWalker{text: e.text}
	w.walk(e.root, &names{})
	slices.SortStableFunc(w.found, func(a, b Reference) int { return a.Position - b.Position })
	return w.found
}

// names are the variables that are bound at a place.
type names struct {
	outer *names
	bound []string
}

func (n *names) has(name string) bool {
	for ; n != nil; n = n.outer {
		if slices.Contains(n.bound, name) {
			return true
		}
	}
	return false
}

type referenceWalker struct {
	text  string
	found []Reference
}

func (w *referenceWalker) reference(n *node, path []string, called bool, in *names) {
	if n.text == "" || n.text == "$" || in.has(n.text) {
		return
	}
	at := units(w.text[:n.at])
	_, isBuiltin := n.value.(*native)
	w.found = append(w.found, Reference{Name: n.text, Path: path, Position: at, Builtin: isBuiltin, Called: called})
}

func (w *referenceWalker) walk(n *node, in *names) {
	if n == nil {
		return
	}
	switch n.kind {
	case kindVariable:
		w.reference(n, nil, false, in)
	case kindPath:
		in = &names{outer: in}
		w.path(n, in)
	case kindBlock:
		in = &names{outer: in}
		w.all(n.items, in)
	case kindBind:
		w.walk(n.rhs, in)
		in.bound = append(in.bound, n.text)
	case kindLambda:
		inner := &names{outer: in, bound: slices.Clone(n.params)}
		w.walk(n.lhs, inner)
	case kindCall, kindPartial:
		if n.lhs.kind == kindVariable && len(n.lhs.predicates) == 0 {
			w.reference(n.lhs, nil, true, in)
		} else {
			w.walk(n.lhs, in)
		}
		w.all(n.items, in)
	default:
		w.walk(n.lhs, in)
		w.walk(n.rhs, in)
		w.walk(n.alt, in)
		w.all(n.items, in)
		for _, p := range n.pairs {
			w.walk(p.key, in)
			w.walk(p.value, in)
		}
		for _, t := range n.terms {
			w.walk(t.expr, in)
		}
	}
	w.modifiers(n, in)
}

func (w *referenceWalker) modifiers(n *node, in *names) {
	for _, name := range []string{n.focus, n.index} {
		if name != "" {
			in.bound = append(in.bound, name)
		}
	}
	w.all(n.predicates, in)
	for _, st := range n.stages {
		if st.filter != nil {
			w.walk(st.filter, in)
		} else {
			in.bound = append(in.bound, st.index)
		}
	}
	w.walk(n.group, in)
}

func (w *referenceWalker) all(nodes []*node, in *names) {
	for _, n := range nodes {
		w.walk(n, in)
	}
}

// path takes a variable at the start of a path together with the names that
// follow it.
func (w *referenceWalker) path(n *node, in *names) {
	steps := n.items
	if first := steps[0]; first.kind == kindVariable {
		var fields []string
		if len(first.predicates)+len(first.stages) == 0 {
			for _, s := range steps[1:] {
				if s.kind != kindName {
					break
				}
				fields = append(fields, s.text)
				if len(s.predicates)+len(s.stages) > 0 {
					break
				}
			}
		}
		w.reference(first, fields, false, in)
		w.modifiers(first, in)
		steps = steps[1:]
	}
	w.all(steps, in)
}
