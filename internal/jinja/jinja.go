// Package jinja renders the templates that users write for automations,
// notifications, webhooks and parameters: the language and the values of Jinja2
// as the reference runs it, sandboxed, with undefined names that chain, with
// its limits on loops and ranges.
//
// Values behave as Python's: text of numbers, dictionaries and dates, the order
// of keys, integers of any size, the messages of errors. What a template may
// cost is bounded: steps, the size of its texts and lists, the depth of calls.
package jinja

import (
	"fmt"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// Environment is what templates may use beside their variables. The zero value
// has no UI and no clock.
type Environment struct {
	// UIURL is the base of the UI's addresses, which ui_url and
	// ui_resource_events_url begin with; they give None when it is empty.
	UIURL string
	// Now tells the time to filters such as humanize_naturaltime; without it
	// they fail unless the template says when.
	Now func() time.Time
}

// Model is an object of the domain. Attr finds an attribute by name and is
// called only for those that a template names; String is its Python text.
type Model interface {
	Attr(name string) (any, bool)
	String() string
}

// Linked is a Model that the UI shows. Kind is the noun of its resource, such
// as "flow-run", "deployment", "work-pool", "automation"; its attribute id (a
// work pool's name) says which one it is.
type Linked interface {
	Model
	Kind() string
}

// Template is a parsed template. It may be rendered by several goroutines.
type Template struct {
	env    Environment
	source string
	body   []stmt
}

// SyntaxError says where a source is no template.
type SyntaxError struct {
	Line    int // from 1
	Message string
	Source  string
	class   string // Python's name of the error
}

func (e *SyntaxError) Error() string { return e.Message }

// SecurityError refuses a template that has more loops than the reference
// allows. Line is always 0.
type SecurityError struct {
	Line    int
	Message string
	Source  string
}

func (e *SecurityError) Error() string { return e.Message }

// RenderError says why a template could not be rendered. Class is the name of
// the exception that Python would raise.
type RenderError struct {
	Class   string
	Message string
}

// Error is the text of the reference's TemplateRenderError.
func (e *RenderError) Error() string {
	return "Failed to render template due to the following error: " + e.Class + "(" + pyrepr.String(e.Message) + ")"
}

// MaybeTemplate tells whether a text has anything to render.
func MaybeTemplate(s string) bool {
	return strings.Contains(s, "{{") || strings.Contains(s, "{%")
}

// Parse reads a template for an environment without UI and clock.
func Parse(source string) (*Template, error) { return Environment{}.Parse(source) }

// Limits of the reference on the loops of a template.
const (
	maxLoops     = 10
	maxLoopDepth = 2
	maxRange     = 100
)

// Parse reads a template. The error is a *SyntaxError or a *SecurityError.
func (e Environment) Parse(source string) (*Template, error) {
	p := &parser{lex: newLexer(source)}
	body, err := p.parse()
	if err != nil {
		err.Source = source
		return nil, err
	}
	if p.loops > maxLoops {
		return nil, &SecurityError{Source: source, Message: fmt.Sprintf(
			"Contains %d for loops. Templates can contain no more than %d for loops.", p.loops, maxLoops)}
	}
	if p.maxLoopDepth > maxLoopDepth {
		return nil, &SecurityError{Source: source, Message: fmt.Sprintf(
			"Contains nested for loops at a depth of %d. Templates can nest for loops no more than %d loops deep.",
			p.maxLoopDepth, maxLoopDepth)}
	}
	return &Template{env: e, source: source, body: body}, nil
}

// Render reads and renders a template; a text without templates is returned as
// it is. The error is a *RenderError, whatever went wrong.
func (e Environment) Render(source string, vars map[string]any) (string, error) {
	if !MaybeTemplate(source) {
		return source, nil
	}
	p := &parser{lex: newLexer(source)}
	body, err := p.parse()
	if err != nil {
		return "", &RenderError{Class: err.class, Message: err.Message}
	}
	t := &Template{env: e, source: source, body: body}
	return t.Render(vars)
}

// Render fills the template with variables: nil, bool, string, int, int64,
// float64, json.Number, time.Time, time.Duration, []any, *value.Object,
// map[string]any (in the order of its keys) or Model. The error is a
// *RenderError.
func (t *Template) Render(vars map[string]any) (string, error) {
	if !MaybeTemplate(t.source) {
		return t.source, nil
	}
	out, err := newState(t, vars).run(t.body)
	if err == nil {
		return out, nil
	}
	if e, ok := err.(*pyError); ok { //nolint:errorlint // never wrapped inside the package
		return "", &RenderError{Class: e.class, Message: e.message}
	}
	return "", &RenderError{Class: "RuntimeError", Message: err.Error()}
}
