package trigger

import (
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/core"
)

// index finds the triggers that may want an event by its name, so that an event
// costs no more for triggers that wait for others.
type index struct {
	// exact holds triggers by names without wildcards, prefixes by what stands
	// before a * at the end; others by any other pattern, "*" for all events.
	exact    map[string][]*Trigger
	prefixes map[string][]*Trigger
	others   map[string][]*Trigger
	// lengths lists the lengths of the prefixes.
	lengths []int
	slow    []*Trigger // the proactive ones
}

func newIndex() index {
	return index{exact: map[string][]*Trigger{}, prefixes: map[string][]*Trigger{}, others: map[string][]*Trigger{}}
}

// place says where a pattern is kept.
func (x *index) place(pattern string) (table map[string][]*Trigger, key string) {
	prefix, cut := strings.CutSuffix(pattern, "*")
	switch {
	case plain(pattern):
		return x.exact, pattern
	case cut && plain(prefix):
		return x.prefixes, prefix
	}
	return x.others, pattern
}

// patterns lists what an event's name may be for the trigger to want it.
func (t *Trigger) patterns() []string {
	if len(t.Expect) == 0 {
		return []string{"*"}
	}
	return slices.Concat(t.Expect, t.After)
}

func (x *index) add(t *Trigger) {
	for _, p := range t.patterns() {
		table, key := x.place(p)
		table[key] = append(table[key], t)
	}
	if t.Posture == Proactive {
		x.slow = append(x.slow, t)
	}
	x.measure()
}

func (x *index) remove(t *Trigger) {
	if t.Kind != Event {
		return
	}
	other := func(o *Trigger) bool { return o == t }
	for _, p := range t.patterns() {
		table, key := x.place(p)
		if table[key] = slices.DeleteFunc(table[key], other); len(table[key]) == 0 {
			delete(table, key)
		}
	}
	x.slow = slices.DeleteFunc(x.slow, other)
	x.measure()
}

func (x *index) measure() {
	x.lengths = x.lengths[:0]
	for p := range x.prefixes {
		if !slices.Contains(x.lengths, len(p)) {
			x.lengths = append(x.lengths, len(p))
		}
	}
	slices.Sort(x.lengths)
}

func (x *index) proactive() []*Trigger { return x.slow }

// interested lists the triggers that want the event, each once, by their ids.
func (x *index) interested(e *core.Event) []*Trigger {
	var out []*Trigger
	take := func(list []*Trigger) {
		for _, t := range list {
			if !slices.Contains(out, t) && t.covers(e) {
				out = append(out, t)
			}
		}
	}
	take(x.exact[e.Event])
	for _, n := range x.lengths {
		if n > len(e.Event) {
			break
		}
		take(x.prefixes[e.Event[:n]])
	}
	for _, list := range x.others {
		take(list)
	}
	if len(out) > 1 {
		slices.SortFunc(out, func(a, b *Trigger) int { return slices.Compare(a.ID[:], b.ID[:]) })
	}
	return out
}
