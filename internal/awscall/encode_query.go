package awscall

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// queryBody is the form of the query protocol and of its EC2 variant.
func (e *encoder) queryBody(op *Operation, params *value.Object) (string, error) {
	form := url.Values{"Action": {op.Name}, "Version": {op.Service.version}}
	if op.Input != nil {
		q := &queryWriter{e: e, form: form, ec2: op.Service.protocol == "ec2"}
		if err := q.structure("", op.Input, params, ""); err != nil {
			return "", err
		}
	}
	return form.Encode(), nil
}

type queryWriter struct {
	e    *encoder
	form url.Values
	ec2  bool
}

func (q *queryWriter) structure(prefix string, s *Shape, v any, path string) error {
	given, err := q.e.members(s, v, path)
	if err != nil {
		return err
	}
	for i := range s.Members {
		if given[i] == nil {
			continue
		}
		m := &s.Members[i]
		name := q.name(m)
		if list, ok := given[i].([]any); ok && len(list) == 0 && !q.ec2 {
			name = m.wireName() // an empty list has no element to be named after
		}
		if err := q.value(join(prefix, name), m, m.Shape, given[i], join(path, m.Name)); err != nil {
			return err
		}
	}
	return nil
}

func (q *queryWriter) name(m *Member) string {
	if q.ec2 {
		if m.query != "" {
			return m.query
		}
		return Upper(m.wireName())
	}
	if m.Shape.Kind == List && m.flattenedList() && m.Shape.elementName != "" {
		return m.Shape.elementName
	}
	return m.wireName()
}

func (m *Member) flattenedList() bool { return m.flattened || m.Shape.flattened }

func (q *queryWriter) value(prefix string, m *Member, s *Shape, v any, path string) error {
	switch s.Kind {
	case Structure:
		return q.structure(prefix, s, v, path)
	case List:
		return q.list(prefix, m, s, v, path)
	case Map:
		return q.mapping(prefix, m, s, v, path)
	default:
		t, err := scalarText(m, s, v, path, isoFormat)
		if err != nil {
			return err
		}
		q.form.Set(prefix, t)
		return nil
	}
}

func (q *queryWriter) list(prefix string, m *Member, s *Shape, v any, path string) error {
	list, ok := v.([]any)
	if !ok {
		return mismatch(path, "an array", v)
	}
	flattened := s.flattened || m != nil && m.flattened
	if len(list) == 0 && !q.ec2 {
		q.form.Set(prefix, "") // the query protocol tells an empty list from none
		return nil
	}
	if !q.ec2 && !flattened {
		name := s.elementName
		if name == "" {
			name = "member"
		}
		prefix += "." + name
	}
	for i, x := range list {
		if x == nil {
			continue
		}
		n := strconv.Itoa(i + 1)
		if err := q.value(prefix+"."+n, nil, s.Element, x, path+"["+strconv.Itoa(i)+"]"); err != nil {
			return err
		}
	}
	return nil
}

func (q *queryWriter) mapping(prefix string, m *Member, s *Shape, v any, path string) error {
	o, ok := v.(*value.Object)
	if !ok {
		return mismatch(path, "an object", v)
	}
	if !s.flattened && (m == nil || !m.flattened) {
		prefix += ".entry"
	}
	key, val := s.keyName, s.valueName
	if key == "" {
		key = "key"
	}
	if val == "" {
		val = "value"
	}
	i := 0
	for k, x := range o.All() {
		if x == nil {
			continue
		}
		i++
		at := prefix + "." + strconv.Itoa(i)
		q.form.Set(at+"."+key, k)
		if err := q.value(at+"."+val, nil, s.Element, x, join(path, k)); err != nil {
			return err
		}
	}
	return nil
}

// targetOf is the X-Amz-Target of the JSON protocol.
func targetOf(op *Operation) string {
	return strings.TrimPrefix(op.Service.targetPrefix+"."+op.Name, ".")
}
