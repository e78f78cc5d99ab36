package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// FieldError is one entry of the exception_detail that the Prefect REST API
// gives with status 422.
type FieldError struct {
	// Type is pydantic's name of the violation, such as "missing".
	Type string
	// Loc holds the keys (string) and indexes (int) that lead to the value. Those of
	// Decode start below "body".
	Loc []any
	Msg string
	// Input is the refused value as JSON; nil means null.
	Input json.RawMessage
	// Ctx holds facts about the violation; nil for none.
	Ctx map[string]any
}

// MarshalJSON writes the keys in the order in which the reference does.
func (e FieldError) MarshalJSON() ([]byte, error) {
	loc := e.Loc
	if loc == nil {
		loc = []any{}
	}
	return Marshal(struct {
		Type  string          `json:"type"`
		Loc   []any           `json:"loc"`
		Msg   string          `json:"msg"`
		Input json.RawMessage `json:"input"`
		Ctx   map[string]any  `json:"ctx,omitempty"`
	}{e.Type, loc, e.Msg, e.Input, e.Ctx})
}

// Invalid says that a body is JSON but not what the endpoint takes.
type Invalid struct{ Errors []FieldError }

// Error implements error.
func (e *Invalid) Error() string {
	parts := make([]string, 0, len(e.Errors))
	for _, f := range e.Errors {
		parts = append(parts, fmt.Sprintf("%v: %s", f.Loc, f.Msg))
	}
	return "invalid request: " + strings.Join(parts, "; ")
}

// Malformed says that a body is not JSON.
type Malformed struct {
	// Pos counts characters from 0.
	Pos int
	// Reason is the text of Python's json module.
	Reason string
}

// Error implements error.
func (e *Malformed) Error() string {
	return fmt.Sprintf("malformed JSON at character %d: %s", e.Pos, e.Reason)
}

// In is the message of Python's json module, which says where in the text it is.
func (e *Malformed) In(text string) string {
	line, column := 1, 1
	for i, r := range []rune(text) {
		if i >= e.Pos {
			break
		}
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
	}
	return fmt.Sprintf("%s: line %d column %d (char %d)", e.Reason, line, column, e.Pos)
}

// FieldError is the entry by which the reference answers: its type is json_invalid.
func (e *Malformed) FieldError() FieldError {
	return FieldError{
		Type: "json_invalid", Loc: []any{e.Pos}, Msg: "JSON decode error",
		Input: json.RawMessage(`{}`), Ctx: map[string]any{"error": e.Reason},
	}
}

// TooDeep says that a body nests deeper than the reference can read, for which it
// answers 400 "There was an error parsing the body", or that it holds more values
// than leat reads.
type TooDeep struct{}

// Error implements error.
func (*TooDeep) Error() string {
	return fmt.Sprintf("JSON nests deeper than %d or has more than %d values", maxDepth, maxValues)
}

// BadEncoding says that a body is not UTF-8. The reference answers 400 "There
// was an error parsing the body".
type BadEncoding struct{}

// Error implements error.
func (*BadEncoding) Error() string { return "body is not UTF-8" }

// FieldErrors returns what Decode found wrong in raw, nil for nothing.
func FieldErrors(err error, raw json.RawMessage) []FieldError {
	if err == nil {
		return nil
	}
	if invalid, ok := errors.AsType[*Invalid](err); ok {
		return invalid.Errors
	}
	return []FieldError{{Type: "value_error", Msg: "Value error, " + err.Error(), Input: raw}}
}
