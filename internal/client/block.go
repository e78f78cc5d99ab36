package client

import (
	"encoding/json"
	"reflect"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// BlockType is a block type as the API shows it. Prefect REST: BlockType.
type BlockType struct {
	ID               core.ID   `json:"id"`
	Created          wire.Time `json:"created"`
	Updated          wire.Time `json:"updated"`
	Name             string    `json:"name"`
	Slug             string    `json:"slug"`
	LogoURL          *string   `json:"logo_url"`
	DocumentationURL *string   `json:"documentation_url"`
	Description      *string   `json:"description"`
	CodeExample      *string   `json:"code_example"`
	IsProtected      bool      `json:"is_protected"`
}

// BlockTypeOf shows a block type.
func BlockTypeOf(b *core.BlockType) BlockType {
	return BlockType{
		ID: b.ID, Created: wire.FromTime(b.Created), Updated: wire.FromTime(b.Updated), Name: b.Name, Slug: b.Slug, LogoURL: b.LogoURL,
		DocumentationURL: b.DocumentationURL, Description: b.Description, CodeExample: b.CodeExample, IsProtected: b.Protected,
	}
}

// BlockTypeCreate is the body of POST /block_types/.
type BlockTypeCreate struct {
	_                struct{}      `wire:"forbid"`
	Name             string        `json:"name" wire:"required,pattern=name"`
	Slug             BlockTypeSlug `json:"slug" wire:"required"`
	LogoURL          *string       `json:"logo_url"`
	DocumentationURL *string       `json:"documentation_url"`
	Description      *string       `json:"description"`
	CodeExample      *string       `json:"code_example"`
}

// BlockTypeUpdate is the body of PATCH /block_types/{id}.
type BlockTypeUpdate struct {
	_                struct{}         `wire:"forbid"`
	LogoURL          wire.Opt[string] `json:"logo_url,omitzero"`
	DocumentationURL wire.Opt[string] `json:"documentation_url,omitzero"`
	Description      wire.Opt[string] `json:"description,omitzero"`
	CodeExample      wire.Opt[string] `json:"code_example,omitzero"`
}

// BlockSchema is a block schema as the API shows it. Prefect REST: BlockSchema.
type BlockSchema struct {
	ID           core.ID         `json:"id"`
	Created      wire.Time       `json:"created"`
	Updated      wire.Time       `json:"updated"`
	Checksum     string          `json:"checksum"`
	Fields       json.RawMessage `json:"fields" wire:"object"`
	BlockTypeID  core.ID         `json:"block_type_id"`
	BlockType    *BlockType      `json:"block_type"`
	Capabilities []string        `json:"capabilities"`
	Version      string          `json:"version"`
}

// BlockSchemaOf shows a block schema.
func BlockSchemaOf(s *core.BlockSchema) BlockSchema {
	out := BlockSchema{
		ID: s.ID, Created: wire.FromTime(s.Created), Updated: wire.FromTime(s.Updated), Checksum: s.Checksum, Fields: s.Fields,
		BlockTypeID: s.BlockTypeID, Capabilities: NotNil(s.Capabilities), Version: s.Version,
	}
	if s.Type != nil {
		kind := BlockTypeOf(s.Type)
		out.BlockType = &kind
	}
	return out
}

// BlockSchemaCreate is the body of POST /block_schemas/.
type BlockSchemaCreate struct {
	_            struct{}        `wire:"forbid"`
	Fields       json.RawMessage `json:"fields" wire:"object"`
	BlockTypeID  core.ID         `json:"block_type_id" wire:"required"`
	Capabilities []string        `json:"capabilities"`
	Version      string          `json:"version" wire:"default=non-versioned"`
}

// BlockDocument is a block document as the API shows it. Prefect REST: BlockDocument.
type BlockDocument struct {
	ID            core.ID                    `json:"id"`
	Created       wire.Time                  `json:"created"`
	Updated       wire.Time                  `json:"updated"`
	Name          string                     `json:"name"`
	Data          json.RawMessage            `json:"data" wire:"object"`
	BlockSchemaID core.ID                    `json:"block_schema_id"`
	BlockSchema   BlockSchema                `json:"block_schema"`
	BlockTypeID   core.ID                    `json:"block_type_id"`
	BlockTypeName string                     `json:"block_type_name"`
	BlockType     BlockType                  `json:"block_type"`
	References    map[string]BlockReferences `json:"block_document_references"`
	IsAnonymous   bool                       `json:"is_anonymous"`
}

// BlockReferences shows what a field of a document refers to.
type BlockReferences struct {
	Document BlockReference `json:"block_document"`
}

// BlockReference is a document within another one.
type BlockReference struct {
	ID          core.ID                    `json:"id"`
	Name        string                     `json:"name"`
	BlockType   BlockType                  `json:"block_type"`
	IsAnonymous bool                       `json:"is_anonymous"`
	References  map[string]BlockReferences `json:"block_document_references"`
}

// BlockDocumentCreate is the body of POST /block_documents/.
type BlockDocumentCreate blockDocumentCreate

// DecodeWire reads the body; before all else it asks for a name.
func (b *BlockDocumentCreate) DecodeWire(raw json.RawMessage) []wire.FieldError {
	if string(raw) == "null" {
		return []wire.FieldError{{Type: "missing", Msg: "Field required", Input: raw}}
	}
	var given map[string]json.RawMessage
	if json.Unmarshal(raw, &given) == nil && falsy(given["name"]) && falsy(given["is_anonymous"]) {
		return []wire.FieldError{valueError("Names must be provided for block documents.", raw)}
	}
	return wire.FieldErrors(wire.Decode(raw, (*blockDocumentCreate)(b)), raw)
}

// WireSchema implements wire's interface for types that describe themselves.
func (*BlockDocumentCreate) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return of(reflect.TypeFor[blockDocumentCreate]())
}

// blockDocumentCreate is BlockDocumentCreate without its check of the whole.
type blockDocumentCreate struct {
	_             struct{}           `wire:"forbid"`
	Name          *BlockDocumentName `json:"name"`
	Data          json.RawMessage    `json:"data" wire:"object"`
	BlockSchemaID core.ID            `json:"block_schema_id" wire:"required"`
	BlockTypeID   core.ID            `json:"block_type_id" wire:"required"`
	IsAnonymous   bool               `json:"is_anonymous"`
}

// BlockDocumentUpdate is the body of PATCH /block_documents/{id}.
type BlockDocumentUpdate struct {
	_                 struct{}        `wire:"forbid"`
	BlockSchemaID     *core.ID        `json:"block_schema_id"`
	Data              json.RawMessage `json:"data" wire:"object"`
	MergeExistingData bool            `json:"merge_existing_data" wire:"default=true"`
}
