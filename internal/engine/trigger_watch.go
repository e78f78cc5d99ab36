package engine

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/trigger"
)

// TriggerWatch follows the events of a workspace for its automations. What it
// has seen is stored together with its position, so that a trigger is neither
// lost nor fires twice when the server stops in between. A watch is used by one
// goroutine; after an error it is thrown away and made again.
type TriggerWatch struct {
	ws      core.WorkspaceID
	machine *trigger.Machine
	// stored is the position in the database, nil for none; at is where the watch is.
	stored *core.TriggerPosition
	at     core.TriggerPosition
	// changed tells that automations changed since the position was stored.
	changed bool
	// pending lists automations whose last change the watch has yet to come to.
	pending map[core.ID]bool
}

// triggerLoop is how long firings that lead to one another count as one chain,
// and maxTriggerDepth how long such a chain may become.
const (
	triggerLoop     = 10 * time.Minute
	maxTriggerDepth = 25
)

// maxAutomations is how many automations of a workspace are watched.
const maxAutomations = 100_000

// keepPosition is how often the position is stored though nothing else is.
const keepPosition = time.Minute

// WatchTriggers begins to follow the events of a workspace, where the last watch stopped.
func (e *Engine) WatchTriggers(ctx context.Context, ws core.WorkspaceID) (*TriggerWatch, error) {
	w := &TriggerWatch{ws: ws, machine: trigger.New(core.NewID), pending: map[core.ID]bool{}}
	now := e.now()
	err := e.store.View(ctx, ws, func(tx core.Tx) error {
		position, err := tx.TriggerPosition()
		if err != nil {
			return err
		}
		if position != nil {
			w.stored, w.at = position, *position
		} else if w.at.Cursor, err = tx.EventCursor(); err != nil {
			return err
		} else {
			w.at.At = now
		}
		automations, err := tx.FilterAutomations(core.Query{Limit: maxAutomations})
		if err != nil {
			return err
		}
		for _, a := range automations {
			if a.Updated.After(w.at.At) {
				w.pending[a.ID] = true // its event is still to come
				continue
			}
			e.putAutomation(w, a, now)
		}
		state, err := tx.TriggerState()
		if err != nil {
			return err
		}
		return w.restore(state)
	})
	return w, err
}

// putAutomation watches an automation. One that cannot be read is told in the
// log and left out, so that the others go on.
func (e *Engine) putAutomation(w *TriggerWatch, a *core.Automation, now time.Time) {
	compiled, err := trigger.Compile(a)
	if err != nil {
		e.log.Error("an automation cannot be watched", "automation_id", a.ID.String(), "name", a.Name, "error", err)
		w.machine.Forget(a.ID)
		return
	}
	w.machine.Put(compiled, now)
}

func (w *TriggerWatch) restore(s *core.TriggerState) error {
	buckets := make([]*trigger.Bucket, len(s.Buckets))
	for i, b := range s.Buckets {
		buckets[i] = &trigger.Bucket{
			AutomationID: b.AutomationID, TriggerID: b.TriggerID, Key: b.Key, Start: b.Start, End: b.End, Count: b.Count,
		}
		if b.Last != nil {
			if err := json.Unmarshal(b.Last, &buckets[i].Last); err != nil {
				return err
			}
		}
	}
	children := make([]*trigger.ChildFiring, len(s.Children))
	for i, c := range s.Children {
		children[i] = &trigger.ChildFiring{AutomationID: c.AutomationID, ParentID: c.ParentID, ChildID: c.ChildID}
		if err := json.Unmarshal(c.Firing, &children[i].Firing); err != nil {
			return err
		}
	}
	followers := make([]*trigger.Follower, len(s.Followers))
	for i, f := range s.Followers {
		var ev trigger.SeenEvent
		if err := json.Unmarshal(f.Event, &ev); err != nil {
			return err
		}
		followers[i] = &trigger.Follower{Event: (*core.Event)(&ev), Received: f.Received}
	}
	w.machine.Restore(buckets, children, followers)
	return nil
}

// StepTriggers lets the watch see the next events, at most limit, stores what
// follows from them, and returns how many they were.
func (e *Engine) StepTriggers(ctx context.Context, w *TriggerWatch, limit int) (int, error) {
	now := e.now()
	to, seen := w.at, 0
	err := e.store.View(ctx, w.ws, func(tx core.Tx) error {
		if w.machine.Idle() && len(w.pending) == 0 {
			if err := skipTriggers(tx, w, &to, now); err != nil || len(w.pending) == 0 {
				return err
			}
		}
		events, cursor, err := tx.EventsAfter(w.at.Cursor, limit)
		if err != nil {
			return err
		}
		to.Cursor, seen = cursor, len(events)
		if seen == 0 {
			return nil
		}
		to.At = events[seen-1].Received
		return e.see(tx, w, events, now)
	})
	if err != nil {
		return 0, err
	}
	return seen, e.storeTriggers(ctx, w, to, now)
}

// skipTriggers goes past events that nobody waits for, unless somebody made an
// automation among them.
func skipTriggers(tx core.Tx, w *TriggerWatch, to *core.TriggerPosition, now time.Time) error {
	cursor, err := tx.EventCursor()
	if err != nil || cursor == w.at.Cursor {
		return err
	}
	automations, err := tx.FilterAutomations(core.Query{Limit: maxAutomations})
	if err != nil {
		return err
	}
	for _, a := range automations {
		if a.Enabled {
			w.pending[a.ID] = true
		}
	}
	if len(w.pending) == 0 {
		to.Cursor, to.At = cursor, now
	}
	return nil
}

// see feeds events to the triggers. Automations change where the event that
// tells of it stands.
func (e *Engine) see(tx core.Tx, w *TriggerWatch, events []*core.Event, now time.Time) error {
	if err := w.recall(tx, events); err != nil {
		return err
	}
	for _, ev := range events {
		if id, ok := changedAutomation(ev); ok {
			if err := e.changeWatched(tx, w, ev, id, now); err != nil {
				return err
			}
		}
		w.machine.Event(ev, now)
	}
	return nil
}

// changeWatched does what an event tells of an automation's change. The row may
// be newer than the event: then an automation that was off at this point stays
// so until the event of its next change.
func (e *Engine) changeWatched(tx core.Tx, w *TriggerWatch, ev *core.Event, id core.ID, now time.Time) error {
	delete(w.pending, id)
	w.changed = true
	a, err := tx.Automation(id)
	if missing(err) {
		w.machine.Forget(id)
		return nil
	}
	if err != nil {
		return err
	}
	var then struct {
		Enabled bool `json:"enabled"`
	}
	if json.Unmarshal(ev.Payload, &then) == nil && !then.Enabled && a.Updated.After(ev.Occurred) {
		w.machine.Forget(id)
		return nil
	}
	e.putAutomation(w, a, now)
	return nil
}

// recall tells the machine of leaders that it saw in a former life, or too long
// ago to remember, so that their followers need not wait.
func (w *TriggerWatch) recall(tx core.Tx, events []*core.Event) error {
	coming := map[core.ID]bool{}
	var ids []core.ID
	var since, until time.Time
	for _, ev := range events {
		coming[ev.ID] = true
		if !w.machine.MissingLeader(ev) || coming[*ev.Follows] || !w.machine.Wants(ev) {
			continue
		}
		ids = append(ids, *ev.Follows)
		if since.IsZero() || ev.Occurred.Before(since) {
			since = ev.Occurred
		}
		if ev.Occurred.After(until) {
			until = ev.Occurred
		}
	}
	ids = slices.DeleteFunc(ids, func(id core.ID) bool { return coming[id] })
	found, err := tx.SeenEvents(ids, since.Add(-trigger.Lookback), until.Add(trigger.Lookback), w.at.Cursor)
	for _, id := range found {
		w.machine.Remember(id)
	}
	return err
}

// changedAutomation returns the automation of which the event tells a change.
func changedAutomation(ev *core.Event) (core.ID, bool) {
	switch ev.Event {
	case "prefect.automation.created", "prefect.automation.updated", "prefect.automation.deleted":
		return idAfter(ev.Resource.Get(core.ResourceID), "prefect.automation.")
	}
	return core.ID{}, false
}

// PassTriggers lets time pass for triggers that wait for what does not come. It
// must be called when StepTriggers has found no more events.
func (e *Engine) PassTriggers(ctx context.Context, w *TriggerWatch) error {
	now := e.now()
	w.machine.Due(now)
	return e.storeTriggers(ctx, w, w.at, now)
}

// storeTriggers writes what has changed and moves the watch.
func (e *Engine) storeTriggers(ctx context.Context, w *TriggerWatch, to core.TriggerPosition, now time.Time) error {
	changes, err := w.machine.Changes()
	if err != nil {
		return err
	}
	if changes.Empty() && !w.changed && w.stored != nil && (to.Cursor == w.at.Cursor || to.At.Sub(w.stored.At) < keepPosition) {
		w.at = to // a later watch sees the same events again, and nothing follows from them
		return nil
	}
	put, drop, err := rowsOf(changes)
	if err != nil {
		return err
	}
	err = e.store.Update(ctx, w.ws, func(tx core.Tx) error {
		if err := tx.MoveTriggers(w.stored.Position(), to); err != nil {
			return err
		}
		if err := tx.StoreTriggers(put, drop); err != nil {
			return err
		}
		for _, act := range changes.Acts {
			if err := e.act(tx, act, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.stored, w.at, w.changed = &to, to, false
	return nil
}

// rowsOf turns changes into rows.
func rowsOf(c *trigger.Changes) (put, drop *core.TriggerState, err error) {
	put, drop = &core.TriggerState{}, &core.TriggerState{}
	for _, b := range c.Put {
		row := &core.TriggerBucket{AutomationID: b.AutomationID, TriggerID: b.TriggerID, Key: b.Key, Start: b.Start, End: b.End, Count: b.Count}
		if b.Last != nil {
			if row.Last, err = json.Marshal(b.Last); err != nil {
				return nil, nil, err
			}
		}
		put.Buckets = append(put.Buckets, row)
	}
	for _, b := range c.Drop {
		drop.Buckets = append(drop.Buckets, &core.TriggerBucket{TriggerID: b.TriggerID, Key: b.Key})
	}
	for _, ch := range c.PutChildren {
		firing, err := json.Marshal(ch.Firing)
		if err != nil {
			return nil, nil, err
		}
		put.Children = append(put.Children, &core.TriggerChild{
			AutomationID: ch.AutomationID, ParentID: ch.ParentID, ChildID: ch.ChildID, Firing: firing,
		})
	}
	for _, ch := range c.DropChildren {
		drop.Children = append(drop.Children, &core.TriggerChild{ParentID: ch.ParentID, ChildID: ch.ChildID})
	}
	for _, f := range c.PutFollowers {
		ev, err := json.Marshal((*trigger.SeenEvent)(f.Event))
		if err != nil {
			return nil, nil, err
		}
		put.Followers = append(put.Followers, &core.TriggerFollower{EventID: f.Event.ID, Received: f.Received, Event: ev})
	}
	for _, f := range c.DropFollowers {
		drop.Followers = append(drop.Followers, &core.TriggerFollower{EventID: f.Event.ID})
	}
	return put, drop, nil
}

// involved lists the resources of an event, and the events that it names.
func involved(ev *trigger.SeenEvent) []string {
	if ev == nil {
		return nil
	}
	ids := []string{ev.Resource.Get(core.ResourceID), "prefect.event." + ev.ID.String()}
	if ev.Follows != nil {
		ids = append(ids, "prefect.event."+ev.Follows.String())
	}
	for _, r := range ev.Related {
		if id := r.Get(core.ResourceID); !strings.HasPrefix(id, "prefect.tag.") {
			ids = append(ids, id)
		}
	}
	return ids
}
