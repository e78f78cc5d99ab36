package jsonata

import "slices"

// scope holds the variables of a block, a function call or a step.
type scope struct {
	parent *scope
	vars   []binding
}

type binding struct {
	name  string
	value any
}

func (s *scope) get(name string) (any, bool) {
	for ; s != nil; s = s.parent {
		for _, v := range slices.Backward(s.vars) {
			if v.name == name {
				return v.value, true
			}
		}
	}
	return Undefined{}, false
}

// set assigns a variable of this scope.
func (s *scope) set(name string, v any) {
	for i := range s.vars {
		if s.vars[i].name == name {
			s.vars[i].value = v
			return
		}
	}
	s.vars = append(s.vars, binding{name, v})
}

// tuple is an item of a path whose steps bind variables: its value and those
// variables. Tuples share their bindings; with makes new ones.
type tuple struct {
	value any
	vars  []binding
}

func (t tuple) with(name string, v any) tuple {
	t.vars = slices.Clone(t.vars)
	for i := range t.vars {
		if t.vars[i].name == name {
			t.vars[i].value = v
			return t
		}
	}
	t.vars = append(t.vars, binding{name, v})
	return t
}

// scope is where expressions see a tuple's variables.
func (t tuple) scope(parent *scope) *scope {
	if len(t.vars) == 0 {
		return parent
	}
	return &scope{parent: parent, vars: slices.Clone(t.vars)}
}

// variable looks a variable up: local ones, those of the environment, its
// functions and then the built-in functions.
func (ev *evaluator) variable(n *node, in any, sc *scope) any {
	if n.text == "" {
		if l, ok := in.(*list); ok && l.outer {
			return l.items[0]
		}
		return in
	}
	if v, ok := sc.get(n.text); ok {
		return v
	}
	return ev.global(n.text, n.value)
}

// global is a variable that no expression has bound; known is the built-in
// function of that name or nil.
func (ev *evaluator) global(name string, known any) any {
	if v, ok := ev.env.Bindings[name]; ok {
		return v
	}
	if ev.env.Lookup != nil {
		if v, ok := ev.env.Lookup(name); ok {
			return v
		}
	}
	if f, ok := ev.env.Functions[name]; ok {
		if f == nil || f.Undefined {
			return Undefined{}
		}
		return ev.foreign(name, f)
	}
	if known == nil {
		return Undefined{}
	}
	return known
}
