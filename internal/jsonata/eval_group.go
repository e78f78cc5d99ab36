package jsonata

import (
	"github.com/leat-dev/leat/internal/value"
)

// object constructs an object, or groups the items of a value: every pair of
// expressions is evaluated for each item, and the items that yield one key are
// the context of that key's value.
func (ev *evaluator) object(n *node, in any, sc *scope) (any, error) {
	if t, ok := in.(*tuples); ok {
		return ev.groupTuples(n, t.items, sc)
	}
	items, ok := elements(in)
	if !ok {
		return ev.objectOf(n, in, sc)
	}
	if len(items) == 0 {
		items = []any{Undefined{}}
	}
	stream := make([]tuple, len(items))
	for i, item := range items {
		stream[i].value = item
	}
	return ev.groupTuples(n, stream, sc)
}

// objectOf is object for a single item.
func (ev *evaluator) objectOf(n *node, in any, sc *scope) (any, error) {
	o := value.NewObject(len(n.pairs))
	if err := ev.grow(len(n.pairs)); err != nil {
		return nil, err
	}
	keys := make([]string, len(n.pairs))
	var seen map[string]bool
	if len(n.pairs) > 8 {
		seen = make(map[string]bool, len(n.pairs))
	}
	present := make([]bool, len(n.pairs))
	for i, p := range n.pairs {
		key, ok, err := ev.key(n, p.key, in, sc)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		duplicate := seen[key]
		if seen == nil {
			for j := range i {
				duplicate = duplicate || present[j] && keys[j] == key
			}
		} else {
			seen[key] = true
		}
		if duplicate {
			return nil, failValue("D1009", key).at(n.at)
		}
		keys[i], present[i] = key, true
	}
	for i, p := range n.pairs {
		if !present[i] {
			continue
		}
		v, err := ev.eval(p.value, in, sc)
		if err != nil {
			return nil, err
		}
		if !isUndefined(v) {
			o.Set(keys[i], ev.stored(v))
		}
	}
	return o, nil
}

// stored is a value as arrays and objects hold it.
func (ev *evaluator) stored(v any) any {
	if t, ok := v.(*tuples); ok {
		return plain(t.values())
	}
	return plain(v)
}

// key evaluates the key of a pair; undefined is no key.
func (ev *evaluator) key(n, expr *node, in any, sc *scope) (string, bool, error) {
	k, err := ev.eval(expr, in, sc)
	if err != nil || isUndefined(k) {
		return "", false, err
	}
	key, ok := k.(string)
	if !ok {
		return "", false, failValue("T1003", k).at(n.at)
	}
	return key, true, nil
}

// group is the items that have one key, and the pair that gave it.
type group struct {
	pair  int
	items []tuple
}

func (ev *evaluator) groupTuples(n *node, stream []tuple, sc *scope) (any, error) {
	var order []string
	groups := map[string]*group{}
	for _, t := range stream {
		frame := t.scope(sc)
		for i, p := range n.pairs {
			key, ok, err := ev.key(n, p.key, t.value, frame)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
			g := groups[key]
			if g == nil {
				g = &group{pair: i}
				groups[key] = g
				order = append(order, key)
			}
			if g.pair != i {
				return nil, failValue("D1009", key).at(n.at)
			}
			g.items = append(g.items, t)
		}
	}
	o := value.NewObject(len(order))
	if err := ev.grow(len(order) + len(stream)); err != nil {
		return nil, err
	}
	for _, key := range order {
		g := groups[key]
		context, frame := ev.reduce(g.items, sc)
		v, err := ev.eval(n.pairs[g.pair].value, context, frame)
		if err != nil {
			return nil, err
		}
		if !isUndefined(v) {
			o.Set(key, ev.stored(v))
		}
	}
	return o, nil
}

// reduce joins the values and the variables of tuples.
func (ev *evaluator) reduce(items []tuple, sc *scope) (any, *scope) {
	if len(items) == 1 {
		return items[0].value, items[0].scope(sc)
	}
	context := sequence()
	joined := tuple{}
	merged := map[string]*list{}
	var names []string
	for _, t := range items {
		context.items = appendItem(context.items, t.value)
		for _, b := range t.vars {
			l := merged[b.name]
			if l == nil {
				l = sequence()
				merged[b.name] = l
				names = append(names, b.name)
			}
			l.items = appendItem(l.items, b.value)
		}
	}
	for _, name := range names {
		joined.vars = append(joined.vars, binding{name, merged[name]})
	}
	return context, joined.scope(sc)
}

// appendItem appends a value, or the items of an array, to an array.
func appendItem(items []any, v any) []any {
	if isUndefined(v) {
		return items
	}
	if parts, ok := elements(v); ok {
		return append(items, parts...)
	}
	return append(items, v)
}
