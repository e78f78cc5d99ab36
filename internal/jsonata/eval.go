package jsonata

import (
	"strings"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/value"
)

// evaluator is one evaluation. It counts what it costs.
type evaluator struct {
	env       *Env
	root      *scope
	functions map[string]*native // of env, made when first used
	depth     int
	steps     int // left
	size      int // left
	maxDepth  int
	broken    bool // a text of the result is no UTF-8
}

func newEvaluator(env *Env) *evaluator {
	ev := &evaluator{env: env, maxDepth: env.Limits.MaxDepth, steps: env.Limits.MaxSteps, size: env.Limits.MaxSize}
	if ev.maxDepth <= 0 {
		ev.maxDepth = defaultDepth
	}
	if ev.steps <= 0 {
		ev.steps = defaultSteps
	}
	if ev.size <= 0 {
		ev.size = defaultSize
	}
	return ev
}

// run evaluates a whole expression.
func (ev *evaluator) run(root *node, input any) (any, error) {
	ev.root = &scope{vars: []binding{{"$", input}}}
	if items, ok := input.([]any); ok {
		input = &list{items: []any{items}, seq: true, outer: true}
	}
	v, err := ev.eval(root, input, ev.root)
	if err != nil {
		return nil, err
	}
	v = plain(v)
	if root.selects() {
		return v, nil
	}
	if err := ev.check(v, 0); err != nil {
		return nil, err
	}
	if ev.broken {
		v = repair(v)
	}
	return v, nil
}

// repair replaces surrogates that stand alone, which JSON texts cannot have.
func repair(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ToValidUTF8(v, "\ufffd")
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = repair(item)
		}
		return out
	case *value.Object:
		out := value.NewObject(v.Len())
		for k, item := range v.All() {
			out.Set(strings.ToValidUTF8(k, "\ufffd"), repair(item))
		}
		return out
	}
	return v
}

// selects reports whether an expression only finds what was there, so that its
// value cannot have grown.
func (n *node) selects() bool {
	switch n.kind {
	case kindVariable, kindName:
		return len(n.predicates)+len(n.stages) == 0 && n.group == nil
	case kindPath:
		if n.group != nil {
			return false
		}
		for _, s := range n.items {
			if !s.selects() {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// check bounds a result: one that refers to the same part again and again can
// be much larger than what it cost to make.
func (ev *evaluator) check(v any, depth int) error {
	if depth > maxNesting {
		return tooDeep()
	}
	switch v := v.(type) {
	case string:
		ev.broken = ev.broken || !utf8.ValidString(v)
		return ev.spend(len(v) / 64)
	case []any:
		for _, item := range v {
			if err := ev.step(); err != nil {
				return err
			}
			if err := ev.check(item, depth+1); err != nil {
				return err
			}
		}
	case *value.Object:
		for k, item := range v.All() {
			ev.broken = ev.broken || !utf8.ValidString(k)
			if err := ev.step(); err != nil {
				return err
			}
			if err := ev.check(item, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func limitError(message string) *Error {
	e := fail("U1001")
	e.Message = message
	return e
}

func tooDeep() *Error {
	return limitError("Stack overflow error: Check for non-terminating recursive function.  Consider rewriting as tail-recursive.")
}

// step pays for one unit of work.
func (ev *evaluator) step() error { return ev.spend(1) }

func (ev *evaluator) spend(n int) error {
	if ev.steps -= n; ev.steps < 0 {
		return limitError("Expression evaluation timeout: Check for infinite loop")
	}
	return nil
}

// grow pays for n items or bytes before they are made.
func (ev *evaluator) grow(n int) error {
	if ev.size -= n; ev.size < 0 {
		return limitError("The expression builds more data than an evaluation may")
	}
	return nil
}

// eval evaluates a node on a context.
func (ev *evaluator) eval(n *node, in any, sc *scope) (any, error) {
	if ev.depth++; ev.depth > ev.maxDepth {
		ev.depth--
		return nil, tooDeep().at(n.at)
	}
	if ev.steps--; ev.steps < 0 {
		ev.depth--
		return nil, ev.spend(0)
	}
	v, err := ev.dispatch(n, in, sc)
	if err == nil && len(n.predicates) > 0 {
		v, err = ev.filterAll(n.predicates, v, sc)
	}
	if err == nil && n.group != nil && n.kind != kindPath {
		v, err = ev.object(n.group, v, sc)
	}
	ev.depth--
	if err != nil {
		return nil, err
	}
	return settle(v, n.keepArray), nil
}

func (ev *evaluator) dispatch(n *node, in any, sc *scope) (any, error) {
	switch n.kind {
	case kindLiteral:
		return n.value, nil
	case kindPath:
		return ev.path(n, in, sc)
	case kindVariable:
		return ev.variable(n, in, sc), nil
	case kindName:
		return ev.lookup(in, n.text)
	case kindBinary:
		return ev.binary(n, in, sc)
	case kindCall:
		return ev.call(n, in, sc)
	case kindBlock:
		return ev.block(n, in, sc)
	case kindArray:
		return ev.array(n, in, sc)
	case kindObject:
		return ev.object(n, in, sc)
	case kindCondition, kindElvis, kindCoalesce:
		return ev.condition(n, in, sc)
	case kindBind:
		v, err := ev.eval(n.rhs, in, sc)
		if err != nil {
			return nil, err
		}
		sc.set(n.text, v)
		return v, nil
	case kindLambda:
		return &lambda{params: n.params, body: n.lhs, sig: n.sig, scope: sc, input: in}, nil
	default:
		return ev.dispatchRare(n, in, sc)
	}
}

func (ev *evaluator) dispatchRare(n *node, in any, sc *scope) (any, error) {
	switch n.kind {
	case kindWildcard:
		return ev.wildcard(in)
	case kindDescendant:
		return ev.descendants(in)
	case kindParent:
		v, _ := sc.get(n.slot.name)
		return v, nil
	case kindRegex:
		return n.value, nil
	case kindRange:
		return ev.rangeOf(n, in, sc)
	case kindNegate:
		return ev.negate(n, in, sc)
	case kindPartial:
		return ev.partial(n, in, sc)
	case kindTransform:
		return &transformer{node: n, scope: sc}, nil
	case kindApply:
		return ev.applyTo(n, in, sc)
	default:
		return nil, fail("S0206").at(n.at).withToken(n.text)
	}
}

func (ev *evaluator) block(n *node, in any, sc *scope) (any, error) {
	if n.binds {
		sc = &scope{parent: sc}
	}
	var v any = Undefined{}
	var err error
	for _, e := range n.items {
		if v, err = ev.eval(e, in, sc); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (ev *evaluator) condition(n *node, in any, sc *scope) (any, error) {
	v, err := ev.eval(n.lhs, in, sc)
	if err != nil {
		return nil, err
	}
	switch n.kind {
	case kindElvis:
		if truth(v) {
			return v, nil
		}
		return ev.eval(n.rhs, in, sc)
	case kindCoalesce:
		if !isUndefined(v) {
			return v, nil
		}
		return ev.eval(n.rhs, in, sc)
	default: // kindCondition, which follows
	}
	if truth(v) {
		return ev.eval(n.rhs, in, sc)
	}
	if n.alt == nil {
		return Undefined{}, nil
	}
	return ev.eval(n.alt, in, sc)
}

// array constructs an array: arrays that items yield are taken apart, those
// that are constructed in place are kept.
func (ev *evaluator) array(n *node, in any, sc *scope) (any, error) {
	items := make([]any, 0, len(n.items))
	for _, e := range n.items {
		v, err := ev.eval(e, in, sc)
		if err != nil {
			return nil, err
		}
		switch parts, isArray := elements(v); {
		case isUndefined(v):
		case e.kind == kindArray, !isArray:
			items = append(items, plain(v))
		case e.kind == kindRange && len(items) == 0:
			items = parts
		default:
			if err := ev.grow(len(parts)); err != nil {
				return nil, err
			}
			items = append(items, parts...)
		}
	}
	if err := ev.grow(len(n.items)); err != nil {
		return nil, err
	}
	if n.cons {
		return &list{items: items, cons: true}, nil
	}
	return items, nil
}
