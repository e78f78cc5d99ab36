package asl

import (
	"errors"
	"fmt"
	"math"

	"github.com/leat-dev/leat/internal/value"
)

// jsonProvider is the name by which the service's own library calls its reader in errors.
const jsonProvider = "com.jayway.jsonpath.spi.json.JacksonJsonProvider"

// pathRoots gives what $, $$ and $name stand for.
type pathRoots interface {
	start(p *path) (any, error)
}

// find returns what the path names below doc. A path that is not definite finds
// a list, which may be empty; the error of a definite one says what is missing.
func (p *path) find(doc any, roots pathRoots) (any, error) {
	n := len(p.segments)
	function := ""
	if n > 0 && p.segments[n-1].kind == segFunction {
		n--
		function = p.segments[n].function
	}
	var v any
	var err error
	if p.definiteUpTo(n) {
		v, err = p.walk(doc, n)
	} else {
		v, err = p.collect(doc, n, roots)
	}
	if err != nil || function == "" {
		return v, err
	}
	out, ok := applyFunction(function, v)
	if !ok {
		return nil, fmt.Errorf("No results for path: %s", p) //nolint:staticcheck // the service's own words
	}
	return out, nil
}

func (p *path) definiteUpTo(n int) bool {
	if n == len(p.segments) {
		return p.definite
	}
	for i := range p.segments[:n] {
		s := &p.segments[i]
		if s.deep || s.kind != segNames && s.kind != segIndexes || len(s.names) > 1 || len(s.indexes) > 1 {
			return false
		}
	}
	return true
}

// walk follows a definite path.
func (p *path) walk(doc any, n int) (any, error) {
	for i := range p.segments[:n] {
		s := &p.segments[i]
		if s.kind == segIndexes {
			next, err := p.index(doc, i)
			if err != nil {
				return nil, err
			}
			doc = next
			continue
		}
		o, ok := doc.(*value.Object)
		if !ok {
			return nil, fmt.Errorf("Expected to find an object with property ['%s'] in path %s but found '%s'. This is not a json object according to the JsonProvider: '%s'.", //nolint:staticcheck // the service's own words
				s.names[0], p.prefix(i), javaType(doc), jsonProvider)
		}
		if len(s.names) > 1 {
			doc = pick(o, s.names)
			continue
		}
		next, ok := o.Get(s.names[0])
		if !ok && i < len(p.segments)-1 {
			return nil, fmt.Errorf("Missing property in path %s", p.prefix(i+1)) //nolint:staticcheck // the service's own words
		}
		if !ok {
			return nil, p.noResults()
		}
		doc = next
	}
	return doc, nil
}

func (p *path) noResults() error {
	return fmt.Errorf("No results for path: %s", p) //nolint:staticcheck // the service's own words
}

func (p *path) index(doc any, i int) (any, error) {
	list, ok := doc.([]any)
	if doc == nil {
		return nil, fmt.Errorf("The path %s is null", p.prefix(i)) //nolint:staticcheck // the service's own words
	}
	if !ok {
		return nil, fmt.Errorf("Filter: [%d] can only be applied to arrays. Current context is: %s", p.segments[i].indexes[0], javaText(doc)) //nolint:staticcheck // the service's own words
	}
	k := p.segments[i].indexes[0]
	if k < 0 {
		k += len(list)
	}
	if k < 0 || k >= len(list) {
		return nil, p.noResults()
	}
	return list[k], nil
}

func pick(o *value.Object, names []string) *value.Object {
	out := value.NewObject(len(names))
	for _, n := range names {
		if v, ok := o.Get(n); ok {
			out.Set(n, v)
		}
	}
	return out
}

// maxPathVisits bounds how many values one evaluation may look at, for filters
// that search within searches multiply.
const maxPathVisits = 2_000_000

var errPathVisits = errors.New("the path looks at too many values")

// search is one evaluation of a path that is not definite. The paths within its
// filters share its bound.
type search struct {
	pathRoots
	left int
}

// collect lists what the first n segments name below doc.
func (p *path) collect(doc any, n int, roots pathRoots) (any, error) {
	s, shared := roots.(*search)
	if !shared {
		s = &search{pathRoots: roots, left: maxPathVisits}
	}
	list := []any{}
	s.collect(doc, p.segments[:n], &list)
	if s.left < 0 {
		return nil, errPathVisits
	}
	return list, nil
}

// collect appends what the segments name below v.
func (x *search) collect(v any, segments []segment, out *[]any) {
	if x.left--; x.left < 0 {
		return
	}
	if len(segments) == 0 {
		*out = append(*out, v)
		return
	}
	s := &segments[0]
	rest := segments[1:]
	s.children(v, len(rest) == 0, x, func(child any) { x.collect(child, rest, out) })
	if !s.deep {
		return
	}
	each(v, func(child any) { x.collect(child, segments, out) })
}

// each yields the values directly below v.
func each(v any, yield func(any)) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			yield(e)
		}
	case *value.Object:
		for _, e := range v.All() {
			yield(e)
		}
	}
}

// children yields what one segment selects of v.
func (s *segment) children(v any, last bool, roots pathRoots, yield func(any)) {
	list, isList := v.([]any)
	switch s.kind {
	case segNames:
		o, ok := v.(*value.Object)
		if !ok {
			return
		}
		if last && len(s.names) > 1 {
			yield(pick(o, s.names))
			return
		}
		for _, n := range s.names {
			if child, ok := o.Get(n); ok {
				yield(child)
			}
		}
	case segWildcard:
		each(v, yield)
	case segFilter:
		s.filtered(v, roots, yield)
	case segIndexes:
		for _, k := range s.indexes {
			if k < 0 {
				k += len(list)
			}
			if isList && k >= 0 && k < len(list) {
				yield(list[k])
			}
		}
	case segSlice:
		from, to := s.bounds(len(list))
		for k := from; k < to; k += s.step {
			yield(list[k])
		}
	case segFunction:
	}
}

// filtered yields the elements that pass; an object is tested itself.
func (s *segment) filtered(v any, roots pathRoots, yield func(any)) {
	if o, ok := v.(*value.Object); ok {
		if s.filter.matches(roots, o) {
			yield(o)
		}
		return
	}
	list, _ := v.([]any)
	for _, e := range list {
		if s.filter.matches(roots, e) {
			yield(e)
		}
	}
}

// bounds are those of a slice of a list of n.
func (s *segment) bounds(n int) (from, to int) {
	at := func(p *int, absent int) int {
		if p == nil {
			return absent
		}
		k := *p
		if k < 0 {
			k += n
		}
		return min(max(k, 0), n)
	}
	return at(s.from, 0), at(s.to, n)
}

// applyFunction applies a function of paths; ok is false where it has no result.
func applyFunction(name string, v any) (any, bool) {
	switch name {
	case "length", "size":
		n := lengthOf(v)
		return int64(n), n >= 0
	case "keys":
		o, ok := v.(*value.Object)
		if !ok {
			return nil, false
		}
		keys := make([]any, 0, o.Len())
		for k := range o.All() {
			keys = append(keys, k)
		}
		return keys, true
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return nil, false
	}
	switch name {
	case "first":
		return list[0], true
	case "last":
		return list[len(list)-1], true
	}
	return aggregate(name, list)
}

func aggregate(name string, list []any) (any, bool) {
	var count, sum, squares float64
	low, high := math.Inf(1), math.Inf(-1)
	for _, e := range list {
		x, ok := value.Number(e)
		if !ok {
			continue
		}
		count++
		sum += x
		squares += x * x
		low, high = min(low, x), max(high, x)
	}
	if count == 0 {
		return nil, false
	}
	switch name {
	case "min":
		return low, true
	case "max":
		return high, true
	case "avg":
		return sum / count, true
	case "stddev":
		mean := sum / count
		return math.Sqrt(max(squares/count-mean*mean, 0)), true
	}
	return sum, true
}
