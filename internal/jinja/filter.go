package jinja

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// filterNamed finds a filter.
func filterNamed(name string) (*builtin, bool) {
	for _, group := range []func(string) *builtin{textFilter, valueFilter, listFilter, pickFilter, humanFilter, linkFilter} {
		if f := group(name); f != nil {
			return f, true
		}
	}
	return nil, false
}

// valueFilter finds the filters of single values.
func valueFilter(name string) *builtin {
	switch name {
	case "default", "d":
		return function("do_default", func(_ *state, a []any) (any, error) {
			if _, ok := a[0].(*undefined); ok || truth(a[2]) && !truth(a[0]) {
				return a[1], nil
			}
			return a[0], nil
		}, req("value"), opt("default_value", ""), opt("boolean", false))
	case "abs":
		return &builtin{name: "abs", call: absFilter}
	case "attr":
		return function("do_attr", attrFilter, req("obj"), req("name"))
	case "int":
		return function("do_int", intFilter, req("value"), opt("default", int64(0)), opt("base", int64(10)))
	case "float":
		return function("do_float", floatFilter, req("value"), opt("default", 0.0))
	case "round":
		return function("do_round", roundFilter, req("value"), opt("precision", int64(0)), opt("method", "common"))
	case "filesizeformat":
		return function("do_filesizeformat", fileSize, req("value"), opt("binary", false))
	case "tojson":
		return function("_tojson", func(st *state, a []any) (any, error) { return st.toJSON(a[0], a[1]) },
			req("value"), opt("indent", nil))
	case "pprint":
		return function("do_pprint", func(_ *state, a []any) (any, error) {
			w := &writer{limit: maxText, sorted: true}
			err := w.repr(a[0], 0)
			return w.b.String(), err
		}, req("value"))
	case "length", "count":
		return &builtin{name: "len", call: func(_ *state, args []any, kw []kwarg) (any, error) {
			if len(kw) > 0 {
				return nil, typeError("len() takes no keyword arguments")
			}
			if len(args) != 1 {
				return nil, typeError("len() takes exactly one argument (" + plainRepr(int64(len(args))) + " given)")
			}
			n, err := length(args[0])
			return int64(n), err
		}}
	case "random":
		return function("do_random", func(st *state, a []any) (any, error) {
			if _, err := length(a[0]); err != nil {
				return nil, err
			}
			items, err := st.iterate(a[0])
			if err != nil {
				return nil, err
			}
			if len(items) == 0 {
				return &undefined{hint: "No random item, sequence was empty."}, nil
			}
			return items[rand.IntN(len(items))], nil //nolint:gosec // no secret
		}, req("seq"))
	}
	return nil
}

func absFilter(_ *state, args []any, _ []kwarg) (any, error) {
	if len(args) != 1 {
		return nil, typeError("abs() takes exactly one argument (" + plainRepr(int64(len(args))) + " given)")
	}
	switch v := args[0].(type) {
	case bool, int64, *big.Int:
		return normal(new(big.Int).Abs(bigOf(v))), nil
	case float64:
		return math.Abs(v), nil
	case timedelta:
		return max(v, -v), nil
	}
	return nil, typeError("bad operand type for abs(): " + pyrepr.String(typeName(args[0])))
}

func attrFilter(st *state, a []any) (any, error) {
	name, ok := textOf(a[1])
	if !ok {
		return nil, typeError("attribute name must be string, not " + pyrepr.String(typeName(a[1])))
	}
	if u, isUndef := a[0].(*undefined); isUndef {
		return u, nil
	}
	v, found, err := st.attribute(a[0], name)
	if !found && err == nil {
		return &undefined{of: a[0], hasOf: true, name: name}, nil
	}
	return v, err
}

// parseInt is Python's int(text, base); nil when it is none.
func parseInt(s string, base int) *big.Int {
	s = strings.TrimFunc(s, isSpace)
	sign := strings.HasPrefix(s, "-")
	body := s
	if sign || strings.HasPrefix(s, "+") {
		body = s[1:]
	}
	if len(body) >= 2 && body[0] == '0' && strings.IndexByte("bBoOxX", body[1]) >= 0 {
		want := map[byte]int{'b': 2, 'o': 8, 'x': 16}[body[1]|0x20]
		if base == want || base == 0 {
			base = want
			body = strings.TrimPrefix(body[2:], "_")
		}
	}
	if body == "" || strings.HasPrefix(body, "_") || strings.HasSuffix(body, "_") || strings.Contains(body, "__") || body[0] == '+' || body[0] == '-' {
		return nil
	}
	if base == 0 {
		base = 10
	}
	if len(body) > maxDigits {
		return nil
	}
	n, ok := new(big.Int).SetString(strings.ReplaceAll(body, "_", ""), base)
	if !ok {
		return nil
	}
	if sign {
		n.Neg(n)
	}
	return n
}

// parseFloat is Python's float(text).
func parseFloat(s string) (float64, bool) {
	s = strings.TrimFunc(s, isSpace)
	if strings.ContainsAny(s, "xXpP") || strings.HasPrefix(s, "_") || strings.HasSuffix(s, "_") || strings.Contains(s, "__") {
		return 0, false
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

func floatToInt(f float64) (*big.Int, error) {
	switch {
	case math.IsNaN(f):
		return nil, valueError("cannot convert float NaN to integer")
	case math.IsInf(f, 0):
		return nil, &pyError{"OverflowError", "cannot convert float infinity to integer"}
	}
	n, _ := big.NewFloat(f).Int(nil)
	return n, nil
}

func intFilter(_ *state, a []any) (any, error) {
	switch v := a[0].(type) {
	case *undefined:
		return nil, v.fail()
	case string, markup:
		s, _ := textOf(v)
		base, ok := intOf(a[2])
		if !ok {
			return nil, typeError(pyrepr.String(typeName(a[2])) + " object cannot be interpreted as an integer")
		}
		if base == 0 || base >= 2 && base <= 36 {
			if n := parseInt(s, int(base)); n != nil {
				return normal(n), nil
			}
		}
		if f, ok := parseFloat(s); ok {
			if n, err := floatToInt(f); err == nil {
				return normal(n), nil
			}
		}
		return a[1], nil
	case bool, int64, *big.Int:
		return normal(bigOf(v)), nil
	case float64:
		n, err := floatToInt(v)
		if err != nil {
			if math.IsInf(v, 0) {
				return nil, err
			}
			return a[1], nil
		}
		return normal(n), nil
	}
	return a[1], nil
}

func floatFilter(_ *state, a []any) (any, error) {
	switch v := a[0].(type) {
	case *undefined:
		return nil, v.fail()
	case string, markup:
		s, _ := textOf(v)
		if f, ok := parseFloat(s); ok {
			return f, nil
		}
		return a[1], nil
	}
	if f, ok := floatOf(a[0]); ok {
		return f, nil
	}
	if isInt(a[0]) {
		return nil, errIntFloat
	}
	return a[1], nil
}

func roundFilter(_ *state, a []any) (any, error) {
	method, _ := textOf(a[2])
	if method != "common" && method != "ceil" && method != "floor" {
		return nil, &pyError{"FilterArgumentError", "method must be common, ceil or floor"}
	}
	if u, ok := a[0].(*undefined); ok {
		if method == "common" {
			return nil, typeError("type ChainableUndefined doesn't define __round__ method")
		}
		return nil, u.fail()
	}
	p, ok := intOf(a[1])
	if !ok && a[1] != nil {
		return nil, typeError(pyrepr.String(typeName(a[1])) + " object cannot be interpreted as an integer")
	}
	if method == "common" {
		return pyRound(a[0], p)
	}
	f, ok := floatOf(a[0])
	if !ok {
		return nil, typeError("must be real number, not " + typeName(a[0]))
	}
	scale := math.Pow(10, float64(p))
	scaled := f * scale
	if method == "ceil" {
		scaled = math.Ceil(scaled)
	} else {
		scaled = math.Floor(scaled)
	}
	if math.IsInf(scaled, 0) || math.IsNaN(scaled) {
		return nil, &pyError{"OverflowError", "cannot convert float infinity to integer"}
	}
	return scaled / scale, nil
}

// pyRound is round(v, digits): half to even.
func pyRound(v any, places int64) (any, error) {
	switch v := v.(type) {
	case bool, int64, *big.Int:
		if places >= 0 {
			return normal(bigOf(v)), nil
		}
		if places < -maxDigits {
			return int64(0), nil
		}
		unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(-places), nil)
		q, r := floorDivide(bigOf(v), unit)
		twice := new(big.Int).Lsh(r, 1)
		if c := twice.Cmp(unit); c > 0 || c == 0 && q.Bit(0) == 1 {
			q.Add(q, big.NewInt(1))
		}
		return normal(q.Mul(q, unit)), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) || places > 330 {
			return v, nil
		}
		if places < -310 {
			return math.Copysign(0, v), nil
		}
		if places >= 0 {
			out, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'f', int(places), 64), 64)
			return out, nil
		}
		unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(-places), nil)
		scaled := new(big.Rat).Quo(new(big.Rat).SetFloat64(v), new(big.Rat).SetInt(unit))
		half := new(big.Rat).Add(scaled, big.NewRat(1, 2))
		q, _ := floorDivide(half.Num(), half.Denom())
		if half.IsInt() && q.Bit(0) == 1 {
			q.Sub(q, big.NewInt(1))
		}
		f, _ := new(big.Float).SetInt(q.Mul(q, unit)).Float64()
		return math.Copysign(f, v), nil
	}
	return nil, typeError("type " + typeName(v) + " doesn't define __round__ method")
}

func fileSize(_ *state, a []any) (any, error) {
	f, err := toFloat(a[0])
	if err != nil {
		return nil, err
	}
	base, prefixes := 1000.0, []string{"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"}
	if truth(a[1]) {
		base, prefixes = 1024.0, []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"}
	}
	if f == 1 {
		return "1 Byte", nil
	}
	if f < base {
		n, err := floatToInt(f)
		if err != nil {
			return nil, err
		}
		return n.String() + " Bytes", nil
	}
	out := ""
	for i, p := range prefixes {
		unit := math.Pow(base, float64(i+2))
		out = strconv.FormatFloat(base*f/unit, 'f', 1, 64) + " " + p
		if f < unit {
			break
		}
	}
	return out, nil
}

// toFloat is Python's float() with its errors.
func toFloat(v any) (float64, error) {
	switch v := v.(type) {
	case *undefined:
		return 0, v.fail()
	case string, markup:
		s, _ := textOf(v)
		if f, ok := parseFloat(s); ok {
			return f, nil
		}
		return 0, valueError("could not convert string to float: " + pyrepr.String(s))
	}
	if f, ok := floatOf(v); ok {
		return f, nil
	}
	if isInt(v) {
		return 0, errIntFloat
	}
	return 0, typeError("float() argument must be a string or a real number, not " + pyrepr.String(typeName(v)))
}

// path is an attribute of items: names and numbers with dots between.
func path(attribute any) []any {
	switch v := attribute.(type) {
	case nil:
		return nil
	case string, markup:
		s, _ := textOf(v)
		var out []any
		for p := range strings.SplitSeq(s, ".") {
			if n, err := strconv.ParseInt(p, 10, 64); err == nil && p[0] >= '0' && p[0] <= '9' {
				out = append(out, n)
			} else {
				out = append(out, p)
			}
		}
		return out
	}
	return []any{attribute}
}

// follow finds what a path leads to from an item.
func (st *state) follow(v any, way []any, fallback any) (any, error) {
	var err error
	for _, p := range way {
		if v, err = st.item(v, p); err != nil {
			return nil, err
		}
		if _, ok := v.(*undefined); ok && fallback != nil {
			v = fallback
		}
	}
	return v, nil
}

// folded lowers a text, for comparisons that ignore case.
func folded(v any, sensitive any) any {
	if s, ok := v.(string); ok && !truth(sensitive) {
		return strings.ToLower(s)
	}
	if s, ok := v.(markup); ok && !truth(sensitive) {
		return markup(strings.ToLower(string(s)))
	}
	return v
}

// sorted sorts items by keys with Python's <, stably.
func (st *state) sorted(items, keys []any, reverse bool) ([]any, error) {
	order := make([]int, len(items))
	for i := range order {
		order[i] = i
	}
	if reverse {
		slices.Reverse(order)
	}
	var failed error
	slices.SortStableFunc(order, func(i, j int) int {
		if failed != nil {
			return 0
		}
		before, err := st.less("<", keys[i], keys[j])
		if err == nil && !before {
			var after bool
			after, err = st.less("<", keys[j], keys[i])
			if after {
				return 1
			}
		}
		if err != nil {
			failed = err
			return 0
		}
		if before {
			return -1
		}
		return 0
	})
	if failed != nil {
		return nil, failed
	}
	out := make([]any, len(items))
	for n, i := range order {
		out[n] = items[i]
	}
	if reverse {
		slices.Reverse(out)
	}
	return out, nil
}
