package jsonschema

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Problem is something that is wrong with a value.
type Problem struct {
	// Message is Python's text for the violation.
	Message string
	// Path leads to the part that is wrong by names and indexes. A property that
	// is missing is the last step of its own path.
	Path []any
}

// Placeholders stand in a value for what is not known: each is a text that
// occurs nowhere else. One with a message is wrong wherever the schema says
// anything of it, one without is right.
type Placeholders map[string]string

const placeholder = "_placeholders"

// Unsound says why a text is no schema.
type Unsound struct{ Message string }

// Error implements error.
func (e *Unsound) Error() string { return e.Message }

// Problems lists all that is wrong with the value, in Python's order. The error
// is an [*Unsound], or what Validate returns of a schema that it cannot follow.
func Problems(value, schema []byte, stand Placeholders) ([]Problem, error) {
	v, err := Parse(value)
	if err != nil {
		return nil, err
	}
	s, err := Parse(schema)
	if err != nil {
		return nil, err
	}
	meta, err := Parse([]byte(metaSchema))
	if err != nil {
		return nil, err
	}
	s = preprocess(s, false)
	if refused, ok := errors.AsType[*Error](check(s, meta)); ok {
		return nil, &Unsound{refused.Message}
	}
	c := newChecker(s, stand)
	found := c.descend(v, s)
	if err := c.fault(); err != nil {
		return nil, err
	}
	return c.problems(found), nil
}

// problems words violations. Where a placeholder is wrong, that alone is told.
func (c *checker) problems(found []*violation) []Problem {
	wrong := map[string]bool{}
	for _, v := range found {
		if v.keyword == placeholder {
			wrong[fmt.Sprint(v.path...)] = true
		}
	}
	var out []Problem
	for _, v := range found {
		if v.keyword != placeholder && (wrong[fmt.Sprint(v.path...)] || c.stands(v.instance)) {
			continue
		}
		path := slices.Clone(v.path)
		if v.keyword == "required" {
			name, _, _ := strings.Cut(v.message, " ")
			path = append(path, strings.Trim(name, "'"))
		}
		out = append(out, Problem{Message: v.message, Path: path})
	}
	return out
}

// stands reports whether the value is a placeholder.
func (c *checker) stands(v *Value) bool {
	if v == nil || v.kind != text {
		return false
	}
	_, ok := c.stand[v.str]
	return ok
}
