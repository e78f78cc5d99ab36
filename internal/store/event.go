package store

import (
	"time"

	"github.com/leat-dev/leat/internal/core"
)

const eventColumns = "id, occurred, received, event, resource, related, payload, follows"

func scanEvent(r rows) (*core.Event, error) {
	e := &core.Event{}
	return e, r.Scan(&e.ID, timeInto{&e.Occurred}, timeInto{&e.Received}, &e.Event, jsonInto{&e.Resource}, jsonInto{&e.Related},
		rawInto{&e.Payload}, idPtrInto{&e.Follows})
}

// InsertEvents implements core.EventTx.
func (t *tx) InsertEvents(events []*core.Event) error {
	err := t.insertMany("INSERT INTO event (id, ws, occurred, received, event, resource_id, resource, related, payload, follows)",
		" ON CONFLICT (ws, occurred, id) DO NOTHING", 10, len(events), func(i int) []any {
			return t.eventRow(events[i])
		})
	if err != nil {
		return err
	}
	t.Wake(core.TopicEvents)
	return nil
}

// eventRow is an event's columns.
func (t *tx) eventRow(e *core.Event) []any {
	payload := "{}"
	if e.Payload != nil {
		payload = string(e.Payload)
	}
	return []any{
		e.ID, int64(t.ws), micros(e.Occurred), micros(e.Received), e.Event, e.Resource.Get(core.ResourceID),
		string(e.Resource.AppendJSON(nil)), relatedText(e.Related), payload, e.Follows,
	}
}

// relatedText is the JSON array of an event's related resources.
func relatedText(related []core.Labels) string {
	b := []byte{'['}
	for i, l := range related {
		if i > 0 {
			b = append(b, ',')
		}
		b = l.AppendJSON(b)
	}
	return string(append(b, ']'))
}

// EventCursor implements core.EventTx.
func (t *tx) EventCursor() (core.Cursor, error) { return t.cursor("event") }

// EventsAfter implements core.EventTx.
func (t *tx) EventsAfter(c core.Cursor, limit int) ([]*core.Event, core.Cursor, error) {
	return after(t, "event", eventColumns, c, limit, scanEvent)
}

// FindEvents implements core.EventTx.
func (t *tx) FindEvents(r core.EventRange) ([]*core.Event, error) {
	b := &builder{d: t.d, ws: t.ws}
	where := "ws = " + b.arg(int64(t.ws)) + " AND occurred >= " + b.arg(r.Since) + " AND occurred <= " + b.arg(r.Until)
	if len(r.ResourceIDs) > 0 {
		where += " AND " + b.in("resource_id", "IN", r.ResourceIDs)
	}
	if len(r.Names) > 0 {
		where += " AND " + b.in("event", "IN", r.Names)
	}
	order := " DESC"
	if r.Ascending {
		order = ""
	}
	return listOnce(t, scanEvent, "SELECT "+eventColumns+" FROM event WHERE "+where+
		" ORDER BY occurred"+order+", seq"+order+" LIMIT "+b.arg(r.Limit)+" OFFSET "+b.arg(r.Offset), b.args...)
}

// RecentEvents implements core.EventTx.
func (t *tx) RecentEvents(since time.Time, limit int) ([]*core.Event, error) {
	return list(t, scanEvent, "SELECT "+eventColumns+" FROM event WHERE ws = ? AND occurred >= ? ORDER BY occurred, seq LIMIT ?",
		int64(t.ws), micros(since), limit)
}
