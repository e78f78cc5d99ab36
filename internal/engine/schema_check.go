package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/jinja"
	"github.com/leat-dev/leat/internal/jsonschema"
)

// CheckValues lists what is wrong with values for a schema. Placeholders in the
// values are replaced by what they stand for; templates are not rendered, and
// right if they can be parsed. The error is one of jsonschema.Problems. Prefect
// REST: POST /ui/schemas/validate.
func (e *Engine) CheckValues(ctx context.Context, ws core.WorkspaceID, values, schema json.RawMessage) ([]jsonschema.Problem, error) {
	h := hydrator{stand: jsonschema.Placeholders{}}
	for h.mark = "\x00"; bytes.Contains(values, []byte(`\u0000`+strings.Repeat("m", len(h.mark)-1))); {
		h.mark += "m" // no text of the values may look like a mark
	}
	var known json.RawMessage
	err := e.store.View(ctx, ws, func(tx core.Tx) (err error) {
		h.tx = tx
		known, err = resolvePlaceholders(values, h.placeholder)
		return err
	})
	if errors.Is(err, errAbsent) {
		known, err = json.RawMessage("{}"), nil
	}
	if err != nil {
		return nil, err
	}
	return jsonschema.Problems(known, schema, h.stand)
}

// hydrator replaces placeholders, and leaves marks where there is no value.
type hydrator struct {
	tx    core.Tx
	mark  string
	stand jsonschema.Placeholders
}

func (h *hydrator) placeholder(kind string, fields []member) (json.RawMessage, error) {
	if kind == "jinja" {
		return h.template(fields)
	}
	v, err := hydration{h.tx, renderBare}.placeholder(kind, fields)
	switch {
	case err == nil || errors.Is(err, errAbsent):
		return v, err
	case isHydrationError(err):
		return h.stands(err.Error())
	}
	return nil, err
}

// template accepts what can be parsed.
func (h *hydrator) template(fields []member) (json.RawMessage, error) {
	raw, ok := fieldOf(fields, "template")
	if !ok {
		return h.stands("Missing 'template' key in __prefect object")
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return raw, nil //nolint:nilerr // what is no text stands as it is
	}
	if _, err := jinja.Parse(text); err != nil {
		return h.stands("Invalid jinja: " + err.Error())
	}
	return h.stands("")
}

// stands makes a mark for a value that is not known; the message says why it is wrong.
func (h *hydrator) stands(message string) (json.RawMessage, error) {
	text := fmt.Sprintf("%s%d", h.mark, len(h.stand))
	h.stand[text] = message
	return json.Marshal(text)
}

// isHydrationError tells what is wrong with a placeholder from what went wrong here.
func isHydrationError(err error) bool {
	for _, prefix := range []string{"Variable '", "Invalid JSON: ", "Missing '"} {
		if strings.HasPrefix(err.Error(), prefix) {
			return true
		}
	}
	return false
}
