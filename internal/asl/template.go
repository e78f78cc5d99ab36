package asl

import (
	"errors"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// template is a JSON value with expressions in it.
type template struct {
	root *templateNode
}

// templateNode is one value of a template. A node without expressions below it
// is a literal and gives the same value every time.
type templateNode struct {
	literal any
	// suffix is where a query stands within the field: /a[0]
	suffix string
	// exactly one of these is set where the node is no literal
	query *query
	path  *pathField
	list  []*templateNode
	keys  []string // with values, the fields of an object
	// written are the keys as they stand in the definition, with ".$".
	written []string
	values  []*templateNode
}

func (n *templateNode) isLiteral() bool {
	return n.query == nil && n.path == nil && n.list == nil && n.keys == nil
}

// templateError says which field of a template is wrong and how.
type templateError struct {
	// Field is the field's own name, such as a.$; Location is where it lies.
	Field, Location string
	// syntax is set for an expression that is none.
	syntax error
}

func (e *templateError) Error() string { return e.Location + ": " + e.syntax.Error() }

// maxTemplateDepth bounds how deep the values of a template may lie in each other.
const maxTemplateDepth = 500

var errTemplateDepth = errors.New("values are nested too deeply")

// compileTemplate compiles a value. location is where it stands in the definition.
func compileTemplate(raw any, language Language, location string) (*template, *templateError) {
	c := &templateCompiler{language: language, base: location}
	n, err := c.node(raw, "", 0)
	if err != nil {
		return nil, err
	}
	return &template{root: n}, nil
}

// templateCompiler compiles the values of one field, which stands at base.
type templateCompiler struct {
	language Language
	base     string
}

func (c *templateCompiler) node(raw any, suffix string, depth int) (*templateNode, *templateError) {
	if depth > maxTemplateDepth {
		return nil, &templateError{Location: c.base + suffix, syntax: errTemplateDepth}
	}
	switch v := raw.(type) {
	case string:
		if text, ok := queryText(v); ok && c.language == JSONata {
			q, err := compileQuery(text)
			if err != nil {
				return nil, &templateError{Location: c.base + suffix, syntax: err}
			}
			return &templateNode{query: q, suffix: suffix}, nil
		}
	case []any:
		return c.list(v, suffix, depth)
	case *value.Object:
		return c.object(v, suffix, depth)
	}
	return &templateNode{literal: raw}, nil
}

func (c *templateCompiler) list(list []any, suffix string, depth int) (*templateNode, *templateError) {
	out := &templateNode{list: make([]*templateNode, len(list))}
	dynamic := false
	for i, e := range list {
		n, err := c.node(e, suffix+"["+strconv.Itoa(i)+"]", depth+1)
		if err != nil {
			return nil, err
		}
		out.list[i] = n
		dynamic = dynamic || !n.isLiteral()
	}
	if !dynamic {
		return &templateNode{literal: list}, nil
	}
	return out, nil
}

func (c *templateCompiler) object(o *value.Object, suffix string, depth int) (*templateNode, *templateError) {
	out := &templateNode{keys: make([]string, 0, o.Len())}
	dynamic := false
	for k, v := range o.All() {
		name, isPath := strings.CutSuffix(k, ".$")
		var n *templateNode
		if isPath && c.language == JSONPath {
			f, err := newPathField(v, true)
			if err == nil && f.Null {
				err = errNoText
			}
			if err != nil {
				return nil, &templateError{Field: k, Location: c.base + suffix, syntax: err}
			}
			n = &templateNode{path: f}
		} else {
			var err *templateError
			name = k
			if n, err = c.node(v, suffix+"/"+k, depth+1); err != nil {
				return nil, err
			}
		}
		out.keys = append(out.keys, name)
		out.written = append(out.written, k)
		out.values = append(out.values, n)
		dynamic = dynamic || !n.isLiteral()
	}
	if !dynamic {
		return &templateNode{literal: o}, nil
	}
	return out, nil
}

// queryText returns what stands between {% and %}.
func queryText(s string) (string, bool) {
	if len(s) >= 4 && strings.HasPrefix(s, "{%") && strings.HasSuffix(s, "%}") {
		return strings.TrimSpace(s[2 : len(s)-2]), true
	}
	return "", false
}

// eval gives the template's value. field is the name of the field that holds
// it, which errors show.
func (t *template) eval(sc *scope, field string) (any, *Failure) {
	return t.root.eval(sc, field)
}

// array is eval for a field that an array is expected of. An expression that
// gives anything else fails.
func (t *template) array(sc *scope, field string) (any, *Failure) {
	v, failure := t.eval(sc, field)
	if _, ok := v.([]any); failure == nil && !ok && t.root.query != nil {
		return nil, t.root.query.unexpected(field, "array", v)
	}
	return v, failure
}

func (n *templateNode) eval(sc *scope, field string) (any, *Failure) {
	switch {
	case n.query != nil:
		return n.query.eval(sc, field, n.suffix)
	case n.path != nil:
		return n.path.eval(sc)
	case n.list != nil:
		out := make([]any, len(n.list))
		for i, e := range n.list {
			v, failure := e.eval(sc, field)
			if failure != nil {
				return nil, failure
			}
			out[i] = v
		}
		return out, nil
	case n.keys != nil:
		return n.evalObject(sc, field)
	}
	return n.literal, nil
}

func (n *templateNode) evalObject(sc *scope, field string) (any, *Failure) {
	out := value.NewObject(len(n.keys))
	for i, k := range n.keys {
		e := n.values[i]
		var v any
		var failure *Failure
		if e.path != nil {
			v, failure = e.path.evalNamed(sc, n.written[i])
		} else {
			v, failure = e.eval(sc, field)
		}
		if failure != nil {
			return nil, failure
		}
		out.Set(k, v)
	}
	return out, nil
}

// variables yields the names of the variables that the template reads.
func (t *template) variables(yield func(string)) {
	if t != nil {
		t.root.variables(yield)
	}
}

func (n *templateNode) variables(yield func(string)) {
	if n.query != nil {
		n.query.variables(yield)
	}
	n.path.variables(yield)
	for _, e := range n.list {
		e.variables(yield)
	}
	for _, e := range n.values {
		e.variables(yield)
	}
}
