package engine

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// ImportRow is one thing as another server recorded it. It is stored with its id
// and its times, and without an event: nothing happened here.
type ImportRow interface {
	// put stores the row unless what is here is as new.
	put(e *Engine, tx core.Tx, now time.Time) (imported, error)
	// source is the row's id at the other server.
	source() core.ID
}

// outcome says what became of a row.
type outcome int

const (
	rowUnchanged outcome = iota
	rowCreated
	rowUpdated
)

// imported is what became of a row.
type imported struct {
	// id is the row's id here.
	id   core.ID
	what outcome
	// note is for the user; "" for none.
	note string
}

// ImportResult says what became of rows.
type ImportResult struct {
	Created, Updated, Unchanged int
	// Mapped are the ids, by those of the rows, of what was here under another id.
	Mapped map[core.ID]core.ID
	// Refused are rows that could not be stored, Notes what else there is to know of rows.
	Refused, Notes []ImportRemark
}

// ImportRemark says something about a row.
type ImportRemark struct {
	ID   core.ID
	Text string
}

// Import stores rows in one transaction. A row whose name belongs to something
// else here takes that thing's id; one that cannot be stored is left out and told.
func (e *Engine) Import(ctx context.Context, ws core.WorkspaceID, rows []ImportRow) (res ImportResult, err error) {
	now := e.now()
	err = e.store.Update(ctx, ws, func(tx core.Tx) error {
		res = ImportResult{Mapped: map[core.ID]core.ID{}}
		for _, row := range rows {
			got, err := row.put(e, tx, now)
			if code := core.CodeOf(err); code != "" && code != core.Internal && code != core.Unavailable {
				res.Refused = append(res.Refused, ImportRemark{row.source(), err.Error()})
				continue
			}
			if err != nil {
				return err
			}
			res.count(got.what, 1)
			if id := row.source(); got.id != id {
				res.Mapped[id] = got.id
			}
			if got.note != "" {
				res.Notes = append(res.Notes, ImportRemark{row.source(), got.note})
			}
		}
		return nil
	})
	return res, err
}

func (r *ImportResult) count(what outcome, n int) {
	switch what {
	case rowCreated:
		r.Created += n
	case rowUpdated:
		r.Updated += n
	case rowUnchanged:
		r.Unchanged += n
	}
}

// ImportKnown returns those of the flow runs that are here as they were at the
// given times or later, and when the last import from the source began that came
// to its end; nil for none.
func (e *Engine) ImportKnown(
	ctx context.Context, ws core.WorkspaceID, source string, runs map[core.ID]time.Time,
) (known []core.ID, last *time.Time, err error) {
	ids := make([]core.ID, 0, len(runs))
	for id := range runs {
		ids = append(ids, id)
	}
	err = e.store.View(ctx, ws, func(tx core.Tx) error {
		here, err := tx.FlowRunTimes(ids)
		if err != nil {
			return err
		}
		for id, updated := range runs {
			if at, ok := here[id]; ok && !at.Before(updated) {
				known = append(known, id)
			}
		}
		text, err := tx.Setting(importSetting(source))
		if err != nil || text == "" {
			return err
		}
		at, err := time.Parse(time.RFC3339Nano, text)
		last = &at
		return err
	})
	return known, last, err
}

// importSetting names the setting that says when the last import from a source began.
func importSetting(source string) string { return "import " + source }

// ImportMark says that an import came to its end.
type ImportMark struct {
	Source string
	Began  time.Time
}

func (m ImportMark) source() core.ID { return core.ID{} }

func (m ImportMark) put(_ *Engine, tx core.Tx, _ time.Time) (imported, error) {
	return imported{what: rowUpdated}, tx.SetSetting(importSetting(m.Source), m.Began.UTC().Format(time.RFC3339Nano))
}

// namedRow is how rows of a kind that have a name are put: by id, else by name.
type namedRow[T any] struct {
	id      core.ID
	name    string
	updated time.Time
	// find are the ways to find what is here, the first that finds something counts.
	find []func() (*T, error)
	// of returns the id and the time of what is here.
	of     func(*T) (core.ID, time.Time)
	insert func() error
	update func(old *T) error
}

// put stores the row.
func (n namedRow[T]) put() (imported, error) {
	if n.id.IsZero() || n.name == "" {
		return imported{}, core.Errorf(core.Invalid, "it has no id or no name")
	}
	for _, find := range n.find {
		old, err := find()
		if missing(err) {
			continue
		}
		if err != nil {
			return imported{}, err
		}
		id, updated := n.of(old)
		if !n.updated.After(updated) {
			return imported{id: id}, nil
		}
		return imported{id: id, what: rowUpdated}, n.update(old)
	}
	return imported{id: n.id, what: rowCreated}, n.insert()
}
