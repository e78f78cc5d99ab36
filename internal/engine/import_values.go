package engine

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// ImportFlow is a flow of another server.
type ImportFlow struct{ *core.Flow }

func (f ImportFlow) source() core.ID { return f.ID }

func (f ImportFlow) put(_ *Engine, tx core.Tx, _ time.Time) (imported, error) {
	return namedRow[core.Flow]{
		id: f.ID, name: f.Name, updated: f.Updated,
		find: []func() (*core.Flow, error){
			func() (*core.Flow, error) { return tx.Flow(f.ID) },
			func() (*core.Flow, error) { return tx.FlowByName(f.Name) },
		},
		of:     func(old *core.Flow) (core.ID, time.Time) { return old.ID, old.Updated },
		insert: func() error { return tx.InsertFlow(f.Flow) },
		update: func(old *core.Flow) error {
			old.Updated, old.Tags, old.Labels = f.Updated, f.Tags, f.Labels
			return tx.UpdateFlow(old)
		},
	}.put()
}

// ImportVariable is a variable of another server.
type ImportVariable struct{ *core.Variable }

func (v ImportVariable) source() core.ID { return v.ID }

func (v ImportVariable) put(_ *Engine, tx core.Tx, _ time.Time) (imported, error) {
	if !json.Valid(v.Value) {
		return imported{}, core.Errorf(core.Invalid, "variable %s has no value", v.Name)
	}
	return namedRow[core.Variable]{
		id: v.ID, name: v.Name, updated: v.Updated,
		find: []func() (*core.Variable, error){
			func() (*core.Variable, error) { return tx.Variable(v.ID) },
			func() (*core.Variable, error) { return tx.VariableByName(v.Name) },
		},
		of:     func(old *core.Variable) (core.ID, time.Time) { return old.ID, old.Updated },
		insert: func() error { return tx.InsertVariable(v.Variable) },
		update: func(old *core.Variable) error {
			if other, err := tx.VariableByName(v.Name); err == nil && other.ID != old.ID {
				return core.Errorf(core.Conflict, "another variable is called %s", v.Name)
			} else if err != nil && !missing(err) {
				return err
			}
			old.Updated, old.Name, old.Value, old.Tags = v.Updated, v.Name, v.Value, v.Tags
			return tx.UpdateVariable(old)
		},
	}.put()
}

// ImportSavedSearch is a saved search of another server.
type ImportSavedSearch struct{ *core.SavedSearch }

func (s ImportSavedSearch) source() core.ID { return s.ID }

func (s ImportSavedSearch) put(_ *Engine, tx core.Tx, _ time.Time) (imported, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(s.Filters), []byte("[")) {
		return imported{}, core.Errorf(core.Invalid, "the search has no list of filters")
	}
	if other, err := tx.SavedSearch(s.ID); err == nil && other.Name != s.Name {
		return imported{}, core.Errorf(core.Conflict, "another search, %s, has this id", other.Name)
	} else if err != nil && !missing(err) {
		return imported{}, err
	}
	store := func() error { return tx.PutSavedSearch(s.SavedSearch) }
	return namedRow[core.SavedSearch]{
		id: s.ID, name: s.Name, updated: s.Updated,
		find:   []func() (*core.SavedSearch, error){func() (*core.SavedSearch, error) { return tx.SavedSearchByName(s.Name) }},
		of:     func(old *core.SavedSearch) (core.ID, time.Time) { return old.ID, old.Updated },
		insert: store,
		update: func(*core.SavedSearch) error { return store() },
	}.put()
}

// ImportConcurrencyLimit is a limit of another server. The slots that are taken
// there are not: their holders do not know this server.
type ImportConcurrencyLimit struct{ *core.ConcurrencyLimit }

func (l ImportConcurrencyLimit) source() core.ID { return l.ID }

// put compares what the user chose: the time of a limit moves with its slots.
func (l ImportConcurrencyLimit) put(_ *Engine, tx core.Tx, now time.Time) (imported, error) {
	if l.ID.IsZero() || l.Name == "" || l.Limit < 0 || l.SlotDecayPerSecond < 0 {
		return imported{}, core.Errorf(core.Invalid, "limit %q has no id, no name or a limit below 0", l.Name)
	}
	byName, err := tx.ConcurrencyLimitByName(l.Name, now)
	if err != nil && !missing(err) {
		return imported{}, err
	}
	old, err := tx.ConcurrencyLimit(l.ID, now)
	switch {
	case missing(err) && byName == nil:
		return imported{id: l.ID, what: rowCreated}, tx.InsertConcurrencyLimit(l.ConcurrencyLimit)
	case missing(err):
		old = byName
	case err != nil:
		return imported{}, err
	case byName != nil && byName.ID != old.ID:
		return imported{}, core.Errorf(core.Conflict, "another limit is called %s", l.Name)
	}
	if old.Name == l.Name && old.Limit == l.Limit && old.Active == l.Active && old.SlotDecayPerSecond == l.SlotDecayPerSecond {
		return imported{id: old.ID}, nil
	}
	old.Settle(now)
	old.Name, old.Limit, old.Active, old.SlotDecayPerSecond = l.Name, l.Limit, l.Active, l.SlotDecayPerSecond
	tx.Wake(core.TopicScheduledRuns)
	return imported{id: old.ID, what: rowUpdated}, tx.UpdateConcurrencyLimit(old)
}

// ImportAutomation is an automation of another server. Its trigger waits for
// events of this one from now on: the watch hears of automations by their events,
// so this is the one row that is told.
type ImportAutomation struct{ *core.Automation }

func (a ImportAutomation) source() core.ID { return a.ID }

func (a ImportAutomation) put(_ *Engine, tx core.Tx, now time.Time) (imported, error) {
	resources, err := deploymentsOf(a.Actions)
	if err != nil {
		return imported{}, err
	}
	relate := func(what string, err error) error {
		if err != nil {
			return err
		}
		if err := tx.RelateAutomation(a.ID, resources); err != nil {
			return err
		}
		return tellAutomation(tx, now, what, a.Automation)
	}
	return namedRow[core.Automation]{
		id: a.ID, name: a.Name, updated: a.Updated,
		find:   []func() (*core.Automation, error){func() (*core.Automation, error) { return tx.Automation(a.ID) }},
		of:     func(old *core.Automation) (core.ID, time.Time) { return old.ID, old.Updated },
		insert: func() error { return relate("created", tx.InsertAutomation(a.Automation)) },
		update: func(*core.Automation) error { return relate("updated", tx.UpdateAutomation(a.Automation)) },
	}.put()
}
