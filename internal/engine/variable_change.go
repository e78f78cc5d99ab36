package engine

import (
	"context"
	"encoding/json"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// VariableChange names what is to change in a variable; nil leaves it.
type VariableChange struct {
	Name  *string
	Value json.RawMessage
	Tags  *[]string
	// Nulls tells that something that must have a value is to have none, which is a Conflict.
	Nulls bool
}

// VariableRef names a variable by its id, or by its name when the id is zero.
type VariableRef struct {
	ID   core.ID
	Name string
}

func (r VariableRef) find(tx core.Tx) (*core.Variable, error) {
	if r.ID.IsZero() {
		return tx.VariableByName(r.Name)
	}
	return tx.Variable(r.ID)
}

// CreateVariable makes a variable. A name that is taken gives a Conflict error.
func (e *Engine) CreateVariable(ctx context.Context, ws core.WorkspaceID, name string, value json.RawMessage, tags []string) (*core.Variable, error) {
	now := e.now()
	v := &core.Variable{ID: core.NewID(now), Created: now, Updated: now, Name: name, Value: value, Tags: tags}
	return v, e.store.Update(ctx, ws, func(tx core.Tx) error {
		if _, err := tx.VariableByName(name); err == nil {
			return core.Errorf(core.Conflict, "A variable with the name '%s' already exists.", name)
		} else if !missing(err) {
			return err
		}
		if err := tx.InsertVariable(v); err != nil {
			return err
		}
		return tellVariable(tx, now, "created", v)
	})
}

func tellVariable(tx core.Tx, now time.Time, what string, v *core.Variable) error {
	return tellChange(tx, now, "variable", what, v.ID, v.Name, struct {
		Name  string          `json:"name"`
		Value json.RawMessage `json:"value"`
		Tags  []string        `json:"tags"`
	}{v.Name, v.Value, nonNil(v.Tags)})
}

// Variable returns a variable.
func (e *Engine) Variable(ctx context.Context, ws core.WorkspaceID, ref VariableRef) (v *core.Variable, err error) {
	err = e.store.View(ctx, ws, func(tx core.Tx) error {
		v, err = ref.find(tx)
		return err
	})
	return v, err
}

// UpdateVariable changes a variable.
func (e *Engine) UpdateVariable(ctx context.Context, ws core.WorkspaceID, ref VariableRef, change VariableChange) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		v, err := ref.find(tx)
		if err != nil {
			return err
		}
		if change.Nulls {
			return integrityConflict()
		}
		if change.Name != nil && *change.Name != v.Name {
			if _, err := tx.VariableByName(*change.Name); !missing(err) {
				return orConflict(err)
			}
		}
		set(&v.Name, change.Name)
		set(&v.Tags, change.Tags)
		if change.Value != nil {
			v.Value = change.Value
		}
		v.Updated = now
		if err := tx.UpdateVariable(v); err != nil {
			return err
		}
		return tellVariable(tx, now, "updated", v)
	})
}

// DeleteVariable removes a variable.
func (e *Engine) DeleteVariable(ctx context.Context, ws core.WorkspaceID, ref VariableRef) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		v, err := ref.find(tx)
		if err != nil {
			return err
		}
		if _, err := tx.DeleteVariable(v.ID); err != nil {
			return err
		}
		return tellVariable(tx, now, "deleted", v)
	})
}
