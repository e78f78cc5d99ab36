package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

const stateColumns = "id, type, name, timestamp, message, data, details"

func scanState(r rows) (*core.State, error) {
	s := &core.State{}
	return s, r.Scan(&s.ID, &s.Type, &s.Name, timeInto{&s.Timestamp}, &s.Message, rawInto{&s.Data}, jsonInto{&s.Details})
}

const stateInsertColumns = " (id, ws, run_id, type, name, timestamp, message, data, details)"

// insertState appends to a run's history. The table is flow_run_state or
// task_run_state; a state that is there already is left alone.
func (t *tx) insertState(table string, runID core.ID, s *core.State, details string) error {
	return t.exec("INSERT INTO "+table+stateInsertColumns+" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
		t.stateRow(runID, s, details)...)
}

func (t *tx) stateRow(runID core.ID, s *core.State, details string) []any {
	return []any{s.ID, int64(t.ws), runID, string(s.Type), s.Name, micros(s.Timestamp), s.Message, text(s.Data), details}
}

func (t *tx) states(table string, runID core.ID) ([]*core.State, error) {
	return list(t, scanState, "SELECT "+stateColumns+" FROM "+table+" WHERE ws + 0 = ? AND run_id = ? ORDER BY timestamp, id", int64(t.ws), runID)
}

func (t *tx) state(table, missing string, id core.ID) (*core.State, error) {
	return one(t, core.Errorf(core.NotFound, "%s", missing), scanState,
		"SELECT "+stateColumns+" FROM "+table+" WHERE ws + 0 = ? AND id = ?", int64(t.ws), id)
}

// stateArgs are a run's columns that repeat its current state, in the order of
// currentState.
func stateArgs(s *core.State, details string) []any {
	if s == nil {
		return []any{nil, nil, nil, nil, nil, nil, nil}
	}
	return []any{s.ID, string(s.Type), s.Name, micros(s.Timestamp), s.Message, text(s.Data), details}
}

// currentState reads the columns of a run that repeat its current state.
type currentState struct {
	id      *string
	kind    *string
	name    *string
	at      *int64
	message *string
	data    json.RawMessage
	details *string
}

func (c *currentState) dest() []any {
	return []any{&c.id, &c.kind, &c.name, &c.at, &c.message, rawInto{&c.data}, &c.details}
}

func (c *currentState) state() (*core.State, error) {
	if c.id == nil {
		return nil, nil
	}
	if c.kind == nil || c.name == nil || c.at == nil || c.details == nil {
		return nil, fmt.Errorf("run with an incomplete state %s", *c.id)
	}
	s := &core.State{
		Type: core.StateType(*c.kind), Name: *c.name, Timestamp: time.UnixMicro(*c.at).UTC(),
		Message: c.message, Data: c.data,
	}
	if err := s.ID.UnmarshalText([]byte(*c.id)); err != nil {
		return nil, err
	}
	return s, json.Unmarshal([]byte(*c.details), &s.Details)
}

func detailsText(s *core.State) string {
	if s == nil {
		return ""
	}
	return asJSON(s.Details)
}
