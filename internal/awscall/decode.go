package awscall

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// decode reads the members of an answer.
func decode(op *Operation, a *answer) (*value.Object, error) {
	out := value.NewObject(8)
	if op.Output == nil {
		return out, nil
	}
	switch op.Service.protocol {
	case "json":
		return decodeJSONBody(op.Output, a.body)
	case "query", "ec2":
		root, err := parseXML(a.body)
		if err != nil {
			return nil, err
		}
		if op.resultWrapper != "" {
			root = root.child(op.resultWrapper)
		}
		if root == nil {
			return out, nil
		}
		return structureFromXML(op.Output, root), nil
	}
	body, err := decodeRestBody(op, a)
	if err != nil {
		return nil, err
	}
	for i := range op.Output.Members {
		m := &op.Output.Members[i]
		if m.location == "" {
			if v, ok := body.Get(m.Name); ok {
				out.Set(m.Name, v)
			}
			continue
		}
		if v := fromHeaders(m, a); v != nil {
			out.Set(m.Name, v)
		}
	}
	return out, nil
}

func decodeJSONBody(s *Shape, body []byte) (*value.Object, error) {
	if len(body) == 0 {
		return value.NewObject(0), nil
	}
	v, err := value.Parse(body)
	if err != nil {
		return nil, fmt.Errorf("parse the answer: %w", err)
	}
	o, ok := v.(*value.Object)
	if !ok {
		return value.NewObject(0), nil
	}
	return structureFromJSON(s, o), nil
}

func decodeRestBody(op *Operation, a *answer) (*value.Object, error) {
	out := value.NewObject(1)
	if op.Output.payload == "" {
		if op.Service.protocol == "rest-json" {
			return decodeJSONBody(op.Output, a.body)
		}
		root, err := parseXML(a.body)
		if err != nil || root == nil {
			return out, err
		}
		// GetBucketLocation's only member is the document itself.
		if m := soleBodyMember(op.Output); m != nil && len(root.children) == 0 && root.name == m.wireName() && m.Shape.Kind == String {
			out.Set(m.Name, root.text)
			return out, nil
		}
		return structureFromXML(op.Output, root), nil
	}
	m := &op.Output.Members[op.Output.byName[op.Output.payload]]
	switch {
	case m.Shape.Kind == Blob:
		out.Set(m.Name, showBytes(a.body))
	case m.Shape.Kind == String:
		out.Set(m.Name, string(a.body))
	case len(a.body) == 0 || m.Shape.events:
		return out, nil
	case op.Service.protocol == "rest-json":
		v, err := value.Parse(a.body)
		if err != nil {
			return nil, fmt.Errorf("parse the answer: %w", err)
		}
		if v := fromJSON(m, m.Shape, v); v != nil {
			out.Set(m.Name, v)
		}
	default:
		root, err := parseXML(a.body)
		if err != nil {
			return nil, err
		}
		if root != nil {
			out.Set(m.Name, fromXML(m.Shape, root))
		}
	}
	return out, nil
}

func fromHeaders(m *Member, a *answer) any {
	switch m.location {
	case "statusCode":
		return int64(a.status)
	case "header":
		values := a.header.Values(m.wireName())
		if len(values) == 0 {
			return nil
		}
		t := strings.Join(values, ", ")
		if m.Shape.Kind == List {
			list := []any{}
			for part := range strings.SplitSeq(t, ",") {
				list = append(list, fromText(m.Shape.Element, strings.Trim(strings.TrimSpace(part), `"`)))
			}
			return list
		}
		if m.jsonText {
			return jsonHeader(t)
		}
		return fromText(m.Shape, t)
	case "headers":
		return prefixed(a.header, m.wire)
	}
	return nil
}

func jsonHeader(t string) any {
	if s, ok := fromText(&Shape{Kind: Blob}, t).(string); ok {
		if v, err := value.Parse([]byte(s)); err == nil {
			return v
		}
	}
	return t
}

// prefixed gathers the headers of a prefix under the lower-case rest of their
// names; without any it is an empty map, as in the SDK for Java.
func prefixed(h http.Header, prefix string) *value.Object {
	out := value.NewObject(0)
	for _, k := range sortedKeys(h) {
		if len(k) > len(prefix) && strings.EqualFold(k[:len(prefix)], prefix) {
			out.Set(strings.ToLower(k[len(prefix):]), h.Get(k))
		}
	}
	return out
}

func soleBodyMember(s *Shape) *Member {
	var sole *Member
	for i := range s.Members {
		if s.Members[i].location != "" {
			continue
		}
		if sole != nil {
			return nil
		}
		sole = &s.Members[i]
	}
	return sole
}
