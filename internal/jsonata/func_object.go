package jsonata

import (
	"github.com/leat-dev/leat/internal/value"
)

func callKeys(c *callContext, args []any) (any, error) {
	found := sequence()
	seen := map[string]bool{}
	err := c.keys(argument(args, 0), found, seen, 0)
	return found, err
}

func (c *callContext) keys(v any, found *list, seen map[string]bool, depth int) error {
	if depth > maxNesting {
		return tooDeep()
	}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if err := c.keys(item, found, seen, depth+1); err != nil {
				return err
			}
		}
	case *value.Object:
		if err := c.spend(v.Len()); err != nil {
			return err
		}
		for k := range v.All() {
			if !seen[k] {
				seen[k] = true
				found.items = append(found.items, k)
			}
		}
		return c.grow(v.Len())
	}
	return c.step()
}

func callLookup(c *callContext, args []any) (any, error) {
	key, ok := argument(args, 1).(string)
	if !ok {
		return Undefined{}, nil
	}
	return c.lookup(argument(args, 0), key)
}

func callSpread(c *callContext, args []any) (any, error) {
	arg := argument(args, 0)
	switch kindOf(arg) {
	case 'o', 'a':
		all, isArray := elements(arg)
		found := &list{items: []any{}, seq: !isArray || len(all) == 0}
		return found, c.spread(arg, found, 0)
	case 'f':
		return "", nil
	}
	return arg, nil
}

func (c *callContext) spread(v any, found *list, depth int) error {
	if depth > maxNesting {
		return tooDeep()
	}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if err := c.spread(item, found, depth+1); err != nil {
				return err
			}
		}
		return nil
	case *value.Object:
		for k, item := range v.All() {
			found.items = append(found.items, value.Of(k, item))
		}
		return c.grow(v.Len())
	}
	found.items = append(found.items, v)
	return c.grow(1)
}

func callMerge(c *callContext, args []any) (any, error) {
	if isUndefined(argument(args, 0)) {
		return Undefined{}, nil
	}
	out := value.NewObject(8)
	for _, item := range items(args, 0) {
		o, ok := item.(*value.Object)
		if !ok {
			continue
		}
		if err := c.grow(o.Len()); err != nil {
			return nil, err
		}
		for k, v := range o.All() {
			out.Set(k, v)
		}
	}
	return out, nil
}

func callEach(c *callContext, args []any) (any, error) {
	o, ok := argument(args, 0).(*value.Object)
	if !ok {
		return Undefined{}, nil
	}
	found := sequence()
	for k, item := range o.All() {
		v, err := c.iterate(args[1], item, k, o)
		if err != nil {
			return nil, err
		}
		if !isUndefined(v) {
			found.items = append(found.items, plain(v))
		}
	}
	return found, c.grow(len(found.items))
}

func callSift(c *callContext, args []any) (any, error) {
	o, ok := argument(args, 0).(*value.Object)
	if !ok || isUndefined(argument(args, 1)) {
		return Undefined{}, nil
	}
	out := value.NewObject(o.Len())
	for k, item := range o.All() {
		v, err := c.iterate(args[1], item, k, o)
		if err != nil {
			return nil, err
		}
		if truth(v) {
			out.Set(k, item)
		}
	}
	if out.Len() == 0 {
		return Undefined{}, nil
	}
	return out, c.grow(out.Len())
}

func callClone(c *callContext, args []any) (any, error) {
	return c.clone(argument(args, 0), nil, 0)
}
