package jsonata

// tuples are the items of a path that binds variables (@, #, %).
type tuples struct {
	items []tuple
}

// tuplePath is path for steps that bind variables. Once one does, the rest of
// the path carries the bindings along.
func (ev *evaluator) tuplePath(n *node, in any, sc *scope) (any, error) {
	context := pathInput(n, in)
	var stream []tuple
	var found any = Undefined{}
	streaming := false
	for i, s := range n.items {
		var err error
		if s.tuple && !streaming {
			streaming = true
			stream = streamOf(context)
		}
		switch {
		case i == 0 && s.cons:
			found, err = ev.eval(s, in, sc)
			context = each(found)
			if streaming {
				stream = streamOf(context)
			}
		case streaming:
			stream, err = ev.tupleStep(s, stream, sc)
		default:
			found, err = ev.pathStep(s, context, sc, i == len(n.items)-1)
			context = each(found)
		}
		if err != nil {
			return nil, err
		}
		if !streaming && len(context) == 0 {
			break
		}
	}
	if !streaming {
		return ev.endPath(n, found, found, sc)
	}
	if n.tuple && n.group == nil {
		return &tuples{items: stream}, nil
	}
	if n.group != nil {
		return ev.groupTuples(n.group, stream, sc)
	}
	return ev.endPath(n, (&tuples{items: stream}).values(), nil, sc)
}

func streamOf(items []any) []tuple {
	stream := make([]tuple, len(items))
	for i, item := range items {
		stream[i].value = item
	}
	return stream
}

// tupleStep evaluates a step on every tuple.
func (ev *evaluator) tupleStep(s *node, stream []tuple, sc *scope) ([]tuple, error) {
	if s.kind == kindSort {
		out, err := ev.sortTuples(s, stream, sc)
		if err != nil {
			return nil, err
		}
		if s.index != "" {
			for i := range out {
				out[i] = out[i].with(s.index, float64(i))
			}
		}
		return ev.tupleStages(s.stages, out, sc)
	}
	out := make([]tuple, 0, len(stream))
	for _, t := range stream {
		v, err := ev.eval(s, t.value, t.scope(sc))
		if err != nil {
			return nil, err
		}
		if inner, ok := v.(*tuples); ok {
			for i, r := range inner.items {
				next := tuple{value: r.value, vars: t.vars}
				for _, b := range r.vars {
					next = next.with(b.name, b.value)
				}
				out = append(out, bindStepVariables(s, next, t.value, i))
			}
			continue
		}
		for i, item := range each(v) {
			next := tuple{value: item, vars: t.vars}
			if s.focus != "" {
				next = tuple{value: t.value, vars: t.vars}.with(s.focus, item)
			}
			out = append(out, bindStepVariables(s, next, t.value, i))
		}
		if err := ev.grow(len(out) - len(stream)); err != nil {
			return nil, err
		}
	}
	if err := ev.grow(len(out)); err != nil {
		return nil, err
	}
	return ev.tupleStages(s.stages, out, sc)
}

func bindStepVariables(s *node, t tuple, context any, i int) tuple {
	if s.index != "" {
		t = t.with(s.index, float64(i))
	}
	if s.ancestor != nil {
		t = t.with(s.ancestor.name, context)
	}
	return t
}

func (ev *evaluator) tupleStages(stages []stage, stream []tuple, sc *scope) ([]tuple, error) {
	for _, st := range stages {
		if st.filter == nil {
			for i := range stream {
				stream[i] = stream[i].with(st.index, float64(i))
			}
			continue
		}
		var err error
		if stream, err = ev.filterTuples(st.filter, stream, sc); err != nil {
			return nil, err
		}
	}
	return stream, nil
}

func (ev *evaluator) filterTuples(predicate *node, stream []tuple, sc *scope) ([]tuple, error) {
	if f, ok := predicate.value.(float64); ok && predicate.kind == kindLiteral {
		if i := place(f, len(stream)); i >= 0 {
			return stream[i : i+1], nil
		}
		return nil, nil
	}
	kept := make([]tuple, 0, len(stream))
	for i, t := range stream {
		count, err := ev.chosen(predicate, t.value, t.scope(sc), i, len(stream))
		if err != nil {
			return nil, err
		}
		for range count {
			kept = append(kept, t)
		}
	}
	return kept, nil
}

// values is a tuple stream without its variables.
func (t *tuples) values() *list {
	found := sequence()
	for _, item := range t.items {
		found.items = append(found.items, plain(item.value))
	}
	return found
}
