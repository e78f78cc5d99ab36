package trigger

import (
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// order sees to it that an event is seen after the one that it follows.
type order struct {
	// young and old hold the ids of events that were seen; when young is full it
	// takes the place of old, so that the memory is bounded.
	young, old map[core.ID]struct{}
	waiting    map[core.ID][]*Follower // by the id of the leader
}

// generation is how many ids of seen events make a generation.
const generation = 100_000

func newOrder() order {
	return order{young: map[core.ID]struct{}{}, waiting: map[core.ID][]*Follower{}}
}

func (o *order) saw(id core.ID) bool {
	if _, ok := o.young[id]; ok {
		return true
	}
	_, ok := o.old[id]
	return ok
}

func (o *order) see(id core.ID) {
	if len(o.young) >= generation {
		o.young, o.old = map[core.ID]struct{}{}, o.young
	}
	o.young[id] = struct{}{}
}

func (o *order) hold(f *Follower) {
	o.waiting[*f.Event.Follows] = append(o.waiting[*f.Event.Follows], f)
}

func (o *order) holds(f *Follower) bool { return slices.Contains(o.waiting[*f.Event.Follows], f) }

// release gives back the events that wait for the leader, in the order of their time.
func (o *order) release(leader core.ID) []*Follower {
	list := o.waiting[leader]
	delete(o.waiting, leader)
	slices.SortStableFunc(list, func(a, b *Follower) int { return a.Event.Occurred.Compare(b.Event.Occurred) })
	return list
}

// lost gives back the events that came before the time and still wait.
func (o *order) lost(before time.Time) []*Follower {
	var out []*Follower
	for leader, list := range o.waiting {
		keep := list[:0]
		for _, f := range list {
			if f.Received.Before(before) {
				out = append(out, f)
			} else {
				keep = append(keep, f)
			}
		}
		if o.waiting[leader] = keep; len(keep) == 0 {
			delete(o.waiting, leader)
		}
	}
	slices.SortStableFunc(out, func(a, b *Follower) int { return a.Event.Occurred.Compare(b.Event.Occurred) })
	return out
}
