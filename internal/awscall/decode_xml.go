package awscall

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// node is an element of an XML document.
type node struct {
	name       string
	text       string
	attributes map[string]string
	children   []*node
}

// maxNesting bounds how deep elements may lie within each other.
const maxNesting = 500

// parseXML reads a document into its root; nil when the body is empty.
func parseXML(body []byte) (*node, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	var stack []*node
	var root *node
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("parse XML: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(stack) > maxNesting {
				return nil, errors.New("parse XML: the document is nested too deeply")
			}
			n := &node{name: t.Name.Local}
			for _, a := range t.Attr {
				if n.attributes == nil {
					n.attributes = map[string]string{}
				}
				n.attributes[a.Name.Local] = a.Value
			}
			if len(stack) > 0 {
				parent := stack[len(stack)-1]
				parent.children = append(parent.children, n)
			} else if root == nil {
				root = n
			}
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].text += string(t)
			}
		}
	}
	return root, nil
}

// child returns the first child of a name, nil if there is none.
func (n *node) child(name string) *node {
	if n == nil {
		return nil
	}
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

func (n *node) childText(name string) string {
	if c := n.child(name); c != nil {
		return strings.TrimSpace(c.text)
	}
	return ""
}

func fromXML(s *Shape, n *node) any {
	switch s.Kind {
	case Structure:
		return structureFromXML(s, n)
	case List:
		out := []any{}
		for _, c := range n.children {
			out = append(out, fromXML(s.Element, c))
		}
		return out
	case Map:
		out := value.NewObject(len(n.children))
		for _, c := range n.children {
			entryFromXML(out, s, c)
		}
		return out
	case String:
		return n.text
	default:
		return fromText(s, n.text)
	}
}

func entryFromXML(out *value.Object, s *Shape, entry *node) {
	key, val := s.keyName, s.valueName
	if key == "" {
		key = "key"
	}
	if val == "" {
		val = "value"
	}
	if c := entry.child(val); c != nil {
		out.Set(entry.childText(key), fromXML(s.Element, c))
	}
}

func structureFromXML(s *Shape, n *node) *value.Object {
	out := value.NewObject(len(s.Members))
	for i := range s.Members {
		m := &s.Members[i]
		if m.location != "" {
			continue
		}
		if m.attribute {
			_, name, _ := strings.Cut(":"+m.wireName(), ":")
			if _, after, ok := strings.Cut(name, ":"); ok {
				name = after
			}
			if t, ok := n.attributes[name]; ok {
				out.Set(m.Name, fromText(m.Shape, t))
			}
			continue
		}
		if v := memberFromXML(m, n); v != nil {
			out.Set(m.Name, v)
		}
	}
	return out
}

func memberFromXML(m *Member, n *node) any {
	flattened := m.flattened || m.Shape.flattened
	name := m.wireName()
	if flattened && m.Shape.Kind == List && m.wire == "" && m.Shape.elementName != "" {
		name = m.Shape.elementName
	}
	if !flattened || m.Shape.Kind != List && m.Shape.Kind != Map {
		if c := n.child(name); c != nil {
			return fromXML(m.Shape, c)
		}
		return nil
	}
	var list []any
	entries := value.NewObject(0)
	for _, c := range n.children {
		if c.name != name {
			continue
		}
		if m.Shape.Kind == List {
			list = append(list, fromXML(m.Shape.Element, c))
		} else {
			entryFromXML(entries, m.Shape, c)
		}
	}
	switch {
	case m.Shape.Kind == List && list != nil:
		return list
	case m.Shape.Kind == Map && entries.Len() > 0:
		return entries
	}
	return nil
}
