package jinja

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Bounds on what rendering one template may take.
const (
	maxSteps = 1_000_000
	maxCalls = 60 // macros and recursive loops within each other
	// bytesPerStep is how many bytes of a text are handled for a step.
	bytesPerStep = 32
)

// scope is a block's names; an inner block sees the outer ones'.
type scope struct {
	names  map[string]any
	parent *scope
}

func newScope(parent *scope) *scope { return &scope{parent: parent} }

func (s *scope) set(name string, v any) {
	if s.names == nil {
		s.names = map[string]any{}
	}
	s.names[name] = v
}

func (s *scope) get(name string) (any, bool) {
	for ; s != nil; s = s.parent {
		if v, ok := s.names[name]; ok {
			return v, true
		}
	}
	return nil, false
}

// state is one rendering.
type state struct {
	env        Environment
	vars       map[string]any
	known      map[string]any // variables that were turned into values
	steps      int
	calls      int
	out        *strings.Builder
	autoescape bool
	root       *scope
	blocks     map[string]*blockStmt
	clock      *time.Time
	// textMethods is what the function of that name returns, once it was asked for.
	textMethods map[string]textMethod
}

func newState(t *Template, vars map[string]any) *state {
	return &state{env: t.env, vars: vars, known: map[string]any{}, out: &strings.Builder{}, blocks: map[string]*blockStmt{}}
}

func (st *state) run(body []stmt) (string, error) {
	if err := st.check(body, false); err != nil {
		return "", err
	}
	st.root = newScope(nil)
	if err := st.exec(body, st.root); err != nil {
		return "", err
	}
	return st.out.String(), nil
}

// spend takes a step, and more for the bytes or items that it handles.
func (st *state) spend(n int) error {
	st.steps += 1 + n/bytesPerStep
	if st.steps > maxSteps {
		return errBudget
	}
	return nil
}

// enter guards calls within calls; leave ends one.
func (st *state) enter() error {
	st.calls++
	if st.calls > maxCalls {
		return errRecursion
	}
	return nil
}

func (st *state) leave() { st.calls-- }

func (st *state) write(s string) error {
	if st.out.Len()+len(s) > maxText {
		return errTooLarge
	}
	st.out.WriteString(s)
	return st.spend(len(s))
}

// capture runs a body and returns its text.
func (st *state) capture(body []stmt, s *scope) (string, error) {
	outer := st.out
	st.out = &strings.Builder{}
	defer func() { st.out = outer }()
	if err := st.exec(body, s); err != nil {
		return "", err
	}
	return st.out.String(), nil
}

// marked is a captured text, which is HTML already where texts are escaped.
func (st *state) marked(s string) any {
	if st.autoescape {
		return markup(s)
	}
	return s
}

// resolve finds a name: in the scopes, the variables, the globals.
func (st *state) resolve(name string, s *scope) any {
	if v, ok := s.get(name); ok {
		return v
	}
	if v, ok := st.known[name]; ok {
		return v
	}
	if v, ok := st.vars[name]; ok {
		out := fromGo(v)
		st.known[name] = out
		return out
	}
	if v := st.global(name); v != nil {
		st.known[name] = v
		return v
	}
	return &undefined{name: name}
}

func (st *state) exec(body []stmt, s *scope) error {
	for _, one := range body {
		if err := st.spend(0); err != nil {
			return err
		}
		if err := st.statement(one, s); err != nil {
			return err
		}
	}
	return nil
}

func (st *state) statement(one stmt, s *scope) error {
	switch one := one.(type) {
	case *outputStmt:
		return st.output(one, s)
	case *ifStmt:
		return st.branch(one, s)
	case *forStmt:
		return st.loop(one, s)
	case *setStmt:
		v, err := st.eval(one.value, s)
		if err != nil {
			return err
		}
		return st.assign(one.target, v, s)
	case *setBlockStmt:
		return st.setBlock(one, s)
	case *withStmt:
		return st.with(one, s)
	case *autoescapeStmt:
		v, err := st.eval(one.value, s)
		if err != nil {
			return err
		}
		defer func(was bool) { st.autoescape = was }(st.autoescape)
		st.autoescape = truth(v)
		return st.exec(one.body, newScope(s))
	case *blockStmt:
		// A block sees the template's own names, not those of loops around it.
		return st.exec(one.body, newScope(&scope{names: maps.Clone(st.root.names)}))
	case *macroStmt:
		s.set(one.name, &macro{
			name: one.name, sig: one.sig, body: one.body, scope: s,
			wants: special(one.sig, one.body),
		})
		return nil
	case *callStmt:
		return st.callBlock(one, s)
	case *filterStmt:
		text, err := st.capture(one.body, newScope(s))
		if err != nil {
			return err
		}
		v, err := st.filtered(one.filter, st.marked(text), s)
		if err != nil {
			return err
		}
		return st.print(v)
	case *loadStmt:
		if _, err := st.eval(one.template, s); err != nil {
			return err
		}
		return typeError("no loader for this environment specified")
	}
	return nil
}

func (st *state) output(one *outputStmt, s *scope) error {
	for _, part := range one.parts {
		if text, ok := part.(string); ok {
			if err := st.write(text); err != nil {
				return err
			}
			continue
		}
		e, _ := part.(expr)
		v, err := st.eval(e, s)
		if err != nil {
			return err
		}
		if err := st.print(v); err != nil {
			return err
		}
	}
	return nil
}

func (st *state) print(v any) error {
	if st.autoescape {
		m, err := st.escape(v)
		if err != nil {
			return err
		}
		return st.write(string(m))
	}
	text, err := st.str(v)
	if err != nil {
		return err
	}
	return st.write(text)
}

func (st *state) branch(one *ifStmt, s *scope) error {
	for i, test := range one.tests {
		v, err := st.eval(test, s)
		if err != nil {
			return err
		}
		if truth(v) {
			return st.exec(one.bodies[i], s)
		}
	}
	return st.exec(one.orelse, s)
}

func (st *state) with(one *withStmt, s *scope) error {
	inner := newScope(s)
	for i, target := range one.targets {
		v, err := st.eval(one.values[i], s)
		if err != nil {
			return err
		}
		if err := st.assign(target, v, inner); err != nil {
			return err
		}
	}
	return st.exec(one.body, inner)
}

func (st *state) setBlock(one *setBlockStmt, s *scope) error {
	text, err := st.capture(one.body, newScope(s))
	if err != nil {
		return err
	}
	v := st.marked(text)
	if one.filter != nil {
		if v, err = st.filtered(one.filter, v, s); err != nil {
			return err
		}
	}
	return st.assign(one.target, v, s)
}

func (st *state) assign(target expr, v any, s *scope) error {
	switch target := target.(type) {
	case *nameExpr:
		s.set(target.name, v)
	case *nsRefExpr:
		ns, ok := st.resolve(target.name, s).(*namespace)
		if !ok {
			return &pyError{"TemplateRuntimeError", "cannot assign attribute on non-namespace object"}
		}
		ns.attrs.setText(target.attr, v)
	case *tupleExpr:
		items, err := st.unpack(v, len(target.items))
		if err != nil {
			return err
		}
		for i, t := range target.items {
			if err := st.assign(t, items[i], s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (st *state) unpack(v any, n int) ([]any, error) {
	items, err := st.iterate(v)
	if err != nil {
		if e, ok := err.(*pyError); ok && strings.HasSuffix(e.message, "is not iterable") { //nolint:errorlint // never wrapped inside the package
			return nil, typeError("cannot unpack non-iterable " + typeName(v) + " object")
		}
		return nil, err
	}
	switch {
	case len(items) < n:
		return nil, valueError("not enough values to unpack (expected " + plainRepr(int64(n)) + ", got " + plainRepr(int64(len(items))) + ")")
	case len(items) > n:
		return nil, valueError("too many values to unpack (expected " + plainRepr(int64(n)) + ")")
	}
	return slices.Clone(items), nil
}

// loop runs a for statement.
func (st *state) loop(one *forStmt, s *scope) error {
	v, err := st.eval(one.iter, s)
	if err != nil {
		return err
	}
	return st.iterateLoop(one, v, s, 0)
}

func (st *state) iterateLoop(one *forStmt, over any, s *scope, depth int) error {
	if err := st.enter(); err != nil {
		return err
	}
	defer st.leave()
	items, err := st.iterate(over)
	if err != nil {
		return err
	}
	items = slices.Clone(items)
	if one.test != nil {
		if items, err = st.loopFilter(one, items, s); err != nil {
			return err
		}
	}
	l := &loop{items: items, depth0: depth, st: st}
	if one.recursive {
		l.recurse = func(inner any) (any, error) {
			outer := st.out
			st.out = &strings.Builder{}
			defer func() { st.out = outer }()
			if err := st.iterateLoop(one, inner, s, depth+1); err != nil {
				return nil, err
			}
			return st.marked(st.out.String()), nil
		}
	}
	for i, item := range items {
		l.index0 = i
		if err := st.spend(0); err != nil {
			return err
		}
		inner := newScope(s)
		inner.set("loop", l)
		if err := st.assign(one.target, item, inner); err != nil {
			return err
		}
		if err := st.exec(one.body, inner); err != nil {
			return err
		}
	}
	if len(items) == 0 {
		return st.exec(one.orelse, newScope(s))
	}
	return nil
}

func (st *state) loopFilter(one *forStmt, items []any, s *scope) ([]any, error) {
	var kept []any
	for _, item := range items {
		inner := newScope(s)
		if err := st.assign(one.target, item, inner); err != nil {
			return nil, err
		}
		v, err := st.eval(one.test, inner)
		if err != nil {
			return nil, err
		}
		if truth(v) {
			kept = append(kept, item)
		}
	}
	return kept, nil
}
