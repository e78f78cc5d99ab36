package integration

import (
	"errors"
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/value"
)

// MockMode is how closely TestState compares a mocked result with what the
// service answers.
type MockMode string

// The modes.
const (
	MockStrict  MockMode = "STRICT"  // types, and members that an answer always has
	MockPresent MockMode = "PRESENT" // types of the members that are there
	MockNone    MockMode = "NONE"
)

// CheckMock compares a mocked result with the service's model. Members that the
// model does not have are let pass. The error's text is that of AWS, without
// "Mock result schema validation error: " before it.
func (r *Runner) CheckMock(res Resource, result any, mode MockMode) error {
	shape := r.resultShape(res)
	if mode == MockNone || shape == nil {
		return nil
	}
	o, ok := result.(*value.Object)
	if !ok {
		return nil
	}
	c := mockCheck{strict: mode != MockPresent, free: freeMember(res), name: awscall.Upper}
	if res.Kind == SDK {
		c.name = awscall.MemberName
	}
	return c.structure(shape, o)
}

// resultShape is the structure of a resource's result; nil where it is free.
func (r *Runner) resultShape(res Resource) *awscall.Shape {
	switch {
	case res.Pattern == WaitForToken:
		return nil // whoever holds the token gives it
	case res.Pattern == RequestResponse:
		if op := r.operation(res); op != nil {
			return op.Output
		}
		return nil
	case res.Kind != Optimized:
		return nil
	}
	switch res.Service {
	case "ecs":
		if describe, ok := r.cfg.Caller.Lookup("ecs", "describeTasks"); ok {
			shape := elementOf(describe.Output, "tasks")
			return shape
		}
	case "states":
		if describe, ok := r.cfg.Caller.Lookup("sfn", "describeExecution"); ok {
			return describe.Output
		}
	default:
		return r.jobShape(res)
	}
	return nil
}

// jobShape is the structure of what describes a job that a state waits for.
func (r *Runner) jobShape(res Resource) *awscall.Shape {
	s, known := serviceOf(res.Service)
	j, ok := jobOf(res.Service, res.Action)
	if !known || !ok || j.gone {
		return nil
	}
	operation, _ := j.describe("", "")
	describe, ok := r.cfg.Caller.Lookup(s.call, operation)
	if !ok {
		return nil
	}
	shape := describe.Output
	if j.whole || j.object == "" {
		return shape
	}
	for part := range strings.SplitSeq(j.object, ".") {
		switch {
		case shape == nil:
			return nil
		case shape.Kind == awscall.List:
			shape = shape.Element // part is a number
		default:
			m, ok := shape.Member(part)
			if !ok {
				return nil
			}
			shape = m.Shape
		}
	}
	return shape
}

// freeMember names the member that holds JSON where the service has a blob or
// a text.
func freeMember(res Resource) string {
	switch {
	case res.Kind == Optimized && res.Service == "lambda":
		return "Payload"
	case res.Kind == Optimized && res.Service == "bedrock":
		return "Body"
	case res.Pattern == Sync2:
		return "Output"
	}
	return ""
}

type mockCheck struct {
	strict bool
	free   string
	// name is a member's name as a result has it.
	name func(string) string
}

func (c mockCheck) structure(s *awscall.Shape, o *value.Object) error {
	for i := range s.Members {
		name := c.name(s.Members[i].Name)
		if v, _ := o.Get(name); v == nil && s.Members[i].Required && c.strict {
			return errors.New("Required field '" + name + "' is missing")
		}
	}
	for i := range s.Members {
		m := &s.Members[i]
		name := c.name(m.Name)
		v, _ := o.Get(name)
		if v == nil || name == c.free {
			continue
		}
		if err := c.value(name, m.Shape, v); err != nil {
			return err
		}
	}
	return nil
}

func (c mockCheck) value(name string, s *awscall.Shape, v any) error {
	must := func(what string) error { return errors.New("Field '" + name + "' must be " + what) }
	switch s.Kind {
	case awscall.Structure:
		o, ok := v.(*value.Object)
		if !ok {
			return must("an object")
		}
		return c.structure(s, o)
	case awscall.Map:
		o, ok := v.(*value.Object)
		if !ok {
			return must("an object")
		}
		for _, x := range o.All() {
			if err := c.value(name, s.Element, x); err != nil {
				return err
			}
		}
	case awscall.List:
		list, ok := v.([]any)
		if !ok {
			return must("an array")
		}
		for _, x := range list {
			if err := c.value(name, s.Element, x); err != nil {
				return err
			}
		}
	case awscall.String, awscall.Blob, awscall.Timestamp:
		text, ok := v.(string)
		if !ok {
			return must("a string")
		}
		if s.Enum != nil && !slices.Contains(s.Enum, text) {
			return errors.New("Field '" + name + "' is not an expected value")
		}
	case awscall.Boolean:
		if _, ok := v.(bool); !ok {
			return must("a boolean")
		}
	case awscall.Integer, awscall.Float:
		n, ok := value.Number(v)
		if !ok {
			return must("a number")
		}
		return inRange(name, s, n)
	case awscall.Document:
	}
	return nil
}

func inRange(name string, s *awscall.Shape, n float64) error {
	switch {
	case s.Min != nil && n < *s.Min:
		return errors.New("Field '" + name + "' is less than the minimum value")
	case s.Max != nil && n > *s.Max:
		return errors.New("Field '" + name + "' is greater than the maximum value")
	}
	return nil
}
