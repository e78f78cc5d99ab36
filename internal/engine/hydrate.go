package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/jinja"
	"github.com/leat-dev/leat/internal/value"
	"github.com/leat-dev/leat/internal/wire"
)

// placeholderKey marks an object that stands for a value: its kind says how the
// value is found.
const placeholderKey = "__prefect_kind"

// errAbsent is the value of a placeholder that removes itself.
var errAbsent = errors.New("no value")

// Render renders a template.
type Render func(template string) (string, error)

// renderBare renders templates that have nothing to name.
func renderBare(template string) (string, error) {
	parsed, err := jinja.Parse(template)
	if err != nil {
		return "", err
	}
	return parsed.Render(nil)
}

// hydration is the work on one set of parameters.
type hydration struct {
	tx     core.Tx
	render Render
}

// Hydrate replaces the placeholders in parameters; render renders templates. The
// error's text is for the client.
func (e *Engine) Hydrate(ctx context.Context, ws core.WorkspaceID, parameters json.RawMessage, render Render) (out json.RawMessage, err error) {
	err = e.store.View(ctx, ws, func(tx core.Tx) (err error) {
		out, err = hydrate(tx, parameters, render)
		return err
	})
	return out, err
}

// hydrate replaces the placeholders in parameters: JSON written as text,
// variables of the workspace, and templates. The error's text is for the client.
func hydrate(tx core.Tx, parameters json.RawMessage, render Render) (json.RawMessage, error) {
	if !bytes.Contains(parameters, []byte(placeholderKey)) {
		return parameters, nil
	}
	out, err := hydration{tx, render}.value(parameters)
	if errors.Is(err, errAbsent) {
		return json.RawMessage("{}"), nil
	}
	if err == nil && !bytes.HasPrefix(out, []byte("{")) {
		return nil, fmt.Errorf("parameters are an object, not %s", out)
	}
	return out, err
}

func (h hydration) value(raw json.RawMessage) (json.RawMessage, error) {
	return resolvePlaceholders(raw, h.placeholder)
}

// resolver says what a placeholder of a kind stands for; errAbsent removes it.
type resolver func(kind string, fields []member) (json.RawMessage, error)

// resolvePlaceholders replaces the placeholders within a value.
func resolvePlaceholders(raw json.RawMessage, resolve resolver) (json.RawMessage, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || raw[0] != '{' && raw[0] != '[' || !bytes.Contains(raw, []byte(placeholderKey)) {
		return raw, nil
	}
	if raw[0] == '[' {
		return resolveItems(raw, resolve)
	}
	fields := members(raw)
	for _, m := range fields {
		if m.key == placeholderKey {
			var kind string
			if err := json.Unmarshal(m.value, &kind); err != nil {
				kind = ""
			}
			return resolve(kind, fields)
		}
	}
	kept := fields[:0]
	for _, m := range fields {
		v, err := resolvePlaceholders(m.value, resolve)
		if errors.Is(err, errAbsent) {
			continue
		}
		if err != nil {
			return nil, err
		}
		kept = append(kept, member{m.key, v})
	}
	return joinMembers(kept), nil
}

func resolveItems(raw json.RawMessage, resolve resolver) (json.RawMessage, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, err
	}
	kept := items[:0]
	for _, item := range items {
		v, err := resolvePlaceholders(item, resolve)
		if errors.Is(err, errAbsent) {
			continue
		}
		if err != nil {
			return nil, err
		}
		kept = append(kept, v)
	}
	return json.Marshal(kept)
}

func (h hydration) placeholder(kind string, fields []member) (json.RawMessage, error) {
	value, has := fieldOf(fields, "value")
	switch kind {
	case "none":
		if !has {
			return nil, errors.New("Missing 'value' key in __prefect object") //nolint:staticcheck // the reference's text
		}
		return h.value(value)
	case "json":
		return h.fromJSON(value, has)
	case "jinja":
		return h.jinja(fields)
	case "workspace_variable":
		return h.variable(fields)
	}
	if !has {
		return json.RawMessage("null"), nil
	}
	return value, nil
}

func (h hydration) fromJSON(value json.RawMessage, has bool) (json.RawMessage, error) {
	if !has {
		return nil, errAbsent
	}
	if len(value) > 0 && value[0] == '{' {
		inner, err := h.value(value)
		if err != nil {
			return nil, err
		}
		value = inner
	}
	var text string
	if len(value) == 0 || value[0] != '"' || json.Unmarshal(value, &text) != nil {
		return value, nil //nolint:nilerr // what is not a text stays as it is
	}
	var doc json.RawMessage
	if err := wire.Decode([]byte(text), &doc); err != nil {
		if malformed, ok := errors.AsType[*wire.Malformed](err); ok {
			return nil, fmt.Errorf("Invalid JSON: %s", malformed.In(text)) //nolint:staticcheck // the reference's text
		}
		return nil, fmt.Errorf("Invalid JSON: %w", err) //nolint:staticcheck // the reference's text
	}
	return json.RawMessage(text), nil
}

// jinja renders a template.
func (h hydration) jinja(fields []member) (json.RawMessage, error) {
	template, ok := fieldOf(fields, "template")
	if !ok {
		return nil, errors.New("Missing 'template' key in __prefect object") //nolint:staticcheck // the reference's text
	}
	if len(template) > 0 && template[0] == '{' {
		inner, err := h.value(template)
		if err != nil {
			return nil, err
		}
		template = inner
	}
	var text string
	switch {
	case len(template) > 0 && (template[0] == '{' || template[0] == '['):
		// There is nothing to render, but its Python text must be a template.
		shown, err := jinja.Environment{}.Render("{{ v }}", map[string]any{"v": template})
		if err == nil {
			_, err = jinja.Parse(shown)
		}
		if err != nil {
			return nil, fmt.Errorf("Invalid jinja: %w", err) //nolint:staticcheck // the reference's text
		}
		return template, nil
	case len(template) == 0 || template[0] != '"' || json.Unmarshal(template, &text) != nil:
		return nil, fmt.Errorf("Invalid jinja: a template is a text, not %s", template) //nolint:staticcheck // begins as the reference's text
	}
	out, err := h.render(text)
	if err != nil {
		return nil, fmt.Errorf("Invalid jinja: %w", err) //nolint:staticcheck // the reference's text
	}
	return value.AppendString(nil, out), nil
}

func (h hydration) variable(fields []member) (json.RawMessage, error) {
	raw, ok := fieldOf(fields, "variable_name")
	if !ok {
		return nil, errAbsent
	}
	if len(raw) > 0 && raw[0] == '{' {
		inner, err := h.value(raw)
		if err != nil {
			return nil, err
		}
		raw = inner
	}
	var name string
	if err := json.Unmarshal(raw, &name); err != nil {
		return nil, fmt.Errorf("Variable '%s' not found in workspace.", raw) //nolint:staticcheck // the reference's text
	}
	v, err := h.tx.VariableByName(name)
	if missing(err) {
		return nil, fmt.Errorf("Variable '%s' not found in workspace.", name) //nolint:staticcheck // the reference's text
	}
	if err != nil {
		return nil, err
	}
	return v.Value, nil
}

func fieldOf(fields []member, key string) (json.RawMessage, bool) {
	for _, m := range fields {
		if m.key == key {
			return m.value, true
		}
	}
	return nil, false
}
