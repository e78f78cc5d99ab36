package core

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Labels is an ordered JSON object of strings, as the resources of events are.
// The order matters to nobody, but what came is given back as it came.
type Labels []Label

// Label is one entry of Labels.
type Label struct{ Key, Value string }

// MarshalJSON implements json.Marshaler.
func (l Labels) MarshalJSON() ([]byte, error) { return l.AppendJSON(nil), nil }

// AppendJSON appends the object to b.
func (l Labels) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	for i, e := range l {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, e.Key)
		b = append(b, ':')
		b = appendString(b, e.Value)
	}
	return append(b, '}')
}

// appendString appends s as JSON.
func appendString(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f || c == '<' || c == '>' || c == '&' {
			quoted, err := json.Marshal(s)
			if err != nil {
				return append(b, '"', '"') // strings always marshal
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// UnmarshalJSON implements json.Unmarshaler. Values that are no strings are refused.
func (l *Labels) UnmarshalJSON(data []byte) error {
	if !json.Valid(data) {
		return errors.New("not JSON")
	}
	p := labelParser{data: data}
	if p.next() != '{' {
		return errors.New("a resource is a JSON object")
	}
	*l = (*l)[:0]
	for p.next() != '}' {
		key, err := p.text()
		if err != nil {
			return err
		}
		p.next() // the colon
		if p.peek() != '"' {
			return fmt.Errorf("the value of %q is not a string", key)
		}
		p.next()
		value, err := p.text()
		if err != nil {
			return err
		}
		*l = append(*l, Label{Key: key, Value: value})
		if p.peek() == ',' {
			p.next()
		}
	}
	return nil
}

// labelParser walks valid JSON. Resources come with every event, and most of
// their strings need no unquoting.
type labelParser struct {
	data []byte
	at   int
}

// peek returns the next byte that is no white space.
func (p *labelParser) peek() byte {
	for p.at < len(p.data) && (p.data[p.at] == ' ' || p.data[p.at] == '\n' || p.data[p.at] == '\t' || p.data[p.at] == '\r') {
		p.at++
	}
	if p.at == len(p.data) {
		return '}'
	}
	return p.data[p.at]
}

// next takes that byte.
func (p *labelParser) next() byte {
	c := p.peek()
	p.at++
	return c
}

// text reads a string whose opening quote was taken.
func (p *labelParser) text() (string, error) {
	start, plain := p.at, true
	for p.at < len(p.data) && p.data[p.at] != '"' {
		if p.data[p.at] == '\\' {
			plain = false
			p.at++
		}
		p.at++
	}
	p.at++
	if plain && utf8.Valid(p.data[start:p.at-1]) {
		return string(p.data[start : p.at-1]), nil
	}
	var s string
	err := json.Unmarshal(p.data[start-1:p.at], &s)
	return s, err
}

// Get returns the value of the key, or "".
func (l Labels) Get(key string) string {
	for _, e := range l {
		if e.Key == key {
			return e.Value
		}
	}
	return ""
}

// Has reports whether the key is there.
func (l Labels) Has(key string) bool {
	for _, e := range l {
		if e.Key == key {
			return true
		}
	}
	return false
}

// The keys of resources that leat itself reads.
const (
	ResourceID   = "prefect.resource.id"
	ResourceName = "prefect.resource.name"
	ResourceRole = "prefect.resource.role"
)

// Event says that something happened to a resource.
type Event struct {
	ID ID
	// Occurred is when it happened by the sender's clock, Received when the server heard of it.
	Occurred time.Time
	Received time.Time
	Event    string
	Resource Labels
	Related  []Labels
	// Payload is a JSON object.
	Payload json.RawMessage
	// Follows is the id of the event that came before, when the sender says so.
	Follows *ID
}

// Cursor is a follower's position among rows in the order in which they
// became visible. The zero value is before all rows.
type Cursor struct {
	// Tx is the writing transaction, where transactions commit out of order; else 0.
	Tx int64
	// Seq is the row's number.
	Seq int64
}

// EventRange selects events that a filter may match, in the order of their time.
type EventRange struct {
	// Since and Until bound the time at which they occurred.
	Since, Until time.Time
	// ResourceIDs and Names leave out others; empty means all.
	ResourceIDs []string
	Names       []string
	// Ascending gives the oldest first.
	Ascending bool
	Limit     int
	Offset    int
}

// EventTx reads and writes events.
type EventTx interface {
	// InsertEvents stores events, leaves alone those whose id is there already, and wakes TopicEvents.
	InsertEvents(events []*Event) error
	// EventCursor returns the position after the newest event.
	EventCursor() (Cursor, error)
	// EventsAfter lists at most limit events stored after the position, in the
	// order of their storing, and the position after the last of them.
	EventsAfter(c Cursor, limit int) ([]*Event, Cursor, error)
	// FindEvents lists events by the time they occurred.
	FindEvents(r EventRange) ([]*Event, error)
	// RecentEvents lists at most limit events that occurred since the time, oldest first.
	RecentEvents(since time.Time, limit int) ([]*Event, error)
}
