package asl

import (
	"time"

	"github.com/leat-dev/leat/internal/value"
)

// frame is one line of control: the execution's own, a branch of a Parallel
// state or an iteration of a Map state.
type frame struct {
	ID int64
	// Parent is the frame whose state this one is part of; 0 for the execution's own.
	Parent int64
	// Slot is the number of the branch or of the item.
	Slot int
	// Pointer is the event that the frame's next one follows from.
	Pointer int64
	// State is where the frame is; nil once it is done. Input is the state's, as
	// it came.
	State *State
	Input any
	// Visit is nil between states.
	Visit *visit
	// Variables are those assigned in this frame.
	Variables *value.Object
	// Done: the frame reached its end with Output.
	Done   bool
	Output any
}

// waits is what a visit waits for.
type waits string

const (
	// waitsTask: the action with the key, whose events have begun.
	waitsTask waits = "task"
	// waitsStart: TaskScheduled is written, TaskStarted comes next.
	waitsStart waits = "start"
	// waitsTimer: a Wait state's time.
	waitsTimer waits = "timer"
	// waitsRetry: the time of the next attempt.
	waitsRetry waits = "retry"
	// waitsChildren: branches or iterations.
	waitsChildren waits = "children"
	// waitsRun: a map run.
	waitsRun waits = "run"
)

// visit is what is known of a state while a frame is in it.
type visit struct {
	// Entered is the event of the entry, Before the one that led to it.
	Entered, Before int64
	Time            time.Time
	// Attempts counts by retrier how often it has been used.
	Attempts []int64
	Retries  int
	Waits    waits
	// Key is of the action that is waited for.
	Key int64
	// Token is the task token in the action's parameters; "" when it has none.
	Token string
	// Early is an outcome that came by the token before the service's own answer.
	Early *Input
	// Submitted: a job or a request that waits for its token was accepted, or a
	// worker has taken the activity's task.
	Submitted bool
	// Branch is the way by which the state is being left; see Visit.
	Branch string

	// Run is the ARN of the map run, once it has begun; RunRedrives is how often
	// it was redriven.
	Run         string
	RunRedrives int
	// Failed: the state failed, and so did what it is part of.
	Failed bool

	// Of a Map or Parallel: how many children there are in all, the next to
	// start, how many run, and how many may run at once.
	Size, Next, Running, Concurrency int
}

// newFrame makes a frame; parent 0 is none.
func (x *Execution) newFrame(parent int64, slot int) *frame {
	f := &frame{ID: x.serial(), Parent: parent, Slot: slot}
	x.frames[f.ID] = f
	x.touch(f)
	return f
}

// enter puts the frame before a state.
func (x *Execution) enter(f *frame, name string, input any) {
	f.State, f.Input, f.Visit = x.graph(f).States[name], input, nil
	x.touch(f)
	x.ready(f)
}

// graph is the set of states that the frame moves in.
func (x *Execution) graph(f *frame) *Graph {
	p := x.frames[f.Parent]
	if p == nil {
		return &x.machine.Graph
	}
	if p.State.Type == Map {
		return p.State.Map.Processor
	}
	return p.State.Branches[f.Slot]
}

// children lists the frames of the state that f is in, by their slots.
func (x *Execution) children(f *frame) []*frame {
	var out []*frame
	for _, c := range x.inOrder() {
		if c.Parent == f.ID {
			out = append(out, c)
		}
	}
	return out
}

// drop forgets the frames under f and what they wait for.
func (x *Execution) drop(f *frame) {
	for _, c := range x.children(f) {
		x.drop(c)
		x.cancel(c)
		if c.Visit != nil && !c.Visit.Failed {
			x.visited(c, nil, true)
		}
		delete(x.frames, c.ID)
		x.dirty(pieceOf(c.ID))
	}
	if _, ok := x.items[f.ID]; ok {
		delete(x.items, f.ID)
		x.dirty(itemsOf(f.ID))
	}
}

// cancel withdraws the action that the frame waits for.
func (x *Execution) cancel(f *frame) {
	if f.Visit == nil || f.Visit.Key == 0 {
		return
	}
	x.out.Cancelled = append(x.out.Cancelled, f.Visit.Key)
	f.Visit.Key = 0
	x.touch(f)
}

// variable finds a variable from the frame outwards.
func (x *Execution) variable(f *frame, name string) (any, bool) {
	for ; f != nil; f = x.frames[f.Parent] {
		if f.Variables != nil {
			if v, ok := f.Variables.Get(name); ok {
				return v, true
			}
		}
	}
	return nil, false
}

// visited reports that the visit of the frame's state began, or ended.
func (x *Execution) visited(f *frame, failure *Failure, aborted bool) {
	x.out.Visits = append(x.out.Visits, &Visit{
		Entered: f.Visit.Entered, State: f.State, Input: f.Input, Began: f.Visit.Time, Ended: x.now, Failure: failure, Aborted: aborted,
		Attempts: f.Visit.Retries, Branch: f.Visit.Branch,
	})
}
