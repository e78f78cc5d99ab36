package asl

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/value"
)

// Status is where an execution stands.
type Status string

// The statuses of an execution.
const (
	Running   Status = "RUNNING"
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	TimedOut  Status = "TIMED_OUT"
	Aborted   Status = "ABORTED"
)

// Info is what an execution knows of itself: it fills the context object.
type Info struct {
	ExecutionARN, Name, RoleARN string
	MachineARN, MachineName     string
	Started                     time.Time
	// Input is the execution's input.
	Input any
	// Seed makes the chances of the execution its own.
	Seed uint64
	// Express executions have no task tokens of their own and no redrive count.
	Express bool
	// Token makes the task token of the action with the key; nil makes none.
	Token func(key int64) string
	// Prepare completes a task's parameters before they are shown; nil leaves them.
	Prepare func(resource string, parameters any) any
	// Limits bound it; zero fields take AWS' own.
	Limits Limits
}

// Limits bound an execution.
type Limits struct {
	// Events is the length of a history at which a standard execution fails; 0 is 25,000.
	Events int64
	// Payload is the size in bytes of the largest input or output; 0 is 256 KiB.
	Payload int
	// Step is the number of events after which a step is stored; 0 is 1,000.
	Step int
	// Depth bounds recursion and Steps the work of one JSONata expression; 0 takes jsonata's.
	JSONataDepth, JSONataSteps int
}

// AWS' own limits.
const (
	DefaultEvents  = 25_000
	DefaultPayload = 256 << 10
)

// Execution is the position of an execution: a tree of frames, each with the
// state that a line of control is in. It is kept as pieces, of which a step
// changes few however long the history is.
type Execution struct {
	machine *Machine
	info    Info
	root    root
	frames  map[int64]*frame
	// items of Map states, by the frame in which the Map is.
	items map[int64][]any
	// byKey finds the frame that waits for an action; nil until it is asked for.
	byKey map[int64]int64

	// Of the step under way.
	now     time.Time
	out     Result
	changed map[string]bool
	// seen is nil but in a trial of one state.
	seen *inspection
}

// root is what there is once in an execution.
type root struct {
	Status Status `json:"status"`
	// Events is the number of the last event.
	Events int64 `json:"events"`
	// Serial numbers frames and actions.
	Serial int64 `json:"serial"`
	// Ready lists the frames that go on by themselves, in order.
	Ready    []int64 `json:"ready,omitempty"`
	Redrives int     `json:"redrives,omitempty"`
	// Limit is the key of the execution's own timeout; 0 for none.
	Limit int64 `json:"limit,omitempty"`
}

// Result is what a step leads to.
type Result struct {
	// Events are to be appended to the history.
	Events []*Event
	// Actions are to be performed once the step is stored.
	Actions []*Action
	// Finished lists the keys of actions whose outcome was taken, Cancelled of
	// those that nobody waits for any more.
	Finished, Cancelled []int64
	// Visits are the states entered or left.
	Visits []*Visit
	// Ended: Status is final, with Output or the failure.
	Ended   bool
	Status  Status
	Output  any
	Failure Failure
	// More: the step stopped only to be stored; Step goes on when called without inputs.
	More bool
}

// Visit is one visit of a state.
type Visit struct {
	// Entered is the event with which it began: it names the visit.
	Entered int64
	State   *State
	Input   any
	Began   time.Time
	// Ended is zero while it lasts. Failure is set when it ended badly; Aborted
	// when something else ended it.
	Ended    time.Time
	Failure  *Failure
	Aborted  bool
	Attempts int
	// Branch is the way by which it ended, when it ended well: Choices[1],
	// Default, Catch[0]; "" for Next and End.
	Branch string
}

// stepEvents bounds the events of one step, so that an endless loop is stored
// now and then and others have their turn.
const stepEvents = 1000

// New returns an execution that has not begun.
func New(m *Machine, info Info) *Execution {
	return &Execution{
		machine: m, info: info, root: root{Status: Running},
		frames: map[int64]*frame{}, items: map[int64][]any{}, changed: map[string]bool{},
	}
}

// Status is where the execution stands.
func (x *Execution) Status() Status { return x.root.Status }

// Events is the length of the history.
func (x *Execution) Events() int64 { return x.root.Events }

// Redrives is how often the execution was redriven.
func (x *Execution) Redrives() int { return x.root.Redrives }

// Step applies what has happened, runs on until nothing is left to do without
// waiting, or the step is long enough, and returns what came of it. Inputs for
// what is no longer waited for are passed over, so one that comes twice counts once.
func (x *Execution) Step(now time.Time, inputs ...Input) *Result {
	x.now, x.out = now.UTC().Truncate(time.Millisecond), Result{}
	for _, in := range inputs {
		if x.root.Status == Running || in.Kind == InputRedrive {
			x.apply(in)
			x.endAtLimit()
		}
	}
	for x.root.Status == Running && len(x.root.Ready) > 0 {
		if len(x.out.Events) >= cmp.Or(x.info.Limits.Step, stepEvents) {
			x.out.More = true
			break
		}
		x.turn()
	}
	x.out.Status = x.root.Status
	return &x.out
}

// turn lets the first of the frames that are ready go on.
func (x *Execution) turn() {
	id := x.root.Ready[0]
	x.root.Ready = x.root.Ready[1:]
	x.dirty("root")
	if f := x.frames[id]; f != nil && f.State != nil {
		x.tick(f)
	}
	x.endAtLimit()
}

// endAtLimit fails an execution whose history is full: the last event that fits
// tells of it.
func (x *Execution) endAtLimit() {
	if most := x.eventLimit(); !x.info.Express && x.root.Status == Running && x.root.Events >= most {
		surplus := int(x.root.Events - most + 1)
		x.out.Events = x.out.Events[:max(0, len(x.out.Events)-surplus)]
		x.root.Events = most - 1
		x.endFull()
	}
}

// endFull fails the execution with the last event that its history takes.
func (x *Execution) endFull() {
	x.end(Failed, nil, Failure{
		Error: errRuntime, Cause: fmt.Sprintf("The execution reached the maximum number of history events (%d).", x.eventLimit()),
	}, x.root.Events)
}

func (x *Execution) eventLimit() int64 {
	if x.info.Limits.Events > 0 {
		return x.info.Limits.Events
	}
	return DefaultEvents
}

func (x *Execution) payloadLimit() int {
	if x.info.Limits.Payload > 0 {
		return x.info.Limits.Payload
	}
	return DefaultPayload
}

// begin is the first step of an execution.
func (x *Execution) begin(in Input) {
	details := data(value.NewObject(4), "input", x.info.Input)
	if in.Text != "" {
		details.Set("input", in.Text) // as the caller wrote it
	}
	details.Set("roleArn", x.info.RoleARN)
	if in.VersionARN != "" {
		details.Set("stateMachineVersionArn", in.VersionARN)
	}
	if in.AliasARN != "" {
		details.Set("stateMachineAliasArn", in.AliasARN)
	}
	x.aside(0, EventExecutionStarted, "executionStartedEventDetails", details)
	x.limit(x.info.Started)
	f := x.newFrame(0, 0)
	f.Pointer = 0
	x.enter(f, x.machine.StartAt, x.info.Input)
}

// expressSeconds is how long an express execution may take.
const expressSeconds = 300

// limit begins the time that the execution has, if it is bounded.
func (x *Execution) limit(from time.Time) {
	seconds := x.machine.TimeoutSeconds
	if x.info.Express && (seconds == 0 || seconds > expressSeconds) {
		seconds = expressSeconds
	}
	if seconds == 0 {
		return
	}
	x.root.Limit = x.serial()
	x.act(&Action{Key: x.root.Limit, Kind: ActionTimer, At: from.Add(time.Duration(seconds) * time.Second)})
}

// end finishes the execution. Its frames stay as they are, for a redrive.
func (x *Execution) end(s Status, output any, failure Failure, previous int64) {
	for _, f := range x.inOrder() {
		x.cancel(f)
		if f.Visit != nil && !f.Visit.Failed {
			x.visited(f, nil, true)
		}
	}
	x.root.Status, x.root.Ready = s, nil
	x.dirty("root")
	x.out.Ended, x.out.Output, x.out.Failure = true, output, failure
	switch s {
	case Succeeded:
		x.aside(previous, EventExecutionSucceeded, "executionSucceededEventDetails", data(value.NewObject(2), "output", output))
	case Failed:
		x.aside(previous, EventExecutionFailed, "executionFailedEventDetails", failureDetails(failure))
	case Aborted:
		x.aside(0, EventExecutionAborted, "executionAbortedEventDetails", failureDetails(failure))
	case TimedOut:
		x.aside(x.inOrder()[0].Pointer, EventExecutionTimedOut, "executionTimedOutEventDetails", failureDetails(failure))
	case Running:
	}
	if x.root.Limit != 0 {
		x.out.Cancelled = append(x.out.Cancelled, x.root.Limit)
		x.root.Limit = 0
	}
}

// inOrder lists the frames as they were made.
func (x *Execution) inOrder() []*frame {
	return slices.SortedFunc(maps.Values(x.frames), func(a, b *frame) int { return cmp.Compare(a.ID, b.ID) })
}

// finished takes the outcome of the action that the frame waits for.
func (x *Execution) finished(f *frame) {
	if f.Visit.Key != 0 {
		x.out.Finished = append(x.out.Finished, f.Visit.Key)
	}
	f.Visit.Key = 0
	x.touch(f)
}

// ready lets the frame go on by itself, after those that are ready before it.
func (x *Execution) ready(f *frame) {
	x.root.Ready = append(x.root.Ready, f.ID)
	x.dirty("root")
}

func (x *Execution) serial() int64 {
	x.root.Serial++
	x.dirty("root")
	return x.root.Serial
}

// act hands an action out.
func (x *Execution) act(a *Action) { x.out.Actions = append(x.out.Actions, a) }

// chance returns the source of chance for what happens now: the same whenever
// the history is replayed.
func (x *Execution) chance() *rand.Rand {
	return rand.New(rand.NewPCG(x.info.Seed, uint64(x.root.Events)<<16|uint64(x.root.Serial&0xffff)))
}
