package jsonschema

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// ErrCircular says that a schema refers to itself without end.
var ErrCircular = errors.New("schema with circular references")

// Error says why a value was refused.
type Error struct {
	// Message is Python's text for the violation.
	Message string
	// Path is where it is, as a JSON path: $ for the whole.
	Path string
}

// Error words the refusal as the Prefect server does.
func (e *Error) Error() string {
	if e.Path == "$" {
		return "Validation failed. Failure reason: " + e.Message
	}
	return fmt.Sprintf("Validation failed for field %s. Failure reason: %s",
		pyrepr.String(strings.ReplaceAll(e.Path, "$.", "")), e.Message)
}

// Repr shows the error as Python's interpreter does.
func (e *Error) Repr() string { return "<ValidationError: " + pyrepr.String(e.Message) + ">" }

// Options change how a value is checked.
type Options struct {
	// IgnoreRequired lets properties be missing.
	IgnoreRequired bool
	// NullWithDefault lets properties be null that have a default.
	NullWithDefault bool
}

// Validate checks the value, which must be JSON, against the schema, which must
// be one by CheckSchema. The error is an [*Error] or [ErrCircular].
func Validate(value, schema []byte, o Options) error {
	v, err := Parse(value)
	if err != nil {
		return err
	}
	s, err := Parse(schema)
	if err != nil {
		return err
	}
	s = preprocess(s, o.NullWithDefault)
	if o.IgnoreRequired {
		removeKey(s, "required")
	}
	return check(v, s)
}

// CheckSchema reports as an [*Error] what keeps the text from being a schema of draft 2020-12.
func CheckSchema(schema []byte) error {
	s, err := Parse(schema)
	if err != nil {
		return err
	}
	meta, err := Parse([]byte(metaSchema))
	if err != nil {
		return err
	}
	return check(s, meta)
}

func check(v, schema *Value) error {
	c := newChecker(schema, nil)
	found := c.descend(v, schema)
	if err := c.fault(); err != nil {
		return err
	}
	if len(found) == 0 {
		return nil
	}
	best, path := bestMatch(found)
	return &Error{Message: best.message, Path: jsonPath(path)}
}

// bestMatch chooses the violation that says most: the one nearest to the root,
// and of alternatives the deepest.
func bestMatch(found []*violation) (*violation, []any) {
	best := found[0]
	for _, v := range found[1:] {
		if relevance(v, best) > 0 {
			best = v
		}
	}
	path := best.path
	for len(best.context) > 0 {
		sorted := slices.Clone(best.context)
		slices.SortStableFunc(sorted, relevance)
		if len(sorted) > 1 && relevance(sorted[0], sorted[1]) == 0 {
			break
		}
		best = sorted[0]
		path = append(slices.Clone(path), best.path...)
	}
	return best, path
}

// relevance compares how near to the root two violations are, and then how telling.
func relevance(a, b *violation) int {
	return cmp.Or(
		cmp.Compare(-len(a.path), -len(b.path)),
		slices.CompareFunc(a.path, b.path, compareSteps),
		compareBool(a.keyword != "anyOf" && a.keyword != "oneOf", b.keyword != "anyOf" && b.keyword != "oneOf"),
		compareBool(!a.matchesType(), !b.matchesType()),
	)
}

func compareSteps(a, b any) int {
	if i, ok := a.(int); ok {
		j, _ := b.(int)
		return cmp.Compare(i, j)
	}
	s, _ := a.(string)
	t, _ := b.(string)
	return cmp.Compare(s, t)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// matchesType tells whether the instance is at least of the type that the schema names.
func (v *violation) matchesType() bool {
	if v.schema == nil || v.instance == nil {
		return false
	}
	t := v.schema.get("type")
	switch {
	case t == nil:
		return false
	case t.kind == text:
		return v.instance.is(t.str)
	}
	return slices.ContainsFunc(t.list, func(n *Value) bool { return v.instance.is(n.str) })
}

func jsonPath(path []any) string {
	plain := regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]*$`)
	var b strings.Builder
	b.WriteByte('$')
	for _, step := range path {
		switch s := step.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", s)
		case string:
			if plain.MatchString(s) {
				b.WriteString("." + s)
				continue
			}
			b.WriteString("['" + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", `\'`) + "']")
		}
	}
	return b.String()
}
