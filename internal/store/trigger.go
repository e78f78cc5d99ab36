package store

import (
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// TriggerPosition implements core.TriggerTx.
func (t *tx) TriggerPosition() (*core.TriggerPosition, error) {
	found, err := list(t, func(r rows) (*core.TriggerPosition, error) {
		p := &core.TriggerPosition{}
		return p, r.Scan(&p.Tx, &p.Seq, timeInto{&p.At})
	}, "SELECT tx, seq, at FROM automation_position WHERE ws = ?", int64(t.ws))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// MoveTriggers implements core.TriggerTx.
func (t *tx) MoveTriggers(from *core.Cursor, to core.TriggerPosition) error {
	var n int64
	var err error
	if from == nil {
		n, err = t.execN("INSERT INTO automation_position (ws, tx, seq, at) VALUES (?, ?, ?, ?) ON CONFLICT (ws) DO NOTHING",
			int64(t.ws), to.Tx, to.Seq, micros(to.At))
	} else {
		n, err = t.execN("UPDATE automation_position SET tx = ?, seq = ?, at = ? WHERE ws = ? AND tx = ? AND seq = ?",
			to.Tx, to.Seq, micros(to.At), int64(t.ws), from.Tx, from.Seq)
	}
	if err == nil && n == 0 {
		return core.Errorf(core.Conflict, "the triggers of workspace %d were moved by somebody else", t.ws)
	}
	return err
}

// TriggerState implements core.TriggerTx.
func (t *tx) TriggerState() (*core.TriggerState, error) {
	s := &core.TriggerState{}
	var err error
	if s.Buckets, err = list(t, func(r rows) (*core.TriggerBucket, error) {
		b := &core.TriggerBucket{}
		return b, r.Scan(&b.AutomationID, &b.TriggerID, &b.Key, timeInto{&b.Start}, timeInto{&b.End}, &b.Count, rawInto{&b.Last})
	}, `SELECT automation_id, trigger_id, bucket_key, start_at, end_at, seen, last_event FROM automation_bucket
		WHERE ws = ? ORDER BY start_at, trigger_id, bucket_key`, int64(t.ws)); err != nil {
		return nil, err
	}
	if s.Children, err = list(t, func(r rows) (*core.TriggerChild, error) {
		c := &core.TriggerChild{}
		return c, r.Scan(&c.AutomationID, &c.ParentID, &c.ChildID, rawInto{&c.Firing})
	}, "SELECT automation_id, parent_id, child_id, firing FROM automation_child_firing WHERE ws = ? ORDER BY parent_id, child_id",
		int64(t.ws)); err != nil {
		return nil, err
	}
	s.Followers, err = list(t, func(r rows) (*core.TriggerFollower, error) {
		f := &core.TriggerFollower{}
		return f, r.Scan(&f.EventID, timeInto{&f.Received}, rawInto{&f.Event})
	}, "SELECT event_id, received, event FROM automation_follower WHERE ws = ? ORDER BY received, event_id", int64(t.ws))
	return s, err
}

// StoreTriggers implements core.TriggerTx.
func (t *tx) StoreTriggers(put, drop *core.TriggerState) error {
	for _, b := range drop.Buckets {
		if err := t.exec("DELETE FROM automation_bucket WHERE ws + 0 = ? AND trigger_id = ? AND bucket_key = ?",
			int64(t.ws), b.TriggerID, b.Key); err != nil {
			return err
		}
	}
	for _, c := range drop.Children {
		if err := t.exec("DELETE FROM automation_child_firing WHERE ws + 0 = ? AND parent_id = ? AND child_id = ?",
			int64(t.ws), c.ParentID, c.ChildID); err != nil {
			return err
		}
	}
	for _, f := range drop.Followers {
		if err := t.exec("DELETE FROM automation_follower WHERE ws + 0 = ? AND event_id = ?", int64(t.ws), f.EventID); err != nil {
			return err
		}
	}
	return t.putTriggers(put)
}

func (t *tx) putTriggers(put *core.TriggerState) error {
	if err := t.insertMany(`INSERT INTO automation_bucket (trigger_id, bucket_key, ws, automation_id, start_at, end_at, seen, last_event)`,
		` ON CONFLICT (trigger_id, bucket_key) DO UPDATE SET start_at = excluded.start_at, end_at = excluded.end_at, seen = excluded.seen,
			last_event = excluded.last_event`, 8, len(put.Buckets), func(i int) []any {
			b := put.Buckets[i]
			return []any{b.TriggerID, b.Key, int64(t.ws), b.AutomationID, micros(b.Start), micros(b.End), b.Count, text(b.Last)}
		}); err != nil {
		return err
	}
	if err := t.insertMany("INSERT INTO automation_child_firing (parent_id, child_id, ws, automation_id, firing)",
		" ON CONFLICT (parent_id, child_id) DO UPDATE SET firing = excluded.firing", 5, len(put.Children), func(i int) []any {
			c := put.Children[i]
			return []any{c.ParentID, c.ChildID, int64(t.ws), c.AutomationID, string(c.Firing)}
		}); err != nil {
		return err
	}
	return t.insertMany("INSERT INTO automation_follower (event_id, ws, received, event)", " ON CONFLICT (event_id) DO NOTHING",
		4, len(put.Followers), func(i int) []any {
			f := put.Followers[i]
			return []any{f.EventID, int64(t.ws), micros(f.Received), string(f.Event)}
		})
}

// SeenEvents implements core.TriggerTx.
func (t *tx) SeenEvents(ids []core.ID, since, until time.Time, upTo core.Cursor) ([]core.ID, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	b := &builder{d: t.d, ws: t.ws}
	where := "ws = " + b.arg(int64(t.ws)) + " AND occurred >= " + b.arg(since) + " AND occurred <= " + b.arg(until) +
		" AND " + b.in("id", "IN", ids)
	if t.d.seqTx == "0" {
		where += " AND seq <= " + b.arg(upTo.Seq)
	} else {
		where += " AND (tx < " + b.arg(upTo.Tx) + " OR tx = " + b.arg(upTo.Tx) + " AND seq <= " + b.arg(upTo.Seq) + ")"
	}
	return listOnce(t, func(r rows) (id core.ID, err error) { return id, r.Scan(&id) }, "SELECT id FROM event WHERE "+where, b.args...)
}

// TriggerDepth implements core.TriggerTx.
func (t *tx) TriggerDepth(resources []string, since time.Time) (int, error) {
	deepest := 0
	for _, id := range resources {
		found, err := list(t, func(r rows) (n int, err error) { return n, r.Scan(&n) },
			"SELECT depth FROM automation_depth WHERE ws = ? AND resource_id = ? AND at >= ?", int64(t.ws), id, micros(since))
		if err != nil {
			return 0, err
		}
		for _, n := range found {
			deepest = max(deepest, n)
		}
	}
	return deepest, nil
}

// DeepenTriggers implements core.TriggerTx.
func (t *tx) DeepenTriggers(resources []string, depth int, at, before time.Time) error {
	for _, id := range resources {
		if err := t.exec(`INSERT INTO automation_depth (ws, resource_id, depth, at) VALUES (?, ?, ?, ?)
			ON CONFLICT (ws, resource_id) DO UPDATE SET depth = excluded.depth, at = excluded.at
			WHERE automation_depth.depth <= excluded.depth OR automation_depth.at < ?`,
			int64(t.ws), id, depth, micros(at), micros(before)); err != nil {
			return err
		}
	}
	return t.exec("DELETE FROM automation_depth WHERE ws + 0 = ? AND at < ?", int64(t.ws), micros(before))
}

const triggeredColumns = "ta.id, ta.created, ta.due, ta.owner, ta.depth, ta.spec"

func scanTriggered(r rows) (*core.TriggeredAction, error) {
	a := &core.TriggeredAction{}
	return a, r.Scan(&a.ID, timeInto{&a.Created}, timeInto{&a.Due}, &a.Owner, &a.Depth, rawInto{&a.Spec})
}

// InsertTriggeredActions implements core.TriggerTx.
func (t *tx) InsertTriggeredActions(actions []*core.TriggeredAction) error {
	if len(actions) == 0 {
		return nil
	}
	t.Wake(core.TopicTriggeredActions)
	return t.insertMany("INSERT INTO automation_action (id, ws, created, due, owner, depth, spec)", "", 7, len(actions), func(i int) []any {
		a := actions[i]
		return []any{a.ID, int64(t.ws), micros(a.Created), micros(a.Due), a.Owner, a.Depth, string(a.Spec)}
	})
}

// TriggeredActionDue implements core.TriggerTx.
func (t *tx) TriggeredActionDue(now time.Time) (bool, error) {
	found, err := list(t, func(r rows) (id core.ID, err error) { return id, r.Scan(&id) },
		"SELECT ta.id FROM automation_action ta WHERE ta.ws + 0 = ? AND ta.due <= ? ORDER BY ta.due LIMIT 1", int64(t.ws), micros(now))
	return len(found) > 0, err
}

// ClaimTriggeredActions implements core.TriggerTx.
func (t *tx) ClaimTriggeredActions(owner string, now, until time.Time, limit int) ([]*core.TriggeredAction, error) {
	claimed, err := list(t, scanTriggered, "SELECT "+triggeredColumns+` FROM automation_action ta WHERE ta.ws + 0 = ? AND ta.due <= ?
		ORDER BY ta.due, ta.id LIMIT ?`+t.claim("ta"), int64(t.ws), micros(now), limit)
	if err != nil {
		return nil, err
	}
	for _, a := range claimed {
		a.Due, a.Owner = until, owner
		if err := t.exec("UPDATE automation_action SET due = ?, owner = ? WHERE ws + 0 = ? AND id = ?",
			micros(until), owner, int64(t.ws), a.ID); err != nil {
			return nil, err
		}
	}
	return claimed, nil
}

// PutOffTriggeredAction implements core.TriggerTx.
func (t *tx) PutOffTriggeredAction(id core.ID, due time.Time) error {
	return t.exec("UPDATE automation_action SET due = ?, owner = '' WHERE ws + 0 = ? AND id = ?", micros(due), int64(t.ws), id)
}

// FinishTriggeredAction implements core.TriggerTx.
func (t *tx) FinishTriggeredAction(id core.ID) (bool, error) {
	n, err := t.execN("DELETE FROM automation_action WHERE ws + 0 = ? AND id = ?", int64(t.ws), id)
	return n > 0, err
}
