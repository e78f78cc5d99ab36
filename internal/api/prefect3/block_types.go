package prefect3

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/wire"
)

func (a *API) blockTypeRoutes(r *api.Router) {
	r.Handle("POST", "/block_types/", api.Handle(http.StatusCreated, a.createBlockType))
	r.Handle("POST", "/block_types/filter", api.Handle(http.StatusOK, list[blockTypeList](a, each(core.Tx.FilterBlockTypes, client.BlockTypeOf))))
	r.Handle("POST", "/block_types/install_system_block_types", api.Handle(http.StatusOK, a.installBlockTypes))
	r.Handle("GET", "/block_types/{id:uuid}", api.Handle(http.StatusOK, get[byID](a, one(core.Tx.BlockType, client.BlockTypeOf))))
	r.Handle("PATCH", "/block_types/{id:uuid}", api.Handle(http.StatusNoContent, a.updateBlockType))
	r.Handle("DELETE", "/block_types/{id:uuid}", api.Handle(http.StatusNoContent, do[byID](a, a.Engine.DeleteBlockType)))
	r.Handle("GET", "/block_types/slug/{slug}", api.Handle(http.StatusOK, get[bySlug](a, one(core.Tx.BlockTypeBySlug, client.BlockTypeOf))))
	r.Handle("GET", "/block_types/slug/{slug}/block_documents", api.Handle(http.StatusOK, a.readBlockTypeDocuments))
	r.Handle("GET", "/block_types/slug/{slug}/block_documents/name/{name}", api.Handle(http.StatusOK, a.readBlockTypeDocument))
	r.Handle("GET", "/block_capabilities/", api.Handle(http.StatusOK, a.blockCapabilities))
}

// blockDocumentFilter selects block documents.
type blockDocumentFilter struct{ core.Filter }

// DecodeWire implements wire's interface for types that decode themselves. A
// filter that does not speak of anonymous documents leaves them out.
func (f *blockDocumentFilter) DecodeWire(raw json.RawMessage) []wire.FieldError {
	errs := decodeFilter(core.EntityBlockDocument, raw, &f.Filter)
	var given map[string]json.RawMessage
	if len(errs) == 0 && json.Unmarshal(raw, &given) == nil {
		if _, ok := given["is_anonymous"]; !ok {
			f.Groups = append(f.Groups, *named())
		}
	}
	return errs
}

// WireSchema implements wire's interface for types that describe themselves.
func (*blockDocumentFilter) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	return filterSchema(core.FilterFields(core.EntityBlockDocument), true)
}

// named selects documents that are not anonymous.
func named() *core.Filter {
	return &core.Filter{Conds: []core.Cond{{Field: "is_anonymous", Op: core.OpEq, Value: false}}}
}

// blockTypeFilters is the part of a body that selects block types.
type blockTypeFilters struct {
	BlockTypes   *filter[ofBlockType]   `json:"block_types"`
	BlockSchemas *filter[ofBlockSchema] `json:"block_schemas"`
}

func (f blockTypeFilters) where() selection { return where(f.BlockTypes, f.BlockSchemas) }

type blockTypeList struct {
	page
	blockTypeFilters
	unordered
}

type bySlug struct {
	Slug string `path:"slug"`
}

func (in bySlug) key() string { return in.Slug }

func (a *API) createBlockType(ctx context.Context, in bodyIn[client.BlockTypeCreate]) (out client.BlockType, err error) {
	b := in.Body
	made, err := a.Engine.CreateBlockType(ctx, a.workspace(ctx), core.BlockType{
		Name: b.Name, Slug: string(b.Slug), LogoURL: b.LogoURL, DocumentationURL: b.DocumentationURL, Description: b.Description,
		CodeExample: b.CodeExample,
	})
	return shown(made, err, client.BlockTypeOf)
}

func (a *API) installBlockTypes(ctx context.Context, _ struct{}) (struct{}, error) {
	return struct{}{}, a.Engine.InstallBlockTypes(ctx, a.workspace(ctx))
}

func (a *API) updateBlockType(ctx context.Context, in idIn[client.BlockTypeUpdate]) (struct{}, error) {
	b := in.Body
	return struct{}{}, a.Engine.UpdateBlockType(ctx, a.workspace(ctx), in.ID, engine.BlockTypeChange{
		LogoURL: b.LogoURL, DocumentationURL: b.DocumentationURL, Description: b.Description, CodeExample: b.CodeExample,
	})
}

type blockTypeDocumentsIn struct {
	Slug           string `path:"slug"`
	IncludeSecrets bool   `query:"include_secrets"`
}

func (a *API) readBlockTypeDocuments(ctx context.Context, in blockTypeDocumentsIn) ([]client.BlockDocument, error) {
	kind, err := read(ctx, a, func(tx core.Tx) (*core.BlockType, error) { return tx.BlockTypeBySlug(in.Slug) })
	if err != nil {
		return nil, err
	}
	q := core.On(core.EntityBlockDocument,
		core.Cond{Field: "block_type_id", Op: core.OpAny, Value: []core.ID{kind.ID}},
		core.Cond{Field: "is_anonymous", Op: core.OpEq, Value: false})
	docs, err := a.Engine.BlockDocuments(ctx, a.workspace(ctx), q, in.IncludeSecrets)
	return mapped(docs, blockDocumentOf), err
}

type blockTypeDocumentIn struct {
	Slug           string `path:"slug"`
	Name           string `path:"name"`
	IncludeSecrets bool   `query:"include_secrets"`
}

func (a *API) readBlockTypeDocument(ctx context.Context, in blockTypeDocumentIn) (out client.BlockDocument, err error) {
	doc, err := a.Engine.BlockDocumentByName(ctx, a.workspace(ctx), in.Slug, in.Name, in.IncludeSecrets)
	return shown(doc, err, blockDocumentOf)
}

func (a *API) blockCapabilities(ctx context.Context, _ struct{}) ([]string, error) {
	return read(ctx, a, core.Tx.BlockCapabilities)
}
