package asl

import (
	"time"

	"github.com/leat-dev/leat/internal/value"
)

// stamp is a time as the context object shows it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// context is the context object as the frame's state sees it.
func (x *Execution) context(f *frame) *value.Object {
	execution := value.Of("Id", x.info.ExecutionARN, "Input", x.info.Input, "StartTime", stamp(x.info.Started),
		"Name", x.info.Name, "RoleArn", x.info.RoleARN)
	if !x.info.Express {
		execution.Set("RedriveCount", int64(x.root.Redrives))
	}
	c := value.Of("Execution", execution, "StateMachine", value.Of("Id", x.info.MachineARN, "Name", x.info.MachineName))
	if f.State != nil && f.Visit != nil {
		state := value.Of("Name", f.State.Name, "EnteredTime", stamp(f.Visit.Time))
		switch f.State.Type {
		case Task, Map, Parallel:
			state.Set("RetryCount", int64(f.Visit.Retries))
		case Pass, Choice, Wait, Succeed, Fail:
		}
		c.Set("State", state)
		if f.Visit.Token != "" {
			c.Set("Task", value.Of("Token", f.Visit.Token))
		}
	}
	for p := f; p != nil; p = x.frames[p.Parent] {
		up := x.frames[p.Parent]
		if up != nil && up.State.Type == Map {
			c.Set("Map", value.Of("Item", value.Of("Index", int64(p.Slot), "Value", x.items[up.ID][p.Slot])))
			break
		}
	}
	return x.seen.context(c)
}
