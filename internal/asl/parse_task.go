package asl

import (
	"slices"
	"strings"
)

func (p *parser) task(s *State, f *fields) {
	f.require("Resource")
	seconds := scalarKind{least: 1, most: maxSeconds, whole: true}
	s.Task = &taskFields{
		Resource:  f.text("Resource"),
		Timeout:   f.scalar("TimeoutSeconds", s.Language, seconds),
		Heartbeat: f.scalar("HeartbeatSeconds", s.Language, seconds),
	}
	s.Task.parsed = ParseResource(s.Task.Resource)
	if f.has("Resource") {
		p.resource(s.Task.Resource, f)
	}
	if t, h := s.Task.Timeout, s.Task.Heartbeat; t != nil && h != nil {
		timeout, ok := t.Literal.(int64)
		heartbeat, ok2 := h.Literal.(int64)
		if ok && ok2 && timeout > 0 && heartbeat >= timeout {
			f.wrong("HeartbeatSeconds", "HeartbeatSeconds must be smaller than TimeoutSeconds")
		}
	}
	c := f.object("Credentials")
	if c == nil {
		return
	}
	if !c.has("RoleArn") && (s.Language == JSONata || !c.has("RoleArn.$")) {
		p.schema(c.at, "The field 'RoleArn' is required but was missing")
	}
	s.Task.Credentials = f.template("Credentials", s.Language)
}

func (p *parser) resource(resource string, f *fields) {
	known := strings.HasPrefix(resource, "arn:")
	if known && p.options.Resource != nil {
		known = p.options.Resource(resource) == nil
	}
	if !known {
		f.wrong("Resource", "The resource provided %s is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.", resource)
		return
	}
	if !p.express {
		return
	}
	switch {
	case strings.HasSuffix(resource, ".waitForTaskToken"):
		// The service's own text has the space at its end.
		f.wrong("Resource", "Express state machine does not support '.waitForTaskToken' service integration ")
	case strings.HasSuffix(resource, ".sync"), strings.HasSuffix(resource, ".sync:2"):
		f.wrong("Resource", "Express state machine does not support '.sync' service integration")
	case strings.Contains(resource, ":activity:"):
		f.wrong("Resource", "Express state machine does not support Activity ARN")
	}
}

// errorEquals reads the names of a retrier or catcher. last tells whether no
// other follows.
func (p *parser) errorEquals(f *fields, last bool) []string {
	f.require("ErrorEquals")
	list, ok := f.list("ErrorEquals")
	if ok && len(list) == 0 {
		f.wrong("ErrorEquals", "Value cannot be empty")
	}
	var out []string
	for _, raw := range list {
		name, ok := raw.(string)
		if !ok {
			f.wrong("ErrorEquals", "Expected value of type String")
			continue
		}
		out = append(out, name)
	}
	if slices.Contains(out, "States.ALL") {
		switch {
		case len(out) > 1:
			f.wrong("ErrorEquals", "States.ALL must appear alone")
		case !last:
			f.wrong("ErrorEquals", "States.ALL must appear in the last element only")
		}
	}
	return out
}

func (p *parser) retries(f *fields) []*Retrier {
	list, _ := f.list("Retry")
	var out []*Retrier
	for i, raw := range list {
		r := p.fields(raw, f.index("Retry", i))
		if r == nil {
			continue
		}
		t := &Retrier{IntervalSeconds: 1, MaxAttempts: 3, BackoffRate: 2}
		t.ErrorEquals = p.errorEquals(r, i == len(list)-1)
		if n, ok := r.integer("IntervalSeconds", 1, maxSeconds); ok {
			t.IntervalSeconds = n
		}
		if n, ok := r.integer("MaxAttempts", 0, maxSeconds); ok {
			t.MaxAttempts = n
		}
		if n, ok := r.number("BackoffRate", 1, maxSeconds); ok {
			t.BackoffRate = n
		}
		if n, ok := r.integer("MaxDelaySeconds", 1, 31622400); ok {
			t.MaxDelaySeconds = n
			if n <= t.IntervalSeconds {
				r.wrong("MaxDelaySeconds", "MaxDelaySeconds must be greater than IntervalSeconds")
			}
		}
		t.FullJitter = r.oneOf("JitterStrategy", "FULL", "NONE") == "FULL"
		r.unknown()
		out = append(out, t)
	}
	return out
}

func (p *parser) catches(f *fields, language Language) []*Catcher {
	list, _ := f.list("Catch")
	var out []*Catcher
	for i, raw := range list {
		c := p.fields(raw, f.index("Catch", i))
		if c == nil {
			continue
		}
		t := &Catcher{ErrorEquals: p.errorEquals(c, i == len(list)-1), Next: c.text("Next")}
		c.require("Next")
		t.Assign = p.assign(c, language)
		if language == JSONata {
			t.Output = c.template("Output", JSONata)
		} else {
			t.ResultPath = c.reference("ResultPath")
		}
		c.unknown()
		out = append(out, t)
	}
	return out
}
