package asl

import (
	"math"
	"time"

	"github.com/leat-dev/leat/internal/value"
)

// Trial is a state to be tried on its own.
type Trial struct {
	// Name is the state's, however deep it is nested in the machine. Single tells
	// that the machine was made for the state alone.
	Name   string
	Single bool
	Info   Info
	Input  any
	// Variables may be nil. Context replaces the context object when it is not nil.
	Variables, Context *value.Object
	// Work stands for what the state does outside: a Task's call, the branches of a
	// Parallel state, the iterations of a Map.
	Work func(Action) (any, *Failure)
	// Retries is how often the state was tried again before.
	Retries int64
	// FailedItems is how many iterations of a Map failed; ReaderData is what its
	// ItemReader read, nil when it was not told.
	FailedItems int
	ReaderData  []any
}

// TrialStatus says how a trial ended.
type TrialStatus string

// The ends of a trial.
const (
	TrialSucceeded TrialStatus = "SUCCEEDED"
	TrialFailed    TrialStatus = "FAILED"
	TrialRetriable TrialStatus = "RETRIABLE"
	TrialCaught    TrialStatus = "CAUGHT_ERROR"
)

// TrialResult is what came of a trial.
type TrialResult struct {
	Status TrialStatus
	// Output is set when the state was left by Next, End or a Catch: HasOutput.
	Output    any
	HasOutput bool
	// Failure is nil when nothing failed.
	Failure *Failure
	Next    string
	// Seen holds the values on the way, by the names that TestState gives them.
	Seen *value.Object
}

// errTolerance is the failure of a Map too many of whose iterations failed.
const errTolerance = "States.ExceedToleratedFailureThreshold"

// trial is a Trial under way.
type trial struct {
	Trial
	x   *Execution
	f   *frame
	out *TrialResult
}

// Try tries a state. Runtime failures come without the place at which an
// execution would have been.
func (m *Machine) Try(now time.Time, in Trial) *TrialResult {
	t := &trial{Trial: in, x: New(m, in.Info), out: &TrialResult{Seen: value.NewObject(8)}}
	t.x.now = now.UTC().Truncate(time.Millisecond)
	t.x.info.Input = in.Input
	s, _ := m.State(in.Name)
	t.f = t.x.newFrame(0, 0)
	t.f.State, t.f.Input, t.f.Variables = s, in.Input, in.Variables
	t.f.Visit = &visit{Time: t.x.now, Attempts: make([]int64, len(s.Retry)), Retries: int(in.Retries)}
	t.see("input", in.Input)
	if in.Variables != nil && in.Variables.Len() > 0 {
		t.see("variables", in.Variables)
	}
	if failure := t.run(); failure != nil {
		t.handle(*failure)
	}
	return t.out
}

func (t *trial) see(key string, v any) { t.out.Seen.Set(key, v) }

func (t *trial) run() *Failure {
	switch t.f.State.Type {
	case Pass:
		return t.pass()
	case Choice:
		return t.choose()
	case Succeed, Wait:
		return t.plain()
	case Fail:
		return t.fail()
	case Task, Parallel:
		return t.work()
	case Map:
		return t.mapped()
	}
	return nil
}

// scope is what expressions see, with "$" being the input.
func (t *trial) scope(input any) *scope {
	sc := t.x.scope(t.f, input)
	if t.Context == nil {
		return sc
	}
	sc.context = t.Context
	if sc.states != nil {
		sc = sc.with("context", t.Context)
	}
	return sc
}

func (t *trial) jsonata() bool { return t.f.State.Language == JSONata }

// effective is the input after InputPath, shown when the state is tried alone or has one.
func (t *trial) effective(shown bool) (any, *Failure) {
	in, p := t.f.Input, t.f.State.InputPath
	if p != nil {
		var failure *Failure
		if p.Null {
			in = value.NewObject(0)
		} else if in, failure = p.eval(t.scope(in)); failure != nil {
			return nil, failure
		}
	}
	if shown && !t.jsonata() {
		t.see("afterInputPath", in)
	}
	return in, nil
}

// arguments is what the state hands on.
func (t *trial) arguments() (any, *Failure) {
	s := t.f.State
	if t.jsonata() {
		if s.Arguments == nil {
			return t.f.Input, nil
		}
		in, failure := s.Arguments.eval(t.scope(t.f.Input), "Arguments")
		if failure == nil && s.Type == Task {
			t.see("afterArguments", in)
		}
		return in, failure
	}
	in, failure := t.effective(s.Type != Parallel)
	if failure != nil {
		return nil, failure
	}
	if s.Parameters != nil {
		if in, failure = s.Parameters.eval(t.scope(in), "Parameters"); failure != nil {
			return nil, failure
		}
	}
	if s.Parameters != nil || s.Type == Task || s.Type == Pass {
		t.see("afterParameters", in)
	}
	return in, nil
}

func (t *trial) pass() *Failure {
	s := t.f.State
	result := t.f.Input
	if s.HasResult && !t.jsonata() {
		// What goes before the result is evaluated, but not shown.
		before := t.out.Seen.Clone()
		if _, failure := t.arguments(); failure != nil {
			return failure
		}
		t.out.Seen = before
		t.see("result", s.Result)
		return t.finish(s.Result, false)
	}
	if !t.jsonata() {
		var failure *Failure
		if result, failure = t.arguments(); failure != nil {
			return failure
		}
	}
	return t.finish(result, false)
}

func (t *trial) choose() *Failure {
	s := t.f.State
	in, failure := t.effective(t.Single || s.InputPath != nil)
	if failure != nil {
		return failure
	}
	sc := t.scope(in)
	for _, rule := range s.Choices {
		ok, failure := rule.matches(sc)
		if failure != nil {
			return failure
		}
		if ok {
			return t.leave(sc, in, in, rule.Next, rule.Assign, rule.Output)
		}
	}
	if s.Default == "" {
		return &Failure{Error: "States.NoChoiceMatched", Cause: "No choice rule matched and there is no Default."}
	}
	return t.leave(sc, in, in, s.Default, s.Assign, s.Output)
}

// plain ends a Succeed or a Wait state, which does not wait.
func (t *trial) plain() *Failure {
	s := t.f.State
	in, failure := t.effective(t.Single || s.InputPath != nil)
	if failure != nil {
		return failure
	}
	sc := t.scope(in)
	if w := s.Wait; w != nil {
		if w.Seconds != nil {
			_, failure = w.Seconds.seconds(sc)
		} else {
			_, failure = w.Timestamp.time(sc)
		}
		if failure != nil {
			return failure
		}
	}
	return t.leave(sc, in, in, s.Next, s.Assign, s.Output)
}

// fail ends a Fail state: its failure is what was asked for.
func (t *trial) fail() *Failure {
	if _, failure := t.effective(t.Single); failure != nil {
		return failure
	}
	failure := &Failure{}
	sc := t.scope(t.f.Input)
	for _, part := range []struct {
		from *scalar
		into *string
	}{{t.f.State.Fail.Error, &failure.Error}, {t.f.State.Fail.Cause, &failure.Cause}} {
		if part.from == nil {
			continue
		}
		text, bad := part.from.text(sc)
		if bad != nil {
			return bad
		}
		*part.into = text
	}
	return failure
}

// work ends a Task or a Parallel state.
func (t *trial) work() *Failure {
	s := t.f.State
	in, failure := t.arguments()
	if failure != nil {
		return failure
	}
	a := Action{Kind: ActionTask, State: s.Name, Parameters: in}
	if s.Task != nil {
		a.Resource = s.Task.Resource
		if t.Info.Prepare != nil {
			a.Parameters = t.Info.Prepare(a.Resource, in)
		}
	}
	result, failure := t.Work(a)
	if failure != nil {
		return failure
	}
	if s.Type == Task && !t.jsonata() {
		t.see("result", result)
	}
	return t.finish(result, true)
}

// mapped ends a Map state: its iterations are not run.
func (t *trial) mapped() *Failure {
	in, failure := t.effective(true)
	if failure != nil {
		return failure
	}
	m, sc := t.f.State.Map, t.scope(in)
	items := t.ReaderData
	if m.Reader == nil {
		if items, failure = t.x.itemsOf(t.f, sc); failure != nil {
			return failure
		}
		if !t.jsonata() {
			t.see("afterItemsPath", items)
		}
	}
	concurrency := int64(0)
	if m.MaxConcurrency != nil {
		if concurrency, failure = m.MaxConcurrency.count(sc); failure != nil {
			return failure
		}
	}
	t.see("maxConcurrency", concurrency)
	exceeded, failure := t.tolerance(sc, len(items))
	if failure != nil {
		return failure
	}
	result, failure := t.Work(Action{Kind: ActionMapRun, State: t.f.State.Name, Parameters: items})
	if failure != nil {
		return failure
	}
	if exceeded {
		return &Failure{Error: errTolerance, Cause: "The specified tolerated failure threshold was exceeded"}
	}
	return t.finish(result, true)
}

// tolerance tells whether more iterations failed than may.
func (t *trial) tolerance(sc *scope, items int) (exceeded bool, failure *Failure) {
	m := t.f.State.Map
	if m.ToleratedCount == nil && m.ToleratedPercentage == nil {
		return t.FailedItems > 0, nil
	}
	if m.ToleratedCount != nil {
		n, failure := m.ToleratedCount.count(sc)
		if failure != nil {
			return false, failure
		}
		t.see("toleratedFailureCount", n)
		exceeded = int64(t.FailedItems) > n
	}
	if m.ToleratedPercentage != nil {
		p, failure := m.ToleratedPercentage.float(sc)
		if failure != nil {
			return false, failure
		}
		t.see("toleratedFailurePercentage", p)
		exceeded = exceeded || float64(t.FailedItems)*100 > p*float64(items)
	}
	return exceeded, nil
}

// finish ends a state that came to a result; see Execution.finish.
func (t *trial) finish(result any, fromWork bool) *Failure {
	s := t.f.State
	if t.jsonata() {
		sc := t.scope(t.f.Input)
		if fromWork {
			sc = sc.with("result", result)
		}
		return t.leave(sc, result, result, s.Next, s.Assign, s.Output)
	}
	sc := t.scope(result)
	selected := result
	if fromWork && s.ResultSelector != nil {
		var failure *Failure
		if selected, failure = s.ResultSelector.eval(sc, "ResultSelector"); failure != nil {
			return failure
		}
	}
	t.see("afterResultSelector", selected)
	out := selected
	if s.ResultPath != nil {
		var failure *Failure
		if out, failure = s.ResultPath.set(t.f.Input, selected); failure != nil {
			return failure
		}
	}
	t.see("afterResultPath", out)
	return t.leave(sc, result, out, s.Next, s.Assign, nil)
}

// leave assigns variables and makes the output; see Execution.leave.
func (t *trial) leave(sc *scope, assigned, out any, next string, assign, output *template) *Failure {
	variables, failure := t.x.assigned(sc.on(assigned), assign)
	if failure != nil {
		return failure
	}
	if output != nil {
		if out, failure = output.eval(sc, "Output"); failure != nil {
			return failure
		}
	} else if p := t.f.State.OutputPath; p != nil {
		if p.Null {
			out = value.NewObject(0)
		} else if out, failure = p.eval(sc.on(out)); failure != nil {
			return failure
		}
	}
	t.left(TrialSucceeded, out, next, variables)
	return nil
}

func (t *trial) left(status TrialStatus, out any, next string, variables *value.Object) {
	t.out.Status, t.out.Output, t.out.HasOutput, t.out.Next = status, out, true, next
	if variables == nil || variables.Len() == 0 {
		return
	}
	all := value.NewObject(variables.Len())
	if t.Variables != nil {
		all = t.Variables.Clone()
	}
	t.see("variables", merge(all, variables))
}

// handle looks for a Retry and then for a Catch.
func (t *trial) handle(failure Failure) {
	t.out.Failure = &failure
	s := t.f.State
	for i, r := range s.Retry {
		if !matchesError(r.ErrorEquals, failure) {
			continue
		}
		if t.Retries < r.MaxAttempts {
			seconds := float64(r.IntervalSeconds) * math.Pow(r.BackoffRate, float64(t.Retries))
			if r.MaxDelaySeconds > 0 {
				seconds = min(seconds, float64(r.MaxDelaySeconds))
			}
			t.out.Status = TrialRetriable
			t.see("errorDetails", value.Of("retryBackoffIntervalSeconds", int64(seconds), "retryIndex", int64(i)))
			return
		}
		break // the first retrier that matches decides
	}
	for i, c := range s.Catch {
		if matchesError(c.ErrorEquals, failure) {
			t.see("errorDetails", value.Of("catchIndex", int64(i)))
			if bad := t.caught(c, failure); bad != nil {
				t.out.Failure, t.out.Status = bad, TrialFailed
			}
			return
		}
	}
	t.out.Status = TrialFailed
}

// caught leaves the state by a Catch; see Execution.caught.
func (t *trial) caught(c *Catcher, failure Failure) *Failure {
	errOut := errorOutput(failure)
	var out any = errOut
	sc := t.scope(errOut).with("errorOutput", errOut)
	variables, bad := t.x.assigned(sc, c.Assign)
	if bad != nil {
		return bad
	}
	switch {
	case c.Output != nil:
		if out, bad = c.Output.eval(sc, "Output"); bad != nil {
			return bad
		}
	case c.ResultPath != nil:
		if out, bad = c.ResultPath.set(t.f.Input, errOut); bad != nil {
			return bad
		}
	}
	t.left(TrialCaught, out, c.Next, variables)
	return nil
}

// WritesResults tells whether a Map state has a ResultWriter.
func (s *State) WritesResults() bool { return s.Map != nil && s.Map.Writer != nil }

// Resource is a Task state's resource, "" for others.
func (s *State) Resource() string {
	if s.Task == nil {
		return ""
	}
	return s.Task.Resource
}
