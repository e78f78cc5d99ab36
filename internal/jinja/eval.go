package jinja

import (
	"strings"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// eval computes an expression.
func (st *state) eval(e expr, s *scope) (any, error) {
	if err := st.spend(0); err != nil {
		return nil, err
	}
	switch e := e.(type) {
	case *constExpr:
		return e.value, nil
	case *nameExpr:
		return st.resolve(e.name, s), nil
	case *listExpr:
		items, err := st.evalAll(e.items, s)
		return newList(items), err
	case *tupleExpr:
		items, err := st.evalAll(e.items, s)
		return newTuple(items...), err
	case *dictExpr:
		return st.evalDict(e, s)
	case *attrExpr:
		of, err := st.eval(e.of, s)
		if err != nil {
			return nil, err
		}
		return st.attr(of, e.name)
	case *itemExpr:
		return st.evalItem(e, s)
	case *sliceExpr:
		return st.evalSlice(e, s)
	case *callExpr:
		return st.evalCall(e, s)
	case *filterExpr:
		return st.evalFilter(e, s)
	case *testExpr:
		return st.evalTest(e, s)
	}
	return st.evalOperator(e, s)
}

// evalOperator computes an expression of operators.
func (st *state) evalOperator(e expr, s *scope) (any, error) {
	switch e := e.(type) {
	case *condExpr:
		return st.evalCond(e, s)
	case *andExpr:
		v, err := st.eval(e.left, s)
		if err != nil || !truth(v) {
			return v, err
		}
		return st.eval(e.right, s)
	case *orExpr:
		v, err := st.eval(e.left, s)
		if err != nil || truth(v) {
			return v, err
		}
		return st.eval(e.right, s)
	case *notExpr:
		v, err := st.eval(e.of, s)
		return !truth(v), err
	case *compareExpr:
		return st.evalCompare(e, s)
	case *binaryExpr:
		left, err := st.eval(e.left, s)
		if err != nil {
			return nil, err
		}
		right, err := st.eval(e.right, s)
		if err != nil {
			return nil, err
		}
		return st.binary(e.op, left, right)
	case *unaryExpr:
		v, err := st.eval(e.of, s)
		if err != nil {
			return nil, err
		}
		return unary(e.op, v)
	case *concatExpr:
		return st.evalConcat(e, s)
	}
	return nil, nil
}

func (st *state) evalAll(es []expr, s *scope) ([]any, error) {
	items := make([]any, len(es))
	for i, e := range es {
		v, err := st.eval(e, s)
		if err != nil {
			return nil, err
		}
		items[i] = v
	}
	return items, nil
}

func (st *state) evalDict(e *dictExpr, s *scope) (any, error) {
	d := newDict()
	for i, ke := range e.keys {
		k, err := st.eval(ke, s)
		if err != nil {
			return nil, err
		}
		v, err := st.eval(e.values[i], s)
		if err != nil {
			return nil, err
		}
		h, err := st.hash(k)
		if err != nil {
			return nil, err
		}
		d.set(h, k, v)
	}
	return d, nil
}

func (st *state) evalCond(e *condExpr, s *scope) (any, error) {
	v, err := st.eval(e.test, s)
	if err != nil {
		return nil, err
	}
	if truth(v) {
		return st.eval(e.yes, s)
	}
	if e.no == nil {
		return &undefined{plain: true, hint: "the inline if-expression on line " + plainRepr(int64(e.at())) +
			" evaluated to false and no else section was defined."}, nil
	}
	return st.eval(e.no, s)
}

func (st *state) evalCompare(e *compareExpr, s *scope) (any, error) {
	left, err := st.eval(e.first, s)
	if err != nil {
		return nil, err
	}
	for i, op := range e.ops {
		right, err := st.eval(e.rest[i], s)
		if err != nil {
			return nil, err
		}
		ok, err := st.compare(op, left, right)
		if err != nil || !ok {
			return false, err
		}
		left = right
	}
	return true, nil
}

func (st *state) compare(op string, a, b any) (bool, error) {
	switch op {
	case "eq":
		return st.equal(a, b)
	case "ne":
		same, err := st.equal(a, b)
		return !same, err
	case "in":
		return st.contains(b, a)
	case "notin":
		in, err := st.contains(b, a)
		return !in, err
	case "lt":
		return st.less("<", a, b)
	case "lteq":
		return st.less("<=", a, b)
	case "gt":
		return st.less(">", a, b)
	}
	return st.less(">=", a, b)
}

// evalConcat is the operator ~.
func (st *state) evalConcat(e *concatExpr, s *scope) (any, error) {
	values, err := st.evalAll(e.parts, s)
	if err != nil {
		return nil, err
	}
	html := false
	for _, v := range values {
		_, ok := v.(markup)
		html = html || ok && st.autoescape
	}
	var b strings.Builder
	for _, v := range values {
		var text string
		if html {
			m, escapeErr := st.escape(v)
			text, err = string(m), escapeErr
		} else {
			text, err = st.str(v)
		}
		if err != nil {
			return nil, err
		}
		if b.Len()+len(text) > maxText {
			return nil, errTooLarge
		}
		b.WriteString(text)
	}
	if html {
		return markup(b.String()), st.spend(b.Len())
	}
	return b.String(), st.spend(b.Len())
}

func (st *state) evalItem(e *itemExpr, s *scope) (any, error) {
	of, err := st.eval(e.of, s)
	if err != nil {
		return nil, err
	}
	key, err := st.eval(e.key, s)
	if err != nil {
		return nil, err
	}
	if _, ok := e.key.(*sliceExpr); ok {
		if _, isDict := of.(*dict); isDict {
			return nil, typeError("unhashable type: 'slice'")
		}
		if v, err := st.index(of, key); err != nil || v != missing {
			return v, err
		}
		if _, undef := of.(*undefined); !undef && !isSequence(of) {
			return nil, typeError(pyrepr.String(typeName(of)) + " object is not subscriptable")
		}
	}
	return st.item(of, key)
}

func (st *state) evalSlice(e *sliceExpr, s *scope) (any, error) {
	var parts [3]any
	for i, p := range []expr{e.start, e.stop, e.step} {
		if p == nil {
			continue
		}
		v, err := st.eval(p, s)
		if err != nil {
			return nil, err
		}
		parts[i] = v
	}
	return sliceValue{parts[0], parts[1], parts[2]}, nil
}

// kwarg is an argument with its name.
type kwarg struct {
	name  string
	value any
}

func (st *state) evalArgs(a *arguments, s *scope) ([]any, []kwarg, error) {
	args, err := st.evalAll(a.args, s)
	if err != nil {
		return nil, nil, err
	}
	var kw []kwarg
	for i, name := range a.names {
		v, err := st.eval(a.values[i], s)
		if err != nil {
			return nil, nil, err
		}
		kw = append(kw, kwarg{name, v})
	}
	if a.star != nil {
		v, err := st.eval(a.star, s)
		if err != nil {
			return nil, nil, err
		}
		more, err := st.iterate(v)
		if err != nil {
			return nil, nil, err
		}
		args = append(args, more...)
	}
	if a.stars != nil {
		v, err := st.eval(a.stars, s)
		if err != nil {
			return nil, nil, err
		}
		d, ok := v.(*dict)
		if !ok {
			return nil, nil, typeError("argument after ** must be a mapping, not " + typeName(v))
		}
		for i, k := range d.keys {
			name, isText := k.(string)
			if !isText {
				return nil, nil, typeError("keywords must be strings")
			}
			kw = append(kw, kwarg{name, d.values[i]})
		}
	}
	return args, kw, nil
}

func (st *state) evalCall(e *callExpr, s *scope) (any, error) {
	of, err := st.eval(e.of, s)
	if err != nil {
		return nil, err
	}
	args, kw, err := st.evalArgs(&e.arguments, s)
	if err != nil {
		return nil, err
	}
	return st.call(of, args, kw)
}

// call calls what can be called.
func (st *state) call(of any, args []any, kw []kwarg) (any, error) {
	if err := st.spend(0); err != nil {
		return nil, err
	}
	switch of := of.(type) {
	case *undefined:
		return nil, of.fail()
	case *builtin:
		return of.call(st, args, kw)
	case *macro:
		return st.callMacro(of, args, kw)
	case *loop:
		if of.recurse == nil {
			return nil, typeError("The loop must have the 'recursive' marker to be called recursively.")
		}
		if len(args) != 1 {
			return nil, typeError("LoopContext.__call__() missing 1 required positional argument: 'iterable'")
		}
		return of.recurse(args[0])
	case *joiner:
		return of.call(), nil
	}
	return nil, typeError(pyrepr.String(typeName(of)) + " object is not callable")
}

func (st *state) evalFilter(e *filterExpr, s *scope) (any, error) {
	v, err := st.eval(e.of, s)
	if err != nil {
		return nil, err
	}
	return st.filterOne(e, v, s)
}

// filtered applies the filters of a block to its text.
func (st *state) filtered(e *filterExpr, text any, s *scope) (any, error) {
	v := text
	if inner, ok := e.of.(*filterExpr); ok {
		var err error
		if v, err = st.filtered(inner, text, s); err != nil {
			return nil, err
		}
	}
	return st.filterOne(e, v, s)
}

func (st *state) filterOne(e *filterExpr, v any, s *scope) (any, error) {
	args, kw, err := st.evalArgs(&e.arguments, s)
	if err != nil {
		return nil, err
	}
	f, ok := filterNamed(e.name)
	if !ok {
		return nil, &pyError{"TemplateRuntimeError", "No filter named " + pyrepr.String(e.name) + " found."}
	}
	return f.call(st, append([]any{v}, args...), kw)
}

func (st *state) evalTest(e *testExpr, s *scope) (any, error) {
	v, err := st.eval(e.of, s)
	if err != nil {
		return nil, err
	}
	args, kw, err := st.evalArgs(&e.arguments, s)
	if err != nil {
		return nil, err
	}
	f, ok := testNamed(e.name)
	if !ok {
		return nil, &pyError{"TemplateRuntimeError", "No test named " + pyrepr.String(e.name) + " found."}
	}
	return f.call(st, append([]any{v}, args...), kw)
}
