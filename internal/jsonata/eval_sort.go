package jsonata

// sortItems evaluates the order-by step of a path.
func (ev *evaluator) sortItems(n *node, items []any, sc *scope) (any, error) {
	sorted, err := ev.sortTuples(n, streamOf(items), sc)
	if err != nil {
		return nil, err
	}
	found := sequence()
	found.items = make([]any, len(sorted))
	for i, t := range sorted {
		found.items[i] = t.value
	}
	return found, nil
}

type sortRow struct {
	tuple tuple
	keys  []any
}

// sortTuples sorts by the terms of an order-by; what is equal keeps its order.
func (ev *evaluator) sortTuples(n *node, stream []tuple, sc *scope) ([]tuple, error) {
	if len(stream) < 2 {
		return stream, nil // the terms are for comparing
	}
	if err := ev.grow(len(stream)); err != nil {
		return nil, err
	}
	rows := make([]sortRow, len(stream))
	for i, t := range stream {
		frame := t.scope(sc)
		rows[i] = sortRow{tuple: t, keys: make([]any, len(n.terms))}
		for j, term := range n.terms {
			key, err := ev.eval(term.expr, t.value, frame)
			if err != nil {
				return nil, err
			}
			rows[i].keys[j] = key
		}
	}
	rows, err := mergeSort(rows, func(a, b sortRow) (bool, error) {
		if err := ev.step(); err != nil {
			return false, err
		}
		for i, t := range n.terms {
			c, err := compareKeys(a.keys[i], b.keys[i])
			if err != nil {
				return false, err.at(n.at)
			}
			if err := ev.spend(textLength(a.keys[i]) / 64); err != nil {
				return false, err
			}
			if c != 0 {
				return c > 0 != t.descending, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]tuple, len(rows))
	for i, r := range rows {
		out[i] = r.tuple
	}
	return out, nil
}

// mergeSort sorts a copy by a function that says whether a comes after b. Users'
// functions need not be consistent; halving and merging is what the public
// implementation does, so that these yield the same order.
func mergeSort[T any](items []T, after func(a, b T) (bool, error)) ([]T, error) {
	if len(items) < 2 {
		return items, nil
	}
	left, err := mergeSort(items[:len(items)/2], after)
	if err != nil {
		return nil, err
	}
	right, err := mergeSort(items[len(items)/2:], after)
	if err != nil {
		return nil, err
	}
	out := make([]T, 0, len(items))
	for len(left) > 0 && len(right) > 0 {
		swap, err := after(left[0], right[0])
		switch {
		case err != nil:
			return nil, err
		case swap:
			out, right = append(out, right[0]), right[1:]
		default:
			out, left = append(out, left[0]), left[1:]
		}
	}
	return append(append(out, left...), right...), nil
}

// compareKeys orders numbers or texts; undefined comes last.
func compareKeys(a, b any) (int, *Error) {
	switch {
	case isUndefined(a) && isUndefined(b):
		return 0, nil
	case isUndefined(a):
		return 1, nil
	case isUndefined(b):
		return -1, nil
	}
	x, xText := a.(string)
	y, yText := b.(string)
	f, xNumber := toNumber(a)
	g, yNumber := toNumber(b)
	switch {
	case !xText && !xNumber:
		return 0, failValue("T2008", a)
	case !yText && !yNumber:
		return 0, failValue("T2008", b)
	case xText != yText:
		e := failValue("T2007", a)
		e.Value2 = plain(b)
		return 0, e
	case xText:
		return compareText(x, y), nil
	case f < g:
		return -1, nil
	case f > g:
		return 1, nil
	}
	return 0, nil
}
