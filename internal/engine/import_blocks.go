package engine

import (
	"encoding/json"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// ImportBlockType is a block type of another server. Of those that every server
// brings along, this one's stay as they are.
type ImportBlockType struct{ *core.BlockType }

func (b ImportBlockType) source() core.ID { return b.ID }

func (b ImportBlockType) put(_ *Engine, tx core.Tx, _ time.Time) (imported, error) {
	return namedRow[core.BlockType]{
		id: b.ID, name: b.Slug, updated: b.Updated,
		find: []func() (*core.BlockType, error){
			func() (*core.BlockType, error) { return tx.BlockTypeBySlug(b.Slug) },
			func() (*core.BlockType, error) { return tx.BlockType(b.ID) },
		},
		of: func(old *core.BlockType) (core.ID, time.Time) {
			if old.Protected {
				return old.ID, b.Updated
			}
			return old.ID, old.Updated
		},
		insert: func() error { return tx.InsertBlockType(b.BlockType) },
		update: func(old *core.BlockType) error {
			old.Updated, old.LogoURL, old.DocumentationURL = b.Updated, b.LogoURL, b.DocumentationURL
			old.Description, old.CodeExample = b.Description, b.CodeExample
			return tx.UpdateBlockType(old)
		},
	}.put()
}

// ImportBlockSchema is a block schema of another server. Schemas never change.
type ImportBlockSchema struct{ *core.BlockSchema }

func (s ImportBlockSchema) source() core.ID { return s.ID }

func (s ImportBlockSchema) put(_ *Engine, tx core.Tx, _ time.Time) (imported, error) {
	if s.ID.IsZero() || s.Checksum == "" || !isObject(s.Fields) {
		return imported{}, core.Errorf(core.Invalid, "it has no id, no checksum or no fields")
	}
	for _, find := range []func() (*core.BlockSchema, error){
		func() (*core.BlockSchema, error) { return tx.BlockSchemaByChecksum(s.Checksum, &s.Version) },
		func() (*core.BlockSchema, error) { return tx.BlockSchema(s.ID) },
	} {
		old, err := find()
		if err == nil {
			return imported{id: old.ID}, nil
		}
		if !missing(err) {
			return imported{}, err
		}
	}
	if _, err := tx.BlockType(s.BlockTypeID); err != nil {
		return imported{}, err
	}
	return imported{id: s.ID, what: rowCreated}, tx.InsertBlockSchema(s.BlockSchema)
}

// ImportBlockDocument is a block document of another server with readable data,
// in which {"$ref": {"block_document_id": …}} stands for other documents.
type ImportBlockDocument struct {
	*core.BlockDocument
	Data json.RawMessage
}

func (d ImportBlockDocument) source() core.ID { return d.ID }

func (d ImportBlockDocument) put(e *Engine, tx core.Tx, _ time.Time) (imported, error) {
	if d.ID.IsZero() || d.Name == "" || !isObject(d.Data) {
		return imported{}, core.Errorf(core.Invalid, "it has no id, no name or no data")
	}
	old, err := d.here(tx)
	if err != nil && !missing(err) {
		return imported{}, err
	}
	doc, got := *d.BlockDocument, imported{id: d.ID, what: rowCreated}
	if old != nil {
		if doc.ID, got = old.ID, (imported{id: old.ID}); !d.Updated.After(old.Updated) {
			return got, nil
		}
		got.what = rowUpdated
	}
	data, refs, err := splitReferences(doc.ID, d.Data)
	if err != nil {
		return imported{}, err
	}
	if err := e.sealDocument(&doc, data); err != nil {
		return imported{}, err
	}
	if old != nil {
		err = replaceDocument(tx, &doc, refs)
	} else if err = insertable(tx, &doc, refs); err == nil {
		err = tx.InsertBlockDocument(&doc)
	}
	if err != nil {
		return imported{}, err
	}
	return got, tx.SetBlockReferences(doc.ID, refs)
}

// here finds the document by its id, or by its type and name.
func (d ImportBlockDocument) here(tx core.Tx) (*core.BlockDocument, error) {
	old, err := tx.BlockDocument(d.ID)
	if !missing(err) {
		return old, err
	}
	kind, err := tx.BlockType(d.BlockTypeID)
	if err != nil {
		return nil, core.Errorf(core.Invalid, "its block type %s is not here", d.BlockTypeID)
	}
	return tx.BlockDocumentByName(kind.Slug, d.Name)
}

func replaceDocument(tx core.Tx, d *core.BlockDocument, refs []core.BlockReference) error {
	if _, err := tx.BlockSchema(d.BlockSchemaID); err != nil {
		return err
	}
	if err := checkReferences(tx, refs); err != nil {
		return err
	}
	return tx.UpdateBlockDocument(d)
}

// ImportResultStorage is where another server's runs store their results by default.
type ImportResultStorage struct{ Document core.ID }

func (s ImportResultStorage) source() core.ID { return s.Document }

func (s ImportResultStorage) put(_ *Engine, tx core.Tx, _ time.Time) (imported, error) {
	text, err := tx.Setting(resultStorageSetting)
	if err != nil {
		return imported{}, err
	}
	if text != "" {
		return imported{id: s.Document}, nil
	}
	if _, err := tx.BlockDocument(s.Document); err != nil {
		return imported{}, err
	}
	return imported{id: s.Document, what: rowCreated}, tx.SetSetting(resultStorageSetting, s.Document.String())
}
