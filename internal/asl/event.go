package asl

import (
	"time"

	"github.com/leat-dev/leat/internal/value"
)

// Event is one event of an execution's history, as GetExecutionHistory shows it.
type Event struct {
	// ID counts from 1. Previous is the event that led to this one; 0 for none.
	ID, Previous int64
	Time         time.Time
	// Type is such as TaskScheduled.
	Type string
	// Key names the details, such as taskScheduledEventDetails; "" for an event without any.
	Key     string
	Details *value.Object
}

// Append appends the event's JSON to dst, with the time in seconds since 1970.
func (e *Event) Append(dst []byte) []byte {
	o := value.Of("timestamp", Seconds(e.Time), "type", e.Type, "id", e.ID, "previousEventId", e.Previous)
	if e.Key != "" {
		o.Set(e.Key, e.Details)
	}
	return value.Append(dst, o)
}

// Seconds is a time as AWS JSON shows it: seconds since 1970 with milliseconds.
func Seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// Types of events that others than the interpreter look at.
const (
	EventExecutionStarted   = "ExecutionStarted"
	EventExecutionSucceeded = "ExecutionSucceeded"
	EventExecutionFailed    = "ExecutionFailed"
	EventExecutionAborted   = "ExecutionAborted"
	EventExecutionTimedOut  = "ExecutionTimedOut"
	EventExecutionRedriven  = "ExecutionRedriven"
	EventTaskStateAborted   = "TaskStateAborted"
)

// emit appends an event that the frame leads to and makes it what comes before
// the frame's next one.
func (x *Execution) emit(f *frame, kind, key string, details *value.Object) int64 {
	id := x.aside(f.Pointer, kind, key, details)
	f.Pointer = id
	return id
}

// aside appends an event that nothing follows from.
func (x *Execution) aside(previous int64, kind, key string, details *value.Object) int64 {
	x.root.Events++
	x.dirty("root")
	x.out.Events = append(x.out.Events, &Event{
		ID: x.root.Events, Previous: previous, Time: x.now, Type: kind, Key: key, Details: details,
	})
	return x.root.Events
}

// data adds JSON as text, with the note that it is whole, as history has it.
func data(o *value.Object, key string, v any) *value.Object {
	o.Set(key, value.String(v))
	o.Set(key+"Details", value.Of("truncated", false))
	return o
}

// failureDetails are the details of an event that tells of a failure.
func failureDetails(f Failure) *value.Object {
	o := value.NewObject(2)
	if f.Error != "" {
		o.Set("error", f.Error)
	}
	if f.Cause != "" {
		o.Set("cause", f.Cause)
	}
	return o
}
