package client

import (
	"encoding/json"
	"reflect"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// FlowRunInput is an input as the API shows it. Prefect REST: FlowRunInput.
type FlowRunInput struct {
	ID        core.ID   `json:"id"`
	Created   wire.Time `json:"created"`
	Updated   wire.Time `json:"updated"`
	FlowRunID core.ID   `json:"flow_run_id"`
	Key       string    `json:"key"`
	Value     string    `json:"value"`
	Sender    *string   `json:"sender"`
}

// FlowRunInputOf shows an input.
func FlowRunInputOf(i *core.FlowRunInput) FlowRunInput {
	return FlowRunInput{
		ID: i.ID, Created: wire.FromTime(i.Created), Updated: wire.FromTime(i.Updated), FlowRunID: i.FlowRunID, Key: i.Key, Value: i.Value,
		Sender: i.Sender,
	}
}

// FlowRunInputCreate is the body of POST /flow_runs/{id}/input.
type FlowRunInputCreate struct {
	_      struct{}   `wire:"embed"`
	Key    string     `json:"key" wire:"required"`
	Value  InputValue `json:"value" wire:"required"`
	Sender *string    `json:"sender"`
}

// InputValue is the value of an input: a text, which the reference keeps as bytes.
type InputValue string

// DecodeWire implements wire's interface for types that decode themselves.
func (v *InputValue) DecodeWire(raw json.RawMessage) []wire.FieldError {
	if len(raw) == 0 || raw[0] != '"' {
		return []wire.FieldError{{Type: "bytes_type", Msg: "Input should be a valid bytes", Input: raw}}
	}
	return wire.FieldErrors(wire.Decode(raw, (*string)(v)), raw)
}

// WireSchema implements wire's interface for types that describe themselves.
func (*InputValue) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	return &wire.Schema{Type: "string"}
}

// FlowRunInputFilter is the body of POST /flow_runs/{id}/input/filter.
type FlowRunInputFilter struct {
	_           struct{} `wire:"embed"`
	Prefix      string   `json:"prefix" wire:"required"`
	Limit       int      `json:"limit" wire:"default=1"`
	ExcludeKeys []string `json:"exclude_keys"`
}

// SavedSearch is a saved search as the API shows it. Prefect REST: SavedSearch.
type SavedSearch struct {
	ID      core.ID                        `json:"id"`
	Created wire.Time                      `json:"created"`
	Updated wire.Time                      `json:"updated"`
	Name    string                         `json:"name"`
	Filters wire.JSON[[]SavedSearchFilter] `json:"filters"`
}

// SavedSearchOf shows a saved search.
func SavedSearchOf(s *core.SavedSearch) SavedSearch {
	return SavedSearch{ID: s.ID, Created: wire.FromTime(s.Created), Updated: wire.FromTime(s.Updated), Name: s.Name, Filters: wire.JSON[[]SavedSearchFilter](s.Filters)}
}

// SavedSearchCreate is the body of PUT /saved_searches/.
type SavedSearchCreate struct {
	_       struct{}            `wire:"forbid"`
	Name    string              `json:"name" wire:"required"`
	Filters []SavedSearchFilter `json:"filters"`
}

// SavedSearchFilter is one condition of a saved search. Prefect REST: SavedSearchFilter.
type SavedSearchFilter struct {
	Object    string          `json:"object" wire:"required"`
	Property  string          `json:"property" wire:"required"`
	Type      string          `json:"type" wire:"required"`
	Operation string          `json:"operation" wire:"required"`
	Value     json.RawMessage `json:"value" wire:"required"`
}

// ResultStorage is the server's default for storing results. Prefect REST:
// ServerDefaultResultStorage.
type ResultStorage struct {
	BlockID *core.ID `json:"default_result_storage_block_id"`
}

// CSRFToken is a token as the API shows it. Prefect REST: CsrfToken.
type CSRFToken struct {
	ID         core.ID   `json:"id"`
	Created    wire.Time `json:"created"`
	Updated    wire.Time `json:"updated"`
	Token      string    `json:"token"`
	Client     string    `json:"client"`
	Expiration wire.Time `json:"expiration"`
}

// ResultStorageUpdate is the body of PUT /admin/storage.
type ResultStorageUpdate struct {
	BlockID core.ID `json:"default_result_storage_block_id" wire:"required"`
}
