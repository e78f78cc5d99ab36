package jsonata

import (
	"slices"
	"strconv"
)

// The parent operator % is resolved when an expression is compiled. A % seeks
// the step whose context it stands for: it starts one level up, every further
// % adds one, every named step takes one off, and what is not found within an
// expression is sought on by the path around it. The step that is found keeps
// its context in a hidden variable, which % reads.

// newSlot makes the hidden variable of a %. No variable of a user can start so.
func newSlot(n int) *slot { return &slot{name: "!" + strconv.Itoa(n), level: 1} }

// seekFrom takes over the parents that a part of the expression seeks.
func (n *node) seekFrom(part *node) {
	for _, s := range part.seeking {
		if s.level > 0 {
			n.seeking = append(n.seeking, s)
		}
	}
	if part.kind == kindParent {
		n.seeking = append(n.seeking, part.slot)
	}
}

// resolveParents finds the steps that the last step of a path seeks.
func (n *node) resolveParents() *Error {
	last := len(n.items) - 1
	slots := n.items[last].seeking
	if n.items[last].kind == kindParent {
		slots = append(slices.Clip(slots), n.items[last].slot)
	}
	for _, s := range slots {
		i := last - 1
		for s.level > 0 {
			if i < 0 {
				n.seeking = append(n.seeking, s)
				break
			}
			step := n.items[i]
			i--
			// Steps in a row that bind their value share one context.
			for i >= 0 && step.focus != "" && n.items[i].focus != "" {
				step = n.items[i]
				i--
			}
			if err := step.seekParent(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// seekParent goes one step back for a %.
func (n *node) seekParent(s *slot) *Error {
	switch n.kind {
	case kindName, kindWildcard:
		if s.level--; s.level == 0 {
			if n.ancestor == nil {
				n.ancestor = s
			} else {
				s.name = n.ancestor.name
			}
			n.tuple = true
		}
	case kindParent:
		s.level++
	case kindBlock:
		if len(n.items) > 0 {
			n.tuple = true
			return n.items[len(n.items)-1].seekParent(s)
		}
	case kindPath:
		n.tuple = true
		for _, item := range slices.Backward(n.items) {
			if err := item.seekParent(s); err != nil {
				return err
			}
			if s.level == 0 {
				break
			}
		}
	default:
		return fail("S0217").at(n.at).withToken(n.kindName())
	}
	return nil
}

// kindName is what errors call a node: its text, or what it is.
func (n *node) kindName() string {
	switch n.kind {
	case kindParent:
		return "parent"
	case kindPath:
		if len(n.items) == 1 {
			return n.items[0].text
		}
		return "path"
	default:
		return n.text
	}
}
