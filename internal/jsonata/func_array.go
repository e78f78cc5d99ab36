package jsonata

import (
	"math"
	"slices"

	"github.com/leat-dev/leat/internal/value"
)

// items returns an argument that the signature has made an array.
func items(args []any, i int) []any {
	list, _ := elements(argument(args, i))
	return list
}

func callCount(_ *callContext, args []any) (any, error) {
	return float64(len(items(args, 0))), nil
}

// iterate calls a function with an item and, as far as it has parameters for
// them, its place and the whole array or object.
func (c *callContext) iterate(fn, item, place, whole any) (any, error) {
	n := 1
	if f, ok := fn.(function); ok {
		n = f.arity()
	}
	args := []any{item, place, whole}
	v, err := c.apply(fn, args[:min(3, max(1, n))], nil)
	if err != nil {
		return nil, err
	}
	if t, ok := v.(*tuples); ok {
		v = settle(t.values(), false)
	}
	return v, nil
}

func callMap(c *callContext, args []any) (any, error) {
	if isUndefined(argument(args, 0)) {
		return Undefined{}, nil
	}
	found := sequence()
	for i, item := range items(args, 0) {
		v, err := c.iterate(args[1], item, float64(i), args[0])
		if err != nil {
			return nil, err
		}
		if !isUndefined(v) {
			found.items = append(found.items, plain(v))
		}
	}
	return found, c.grow(len(found.items))
}

func callFilter(c *callContext, args []any) (any, error) {
	if isUndefined(argument(args, 0)) {
		return Undefined{}, nil
	}
	found := sequence()
	for i, item := range items(args, 0) {
		v, err := c.iterate(args[1], item, float64(i), args[0])
		if err != nil {
			return nil, err
		}
		if truth(v) {
			found.items = append(found.items, item)
		}
	}
	return found, c.grow(len(found.items))
}

func callSingle(c *callContext, args []any) (any, error) {
	if isUndefined(argument(args, 0)) {
		return Undefined{}, nil
	}
	var match any = Undefined{}
	count := 0
	for i, item := range items(args, 0) {
		if !isUndefined(argument(args, 1)) {
			v, err := c.iterate(args[1], item, float64(i), args[0])
			if err != nil {
				return nil, err
			}
			if !truth(v) {
				continue
			}
		}
		if count++; count > 1 {
			return nil, fail("D3138").withIndex(1)
		}
		match = item
	}
	if count == 0 {
		return nil, fail("D3139")
	}
	return match, nil
}

func callReduce(c *callContext, args []any) (any, error) {
	if isUndefined(argument(args, 0)) {
		return Undefined{}, nil
	}
	fn, _ := args[1].(function)
	if fn.arity() < 2 {
		return nil, fail("D3050").withIndex(1)
	}
	list := items(args, 0)
	result, i := argument(args, 2), 0
	if isUndefined(result) {
		if len(list) == 0 {
			return Undefined{}, nil
		}
		result, i = list[0], 1
	}
	for ; i < len(list); i++ {
		given := []any{result, list[i], float64(i), args[0]}
		var err error
		if result, err = c.apply(fn, given[:min(4, fn.arity())], nil); err != nil {
			return nil, err
		}
	}
	return result, nil
}

func callZip(c *callContext, args []any) (any, error) {
	length := len(items(args, 0))
	for i := range args {
		length = min(length, len(items(args, i)))
	}
	if err := c.grow(length * len(args)); err != nil {
		return nil, err
	}
	out := make([]any, length)
	for i := range out {
		row := make([]any, len(args))
		for j := range args {
			row[j] = items(args, j)[i]
		}
		out[i] = row
	}
	return out, nil
}

func callAppend(c *callContext, args []any) (any, error) {
	a, b := argument(args, 0), argument(args, 1)
	if isUndefined(a) {
		return b, nil
	}
	if isUndefined(b) {
		return a, nil
	}
	x, y := each(a), each(b)
	if err := c.grow(len(x) + len(y)); err != nil {
		return nil, err
	}
	return slices.Concat(x, y), nil
}

func callReverse(c *callContext, args []any) (any, error) {
	if isUndefined(argument(args, 0)) {
		return Undefined{}, nil
	}
	out := slices.Clone(items(args, 0))
	slices.Reverse(out)
	return out, c.grow(len(out))
}

// callSort sorts by a function that says whether its first argument comes
// after its second; what is equal keeps its order.
func callSort(c *callContext, args []any) (any, error) {
	list := items(args, 0)
	if isUndefined(argument(args, 0)) || len(list) <= 1 {
		return argument(args, 0), nil
	}
	if err := c.grow(len(list)); err != nil {
		return nil, err
	}
	fn := argument(args, 1)
	if !isUndefined(fn) {
		sorted, err := mergeSort(list, func(a, b any) (bool, error) {
			v, err := c.apply(fn, []any{a, b}, nil)
			return isTruthy(v), err
		})
		return sorted, err
	}
	texts := 0
	for _, item := range list {
		if _, ok := item.(string); ok {
			texts++
		} else if _, ok := toNumber(item); !ok {
			return nil, fail("D3070").withIndex(1)
		}
	}
	if texts != 0 && texts != len(list) {
		return nil, fail("D3070").withIndex(1)
	}
	sorted, err := mergeSort(list, func(a, b any) (bool, error) {
		n, err := compareKeys(a, b)
		if err != nil {
			return false, err
		}
		return n > 0, c.spend(1 + textLength(a)/64)
	})
	return sorted, err
}

// isTruthy is JavaScript's cast to boolean, where every array and object is
// true: the public implementation has it decide about the order.
func isTruthy(v any) bool {
	switch v := v.(type) {
	case nil, Undefined:
		return false
	case bool:
		return v
	case string:
		return v != ""
	}
	f, ok := toNumber(v)
	return !ok || f != 0 && !math.IsNaN(f)
}

func callShuffle(c *callContext, args []any) (any, error) {
	if isUndefined(argument(args, 0)) {
		return Undefined{}, nil
	}
	out := slices.Clone(items(args, 0))
	for i := len(out) - 1; i > 0; i-- {
		j := min(int(c.random()*float64(i+1)), i)
		out[i], out[j] = out[j], out[i]
	}
	return out, c.grow(len(out))
}

func (c *callContext) random() float64 {
	if c.env.Random == nil {
		return 0
	}
	return c.env.Random()
}

// callDistinct keeps the first of equal items. Of a sequence it makes one, so
// that a single item stands for itself.
func callDistinct(c *callContext, args []any) (any, error) {
	arg := argument(args, 0)
	all, ok := elements(arg)
	if !ok || len(all) <= 1 {
		return arg, nil
	}
	l, isList := arg.(*list)
	found := &list{seq: isList && l.seq}
	seen := map[any]bool{}
	for _, item := range all {
		switch key := item.(type) {
		case string, bool, nil:
			if seen[key] {
				continue
			}
			seen[key] = true
		case []any, *value.Object:
			known := false
			for _, other := range found.items {
				same, err := c.equal(item, other, 0)
				if err != nil {
					return nil, err
				}
				if known = same; known {
					break
				}
			}
			if known {
				continue
			}
		default:
			if f, ok := toNumber(item); ok {
				if seen[f] {
					continue
				}
				seen[f] = true
			}
		}
		found.items = append(found.items, item)
	}
	if !found.seq {
		return found.items, c.grow(len(found.items))
	}
	return found, c.grow(len(found.items))
}
