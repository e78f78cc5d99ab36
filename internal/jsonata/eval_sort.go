package jsonata

import "sort"

// sort evaluates an order-by that is no step of a path.
func (ev *evaluator) sort(n *node, in any, sc *scope) (any, error) {
	return ev.sortItems(n, each(in), sc)
}

func (ev *evaluator) sortItems(n *node, items []any, sc *scope) (any, error) {
	stream := make([]tuple, len(items))
	for i, item := range items {
		stream[i].value = item
	}
	sorted, err := ev.sortTuples(n, stream, sc)
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

// sortTuples sorts by the terms of an order-by; what is equal keeps its order.
func (ev *evaluator) sortTuples(n *node, stream []tuple, sc *scope) ([]tuple, error) {
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
	s := &termSorter{rows: rows, terms: n.terms}
	sort.Stable(s)
	if s.err != nil {
		return nil, s.err.at(n.at)
	}
	out := make([]tuple, len(rows))
	for i, r := range rows {
		out[i] = r.tuple
	}
	return out, nil
}

type sortRow struct {
	tuple tuple
	keys  []any
}

// termSorter implements sort.Interface; the first error makes all rows equal.
type termSorter struct {
	rows  []sortRow
	terms []term
	err   *Error
}

func (s *termSorter) Len() int      { return len(s.rows) }
func (s *termSorter) Swap(i, j int) { s.rows[i], s.rows[j] = s.rows[j], s.rows[i] }

func (s *termSorter) Less(i, j int) bool {
	for k, t := range s.terms {
		if s.err != nil {
			return false
		}
		c, err := compareKeys(s.rows[i].keys[k], s.rows[j].keys[k])
		if err != nil {
			s.err = err
			return false
		}
		if t.descending {
			c = -c
		}
		if c != 0 {
			return c < 0
		}
	}
	return false
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
