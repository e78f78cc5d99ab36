package core

import (
	"math"
	"time"
)

// EventKey is what events are counted by.
type EventKey string

// The keys that events are counted by.
const (
	// CountByTime counts by parts of time.
	CountByTime EventKey = "time"
	// CountByEvent counts by the event's name.
	CountByEvent EventKey = "event"
	// CountByResource counts by the resource's id.
	CountByResource EventKey = "resource"
)

// EventCount counts the events of a key.
type EventCount struct {
	// Value is the event's name or the resource's id.
	Value string
	// Part is the number of the part of time.
	Part           int64
	Count          int
	Oldest, Newest time.Time
	// Label is what the newest event calls its resource.
	Label string
}

// EventParts divides all of time into equal parts, of which number 0 begins on
// the first of April 2024, a Monday. Prefect REST: POST /events/count-by/time.
type EventParts struct {
	Width time.Duration
}

func pivot() time.Time { return time.Date(2024, 4, 1, 0, 0, 0, 0, time.UTC) }

// Of returns the number of the part that a time lies in.
func (p EventParts) Of(at time.Time) int64 {
	return int64(math.Floor(float64(at.UnixMicro()-pivot().UnixMicro()) / float64(p.Width.Microseconds())))
}

// At returns when a part begins.
func (p EventParts) At(part int64) time.Time {
	return time.UnixMicro(pivot().UnixMicro() + part*p.Width.Microseconds()).UTC()
}

// EventCountTx counts events.
type EventCountTx interface {
	// CountEvents counts the events of a range by a key, as long as the range has
	// no order, limit or offset. Labels are not set.
	CountEvents(r EventRange, by EventKey, parts EventParts) ([]EventCount, error)
}
