package jsonata

import "github.com/leat-dev/leat/internal/value"

// transform copies a value and changes the objects of the copy that the
// pattern finds.
func (ev *evaluator) transform(f *transformer, arg any) (any, error) {
	n := f.node
	own := map[*value.Object]bool{}
	result, err := ev.clone(plain(arg), own, 0)
	if err != nil {
		return nil, err
	}
	found, err := ev.eval(n.lhs, result, f.scope)
	if err != nil {
		return nil, err
	}
	for _, match := range each(found) {
		if err := ev.update(n, match, own, f.scope); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// update applies a transform to one match. What is no part of the copy, such
// as a variable's value, is others' and stays as it is.
func (ev *evaluator) update(n *node, match any, own map[*value.Object]bool, sc *scope) error {
	o, isObject := match.(*value.Object)
	isOwn := isObject && own[o]
	v, err := ev.eval(n.rhs, match, sc)
	if err != nil {
		return err
	}
	if !isUndefined(v) {
		change, ok := v.(*value.Object)
		if !ok {
			return failValue("T2011", v).at(n.rhs.at)
		}
		if isOwn {
			// Copies, for what an object holds may not be that object.
			for k, w := range change.All() {
				fresh, err := ev.clone(w, nil, 0)
				if err != nil {
					return err
				}
				o.Set(k, fresh)
			}
		}
	}
	if n.alt == nil {
		return nil
	}
	v, err = ev.eval(n.alt, match, sc)
	if err != nil || isUndefined(v) {
		return err
	}
	for _, k := range each(v) {
		if _, ok := k.(string); !ok {
			return failValue("T2012", v).at(n.alt.at)
		}
	}
	for _, k := range each(v) {
		if name, ok := k.(string); ok && isOwn {
			o.Delete(name)
		}
	}
	return nil
}

// clone copies arrays and objects deeply and notes the objects in own.
func (ev *evaluator) clone(v any, own map[*value.Object]bool, depth int) (any, error) {
	if depth > maxNesting {
		return nil, tooDeep()
	}
	switch v := v.(type) {
	case []any:
		if err := ev.grow(len(v)); err != nil {
			return nil, err
		}
		out := make([]any, len(v))
		for i, item := range v {
			var err error
			if out[i], err = ev.clone(item, own, depth+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *value.Object:
		if err := ev.grow(v.Len()); err != nil {
			return nil, err
		}
		out := value.NewObject(v.Len())
		for k, item := range v.All() {
			c, err := ev.clone(item, own, depth+1)
			if err != nil {
				return nil, err
			}
			out.Set(k, c)
		}
		if own != nil {
			own[out] = true
		}
		return out, nil
	}
	return v, nil
}
