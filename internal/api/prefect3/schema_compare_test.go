package prefect3_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/wire"
)

// schemaComparison walks the reference's schemas and leat's side by side.
type schemaComparison struct {
	reference, own map[string]*wire.Schema
	seen           map[schemaPair]bool
	found          map[string]bool
	// properties are those that were compared, by place.
	properties map[string]bool
}

type schemaPair struct {
	theirs, ours string
	answer       bool
}

// side says what a schema is for.
type side struct {
	answer bool
	// params are the parameters of an endpoint: null there is the same as absent,
	// and a key that is not known is left alone.
	params bool
}

func (c *schemaComparison) differ(where, what string, theirs, ours any) {
	c.found[fmt.Sprintf("%s: %s: reference %s, leat %s", where, what, shownSchema(theirs), shownSchema(ours))] = true
}

func shownSchema(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case *wire.Schema:
		b, err := v.MarshalJSON()
		if err != nil {
			return err.Error()
		}
		return string(b)
	case *float64:
		if v == nil {
			return "none"
		}
		return strconv.FormatFloat(*v, 'g', -1, 64)
	case *int:
		if v == nil {
			return "none"
		}
		return strconv.Itoa(*v)
	case []byte:
		if len(v) == 0 {
			return "none"
		}
		return string(v)
	}
	return fmt.Sprint(v)
}

// operation compares what an operation takes and answers.
func (c *schemaComparison) operation(name string, theirs *upstreamOperation, o *api.Operation, d *wire.Describer) {
	c.parameters(name, theirs.Parameters, o.Parameters(d))
	body, raw := o.Body(d)
	switch {
	case raw:
	case (theirs.Body == nil) != (body == nil):
		c.differ(name, "body", theirs.Body, body)
	case body != nil:
		c.schema(name+" body", theirs.Body, body, side{params: strings.Contains(theirs.Body.Ref, "/Body_")})
	}
	status := strconv.Itoa(o.Status)
	answer, ok := theirs.Answers[status]
	if (status == "201" || status == "204") && !ok {
		answer, ok = theirs.Answers["200"] // chosen by the endpoint, so the document does not know it
	}
	if !ok {
		c.differ(name, "status", slices.Sorted(maps.Keys(theirs.Answers)), status)
		return
	}
	if ours := o.Answer(d); answer != nil && ours != nil {
		c.schema(name+" answer", answer, ours, side{answer: true})
	}
}

func (c *schemaComparison) parameters(name string, theirs, ours []api.Parameter) {
	of := func(list []api.Parameter, in string) (out []api.Parameter) {
		for _, p := range list {
			if p.In == in {
				out = append(out, p)
			}
		}
		return out
	}
	paths, own := of(theirs, "path"), of(ours, "path")
	slices.SortFunc(paths, func(a, b api.Parameter) int {
		return strings.Index(name, "{"+a.Name+"}") - strings.Index(name, "{"+b.Name+"}")
	})
	if len(paths) != len(own) {
		c.differ(name, "path", len(paths), len(own))
		return
	}
	for i, p := range paths { // their names are nobody's business, their order is that of the path
		c.property(name+" path "+p.Name, p.Schema, own[i].Schema, side{params: true})
	}
	query := map[string]api.Parameter{}
	for _, p := range of(ours, "query") {
		query[p.Name] = p
	}
	for _, p := range of(theirs, "query") {
		q, ok := query[p.Name]
		where := name + " query " + p.Name
		delete(query, p.Name)
		if !ok {
			c.differ(where, "parameter", p.Schema, nil)
			continue
		}
		if p.Required != q.Required {
			c.differ(where, "required", p.Required, q.Required)
		}
		c.property(where, p.Schema, q.Schema, side{params: true})
	}
	for _, p := range query {
		c.differ(name+" query "+p.Name, "parameter", nil, p.Schema)
	}
}

// property compares the schemas of a value, and its default.
func (c *schemaComparison) property(where string, theirs, ours *wire.Schema, s side) {
	c.properties[where] = true
	c.schema(where, theirs, ours, s)
	if s.answer || len(theirs.Default) == 0 && !s.params || len(ours.Default) == 0 && string(theirs.Default) == "null" {
		return
	}
	a, b := string(theirs.Default), string(ours.Default)
	if s.params && (a == "" || a == "null") && (b == "" || b == "null" || b == "[]" || b == `""`) {
		return
	}
	if a != b && a+".0" != b && a != b+".0" {
		c.differ(where, "default", []byte(theirs.Default), []byte(ours.Default))
	}
}

// schema compares two schemas, references only once.
func (c *schemaComparison) schema(where string, theirs, ours *wire.Schema, s side) {
	if name, ok := strings.CutPrefix(theirs.Ref, wire.RefPrefix); ok {
		pair := schemaPair{name, ours.Ref, s.answer}
		if ours.Ref == "" {
			pair.ours = fmt.Sprintf("%p", ours)
		}
		if c.seen[pair] {
			return
		}
		c.seen[pair] = true
		where, theirs = name, c.reference[name]
		if s.answer {
			where += " (answer)"
		}
		if theirs == nil {
			return // not compared: see pinOf
		}
	}
	if name, ok := strings.CutPrefix(ours.Ref, wire.RefPrefix); ok {
		ours = withDefault(c.own[name], ours)
	}
	a, nullA := choices(theirs)
	b, nullB := choices(ours)
	// An answer may do without null where the reference could have one.
	if nullA != nullB && !s.params && (!s.answer || nullB) && len(a) > 0 && len(b) > 0 {
		c.differ(where, "null", nullA, nullB)
	}
	switch {
	case len(a) == 0 && len(b) == 0:
	case len(a) == 0 || len(b) == 0:
		c.differ(where, "type", theirs, ours)
	case len(a) == 1 && len(b) == 1:
		c.one(where, a[0], b[0], s)
	default:
		c.union(where, a, b, s)
	}
}

func withDefault(s, ref *wire.Schema) *wire.Schema {
	out := *s
	out.Default = ref.Default
	return &out
}

// choices are the schemas of a union without null; none are those of free JSON.
func choices(s *wire.Schema) (list []*wire.Schema, null bool) {
	switch {
	case s.Type == "null":
		return nil, true
	case len(s.AnyOf) > 0:
		for _, choice := range s.AnyOf {
			more, n := choices(choice)
			if len(more) == 0 && choice.Type != "null" {
				return nil, true
			}
			list, null = append(list, more...), null || n
		}
		return merged(list, null)
	case s.Type == "" && s.Ref == "" && s.Const == nil && len(s.Enum) == 0:
		return nil, true
	}
	return []*wire.Schema{s}, false
}

// merged leaves out what another choice has, too: texts of a format beside all
// texts. What may be anything is free JSON.
func merged(list []*wire.Schema, null bool) ([]*wire.Schema, bool) {
	types := map[string]bool{}
	text := false
	for _, s := range list {
		types[s.Type] = true
		text = text || s.Type == "string" && s.Format == "" && len(s.Enum) == 0
	}
	if null && types["string"] && types["boolean"] && types["number"] && types["object"] && types["array"] {
		return nil, true
	}
	return slices.DeleteFunc(list, func(s *wire.Schema) bool { return text && s.Type == "string" && s.Format != "" }), null
}

// union pairs the choices that do not differ.
func (c *schemaComparison) union(where string, theirs, ours []*wire.Schema, s side) {
	left := slices.Clone(ours)
	for _, a := range theirs {
		best, fewest := -1, 0
		for i, b := range left {
			if n := c.trial(where, a, b, s); best < 0 || n < fewest {
				best, fewest = i, n
			}
		}
		if best < 0 || fewest > 0 {
			// The reference's document names some choices twice.
			if slices.ContainsFunc(ours, func(b *wire.Schema) bool { return c.trial(where, a, b, s) == 0 }) {
				continue
			}
		}
		if best < 0 {
			c.differ(where, "choice", a, nil)
			continue
		}
		c.schema(where, a, left[best], s)
		left = slices.Delete(left, best, best+1)
	}
	for _, b := range left {
		c.differ(where, "choice", nil, b)
	}
}

// trial counts the differences of two schemas.
func (c *schemaComparison) trial(where string, a, b *wire.Schema, s side) int {
	t := &schemaComparison{c.reference, c.own, maps.Clone(c.seen), map[string]bool{}, map[string]bool{}}
	t.schema(where, a, b, s)
	return len(t.found)
}

// one compares two schemas that are neither references nor unions.
func (c *schemaComparison) one(where string, a, b *wire.Schema, s side) {
	if a.Ref != "" || b.Ref != "" {
		c.schema(where, a, b, s)
		return
	}
	if b.Format == "duration" || a.Format == "time-delta" {
		return // both read numbers and texts, and write numbers
	}
	if a.Type != b.Type {
		c.differ(where, "type", a.Type, b.Type)
		return
	}
	if a.Format != b.Format && a.Format != "uri" { // the reference does not check those
		c.differ(where, "format", a.Format, b.Format)
	}
	enumA, enumB := values(a), values(b)
	if !slices.Equal(enumA, enumB) {
		c.differ(where, "values", enumA, enumB)
	}
	c.limits(where, a, b, s)
	switch {
	case a.Type == "array" && (a.Items != nil || b.Items != nil):
		c.schema(where+"[]", orAny(a.Items), orAny(b.Items), side{answer: s.answer})
	case len(a.Properties) > 0 || len(b.Properties) > 0 && (!s.answer || string(a.Additional) != "true"):
		c.object(where, a, b, s)
	case a.Type == "object" && (a.Values != nil || b.Values != nil):
		c.schema(where+"{}", orAny(a.Values), orAny(b.Values), side{answer: s.answer})
	}
}

func orAny(s *wire.Schema) *wire.Schema {
	if s == nil {
		return &wire.Schema{}
	}
	return s
}

// values are those that a schema lists, sorted.
func values(s *wire.Schema) []string {
	var out []string
	for _, v := range s.Enum {
		out = append(out, fmt.Sprint(v))
	}
	if s.Const != nil {
		out = append(out, fmt.Sprint(s.Const))
	}
	slices.Sort(out)
	return out
}

func (c *schemaComparison) limits(where string, a, b *wire.Schema, s side) {
	if s.answer {
		return // what is stored kept them
	}
	for _, l := range []struct {
		name string
		a, b any
	}{
		{"minimum", a.Minimum, b.Minimum},
		{"exclusive minimum", a.ExclusiveMinimum, b.ExclusiveMinimum},
		{"maximum", a.Maximum, b.Maximum},
		{"exclusive maximum", a.ExclusiveMaximum, b.ExclusiveMaximum},
		{"least length", a.MinLength, b.MinLength},
		{"most length", a.MaxLength, b.MaxLength},
		{"least items", a.MinItems, b.MinItems},
		{"most items", a.MaxItems, b.MaxItems},
		{"pattern", a.Pattern, b.Pattern},
	} {
		if strings.Contains(shownSchema(l.a), "Africa/Abidjan") {
			continue // the zones that a machine knows
		}
		if shownSchema(l.a) != shownSchema(l.b) {
			c.differ(where, l.name, l.a, l.b)
		}
	}
}

func (c *schemaComparison) object(where string, a, b *wire.Schema, s side) {
	inner := side{answer: s.answer, params: s.params}
	for _, key := range slices.Sorted(maps.Keys(a.Properties)) {
		ours, ok := b.Properties[key]
		if !ok {
			c.properties[where+"."+key] = true
			c.differ(where, "property", key, nil)
			continue
		}
		c.property(where+"."+key, a.Properties[key], ours, inner)
		if need := slices.Contains(a.Required, key); !s.answer && need != slices.Contains(b.Required, key) {
			c.differ(where+"."+key, "required", need, !need)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(b.Properties)) {
		if _, ok := a.Properties[key]; !ok {
			c.differ(where, "property", nil, key)
		}
	}
	if closedA, closedB := string(a.Additional) == "false", string(b.Additional) == "false"; closedA != closedB && !s.answer {
		c.differ(where, "closed", closedA, closedB)
	}
}
