package asl

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// The errors that expressions give.
const (
	errRuntime          = "States.Runtime"
	errQueryEvaluation  = "States.QueryEvaluationError"
	errIntrinsic        = "States.IntrinsicFailure"
	errResultPathMatch  = "States.ResultPathMatchFailure"
	errorPrefixNoResult = "Invalid path '%s' : %s"
)

// pathField is a field that holds a path, as it was written.
type pathField struct {
	// Null tells that the field is null: InputPath and OutputPath then give an
	// empty object, ResultPath discards the result.
	Null bool
	Text string
	path *path
	// call is the intrinsic function of a field that may have one instead.
	call *intrinsic
}

// start implements pathRoots.
func (sc *scope) start(p *path) (any, error) {
	switch p.root {
	case rootContext:
		if sc.context == nil {
			return value.NewObject(0), nil
		}
		return sc.context, nil
	case rootVariable:
		if sc.variable != nil {
			if v, ok := sc.variable(p.variable); ok {
				return v, nil
			}
		}
		return nil, fmt.Errorf("No results for path: $['%s']", p.variable) //nolint:staticcheck // the service's own words
	case rootItem:
		return nil, errors.New("@ is known in filters alone")
	case rootInput:
	}
	return sc.input, nil
}

// lookup evaluates a path; the error is in the words of the service.
func (sc *scope) lookup(p *path) (any, error) {
	doc, err := sc.start(p)
	if err != nil {
		return nil, err
	}
	return p.find(doc, sc)
}

// eval gives what the field refers to: nil (null) for a field that is null.
func (p *pathField) eval(sc *scope) (any, *Failure) {
	switch {
	case p.Null:
		return nil, nil
	case p.call != nil:
		return p.call.eval(sc)
	}
	v, err := sc.lookup(p.path)
	if err != nil {
		return nil, runtimeFailure(errorPrefixNoResult, p.Text, err)
	}
	return v, nil
}

// evalNamed is eval for a field whose errors name it, as those of templates do.
func (p *pathField) evalNamed(sc *scope, field string) (any, *Failure) {
	if p.Null {
		return nil, nil
	}
	if p.call != nil {
		return p.call.eval(sc)
	}
	v, err := sc.lookup(p.path)
	if err == nil {
		return v, nil
	}
	doc := sc.input
	if p.path.root == rootContext {
		doc = sc.context
	}
	return nil, runtimeFailure("The JSONPath '%s' specified for the field '%s' could not be found in the input '%s'",
		p.Text, field, value.String(doc))
}

func runtimeFailure(format string, args ...any) *Failure {
	return &Failure{Error: errRuntime, Cause: fmt.Sprintf(format, args...), runtime: true}
}

// set puts v where the field, a reference path, points to in root, and returns
// the new root. What was shared is copied. Objects that are missing are made;
// a list must be there and long enough.
func (p *pathField) set(root, v any) (any, *Failure) {
	if p.Null {
		return root, nil
	}
	out, ok := place(root, p.path.segments, v)
	if !ok {
		return nil, &Failure{
			Error:   errResultPathMatch,
			Cause:   fmt.Sprintf("Unable to apply ReferencePath %s to input %s", p.Text, value.String(root)),
			runtime: true,
		}
	}
	return out, nil
}

func place(doc any, segments []segment, v any) (any, bool) {
	if len(segments) == 0 {
		return v, true
	}
	s := &segments[0]
	if s.kind == segIndexes {
		list, ok := doc.([]any)
		k := s.indexes[0]
		if !ok || k >= len(list) {
			return nil, false
		}
		child, ok := place(list[k], segments[1:], v)
		if !ok {
			return nil, false
		}
		list = slices.Clone(list)
		list[k] = child
		return list, true
	}
	o, ok := doc.(*value.Object)
	if !ok {
		return nil, false
	}
	below, ok := o.Get(s.names[0])
	if !ok {
		below = value.NewObject(1)
	}
	child, ok := place(below, segments[1:], v)
	if !ok {
		return nil, false
	}
	o = o.Clone()
	o.Set(s.names[0], child)
	return o, true
}

// newPathField compiles a field that holds a path or, with intrinsics, a call.
func newPathField(raw any, intrinsics bool) (*pathField, error) {
	if raw == nil {
		return &pathField{Null: true}, nil
	}
	text, ok := raw.(string)
	if !ok {
		return nil, errors.New("not a string")
	}
	f := &pathField{Text: text}
	var err error
	if intrinsics && strings.HasPrefix(text, intrinsicPrefix) {
		f.call, err = parseIntrinsic(text)
	} else {
		f.path, err = parsePath(text)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// newReference compiles a reference path.
func newReference(raw any) (*pathField, error) {
	f, err := newPathField(raw, false)
	if err == nil && !f.Null && (f.path.root != rootInput || !f.path.reference()) {
		return nil, errors.New("not a reference path")
	}
	return f, err
}

// variables yields the names of the variables that the field reads.
func (p *pathField) variables(yield func(string)) {
	switch {
	case p == nil || p.Null:
	case p.call != nil:
		p.call.variables(yield)
	default:
		p.path.variables(yield)
	}
}

func (p *path) variables(yield func(string)) {
	if p == nil {
		return
	}
	if p.root == rootVariable {
		yield(p.variable)
	}
	for i := range p.segments {
		p.segments[i].filter.variables(yield)
	}
}

func (f *filter) variables(yield func(string)) {
	if f == nil {
		return
	}
	for _, side := range f.sides {
		side.variables(yield)
	}
	f.left.path.variables(yield)
	f.right.path.variables(yield)
}

func (c *intrinsic) variables(yield func(string)) {
	for _, a := range c.args {
		if a.call != nil {
			a.call.variables(yield)
		}
		a.path.variables(yield)
	}
}
