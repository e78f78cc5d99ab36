package jinja

import (
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// listFilter finds the filters of sequences.
func listFilter(name string) *builtin {
	attribute, sensitive := opt("attribute", nil), opt("case_sensitive", false)
	switch name {
	case "join":
		return function("sync_do_join", joinFilter, req("value"), opt("d", ""), attribute)
	case "list":
		return function("sync_do_list", func(st *state, a []any) (any, error) {
			items, err := st.iterate(a[0])
			return newList(slices.Clone(items)), err
		}, req("value"))
	case "first":
		return function("sync_do_first", firstFilter, req("seq"))
	case "last":
		return function("do_last", lastFilter, req("seq"))
	case "reverse":
		return function("do_reverse", reverseFilter, req("value"))
	case "sort":
		return function("do_sort", sortFilter, req("value"), opt("reverse", false), sensitive, attribute)
	case "unique":
		return function("sync_do_unique", uniqueFilter, req("value"), sensitive, attribute)
	case "min", "max":
		return function("do_"+name, func(st *state, a []any) (any, error) { return st.extreme(name, a) }, req("value"), sensitive, attribute)
	case "sum":
		return function("sync_do_sum", sumFilter, req("iterable"), attribute, opt("start", int64(0)))
	case "batch":
		return function("do_batch", batchFilter, req("value"), req("linecount"), opt("fill_with", nil))
	case "slice":
		return function("sync_do_slice", sliceFilter, req("value"), req("slices"), opt("fill_with", nil))
	case "groupby":
		return function("sync_do_groupby", groupFilter, req("value"), req("attribute"), opt("default", nil), sensitive)
	case "dictsort":
		return function("do_dictsort", dictSort, req("value"), opt("case_sensitive", false), opt("by", "key"), opt("reverse", false))
	case "items":
		return function("do_items", func(_ *state, a []any) (any, error) {
			return newIterator("generator", func() ([]any, error) {
				switch v := a[0].(type) {
				case *undefined:
					return nil, nil
				case *dict:
					return (&view{of: v, kind: "items"}).items(), nil
				}
				return nil, typeError("Can only get item pairs from a mapping.")
			}), nil
		}, req("value"))
	}
	return nil
}

func joinFilter(st *state, a []any) (any, error) {
	items, err := st.iterate(a[0])
	if err != nil {
		return nil, err
	}
	way := path(a[2])
	html := false
	parts := make([]any, len(items))
	for i, v := range items {
		if parts[i], err = st.follow(v, way, nil); err != nil {
			return nil, err
		}
		_, ok := parts[i].(markup)
		html = html || ok
	}
	_, sepHTML := a[1].(markup)
	html = st.autoescape && (html || sepHTML)
	show := func(v any) (string, error) {
		if html {
			m, err := st.escape(v)
			return string(m), err
		}
		return st.str(v)
	}
	sep, err := show(a[1])
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for i, v := range parts {
		s, err := show(v)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(s)
		if b.Len() > maxText {
			return nil, errTooLarge
		}
	}
	if html {
		return markup(b.String()), st.spend(b.Len())
	}
	return b.String(), st.spend(b.Len())
}

func firstFilter(st *state, a []any) (any, error) {
	none := &undefined{hint: "No first item, sequence was empty."}
	if it, ok := a[0].(*iterator); ok {
		v, found, err := it.one()
		if !found && err == nil {
			return none, nil
		}
		return v, err
	}
	items, err := st.iterate(a[0])
	if err != nil || len(items) == 0 {
		return none, err
	}
	return items[0], nil
}

func lastFilter(st *state, a []any) (any, error) {
	if it, ok := a[0].(*iterator); ok {
		return nil, typeError(pyrepr.String(it.class) + " object is not reversible")
	}
	items, err := st.iterate(a[0])
	if err != nil {
		return nil, typeError(pyrepr.String(typeName(a[0])) + " object is not reversible")
	}
	if len(items) == 0 {
		return &undefined{hint: "No last item, sequence was empty."}, nil
	}
	return items[len(items)-1], nil
}

func reverseFilter(st *state, a []any) (any, error) {
	if s, ok := textOf(a[0]); ok {
		r := []rune(s)
		slices.Reverse(r)
		if _, html := a[0].(markup); html {
			return markup(string(r)), st.spend(len(s))
		}
		return string(r), st.spend(len(s))
	}
	items, err := st.iterate(a[0])
	if err != nil {
		return nil, &pyError{"FilterArgumentError", "argument must be iterable"}
	}
	out := slices.Clone(items)
	slices.Reverse(out)
	switch a[0].(type) {
	case *iterator, *undefined:
		return newList(out), nil
	}
	return newIterator(typeName(a[0])+"_reverseiterator", func() ([]any, error) { return out, nil }), nil
}

// keyed finds the keys of items: what an attribute leads to, without case.
func (st *state) keyed(items []any, attribute, sensitive, fallback any) ([]any, error) {
	way := path(attribute)
	keys := make([]any, len(items))
	for i, v := range items {
		k, err := st.follow(v, way, fallback)
		if err != nil {
			return nil, err
		}
		keys[i] = folded(k, sensitive)
	}
	return keys, nil
}

func sortFilter(st *state, a []any) (any, error) {
	items, err := st.iterate(a[0])
	if err != nil {
		return nil, err
	}
	attributes := []any{a[3]}
	if s, ok := textOf(a[3]); ok {
		attributes = nil
		for p := range strings.SplitSeq(s, ",") {
			attributes = append(attributes, p)
		}
	}
	keys := make([]any, len(items))
	for i := range keys {
		keys[i] = newList(nil)
	}
	for _, attribute := range attributes {
		part, err := st.keyed(items, attribute, a[2], nil)
		if err != nil {
			return nil, err
		}
		for i, k := range part {
			l, _ := keys[i].(*list)
			l.items = append(l.items, k)
		}
	}
	out, err := st.sorted(items, keys, truth(a[1]))
	return newList(out), err
}

func uniqueFilter(st *state, a []any) (any, error) {
	return newIterator("generator", func() ([]any, error) {
		items, err := st.iterate(a[0])
		if err != nil {
			return nil, err
		}
		keys, err := st.keyed(items, a[2], a[1], nil)
		if err != nil {
			return nil, err
		}
		seen := map[hashKey]bool{}
		var out []any
		for i, k := range keys {
			h, err := st.hash(k)
			if err != nil {
				return nil, err
			}
			if !seen[h] {
				seen[h] = true
				out = append(out, items[i])
			}
		}
		return out, nil
	}), nil
}

func (st *state) extreme(name string, a []any) (any, error) {
	items, err := st.iterate(a[0])
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return &undefined{hint: "No aggregated item, sequence was empty."}, nil
	}
	keys, err := st.keyed(items, a[2], a[1], nil)
	if err != nil {
		return nil, err
	}
	op := "<"
	if name == "max" {
		op = ">"
	}
	best := 0
	for i := 1; i < len(items); i++ {
		better, err := st.less(op, keys[i], keys[best])
		if err != nil {
			return nil, err
		}
		if better {
			best = i
		}
	}
	return items[best], nil
}

func sumFilter(st *state, a []any) (any, error) {
	items, err := st.iterate(a[0])
	if err != nil {
		return nil, err
	}
	sum := a[2]
	if _, ok := textOf(sum); ok {
		return nil, typeError("sum() can't sum strings [use ''.join(seq) instead]")
	}
	way := path(a[1])
	for _, v := range items {
		if v, err = st.follow(v, way, nil); err != nil {
			return nil, err
		}
		if sum, err = st.binary("add", sum, v); err != nil {
			return nil, err
		}
	}
	return sum, nil
}

func batchFilter(st *state, a []any) (any, error) {
	return newIterator("generator", func() ([]any, error) {
		items, err := st.iterate(a[0])
		if err != nil {
			return nil, err
		}
		n, ok := intOf(a[1])
		if !ok {
			n = -1
			if !isNumber(a[1]) {
				if a[2] != nil && len(items) > 0 {
					return nil, typeError("'<' not supported between instances of 'int' and " + pyrepr.String(typeName(a[1])))
				}
			}
		}
		var out, row []any
		for _, v := range items {
			if int64(len(row)) == n {
				out = append(out, newList(row))
				row = nil
			}
			row = append(row, v)
		}
		if len(row) > 0 {
			for a[2] != nil && int64(len(row)) < n {
				if len(row) > maxItems {
					return nil, errTooLarge
				}
				row = append(row, a[2])
			}
			out = append(out, newList(row))
		}
		return out, st.spend(len(row))
	}), nil
}

func sliceFilter(st *state, a []any) (any, error) {
	return newIterator("generator", func() ([]any, error) {
		items, err := st.iterate(a[0])
		if err != nil {
			return nil, err
		}
		n, ok := intOf(a[1])
		switch {
		case !ok:
			return nil, unsupported("floordiv", int64(0), a[1])
		case n == 0:
			return nil, &pyError{"ZeroDivisionError", "integer division or modulo by zero"}
		case n > maxItems:
			return nil, errTooLarge
		}
		per, extra := int64(len(items))/max(n, 1), int64(len(items))%max(n, 1)
		var out []any
		at := int64(0)
		for i := range n {
			end := at + per
			if i < extra {
				end++
			}
			row := slices.Clone(items[at:end])
			if a[2] != nil && i >= extra {
				row = append(row, a[2])
			}
			if row == nil {
				row = []any{}
			}
			out = append(out, newList(row))
			at = end
		}
		return out, st.spend(len(out))
	}), nil
}

func groupFilter(st *state, a []any) (any, error) {
	items, err := st.iterate(a[0])
	if err != nil {
		return nil, err
	}
	keys, err := st.keyed(items, a[1], a[3], a[2])
	if err != nil {
		return nil, err
	}
	if items, err = st.sorted(items, keys, false); err != nil {
		return nil, err
	}
	if keys, err = st.keyed(items, a[1], a[3], a[2]); err != nil {
		return nil, err
	}
	names := []string{"grouper", "list"}
	var out []any
	for i := 0; i < len(items); {
		j := i + 1
		for ; j < len(items); j++ {
			same, err := st.equal(keys[i], keys[j])
			if err != nil {
				return nil, err
			}
			if !same {
				break
			}
		}
		key, err := st.follow(items[i], path(a[1]), a[2])
		if err != nil {
			return nil, err
		}
		out = append(out, &tuple{items: []any{key, newList(slices.Clone(items[i:j]))}, names: names})
		i = j
	}
	return newList(out), nil
}

func dictSort(st *state, a []any) (any, error) {
	by, _ := textOf(a[2])
	if by != "key" && by != "value" {
		return nil, &pyError{"FilterArgumentError", `You can only sort by either "key" or "value"`}
	}
	d, ok := a[0].(*dict)
	if !ok {
		if u, isUndef := a[0].(*undefined); isUndef {
			return nil, u.fail()
		}
		return nil, &pyError{"AttributeError", pyrepr.String(typeName(a[0])) + " object has no attribute 'items'"}
	}
	source := d.keys
	if by == "value" {
		source = d.values
	}
	keys := make([]any, len(source))
	for i, k := range source {
		keys[i] = folded(k, a[1])
	}
	out, err := st.sorted((&view{of: d, kind: "items"}).items(), keys, truth(a[3]))
	return newList(out), err
}

// pickFilter finds the filters that apply a filter or a test to each item.
func pickFilter(name string) *builtin {
	switch name {
	case "map":
		return &builtin{name: "sync_do_map", method: "function", call: mapFilter}
	case "select", "reject", "selectattr", "rejectattr":
		return &builtin{name: "sync_do_" + name, method: "function", call: func(st *state, args []any, kw []kwarg) (any, error) {
			return newIterator("generator", func() ([]any, error) { return st.pick(name, args, kw) }), nil
		}}
	}
	return nil
}

func mapFilter(st *state, args []any, kw []kwarg) (any, error) {
	return newIterator("generator", func() ([]any, error) {
		if !truth(args[0]) {
			return nil, nil
		}
		f, err := st.mapper(args[1:], kw)
		if err != nil {
			return nil, err
		}
		items, err := st.iterate(args[0])
		if err != nil {
			return nil, err
		}
		out := make([]any, len(items))
		for i, v := range items {
			if out[i], err = f(v); err != nil {
				return nil, err
			}
		}
		return out, nil
	}), nil
}

// mapper is what map applies: an attribute or a filter.
func (st *state) mapper(args []any, kw []kwarg) (func(any) (any, error), error) {
	if i := slices.IndexFunc(kw, func(k kwarg) bool { return k.name == "attribute" }); len(args) == 0 && i >= 0 {
		way := path(kw[i].value)
		var fallback any
		for _, k := range kw {
			switch k.name {
			case "attribute":
			case "default":
				fallback = k.value
			default:
				return nil, &pyError{"FilterArgumentError", "Unexpected keyword argument " + pyrepr.String(k.name)}
			}
		}
		return func(v any) (any, error) { return st.follow(v, way, fallback) }, nil
	}
	if len(args) == 0 {
		return nil, &pyError{"FilterArgumentError", "map requires a filter argument"}
	}
	name, ok := textOf(args[0])
	f, found := filterNamed(name)
	if !ok || !found {
		return func(any) (any, error) {
			return nil, &pyError{"TemplateRuntimeError", "No filter named " + repr(args[0]) + "."}
		}, nil
	}
	return func(v any) (any, error) { return f.call(st, append([]any{v}, args[1:]...), kw) }, nil
}

func (st *state) pick(name string, args []any, kw []kwarg) ([]any, error) {
	if !truth(args[0]) {
		return nil, nil
	}
	args, value := args[1:], args[0]
	var way []any
	if strings.HasSuffix(name, "attr") {
		if len(args) == 0 {
			return nil, &pyError{"FilterArgumentError", "Missing parameter for attribute name"}
		}
		way, args = path(args[0]), args[1:]
	}
	want := strings.HasPrefix(name, "select")
	items, err := st.iterate(value)
	if err != nil {
		return nil, err
	}
	var out []any
	for _, v := range items {
		probe, err := st.follow(v, way, nil)
		if err != nil {
			return nil, err
		}
		ok := truth(probe)
		if len(args) > 0 {
			testName, _ := textOf(args[0])
			f, found := testNamed(testName)
			if !found {
				return nil, &pyError{"TemplateRuntimeError", "No test named " + repr(args[0]) + "."}
			}
			result, err := f.call(st, append([]any{probe}, args[1:]...), kw)
			if err != nil {
				return nil, err
			}
			ok = truth(result)
		}
		if ok == want {
			out = append(out, v)
		}
	}
	return out, nil
}
