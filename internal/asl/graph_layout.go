package asl

import (
	"slices"
	"unicode/utf8"
)

// Measures of a drawing, in pixels.
const (
	boxHeight  = 40
	gapX       = 24
	gapY       = 44
	padding    = 20
	characters = 7 // the width of one
	leastWidth = 90
	mostWidth  = 260
)

// layout is a graph with the places of its states.
type layout struct {
	graph         *Graph
	width, height int
	boxes         map[string]*box
	// order lists the boxes as the graph does its states.
	order []*box
}

// box is a state in its place within the layout.
type box struct {
	state               *State
	x, y, width, height int
	layer               int
	inner               []*layout
}

// layOut lays a graph out in layers: a state is below those that lead to it, but
// for transitions that lead back.
func layOut(g *Graph) *layout {
	l := &layout{graph: g, boxes: map[string]*box{}}
	for _, name := range g.Order {
		b := newBox(g.States[name])
		l.boxes[name] = b
		l.order = append(l.order, b)
	}
	l.assignLayers()
	var layers [][]*box
	for _, b := range l.order {
		for len(layers) <= b.layer {
			layers = append(layers, nil)
		}
		layers[b.layer] = append(layers[b.layer], b)
	}
	for _, layer := range layers {
		l.width = max(l.width, widthOf(layer))
	}
	l.width += 2 * padding
	y := padding
	for _, layer := range layers {
		x := (l.width - widthOf(layer)) / 2
		height := 0
		for _, b := range layer {
			b.x, b.y = x, y
			x += b.width + gapX
			height = max(height, b.height)
		}
		y += height + gapY
	}
	l.height = max(y-gapY+padding, 2*padding)
	return l
}

func newBox(s *State) *box {
	b := &box{state: s, height: boxHeight}
	b.width = min(max(characters*utf8.RuneCountInString(s.Name)+2*padding, leastWidth), mostWidth)
	inside := 0
	for _, g := range s.inner() {
		l := layOut(g)
		b.inner = append(b.inner, l)
		inside += l.width
		b.height = max(b.height, boxHeight+l.height)
	}
	b.width = max(b.width, inside)
	return b
}

func widthOf(layer []*box) int {
	w := -gapX
	for _, b := range layer {
		w += b.width + gapX
	}
	return max(w, 0)
}

// assignLayers gives each box the length of the longest way to it, ways back
// left out.
func (l *layout) assignLayers() {
	targets := map[string][]string{}
	for _, e := range l.graph.edges() {
		targets[e.from] = append(targets[e.from], e.to)
	}
	const entered, done = 1, 2
	marks := map[string]int{}
	var after []string // states, each behind all that it leads to
	forward := map[string][]string{}
	var visit func(name string)
	visit = func(name string) {
		marks[name] = entered
		for _, t := range targets[name] {
			if marks[t] == entered {
				continue // a way back
			}
			forward[name] = append(forward[name], t)
			if marks[t] == 0 {
				visit(t)
			}
		}
		marks[name] = done
		after = append(after, name)
	}
	if l.boxes[l.graph.StartAt] != nil {
		visit(l.graph.StartAt)
	}
	for _, name := range l.graph.Order {
		if marks[name] == 0 {
			visit(name)
		}
	}
	for _, name := range slices.Backward(after) {
		for _, t := range forward[name] {
			l.boxes[t].layer = max(l.boxes[t].layer, l.boxes[name].layer+1)
		}
	}
}
