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
	r.Handle("POST", "/block_schemas/filter", api.Handle(http.StatusOK, list[blockSchemaList](a, each(core.Tx.FilterBlockSchemas, client.BlockSchemaOf))))
	r.Handle("GET", "/block_schemas/{id:uuid}", api.Handle(http.StatusOK, get[byID](a, one(core.Tx.BlockSchema, client.BlockSchemaOf))))
	r.Handle("DELETE", "/block_schemas/{id:uuid}", api.Handle(http.StatusNoContent, do[byID](a, a.Engine.DeleteBlockSchema)))
	r.Handle("GET", "/block_schemas/checksum/{checksum}", api.Handle(http.StatusOK, get[byChecksum](a, one(blockSchemaByChecksum, client.BlockSchemaOf))))
}

// orObject is an object that need not be given.
func orObject(raw json.RawMessage) json.RawMessage {
	if raw == nil {
		return json.RawMessage("{}")
	}
	return raw
}

func (a *API) createBlockSchema(ctx context.Context, in bodyIn[client.BlockSchemaCreate]) (api.Reply[client.BlockSchema], error) {
	b := in.Body
	s, created, err := a.Engine.CreateBlockSchema(ctx, a.workspace(ctx), engine.NewBlockSchema{
		Fields: orObject(b.Fields), BlockTypeID: b.BlockTypeID, Capabilities: b.Capabilities, Version: b.Version,
	})
	return made(s, created, err, client.BlockSchemaOf)
}

type blockSchemaList struct {
	page
	BlockSchemas *filter[ofBlockSchema] `json:"block_schemas"`
	unordered
}

func (b blockSchemaList) where() selection { return where(b.BlockSchemas) }

type byChecksum struct {
	Checksum string  `path:"checksum"`
	Version  *string `query:"version"`
}

func (in byChecksum) key() byChecksum { return in }

func blockSchemaByChecksum(tx core.Tx, in byChecksum) (*core.BlockSchema, error) {
	return tx.BlockSchemaByChecksum(in.Checksum, in.Version)
}
