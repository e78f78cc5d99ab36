package asl

// choiceRule is one rule of a Choice: the state goes on at Next when it matches.
type choiceRule struct {
	Next           string
	Assign, Output *template
	condition      condition
}

// matches tells whether the rule holds for the scope.
func (r *choiceRule) matches(sc *scope) (bool, *Failure) { return r.condition.holds(sc) }

// condition is a rule of either language, or a rule within And, Or and Not.
type condition interface {
	holds(sc *scope) (bool, *Failure)
	variables(yield func(string))
}

// constant is a JSONata Condition that is written as true or false.
type constant bool

func (c constant) holds(*scope) (bool, *Failure) { return bool(c), nil }

func (constant) variables(func(string)) {}

// queried is a JSONata Condition.
type queried struct {
	query *query
	// field is how errors name it: Choices[0]/Condition.
	field string
}

func (c *queried) holds(sc *scope) (bool, *Failure) {
	v, failure := c.query.eval(sc, c.field, "")
	if failure != nil {
		return false, failure
	}
	b, ok := v.(bool)
	if !ok {
		return false, c.query.unexpected(c.field, "boolean", v)
	}
	return b, nil
}

func (c *queried) variables(yield func(string)) { c.query.variables(yield) }

// combined is And, Or or Not.
type combined struct {
	op    string
	rules []condition
}

// holds looks at the rules in turn and stops where the outcome is known.
func (c *combined) holds(sc *scope) (bool, *Failure) {
	for _, r := range c.rules {
		yes, failure := r.holds(sc)
		switch {
		case failure != nil:
			return false, failure
		case c.op == "Not":
			return !yes, nil
		case yes != (c.op == "And"):
			return yes, nil
		}
	}
	return c.op == "And", nil
}

func (c *combined) variables(yield func(string)) {
	for _, r := range c.rules {
		r.variables(yield)
	}
}

// comparison applies an operator to what Variable refers to.
type comparison struct {
	variable *pathField
	// op is the operator's name without Path.
	op string
	// operand is the literal; with, where it is set, says where the operand is.
	operand any
	with    *pathField
}

func (c *comparison) holds(sc *scope) (bool, *Failure) {
	v, err := sc.lookup(c.variable.path)
	if c.op == "IsPresent" {
		return (err == nil) == c.operand, nil
	}
	if err != nil {
		return false, invalidReference(c.variable)
	}
	operand := c.operand
	if c.with != nil {
		if operand, err = sc.lookup(c.with.path); err != nil {
			return false, invalidReference(c.with)
		}
	}
	return compare(c.op, v, operand), nil
}

func invalidReference(f *pathField) *Failure {
	return runtimeFailure("Invalid path '%s': The choice state's condition path references an invalid value.", f.Text)
}

func (c *comparison) variables(yield func(string)) {
	c.variable.variables(yield)
	c.with.variables(yield)
}
