package drive

import (
	"time"

	"github.com/leat-dev/leat/internal/asl"
)

// Mock answers a state's tasks, one answer after the other.
type Mock struct {
	Responses []Response
	// Always: the last answer is given again and again.
	Always bool
	// Items are what a distributed Map state reads; nil when nothing is said of it.
	Items []any
}

// Response is one answer of a mock.
type Response struct {
	Return any
	// Throw is nil when the task succeeds.
	Throw *asl.Failure
	Delay time.Duration
}

// Mocks is a Performer that answers by the names of states. It may be used for one run.
type Mocks struct {
	States map[string]*Mock
	// Else answers for states that have no mock; nil refuses.
	Else Performer

	used map[string]int
}

// Begin implements Performer.
func (m *Mocks) Begin(c *Call) (Work, error) {
	mock := m.States[c.State]
	if mock == nil || len(mock.Responses) == 0 {
		if m.Else != nil {
			return m.Else.Begin(c)
		}
		return Work{}, &UnansweredError{State: c.State, Resource: c.Resource}
	}
	if m.used == nil {
		m.used = map[string]int{}
	}
	n := m.used[c.State]
	m.used[c.State]++
	if n >= len(mock.Responses) {
		if !mock.Always {
			return Work{}, &UnansweredError{State: c.State, Resource: c.Resource, Times: n}
		}
		n = len(mock.Responses) - 1
	}
	r := mock.Responses[n]
	return Work{Answer: Answer{Output: r.Return, Failure: r.Throw, After: r.Delay}}, nil
}

// Items are what the mocks say that distributed Map states read.
func (m *Mocks) Items() SimulatedItems {
	items := SimulatedItems{}
	for state, mock := range m.States {
		if mock.Items != nil {
			items[state] = mock.Items
		}
	}
	return items
}
