package store

import "github.com/leat-dev/leat/internal/core"

const (
	blockTypeColumns = "bt.id, bt.created, bt.updated, bt.name, bt.slug, bt.logo_url, bt.documentation_url, bt.description, bt.code_example, bt.is_protected"
	blockTypeSelect  = "SELECT " + blockTypeColumns + " FROM block_type bt WHERE bt.ws = ? AND "

	blockSchemaColumns = "bs.id, bs.created, bs.updated, bs.checksum, bs.fields, bs.block_type_id, bs.capabilities, bs.version, " + blockTypeColumns
	blockSchemaJoin    = "JOIN block_type bt ON bt.id = bs.block_type_id"
	blockSchemaSelect  = "SELECT " + blockSchemaColumns + " FROM block_schema bs " + blockSchemaJoin + " WHERE bs.ws = ? AND "
)

func blockTypeDest(b *core.BlockType) []any {
	return []any{
		&b.ID,
		timeInto{&b.Created},
		timeInto{&b.Updated},
		&b.Name, &b.Slug, &b.LogoURL, &b.DocumentationURL, &b.Description,
		&b.CodeExample, &b.Protected,
	}
}

func scanBlockType(r rows) (*core.BlockType, error) {
	b := &core.BlockType{}
	return b, r.Scan(blockTypeDest(b)...)
}

func blockSchemaDest(s *core.BlockSchema) []any {
	s.Type = &core.BlockType{}
	return append([]any{
		&s.ID,
		timeInto{&s.Created},
		timeInto{&s.Updated},
		&s.Checksum,
		rawInto{&s.Fields},
		&s.BlockTypeID,
		jsonInto{&s.Capabilities},
		&s.Version,
	}, blockTypeDest(s.Type)...)
}

func scanBlockSchema(r rows) (*core.BlockSchema, error) {
	s := &core.BlockSchema{}
	return s, r.Scan(blockSchemaDest(s)...)
}

func noBlockType() *core.Error { return core.Errorf(core.NotFound, "Block type not found") }

func noBlockSchema() *core.Error { return core.Errorf(core.NotFound, "Block schema not found") }

// InsertBlockType implements core.BlockTypeTx.
func (t *tx) InsertBlockType(b *core.BlockType) error {
	return t.exec(`INSERT INTO block_type (id, ws, created, updated, name, slug, logo_url, documentation_url, description, code_example,
		is_protected) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		b.ID, int64(t.ws), micros(b.Created), micros(b.Updated), b.Name, b.Slug, b.LogoURL, b.DocumentationURL, b.Description,
		b.CodeExample, b.Protected)
}

// BlockType implements core.BlockTypeTx.
func (t *tx) BlockType(id core.ID) (*core.BlockType, error) {
	return one(t, noBlockType(), scanBlockType, blockTypeSelect+"bt.id = ?"+t.lock("bt"), int64(t.ws), id)
}

// BlockTypeBySlug implements core.BlockTypeTx.
func (t *tx) BlockTypeBySlug(slug string) (*core.BlockType, error) {
	return one(t, noBlockType(), scanBlockType, blockTypeSelect+"bt.slug = ?"+t.lock("bt"), int64(t.ws), slug)
}

// UpdateBlockType implements core.BlockTypeTx.
func (t *tx) UpdateBlockType(b *core.BlockType) error {
	return t.exec(`UPDATE block_type SET updated = ?, logo_url = ?, documentation_url = ?, description = ?, code_example = ?
		WHERE ws + 0 = ? AND id = ?`, micros(b.Updated), b.LogoURL, b.DocumentationURL, b.Description, b.CodeExample, int64(t.ws), b.ID)
}

// DeleteBlockType implements core.BlockTypeTx.
func (t *tx) DeleteBlockType(id core.ID) (bool, error) {
	n, err := t.execN("DELETE FROM block_type WHERE ws + 0 = ? AND id = ?", int64(t.ws), id)
	if err != nil || n == 0 {
		return false, err
	}
	for _, q := range []string{
		"DELETE FROM block_document_reference WHERE parent_id IN (SELECT id FROM block_document WHERE block_type_id = ?)",
		"DELETE FROM block_document_reference WHERE reference_id IN (SELECT id FROM block_document WHERE block_type_id = ?)",
		"DELETE FROM block_document WHERE block_type_id = ?",
		"DELETE FROM block_schema WHERE block_type_id = ?",
	} {
		if err := t.exec(q, id); err != nil {
			return false, err
		}
	}
	return true, nil
}

// FilterBlockTypes implements core.BlockTypeTx.
func (t *tx) FilterBlockTypes(q core.Query) ([]*core.BlockType, error) {
	return filter(t, core.EntityBlockType, blockTypeColumns, "", q, scanBlockType)
}

// InsertBlockSchema implements core.BlockSchemaTx.
func (t *tx) InsertBlockSchema(s *core.BlockSchema) error {
	return t.exec(`INSERT INTO block_schema (id, ws, created, updated, checksum, fields, block_type_id, capabilities, version)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		s.ID, int64(t.ws), micros(s.Created), micros(s.Updated), s.Checksum, text(s.Fields), s.BlockTypeID, tagsText(s.Capabilities), s.Version)
}

// BlockSchema implements core.BlockSchemaTx.
func (t *tx) BlockSchema(id core.ID) (*core.BlockSchema, error) {
	return one(t, noBlockSchema(), scanBlockSchema, blockSchemaSelect+"bs.id = ?"+t.lock("bs"), int64(t.ws), id)
}

// BlockSchemaByChecksum implements core.BlockSchemaTx.
func (t *tx) BlockSchemaByChecksum(checksum string, version *string) (*core.BlockSchema, error) {
	wanted := ""
	if version != nil {
		wanted = *version
	}
	return one(t, noBlockSchema(), scanBlockSchema, blockSchemaSelect+
		"bs.checksum = ? AND (bs.version = ? OR ?) ORDER BY bs.created DESC, bs.id DESC LIMIT 1", int64(t.ws), checksum, wanted, version == nil)
}

// DeleteBlockSchema implements core.BlockSchemaTx.
func (t *tx) DeleteBlockSchema(id core.ID) (bool, error) {
	n, err := t.execN("DELETE FROM block_schema WHERE ws + 0 = ? AND id = ?", int64(t.ws), id)
	if err != nil || n == 0 {
		return false, err
	}
	for _, q := range []string{
		"DELETE FROM block_document_reference WHERE parent_id IN (SELECT id FROM block_document WHERE block_schema_id = ?)",
		"DELETE FROM block_document_reference WHERE reference_id IN (SELECT id FROM block_document WHERE block_schema_id = ?)",
		"DELETE FROM block_document WHERE block_schema_id = ?",
	} {
		if err := t.exec(q, id); err != nil {
			return false, err
		}
	}
	return true, nil
}

// FilterBlockSchemas implements core.BlockSchemaTx.
func (t *tx) FilterBlockSchemas(q core.Query) ([]*core.BlockSchema, error) {
	return filter(t, core.EntityBlockSchema, blockSchemaColumns, blockSchemaJoin, q, scanBlockSchema)
}

// BlockCapabilities implements core.BlockSchemaTx.
func (t *tx) BlockCapabilities() ([]string, error) {
	return list(t, func(r rows) (s string, err error) { return s, r.Scan(&s) },
		"SELECT DISTINCT value FROM block_schema, "+t.d.tagsOf("capabilities")+" WHERE ws = ? ORDER BY value", int64(t.ws))
}

func blockTypeTable() table {
	return table{
		name: "block_type", alias: "bt",
		columns: map[string]string{"name": "bt.name", "slug": "bt.slug"},
		sorts:   map[string]string{"": "bt.name, bt.id"},
		joins:   map[core.Entity]string{core.EntityBlockSchema: "bs.block_type_id = bt.id"},
	}
}

func blockSchemaTable() table {
	return table{
		name: "block_schema", alias: "bs",
		columns: map[string]string{"id": "bs.id", "block_type_id": "bs.block_type_id", "version": "bs.version"},
		special: map[string]func(*builder, core.Cond) string{"block_capabilities": tags("bs.capabilities")},
		sorts:   map[string]string{"": "bs.created DESC, bs.id DESC"},
	}
}
