package asl

import "github.com/leat-dev/leat/internal/value"

// apply lets something that happened move the execution. What is about an
// action that nobody waits for changes nothing.
func (x *Execution) apply(in Input) {
	switch in.Kind {
	case InputStart:
		if x.root.Events == 0 {
			x.begin(in)
		}
		return
	case InputAbort:
		if x.root.Events == 0 {
			x.begin(Input{Kind: InputStart})
		}
		x.end(Aborted, nil, in.Failure, 0)
		return
	case InputRedrive:
		x.redrive()
		return
	default: // they are about an action
	}
	if in.Kind == InputTimer && in.Key == x.root.Limit && in.Key != 0 {
		x.out.Finished = append(x.out.Finished, in.Key)
		x.root.Limit = 0
		x.end(TimedOut, nil, Failure{}, 0)
		return
	}
	f := x.waiting(in.Key)
	if f == nil {
		return
	}
	switch f.Visit.Waits {
	case waitsStart, waitsTask:
		if f.Visit.Waits == waitsStart { // the call was quicker than the frame's turn
			x.startTask(f)
		}
		x.taskInput(f, in)
	case waitsTimer:
		x.waited(f)
	case waitsRetry:
		x.finished(f)
		f.Visit.Waits = ""
		x.ready(f)
	case waitsRun:
		x.runInput(f, in)
	case waitsChildren:
	}
}

// Waits reports whether the execution waits for the action with the key.
func (x *Execution) Waits(key int64) bool {
	return x.root.Status == Running && (x.waiting(key) != nil || key != 0 && key == x.root.Limit)
}

// waiting finds the frame that waits for the action.
func (x *Execution) waiting(key int64) *frame {
	if key == 0 {
		return nil
	}
	if x.byKey == nil {
		x.byKey = map[int64]int64{}
		for id, f := range x.frames {
			if f.Visit != nil && f.Visit.Key != 0 {
				x.byKey[f.Visit.Key] = id
			}
		}
	}
	f := x.frames[x.byKey[key]]
	if f == nil || f.Visit == nil || f.Visit.Key != key {
		return nil
	}
	return f
}

// redrive goes on with the states that did not succeed.
func (x *Execution) redrive() {
	full := !x.info.Express && x.root.Events+1 >= x.eventLimit()
	if x.root.Status == Running || x.root.Status == Succeeded || full {
		return
	}
	x.root.Status = Running
	x.root.Redrives++
	previous := x.aside(0, EventExecutionRedriven, "executionRedrivenEventDetails", value.Of("redriveCount", int64(x.root.Redrives)))
	x.limit(x.now)
	for _, f := range x.inOrder() {
		if f.State == nil {
			continue // it succeeded
		}
		f.Pointer = previous
		x.touch(f)
		if f.Visit != nil {
			x.again(f)
		}
		if f.Visit == nil || f.Visit.Waits != waitsChildren || f.State.Type == Map {
			x.ready(f) // a Map may have more iterations to start
		}
	}
}

// again makes a visit that did not succeed as it was before its first attempt,
// but for what came of it that stays: children that succeeded, and its map run.
func (x *Execution) again(f *frame) {
	v := f.Visit
	v.Retries, v.Attempts, v.Failed, v.Branch = 0, make([]int64, len(f.State.Retry)), false, ""
	if v.Waits == waitsChildren && len(x.children(f)) > 0 {
		return // those that did not succeed go on
	}
	v.Waits = ""
	if v.Run != "" {
		v.RunRedrives++
	}
}
