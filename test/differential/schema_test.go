package differential

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// operation is a route of the reference, as its OpenAPI document tells it.
type operation struct {
	method, path string
	group        string // first part of the path
	body         *schema
	title        string // name of the body's schema
	query        []parameter
	creates      string // kind of thing whose id the answer holds
	sort         string // order of the answer when the call names none
	unordered    bool   // the answer has no order
	weight       int
}

func (o *operation) name() string { return o.method + " " + o.path }

type parameter struct {
	Name     string
	In       string
	Required bool
	Schema   *schema
}

// schema is as much of JSON schema as the document uses.
type schema struct {
	Ref                  string `json:"$ref"`
	Title                string
	Type                 string
	Format               string
	Const                any
	Enum                 []any
	Default              any
	Minimum              *float64
	ExclusiveMinimum     *float64
	Maximum              *float64
	AnyOf                []*schema
	AllOf                []*schema
	OneOf                []*schema
	Items                *schema
	Properties           map[string]*schema
	Required             []string
	AdditionalProperties json.RawMessage
}

// document is the part of the OpenAPI document that calls are made from.
type document struct {
	schemas    map[string]*schema
	operations []*operation
}

func readDocument(t *testing.T, text []byte) *document {
	t.Helper()
	var raw struct {
		Paths map[string]map[string]struct {
			Parameters  []parameter
			RequestBody struct {
				Content map[string]struct{ Schema *schema }
			}
		}
		Components struct{ Schemas map[string]*schema }
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	missing := notYet(t)
	d := &document{schemas: raw.Components.Schemas}
	for _, path := range slices.Sorted(maps.Keys(raw.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(raw.Paths[path])) {
			item := raw.Paths[path][method]
			path := strings.TrimPrefix(path, "/api")
			o := &operation{method: strings.ToUpper(method), path: path, body: item.RequestBody.Content["application/json"].Schema}
			if missing[o.method+" /api"+path] || left(o) {
				continue
			}
			o.group, _, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
			if o.group == "v2" {
				o.group = "v2/concurrency_limits"
			}
			if o.body != nil {
				o.title = strings.TrimPrefix(o.body.Ref, "#/components/schemas/")
				o.sort = d.defaultSort(o.body)
			}
			for _, p := range item.Parameters {
				if p.In == "query" {
					o.query = append(o.query, p)
				}
			}
			describe(o)
			d.operations = append(d.operations, o)
		}
	}
	return d
}

// notYet reads the routes that leat does not serve.
func notYet(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("../../testdata/notyet.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		out[strings.TrimSpace(line)] = true
	}
	return out
}

func (d *document) resolve(s *schema) (*schema, string) {
	name := ""
	for s.Ref != "" {
		name = strings.TrimPrefix(s.Ref, "#/components/schemas/")
		s = d.schemas[name]
	}
	return s, name
}

func (d *document) defaultSort(body *schema) string {
	s, _ := d.resolve(body)
	if s.Properties["sort"] == nil {
		return ""
	}
	order, _ := s.Properties["sort"].Default.(string)
	return order
}

// maker makes values after schemas.
type maker struct {
	*document
	*rand.Rand
	seed   uint64
	things map[string][]string // marks of the ids of a kind
	plain  bool                // make what a careful client sends
}

// place is where in a body a value stands.
type place struct {
	owner string // name of the schema of the object
	key   string
	depth int
}

func (m *maker) chance(percent int) bool { return m.IntN(100) < percent }

func pick[T any](m *maker, from ...T) T { return from[m.IntN(len(from))] }

func (m *maker) value(s *schema, at place) any {
	if s == nil {
		s = &schema{Type: "string"} // elements of any kind
	}
	if v, ok := m.hint(s, at); ok {
		return v
	}
	s, name := m.resolve(s)
	if name != "" {
		at.owner = name
		if v, ok := m.whole(name); ok {
			return v
		}
	}
	switch {
	case s.Const != nil:
		return s.Const
	case len(s.Enum) > 0:
		return pick(m, s.Enum...)
	case len(s.AnyOf)+len(s.OneOf) > 0:
		return m.oneOf(append(slices.Clone(s.AnyOf), s.OneOf...), at)
	case len(s.AllOf) > 0:
		return m.value(s.AllOf[0], at)
	}
	switch s.Type {
	case "object":
		return m.object(s, at)
	case "array":
		out := []any{}
		for range m.IntN(3) {
			out = append(out, m.value(s.Items, place{at.owner, at.key, at.depth + 1}))
		}
		return out
	case "boolean":
		return m.chance(50)
	case "integer":
		return m.integer(s)
	case "number":
		return pick(m, 0.0, 0.5, 1, 2.25, 60) + bound(s)
	case "string":
		return m.text(s, at)
	case "null":
		return nil
	}
	return pick[any](m, "x", 1, 2.5, true, nil, []any{1, "a"}, map[string]any{"k": "v", "n": nil}) // fresh each time
}

func bound(s *schema) float64 {
	switch {
	case s.Minimum != nil:
		return *s.Minimum
	case s.ExclusiveMinimum != nil:
		return *s.ExclusiveMinimum + 1
	}
	return 0
}

func (m *maker) integer(s *schema) any {
	n := int(bound(s)) + m.IntN(5)
	if s.Maximum != nil {
		n = min(n, int(*s.Maximum))
	}
	return n
}

// oneOf takes null seldom and, deep in a tree, the first choice.
func (m *maker) oneOf(choices []*schema, at place) any {
	real := slices.DeleteFunc(slices.Clone(choices), func(s *schema) bool { return s.Type == "null" })
	if len(real) < len(choices) && m.chance(12) || len(real) == 0 {
		return nil
	}
	if at.depth > 5 {
		return m.value(real[0], at)
	}
	return m.value(pick(m, real...), at)
}

func (m *maker) object(s *schema, at place) any {
	out := map[string]any{}
	filter := strings.Contains(at.owner, "Filter") || strings.HasPrefix(at.owner, "Body_")
	rare := 35
	switch {
	case filter && len(s.Properties) > 4:
		rare = 18
	case filter:
		rare = 45
	}
	for _, key := range slices.Sorted(maps.Keys(s.Properties)) {
		if at.depth > 8 && !slices.Contains(s.Required, key) {
			continue
		}
		if slices.Contains(s.Required, key) || m.chance(rare) {
			out[key] = m.value(s.Properties[key], place{at.owner, key, at.depth + 1})
		}
	}
	var free schema
	if len(s.Properties) == 0 && json.Unmarshal(s.AdditionalProperties, &free) == nil {
		for range m.IntN(3) {
			out[pick(m, "a", "b", "prefect.resource.id", "ключ")] = m.value(&free, place{at.owner, at.key + ".", at.depth + 1})
		}
	}
	return out
}
