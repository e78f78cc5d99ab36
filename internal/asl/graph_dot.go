package asl

import (
	"fmt"
	"strings"
)

// DOT draws a machine in the language of Graphviz: those within a Map or Parallel
// state in a cluster of its own, dashed arrows where a Catch leads.
func DOT(m *Machine) string {
	w := &dotWriter{ids: map[*State]string{}}
	w.b.WriteString("digraph machine {\n    compound=true;\n    node [shape=box, style=rounded];\n")
	w.graph(&m.Graph, "", "    ")
	w.b.WriteString("}\n")
	return w.b.String()
}

type dotWriter struct {
	b     strings.Builder
	ids   map[*State]string
	marks int
}

func quoteDOT(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// graph writes the states of a graph and then its arrows. A state that holds
// others is a cluster; arrows to and from it end at a point within it. from is
// the point of the state whose graph it is; "" for the machine's own.
func (w *dotWriter) graph(g *Graph, from, indent string) {
	for _, name := range g.Order {
		s := g.States[name]
		w.ids[s] = fmt.Sprintf("s%d", len(w.ids))
		if len(s.inner()) == 0 {
			fmt.Fprintf(&w.b, "%s%s [label=%s];\n", indent, w.ids[s], quoteDOT(name))
			continue
		}
		fmt.Fprintf(&w.b, "%ssubgraph cluster_%s {\n%s    label=%s;\n%s    %s [shape=point];\n",
			indent, w.ids[s], indent, quoteDOT(name), indent, w.ids[s])
		for _, inner := range s.inner() {
			w.graph(inner, w.ids[s], indent+"    ")
		}
		fmt.Fprintf(&w.b, "%s}\n", indent)
	}
	if from == "" {
		w.marks++
		from = fmt.Sprintf("start%d", w.marks)
		fmt.Fprintf(&w.b, "%s%s [shape=circle, label=\"\", width=0.15, style=filled];\n", indent, from)
	}
	if first := g.States[g.StartAt]; first != nil {
		fmt.Fprintf(&w.b, "%s%s -> %s%s;\n", indent, from, w.ids[first], w.attributes(edge{}, nil, first))
	}
	for _, e := range g.edges() {
		a, b := g.States[e.from], g.States[e.to]
		fmt.Fprintf(&w.b, "%s%s -> %s%s;\n", indent, w.ids[a], w.ids[b], w.attributes(e, a, b))
	}
}

// attributes of the arrow from a to b.
func (w *dotWriter) attributes(e edge, a, b *State) string {
	var list []string
	if e.label != "" {
		list = append(list, "label="+quoteDOT(e.label))
	}
	if e.caught {
		list = append(list, "style=dashed")
	}
	if a != nil && a != b && len(a.inner()) > 0 {
		list = append(list, "ltail=cluster_"+w.ids[a])
	}
	if a != b && len(b.inner()) > 0 {
		list = append(list, "lhead=cluster_"+w.ids[b])
	}
	if len(list) == 0 {
		return ""
	}
	return " [" + strings.Join(list, ", ") + "]"
}
