package asl

import (
	"math/rand/v2"
	"time"

	"github.com/leat-dev/leat/internal/value"
)

// scope is what the expressions of one evaluation see.
type scope struct {
	language Language
	// input is "$": the state's input after InputPath, or whatever a field is
	// applied to, such as a task's result.
	input any
	// states is JSONata's $states: input, context, and result or errorOutput where there is one.
	states *value.Object
	// context is the context object: "$$" in JSONPath.
	context *value.Object
	// variable finds a variable by its name, without "$"; nil finds none.
	variable func(name string) (any, bool)
	now      time.Time
	random   *rand.Rand
	limits   Limits
}

// Failure is an error of the States Language.
type Failure struct {
	// Error is its name, such as States.TaskFailed; Cause is for people.
	Error, Cause string
	// Location is the field that could not be evaluated; "" unless Error is
	// States.QueryEvaluationError.
	Location string
	// Nulls: what is empty was not given, and is null to a Catch.
	Nulls bool
	// runtime: the interpreter says in which state the failure happened, in front of Cause.
	runtime bool
}

// OfState is the failure with the interpreter's word before its cause: in which
// state it happened.
func (f Failure) OfState() Failure {
	f.runtime = true
	return f
}
