package asl

import (
	"fmt"

	"github.com/leat-dev/leat/internal/value"
)

// maxRuleNesting bounds how deep And, Or and Not may lie within each other.
const maxRuleNesting = 100

func (p *parser) choice(s *State, f *fields) {
	f.require("Choices")
	s.Default = f.text("Default")
	rules, ok := f.list("Choices")
	if ok && len(rules) == 0 {
		f.wrong("Choices", "Value cannot be empty")
	}
	for i, raw := range rules {
		r := p.fields(raw, f.index("Choices", i))
		if r == nil {
			continue
		}
		rule := &choiceRule{Next: r.text("Next")}
		r.require("Next")
		rule.Assign = p.assign(r, s.Language)
		if s.Language == JSONata {
			rule.Output = r.template("Output", JSONata)
			rule.condition = p.queried(r, fmt.Sprintf("Choices[%d]/Condition", i))
		} else {
			rule.condition = p.rule(r, 0)
		}
		r.unknown()
		s.Choices = append(s.Choices, rule)
	}
}

// queried reads a Condition: an expression, true or false.
func (p *parser) queried(f *fields, field string) condition {
	f.require("Condition")
	raw, ok := f.get("Condition")
	switch v := raw.(type) {
	case bool:
		return constant(v)
	case string:
		if text, isExpression := queryText(v); isExpression {
			q, err := compileQuery(text)
			if err != nil {
				f.wrong("Condition", "The JSONata expression is not valid: %s", errorText(err))
				return constant(false)
			}
			return &queried{query: q, field: field}
		}
	}
	if ok {
		f.wrong("Condition", "Expected value of type Boolean or JSONata expression")
	}
	return constant(false)
}

// rule reads a rule of JSONPath: a combination or a comparison.
func (p *parser) rule(f *fields, depth int) condition {
	if depth > maxRuleNesting {
		p.schema(f.at, "Rules are nested too deeply")
		return constant(false)
	}
	for _, op := range []string{"And", "Or", "Not"} {
		if f.has(op) {
			return p.combined(f, op, depth)
		}
	}
	c := &comparison{}
	f.require("Variable")
	c.variable = f.path("Variable", false)
	if c.variable != nil && c.variable.Null {
		f.wrong("Variable", "The value for the field 'Variable' must be a valid JSONPath")
		c.variable = nil
	}
	p.operator(c, f)
	if c.variable == nil {
		return constant(false)
	}
	return c
}

func (p *parser) combined(f *fields, op string, depth int) condition {
	c := &combined{op: op}
	raw, _ := f.get(op)
	elements, at := []any{raw}, []string{f.at + "/" + op}
	if op != "Not" {
		var ok bool
		if elements, ok = f.list(op); ok && len(elements) == 0 {
			f.wrong(op, "Value cannot be empty")
		}
		at = nil
		for i := range elements {
			at = append(at, f.index(op, i))
		}
	}
	for i, e := range elements {
		if r := p.fields(e, at[i]); r != nil {
			c.rules = append(c.rules, p.rule(r, depth+1))
			r.unknown()
		}
	}
	return c
}

// operator reads the one operator of a comparison.
func (p *parser) operator(c *comparison, f *fields) {
	found := 0
	for name, raw := range f.o.All() {
		base, kind, isPath := operatorKind(name)
		if kind == 0 {
			continue
		}
		found++
		c.op = base
		if isPath {
			if c.with = f.path(name, false); c.with == nil || c.with.Null {
				c.with = &pathField{path: &path{definite: true}, Text: "$"}
			}
			continue
		}
		f.read[name] = true
		c.operand = raw
		if want := kind.mismatch(raw); want != "" {
			f.wrong(name, "%s", want)
		}
	}
	if found != 1 {
		p.schema(f.at, "Exactly one comparison operator is required")
	}
}

// mismatch says what is wrong with a literal operand; "" is nothing.
func (k operandKind) mismatch(raw any) string {
	text, isText := raw.(string)
	_, isNumber := value.Number(raw)
	_, isBool := raw.(bool)
	switch {
	case k == numberOperand && !isNumber:
		return "Expected value of type Number"
	case (k == booleanOperand || k == isOperand) && !isBool:
		return "Expected value of type Boolean"
	case (k == textOperand || k == patternOperand || k == timestampOperand) && !isText:
		return "Expected value of type String"
	case k == timestampOperand:
		if _, ok := parseTimestamp(text); !ok {
			return "String does not match RFC3339 timestamp"
		}
	}
	return ""
}
