package asl

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/value"
)

// Replay makes an execution anew from its history: it finds out which inputs led
// to the events, gives them again and compares what comes of them, event by event.
// The execution stands where the history ends. What leaves no trace there is not known to
// it: an outcome sent with a task token that came before the service's own answer,
// and attempts that failed before they could tell of it.
//
// The error says where the history is not one of this machine, or that it lacks
// the result of a map run because the state made something else of it.
func Replay(m *Machine, info Info, history []*Event) (*Execution, error) {
	r := &replayer{x: New(m, info), history: history}
	for r.at < len(history) {
		if err := r.next(); err != nil {
			return nil, fmt.Errorf("replay a history: event %d (%s): %w", history[r.at].ID, history[r.at].Type, err)
		}
	}
	if len(history) > 0 {
		if err := r.quiet(history[len(history)-1].Time); err != nil {
			return nil, err
		}
	}
	clear(r.x.changed)
	return r.x, nil
}

// replayer is where a replay stands.
type replayer struct {
	x       *Execution
	history []*Event
	at      int
}

// begin prepares for events of a time.
func (r *replayer) begin(t time.Time) { r.x.now, r.x.out = t.UTC(), Result{} }

// next replays the next event, and those that came with it.
func (r *replayer) next() error {
	at, e := r.at, r.history[r.at]
	if err := r.quiet(e.Time); err != nil || r.at > at {
		return err
	}
	x := r.x
	r.begin(e.Time)
	in, f, err := r.input(e)
	switch {
	case err != nil:
		return err
	case in != nil && f != nil && f.Visit.Waits == waitsRetry:
		r.retry(f, e)
	case in != nil && in.Kind == inputBegin:
		x.startTask(f)
	case in != nil:
		x.apply(*in)
	case e.Type == EventExecutionFailed && e.ID == x.eventLimit() && x.root.Events == e.Previous && x.root.Events == e.ID-1:
		x.endFull() // the events of what led to it did not fit
	case x.root.Status == Running && len(x.root.Ready) > 0:
		r.advance(e)
		x.turn()
		return r.compare()
	}
	x.endAtLimit()
	if len(x.out.Events) == 0 {
		return fmt.Errorf("nothing that the machine waits for leads to it")
	}
	return r.compare()
}

// retry ends the wait for a frame's next attempt, whose turn it is now, and of
// those after it that left no event.
func (r *replayer) retry(f *frame, e *Event) {
	x := r.x
	for f.Visit != nil && f.Visit.Waits == waitsRetry && len(x.out.Events) == 0 {
		r.begin(e.Time)
		x.apply(Input{Kind: InputTimer, Key: f.Visit.Key})
		last := len(x.root.Ready) - 1
		x.root.Ready = slices.Insert(x.root.Ready[:last:last], 0, x.root.Ready[last])
		x.turn()
	}
}

// advance puts the frame that enters its state with the event before others: it had an
// extra turn, as its task was answered before it began.
func (r *replayer) advance(e *Event) {
	if !strings.HasSuffix(e.Type, "StateEntered") {
		return
	}
	name := r.text(e, "name")
	fits := func(f *frame) bool {
		return f != nil && f.State != nil && f.Visit == nil && f.Pointer == e.Previous && f.State.Name == name
	}
	if fits(r.x.frames[r.x.root.Ready[0]]) {
		return
	}
	for _, id := range r.x.root.Ready {
		if fits(r.x.frames[id]) {
			r.x.root.Ready = slices.Insert(slices.Clone(r.x.root.Ready), 0, id)
			return
		}
	}
}

// compare holds what came of the replay against the history.
func (r *replayer) compare() error {
	for _, got := range r.x.out.Events {
		if r.at == len(r.history) {
			r.at--
			return fmt.Errorf("it leads to one more: %s", got.Type)
		}
		want := r.history[r.at]
		if got.ID != want.ID || got.Previous != want.Previous || got.Type != want.Type || got.Key != want.Key || !got.Time.Equal(want.Time) ||
			got.Key != "" && !value.Equal(got.Details, want.Details) {
			return fmt.Errorf("it differs from what the machine does: %s", got.Append(nil))
		}
		r.at++
	}
	return nil
}

// input is what led to the event, and the frame that waited for it; nil when it
// comes of what the execution does by itself.
func (r *replayer) input(e *Event) (*Input, *frame, error) {
	x := r.x
	switch e.Type {
	case EventExecutionStarted:
		return &Input{
			Kind: InputStart, Text: r.text(e, "input"), VersionARN: r.text(e, "stateMachineVersionArn"), AliasARN: r.text(e, "stateMachineAliasArn"),
		}, nil, nil
	case EventExecutionAborted:
		return &Input{Kind: InputAbort, Failure: r.failure(e)}, nil, nil
	case EventExecutionTimedOut:
		return &Input{Kind: InputTimer, Key: x.root.Limit}, nil, nil
	case EventExecutionRedriven:
		return &Input{Kind: InputRedrive}, nil, nil
	}
	return r.ofFrames(e)
}

// ofFrames looks for the frame whose wait the event ended.
func (r *replayer) ofFrames(e *Event) (*Input, *frame, error) {
	var fitting []*frame
	for _, f := range r.x.frames {
		v := f.Visit
		if v == nil || v.Key == 0 {
			continue
		}
		evaluated := e.Type == "EvaluationFailed" && v.Waits == waitsRetry && e.Previous == v.Before && r.text(e, "state") == f.State.Name
		if f.Pointer == e.Previous || evaluated {
			fitting = append(fitting, f)
		}
	}
	slices.SortFunc(fitting, func(a, b *frame) int { return cmp.Compare(a.ID, b.ID) })
	for i, f := range fitting {
		in, err := r.ofFrame(e, f)
		if err != nil || in != nil && (i+1 == len(fitting) || r.leadsTo(e, in)) {
			return in, f, err
		}
	}
	return nil, nil, nil
}

// leadsTo tries an input: after a redrive several frames follow from one event.
func (r *replayer) leadsTo(e *Event, in *Input) bool {
	x, err := Load(r.x.machine, r.x.info, r.x.Pieces())
	if err != nil {
		return false
	}
	trial := &replayer{x: x, history: r.history, at: r.at}
	trial.begin(e.Time)
	x.apply(*in)
	return len(x.out.Events) > 0 && trial.compare() == nil
}

// ofFrame is what led to an event that follows from the frame's last; nil when
// it comes of what the frame, or another, does by itself.
func (r *replayer) ofFrame(e *Event, f *frame) (*Input, error) {
	begins := slices.ContainsFunc([]string{"Entered", "Scheduled", "Started"}, func(end string) bool { return strings.HasSuffix(e.Type, end) })
	switch f.Visit.Waits {
	case waitsTimer:
		if begins {
			return nil, nil // another frame's, which was redriven with this one
		}
		return &Input{Kind: InputTimer, Key: f.Visit.Key}, nil
	case waitsRetry:
		return &Input{Kind: InputTimer, Key: f.Visit.Key}, nil
	case waitsTask:
		return r.taskInput(e, f.Visit.Key), nil
	case waitsStart:
		return r.early(f), nil
	case waitsRun:
		return r.runInput(e, f)
	case waitsChildren:
	}
	return nil, nil
}

// early is what led to the start of a task before the frame's turn to tell of it:
// its answer, which may have come by the token and then leaves no event yet. Nil
// is its turn.
func (r *replayer) early(f *frame) *Input {
	if r.x.root.Ready[0] == f.ID {
		return nil
	}
	if r.at+1 < len(r.history) && r.history[r.at+1].Previous == r.history[r.at].ID {
		if in := r.taskInput(r.history[r.at+1], f.Visit.Key); in != nil {
			return in
		}
	}
	return &Input{Kind: inputBegin}
}

// inputBegin is a task's answer of which the history tells only that it had begun.
const inputBegin InputKind = "begin"

// tells reports whether a turn of the frame surely leads to an event.
func tells(f *frame) bool {
	return f != nil && f.State != nil && (f.Visit == nil || f.Visit.Waits == waitsStart)
}

// taskInput is what led to an event of a task.
func (r *replayer) taskInput(e *Event, key int64) *Input {
	what := e.Type
	for _, kind := range []string{"Task", "LambdaFunction"} {
		what = strings.TrimPrefix(what, kind)
	}
	switch strings.TrimPrefix(what, "Activity") {
	case "Submitted":
		return &Input{Kind: InputSubmitted, Key: key, Output: r.output(e)}
	case "Started":
		if what == e.Type {
			return &Input{Kind: InputWorker, Key: key, Text: r.text(e, "workerName")}
		}
	case "Succeeded":
		return &Input{Kind: InputSucceeded, Key: key, Output: r.output(e)}
	case "Failed":
		return &Input{Kind: InputFailed, Key: key, Failure: r.failure(e)}
	case "SubmitFailed", "StartFailed":
		return &Input{Kind: InputFailed, Key: key, Failure: r.failure(e), StartFailed: true}
	case "TimedOut":
		return &Input{Kind: InputTimedOut, Key: key}
	}
	return nil
}

// runInput is what led to an event of a map run.
func (r *replayer) runInput(e *Event, f *frame) (*Input, error) {
	in := &Input{Key: f.Visit.Key}
	switch e.Type {
	case "MapRunStarted":
		in.Kind, in.Text = InputRunStarted, r.text(e, "mapRunArn")
	case "MapRunFailed":
		in.Kind, in.Failure = InputFailed, r.failure(e)
	case "MapRunSucceeded":
		in.Kind = InputSucceeded
		var ok bool
		if in.Output, ok = r.runResult(e, f.State); !ok {
			return nil, fmt.Errorf("the result of the map run of the state %q is not in the history", f.State.Name)
		}
	default:
		return nil, nil // nothing led to it
	}
	return in, nil
}

// runResult finds the result of a map run in what the state gave, which no event
// tells by itself.
func (r *replayer) runResult(e *Event, s *State) (any, bool) {
	path := s.ResultPath
	if s.Language == JSONPath && path != nil && path.Null && s.ResultSelector == nil && s.Assign == nil {
		return nil, true // whatever it was, it was dropped
	}
	if s.Output != nil || s.Assign != nil || s.OutputPath != nil || s.ResultSelector != nil {
		return nil, false
	}
	for _, after := range r.history[r.at:] {
		if after.Previous != e.ID || after.Type != "MapStateExited" {
			continue
		}
		out := r.output(after)
		if path == nil {
			return out, true
		}
		v, failure := path.eval(&scope{language: JSONPath, input: out})
		return v, failure == nil
	}
	return nil, false
}

func (r *replayer) text(e *Event, key string) string {
	if e.Details == nil {
		return ""
	}
	return members{e.Details}.text(key)
}

func (r *replayer) output(e *Event) any {
	v, err := value.Parse([]byte(r.text(e, "output")))
	if err != nil {
		return nil // the comparison tells
	}
	return v
}

// failure is what an event tells of one; what is left out was left out by whoever
// sent it with a task token.
func (r *replayer) failure(e *Event) Failure {
	if e.Details == nil {
		return Failure{}
	}
	return Failure{Error: r.text(e, "error"), Cause: r.text(e, "cause"), Nulls: true}
}

// quiet gives frames their turn that may do nothing with it, as long as no event
// comes of it but those which the history has next.
func (r *replayer) quiet(t time.Time) error {
	for r.x.root.Status == Running && len(r.x.root.Ready) > 0 && !tells(r.x.frames[r.x.root.Ready[0]]) {
		before := r.x.Pieces()
		r.begin(t)
		r.x.turn()
		if len(r.x.out.Events) == 0 {
			continue
		}
		at := r.at
		if r.compare() == nil {
			return nil // it was its turn
		}
		r.at = at
		var err error
		r.x, err = Load(r.x.machine, r.x.info, before)
		return err
	}
	return nil
}
