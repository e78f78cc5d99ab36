// Package jsonata evaluates JSONata 2 expressions on JSON values.
//
// An expression is compiled once and may then be evaluated by many goroutines.
// An evaluation is pure: time, randomness and further functions come from its
// Env, whose Limits also bound what it may cost. Values that are only passed
// through stay as they are (a number keeps its text); computed numbers are
// float64, as in JavaScript.
package jsonata

import (
	"errors"
	"time"
)

// Expression is a compiled expression; it is safe for concurrent use.
type Expression struct {
	text string
	root *node
}

// Compile parses an expression. The error is an *Error with a code S0xxx.
func Compile(text string) (*Expression, error) {
	root, err := parse(text)
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok {
			return nil, e.finish(text)
		}
		return nil, err
	}
	return &Expression{text: text, root: root}, nil
}

// String is the text of the expression.
func (e *Expression) String() string { return e.text }

// Env is what an evaluation sees besides its input. The zero value is usable:
// no variables, the zero time, and random numbers that are all 0.
type Env struct {
	// Bindings are variables by name, without the dollar sign.
	Bindings map[string]any
	// Lookup, if set, is asked for variables that are not in Bindings.
	Lookup func(name string) (any, bool)
	// Functions are native functions by name. They shadow built-in ones.
	Functions map[string]*Function
	// Now is the time of the evaluation, for $now and $millis.
	Now time.Time
	// Random returns numbers in [0, 1), for $random and $shuffle.
	Random func() float64
	Limits Limits
}

// Limits bound an evaluation; passing one is an *Error with code U1001. Zero
// means the default.
type Limits struct {
	MaxDepth int // of nested evaluations; 500
	MaxSteps int // evaluations of subexpressions and other units of work; 10 million
	MaxSize  int // items of arrays and objects and bytes of text that are made in all; 16 million
}

const (
	defaultDepth = 500
	defaultSteps = 10_000_000
	defaultSize  = 16_000_000
	// maxNesting is how deeply arrays and objects of a result may be nested.
	maxNesting = 1000
)

// Function is a native function.
type Function struct {
	// Signature is JSONata's notation of parameters, such as <s-n?:s>, with or
	// without the angle brackets; empty accepts everything.
	Signature string
	// Call gets the arguments, with Undefined for what was not given. It
	// returns false for undefined. An error that is no *Error keeps its text.
	Call func(args []any) (any, bool, error)
	// Undefined removes the built-in function of this name.
	Undefined bool
}

// Eval evaluates the expression. Undefined is reported by ok == false. A
// result may be or hold functions: see IsFunction. The error is an *Error.
func (e *Expression) Eval(input any, env *Env) (result any, ok bool, err error) {
	if env == nil {
		env = &Env{}
	}
	ev := newEvaluator(env)
	result, err = ev.run(e.root, input)
	if err != nil {
		if failure, ok := errors.AsType[*Error](err); ok {
			return nil, false, failure.finish(e.text)
		}
		return nil, false, err
	}
	if isUndefined(result) {
		return nil, false, nil
	}
	return result, true, nil
}
