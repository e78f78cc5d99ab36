package asl

import (
	"fmt"
	"slices"

	"github.com/leat-dev/leat/internal/value"
)

// tick lets a frame go on: into its state, or on in it.
func (x *Execution) tick(f *frame) {
	if f.Visit == nil {
		before := f.Pointer
		id := x.emit(f, string(f.State.Type)+"StateEntered", "stateEnteredEventDetails",
			data(value.Of("name", f.State.Name), "input", f.Input))
		f.Visit = &visit{Entered: id, Before: before, Time: x.now, Attempts: make([]int64, len(f.State.Retry))}
		x.out.Visits = append(x.out.Visits, &Visit{Entered: id, State: f.State, Input: f.Input, Began: x.now})
		x.touch(f)
		x.attempt(f)
		return
	}
	switch f.Visit.Waits {
	case waitsStart:
		x.startTask(f)
	case waitsChildren:
		x.startChildren(f)
	case waitsRetry, waitsTask, waitsTimer, waitsRun:
		// Only what they wait for moves them.
	default:
		x.attempt(f)
	}
}

// attempt does what the state is for, once more after a retry.
func (x *Execution) attempt(f *frame) {
	var failure *Failure
	switch f.State.Type {
	case Pass:
		failure = x.pass(f)
	case Choice:
		failure = x.choose(f)
	case Succeed:
		failure = x.succeed(f)
	case Fail:
		x.raise(f)
	case Wait:
		failure = x.wait(f)
	case Task:
		failure = x.task(f)
	case Parallel:
		failure = x.parallel(f)
	case Map:
		failure = x.mapState(f)
	}
	if failure != nil {
		x.fails(f, *failure)
	}
}

// scope is what expressions of the frame's state see, with "$" or
// $states.input being the input.
func (x *Execution) scope(f *frame, input any) *scope {
	sc := &scope{
		language: f.State.Language, input: input, context: x.context(f), now: x.now, random: x.chance(), limits: x.info.Limits,
		variable: func(name string) (any, bool) { return x.variable(f, name) },
	}
	if sc.language == JSONata {
		sc.states = value.Of("input", f.Input, "context", sc.context)
	}
	return sc
}

// with returns the scope with one more member of $states.
func (sc *scope) with(key string, v any) *scope {
	c := *sc
	if c.states != nil {
		c.states = c.states.Clone()
		c.states.Set(key, v)
	}
	return &c
}

// on returns the scope with another "$".
func (sc *scope) on(input any) *scope {
	c := *sc
	c.input = input
	return &c
}

// effectiveInput is the state's input after InputPath.
func (x *Execution) effectiveInput(f *frame) (in any, failure *Failure) {
	switch p := f.State.InputPath; {
	case p == nil:
		in = f.Input
	case p.Null:
		in = value.NewObject(0)
	default:
		if in, failure = p.eval(x.scope(f, f.Input)); failure != nil {
			return nil, failure
		}
	}
	x.seen.note(f.State, seenInputPath, in)
	return in, nil
}

// arguments is what a state hands on: its input after InputPath and Parameters,
// or its Arguments.
func (x *Execution) arguments(f *frame) (in any, failure *Failure) {
	if f.State.Language == JSONata {
		in = f.Input
		if f.State.Arguments != nil {
			if in, failure = f.State.Arguments.eval(x.scope(f, f.Input), "Arguments"); failure != nil {
				return nil, failure
			}
		}
		x.seen.note(f.State, seenArguments, in)
		return in, nil
	}
	if in, failure = x.effectiveInput(f); failure != nil {
		return nil, failure
	}
	if f.State.Parameters != nil {
		if in, failure = f.State.Parameters.eval(x.scope(f, in), "Parameters"); failure != nil {
			return nil, failure
		}
	}
	x.seen.note(f.State, seenParameters, in)
	return in, nil
}

// pass ends a Pass state.
func (x *Execution) pass(f *frame) *Failure {
	s := f.State
	if s.Language == JSONata {
		return x.finish(f, f.Input, false)
	}
	result, failure := x.arguments(f)
	if failure != nil {
		return failure
	}
	if s.HasResult {
		result = s.Result
		x.seen.note(s, seenResult, result)
	}
	return x.finish(f, result, false)
}

func (x *Execution) succeed(f *frame) *Failure {
	in, failure := x.effectiveInput(f)
	if failure != nil {
		return failure
	}
	return x.finish(f, in, false)
}

// raise ends a Fail state.
func (x *Execution) raise(f *frame) {
	failure := Failure{Nulls: true}
	sc := x.scope(f, f.Input)
	for _, part := range []struct {
		from *scalar
		into *string
	}{{f.State.Fail.Error, &failure.Error}, {f.State.Fail.Cause, &failure.Cause}} {
		if part.from == nil {
			continue
		}
		text, bad := part.from.text(sc)
		if bad != nil {
			x.fails(f, *bad)
			return
		}
		*part.into = text
	}
	x.propagate(f, failure)
}

// choose ends a Choice state.
func (x *Execution) choose(f *frame) *Failure {
	in, failure := x.effectiveInput(f)
	if failure != nil {
		return failure
	}
	sc := x.scope(f, in)
	for i, rule := range f.State.Choices {
		ok, failure := rule.matches(sc)
		if failure != nil {
			return failure
		}
		if ok {
			f.Visit.Branch = fmt.Sprintf("Choices[%d]", i)
			return x.leave(f, sc, in, in, rule.Next, rule.Assign, rule.Output)
		}
	}
	if f.State.Default == "" {
		return &Failure{Error: "States.NoChoiceMatched", runtime: true, Cause: "Failed to transition out of the state. The state does not point to a next state."}
	}
	f.Visit.Branch = "Default"
	return x.leave(f, sc, in, in, f.State.Default, f.State.Assign, f.State.Output)
}

// finish ends a state that came to a result. fromWork tells that the result is
// a task's or of branches, so that ResultSelector and $states.result apply.
func (x *Execution) finish(f *frame, result any, fromWork bool) *Failure {
	s := f.State
	if s.Language == JSONata {
		sc := x.scope(f, f.Input)
		if fromWork {
			sc = sc.with("result", result)
		}
		return x.leave(f, sc, result, result, s.Next, s.Assign, s.Output)
	}
	sc := x.scope(f, result)
	selected := result
	if fromWork && s.ResultSelector != nil {
		var failure *Failure
		if selected, failure = s.ResultSelector.eval(sc, "ResultSelector"); failure != nil {
			return failure
		}
	}
	x.seen.note(s, seenSelected, selected)
	out := selected
	if s.ResultPath != nil {
		var failure *Failure
		if out, failure = s.ResultPath.set(f.Input, selected); failure != nil {
			return failure
		}
	}
	x.seen.note(s, seenResultPath, out)
	return x.leave(f, sc, result, out, s.Next, s.Assign, nil)
}

// leave assigns variables, makes the output and goes on to the next state.
// assigned is "$" for Assign, out is the output before OutputPath or Output.
func (x *Execution) leave(f *frame, sc *scope, assigned, out any, next string, assign, output *template) *Failure {
	variables, failure := x.assigned(sc.on(assigned), assign)
	if failure != nil {
		return failure
	}
	if output != nil {
		if out, failure = output.eval(sc, "Output"); failure != nil {
			return failure
		}
	} else if p := f.State.OutputPath; p != nil {
		if p.Null {
			out = value.NewObject(0)
		} else if out, failure = p.eval(sc.on(out)); failure != nil {
			return failure
		}
	}
	return x.exit(f, out, next, variables)
}

// assigned evaluates an Assign; all of it sees the values from before.
func (x *Execution) assigned(sc *scope, assign *template) (*value.Object, *Failure) {
	if assign == nil {
		return nil, nil
	}
	v, failure := assign.eval(sc, "Assign")
	if failure != nil {
		return nil, failure
	}
	o, _ := v.(*value.Object)
	for name, v := range o.All() {
		if len(value.String(v)) > x.payloadLimit() {
			return nil, &Failure{
				Error: "States.Runtime", runtime: true,
				Cause: fmt.Sprintf("The value of the variable '%s' exceeds the maximum size of %d bytes.", name, x.payloadLimit()),
			}
		}
	}
	return o, nil
}

// exit leaves the state with its output.
func (x *Execution) exit(f *frame, out any, next string, variables *value.Object) *Failure {
	details := value.Of("name", f.State.Name)
	data(details, "output", out)
	text, _ := details.Get("output")
	if s, _ := text.(string); len(s) > x.payloadLimit() {
		return x.tooLarge(f.State.Name)
	}
	if x.seen.left(out, next, variables) {
		return nil
	}
	if variables != nil && variables.Len() > 0 {
		shown := value.NewObject(variables.Len())
		for _, name := range slices.Sorted(slices.Values(variables.Keys())) {
			v, _ := variables.Get(name)
			shown.Set(name, value.String(v))
		}
		details.Set("assignedVariables", shown)
		details.Set("assignedVariablesDetails", value.Of("truncated", false))
		if f.Variables == nil {
			f.Variables = value.NewObject(variables.Len())
		} else {
			f.Variables = f.Variables.Clone()
		}
		for name, v := range variables.All() {
			f.Variables.Set(name, v)
		}
	}
	x.emit(f, string(f.State.Type)+"StateExited", "stateExitedEventDetails", details)
	x.visited(f, nil, false)
	if next != "" {
		x.enter(f, next, out)
		return nil
	}
	f.State, f.Input, f.Visit, f.Done, f.Output = nil, nil, nil, true, out
	x.touch(f)
	x.done(f)
	return nil
}

// done is called when a frame has reached its end.
func (x *Execution) done(f *frame) {
	p := x.frames[f.Parent]
	if p == nil {
		x.end(Succeeded, f.Output, Failure{}, f.Pointer)
		return
	}
	x.childDone(p, f)
}

func (x *Execution) tooLarge(what string) *Failure {
	return &Failure{
		Error: "States.DataLimitExceeded",
		Cause: fmt.Sprintf("The state/task '%s' returned a result with a size exceeding the maximum number of bytes service limit.", what),
	}
}
