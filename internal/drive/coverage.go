package drive

import "github.com/leat-dev/leat/internal/asl"

// Coverage collects which states and which ways out of them executions took.
type Coverage struct {
	machine *asl.Machine
	visited map[string]bool
	taken   map[string]bool // by state and branch
}

// NewCoverage returns one of a machine of which nothing has run.
func NewCoverage(m *asl.Machine) *Coverage {
	return &Coverage{machine: m, visited: map[string]bool{}, taken: map[string]bool{}}
}

// Add counts an execution and those of its map runs.
func (c *Coverage) Add(x *Execution) {
	for _, v := range x.Visits {
		c.visited[v.State.Name] = true
		if !v.Ended.IsZero() && v.Failure == nil && !v.Aborted && v.Branch != "" {
			c.taken[v.State.Name+"\x00"+v.Branch] = true
		}
	}
	for _, run := range x.MapRuns {
		for _, child := range run.Executions {
			c.Add(child)
		}
	}
}

// Untaken is a way out of a state that no execution took.
type Untaken struct {
	State string
	asl.Way
}

// CoverageReport is what was covered.
type CoverageReport struct {
	// States and Ways are how many there are.
	States, Ways int
	// Unvisited and Untaken are those that no execution came to, in the order of
	// the definition.
	Unvisited []string
	Untaken   []Untaken
}

// Report tells what was covered.
func (c *Coverage) Report() CoverageReport {
	var r CoverageReport
	c.machine.EachState(func(s *asl.State) {
		r.States++
		if !c.visited[s.Name] {
			r.Unvisited = append(r.Unvisited, s.Name)
		}
		for _, w := range s.Ways() {
			r.Ways++
			if !c.taken[s.Name+"\x00"+w.Branch] {
				r.Untaken = append(r.Untaken, Untaken{s.Name, w})
			}
		}
	})
	return r
}

// Percent is the share of states that were visited.
func (r CoverageReport) Percent() float64 { return share(r.States-len(r.Unvisited), r.States) }

// WaysPercent is the share of ways that were taken.
func (r CoverageReport) WaysPercent() float64 { return share(r.Ways-len(r.Untaken), r.Ways) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 100
	}
	return 100 * float64(part) / float64(whole)
}
