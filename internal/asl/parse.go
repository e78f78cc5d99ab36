package asl

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/value"
)

// The limits on definitions.
const (
	MaxDefinitionBytes = 1 << 20
	maxStateName       = 80
	maxStateNesting    = 100
)

// Options say what a definition is checked for.
type Options struct {
	// Express is set for a machine of type EXPRESS.
	Express bool
	// Resource tells whether a Task's Resource is a known one; nil knows all.
	Resource func(resource string) error
	// TestState is set for a single state or machine given to TestState, whose
	// transitions may lead anywhere.
	TestState bool
	// Warnings asks for diagnostics that refuse nothing as well.
	Warnings bool
}

// Parse reads a definition. The machine is nil when a diagnostic is an error.
func Parse(definition []byte, o Options) (*Machine, []Diagnostic) {
	p := &parser{options: o, text: definition}
	raw, ok := p.read()
	if !ok {
		return nil, p.diagnostics
	}
	return p.machine(raw)
}

// loneState is the name that the service gives to a state tested on its own.
const loneState = "StateName"

// ParseState reads what TestState is given: a whole machine in which name is the
// state, or one state when there is no name. The name that the state has in the
// machine is returned with it.
func ParseState(definition []byte, name string, o Options) (*Machine, string, []Diagnostic) {
	o.TestState = true
	p := &parser{options: o, text: definition}
	raw, ok := p.read()
	if !ok {
		return nil, "", p.diagnostics
	}
	if name == "" {
		m, ds := p.machine(value.Of("StartAt", loneState, "States", value.Of(loneState, raw)))
		return m, loneState, ds
	}
	m, ds := p.machine(raw)
	if m == nil {
		return nil, "", ds
	}
	if _, known := m.State(name); !known {
		return nil, "", ds
	}
	return m, name, ds
}

// parser turns a definition into a machine and collects what is wrong with it.
type parser struct {
	options     Options
	text        []byte
	diagnostics []Diagnostic
	all         map[string]*State
	root        Language
	nesting     int
	// express is set within what runs as an express execution.
	express bool
}

func (p *parser) read() (any, bool) {
	if len(p.text) > MaxDefinitionBytes {
		p.report(CodeSchema, "/", "The definition exceeds the maximum size of %d bytes", MaxDefinitionBytes)
		return nil, false
	}
	raw, err := value.Parse(p.text)
	if err != nil {
		p.report(CodeJSON, "/", "%s", JSONError(p.text))
		p.diagnostics[0].whole = fmt.Sprintf("Invalid State Machine Definition: '%s: %s'", CodeJSON, p.diagnostics[0].Message)
		return nil, false
	}
	return raw, true
}

func (p *parser) report(code, location, format string, args ...any) {
	if len(p.diagnostics) >= maxDiagnostics {
		return
	}
	if location == "" {
		location = "/"
	}
	p.diagnostics = append(p.diagnostics, Diagnostic{
		Severity: SeverityError, Code: code, Message: fmt.Sprintf(format, args...), Location: location,
	})
}

func (p *parser) schema(location, format string, args ...any) {
	p.report(CodeSchema, location, format, args...)
}

func (p *parser) machine(raw any) (*Machine, []Diagnostic) {
	p.all = map[string]*State{}
	p.express = p.options.Express
	f := p.fields(raw, "")
	if f == nil {
		return nil, p.diagnostics
	}
	m := &Machine{Language: f.language(JSONPath), Version: f.text("Version")}
	p.root = m.Language
	if m.Version != "" && m.Version != "1.0" {
		f.wrong("Version", "The field 'Version' should have one of these values: [1.0]")
	}
	m.TimeoutSeconds, _ = f.integer("TimeoutSeconds", 1, maxSeconds)
	f.require("StartAt", "States")
	m.Graph = p.graph(f)
	f.unknown()
	if failed(p.diagnostics) {
		return nil, p.diagnostics
	}
	m.all = p.all
	return m, p.diagnostics
}

// graph reads StartAt and States of a machine, branch or processor.
func (p *parser) graph(f *fields) Graph {
	g := Graph{Comment: f.text("Comment"), StartAt: f.text("StartAt"), States: map[string]*State{}}
	p.nesting++
	defer func() { p.nesting-- }()
	if p.nesting > maxStateNesting {
		p.schema(f.at, "States are nested too deeply")
		return g
	}
	states := f.object("States")
	if states == nil {
		return g
	}
	if states.o.Len() == 0 {
		p.schema(states.at, "Value cannot be empty")
		return g
	}
	for name, raw := range states.o.All() {
		at := states.at + "/" + name
		if n := utf8.RuneCountInString(name); n == 0 || n > maxStateName {
			p.schema(at, "State name must be between 1 and %d characters", maxStateName)
		}
		if _, twice := p.all[name]; twice {
			p.report(CodeDuplicate, at, "Duplicate State name: %s", name)
		}
		p.all[name] = nil // the name is taken for the states within as well
		s := p.state(name, raw, at)
		if s == nil {
			continue
		}
		g.States[name] = s
		g.Order = append(g.Order, name)
		p.all[name] = s
	}
	if !p.options.TestState {
		p.transitions(&g, f.at, states)
	}
	return g
}

// isQuery tells whether a string is written as a JSONata expression.
func isQuery(raw any) bool {
	s, ok := raw.(string)
	return ok && strings.HasPrefix(s, "{%") && strings.HasSuffix(s, "%}") && len(s) >= 4
}
