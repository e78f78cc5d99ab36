package jsonata

import "errors"

// function is a value that can be called.
type function interface {
	// arity is how many arguments the function makes use of.
	arity() int
}

// lambda is a function of an expression, with what it saw where it was made.
type lambda struct {
	params []string
	body   *node
	sig    *signature
	scope  *scope
	input  any
}

// native is a built-in function or one of the environment.
type native struct {
	name   string
	params int
	sig    *signature
	call   func(c *callContext, args []any) (any, error)
	raw    bool // gets lists as they are
}

// callContext is what a native function sees besides its arguments.
type callContext struct {
	*evaluator
	input any
}

// bound is a partially applied function: args has hole{} where arguments are
// still to come.
type bound struct {
	fn    function
	args  []any
	holes int
}

type hole struct{}

// chain is two functions one after the other.
type chain struct{ first, second function }

// transformer is the function that |pattern|update,delete| makes.
type transformer struct {
	node  *node
	scope *scope
}

func (f *lambda) arity() int      { return len(f.params) }
func (f *native) arity() int      { return f.params }
func (f *bound) arity() int       { return f.holes }
func (f *chain) arity() int       { return 1 }
func (f *transformer) arity() int { return 1 }

// tailCall is a call that is still to be made, in place of the caller's.
type tailCall struct {
	fn    any
	args  []any
	input any
	node  *node
}

func (ev *evaluator) call(n *node, in any, sc *scope) (any, error) {
	return ev.callWith(n, nil, in, sc)
}

// callWith calls with further arguments before those of the node.
func (ev *evaluator) callWith(n *node, before []any, in any, sc *scope) (any, error) {
	fn, err := ev.eval(n.lhs, in, sc)
	if err != nil {
		return nil, err
	}
	if isUndefined(fn) {
		if name, ok := ev.misspelt(n); ok {
			return nil, fail("T1005").at(n.at).withToken(name)
		}
	}
	args := before
	if len(n.items) > 0 {
		args = make([]any, len(before), len(before)+len(n.items))
		copy(args, before)
		for _, a := range n.items {
			v, err := ev.eval(a, in, sc)
			if err != nil {
				return nil, err
			}
			args = append(args, v)
		}
	}
	if n.tail {
		return &tailCall{fn: fn, args: args, input: in, node: n}, nil
	}
	v, err := ev.apply(fn, args, in)
	if err != nil {
		return nil, located(err, n.at, n.text)
	}
	return v, nil
}

// misspelt reports whether a call has lost the dollar sign of a function.
func (ev *evaluator) misspelt(n *node) (string, bool) {
	if n.lhs.kind != kindPath {
		return "", false
	}
	name := n.lhs.items[0].text
	var known any
	if f := builtin(name); f != nil {
		known = f
	}
	return name, n.lhs.items[0].kind == kindName && !isUndefined(ev.global(name, known))
}

// apply calls a function. Calls in tail position are made in a loop.
func (ev *evaluator) apply(fn any, args []any, in any) (any, error) {
	v, err := ev.applyOnce(fn, args, in)
	for err == nil {
		next, ok := v.(*tailCall)
		if !ok {
			return v, nil
		}
		if v, err = ev.applyOnce(next.fn, next.args, next.input); err != nil {
			err = located(err, next.node.at, next.node.text)
		}
	}
	return nil, err
}

func (ev *evaluator) applyOnce(fn any, args []any, in any) (any, error) {
	switch f := fn.(type) {
	case *lambda:
		return ev.applyLambda(f, args, in)
	case *native:
		return ev.applyNative(f, args, in)
	case *bound:
		all := make([]any, 0, len(f.args)+len(args))
		for _, a := range f.args {
			if _, open := a.(hole); !open {
				all = append(all, a)
				continue
			}
			if len(args) == 0 {
				all = append(all, Undefined{})
				continue
			}
			all = append(all, args[0])
			args = args[1:]
		}
		return ev.nested(func() (any, error) { return ev.apply(f.fn, all, in) })
	case *chain:
		return ev.nested(func() (any, error) {
			v, err := ev.apply(f.first, args, nil)
			if err != nil {
				return nil, err
			}
			return ev.apply(f.second, []any{v}, nil)
		})
	case *transformer:
		arg := argument(args, 0)
		switch kindOf(arg) {
		case 'm':
			return arg, nil
		case 'o', 'a':
			return ev.transform(f, arg)
		}
		return nil, failValue("T0410", arg).withIndex(1)
	case *regex:
		return f.matcher(ev, args)
	case *nextMatch:
		return f.next(ev)
	}
	return nil, fail("T1006")
}

// nested counts a call as a level of depth.
func (ev *evaluator) nested(call func() (any, error)) (any, error) {
	if ev.depth++; ev.depth > ev.maxDepth {
		ev.depth--
		return nil, tooDeep()
	}
	v, err := call()
	ev.depth--
	return v, err
}

func argument(args []any, i int) any {
	if i < len(args) {
		return args[i]
	}
	return Undefined{}
}

func (ev *evaluator) applyLambda(f *lambda, args []any, in any) (any, error) {
	if f.sig != nil {
		var err error
		if args, err = f.sig.validate(args, in); err != nil {
			return nil, err
		}
	}
	frame := &scope{parent: f.scope, vars: make([]binding, 0, len(f.params)+1)}
	for i, p := range f.params {
		frame.set(p, argument(args, i))
	}
	return ev.eval(f.body, f.input, frame)
}

func (ev *evaluator) applyNative(f *native, args []any, in any) (any, error) {
	if err := ev.step(); err != nil {
		return nil, err
	}
	if f.sig != nil {
		var err error
		if args, err = f.sig.validate(args, in); err != nil {
			return nil, err
		}
	}
	for _, a := range args {
		switch a := a.(type) {
		case string:
			ev.steps -= len(a) / 64
		case []any:
			ev.steps -= len(a) / 64
		}
	}
	if !f.raw {
		for i, a := range args {
			if _, ok := a.(*list); ok {
				args = append([]any(nil), args...)
				for j := i; j < len(args); j++ {
					args[j] = plain(args[j])
				}
				break
			}
		}
	}
	return f.call(&callContext{evaluator: ev, input: in}, args)
}

// foreign makes a function of the environment callable.
func (ev *evaluator) foreign(name string, f *Function) any {
	if made, ok := ev.functions[name]; ok {
		return made
	}
	made := &native{name: name, params: 1}
	if f.Signature != "" {
		sig, err := parseSignature(f.Signature)
		if err != nil {
			return Undefined{}
		}
		made.sig = sig
		made.params = len(sig.params)
	}
	made.call = func(c *callContext, args []any) (any, error) {
		for _, a := range args {
			if err := c.check(a, 0); err != nil {
				return nil, err
			}
		}
		v, ok, err := f.Call(args)
		if failure, ok := errors.AsType[*Error](err); ok {
			own := *failure // it may be shared, and is given a place
			own.offset = -1
			return nil, &own
		}
		if err != nil {
			return nil, err
		}
		if !ok {
			return Undefined{}, nil
		}
		return v, nil
	}
	if ev.functions == nil {
		ev.functions = map[string]*native{}
	}
	ev.functions[name] = made
	return made
}

// partial binds some of a function's arguments.
func (ev *evaluator) partial(n *node, in any, sc *scope) (any, error) {
	b := &bound{}
	for _, a := range n.items {
		if a.kind == kindPlaceholder {
			b.args = append(b.args, hole{})
			b.holes++
			continue
		}
		v, err := ev.eval(a, in, sc)
		if err != nil {
			return nil, err
		}
		b.args = append(b.args, v)
	}
	fn, err := ev.eval(n.lhs, in, sc)
	if err != nil {
		return nil, err
	}
	if isUndefined(fn) {
		if name, ok := ev.misspelt(n); ok {
			return nil, fail("T1007").at(n.at).withToken(name)
		}
	}
	var ok bool
	if b.fn, ok = fn.(function); !ok {
		return nil, fail("T1008").at(n.at).withToken(n.text)
	}
	return b, nil
}

// applyTo evaluates a ~> b: a is the first argument of b, or both are
// functions and make one.
func (ev *evaluator) applyTo(n *node, in any, sc *scope) (any, error) {
	a, err := ev.eval(n.lhs, in, sc)
	if err != nil {
		return nil, err
	}
	if n.rhs.kind == kindCall && len(n.rhs.predicates) == 0 && n.rhs.group == nil {
		v, err := ev.callWith(n.rhs, []any{a}, in, sc)
		return settle(v, n.rhs.keepArray), err
	}
	b, err := ev.eval(n.rhs, in, sc)
	if err != nil {
		return nil, err
	}
	second, ok := b.(function)
	if !ok {
		return nil, failValue("T2006", b).at(n.at)
	}
	if first, ok := a.(function); ok {
		return &chain{first: first, second: second}, nil
	}
	v, err := ev.apply(second, []any{a}, nil)
	if err != nil {
		name := ""
		if f, ok := second.(*native); ok {
			name = f.name
		}
		return nil, located(err, n.at, name)
	}
	return v, nil
}
