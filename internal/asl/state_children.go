package asl

import (
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// inlineConcurrency is how many iterations of an inline Map run at once when
// the definition does not say.
const inlineConcurrency = 40

// parallel begins a Parallel state.
func (x *Execution) parallel(f *frame) *Failure {
	in, failure := x.arguments(f)
	if failure != nil {
		return failure
	}
	x.emit(f, "ParallelStateStarted", "", nil)
	n := len(f.State.Branches)
	f.Visit.Waits, f.Visit.Size, f.Visit.Next, f.Visit.Running = waitsChildren, n, n, n
	x.touch(f)
	for i, b := range f.State.Branches {
		c := x.newFrame(f.ID, i)
		c.Pointer = f.Pointer
		x.enter(c, b.StartAt, in)
	}
	return nil
}

// mapState begins a Map state.
func (x *Execution) mapState(f *frame) *Failure {
	m := f.State.Map
	in, failure := x.effectiveInput(f)
	if failure != nil {
		return failure
	}
	sc := x.scope(f, in)
	var items []any
	from := origin{source: sourceOfInput}
	if m.Reader == nil {
		if items, from.keyed, failure = x.itemsOf(f, sc); failure != nil {
			return failure
		}
	}
	concurrency := int64(0)
	if m.MaxConcurrency != nil {
		if concurrency, failure = m.MaxConcurrency.count(sc); failure != nil {
			return failure
		}
	}
	x.seen.note(f.State, seenConcurrency, concurrency)
	if m.Distributed {
		return x.mapRun(f, sc, items, from, concurrency)
	}
	if x.seen != nil {
		f.Visit.Waits = waitsChildren // a trial runs no iteration
		_, failure = x.eachSelected(f, items, from)
		return failure
	}
	if concurrency <= 0 {
		concurrency = inlineConcurrency
	}
	x.emit(f, "MapStateStarted", "mapStateStartedEventDetails", value.Of("length", int64(len(items))))
	x.items[f.ID] = items
	x.dirty(itemsOf(f.ID))
	v := f.Visit
	v.Waits, v.Size, v.Next, v.Running, v.Concurrency = waitsChildren, len(items), 0, 0, int(concurrency)
	x.touch(f)
	if len(items) == 0 {
		return x.childrenDone(f)
	}
	x.startChildren(f)
	return nil
}

// itemsOf evaluates a Map state's items; keyed ones are the members of an object.
func (x *Execution) itemsOf(f *frame, sc *scope) (_ []any, keyed bool, _ *Failure) {
	m := f.State.Map
	v, path := sc.input, "$"
	var failure *Failure
	switch {
	case m.Items != nil:
		if v, failure = m.Items.array(sc, "Items"); failure != nil {
			return nil, false, failure
		}
	case m.ItemsPath != nil:
		path = m.ItemsPath.Text
		if strings.HasPrefix(path, "$$") {
			path = path[1:] // the service names the path in the context object
		}
		if v, failure = m.ItemsPath.eval(sc); failure != nil {
			return nil, false, failure
		}
	}
	if items, ok := v.([]any); ok {
		x.seen.note(f.State, seenItemsPath, items)
		return items, false, nil
	}
	if o, ok := v.(*value.Object); ok && m.Distributed {
		items := make([]any, 0, o.Len())
		for k, e := range o.All() {
			items = append(items, value.Of("Key", k, "Value", e))
		}
		x.seen.note(f.State, seenItemsPath, items)
		return items, true, nil
	}
	if f.State.Language == JSONata {
		return nil, false, &Failure{Error: errQueryEvaluation, Cause: "Map state input must be an array but was: " + value.String(v), runtime: true}
	}
	return nil, false, runtimeFailure(`Reference path "%s" must point to array.`, path)
}

// startChildren starts iterations as far as their number at once allows.
func (x *Execution) startChildren(f *frame) {
	v := f.Visit
	items := x.items[f.ID]
	for v.Running < v.Concurrency && v.Next < v.Size {
		i := v.Next
		in, failure := x.selected(f, items[i], i, origin{source: sourceOfInput})
		if failure != nil {
			x.fails(f, *failure)
			return
		}
		c := x.newFrame(f.ID, i)
		c.Pointer = x.aside(f.Pointer, "MapIterationStarted", "mapIterationStartedEventDetails",
			value.Of("name", f.State.Name, "index", int64(i)))
		v.Next++
		v.Running++
		x.touch(f)
		x.enter(c, f.State.Map.Processor.StartAt, in)
	}
}

// selected is an iteration's input.
func (x *Execution) selected(f *frame, item any, index int, from origin) (any, *Failure) {
	selector, field := f.State.Map.ItemSelector, "ItemSelector"
	if selector == nil && f.State.Parameters != nil {
		selector, field = f.State.Parameters, "Parameters"
	}
	if selector == nil {
		return item, nil
	}
	in, failure := x.effectiveInput(f)
	if failure != nil {
		return nil, failure
	}
	sc := x.scope(f, in)
	sc.context.Set("Map", from.context(item, index))
	return selector.eval(sc, field)
}

// eachSelected is what the executions of a map run get of its items.
func (x *Execution) eachSelected(f *frame, items []any, from origin) ([]any, *Failure) {
	if f.State.Map.ItemSelector == nil && f.State.Parameters == nil {
		return items, nil
	}
	out := make([]any, len(items))
	for i, item := range items {
		var failure *Failure
		if out[i], failure = x.selected(f, item, i, from); failure != nil {
			return nil, failure
		}
	}
	x.seen.note(f.State, seenItemSelector, out)
	return out, nil
}

// Selected applies the ItemSelector of the Map state that waits for the action to
// the items that the reader read for it. It changes nothing.
func (x *Execution) Selected(key int64, reader *Transfer, items []any) ([]any, *Failure) {
	f := x.waiting(key)
	if f == nil || f.State == nil || f.State.Map == nil {
		return items, nil
	}
	return x.eachSelected(f, items, origin{source: reader.source()})
}

// childDone is called when a branch or an iteration has come to its end.
func (x *Execution) childDone(p, c *frame) {
	p.Visit.Running--
	p.Pointer = c.Pointer
	x.touch(p)
	last := p.Visit.Running == 0 && p.Visit.Next == p.Visit.Size
	if p.State.Type == Map {
		id := x.aside(c.Pointer, "MapIterationSucceeded", "mapIterationSucceededEventDetails",
			value.Of("name", p.State.Name, "index", int64(c.Slot)))
		if last {
			p.Pointer = id
		}
	}
	if !last {
		x.startChildren(p)
		return
	}
	if failure := x.childrenDone(p); failure != nil {
		x.fails(p, *failure)
	}
}

// childrenDone ends a Parallel or an inline Map state.
func (x *Execution) childrenDone(f *frame) *Failure {
	out := make([]any, f.Visit.Size)
	for _, c := range x.children(f) {
		out[c.Slot] = c.Output
	}
	x.aside(f.Pointer, string(f.State.Type)+"StateSucceeded", "", nil)
	x.drop(f)
	return x.finish(f, out, true)
}

// mapRun begins a distributed Map state.
func (x *Execution) mapRun(f *frame, sc *scope, items []any, from origin, concurrency int64) *Failure {
	m := f.State.Map
	run := &MapRun{
		Items: items, Concurrency: concurrency, ToleratedCount: -1, ToleratedPercentage: -1, ExecutionType: m.ExecutionType, Label: m.Label,
	}
	if f.Visit.Run == "" {
		x.emit(f, "MapStateStarted", "mapStateStartedEventDetails", value.Of("length", int64(len(items))))
	}
	failure := x.describeRun(f, sc, run)
	if failure != nil {
		return failure
	}
	if run.Items, failure = x.eachSelected(f, items, from); failure != nil {
		return failure
	}
	v := f.Visit
	v.Waits, v.Key, v.Submitted = waitsRun, x.serial(), v.Run != ""
	x.touch(f)
	if v.Run != "" {
		x.emit(f, "MapRunRedriven", "mapRunRedrivenEventDetails", value.Of("mapRunArn", v.Run, "redriveCount", int64(v.RunRedrives)))
	}
	x.act(&Action{Key: v.Key, Kind: ActionMapRun, State: f.State.Name, Run: run, Redrive: v.Run, Redrives: v.RunRedrives})
	return nil
}

// describeRun evaluates what a map run needs to know besides its items.
func (x *Execution) describeRun(f *frame, sc *scope, run *MapRun) (failure *Failure) {
	m := f.State.Map
	if m.ToleratedCount != nil {
		if run.ToleratedCount, failure = m.ToleratedCount.count(sc); failure != nil {
			return failure
		}
		x.seen.note(f.State, seenToleratedCount, run.ToleratedCount)
	}
	if m.ToleratedPercentage != nil {
		if run.ToleratedPercentage, failure = m.ToleratedPercentage.float(sc); failure != nil {
			return failure
		}
		if run.ToleratedPercentage < 0 || run.ToleratedPercentage > 100 {
			return runtimeFailure("ToleratedFailurePercentage must be between 0 and 100.")
		}
		x.seen.note(f.State, seenToleratedPart, run.ToleratedPercentage)
	}
	if m.Reader != nil {
		if run.Reader, failure = transfer(sc, m.Reader.Resource, "ItemReader", m.Reader.Arguments, m.Reader.Config); failure != nil {
			return failure
		}
		if m.Reader.MaxItems != nil {
			run.MaxItems, failure = m.Reader.MaxItems.count(sc)
			switch {
			case failure != nil && failure.Error == errItemReader:
				run.MaxItems = -1 // it is the reading that fails
			case failure != nil:
				return failure
			}
		}
	}
	if m.Writer != nil {
		if run.Writer, failure = transfer(sc, m.Writer.Resource, "ResultWriter", m.Writer.Arguments, m.Writer.Config); failure != nil {
			return failure
		}
	}
	if m.Batcher == nil {
		return nil
	}
	run.Batch = true
	if m.Batcher.BatchInput != nil {
		if run.BatchInput, failure = m.Batcher.BatchInput.eval(sc, "ItemBatcher/BatchInput"); failure != nil {
			return failure
		}
	}
	if m.Batcher.MaxItems != nil {
		if run.BatchItems, failure = m.Batcher.MaxItems.count(sc); failure != nil {
			return failure
		}
	}
	if m.Batcher.MaxInputBytes != nil {
		run.BatchBytes, failure = m.Batcher.MaxInputBytes.count(sc)
	}
	return failure
}

func transfer(sc *scope, resource, field string, arguments *template, config *value.Object) (*Transfer, *Failure) {
	t := &Transfer{Resource: resource, Config: config}
	if arguments == nil {
		return t, nil
	}
	var failure *Failure
	name := "Parameters"
	if sc.language == JSONata {
		name = "Arguments"
	}
	t.Parameters, failure = arguments.eval(sc, field+"/"+name)
	return t, failure
}

// runInput moves a distributed Map state by what came of its run.
func (x *Execution) runInput(f *frame, in Input) {
	switch in.Kind {
	case InputRunStarted:
		if !f.Visit.Submitted {
			f.Visit.Submitted, f.Visit.Run = true, in.Text
			x.emit(f, "MapRunStarted", "mapRunStartedEventDetails", value.Of("mapRunArn", in.Text))
			x.touch(f)
		}
	case InputSucceeded:
		x.finished(f)
		x.emit(f, "MapRunSucceeded", "", nil)
		x.aside(f.Pointer, "MapStateSucceeded", "", nil)
		x.touch(f)
		if failure := x.finish(f, in.Output, true); failure != nil {
			x.fails(f, *failure)
		}
	case InputFailed:
		x.finished(f)
		x.emit(f, "MapRunFailed", "mapRunFailedEventDetails", failureDetails(in.Failure))
		x.fails(f, in.Failure)
	default: // nothing else is about a run
	}
}
