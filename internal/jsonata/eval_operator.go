package jsonata

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/value"
)

func (ev *evaluator) binary(n *node, in any, sc *scope) (any, error) {
	// A chain of operators is as deep as it is long, but not because of anything
	// that the expression does: the parser bounds it.
	ev.depth--
	a, err := ev.eval(n.lhs, in, sc)
	ev.depth++
	if err != nil {
		return nil, err
	}
	switch n.text {
	case "and":
		if !truth(a) {
			return false, nil
		}
	case "or":
		if truth(a) {
			return true, nil
		}
	}
	b, err := ev.eval(n.rhs, in, sc)
	if err != nil {
		return nil, err
	}
	var v any
	switch n.text {
	case "+", "-", "*", "/", "%":
		v, err = arithmetic(n.text, a, b)
	case "=", "!=":
		v, err = ev.equality(n.text, a, b)
	case "<", "<=", ">", ">=":
		if v, err = comparison(n.text, a, b); err == nil {
			err = ev.spend(textLength(a) / 64)
		}
	case "&":
		v, err = ev.concat(a, b)
	case "and", "or":
		return truth(b), nil
	case "in":
		v, err = ev.in(a, b)
	}
	if err != nil {
		return nil, located(err, n.at, n.text)
	}
	return v, nil
}

func arithmetic(op string, a, b any) (any, error) {
	missing := false
	operand := func(v any, code string) (float64, error) {
		if isUndefined(v) {
			missing = true
			return 0, nil
		}
		f, ok, err := numeric(v)
		if err == nil && !ok {
			err = failValue(code, v)
		}
		return f, err
	}
	x, err := operand(a, "T2001")
	if err != nil {
		return nil, err
	}
	y, err := operand(b, "T2002")
	if err != nil {
		return nil, err
	}
	if missing {
		return Undefined{}, nil
	}
	switch op {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	case "/":
		return x / y, nil
	}
	return math.Mod(x, y), nil
}

func (ev *evaluator) equality(op string, a, b any) (any, error) {
	if isUndefined(a) || isUndefined(b) {
		return false, nil
	}
	same, err := ev.equal(plain(a), plain(b), 0)
	return same == (op == "="), err
}

// equal compares values deeply, paying for each part.
func (ev *evaluator) equal(a, b any, depth int) (bool, error) {
	if depth > maxNesting {
		return false, tooDeep()
	}
	if err := ev.step(); err != nil {
		return false, err
	}
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		return x == y, ev.spend(len(x) / 64)
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		for i := range x {
			if same, err := ev.equal(x[i], y[i], depth+1); !same || err != nil {
				return false, err
			}
		}
		return true, nil
	case *value.Object:
		y, ok := b.(*value.Object)
		if !ok || x.Len() != y.Len() {
			return false, nil
		}
		for k, v := range x.All() {
			w, ok := y.Get(k)
			if !ok {
				return false, nil
			}
			if same, err := ev.equal(v, w, depth+1); !same || err != nil {
				return false, err
			}
		}
		return true, nil
	}
	if f, ok := toNumber(a); ok {
		g, ok := toNumber(b)
		return ok && f == g, nil
	}
	switch b.(type) {
	case []any, *value.Object:
		return false, nil
	}
	return a == b, nil
}

func comparison(op string, a, b any) (any, error) {
	for _, v := range []any{a, b} {
		if _, text := v.(string); !text && !isUndefined(v) {
			if _, number := toNumber(v); !number {
				return nil, failValue("T2010", v)
			}
		}
	}
	if isUndefined(a) || isUndefined(b) {
		return Undefined{}, nil
	}
	x, text := a.(string)
	y, alsoText := b.(string)
	if text != alsoText {
		e := failValue("T2009", a)
		e.Value2 = b
		return nil, e
	}
	if !text {
		f, _ := toNumber(a)
		g, _ := toNumber(b)
		switch op {
		case "<":
			return f < g, nil
		case "<=":
			return f <= g, nil
		case ">":
			return f > g, nil
		}
		return f >= g, nil
	}
	c := compareText(x, y)
	switch op {
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case ">":
		return c > 0, nil
	}
	return c >= 0, nil
}

func textLength(v any) int {
	s, _ := v.(string)
	return len(s)
}

// compareText orders by UTF-16 units, as JavaScript does: characters beyond
// the basic plane come before those from U+E000 on.
func compareText(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	if i == len(a) || i == len(b) || a[i] < 0xee && b[i] < 0xee {
		return strings.Compare(a[i:], b[i:])
	}
	for i > 0 && !utf8.RuneStart(a[i]) {
		i--
	}
	r, _ := utf8.DecodeRuneInString(a[i:])
	s, _ := utf8.DecodeRuneInString(b[i:])
	if (r >= 0x10000) != (s >= 0x10000) && min(r, s) >= 0xe000 {
		return int(s) - int(r)
	}
	return int(r) - int(s)
}

func (ev *evaluator) concat(a, b any) (any, error) {
	x, err := ev.text(a)
	if err != nil {
		return nil, err
	}
	y, err := ev.text(b)
	if err != nil {
		return nil, err
	}
	return x + y, ev.grow(len(x) + len(y))
}

// text is $string of an operand; undefined is empty.
func (ev *evaluator) text(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case Undefined:
		return "", nil
	}
	return ev.stringOf(v, false)
}

func (ev *evaluator) in(a, b any) (any, error) {
	if isUndefined(a) || isUndefined(b) {
		return false, nil
	}
	for _, item := range each(b) {
		if err := ev.step(); err != nil {
			return nil, err
		}
		if identical(a, item) {
			return true, nil
		}
	}
	return false, nil
}

// identical is JavaScript's ===: arrays and objects are equal to nothing but
// themselves.
func identical(a, b any) bool {
	if f, ok := toNumber(a); ok {
		g, ok := toNumber(b)
		return ok && f == g
	}
	switch a.(type) {
	case []any, *list:
		return false
	}
	switch b.(type) {
	case []any, *list:
		return false
	}
	return a == b
}

func (ev *evaluator) negate(n *node, in any, sc *scope) (any, error) {
	v, err := ev.eval(n.lhs, in, sc)
	if err != nil || isUndefined(v) {
		return v, err
	}
	f, ok, err := numeric(v)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, failValue("D1002", v).at(n.at).withToken("-")
	}
	return -f, nil
}

// maxRange is how many numbers the range operator makes at most.
const maxRange = 10_000_000

func (ev *evaluator) rangeOf(n *node, in any, sc *scope) (any, error) {
	a, err := ev.eval(n.lhs, in, sc)
	if err != nil {
		return nil, err
	}
	b, err := ev.eval(n.rhs, in, sc)
	if err != nil {
		return nil, err
	}
	whole := func(v any, code string) (float64, error) {
		f, ok := toNumber(v)
		if !isUndefined(v) && (!ok || f != math.Trunc(f) || math.IsInf(f, 0)) {
			return 0, failValue(code, v).at(n.at).withToken(n.text)
		}
		return f, nil
	}
	from, err := whole(a, "T2003")
	if err != nil {
		return nil, err
	}
	to, err := whole(b, "T2004")
	if err != nil {
		return nil, err
	}
	if isUndefined(a) || isUndefined(b) || from > to {
		return Undefined{}, nil
	}
	if size := to - from + 1; size > maxRange {
		return nil, failValue("D2014", size).at(n.at).withToken(n.text)
	}
	items, err := ev.numbers(from, to, 1)
	if err != nil {
		return nil, err
	}
	return &list{items: items, seq: true, keep: true}, nil
}

// numbers are from, from+by and so on until to.
func (ev *evaluator) numbers(from, to, by float64) ([]any, error) {
	count := int(math.Floor((to-from)/by)) + 1
	if err := ev.grow(count); err != nil {
		return nil, err
	}
	items := make([]any, count)
	for i := range items {
		items[i] = from + float64(i)*by
	}
	return items, nil
}
