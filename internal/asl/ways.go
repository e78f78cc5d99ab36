package asl

import "fmt"

// EachState yields every state of the machine, a state before those within it, in
// the order in which they were written.
func (m *Machine) EachState(yield func(*State)) { m.eachState(yield) }

func (g *Graph) eachState(yield func(*State)) {
	for _, name := range g.Order {
		s := g.States[name]
		yield(s)
		for _, inner := range s.inner() {
			inner.eachState(yield)
		}
	}
}

// Way is a way out of a state that not every visit takes.
type Way struct {
	// Branch names it as Visit.Branch does.
	Branch string
	// Next is the state that it leads to.
	Next string
}

// Ways lists the rules and the Default of a Choice state and the Catches of any.
func (s *State) Ways() []Way {
	var out []Way
	for i, r := range s.Choices {
		out = append(out, Way{fmt.Sprintf("Choices[%d]", i), r.Next})
	}
	if s.Default != "" {
		out = append(out, Way{"Default", s.Default})
	}
	for i, c := range s.Catch {
		out = append(out, Way{fmt.Sprintf("Catch[%d]", i), c.Next})
	}
	return out
}
