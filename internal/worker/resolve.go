package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/leat-dev/leat/internal/client"
)

// resolver replaces the placeholders that name something on the server:
// {{ prefect.variables.NAME }}, {{ prefect.blocks.TYPE.NAME.KEY }} and
// {"$ref": {"block_document_id": ID}}.
type resolver struct {
	c       *client.Client
	pattern *regexp.Regexp
}

func (r *resolver) resolve(ctx context.Context, value any) (any, error) {
	switch v := value.(type) {
	case string:
		return r.text(ctx, v)
	case map[string]any:
		if ref, ok := v["$ref"].(map[string]any); ok {
			if id, ok := ref["block_document_id"].(string); ok {
				return r.block(ctx, "/block_documents/"+url.PathEscape(id)+"?include_secrets=true", nil)
			}
		}
		out := make(map[string]any, len(v))
		for key, below := range v {
			resolved, err := r.resolve(ctx, below)
			if err != nil {
				return nil, err
			}
			out[key] = resolved
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, below := range v {
			resolved, err := r.resolve(ctx, below)
			if err != nil {
				return nil, err
			}
			out[i] = resolved
		}
		return out, nil
	}
	return value, nil
}

func (r *resolver) text(ctx context.Context, text string) (any, error) {
	for _, m := range r.pattern.FindAllStringSubmatch(text, -1) {
		whole, name := m[0], m[1]
		var value any
		var err error
		switch {
		case strings.HasPrefix(name, variablePrefix):
			value, err = r.variable(ctx, strings.TrimPrefix(name, variablePrefix))
		case strings.HasPrefix(name, blockPrefix):
			if whole != text {
				return nil, fmt.Errorf("a block stands alone in its text: %s", text)
			}
			path := strings.Split(strings.TrimPrefix(name, blockPrefix), ".")
			if len(path) < 2 {
				return nil, fmt.Errorf("a block is named by type and name: %s", whole)
			}
			value, err = r.block(ctx, "/block_types/slug/"+url.PathEscape(path[0])+"/block_documents/name/"+url.PathEscape(path[1])+"?include_secrets=true", path[2:])
		default:
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", whole, err)
		}
		if whole == text {
			return value, nil
		}
		replacement := ""
		if value != nil {
			replacement = plain(value)
		}
		text = strings.ReplaceAll(text, whole, replacement)
	}
	return text, nil
}

// variable reads a variable; one that is not there is null.
func (r *resolver) variable(ctx context.Context, name string) (any, error) {
	var variable struct {
		Value json.RawMessage `json:"value"`
	}
	err := r.c.Do(ctx, http.MethodGet, "/variables/name/"+url.PathEscape(name), nil, &variable)
	if client.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decode(variable.Value)
}

// block reads a block document and follows a path into it. One that has a value
// and nothing else stands for the value.
func (r *resolver) block(ctx context.Context, path string, keys []string) (any, error) {
	var document struct {
		Data json.RawMessage `json:"data"`
	}
	if err := r.c.Do(ctx, http.MethodGet, path, nil, &document); err != nil {
		return nil, err
	}
	data, err := decode(document.Data)
	if err != nil {
		return nil, err
	}
	if len(keys) > 0 {
		value, ok := lookup(data, strings.Join(keys, "."))
		if !ok {
			return nil, fmt.Errorf("the block has no %s", strings.Join(keys, "."))
		}
		data = value
	}
	if object, ok := data.(map[string]any); ok && len(object) == 1 {
		if value, ok := object["value"]; ok {
			return value, nil
		}
	}
	return data, nil
}

// decode reads JSON and keeps numbers as they are written.
func decode(raw json.RawMessage) (any, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

// decodeObject reads a JSON object; null and none are empty.
func decodeObject(raw json.RawMessage) (map[string]any, error) {
	v, err := decode(raw)
	if err != nil || v == nil {
		return map[string]any{}, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%.80s is not an object", raw)
	}
	return object, nil
}
