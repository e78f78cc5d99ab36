package engine

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/leat-dev/leat/internal/core"
)

// PutSavedSearch keeps filters under a name; made tells whether the name is new.
func (e *Engine) PutSavedSearch(ctx context.Context, ws core.WorkspaceID, name string, filters json.RawMessage) (s *core.SavedSearch, made bool, err error) {
	now := e.now()
	err = e.store.Update(ctx, ws, func(tx core.Tx) error {
		old, err := tx.SavedSearchByName(name)
		s = &core.SavedSearch{ID: core.NewID(now), Created: now, Updated: now, Name: name, Filters: filters}
		if made = missing(err); !made {
			if err != nil {
				return err
			}
			s.ID, s.Created, s.Updated = old.ID, old.Created, old.Updated
		}
		return tx.PutSavedSearch(s)
	})
	return s, made, err
}

// DeleteSavedSearch removes a saved search.
func (e *Engine) DeleteSavedSearch(ctx context.Context, ws core.WorkspaceID, id core.ID) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		found, err := tx.DeleteSavedSearch(id)
		if err == nil && !found {
			return core.Errorf(core.NotFound, "Saved search not found")
		}
		return err
	})
}

// resultStorageSetting names the setting that holds the id of the block document
// in which results are stored by default.
const resultStorageSetting = "default_result_storage_block_id"

// DefaultResultStorage returns the id of the block document in which results are
// stored by default; nil for none.
func (e *Engine) DefaultResultStorage(ctx context.Context, ws core.WorkspaceID) (id *core.ID, err error) {
	err = e.store.View(ctx, ws, func(tx core.Tx) error {
		text, err := tx.Setting(resultStorageSetting)
		if err != nil || text == "" {
			return err
		}
		parsed, err := core.ParseID(text)
		id = &parsed
		return err
	})
	return id, err
}

// SetDefaultResultStorage chooses the block document in which results are stored
// by default; nil for none.
func (e *Engine) SetDefaultResultStorage(ctx context.Context, ws core.WorkspaceID, id *core.ID) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		if id == nil {
			return tx.SetSetting(resultStorageSetting, "")
		}
		doc, err := tx.BlockDocument(*id)
		if missing(err) {
			return core.Errorf(core.NotFound, "Block document %s not found.", id)
		}
		if err != nil {
			return err
		}
		schema, err := tx.BlockSchema(doc.BlockSchemaID)
		if err != nil {
			return err
		}
		if !slices.Contains(schema.Capabilities, "write-path") {
			return core.Errorf(core.Invalid, "Block document %s cannot be used for result storage.", id)
		}
		return tx.SetSetting(resultStorageSetting, id.String())
	})
}
