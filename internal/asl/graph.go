package asl

import (
	"fmt"
	"strings"
)

// edge is a transition between states of one graph.
type edge struct {
	from, to string
	// label is what the transition depends on; "" is nothing.
	label string
	// caught is set where a Catch leads.
	caught bool
}

// edges lists the transitions of a graph, in the order of its states.
func (g *Graph) edges() []edge {
	var out []edge
	for _, name := range g.Order {
		s := g.States[name]
		s.eachTarget(func(field, location, target string) {
			if g.States[target] == nil {
				return
			}
			e := edge{from: name, to: target}
			switch {
			case strings.HasPrefix(location, "Choices"):
				e.label = "rule " + strings.Trim(location[len("Choices"):len(location)-len("/Next")], "[]")
			case strings.HasPrefix(location, "Catch"):
				e.label, e.caught = "Catch", true
			case field == "Default":
				e.label = "Default"
			}
			out = append(out, e)
		})
	}
	return out
}

// inner lists the graphs within a state.
func (s *State) inner() []*Graph {
	if s.Map != nil && s.Map.Processor != nil {
		return []*Graph{s.Map.Processor}
	}
	return s.Branches
}

// final tells whether an execution of the graph ends after the state.
func (s *State) final() bool { return s.End || s.Type == Succeed || s.Type == Fail }

// Mermaid draws a machine as a state diagram of Mermaid.
func Mermaid(m *Machine) string {
	w := &mermaidWriter{ids: map[*State]string{}}
	w.b.WriteString("stateDiagram-v2\n")
	w.graph(&m.Graph, "    ")
	return w.b.String()
}

type mermaidWriter struct {
	b   strings.Builder
	ids map[*State]string
}

func (w *mermaidWriter) id(s *State) string {
	if w.ids[s] == "" {
		w.ids[s] = fmt.Sprintf("s%d", len(w.ids))
	}
	return w.ids[s]
}

func (w *mermaidWriter) graph(g *Graph, indent string) {
	for _, name := range g.Order {
		s := g.States[name]
		label := strings.NewReplacer(`"`, "#quot;", "\n", " ", ";", "#59;").Replace(name)
		fmt.Fprintf(&w.b, "%sstate \"%s\" as %s", indent, label, w.id(s))
		if len(s.inner()) == 0 {
			w.b.WriteByte('\n')
			continue
		}
		w.b.WriteString(" {\n")
		for i, inner := range s.inner() {
			if i > 0 {
				fmt.Fprintf(&w.b, "%s    --\n", indent)
			}
			w.graph(inner, indent+"    ")
		}
		fmt.Fprintf(&w.b, "%s}\n", indent)
	}
	if s := g.States[g.StartAt]; s != nil {
		fmt.Fprintf(&w.b, "%s[*] --> %s\n", indent, w.id(s))
	}
	for _, e := range g.edges() {
		label := ""
		if e.label != "" {
			label = " : " + e.label
		}
		fmt.Fprintf(&w.b, "%s%s --> %s%s\n", indent, w.id(g.States[e.from]), w.id(g.States[e.to]), label)
	}
	for _, name := range g.Order {
		if s := g.States[name]; s.final() {
			fmt.Fprintf(&w.b, "%s%s --> [*]\n", indent, w.id(s))
		}
	}
}
