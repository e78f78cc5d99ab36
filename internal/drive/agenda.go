package drive

import (
	"container/heap"
	"time"

	"github.com/leat-dev/leat/internal/asl"
)

// entry is something that happens at a time.
type entry struct {
	at    time.Time
	order int
	line  *line
	input asl.Input
	// run is to be looked after; nil when the input is what happens.
	run *mapRun
}

// stale tells that nobody waits for the entry any more: no time passes for it.
func (e *entry) stale() bool {
	if e.run != nil {
		return e.run.over
	}
	return e.line.ended() || e.input.Key != 0 && !e.line.x.Waits(e.input.Key)
}

// agenda is a heap of entries, the earliest first, and in the order in which they
// were made where the time is the same.
type agenda []*entry

// Len implements heap.Interface.
func (a agenda) Len() int { return len(a) }

// Less implements heap.Interface.
func (a agenda) Less(i, j int) bool {
	if a[i].at.Equal(a[j].at) {
		return a[i].order < a[j].order
	}
	return a[i].at.Before(a[j].at)
}

// Swap implements heap.Interface.
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

// Push implements heap.Interface.
func (a *agenda) Push(v any) { *a = append(*a, v.(*entry)) }

// Pop implements heap.Interface.
func (a *agenda) Pop() any {
	old := *a
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*a = old[:len(old)-1]
	return last
}

// first is the earliest entry that is waited for; nil is none.
func (a *agenda) first() *entry {
	for len(*a) > 0 {
		if e := (*a)[0]; !e.stale() {
			return e
		}
		heap.Pop(a)
	}
	return nil
}
