package drive

import "fmt"

// UnansweredError says that a state asks for what nobody answers.
type UnansweredError struct {
	State, Resource string
	// Items: items are to be read, not a task to be answered.
	Items bool
	// Times is how often the state was answered before; 0 is never.
	Times int
}

// Error implements error.
func (e *UnansweredError) Error() string {
	switch {
	case e.Items:
		return fmt.Sprintf("the Map state %q reads its items by %s and no mock has them", e.State, e.Resource)
	case e.Times > 0:
		return fmt.Sprintf("the state %q calls %s once more than its mock has answers (%d)", e.State, e.Resource, e.Times)
	}
	return fmt.Sprintf("the Task state %q calls %s and no mock answers it", e.State, e.Resource)
}
