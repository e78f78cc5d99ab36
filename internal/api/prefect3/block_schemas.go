package prefect3

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

func (a *API) blockSchemaRoutes(r *api.Router) {
	r.Handle("POST", "/block_schemas/", api.Handle(http.StatusCreated, a.createBlockSchema))
	r.Handle("POST", "/block_schemas/filter", api.Handle(http.StatusOK, a.filterBlockSchemas))
	r.Handle("GET", "/block_schemas/{id:uuid}", api.Handle(http.StatusOK, a.readBlockSchema))
	r.Handle("DELETE", "/block_schemas/{id:uuid}", api.Handle(http.StatusNoContent, a.deleteBlockSchema))
	r.Handle("GET", "/block_schemas/checksum/{checksum}", api.Handle(http.StatusOK, a.readBlockSchemaByChecksum))
}

type createBlockSchemaIn struct {
	Body client.BlockSchemaCreate `body:""`
}

// orObject is an object that need not be given.
func orObject(raw json.RawMessage) json.RawMessage {
	if raw == nil {
		return json.RawMessage("{}")
	}
	return raw
}

func (a *API) createBlockSchema(ctx context.Context, in createBlockSchemaIn) (api.Response, error) {
	b := in.Body
	s, created, err := a.Engine.CreateBlockSchema(ctx, a.workspace(ctx), engine.NewBlockSchema{
		Fields: orObject(b.Fields), BlockTypeID: b.BlockTypeID, Capabilities: b.Capabilities, Version: b.Version,
	})
	if err != nil {
		return api.Response{}, err
	}
	return made(created, client.BlockSchemaOf(s)), nil
}

type filterBlockSchemasIn struct {
	Body struct {
		_ struct{} `wire:"embed"`
		page
		BlockSchemas *blockSchemaFilter `json:"block_schemas"`
	} `body:""`
}

func (a *API) filterBlockSchemas(ctx context.Context, in filterBlockSchemasIn) (out []client.BlockSchema, err error) {
	n, err := limit(in.Body.Limit)
	if err != nil {
		return nil, err
	}
	q := core.Query{Limit: n, Offset: in.Body.Offset}
	if f := in.Body.BlockSchemas; f != nil {
		q.Where = only(core.EntityBlockSchema, &f.Filter)
	}
	err = a.view(ctx, func(tx core.Tx) error {
		found, err := tx.FilterBlockSchemas(q)
		out = mapped(found, client.BlockSchemaOf)
		return err
	})
	return out, err
}

func (a *API) readBlockSchema(ctx context.Context, in byID) (out client.BlockSchema, err error) {
	err = a.view(ctx, func(tx core.Tx) error {
		found, err := tx.BlockSchema(in.ID)
		if err == nil {
			out = client.BlockSchemaOf(found)
		}
		return err
	})
	return out, err
}

type byChecksum struct {
	Checksum string `path:"checksum"`
	Version  string `query:"version"`
}

func (a *API) readBlockSchemaByChecksum(ctx context.Context, in byChecksum) (out client.BlockSchema, err error) {
	err = a.view(ctx, func(tx core.Tx) error {
		found, err := tx.BlockSchemaByChecksum(in.Checksum, in.Version)
		if err == nil {
			out = client.BlockSchemaOf(found)
		}
		return err
	})
	return out, err
}

func (a *API) deleteBlockSchema(ctx context.Context, in byID) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteBlockSchema(ctx, a.workspace(ctx), in.ID)
}
