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

func (a *API) artifactRoutes(r *api.Router) {
	r.Handle("POST", "/artifacts/", api.Handle(http.StatusCreated, a.createArtifact))
	r.Handle("POST", "/artifacts/filter", api.Handle(http.StatusOK, list[artifactList[ofArtifact]](a, each(core.Tx.FilterArtifacts, client.ArtifactOf))))
	r.Handle("POST", "/artifacts/latest/filter", api.Handle(http.StatusOK, list[artifactList[ofArtifactCollection]](a, each(core.Tx.FilterArtifactCollections, client.ArtifactCollectionOf))))
	r.Handle("POST", "/artifacts/count", api.Handle(http.StatusOK, count[artifactFilters[ofArtifact]](a, core.Tx.CountArtifacts)))
	r.Handle("POST", "/artifacts/latest/count", api.Handle(http.StatusOK, count[artifactFilters[ofArtifactCollection]](a, core.Tx.CountArtifactCollections)))
	r.Handle("GET", "/artifacts/{id:uuid}", api.Handle(http.StatusOK, get[byID](a, one(core.Tx.Artifact, client.ArtifactOf))))
	r.Handle("PATCH", "/artifacts/{id:uuid}", api.Handle(http.StatusNoContent, a.updateArtifact))
	r.Handle("DELETE", "/artifacts/{id:uuid}", api.Handle(http.StatusNoContent, do[byID](a, a.Engine.DeleteArtifact)))
	r.Handle("GET", "/artifacts/{key}/latest", api.Handle(http.StatusOK, get[byKey](a, one(core.Tx.ArtifactCollection, client.LatestArtifactOf))))
}

// artifactSort is an order of artifacts and of collections.
type artifactSort string

// Enum lists the values.
func (artifactSort) Enum() []string {
	return []string{"CREATED_DESC", "UPDATED_DESC", "ID_DESC", "KEY_DESC", "KEY_ASC"}
}

func (a *API) createArtifact(ctx context.Context, in bodyIn[client.ArtifactCreate]) (out client.Artifact, err error) {
	made, err := a.Engine.CreateArtifact(ctx, a.workspace(ctx), in.Body.Core())
	return shown(made, err, client.ArtifactOf)
}

// artifactFilters are the filters on artifacts or collections and on what they belong to.
type artifactFilters[E kind] struct {
	runFilters
	Artifacts *filter[E] `json:"artifacts"`
}

func (f artifactFilters[E]) where() selection {
	return where(f.FlowRuns, f.TaskRuns, f.Flows, f.Deployments, f.Artifacts)
}

// artifactOrder is the part of a body that orders artifacts and collections.
type artifactOrder struct {
	Sort artifactSort `json:"sort" wire:"default=ID_DESC"`
}

func (o artifactOrder) order() string { return string(o.Sort) }

// artifactList is the body of a list of artifacts or of collections.
type artifactList[E kind] struct {
	page
	artifactFilters[E]
	artifactOrder
}

type byKey struct {
	Key string `path:"key"`
}

func (in byKey) key() string { return in.Key }

func (a *API) updateArtifact(ctx context.Context, in idIn[client.ArtifactUpdate]) (struct{}, error) {
	b := in.Body
	return struct{}{}, a.Engine.UpdateArtifact(ctx, a.workspace(ctx), in.ID, engine.ArtifactChange{
		SetData: b.Data.Set, Data: b.Data.Value, SetMetadata: b.Metadata.Set, Metadata: json.RawMessage(b.Metadata.Value),
		SetDescription: b.Description.Set, Description: b.Description.Ptr(),
	})
}
