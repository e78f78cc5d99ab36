package asl

import "strconv"

// transitions reports transitions of a graph that lead nowhere and states that
// none leads to. at is where the graph stands.
func (p *parser) transitions(g *Graph, at string, states *fields) {
	exists := func(name string) bool { return states.has(name) }
	if g.StartAt != "" && !exists(g.StartAt) {
		p.report(CodeTarget, at+"/StartAt", "Missing 'StartAt' target: %s", g.StartAt)
	}
	for _, name := range g.Order {
		s := g.States[name]
		s.eachTarget(func(field, location, target string) {
			if target != "" && !exists(target) {
				p.report(CodeTarget, states.at+"/"+name+"/"+location, "Missing '%s' target: %s", field, target)
			}
		})
	}
	if !exists(g.StartAt) {
		return
	}
	reached := g.reachable()
	for _, name := range g.Order {
		if !reached[name] {
			p.report(CodeTarget, states.at+"/"+name, "State \"%s\" is not reachable.", name)
		}
	}
}

// eachTarget yields the names that a state may lead to, the field that names
// them and where that is within the state.
func (s *State) eachTarget(yield func(field, location, target string)) {
	yield("Next", "Next", s.Next)
	for i, r := range s.Choices {
		yield("Next", "Choices["+strconv.Itoa(i)+"]/Next", r.Next)
	}
	yield("Default", "Default", s.Default)
	for i, c := range s.Catch {
		yield("Next", "Catch["+strconv.Itoa(i)+"]/Next", c.Next)
	}
}

func (g *Graph) reachable() map[string]bool {
	reached := map[string]bool{g.StartAt: true}
	queue := []string{g.StartAt}
	for len(queue) > 0 {
		s := g.States[queue[0]]
		queue = queue[1:]
		if s == nil {
			continue
		}
		s.eachTarget(func(_, _, target string) {
			if target != "" && !reached[target] {
				reached[target] = true
				queue = append(queue, target)
			}
		})
	}
	return reached
}
