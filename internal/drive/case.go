package drive

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/value"
)

// Run runs the case by the configuration, whose input, performer and items it
// brings itself, and returns what is otherwise than expected; none is a pass.
func (c *Case) Run(ctx context.Context, cfg Config) (*Execution, []string) {
	mocks := &Mocks{States: c.Mocks}
	cfg.Input, cfg.InputText, cfg.Performer, cfg.Items = c.Input, "", mocks, mocks.Items()
	x, err := Run(ctx, cfg)
	if err != nil {
		return x, []string{err.Error()}
	}
	return x, c.check(x)
}

func (c *Case) check(x *Execution) []string {
	var wrong []string
	report := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if x.Status != c.Status {
		why := ""
		if x.Status != asl.Succeeded && x.Failure != (asl.Failure{}) {
			why = fmt.Sprintf(": %s: %s", x.Failure.Error, x.Failure.Cause)
		}
		report("status: expected %s, was %s%s", c.Status, x.Status, why)
	}
	if c.Error != "" && x.Failure.Error != c.Error {
		report("error: expected %q, was %q", c.Error, x.Failure.Error)
	}
	if c.Cause != "" && x.Failure.Cause != c.Cause {
		report("cause: expected %q, was %q", c.Cause, x.Failure.Cause)
	}
	if c.HasOutput && x.Status == asl.Succeeded {
		wrong = differences(wrong, "output", c.Output, x.Output)
	}
	if path := x.Path(); c.Path != nil && !slices.Equal(path, c.Path) {
		report("path: expected %s, was %s", strings.Join(c.Path, " > "), strings.Join(path, " > "))
	}
	return wrong
}

// Path lists the states that the execution entered, in order.
func (x *Execution) Path() []string {
	path := []string{}
	for _, v := range x.Visits {
		if v.Ended.IsZero() {
			path = append(path, v.State.Name)
		}
	}
	return path
}

// differences adds where values differ, each place by its path.
func differences(list []string, at string, want, got any) []string {
	if value.Equal(want, got) {
		return list
	}
	switch w := want.(type) {
	case *value.Object:
		g, ok := got.(*value.Object)
		if !ok {
			break
		}
		for key, v := range w.All() {
			other, ok := g.Get(key)
			if !ok {
				list = append(list, fmt.Sprintf("%s.%s: expected %s, was missing", at, key, value.String(v)))
				continue
			}
			list = differences(list, at+"."+key, v, other)
		}
		for key, v := range g.All() {
			if _, ok := w.Get(key); !ok {
				list = append(list, fmt.Sprintf("%s.%s: expected nothing, was %s", at, key, value.String(v)))
			}
		}
		return list
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			break
		}
		for i := range w {
			list = differences(list, at+"["+strconv.Itoa(i)+"]", w[i], g[i])
		}
		return list
	}
	return append(list, fmt.Sprintf("%s: expected %s, was %s", at, value.String(want), value.String(got)))
}
