package asl

import (
	"slices"

	"github.com/leat-dev/leat/internal/value"
)

// VariableReferences lists, by state, the variables that its fields read, as
// DescribeStateMachine gives them: states as they are written, those within
// others after these, names in order. States that read none are left out.
func (m *Machine) VariableReferences() *value.Object {
	out := value.NewObject(4)
	m.each(func(s *State) {
		seen := map[string]bool{}
		var names []string
		s.variables(func(name string) {
			if name != "states" && !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		})
		if len(names) == 0 {
			return
		}
		slices.Sort(names)
		list := make([]any, len(names))
		for i, n := range names {
			list[i] = n
		}
		out.Set(s.Name, list)
	})
	return out
}

// each yields the states of a graph, each before those within it.
func (g *Graph) each(yield func(*State)) {
	for _, name := range g.Order {
		s := g.States[name]
		yield(s)
		for _, b := range s.Branches {
			b.each(yield)
		}
		if s.Map != nil && s.Map.Processor != nil {
			s.Map.Processor.each(yield)
		}
	}
}

// variables yields the names of the variables that the state's own fields read.
func (s *State) variables(yield func(string)) {
	for _, f := range []*pathField{s.InputPath, s.OutputPath, s.ResultPath} {
		f.variables(yield)
	}
	for _, t := range []*template{s.Parameters, s.ResultSelector, s.Arguments, s.Output, s.Assign} {
		t.variables(yield)
	}
	for _, c := range s.Catch {
		c.Output.variables(yield)
		c.Assign.variables(yield)
	}
	for _, r := range s.Choices {
		r.condition.variables(yield)
		r.Output.variables(yield)
		r.Assign.variables(yield)
	}
	if s.Task != nil {
		s.Task.Timeout.variables(yield)
		s.Task.Heartbeat.variables(yield)
		s.Task.Credentials.variables(yield)
	}
	if s.Wait != nil {
		s.Wait.Seconds.variables(yield)
		s.Wait.Timestamp.variables(yield)
	}
	if s.Fail != nil {
		s.Fail.Error.variables(yield)
		s.Fail.Cause.variables(yield)
	}
	s.Map.variables(yield)
}

func (m *mapFields) variables(yield func(string)) {
	if m == nil {
		return
	}
	m.ItemsPath.variables(yield)
	m.Items.variables(yield)
	m.ItemSelector.variables(yield)
	for _, s := range []*scalar{m.MaxConcurrency, m.ToleratedCount, m.ToleratedPercentage} {
		s.variables(yield)
	}
	if m.Reader != nil {
		m.Reader.Arguments.variables(yield)
		m.Reader.MaxItems.variables(yield)
	}
	if m.Batcher != nil {
		m.Batcher.BatchInput.variables(yield)
		m.Batcher.MaxItems.variables(yield)
		m.Batcher.MaxInputBytes.variables(yield)
	}
	if m.Writer != nil {
		m.Writer.Arguments.variables(yield)
	}
}

func (s *scalar) variables(yield func(string)) {
	if s != nil {
		s.path.variables(yield)
		s.tmpl.variables(yield)
	}
}
