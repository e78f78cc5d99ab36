package engine

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// NewBlockSchema describes a schema to register.
type NewBlockSchema struct {
	// Fields is a JSON schema object, with definitions and block_schema_references.
	Fields       json.RawMessage
	BlockTypeID  core.ID
	Capabilities []string
	Version      string
}

// CreateBlockSchema registers a schema and those of the blocks within it. One
// with the same checksum and version is returned as it is; made tells which. A
// block type that is not there gives a NotFound error, that of a nested block Conflict.
func (e *Engine) CreateBlockSchema(ctx context.Context, ws core.WorkspaceID, in NewBlockSchema) (s *core.BlockSchema, made bool, err error) {
	now := e.now()
	fields, err := parseFields(in.Fields)
	if err != nil {
		return nil, false, core.Errorf(core.Invalid, "fields: %s", err)
	}
	err = e.store.Update(ctx, ws, func(tx core.Tx) error {
		if _, err := tx.BlockType(in.BlockTypeID); missing(err) {
			return core.Errorf(core.NotFound, "Block type %s not found.", in.BlockTypeID)
		} else if err != nil {
			return err
		}
		s, made, err = putBlockSchema(tx, now, in, fields)
		return err
	})
	return s, made, err
}

// putBlockSchema stores a schema; all checks come before the first write.
func putBlockSchema(tx core.Tx, now time.Time, in NewBlockSchema, fields map[string]any) (*core.BlockSchema, bool, error) {
	checksum := schemaChecksum(fields)
	old, err := tx.BlockSchemaByChecksum(checksum, &in.Version)
	if !missing(err) {
		return old, false, err
	}
	nested, err := nestedSchemas(tx, fields)
	if err != nil {
		return nil, false, err
	}
	raw := in.Fields
	if _, ok := fields["block_schema_references"]; !ok {
		o, err := parseObject(raw)
		if err != nil {
			return nil, false, err
		}
		o.set("block_schema_references", json.RawMessage("{}"))
		raw = o.raw()
	}
	s := &core.BlockSchema{
		ID: core.NewID(now), Created: now, Updated: now, Checksum: checksum, Fields: raw, BlockTypeID: in.BlockTypeID,
		Capabilities: in.Capabilities, Version: in.Version,
	}
	if s.Type, err = tx.BlockType(in.BlockTypeID); err != nil {
		return nil, false, err
	}
	for _, n := range nested {
		if _, _, err := putBlockSchema(tx, now, n, mustFields(n.Fields)); err != nil {
			return nil, false, err
		}
	}
	return s, true, tx.InsertBlockSchema(s)
}

// mustFields reads fields that were marshalled here.
func mustFields(raw json.RawMessage) map[string]any {
	fields, err := parseFields(raw)
	if err != nil {
		panic("engine: " + err.Error())
	}
	return fields
}

// nestedSchemas lists the schemas of blocks within a schema that are not known yet.
func nestedSchemas(tx core.Tx, fields map[string]any) ([]NewBlockSchema, error) {
	references, _ := fields["block_schema_references"].(map[string]any)
	definitions, _ := fields["definitions"].(map[string]any)
	var out []NewBlockSchema
	for _, reference := range references {
		several, ok := reference.([]any)
		if !ok {
			several = []any{reference}
		}
		for _, one := range several {
			entry, _ := one.(map[string]any)
			slug, _ := entry["block_type_slug"].(string)
			checksum, _ := entry["block_schema_checksum"].(string)
			kind, err := tx.BlockTypeBySlug(slug)
			if missing(err) {
				return nil, core.Errorf(core.Conflict, "Cannot create block schema because block type '%s' was not found."+
					"Did you forget to register the block type?", slug)
			}
			if err != nil {
				return nil, err
			}
			if _, err := tx.BlockSchemaByChecksum(checksum, nil); err == nil {
				continue
			} else if !missing(err) {
				return nil, err
			}
			if n, ok := nestedSchema(kind, definitions); ok {
				out = append(out, n)
			}
		}
	}
	return out, nil
}

// nestedSchema makes a schema of a block's definition.
func nestedSchema(kind *core.BlockType, definitions map[string]any) (NewBlockSchema, bool) {
	for _, definition := range definitions {
		d, _ := definition.(map[string]any)
		if d["block_type_slug"] != kind.Slug {
			continue
		}
		fields := make(map[string]any, len(d)+1)
		maps.Copy(fields, d)
		// The definition may lean on any of its siblings.
		fields["definitions"] = definitions
		raw, err := json.Marshal(fields)
		return NewBlockSchema{Fields: raw, BlockTypeID: kind.ID, Version: "non-versioned"}, err == nil
	}
	return NewBlockSchema{}, false
}

// DeleteBlockSchema removes a schema with its documents. That of a protected
// type gives a Forbidden error.
func (e *Engine) DeleteBlockSchema(ctx context.Context, ws core.WorkspaceID, id core.ID) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		s, err := tx.BlockSchema(id)
		if err != nil {
			return err
		}
		if s.Type.Protected {
			return core.Errorf(core.Forbidden, "Block schemas for protected block types cannot be deleted.")
		}
		_, err = tx.DeleteBlockSchema(id)
		return err
	})
}

// secretFields lists a schema's secret fields.
func secretFields(s *core.BlockSchema) []string {
	var fields struct {
		Secret []string `json:"secret_fields"`
	}
	if err := json.Unmarshal(s.Fields, &fields); err != nil {
		return nil
	}
	for i, f := range fields.Secret {
		fields.Secret[i] = strings.TrimSpace(f)
	}
	return fields.Secret
}
