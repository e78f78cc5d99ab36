package prefect3

import (
	"context"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/wire"
)

func (a *API) blockDocumentRoutes(r *api.Router) {
	r.Handle("POST", "/block_documents/", api.Handle(http.StatusCreated, a.createBlockDocument))
	r.Handle("POST", "/block_documents/filter", api.Handle(http.StatusOK, a.filterBlockDocuments))
	r.Handle("POST", "/block_documents/count", api.Handle(http.StatusOK, count[blockFilters](a, core.Tx.CountBlockDocuments)))
	r.Handle("GET", "/block_documents/{id:uuid}", api.Handle(http.StatusOK, a.readBlockDocument))
	r.Handle("PATCH", "/block_documents/{id:uuid}", api.Handle(http.StatusNoContent, a.updateBlockDocument))
	r.Handle("DELETE", "/block_documents/{id:uuid}", api.Handle(http.StatusNoContent, do[byID](a, a.Engine.DeleteBlockDocument)))
}

func blockDocumentOf(d *engine.Document) client.BlockDocument {
	return client.BlockDocument{
		ID: d.ID, Created: wire.FromTime(d.Created), Updated: wire.FromTime(d.Updated), Name: d.Name, Data: d.Data,
		BlockSchemaID: d.BlockSchemaID, BlockSchema: client.BlockSchemaOf(d.Schema), BlockTypeID: d.BlockTypeID,
		BlockTypeName: d.Type.Name, BlockType: client.BlockTypeOf(d.Type), References: blockReferencesOf(d), IsAnonymous: d.Anonymous,
	}
}

func blockReferencesOf(d *engine.Document) map[string]client.BlockReferences {
	out := map[string]client.BlockReferences{}
	for _, r := range d.References {
		out[r.Name] = client.BlockReferences{Document: client.BlockReference{
			ID: r.Document.ID, Name: r.Document.Name, BlockType: client.BlockTypeOf(r.Document.Type), IsAnonymous: r.Document.Anonymous,
			References: blockReferencesOf(r.Document),
		}}
	}
	return out
}

// asBadRequest words what the reference's validators refuse with 400.
func asBadRequest(err error) error {
	if core.CodeOf(err) == core.Invalid {
		return refusal(http.StatusBadRequest, err.Error())
	}
	return err
}

func (a *API) createBlockDocument(ctx context.Context, in bodyIn[client.BlockDocumentCreate]) (out client.BlockDocument, err error) {
	b := in.Body
	name := ""
	if b.Name != nil {
		name = string(*b.Name)
	}
	doc, err := a.Engine.CreateBlockDocument(ctx, a.workspace(ctx), engine.NewBlockDocument{
		Name: name, Data: orObject(b.Data), BlockSchemaID: b.BlockSchemaID, BlockTypeID: b.BlockTypeID, Anonymous: b.IsAnonymous,
	})
	if err != nil {
		return out, asBadRequest(err)
	}
	return blockDocumentOf(doc), nil
}

// blockDocumentSort is an order of block documents.
type blockDocumentSort string

// Enum lists the values.
func (blockDocumentSort) Enum() []string {
	return []string{"NAME_DESC", "NAME_ASC", "BLOCK_TYPE_AND_NAME_ASC"}
}

// blockFilters is the part of a body that selects block documents.
type blockFilters struct {
	_              struct{}             `wire:"embed"`
	BlockDocuments *blockDocumentFilter `json:"block_documents"`
	blockTypeFilters
}

func (f blockFilters) where() selection {
	s := f.blockTypeFilters.where()
	s[core.EntityBlockDocument] = named()
	if f.BlockDocuments != nil {
		s[core.EntityBlockDocument] = &f.BlockDocuments.Filter
	}
	return s
}

type blockDocumentList struct {
	page
	blockFilters
	IncludeSecrets bool              `json:"include_secrets" wire:"nullable"`
	Sort           blockDocumentSort `json:"sort" wire:"default=NAME_ASC"`
}

func (a *API) filterBlockDocuments(ctx context.Context, in bodyIn[blockDocumentList]) ([]client.BlockDocument, error) {
	q, err := query(in.Body, string(in.Body.Sort), in.Body.page)
	if err != nil {
		return nil, err
	}
	docs, err := a.Engine.BlockDocuments(ctx, a.workspace(ctx), q, in.Body.IncludeSecrets)
	return mapped(docs, blockDocumentOf), err
}

type blockDocumentIn struct {
	ID             core.ID `path:"id"`
	IncludeSecrets bool    `query:"include_secrets"`
}

func (a *API) readBlockDocument(ctx context.Context, in blockDocumentIn) (out client.BlockDocument, err error) {
	doc, err := a.Engine.BlockDocument(ctx, a.workspace(ctx), in.ID, in.IncludeSecrets)
	return shown(doc, err, blockDocumentOf)
}

func (a *API) updateBlockDocument(ctx context.Context, in idIn[client.BlockDocumentUpdate]) (struct{}, error) {
	b := in.Body
	if b.Data == nil && !b.MergeExistingData {
		b.Data = orObject(nil)
	}
	return struct{}{}, asBadRequest(a.Engine.UpdateBlockDocument(ctx, a.workspace(ctx), in.ID, engine.BlockDocumentChange{
		BlockSchemaID: b.BlockSchemaID, Data: b.Data, Merge: b.MergeExistingData,
	}))
}
