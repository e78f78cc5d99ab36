package engine

import (
	"context"
	"encoding/json"

	"github.com/leat-dev/leat/internal/core"
)

// builtin is a block type that every server has. Clients that know it register
// their own schema, and their own words, when they first save a document; the
// schema here serves those who have no client at hand.
type builtin struct {
	name, slug, description string
	capabilities            []string
	fields                  string
}

func builtins() []builtin {
	return []builtin{
		{
			name: "Secret", slug: "secret", description: "Keeps one value, such as a password or a token, out of sight.",
			fields: `{"title":"Secret","type":"object","required":["value"],"block_type_slug":"secret","secret_fields":["value"],` +
				`"properties":{"value":{"title":"Value","description":"What is to be kept secret.","format":"password","writeOnly":true,` +
				`"anyOf":[{"type":"string"},{}]}},"block_schema_references":{}}`,
		},
		{
			name: "Local File System", slug: "local-file-system", description: "Reads and writes files on the machine where a flow runs.",
			capabilities: []string{"get-directory", "put-directory", "read-path", "write-path"},
			fields: `{"title":"LocalFileSystem","type":"object","block_type_slug":"local-file-system","secret_fields":[],` +
				`"properties":{"basepath":{"title":"Basepath","description":"The directory in which all paths begin.","default":null,` +
				`"anyOf":[{"type":"string"},{"type":"null"}]}},"block_schema_references":{}}`,
		},
		{
			name: "Webhook", slug: "webhook", description: "Calls a URL.",
			fields: `{"title":"Webhook","type":"object","required":["url"],"block_type_slug":"webhook","secret_fields":["url","headers.*"],` +
				`"properties":{"method":{"title":"Method","description":"How the URL is called.","default":"POST","type":"string",` +
				`"enum":["GET","POST","PUT","PATCH","DELETE"]},"url":{"title":"Webhook URL","description":"The URL to call.",` +
				`"type":"string","format":"password","writeOnly":true},"headers":{"title":"Webhook Headers","description":"Headers to send.",` +
				`"type":"object"},"allow_private_urls":{"title":"Allow Private Urls","description":"Whether addresses of private networks may be called.",` +
				`"default":true,"type":"boolean"},"verify":{"title":"Verify","description":"Whether the certificate is checked.","default":true,` +
				`"type":"boolean"}},"block_schema_references":{}}`,
		},
	}
}

// InstallBlockTypes makes the block types that every server has, where they are missing.
func (e *Engine) InstallBlockTypes(ctx context.Context, ws core.WorkspaceID) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		for _, b := range builtins() {
			if _, err := tx.BlockTypeBySlug(b.slug); err == nil {
				continue
			} else if !missing(err) {
				return err
			}
			kind := &core.BlockType{
				ID: core.NewID(now), Created: now, Updated: now, Name: b.name, Slug: b.slug, Description: &b.description, Protected: true,
			}
			if err := tx.InsertBlockType(kind); err != nil {
				return err
			}
			raw := json.RawMessage(b.fields)
			err := tx.InsertBlockSchema(&core.BlockSchema{
				ID: core.NewID(now), Created: now, Updated: now, Checksum: schemaChecksum(mustFields(raw)), Fields: raw, BlockTypeID: kind.ID,
				Capabilities: b.capabilities, Version: "non-versioned",
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
