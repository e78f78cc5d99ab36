package asl

import (
	"strings"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/value"
)

// maxVariableName is how long the name of a variable may be.
const maxVariableName = 80

// state reads one state; nil when it is nothing like one.
func (p *parser) state(name string, raw any, at string) *State {
	f := p.fields(raw, at)
	if f == nil {
		return nil
	}
	s := &State{Name: name, Comment: f.text("Comment")}
	if !f.has("Type") {
		f.require("Type")
		return nil
	}
	before := len(p.diagnostics)
	s.Type = StateType(f.oneOf("Type", "Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map"))
	if len(p.diagnostics) > before {
		return nil
	}
	s.Language = f.language(p.root)
	p.common(s, f)
	switch s.Type {
	case Task:
		p.task(s, f)
	case Wait:
		p.wait(s, f)
	case Pass:
		p.pass(s, f)
	case Fail:
		p.fail(s, f)
	case Choice:
		p.choice(s, f)
	case Parallel:
		p.parallel(s, f)
	case Map:
		p.mapState(s, f)
	case Succeed:
	}
	p.leftOver(s, f)
	p.suspicious(s, f)
	return s
}

// common reads the fields that several types share.
func (p *parser) common(s *State, f *fields) {
	if s.Type != Choice && s.Type != Succeed && s.Type != Fail {
		f.exactlyOne("Next", "End")
		s.Next, s.End = f.text("Next"), f.flag("End")
		if f.has("End") && !s.End && !f.has("Next") {
			f.wrong("End", "The field 'End' should have one of these values: [true]")
		}
	}
	if s.Type == Fail {
		return
	}
	withResult := s.Type == Task || s.Type == Parallel || s.Type == Map
	switch s.Language {
	case JSONata:
		s.Output = f.template("Output", JSONata)
		if withResult && s.Type != Map {
			s.Arguments = f.template("Arguments", JSONata)
		}
	case JSONPath:
		s.InputPath = f.path("InputPath", false)
		s.OutputPath = f.path("OutputPath", false)
		if withResult || s.Type == Pass {
			s.ResultPath = f.reference("ResultPath")
			if s.Type != Map {
				s.Parameters = f.template("Parameters", JSONPath)
			}
		}
		if withResult {
			s.ResultSelector = f.objectTemplate("ResultSelector", JSONPath)
		}
	}
	if s.Type != Succeed {
		s.Assign = p.assign(f, s.Language)
	}
	if withResult {
		s.Retry = p.retries(f)
		s.Catch = p.catches(f, s.Language)
	}
}

// leftOver reports fields that the type does not have, or not in the language.
func (p *parser) leftOver(s *State, f *fields) {
	for k := range f.o.All() {
		switch {
		case f.read[k]:
		case s.Language == JSONata && fieldOf(JSONPath, k):
			f.wrong(k, "The field '%s' is not supported when 'QueryLanguage' is 'JSONata'", k)
		case s.Language == JSONPath && fieldOf(JSONata, k):
			f.wrong(k, "The field '%s' is not supported when 'QueryLanguage' is 'JSONPath'", k)
		default:
			f.wrong(k, "Field is not supported")
		}
	}
}

// fieldOf tells whether a state's field belongs to one language alone.
func fieldOf(l Language, name string) bool {
	switch name {
	case "Arguments", "Output", "Items":
		return l == JSONata
	case "InputPath", "OutputPath", "ResultPath", "Parameters", "ResultSelector", "Result", "ItemsPath":
		return l == JSONPath
	}
	return l == JSONPath && strings.HasSuffix(name, "Path")
}

// assign reads Assign: an object whose keys are names of variables.
func (p *parser) assign(f *fields, language Language) *template {
	raw, ok := f.o.Get("Assign")
	if !ok {
		f.get("Assign")
		return nil
	}
	o, isObject := raw.(*value.Object)
	if !isObject {
		f.get("Assign")
		f.wrong("Assign", "Expected value of type Object")
		return nil
	}
	for k := range o.All() {
		name := k
		if language == JSONPath {
			name = strings.TrimSuffix(k, ".$")
		}
		switch {
		case name == "" || identifier(name) != name || utf8.RuneCountInString(name) > maxVariableName:
			f.wrong("Assign", "The variable name '%s' is not valid", name)
		case name == "states":
			f.wrong("Assign", "The variable name 'states' is reserved")
		}
	}
	return f.template("Assign", language)
}

func (p *parser) pass(s *State, f *fields) {
	if s.Language == JSONPath {
		s.Result, s.HasResult = f.get("Result")
	}
}

func (p *parser) wait(s *State, f *fields) {
	if s.Language == JSONata {
		f.exactlyOne("Seconds", "Timestamp")
	} else {
		f.exactlyOne("Seconds", "Timestamp", "SecondsPath", "TimestampPath")
	}
	s.Wait = &waitFields{
		Seconds:   f.scalar("Seconds", s.Language, scalarKind{least: 0, most: maxSeconds, whole: true}),
		Timestamp: f.scalar("Timestamp", s.Language, scalarKind{text: true}),
	}
	if t := s.Wait.Timestamp; t != nil && t.path == nil && t.tmpl == nil {
		text, _ := t.Literal.(string)
		if _, ok := parseTimestamp(text); !ok {
			f.wrong("Timestamp", "String does not match RFC3339 timestamp")
		}
	}
}

func (p *parser) fail(s *State, f *fields) {
	s.Fail = &failFields{
		Error: f.scalar("Error", s.Language, scalarKind{text: true}),
		Cause: f.scalar("Cause", s.Language, scalarKind{text: true}),
	}
}

func (p *parser) parallel(s *State, f *fields) {
	f.require("Branches")
	branches, ok := f.list("Branches")
	if ok && len(branches) == 0 {
		f.wrong("Branches", "Value cannot be empty")
	}
	for i, raw := range branches {
		b := p.fields(raw, f.index("Branches", i))
		if b == nil {
			continue
		}
		b.require("StartAt", "States")
		g := p.graph(b)
		b.unknown()
		s.Branches = append(s.Branches, &g)
	}
}
