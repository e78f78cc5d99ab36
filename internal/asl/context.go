package asl

import (
	"strings"
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
			c.Set("Map", origin{source: sourceOfInput}.context(x.items[up.ID][p.Slot], p.Slot))
			break
		}
	}
	return x.seen.context(c)
}

// sourceOfInput is the source of items that come of a state's input.
const sourceOfInput = "STATE_DATA"

// origin is where a Map state's items come from.
type origin struct {
	// source is as the context object names it; keyed items are the members of an object.
	source string
	keyed  bool
}

// context is what the context object says of an item.
func (from origin) context(item any, index int) *value.Object {
	c := value.Of("Index", int64(index))
	if o, ok := item.(*value.Object); ok && from.keyed {
		key, hasKey := o.Get("Key")
		v, hasValue := o.Get("Value")
		if hasKey && hasValue {
			c.Set("Key", key)
			item = v
		}
	}
	c.Set("Value", item)
	c.Set("Source", from.source)
	return value.Of("Item", c)
}

// source is where a reader's items come from, as the context object says it:
// s3:listObjectsV2 names its bucket, others their object.
func (t *Transfer) source() string {
	if t == nil {
		return sourceOfInput
	}
	o, ok := t.Parameters.(*value.Object)
	if !ok {
		return sourceOfInput
	}
	uri := "S3://" + members{o}.text("Bucket")
	if strings.HasSuffix(t.Resource, ":getObject") {
		uri += "/" + members{o}.text("Key")
	}
	return uri
}
