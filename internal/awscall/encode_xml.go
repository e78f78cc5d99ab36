package awscall

import (
	"encoding/xml"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// xmlWriter writes bodies of the REST-XML protocol.
type xmlWriter struct {
	e *encoder
	b strings.Builder
}

func (w *xmlWriter) open(name string, ns *namespace, attributes string) {
	w.b.WriteByte('<')
	w.b.WriteString(name)
	if ns != nil {
		w.b.WriteString(" xmlns")
		if ns.prefix != "" {
			w.b.WriteString(":" + ns.prefix)
		}
		w.b.WriteString(`="` + ns.uri + `"`)
	}
	w.b.WriteString(attributes)
	w.b.WriteByte('>')
}

func (w *xmlWriter) text(t string) {
	// A string builder does not fail.
	_ = xml.EscapeText(&w.b, []byte(t))
}

func (w *xmlWriter) close(name string) { w.b.WriteString("</" + name + ">") }

// element writes a value as one element, or as several when it is flattened.
func (w *xmlWriter) element(name string, m *Member, s *Shape, v any, path string) error {
	var ns *namespace
	if m != nil {
		ns = m.namespace
	}
	switch s.Kind {
	case Structure:
		return w.structure(name, ns, s, v, path, nil)
	case List:
		return w.list(name, ns, m, s, v, path)
	case Map:
		return w.mapping(name, ns, m, s, v, path)
	default:
		t, err := scalarText(m, s, v, path, isoFormat)
		if err != nil {
			return err
		}
		w.open(name, ns, "")
		w.text(t)
		w.close(name)
		return nil
	}
}

// structure writes the members that belong to the body, for which skip is false.
func (w *xmlWriter) structure(name string, ns *namespace, s *Shape, v any, path string, skip func(*Member) bool) error {
	given, err := w.e.members(s, v, path)
	if err != nil {
		return err
	}
	var attributes strings.Builder
	for i := range s.Members {
		m := &s.Members[i]
		if given[i] == nil || !m.attribute {
			continue
		}
		t, err := scalarText(m, m.Shape, given[i], join(path, m.Name), isoFormat)
		if err != nil {
			return err
		}
		attributes.WriteString(" " + m.wireName() + `="`)
		_ = xml.EscapeText(&attributes, []byte(t)) // a string builder does not fail
		attributes.WriteByte('"')
	}
	w.open(name, ns, attributes.String())
	for i := range s.Members {
		m := &s.Members[i]
		if given[i] == nil || m.attribute || skip != nil && skip(m) {
			continue
		}
		if err := w.element(m.wireName(), m, m.Shape, given[i], join(path, m.Name)); err != nil {
			return err
		}
	}
	w.close(name)
	return nil
}

func (w *xmlWriter) list(name string, ns *namespace, m *Member, s *Shape, v any, path string) error {
	list, ok := v.([]any)
	if !ok {
		return mismatch(path, "an array", v)
	}
	flattened := s.flattened || m != nil && m.flattened
	item := name
	if !flattened {
		item = s.elementName
		if item == "" {
			item = "member"
		}
		w.open(name, ns, "")
	}
	for _, x := range list {
		if x == nil {
			continue
		}
		if err := w.element(item, nil, s.Element, x, path); err != nil {
			return err
		}
	}
	if !flattened {
		w.close(name)
	}
	return nil
}

func (w *xmlWriter) mapping(name string, ns *namespace, m *Member, s *Shape, v any, path string) error {
	o, ok := v.(*value.Object)
	if !ok {
		return mismatch(path, "an object", v)
	}
	flattened := s.flattened || m != nil && m.flattened
	key, val, entry := s.keyName, s.valueName, "entry"
	if key == "" {
		key = "key"
	}
	if val == "" {
		val = "value"
	}
	if flattened {
		entry = name
	} else {
		w.open(name, ns, "")
	}
	for k, x := range o.All() {
		if x == nil {
			continue
		}
		w.open(entry, nil, "")
		w.open(key, nil, "")
		w.text(k)
		w.close(key)
		if err := w.element(val, nil, s.Element, x, join(path, k)); err != nil {
			return err
		}
		w.close(entry)
	}
	if !flattened {
		w.close(name)
	}
	return nil
}
