package engine

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// builtinTypes holds the block types that every server has, with their schemas:
// names, fields, types, defaults and checksums are those of the reference, so
// that clients recognize them as their own; the words are ours. A checksum is
// that of the schema with the words of its client, so it is stored, not counted.
//
//go:embed block_types.json
var builtinTypes []byte

// builtins is what builtinTypes holds, in the order in which the reference makes it.
type builtins struct {
	Types   []builtinType   `json:"types"`
	Schemas []builtinSchema `json:"schemas"`
}

// builtinType is a block type that every server has.
type builtinType struct {
	Name             string  `json:"name"`
	Slug             string  `json:"slug"`
	Description      string  `json:"description"`
	LogoURL          string  `json:"logo_url"`
	DocumentationURL *string `json:"documentation_url"`
	Protected        bool    `json:"is_protected"`
}

// builtinSchema is a schema of such a type.
type builtinSchema struct {
	Type         string          `json:"type"`
	Version      string          `json:"version"`
	Capabilities []string        `json:"capabilities"`
	Checksum     string          `json:"checksum"`
	Fields       json.RawMessage `json:"fields"`
}

// InstallBlockTypes makes the block types and schemas that every server has,
// where they are missing. What a client has since said of a type stays.
func (e *Engine) InstallBlockTypes(ctx context.Context, ws core.WorkspaceID) error {
	now := e.now()
	var all builtins
	if err := json.Unmarshal(builtinTypes, &all); err != nil {
		return fmt.Errorf("block types: %w", err)
	}
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		for i := range all.Types {
			if err := all.Types[i].install(tx, now); err != nil {
				return err
			}
		}
		for i := range all.Schemas {
			// Lists show schemas by age: each has an age of its own.
			if err := all.Schemas[i].install(tx, now.Add(time.Duration(i)*time.Microsecond)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *builtinType) install(tx core.Tx, now time.Time) error {
	if _, err := tx.BlockTypeBySlug(b.Slug); !missing(err) {
		return err
	}
	// It names no client's class: this way to load a block needs none.
	example := fmt.Sprintf("from prefect.blocks.core import Block\n\nblock = Block.load(%q)\n", b.Slug+"/BLOCK_NAME")
	return tx.InsertBlockType(&core.BlockType{
		ID: core.NewID(now), Created: now, Updated: now, Name: b.Name, Slug: b.Slug, Description: &b.Description, LogoURL: &b.LogoURL,
		DocumentationURL: b.DocumentationURL, CodeExample: &example, Protected: b.Protected,
	})
}

func (s *builtinSchema) install(tx core.Tx, now time.Time) error {
	if _, err := tx.BlockSchemaByChecksum(s.Checksum, &s.Version); !missing(err) {
		return err
	}
	kind, err := tx.BlockTypeBySlug(s.Type)
	if err != nil {
		return err
	}
	return tx.InsertBlockSchema(&core.BlockSchema{
		ID: core.NewID(now), Created: now, Updated: now, Checksum: s.Checksum, Fields: s.Fields, BlockTypeID: kind.ID,
		Capabilities: s.Capabilities, Version: s.Version,
	})
}
