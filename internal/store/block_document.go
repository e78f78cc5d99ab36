package store

import (
	"encoding/base64"
	"fmt"

	"github.com/leat-dev/leat/internal/core"
)

const (
	blockDocumentColumns = "bd.id, bd.created, bd.updated, bd.name, bd.block_type_id, bd.block_schema_id, bd.is_anonymous, bd.sealed, " + blockSchemaColumns
	blockDocumentJoins   = "JOIN block_schema bs ON bs.id = bd.block_schema_id JOIN block_type bt ON bt.id = bd.block_type_id"
	blockDocumentSelect  = "SELECT " + blockDocumentColumns + " FROM block_document bd " + blockDocumentJoins + " WHERE bd.ws = ? AND "
)

func scanBlockDocument(r rows) (*core.BlockDocument, error) {
	d := &core.BlockDocument{Schema: &core.BlockSchema{}}
	err := r.Scan(append([]any{
		&d.ID, timeInto{&d.Created}, timeInto{&d.Updated}, &d.Name, &d.BlockTypeID, &d.BlockSchemaID, &d.Anonymous, sealedInto{&d.Sealed},
	}, blockSchemaDest(d.Schema)...)...)
	d.Type = d.Schema.Type
	return d, err
}

// sealedInto reads bytes that are stored as base64.
type sealedInto struct{ dst *[]byte }

func (s sealedInto) Scan(src any) error {
	encoded, ok := src.(string)
	if !ok {
		return fmt.Errorf("scan %T into sealed data", src)
	}
	var err error
	*s.dst, err = base64.StdEncoding.DecodeString(encoded)
	return err
}

func noBlockDocument() *core.Error { return core.Errorf(core.NotFound, "Block document not found") }

// InsertBlockDocument implements core.BlockDocumentTx.
func (t *tx) InsertBlockDocument(d *core.BlockDocument) error {
	return t.exec(`INSERT INTO block_document (id, ws, created, updated, name, block_type_id, block_schema_id, is_anonymous, sealed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		d.ID, int64(t.ws), micros(d.Created), micros(d.Updated), d.Name, d.BlockTypeID, d.BlockSchemaID, d.Anonymous,
		base64.StdEncoding.EncodeToString(d.Sealed))
}

// BlockDocument implements core.BlockDocumentTx.
func (t *tx) BlockDocument(id core.ID) (*core.BlockDocument, error) {
	return one(t, noBlockDocument(), scanBlockDocument, blockDocumentSelect+"bd.id = ?"+t.lock("bd"), int64(t.ws), id)
}

// BlockDocumentByName implements core.BlockDocumentTx.
func (t *tx) BlockDocumentByName(slug, name string) (*core.BlockDocument, error) {
	return one(t, noBlockDocument(), scanBlockDocument, blockDocumentSelect+"bt.slug = ? AND bd.name = ?"+t.lock("bd"), int64(t.ws), slug, name)
}

// UpdateBlockDocument implements core.BlockDocumentTx.
func (t *tx) UpdateBlockDocument(d *core.BlockDocument) error {
	return t.exec("UPDATE block_document SET updated = ?, block_schema_id = ?, sealed = ? WHERE ws + 0 = ? AND id = ?",
		micros(d.Updated), d.BlockSchemaID, base64.StdEncoding.EncodeToString(d.Sealed), int64(t.ws), d.ID)
}

// DeleteBlockDocument implements core.BlockDocumentTx.
func (t *tx) DeleteBlockDocument(id core.ID) (bool, error) {
	n, err := t.execN("DELETE FROM block_document WHERE ws + 0 = ? AND id = ?", int64(t.ws), id)
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.exec("DELETE FROM block_document_reference WHERE ws = ? AND (parent_id = ? OR reference_id = ?)", int64(t.ws), id, id)
}

// FilterBlockDocuments implements core.BlockDocumentTx.
func (t *tx) FilterBlockDocuments(q core.Query) ([]*core.BlockDocument, error) {
	return filter(t, core.EntityBlockDocument, blockDocumentColumns, blockDocumentJoins, q, scanBlockDocument)
}

// CountBlockDocuments implements core.BlockDocumentTx.
func (t *tx) CountBlockDocuments(q core.Query) (int, error) {
	return count(t, core.EntityBlockDocument, q)
}

// BlockReferences implements core.BlockDocumentTx.
func (t *tx) BlockReferences(parent core.ID) ([]core.BlockReference, error) {
	return list(t, func(r rows) (ref core.BlockReference, err error) {
		return ref, r.Scan(&ref.Parent, &ref.Name, &ref.Reference)
	},
		"SELECT parent_id, name, reference_id FROM block_document_reference WHERE ws = ? AND parent_id = ? ORDER BY name", int64(t.ws), parent)
}

// SetBlockReferences implements core.BlockDocumentTx.
func (t *tx) SetBlockReferences(parent core.ID, refs []core.BlockReference) error {
	if err := t.exec("DELETE FROM block_document_reference WHERE ws = ? AND parent_id = ?", int64(t.ws), parent); err != nil {
		return err
	}
	for _, ref := range refs {
		err := t.exec("INSERT INTO block_document_reference (parent_id, name, reference_id, ws) VALUES (?, ?, ?, ?)",
			parent, ref.Name, ref.Reference, int64(t.ws))
		if err != nil {
			return err
		}
	}
	return nil
}

func blockDocumentTable() table {
	return table{
		name: "block_document", alias: "bd",
		columns: map[string]string{
			"id": "bd.id", "is_anonymous": "bd.is_anonymous", "block_type_id": "bd.block_type_id", "name": "bd.name",
		},
		sorts: map[string]string{
			"": "bd.name, bd.id", "NAME_ASC": "bd.name, bd.id", "NAME_DESC": "bd.name DESC, bd.id DESC",
			"BLOCK_TYPE_AND_NAME_ASC": "(SELECT sbt.name FROM block_type sbt WHERE sbt.id = bd.block_type_id), bd.name, bd.id",
		},
		joins: map[core.Entity]string{
			core.EntityBlockType:   "bt.id = bd.block_type_id",
			core.EntityBlockSchema: "bs.id = bd.block_schema_id",
		},
	}
}
