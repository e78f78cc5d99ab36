package prefect3

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/wire"
)

func (a *API) blockTypeRoutes(r *api.Router) {
	r.Handle("POST", "/block_types/", api.Handle(http.StatusCreated, a.createBlockType))
	r.Handle("POST", "/block_types/filter", api.Handle(http.StatusOK, a.filterBlockTypes))
	r.Handle("POST", "/block_types/install_system_block_types", api.Handle(http.StatusOK, a.installBlockTypes))
	r.Handle("GET", "/block_types/{id:uuid}", api.Handle(http.StatusOK, a.readBlockType))
	r.Handle("PATCH", "/block_types/{id:uuid}", api.Handle(http.StatusNoContent, a.updateBlockType))
	r.Handle("DELETE", "/block_types/{id:uuid}", api.Handle(http.StatusNoContent, a.deleteBlockType))
	r.Handle("GET", "/block_types/slug/{slug}", api.Handle(http.StatusOK, a.readBlockTypeBySlug))
	r.Handle("GET", "/block_types/slug/{slug}/block_documents", api.Handle(http.StatusOK, a.readBlockTypeDocuments))
	r.Handle("GET", "/block_types/slug/{slug}/block_documents/name/{name}", api.Handle(http.StatusOK, a.readBlockTypeDocument))
	r.Handle("GET", "/block_capabilities/", api.Handle(http.StatusOK, a.blockCapabilities))
}

type (
	// blockTypeFilter selects block types.
	blockTypeFilter struct{ core.Filter }
	// blockSchemaFilter selects block schemas.
	blockSchemaFilter struct{ core.Filter }
	// blockDocumentFilter selects block documents.
	blockDocumentFilter struct{ core.Filter }
)

// DecodeWire implements wire's interface for types that decode themselves.
func (f *blockTypeFilter) DecodeWire(raw json.RawMessage) []wire.FieldError {
	return decodeFilter(core.EntityBlockType, raw, &f.Filter)
}

// DecodeWire implements wire's interface for types that decode themselves.
func (f *blockSchemaFilter) DecodeWire(raw json.RawMessage) []wire.FieldError {
	return decodeFilter(core.EntityBlockSchema, raw, &f.Filter)
}

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

// named selects documents that are not anonymous.
func named() *core.Filter {
	return &core.Filter{Conds: []core.Cond{{Field: "is_anonymous", Op: core.OpEq, Value: false}}}
}

// blockFilters are the filters that lists of blocks take.
type blockFilters struct {
	BlockDocuments *blockDocumentFilter `json:"block_documents"`
	BlockTypes     *blockTypeFilter     `json:"block_types"`
	BlockSchemas   *blockSchemaFilter   `json:"block_schemas"`
}

func (f *blockFilters) where() map[core.Entity]*core.Filter {
	where := map[core.Entity]*core.Filter{core.EntityBlockDocument: named()}
	if f.BlockDocuments != nil {
		where[core.EntityBlockDocument] = &f.BlockDocuments.Filter
	}
	if f.BlockTypes != nil {
		where[core.EntityBlockType] = &f.BlockTypes.Filter
	}
	if f.BlockSchemas != nil {
		where[core.EntityBlockSchema] = &f.BlockSchemas.Filter
	}
	return where
}

type createBlockTypeIn struct {
	Body client.BlockTypeCreate `body:""`
}

func (a *API) createBlockType(ctx context.Context, in createBlockTypeIn) (out client.BlockType, err error) {
	b := in.Body
	made, err := a.Engine.CreateBlockType(ctx, a.workspace(ctx), core.BlockType{
		Name: b.Name, Slug: string(b.Slug), LogoURL: b.LogoURL, DocumentationURL: b.DocumentationURL, Description: b.Description,
		CodeExample: b.CodeExample,
	})
	if err != nil {
		return out, err
	}
	return client.BlockTypeOf(made), nil
}

type filterBlockTypesIn struct {
	Body struct {
		_ struct{} `wire:"embed"`
		page
		BlockTypes   *blockTypeFilter   `json:"block_types"`
		BlockSchemas *blockSchemaFilter `json:"block_schemas"`
	} `body:""`
}

func (a *API) filterBlockTypes(ctx context.Context, in filterBlockTypesIn) (out []client.BlockType, err error) {
	n, err := limit(in.Body.Limit)
	if err != nil {
		return nil, err
	}
	f := blockFilters{BlockTypes: in.Body.BlockTypes, BlockSchemas: in.Body.BlockSchemas}
	where := f.where()
	delete(where, core.EntityBlockDocument)
	err = a.view(ctx, func(tx core.Tx) error {
		found, err := tx.FilterBlockTypes(core.Query{Where: where, Limit: n, Offset: in.Body.Offset})
		out = mapped(found, client.BlockTypeOf)
		return err
	})
	return out, err
}

func (a *API) installBlockTypes(ctx context.Context, _ struct{}) (struct{}, error) {
	return struct{}{}, a.Engine.InstallBlockTypes(ctx, a.workspace(ctx))
}

func (a *API) readBlockType(ctx context.Context, in byID) (out client.BlockType, err error) {
	err = a.view(ctx, func(tx core.Tx) error {
		found, err := tx.BlockType(in.ID)
		if err == nil {
			out = client.BlockTypeOf(found)
		}
		return err
	})
	return out, err
}

type bySlug struct {
	Slug string `path:"slug"`
}

func (a *API) readBlockTypeBySlug(ctx context.Context, in bySlug) (out client.BlockType, err error) {
	err = a.view(ctx, func(tx core.Tx) error {
		found, err := tx.BlockTypeBySlug(in.Slug)
		if err == nil {
			out = client.BlockTypeOf(found)
		}
		return err
	})
	return out, err
}

type updateBlockTypeIn struct {
	ID   core.ID                `path:"id"`
	Body client.BlockTypeUpdate `body:""`
}

func (a *API) updateBlockType(ctx context.Context, in updateBlockTypeIn) (struct{}, error) {
	b := in.Body
	return struct{}{}, a.Engine.UpdateBlockType(ctx, a.workspace(ctx), in.ID, engine.BlockTypeChange{
		SetLogoURL: b.LogoURL.Set, LogoURL: b.LogoURL.Ptr(),
		SetDocumentationURL: b.DocumentationURL.Set, DocumentationURL: b.DocumentationURL.Ptr(),
		SetDescription: b.Description.Set, Description: b.Description.Ptr(),
		SetCodeExample: b.CodeExample.Set, CodeExample: b.CodeExample.Ptr(),
	})
}

func (a *API) deleteBlockType(ctx context.Context, in byID) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteBlockType(ctx, a.workspace(ctx), in.ID)
}

type blockTypeDocumentsIn struct {
	Slug           string `path:"slug"`
	IncludeSecrets bool   `query:"include_secrets"`
}

func (a *API) readBlockTypeDocuments(ctx context.Context, in blockTypeDocumentsIn) ([]client.BlockDocument, error) {
	kind, err := a.readBlockTypeBySlug(ctx, bySlug{in.Slug})
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
	if err != nil {
		return out, err
	}
	return blockDocumentOf(doc), nil
}

func (a *API) blockCapabilities(ctx context.Context, _ struct{}) (out []string, err error) {
	err = a.view(ctx, func(tx core.Tx) (err error) {
		out, err = tx.BlockCapabilities()
		return err
	})
	return out, err
}
