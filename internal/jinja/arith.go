package jinja

import (
	"math"
	"math/big"
	"strings"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// opText is the sign of an operator, for messages.
func opText(op string) string {
	switch op {
	case "add":
		return "+"
	case "sub":
		return "-"
	case "mul":
		return "*"
	case "div":
		return "/"
	case "floordiv":
		return "//"
	case "mod":
		return "%"
	case "pow":
		return "** or pow()"
	}
	return ""
}

func unsupported(op string, a, b any) error {
	return typeError("unsupported operand type(s) for " + opText(op) + ": " +
		pyrepr.String(typeName(a)) + " and " + pyrepr.String(typeName(b)))
}

// binary applies an arithmetic operator.
func (st *state) binary(op string, a, b any) (any, error) {
	if err := st.spend(0); err != nil {
		return nil, err
	}
	if op == "mod" {
		if text, ok := textOf(a); ok {
			return st.percent(text, a, b)
		}
	}
	for _, v := range []any{a, b} {
		if u, ok := v.(*undefined); ok {
			return nil, u.fail()
		}
	}
	if isInt(a) && isInt(b) {
		return st.intOp(op, a, b)
	}
	x, okX := floatOf(a)
	y, okY := floatOf(b)
	if okX && okY {
		return floatOp(op, x, y)
	}
	if isNumber(a) && isNumber(b) {
		return nil, errIntFloat
	}
	v, err := st.timeOp(op, a, b)
	if v != nil || err != nil {
		return v, err
	}
	switch op {
	case "add":
		return st.add(a, b)
	case "mul":
		return st.repeat(a, b)
	}
	return nil, unsupported(op, a, b)
}

func isNumber(v any) bool {
	_, ok := v.(float64)
	return ok || isInt(v)
}

func (st *state) add(a, b any) (any, error) {
	switch x := a.(type) {
	case string:
		switch y := b.(type) {
		case string:
			return st.joined(x, y)
		case markup:
			e, err := st.escape(x)
			if err != nil {
				return nil, err
			}
			s, err := st.joined(string(e), string(y))
			return markup(s), err
		}
		return nil, typeError("can only concatenate str (not " + doubleQuoted(typeName(b)) + ") to str")
	case markup:
		if _, ok := textOf(b); ok {
			e, err := st.escape(b)
			if err != nil {
				return nil, err
			}
			s, err := st.joined(string(x), string(e))
			return markup(s), err
		}
		return nil, unsupported("add", a, b)
	case *list:
		if y, ok := b.(*list); ok {
			items, err := st.concatItems(x.items, y.items)
			return newList(items), err
		}
		return nil, typeError("can only concatenate list (not " + doubleQuoted(typeName(b)) + ") to list")
	case *tuple:
		if y, ok := b.(*tuple); ok {
			items, err := st.concatItems(x.items, y.items)
			return newTuple(items...), err
		}
		return nil, typeError("can only concatenate tuple (not " + doubleQuoted(typeName(b)) + ") to tuple")
	}
	return nil, unsupported("add", a, b)
}

func doubleQuoted(s string) string { return `"` + s + `"` }

func (st *state) joined(a, b string) (string, error) {
	if len(a)+len(b) > maxText {
		return "", errTooLarge
	}
	return a + b, st.spend(len(a) + len(b))
}

func (st *state) concatItems(a, b []any) ([]any, error) {
	if len(a)+len(b) > maxItems {
		return nil, errTooLarge
	}
	out := make([]any, 0, len(a)+len(b))
	return append(append(out, a...), b...), st.spend(len(a) + len(b))
}

// repeat is a sequence times an integer.
func (st *state) repeat(a, b any) (any, error) {
	left, right := a, b
	if isInt(a) {
		a, b = b, a
	}
	if !isInt(b) {
		if isSequence(a) {
			return nil, typeError("can't multiply sequence by non-int of type " + pyrepr.String(typeName(b)))
		}
		if isSequence(b) {
			return nil, typeError("can't multiply sequence by non-int of type " + pyrepr.String(typeName(a)))
		}
		return nil, unsupported("mul", a, b)
	}
	n, small := intOf(b)
	if !small {
		n = int64(bigOf(b).Sign()) * math.MaxInt32
	}
	n = max(n, 0)
	switch v := a.(type) {
	case string, markup:
		text, _ := textOf(v)
		if len(text) > 0 && n > maxText/int64(len(text)) {
			return nil, errTooLarge
		}
		out := strings.Repeat(text, int(min(n, maxText)))
		if _, ok := v.(markup); ok {
			return markup(out), st.spend(len(out))
		}
		return out, st.spend(len(out))
	case *list:
		items, err := st.repeatItems(v.items, n)
		return newList(items), err
	case *tuple:
		items, err := st.repeatItems(v.items, n)
		return newTuple(items...), err
	}
	return nil, unsupported("mul", left, right)
}

func isSequence(v any) bool {
	switch v.(type) {
	case string, markup, *list, *tuple:
		return true
	}
	return false
}

func (st *state) repeatItems(items []any, n int64) ([]any, error) {
	if len(items) > 0 && n > maxItems/int64(len(items)) {
		return nil, errTooLarge
	}
	var out []any
	for range min(n, maxItems) {
		out = append(out, items...)
		if len(items) == 0 {
			break
		}
	}
	return out, st.spend(len(out))
}

func (st *state) intOp(op string, a, b any) (any, error) {
	x, y := bigOf(a), bigOf(b)
	if err := st.spend((x.BitLen() + y.BitLen()) / 8); err != nil {
		return nil, err
	}
	out := new(big.Int)
	switch op {
	case "add":
		out.Add(x, y)
	case "sub":
		out.Sub(x, y)
	case "mul":
		out.Mul(x, y)
	case "div":
		return intDivide(x, y)
	case "floordiv", "mod":
		if y.Sign() == 0 {
			if op == "mod" {
				return nil, &pyError{"ZeroDivisionError", "integer modulo by zero"}
			}
			return nil, &pyError{"ZeroDivisionError", "integer division or modulo by zero"}
		}
		q, r := floorDivide(x, y)
		out = q
		if op == "mod" {
			out = r
		}
	case "pow":
		return st.intPower(x, y)
	}
	if out.BitLen() > maxBits {
		return nil, errTooLarge
	}
	return normal(out), nil
}

// floorDivide rounds towards negative infinity; the remainder has y's sign.
func floorDivide(x, y *big.Int) (q, r *big.Int) {
	q, r = new(big.Int).QuoRem(x, y, new(big.Int))
	if r.Sign() != 0 && r.Sign() != y.Sign() {
		q.Sub(q, big.NewInt(1))
		r.Add(r, y)
	}
	return q, r
}

func intDivide(x, y *big.Int) (any, error) {
	if y.Sign() == 0 {
		return nil, &pyError{"ZeroDivisionError", "division by zero"}
	}
	f, _ := new(big.Rat).SetFrac(x, y).Float64()
	if math.IsInf(f, 0) {
		return nil, &pyError{"OverflowError", "integer division result too large for a float"}
	}
	return f, nil
}

func (st *state) intPower(x, y *big.Int) (any, error) {
	if y.Sign() < 0 {
		fx, okX := floatOf(normal(x))
		fy, okY := floatOf(normal(y))
		if !okX || !okY {
			return nil, errIntFloat
		}
		if fx == 0 {
			return nil, &pyError{"ZeroDivisionError", "0.0 cannot be raised to a negative power"}
		}
		return floatOp("pow", fx, fy)
	}
	if x.BitLen() > 1 && (!y.IsInt64() || y.Int64()*int64(x.BitLen()) > maxBits || y.Int64() > maxBits) {
		return nil, errTooLarge
	}
	if x.BitLen() <= 1 { // 0, 1, -1
		if y.Sign() == 0 || x.Sign() > 0 || x.Sign() < 0 && y.Bit(0) == 0 {
			return int64(1), nil
		}
		return normal(x), nil
	}
	out := new(big.Int).Exp(x, y, nil)
	return normal(out), st.spend(out.BitLen())
}

func floatOp(op string, x, y float64) (any, error) {
	switch op {
	case "add":
		return x + y, nil
	case "sub":
		return x - y, nil
	case "mul":
		return x * y, nil
	case "div":
		if y == 0 {
			return nil, &pyError{"ZeroDivisionError", "float division by zero"}
		}
		return x / y, nil
	case "floordiv", "mod":
		if y == 0 {
			if op == "mod" {
				return nil, &pyError{"ZeroDivisionError", "float modulo"}
			}
			return nil, &pyError{"ZeroDivisionError", "float floor division by zero"}
		}
		q, r := floatDivMod(x, y)
		if op == "mod" {
			return r, nil
		}
		return q, nil
	}
	return floatPower(x, y)
}

// floatDivMod is Python's divmod of floats.
func floatDivMod(x, y float64) (q, r float64) {
	r = math.Mod(x, y)
	q = (x - r) / y
	if r != 0 {
		if (y < 0) != (r < 0) {
			r += y
			q--
		}
	} else {
		r = math.Copysign(0, y)
	}
	if q != 0 {
		f := math.Floor(q)
		if q-f > 0.5 {
			f++
		}
		return f, r
	}
	return math.Copysign(0, x/y), r
}

func floatPower(x, y float64) (any, error) {
	if x == 0 && y < 0 {
		return nil, &pyError{"ZeroDivisionError", "0.0 cannot be raised to a negative power"}
	}
	if x < 0 && y != math.Trunc(y) && !math.IsInf(x, 0) && !math.IsInf(y, 0) && !math.IsNaN(y) {
		return nil, typeError("complex numbers are not supported")
	}
	out := math.Pow(x, y)
	if math.IsInf(out, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0) {
		return nil, &pyError{"OverflowError", "(34, 'Numerical result out of range')"}
	}
	return out, nil
}

// unary is + or - before a value.
func unary(op string, v any) (any, error) {
	switch v := v.(type) {
	case *undefined:
		return nil, v.fail()
	case bool, int64, *big.Int:
		n := bigOf(v)
		if op == "-" {
			n = new(big.Int).Neg(n)
		}
		return normal(n), nil
	case float64:
		if op == "-" {
			return -v, nil
		}
		return v, nil
	case timedelta:
		if op == "-" {
			return -v, nil
		}
		return v, nil
	}
	return nil, typeError("bad operand type for unary " + op + ": " + pyrepr.String(typeName(v)))
}
