package engine

import (
	"context"
	"encoding/json"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// maxReferenceDepth bounds how deep documents lie within each other.
const maxReferenceDepth = 50

// Document is a block document with readable data, in which the documents that
// it refers to are filled in.
type Document struct {
	*core.BlockDocument
	Data       json.RawMessage
	References []DocumentReference
}

// DocumentReference is a document within another's field.
type DocumentReference struct {
	Name     string
	Document *Document
}

// NewBlockDocument describes a document to make.
type NewBlockDocument struct {
	// Name may be empty for an anonymous document.
	Name string
	// Data is a JSON object; {"$ref": {"block_document_id": …}} as a value refers to another document.
	Data          json.RawMessage
	BlockSchemaID core.ID
	BlockTypeID   core.ID
	Anonymous     bool
}

// BlockDocumentChange names what is to change in a document; nil leaves it.
type BlockDocumentChange struct {
	BlockSchemaID *core.ID
	Data          json.RawMessage
	// Merge keeps the fields that Data does not name.
	Merge bool
}

// CreateBlockDocument makes a document. A name that the type has already gives a
// Conflict error, a wrong reference Invalid. Secrets in the answer are masked.
func (e *Engine) CreateBlockDocument(ctx context.Context, ws core.WorkspaceID, in NewBlockDocument) (doc *Document, err error) {
	now := e.now()
	d := &core.BlockDocument{
		ID: core.NewID(now), Created: now, Updated: now, Name: in.Name, BlockTypeID: in.BlockTypeID, BlockSchemaID: in.BlockSchemaID,
		Anonymous: in.Anonymous,
	}
	if d.Name == "" {
		d.Name = "anonymous-" + d.ID.String()
	}
	data, refs, err := splitReferences(d.ID, in.Data)
	if err != nil {
		return nil, err
	}
	if err := e.sealDocument(d, data); err != nil {
		return nil, err
	}
	err = e.store.Update(ctx, ws, func(tx core.Tx) error {
		if err := insertable(tx, d, refs); err != nil {
			return err
		}
		if err := tx.InsertBlockDocument(d); err != nil {
			return err
		}
		if err := tx.SetBlockReferences(d.ID, refs); err != nil {
			return err
		}
		if doc, err = e.document(tx, d, false, 0); err != nil {
			return err
		}
		return tellDocument(tx, now, "created", d)
	})
	return doc, err
}

// insertable checks a new document and fills in its type and schema.
func insertable(tx core.Tx, d *core.BlockDocument, refs []core.BlockReference) error {
	kind, err := tx.BlockType(d.BlockTypeID)
	if err != nil {
		return err
	}
	if _, err := tx.BlockDocumentByName(kind.Slug, d.Name); err == nil {
		return core.Errorf(core.Conflict, "Block already exists")
	} else if !missing(err) {
		return err
	}
	if d.Schema, err = tx.BlockSchema(d.BlockSchemaID); missing(err) {
		return integrityConflict()
	} else if err != nil {
		return err
	}
	d.Type = kind
	return checkReferences(tx, refs)
}

// splitReferences takes the references to other documents out of the data.
func splitReferences(id core.ID, data json.RawMessage) (json.RawMessage, []core.BlockReference, error) {
	o, err := parseObject(data)
	if err != nil {
		return nil, nil, core.Errorf(core.Invalid, "data: %s", err)
	}
	var refs []core.BlockReference
	plain := jsonObject{}
	for _, m := range o {
		if !isObject(m.value) {
			plain.set(m.key, m.value)
			continue
		}
		var value struct {
			Ref *struct {
				ID *core.ID `json:"block_document_id"`
			} `json:"$ref"`
		}
		if err := json.Unmarshal(m.value, &value); err != nil || value.Ref == nil {
			plain.set(m.key, m.value)
			continue
		}
		if value.Ref.ID == nil {
			return nil, nil, core.Errorf(core.Invalid, "Received block reference without a block_document_id in key %s", m.key)
		}
		refs = append(refs, core.BlockReference{Parent: id, Name: m.key, Reference: *value.Ref.ID})
	}
	return plain.raw(), refs, nil
}

// checkReferences refuses references to what is not there, and circles.
func checkReferences(tx core.Tx, refs []core.BlockReference) error {
	for _, ref := range refs {
		if _, err := tx.BlockDocument(ref.Reference); missing(err) {
			return integrityConflict()
		} else if err != nil {
			return err
		}
		next, seen := []core.ID{ref.Reference}, map[core.ID]bool{}
		for len(next) > 0 {
			id := next[0]
			next = next[1:]
			if id == ref.Parent {
				return core.Errorf(core.Invalid, "Cannot create block document reference: it would introduce a cycle into the "+
					"block_document_reference graph (parent=%s, reference=%s).", ref.Parent, ref.Reference)
			}
			if seen[id] {
				continue
			}
			seen[id] = true
			below, err := tx.BlockReferences(id)
			if err != nil {
				return err
			}
			for _, b := range below {
				next = append(next, b.Reference)
			}
		}
	}
	return nil
}

// document makes a document readable.
func (e *Engine) document(tx core.Tx, d *core.BlockDocument, secrets bool, depth int) (*Document, error) {
	if depth > maxReferenceDepth {
		return nil, core.Errorf(core.Invalid, "Block document reference graph exceeds max depth %d; refusing to recurse further.", maxReferenceDepth)
	}
	data, err := e.openDocument(d)
	if err != nil {
		return nil, err
	}
	if !secrets {
		data = maskSecrets(data, secretFields(d.Schema))
	}
	doc := &Document{BlockDocument: d, Data: data}
	refs, err := tx.BlockReferences(d.ID)
	if err != nil || len(refs) == 0 {
		return doc, err
	}
	o, err := parseObject(data)
	if err != nil {
		return nil, err
	}
	for _, ref := range refs {
		child, err := tx.BlockDocument(ref.Reference)
		if missing(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		full, err := e.document(tx, child, secrets, depth+1)
		if err != nil {
			return nil, err
		}
		o.set(ref.Name, full.Data)
		doc.References = append(doc.References, DocumentReference{ref.Name, full})
	}
	doc.Data = o.raw()
	return doc, nil
}

// BlockDocument returns a document; its secrets are masked unless they are asked for.
func (e *Engine) BlockDocument(ctx context.Context, ws core.WorkspaceID, id core.ID, secrets bool) (doc *Document, err error) {
	err = e.store.View(ctx, ws, func(tx core.Tx) error {
		d, err := tx.BlockDocument(id)
		if err == nil {
			doc, err = e.document(tx, d, secrets, 0)
		}
		return err
	})
	return doc, err
}

// BlockDocumentByName is BlockDocument by the slug of the type and the document's name.
func (e *Engine) BlockDocumentByName(ctx context.Context, ws core.WorkspaceID, slug, name string, secrets bool) (doc *Document, err error) {
	err = e.store.View(ctx, ws, func(tx core.Tx) error {
		d, err := tx.BlockDocumentByName(slug, name)
		if err == nil {
			doc, err = e.document(tx, d, secrets, 0)
		}
		return err
	})
	return doc, err
}

// BlockDocuments lists documents.
func (e *Engine) BlockDocuments(ctx context.Context, ws core.WorkspaceID, q core.Query, secrets bool) (docs []*Document, err error) {
	err = e.store.View(ctx, ws, func(tx core.Tx) error {
		found, err := tx.FilterBlockDocuments(q)
		if err != nil {
			return err
		}
		docs = make([]*Document, 0, len(found))
		for _, d := range found {
			doc, err := e.document(tx, d, secrets, 0)
			if err != nil {
				return err
			}
			docs = append(docs, doc)
		}
		return nil
	})
	return docs, err
}

// UpdateBlockDocument changes a document's data and schema. Secrets that come
// back masked stay as they are.
func (e *Engine) UpdateBlockDocument(ctx context.Context, ws core.WorkspaceID, id core.ID, change BlockDocumentChange) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		d, err := tx.BlockDocument(id)
		if err != nil {
			return err
		}
		if change.Data == nil {
			return tellDocument(tx, now, "updated", d)
		}
		refs, err := e.applyData(d, change)
		if err != nil {
			return err
		}
		if change.BlockSchemaID != nil && *change.BlockSchemaID != d.BlockSchemaID {
			s, err := tx.BlockSchema(*change.BlockSchemaID)
			if err != nil {
				return err
			}
			if s.BlockTypeID != d.BlockTypeID {
				return core.Errorf(core.Invalid, "Must migrate block document to a block schema of the same block type.")
			}
			d.BlockSchemaID, d.Schema = s.ID, s
		}
		if err := checkReferences(tx, refs); err != nil {
			return err
		}
		d.Updated = now
		if err := tx.UpdateBlockDocument(d); err != nil {
			return err
		}
		if err := tx.SetBlockReferences(id, refs); err != nil {
			return err
		}
		return tellDocument(tx, now, "updated", d)
	})
}

func (e *Engine) applyData(d *core.BlockDocument, change BlockDocumentChange) ([]core.BlockReference, error) {
	current, err := e.openDocument(d)
	if err != nil {
		return nil, err
	}
	data := restoreSecrets(change.Data, current, secretFields(d.Schema))
	if change.Merge {
		merged, err := parseObject(current)
		if err != nil {
			return nil, err
		}
		given, err := parseObject(data)
		if err != nil {
			return nil, core.Errorf(core.Invalid, "data: %s", err)
		}
		for _, m := range given {
			merged.set(m.key, m.value)
		}
		data = merged.raw()
	}
	plain, refs, err := splitReferences(d.ID, data)
	if err != nil {
		return nil, err
	}
	return refs, e.sealDocument(d, plain)
}

// DeleteBlockDocument removes a document.
func (e *Engine) DeleteBlockDocument(ctx context.Context, ws core.WorkspaceID, id core.ID) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		d, err := tx.BlockDocument(id)
		if err != nil {
			return err
		}
		storage, err := tx.Setting(resultStorageSetting)
		if err != nil {
			return err
		}
		if _, err := tx.DeleteBlockDocument(id); err != nil {
			return err
		}
		if storage == id.String() {
			if err := tx.SetSetting(resultStorageSetting, ""); err != nil {
				return err
			}
		}
		return tellDocument(tx, now, "deleted", d)
	})
}

// tellDocument writes the event of a change; anonymous documents make none.
func tellDocument(tx core.Tx, now time.Time, what string, d *core.BlockDocument) error {
	if d.Anonymous {
		return nil
	}
	type kind struct {
		ID   core.ID `json:"id"`
		Name string  `json:"name"`
	}
	type schema struct {
		Capabilities []string `json:"capabilities"`
		Type         kind     `json:"block_type"`
	}
	// The data stays out: events lie unencrypted in the database.
	return tellChange(tx, now, "block-document", what, d.ID, d.Name, struct {
		Name   string   `json:"name"`
		Data   struct{} `json:"data"`
		Schema schema   `json:"block_schema"`
	}{d.Name, struct{}{}, schema{nonNil(d.Schema.Capabilities), kind{d.BlockTypeID, d.Type.Name}}},
		relatedTo("block-type", d.BlockTypeID, "block-type", d.Type.Name),
		relatedTo("block-schema", d.BlockSchemaID, "block-schema", ""))
}
