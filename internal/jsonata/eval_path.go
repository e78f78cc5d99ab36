package jsonata

import (
	"math"

	"github.com/leat-dev/leat/internal/value"
)

// path evaluates steps one after the other: each on every item that the step
// before it has found.
func (ev *evaluator) path(n *node, in any, sc *scope) (any, error) {
	for _, s := range n.items {
		if s.tuple {
			return ev.tuplePath(n, in, sc)
		}
	}
	var found any
	context := pathInput(n, in)
	for i, s := range n.items {
		var err error
		if i == 0 && s.cons {
			found, err = ev.eval(s, in, sc)
		} else {
			found, err = ev.pathStep(s, context, sc, i == len(n.items)-1)
		}
		if err != nil {
			return nil, err
		}
		if context = each(found); len(context) == 0 {
			break
		}
	}
	return ev.endPath(n, found, found, sc)
}

// pathInput is what the first step of a path applies to.
func pathInput(n *node, in any) []any {
	if items, ok := elements(in); ok && n.items[0].kind != kindVariable {
		return items
	}
	return []any{in}
}

// endPath applies what belongs to a path as a whole.
func (ev *evaluator) endPath(n *node, found, grouped any, sc *scope) (any, error) {
	if n.keepArray {
		if l, ok := found.(*list); ok {
			if l.cons && !l.seq {
				l = sequence(l.items)
			}
			l.keep = true
			found = l
			if !n.tuple {
				grouped = found
			}
		}
	}
	if n.group != nil {
		return ev.object(n.group, grouped, sc)
	}
	return found, nil
}

// pathStep evaluates one step on each item of the context and joins the
// results. An array that the last step alone has found stays as it is.
func (ev *evaluator) pathStep(s *node, context []any, sc *scope, last bool) (any, error) {
	if s.kind == kindSort {
		v, err := ev.sortItems(s, context, sc)
		if err != nil {
			return nil, err
		}
		return ev.stages(s.stages, v, sc)
	}
	simple := s.kind == kindName && len(s.stages) == 0 && len(s.predicates) == 0 && s.group == nil && !s.keepArray
	found := sequence()
	if len(context) > 1 {
		found.items = make([]any, 0, len(context))
	}
	var only any
	count := 0
	for _, item := range context {
		v, err := ev.stepValue(s, item, sc, simple)
		if err != nil {
			return nil, err
		}
		if isUndefined(v) {
			continue
		}
		only = v
		count++
		parts, isArray := elements(v)
		if l, isList := v.(*list); !isArray || isList && l.cons {
			found.items = append(found.items, plain(v))
			continue
		}
		if err := ev.grow(len(parts)); err != nil {
			return nil, err
		}
		if len(context) == 1 {
			found.items = parts
		} else {
			found.items = append(found.items, parts...)
		}
	}
	if last && count == 1 {
		if l, isList := only.(*list); isList && !l.seq {
			return only, nil
		}
		if _, isArray := only.([]any); isArray {
			return only, nil
		}
	}
	return found, ev.grow(len(context))
}

// stepValue is a step's value on one item.
func (ev *evaluator) stepValue(s *node, item any, sc *scope, simple bool) (any, error) {
	if simple {
		if err := ev.step(); err != nil {
			return nil, err
		}
		if o, ok := item.(*value.Object); ok {
			if v, ok := o.Get(s.text); ok {
				return v, nil
			}
			return Undefined{}, nil
		}
		v, err := ev.lookup(item, s.text)
		return settle(v, false), err
	}
	v, err := ev.eval(s, item, sc)
	if err != nil || len(s.stages) == 0 {
		return v, err
	}
	v, err = ev.stages(s.stages, v, sc)
	return v, err
}

func (ev *evaluator) stages(stages []stage, v any, sc *scope) (any, error) {
	for _, st := range stages {
		if st.filter == nil {
			continue
		}
		var err error
		if v, err = ev.filter(st.filter, v, sc); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (ev *evaluator) filterAll(predicates []*node, v any, sc *scope) (any, error) {
	for _, f := range predicates {
		var err error
		if v, err = ev.filter(f, v, sc); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// filter keeps the items of an array that a predicate chooses by their place
// or by being true for them.
func (ev *evaluator) filter(predicate *node, v any, sc *scope) (any, error) {
	if t, ok := v.(*tuples); ok {
		kept, err := ev.filterTuples(predicate, t.items, sc)
		return &tuples{items: kept}, err
	}
	items, ok := elements(v)
	if !ok {
		items = []any{v}
	}
	if f, ok := predicate.value.(float64); ok && predicate.kind == kindLiteral {
		i := place(f, len(items))
		if i < 0 || i >= len(items) {
			return sequence(), nil
		}
		if _, isArray := elements(items[i]); isArray || isUndefined(items[i]) {
			return items[i], nil
		}
		return sequence(items[i]), nil
	}
	kept := sequence()
	for i, item := range items {
		chosen, err := ev.chosen(predicate, item, sc, i, len(items))
		if err != nil {
			return nil, err
		}
		if isUndefined(item) {
			continue
		}
		for range chosen {
			kept.items = append(kept.items, item)
		}
	}
	return kept, ev.grow(len(kept.items))
}

// place is the index that a number means in an array of a length; negative
// ones count from the end.
func place(f float64, length int) int {
	f = math.Floor(f)
	if f < 0 {
		f += float64(length)
	}
	if f < 0 || f >= float64(length) {
		return -1
	}
	return int(f)
}

// chosen is how many times a predicate chooses an item.
func (ev *evaluator) chosen(predicate *node, item any, sc *scope, i, length int) (int, error) {
	v, err := ev.eval(predicate, item, sc)
	if err != nil {
		return 0, err
	}
	switch v := v.(type) {
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case Undefined:
		return 0, nil
	}
	if _, ok, err := numeric(v); err != nil {
		return 0, err
	} else if ok {
		v = []any{v}
	}
	places, isArray := elements(v)
	for _, p := range places {
		_, ok, err := numeric(p)
		if err != nil {
			return 0, err
		}
		isArray = isArray && ok
	}
	if isArray {
		count := 0
		if err := ev.spend(len(places)); err != nil {
			return 0, err
		}
		for _, p := range places {
			f, _ := toNumber(p)
			if place(f, length) == i {
				count++
			}
		}
		return count, nil
	}
	if truth(v) {
		return 1, nil
	}
	return 0, nil
}

// lookup is the field of an object, or that of every object of an array.
func (ev *evaluator) lookup(in any, key string) (any, error) {
	if o, ok := in.(*value.Object); ok {
		if v, ok := o.Get(key); ok {
			return v, nil
		}
		return Undefined{}, nil
	}
	items, ok := elements(in)
	if !ok {
		return Undefined{}, nil
	}
	found := sequence()
	return found, ev.lookupAll(items, key, found, 0)
}

func (ev *evaluator) lookupAll(items []any, key string, found *list, depth int) error {
	if depth > maxNesting {
		return tooDeep()
	}
	if err := ev.spend(len(items)); err != nil {
		return err
	}
	for _, item := range items {
		switch item := item.(type) {
		case *value.Object:
			v, ok := item.Get(key)
			if !ok {
				continue
			}
			if parts, isArray := v.([]any); isArray {
				found.items = append(found.items, parts...)
			} else {
				found.items = append(found.items, v)
			}
		case []any:
			if err := ev.lookupAll(item, key, found, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// wildcard is every field of an object, every item of an array.
func (ev *evaluator) wildcard(in any) (any, error) {
	if l, ok := in.(*list); ok && l.outer {
		in = l.items[0]
	}
	found := sequence()
	add := func(v any) error {
		if items, ok := v.([]any); ok {
			// What was joined with an array is one itself.
			found.seq = false
			return ev.flatten(items, found, 0)
		}
		found.items = append(found.items, v)
		return ev.grow(1)
	}
	if o, ok := in.(*value.Object); ok {
		for _, v := range o.All() {
			if err := add(v); err != nil {
				return nil, err
			}
		}
		return found, nil
	}
	items, _ := elements(in)
	for _, v := range items {
		if err := add(v); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// flatten appends the items of an array and of the arrays within it.
func (ev *evaluator) flatten(items []any, into *list, depth int) error {
	if depth > maxNesting {
		return tooDeep()
	}
	if err := ev.grow(len(items)); err != nil {
		return err
	}
	for _, v := range items {
		if inner, ok := v.([]any); ok {
			if err := ev.flatten(inner, into, depth+1); err != nil {
				return err
			}
			continue
		}
		into.items = append(into.items, v)
	}
	return nil
}

// descendants is a value and everything within it.
func (ev *evaluator) descendants(in any) (any, error) {
	found := sequence()
	if isUndefined(in) {
		return in, nil
	}
	if err := ev.descend(plain(in), found, 0); err != nil {
		return nil, err
	}
	if len(found.items) == 1 {
		return found.items[0], nil
	}
	return found, nil
}

func (ev *evaluator) descend(v any, found *list, depth int) error {
	if depth > maxNesting {
		return tooDeep()
	}
	if err := ev.grow(1); err != nil {
		return err
	}
	if items, ok := v.([]any); ok {
		for _, item := range items {
			if err := ev.descend(item, found, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	found.items = append(found.items, v)
	if o, ok := v.(*value.Object); ok {
		for _, item := range o.All() {
			if err := ev.descend(item, found, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}
