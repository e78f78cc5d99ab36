package engine

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// ImportFlowRun is a flow run of another server with all its states. It comes
// after its task runs and lines: that it is here says that they are.
type ImportFlowRun struct {
	*core.FlowRun
	States []*core.State
	Inputs []*core.FlowRunInput
}

func (r ImportFlowRun) source() core.ID { return r.ID }

func (r ImportFlowRun) put(_ *Engine, tx core.Tx, _ time.Time) (imported, error) {
	if err := checkStates(r.ID, r.State, r.States); err != nil {
		return imported{}, err
	}
	flow, err := tx.Flow(r.FlowID)
	if err != nil {
		return imported{}, err
	}
	r.FlowName = flow.Name
	got := imported{id: r.ID, what: rowCreated}
	old, err := tx.FlowRun(r.ID)
	switch {
	case missing(err):
	case err != nil:
		return got, err
	case !r.Updated.After(old.Updated):
		return imported{id: r.ID}, nil
	case old.State != nil && old.State.Type.Terminal() && (r.State == nil || !r.State.Type.Terminal()):
		return imported{id: r.ID, note: "the run has ended here and has not at the source; it stays as it is"}, nil
	default:
		got.what = rowUpdated
	}
	if r.IdempotencyKey != nil {
		other, err := tx.FlowRunByIdempotencyKey(r.FlowID, *r.IdempotencyKey)
		if err == nil && other.ID != r.ID {
			got.note = "another run here, " + other.ID.String() + ", has its idempotency key; it comes without"
			r.IdempotencyKey = nil
		} else if err != nil && !missing(err) {
			return got, err
		}
	}
	if err := tx.PutFlowRun(r.FlowRun); err != nil {
		return got, err
	}
	if r.State.Is(core.Scheduled) {
		tx.Wake(core.TopicScheduledRuns)
	}
	if err := tx.InsertFlowRunStates(r.ID, r.States); err != nil {
		return got, err
	}
	return got, r.putInputs(tx)
}

func (r ImportFlowRun) putInputs(tx core.Tx) error {
	for _, in := range r.Inputs {
		in.FlowRunID = r.ID
		_, err := tx.FlowRunInput(r.ID, in.Key)
		if missing(err) {
			err = tx.InsertFlowRunInput(in)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkStates refuses runs that cannot be read back.
func checkStates(run core.ID, current *core.State, states []*core.State) error {
	if run.IsZero() {
		return core.Errorf(core.Invalid, "it has no id")
	}
	for _, s := range append([]*core.State{current}, states...) {
		if s != nil && (s.ID.IsZero() || !s.Type.Valid() || s.Timestamp.IsZero()) {
			return core.Errorf(core.Invalid, "it has a state without an id, a time or a known type: %q", s.Type)
		}
	}
	return nil
}

// ImportTaskRun is a task run of another server with its states.
type ImportTaskRun struct {
	*core.TaskRun
	States []*core.State
}

func (r ImportTaskRun) source() core.ID { return r.ID }

func (r ImportTaskRun) put(_ *Engine, tx core.Tx, _ time.Time) (imported, error) {
	if err := checkStates(r.ID, r.State, r.States); err != nil {
		return imported{}, err
	}
	got := imported{id: r.ID, what: rowUpdated}
	old, err := tx.TaskRun(r.ID)
	switch {
	case missing(err):
		got.what = rowCreated
	case err != nil:
		return got, err
	case r.State == nil || old.State != nil && !old.State.Timestamp.Before(r.State.Timestamp):
		got.what = rowUnchanged
	}
	if r.State == nil {
		if got.what == rowCreated {
			err = tx.InsertTaskRun(r.TaskRun)
		} else {
			err = nil
		}
		return got, err
	}
	// The current state comes first, so that it is the one shown among equals.
	record := []*core.TaskRun{r.TaskRun}
	for _, s := range r.States {
		if s.ID != r.State.ID && !s.Timestamp.After(r.State.Timestamp) {
			then := *r.TaskRun
			then.State = s
			record = append(record, &then)
		}
	}
	return got, tx.RecordTaskRuns(record)
}

// ImportArtifact is an artifact of another server.
type ImportArtifact struct{ *core.Artifact }

func (a ImportArtifact) source() core.ID { return a.ID }

func (a ImportArtifact) put(_ *Engine, tx core.Tx, _ time.Time) (imported, error) {
	return namedRow[core.Artifact]{
		id: a.ID, name: "an artifact may have none", updated: a.Updated,
		find:   []func() (*core.Artifact, error){func() (*core.Artifact, error) { return tx.Artifact(a.ID) }},
		of:     func(old *core.Artifact) (core.ID, time.Time) { return old.ID, old.Updated },
		insert: func() error { return tx.InsertArtifact(a.Artifact) },
		update: func(*core.Artifact) error { return tx.UpdateArtifact(a.Artifact) },
	}.put()
}

// ImportArtifactCollection is the newest artifact of a key at another server,
// after its artifacts. Where this one has artifacts of the key, the newest of all counts.
type ImportArtifactCollection struct{ *core.ArtifactCollection }

func (c ImportArtifactCollection) source() core.ID { return c.ID }

func (c ImportArtifactCollection) put(_ *Engine, tx core.Tx, _ time.Time) (imported, error) {
	if c.ID.IsZero() {
		return imported{}, core.Errorf(core.Invalid, "it has no id")
	}
	newest, err := tx.NewestArtifact(c.Key)
	if err != nil {
		return imported{}, err
	}
	old, err := tx.ArtifactCollection(c.Key)
	switch {
	case missing(err):
		if c.LatestID != newest.ID {
			c.LatestID, c.Updated = newest.ID, newest.Updated
		}
		return imported{id: c.ID, what: rowCreated}, tx.PutArtifactCollection(c.ArtifactCollection)
	case err != nil:
		return imported{}, err
	case old.LatestID == newest.ID && (c.LatestID != newest.ID || !c.Updated.After(old.Updated)):
		return imported{id: c.ID}, nil
	}
	old.LatestID, old.Updated = newest.ID, c.Updated
	return imported{id: c.ID, what: rowUpdated}, tx.PutArtifactCollection(old)
}

// ImportLogs stores lines of other servers' runs. Lines have no identity across
// servers: a line is the same as another of its run with the same time, logger,
// level and text, as often as it is there.
func (e *Engine) ImportLogs(ctx context.Context, ws core.WorkspaceID, lines []*core.Log) (res ImportResult, err error) {
	type owner struct{ flowRun, taskRun core.ID }
	runs := map[owner][]*core.Log{}
	var order []owner
	for _, l := range lines {
		var o owner
		if l.FlowRunID != nil {
			o.flowRun = *l.FlowRunID
		} else if l.TaskRunID != nil {
			o.taskRun = *l.TaskRunID
		}
		if runs[o] == nil {
			order = append(order, o)
		}
		runs[o] = append(runs[o], l)
	}
	err = e.store.Update(ctx, ws, func(tx core.Tx) error {
		res = ImportResult{}
		var fresh []*core.Log
		for _, o := range order {
			if o == (owner{}) {
				for range runs[o] {
					res.Refused = append(res.Refused, ImportRemark{Text: "the line belongs to no run"})
				}
				continue
			}
			added, err := unknownLines(tx, runs[o])
			if err != nil {
				return err
			}
			res.Created += len(added)
			res.Unchanged += len(runs[o]) - len(added)
			fresh = append(fresh, added...)
		}
		if len(fresh) == 0 {
			return nil
		}
		return tx.InsertLogs(fresh)
	})
	return res, err
}

// line is what makes a line the same as another.
type line struct {
	at      int64
	level   int
	name    string
	message string
	taskRun core.ID
}

func lineOf(l *core.Log) line {
	out := line{at: l.Timestamp.UnixMicro(), level: l.Level, name: l.Name, message: l.Message}
	if l.TaskRunID != nil {
		out.taskRun = *l.TaskRunID
	}
	return out
}

// unknownLines returns those of a run's lines that are not here.
func unknownLines(tx core.Tx, lines []*core.Log) ([]*core.Log, error) {
	first, last := lines[0].Timestamp, lines[0].Timestamp
	for _, l := range lines {
		if l.Timestamp.Before(first) {
			first = l.Timestamp
		}
		if l.Timestamp.After(last) {
			last = l.Timestamp
		}
	}
	here, err := tx.LogsBetween(lines[0].FlowRunID, lines[0].TaskRunID, first, last)
	if err != nil || len(here) == 0 {
		return lines, err
	}
	count := map[line]int{}
	for _, l := range here {
		count[lineOf(l)]++
	}
	var fresh []*core.Log
	for _, l := range lines {
		if k := lineOf(l); count[k] > 0 {
			count[k]--
		} else {
			fresh = append(fresh, l)
		}
	}
	return fresh, nil
}

// maxOverlap bounds how many events of the time of a batch are compared with it.
const maxOverlap = 20_000

// ImportEvents stores events of other servers. No follower sees them, so that no
// automation acts on what happened elsewhere.
func (e *Engine) ImportEvents(ctx context.Context, ws core.WorkspaceID, events []*core.Event) (res ImportResult, err error) {
	if len(events) == 0 {
		return res, nil
	}
	now := e.now()
	span := core.EventRange{Since: events[0].Occurred, Until: events[0].Occurred, Limit: maxOverlap}
	for _, v := range events {
		if v.Occurred.Before(span.Since) {
			span.Since = v.Occurred
		}
		if v.Occurred.After(span.Until) {
			span.Until = v.Occurred
		}
	}
	err = e.store.Update(ctx, ws, func(tx core.Tx) error {
		res = ImportResult{}
		here, err := tx.FindEvents(span)
		if err != nil {
			return err
		}
		known := make(map[core.ID]bool, len(here))
		for _, v := range here {
			known[v.ID] = true
		}
		var fresh []*core.Event
		for _, v := range events {
			switch {
			case v.ID.IsZero() || v.Event == "" || v.Resource.Get(core.ResourceID) == "":
				res.Refused = append(res.Refused, ImportRemark{v.ID, "the event has no id, no name or no resource"})
			case known[v.ID]:
				res.Unchanged++
			default:
				known[v.ID] = true
				fresh = append(fresh, v)
			}
		}
		res.Created = len(fresh)
		if len(fresh) == 0 {
			return nil
		}
		if cursor, err := tx.EventCursor(); err != nil || cursor == (core.Cursor{}) {
			if err == nil {
				err = tellImport(tx, now)
			}
			if err != nil {
				return err
			}
		}
		return tx.InsertPastEvents(fresh)
	})
	return res, err
}

// tellImport is the first event of a server whose history is another's.
func tellImport(tx core.Tx, now time.Time) error {
	return tx.InsertEvents([]*core.Event{{
		ID: core.NewID(now), Occurred: now, Received: now, Event: "leat.import.began",
		Resource: core.Labels{{Key: core.ResourceID, Value: "leat.import"}}, Related: []core.Labels{},
	}})
}
