package asl

import (
	"math"
	"slices"
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
	// FailedItems is how many iterations of a Map failed.
	FailedItems int
	// Read gives what a Map's ItemReader read; nil for nothing.
	Read func(*Transfer) (ItemsRead, *Failure)
}

// ItemsRead is what an ItemReader read.
type ItemsRead struct {
	Items []any
	// Pointed is what the reader's ItemsPointer led to; HasPointed tells null from none.
	Pointed    any
	HasPointed bool
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

// The names that TestState gives to what it shows.
const (
	seenInputPath      = "afterInputPath"
	seenParameters     = "afterParameters"
	seenArguments      = "afterArguments"
	seenResult         = "result"
	seenSelected       = "afterResultSelector"
	seenResultPath     = "afterResultPath"
	seenItemsPath      = "afterItemsPath"
	seenItemSelector   = "afterItemSelector"
	seenItemBatcher    = "afterItemBatcher"
	seenItemsPointer   = "afterItemsPointer"
	seenConcurrency    = "maxConcurrency"
	seenToleratedCount = "toleratedFailureCount"
	seenToleratedPart  = "toleratedFailurePercentage"
	seenVariables      = "variables"
	seenErrorDetails   = "errorDetails"
)

// inspection watches an execution of one state. Its methods do nothing on nil:
// nobody watches an execution that is not a trial.
type inspection struct {
	Trial
	// item: the state is within a Map, whose only item its input is taken for.
	item bool
	out  *TrialResult
}

// Try tries a state: it is the interpreter's own way through it, which ends
// where the execution would go on. The causes of its failures come without the
// place, which an execution would tell.
func (m *Machine) Try(now time.Time, in Trial) *TrialResult {
	x := New(m, in.Info)
	x.seen = &inspection{Trial: in, item: m.inMap(in.Name), out: &TrialResult{Status: TrialFailed, Seen: value.NewObject(8)}}
	x.now = now.UTC().Truncate(time.Millisecond)
	x.info.Input = in.Input
	s, ok := m.State(in.Name)
	if !ok {
		x.seen.failed(*runtimeFailure("The state '%s' is not in the definition.", in.Name))
		return x.seen.out
	}
	f := x.newFrame(0, 0)
	f.State, f.Input, f.Variables = s, in.Input, in.Variables
	f.Visit = &visit{Time: x.now, Attempts: make([]int64, len(s.Retry)), Retries: int(in.Retries)}
	for i := range f.Visit.Attempts {
		f.Visit.Attempts[i] = in.Retries
	}
	x.seen.out.Seen.Set("input", in.Input)
	if in.Variables != nil && in.Variables.Len() > 0 {
		x.seen.out.Seen.Set(seenVariables, in.Variables)
	}
	if s.Type == Fail {
		x.seen.note(s, seenInputPath, in.Input)
	}
	x.attempt(f)
	x.tryWork(f)
	return x.seen.out
}

// tryWork does what the state now waits for, and lets it go on.
func (x *Execution) tryWork(f *frame) {
	if f.Visit == nil {
		return
	}
	var failure *Failure
	switch f.Visit.Waits {
	case waitsStart, waitsTask:
		failure = x.tryTask(f, x.handedOut(f))
	case waitsRun:
		failure = x.tryRun(f, x.handedOut(f))
	case waitsChildren:
		failure = x.tryChildren(f)
	case waitsTimer, waitsRetry:
	}
	if failure != nil {
		x.fails(f, *failure)
	}
}

// handedOut is the action that the frame waits for.
func (x *Execution) handedOut(f *frame) *Action {
	for _, a := range x.out.Actions {
		if a.Key == f.Visit.Key {
			return a
		}
	}
	return &Action{State: f.State.Name}
}

func (x *Execution) tryTask(f *frame, a *Action) *Failure {
	out, failure := x.seen.Work(*a)
	if failure != nil {
		return failure
	}
	if failure := x.overlarge(f, out); failure != nil {
		return failure
	}
	x.seen.note(f.State, seenResult, out)
	return x.finish(f, out, true)
}

// tryChildren goes on after branches or iterations, which are not run.
func (x *Execution) tryChildren(f *frame) *Failure {
	out, failure := x.seen.Work(Action{State: f.State.Name})
	if failure != nil {
		return failure
	}
	if f.State.Type == Map && x.seen.FailedItems > 0 {
		exceeded := ToleranceExceeded()
		return &exceeded
	}
	x.drop(f)
	return x.finish(f, out, true)
}

// tryRun goes on after a distributed Map's items, which are not run.
func (x *Execution) tryRun(f *frame, a *Action) *Failure {
	run := a.Run
	if run.Reader != nil && x.seen.Read != nil {
		read, failure := x.seen.Read(run.Reader)
		if failure != nil {
			return failure
		}
		if read.HasPointed {
			x.seen.note(f.State, seenItemsPointer, read.Pointed)
		}
		if n := int(run.MaxItems); n > 0 && n < len(read.Items) {
			read.Items = read.Items[:n]
		}
		if run.Items, failure = x.eachSelected(f, read.Items, origin{source: run.Reader.source()}); failure != nil {
			return failure
		}
	}
	if run.Batch {
		batches := run.Inputs(run.Items)
		shown := make([]any, len(batches))
		for i, b := range batches {
			shown[i] = b.Input
		}
		x.seen.note(f.State, seenItemBatcher, shown)
	}
	out, failure := x.seen.Work(*a)
	if failure != nil {
		return failure
	}
	total := max(len(run.Items), x.seen.FailedItems)
	if !Tolerates(run.ToleratedCount, run.ToleratedPercentage, x.seen.FailedItems, total) {
		exceeded := ToleranceExceeded()
		return &exceeded
	}
	return x.finish(f, out, true)
}

// note keeps what a stage of the state gave, as far as the service shows it.
func (n *inspection) note(s *State, key string, v any) {
	if n != nil && n.shows(s, key) {
		n.out.Seen.Set(key, v)
	}
}

// shows tells which stages of which states the service shows.
func (n *inspection) shows(s *State, key string) bool {
	path := s.Language == JSONPath
	switch key {
	case seenInputPath:
		switch s.Type {
		case Pass:
			return path && !s.HasResult
		case Choice, Wait, Succeed, Fail:
			return path && (n.Single || s.InputPath != nil)
		case Parallel:
			return false
		case Task, Map:
		}
		return path
	case seenParameters:
		return path && !s.HasResult && (s.Type == Task || s.Type == Pass || s.Parameters != nil)
	case seenArguments:
		return !path && s.Type == Task && s.Arguments != nil
	case seenSelected, seenResultPath:
		return path && s.Type != Succeed && s.Type != Wait
	case seenItemsPath:
		return path
	}
	return true
}

// context is the context object that was given, or else the execution's own.
func (n *inspection) context(own *value.Object) *value.Object {
	switch {
	case n == nil:
		return own
	case n.Context != nil:
		own = n.Context.Clone()
	}
	if n.item {
		own.Set("Map", value.Of("Item", value.Of("Index", int64(0), "Value", n.Input)))
	}
	return own
}

// inMap tells whether the state is within a Map state.
func (m *Machine) inMap(name string) bool {
	for _, s := range m.all {
		if s != nil && s.Map != nil && s.Map.Processor != nil && s.Map.Processor.holds(name) {
			return true
		}
	}
	return false
}

// holds tells whether a state is in the graph, or in one within it.
func (g *Graph) holds(name string) bool {
	for _, s := range g.States {
		if s.Name == name || s.Map != nil && s.Map.Processor != nil && s.Map.Processor.holds(name) {
			return true
		}
		if slices.ContainsFunc(s.Branches, func(b *Graph) bool { return b.holds(name) }) {
			return true
		}
	}
	return false
}

// retried ends a trial that a Retry would begin anew.
func (n *inspection) retried(i int, seconds float64, failure Failure) bool {
	if n == nil {
		return false
	}
	n.out.Status, n.out.Failure = TrialRetriable, &failure
	n.out.Seen.Set(seenErrorDetails, value.Of("retryBackoffIntervalSeconds", int64(min(seconds, math.MaxInt32)), "retryIndex", int64(i)))
	return true
}

// caught tells that a Catch takes the failure; the state is left next.
func (n *inspection) caught(i int, failure Failure) {
	if n != nil {
		n.out.Status, n.out.Failure = TrialCaught, &failure
		n.out.Seen.Set(seenErrorDetails, value.Of("catchIndex", int64(i)))
	}
}

// failed ends a trial whose failure would go on to what the state is part of.
func (n *inspection) failed(failure Failure) bool {
	if n == nil {
		return false
	}
	n.out.Status, n.out.Failure = TrialFailed, &failure
	return true
}

// left ends a trial whose state would be left for the next one.
func (n *inspection) left(out any, next string, variables *value.Object) bool {
	if n == nil {
		return false
	}
	if n.out.Failure == nil {
		n.out.Status = TrialSucceeded
	}
	n.out.Output, n.out.HasOutput, n.out.Next = out, true, next
	if variables != nil && variables.Len() > 0 {
		all := value.NewObject(variables.Len())
		if n.Variables != nil {
			all = n.Variables.Clone()
		}
		n.out.Seen.Set(seenVariables, merge(all, variables))
	}
	return true
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
