package core

import (
	"encoding/json"
	"time"
)

// BlockType is a kind of configuration that clients store: a secret, a file
// system, credentials.
type BlockType struct {
	ID               ID
	Created          time.Time
	Updated          time.Time
	Name             string
	Slug             string
	LogoURL          *string
	DocumentationURL *string
	Description      *string
	CodeExample      *string
	// Protected types cannot be deleted.
	Protected bool
}

// BlockSchema says which fields the documents of a type have.
type BlockSchema struct {
	ID      ID
	Created time.Time
	Updated time.Time
	// Checksum identifies the fields, secret_fields left out: "sha256:" and hex digits.
	Checksum string
	// Fields is a JSON schema object, as the client sent it.
	Fields       json.RawMessage
	BlockTypeID  ID
	Capabilities []string
	Version      string
	// Type comes with the schema when it is read.
	Type *BlockType
}

// BlockDocument is one stored configuration.
type BlockDocument struct {
	ID            ID
	Created       time.Time
	Updated       time.Time
	Name          string
	BlockTypeID   ID
	BlockSchemaID ID
	Anonymous     bool
	// Sealed is the document's data, encrypted.
	Sealed []byte
	// Schema comes with the document when it is read, with its type.
	Schema *BlockSchema
	// Type comes with the document when it is read.
	Type *BlockType
}

// BlockReference says that a document's field is another document.
type BlockReference struct {
	Parent ID
	// Name is the field.
	Name      string
	Reference ID
}

// BlockTypeTx reads and writes block types.
type BlockTypeTx interface {
	// InsertBlockType stores a new type; the slug must be free.
	InsertBlockType(b *BlockType) error
	// BlockType returns the type, or a NotFound error.
	BlockType(id ID) (*BlockType, error)
	// BlockTypeBySlug returns the type, or a NotFound error.
	BlockTypeBySlug(slug string) (*BlockType, error)
	// UpdateBlockType stores all that may change in a type.
	UpdateBlockType(b *BlockType) error
	// DeleteBlockType removes the type with its schemas and documents, and reports whether it existed.
	DeleteBlockType(id ID) (bool, error)
	// FilterBlockTypes lists types.
	FilterBlockTypes(q Query) ([]*BlockType, error)
}

// BlockSchemaTx reads and writes block schemas.
type BlockSchemaTx interface {
	// InsertBlockSchema stores a new schema; checksum and version together must be free.
	InsertBlockSchema(s *BlockSchema) error
	// BlockSchema returns the schema, or a NotFound error.
	BlockSchema(id ID) (*BlockSchema, error)
	// BlockSchemaByChecksum returns the newest schema with the checksum and,
	// unless it is nil, the version, or a NotFound error.
	BlockSchemaByChecksum(checksum string, version *string) (*BlockSchema, error)
	// DeleteBlockSchema removes the schema with its documents, and reports whether it existed.
	DeleteBlockSchema(id ID) (bool, error)
	// FilterBlockSchemas lists schemas.
	FilterBlockSchemas(q Query) ([]*BlockSchema, error)
	// BlockCapabilities lists the capabilities that any schema has.
	BlockCapabilities() ([]string, error)
}

// BlockDocumentTx reads and writes block documents.
type BlockDocumentTx interface {
	// InsertBlockDocument stores a new document; type and name together must be free.
	InsertBlockDocument(d *BlockDocument) error
	// BlockDocument returns the document, or a NotFound error.
	BlockDocument(id ID) (*BlockDocument, error)
	// BlockDocumentByName returns the document of the type with the slug, or a NotFound error.
	BlockDocumentByName(slug, name string) (*BlockDocument, error)
	// UpdateBlockDocument stores data and schema of an existing document.
	UpdateBlockDocument(d *BlockDocument) error
	// DeleteBlockDocument removes the document and reports whether it existed.
	DeleteBlockDocument(id ID) (bool, error)
	// FilterBlockDocuments lists documents.
	FilterBlockDocuments(q Query) ([]*BlockDocument, error)
	// CountBlockDocuments counts documents; sort, limit and offset do not matter.
	CountBlockDocuments(q Query) (int, error)
	// BlockReferences lists the references of a document by name.
	BlockReferences(parent ID) ([]BlockReference, error)
	// SetBlockReferences replaces the references of a document.
	SetBlockReferences(parent ID, refs []BlockReference) error
}
