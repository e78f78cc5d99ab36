package asl

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/jsonata"
)

// expression is a compiled JSONata expression and what is known of it at once.
type expression struct {
	compiled *jsonata.Expression
	// extended is set where it may name a function that the service adds or removes.
	extended bool
}

// maxQuerySize bounds what an expression builds, in characters and elements: no
// state may have an output that comes near.
const maxQuerySize = 2 << 20

func compileExpression(text string) (*expression, error) {
	compiled, err := jsonata.Compile(text)
	if err != nil {
		return nil, err
	}
	e := &expression{compiled: compiled}
	for _, name := range []string{"eval", "partition", "range", "hash", "parse", "uuid", "random"} {
		e.extended = e.extended || strings.Contains(text, "$"+name)
	}
	return e, nil
}

// variables are those that the expression reads.
func (e *expression) variables() []string {
	return slices.DeleteFunc(e.compiled.Variables(), isAddedFunction)
}

// isAddedFunction tells the functions that JSONata itself does not have.
func isAddedFunction(name string) bool {
	switch name {
	case "partition", "range", "hash", "parse", "uuid":
		return true
	}
	return false
}

// eval evaluates the expression without an input: all that it reads is in variables.
func (e *expression) eval(sc *scope) (v any, found bool, err error) {
	env := &jsonata.Env{
		Lookup: sc.lookupVariable,
		Now:    sc.now,
		Random: func() float64 { return sc.chance().Float64() },
		Limits: jsonata.Limits{MaxDepth: sc.limits.JSONataDepth, MaxSteps: sc.limits.JSONataSteps, MaxSize: maxQuerySize},
	}
	if e.extended {
		env.Functions = jsonata.AWSFunctions(sc.draw, func() string { return uuidFrom(sc.chance()) })
	}
	return e.compiled.Eval(jsonata.Undefined{}, env)
}

func (sc *scope) lookupVariable(name string) (any, bool) {
	if name == "states" {
		return sc.states, sc.states != nil
	}
	if sc.variable == nil {
		return nil, false
	}
	return sc.variable(name)
}

// draw is a number in [0, 1): the same one for the same seed.
func (sc *scope) draw(seed *int64) float64 {
	if seed != nil {
		return seeded(*seed).Float64()
	}
	return sc.chance().Float64()
}

// chance is the scope's source of chance; a scope that was given none has one
// that is always the same.
func (sc *scope) chance() *rand.Rand {
	if sc.random == nil {
		sc.random = seeded(0)
	}
	return sc.random
}

func seeded(seed int64) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), 0)) //nolint:gosec // no secret is made of it
}

// errorText is the code and message of an error of JSONata.
func errorText(err error) string {
	var e *jsonata.Error
	if errors.As(err, &e) && e.Code != "" {
		return e.Code + ": " + e.Message
	}
	return err.Error()
}
