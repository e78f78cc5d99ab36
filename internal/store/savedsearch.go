package store

import "github.com/leat-dev/leat/internal/core"

const savedSearchSelect = "SELECT s.id, s.created, s.updated, s.name, s.filters FROM saved_search s WHERE s.ws = ?"

func scanSavedSearch(r rows) (*core.SavedSearch, error) {
	s := &core.SavedSearch{}
	return s, r.Scan(&s.ID, timeInto{&s.Created}, timeInto{&s.Updated}, &s.Name, rawInto{&s.Filters})
}

func noSavedSearch() *core.Error { return core.Errorf(core.NotFound, "Saved search not found") }

// PutSavedSearch implements core.SavedSearchTx.
func (t *tx) PutSavedSearch(s *core.SavedSearch) error {
	return t.exec(`INSERT INTO saved_search (id, ws, created, updated, name, filters) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (ws, name) DO UPDATE SET filters = excluded.filters, updated = excluded.updated`,
		s.ID, int64(t.ws), micros(s.Created), micros(s.Updated), s.Name, text(s.Filters))
}

// SavedSearch implements core.SavedSearchTx.
func (t *tx) SavedSearch(id core.ID) (*core.SavedSearch, error) {
	return one(t, noSavedSearch(), scanSavedSearch, savedSearchSelect+" AND s.id = ?", int64(t.ws), id)
}

// SavedSearchByName implements core.SavedSearchTx.
func (t *tx) SavedSearchByName(name string) (*core.SavedSearch, error) {
	return one(t, noSavedSearch(), scanSavedSearch, savedSearchSelect+" AND s.name = ?", int64(t.ws), name)
}

// SavedSearches implements core.SavedSearchTx.
func (t *tx) SavedSearches(limit, offset int) ([]*core.SavedSearch, error) {
	return list(t, scanSavedSearch, savedSearchSelect+" ORDER BY s.name LIMIT ? OFFSET ?", int64(t.ws), limit, offset)
}

// DeleteSavedSearch implements core.SavedSearchTx.
func (t *tx) DeleteSavedSearch(id core.ID) (bool, error) {
	n, err := t.execN("DELETE FROM saved_search WHERE ws + 0 = ? AND id = ?", int64(t.ws), id)
	return n > 0, err
}

// Setting implements core.SavedSearchTx.
func (t *tx) Setting(name string) (string, error) {
	v, err := list(t, func(r rows) (s string, err error) { return s, r.Scan(&s) },
		"SELECT value FROM setting WHERE ws = ? AND name = ?", int64(t.ws), name)
	if err != nil || len(v) == 0 {
		return "", err
	}
	return v[0], nil
}

// SetSetting implements core.SavedSearchTx.
func (t *tx) SetSetting(name, value string) error {
	if value == "" {
		return t.exec("DELETE FROM setting WHERE ws = ? AND name = ?", int64(t.ws), name)
	}
	return t.exec(`INSERT INTO setting (ws, name, value) VALUES (?, ?, ?)
		ON CONFLICT (ws, name) DO UPDATE SET value = excluded.value`, int64(t.ws), name, value)
}
