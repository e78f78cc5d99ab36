package core

import (
	"encoding/json"
	"time"
)

// SavedSearch is a set of filters that a user keeps under a name.
type SavedSearch struct {
	ID      ID
	Created time.Time
	Updated time.Time
	Name    string
	// Filters is a JSON array.
	Filters json.RawMessage
}

// SavedSearchTx reads and writes saved searches, and settings kept in the database.
type SavedSearchTx interface {
	// PutSavedSearch stores a search, or replaces the filters of the one with its name.
	PutSavedSearch(s *SavedSearch) error
	// SavedSearch returns the search, or a NotFound error.
	SavedSearch(id ID) (*SavedSearch, error)
	// SavedSearchByName returns the search, or a NotFound error.
	SavedSearchByName(name string) (*SavedSearch, error)
	// SavedSearches lists searches by name.
	SavedSearches(limit, offset int) ([]*SavedSearch, error)
	// DeleteSavedSearch removes the search and reports whether it existed.
	DeleteSavedSearch(id ID) (bool, error)
	// Setting returns a value of the workspace; "" when it is not set.
	Setting(name string) (string, error)
	// SetSetting stores a value of the workspace; "" removes it.
	SetSetting(name, value string) error
}
