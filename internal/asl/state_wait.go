package asl

import "time"

// wait begins a Wait state.
func (x *Execution) wait(f *frame) *Failure {
	w := f.State.Wait
	in, failure := x.effectiveInput(f)
	if failure != nil {
		return failure
	}
	sc := x.scope(f, in)
	var until time.Time
	if w.Seconds != nil {
		n, failure := w.Seconds.seconds(sc)
		if failure != nil {
			return failure
		}
		until = x.now.Add(time.Duration(n) * time.Second)
	} else if until, failure = w.Timestamp.time(sc); failure != nil {
		return failure
	}
	if !until.After(x.now) || x.seen != nil { // a trial does not wait
		return x.finish(f, in, false)
	}
	f.Visit.Waits, f.Visit.Key = waitsTimer, x.serial()
	x.touch(f)
	x.act(&Action{Key: f.Visit.Key, Kind: ActionTimer, State: f.State.Name, At: until})
	return nil
}

// waited ends a Wait state.
func (x *Execution) waited(f *frame) {
	x.finished(f)
	in, failure := x.effectiveInput(f)
	if failure == nil {
		failure = x.finish(f, in, false)
	}
	if failure != nil {
		x.fails(f, *failure)
	}
}
