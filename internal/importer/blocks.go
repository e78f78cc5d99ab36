package importer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// blockDocuments copies documents with their secrets; those that others refer to
// come first.
func (c *copying) blockDocuments(ctx context.Context) error {
	var docs []client.BlockDocument
	// A filter that selects everything brings the anonymous ones along.
	body := object{"include_secrets": true, "block_documents": object{}, "sort": "BLOCK_TYPE_AND_NAME_ASC"}
	err := c.api.list(ctx, "/block_documents/filter", body, func(rows []json.RawMessage) error {
		c.report.read(BlockDocuments, len(rows))
		for _, raw := range rows {
			var d client.BlockDocument
			if err := json.Unmarshal(raw, &d); err != nil {
				return err
			}
			docs = append(docs, d)
		}
		return nil
	})
	if err != nil {
		return err
	}
	var rows []json.RawMessage
	for _, d := range inOrder(docs) {
		if fields := masked(d); len(fields) > 0 {
			c.report.remark(BlockDocuments, d.ID, fmt.Sprintf("the source gives no secrets: %s of %s is masked and has to be set again",
				strings.Join(fields, ", "), d.Name))
		}
		row, err := plainDocument(d)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	return c.put(ctx, BlockDocuments, rows)
}

// inOrder sorts documents so that each comes after those in its fields.
func inOrder(docs []client.BlockDocument) []client.BlockDocument {
	byID := make(map[core.ID]*client.BlockDocument, len(docs))
	for i := range docs {
		byID[docs[i].ID] = &docs[i]
	}
	var out []client.BlockDocument
	placed := map[core.ID]bool{}
	var place func(d *client.BlockDocument)
	place = func(d *client.BlockDocument) {
		if d == nil || placed[d.ID] {
			return
		}
		placed[d.ID] = true // before its own, so that a circle ends
		for _, ref := range d.References {
			place(byID[ref.Document.ID])
		}
		out = append(out, *d)
	}
	for i := range docs {
		place(&docs[i])
	}
	return out
}

// plainDocument is a document's row with references in the place of the documents within it.
func plainDocument(d client.BlockDocument) (json.RawMessage, error) {
	var data map[string]json.RawMessage
	if err := json.Unmarshal(d.Data, &data); err != nil {
		return nil, fmt.Errorf("block document %s: %w", d.ID, err)
	}
	for name, ref := range d.References {
		link, err := wire.Marshal(object{"$ref": object{"block_document_id": ref.Document.ID}})
		if err != nil {
			return nil, err
		}
		data[name] = link
	}
	plain, err := wire.Marshal(data)
	if err != nil {
		return nil, err
	}
	d.Data = plain
	return wire.Marshal(d)
}

// mask is what the API shows in the place of a secret.
const mask = "********"

// masked lists the secret fields of a document whose values are masked.
func masked(d client.BlockDocument) []string {
	var schema struct {
		Secrets []string `json:"secret_fields"`
	}
	var data map[string]json.RawMessage
	if json.Unmarshal(d.BlockSchema.Fields, &schema) != nil || json.Unmarshal(d.Data, &data) != nil {
		return nil
	}
	var out []string
	for _, field := range schema.Secrets {
		name, _, _ := strings.Cut(field, ".")
		if bytes.Contains(data[name], []byte(`"`+mask+`"`)) {
			out = append(out, field)
		}
	}
	return out
}
