package asl

import (
	"bytes"
	"fmt"
	"html"
	"unicode/utf8"
)

// SVG draws a machine: boxes for states, those of a Map or Parallel within it,
// arrows for transitions, dashed where a Catch leads. status colours states by
// their names: RUNNING, SUCCEEDED, FAILED, ABORTED, TIMED_OUT, CAUGHT; it may be nil.
func SVG(m *Machine, status map[string]string) []byte {
	w := &svgWriter{status: status}
	l := layOut(&m.Graph)
	fmt.Fprintf(&w.b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n",
		l.width, l.height, l.width, l.height)
	w.b.WriteString(`<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#555"/></marker></defs>` + "\n")
	w.layout(l, 0, 0)
	w.b.WriteString("</svg>\n")
	return w.b.Bytes()
}

type svgWriter struct {
	b      bytes.Buffer
	status map[string]string
}

// layout draws a graph whose upper left corner is at x, y.
func (w *svgWriter) layout(l *layout, x, y int) {
	for _, b := range l.order {
		w.box(b, x, y, b.state.Name == l.graph.StartAt)
	}
	for _, e := range l.graph.edges() {
		w.arrow(e, l.boxes[e.from], l.boxes[e.to], x, y)
	}
}

func (w *svgWriter) box(b *box, x, y int, first bool) {
	fill, stroke := statusColours(w.status[b.state.Name])
	width := 1
	if first || b.state.final() {
		width = 2
	}
	fmt.Fprintf(&w.b, `<g><title>%s: %s</title><rect x="%d" y="%d" width="%d" height="%d" rx="%d" fill="%s" stroke="%s" stroke-width="%d"/>`,
		html.EscapeString(b.state.Name), b.state.Type, x+b.x, y+b.y, b.width, b.height, corner(b.state), fill, stroke, width)
	fmt.Fprintf(&w.b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`,
		x+b.x+b.width/2, y+b.y+boxHeight/2-2, html.EscapeString(shortened(b.state.Name, b.width)))
	fmt.Fprintf(&w.b, `<text x="%d" y="%d" text-anchor="middle" fill="#777" font-size="10">%s</text></g>`+"\n",
		x+b.x+b.width/2, y+b.y+boxHeight/2+12, b.state.Type)
	inside := x + b.x
	for _, l := range b.inner {
		w.layout(l, inside, y+b.y+boxHeight)
		inside += l.width
	}
}

// corner is how round a box is: a Choice is the roundest.
func corner(s *State) int {
	if s.Type == Choice {
		return boxHeight / 2
	}
	return 6
}

func shortened(name string, width int) string {
	most := max((width-padding)/characters, 1)
	if utf8.RuneCountInString(name) <= most {
		return name
	}
	return string([]rune(name)[:most-1]) + "…"
}

// statusColours are the fill and the border of a state's box.
func statusColours(status string) (fill, stroke string) {
	switch status {
	case "RUNNING":
		return "#dbeafe", "#2563eb"
	case "SUCCEEDED":
		return "#dcfce7", "#16a34a"
	case "FAILED", "TIMED_OUT":
		return "#fee2e2", "#dc2626"
	case "CAUGHT":
		return "#ffedd5", "#ea580c"
	case "ABORTED":
		return "#e5e7eb", "#6b7280"
	}
	return "#ffffff", "#555555"
}

// arrow draws a transition: from the lower side to the upper one, or along the
// right where it leads back.
func (w *svgWriter) arrow(e edge, from, to *box, x, y int) {
	dash := ""
	if e.caught {
		dash = ` stroke-dasharray="5 4"`
	}
	x1, y1 := x+from.x+from.width/2, y+from.y+from.height
	x2, y2 := x+to.x+to.width/2, y+to.y
	middle := (y1 + y2) / 2
	d := fmt.Sprintf("M%d %d C%d %d %d %d %d %d", x1, y1, x1, middle, x2, middle, x2, y2)
	if to.layer <= from.layer {
		x1, y1 = x+from.x+from.width, y+from.y+boxHeight/2
		x2, y2 = x+to.x+to.width, y+to.y+boxHeight/2
		far := max(x1, x2) + gapX
		d = fmt.Sprintf("M%d %d C%d %d %d %d %d %d", x1, y1, far, y1, far, y2, x2, y2)
		middle = (y1 + y2) / 2
	}
	fmt.Fprintf(&w.b, `<path d="%s" fill="none" stroke="#555"%s marker-end="url(#arrow)"/>`, d, dash)
	if e.label != "" {
		fmt.Fprintf(&w.b, `<text x="%d" y="%d" fill="#777" font-size="9">%s</text>`, (x1+x2)/2+4, middle, html.EscapeString(e.label))
	}
	w.b.WriteByte('\n')
}
