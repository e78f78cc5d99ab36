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

func (a *API) artifactRoutes(r *api.Router) {
	r.Handle("POST", "/artifacts/", api.Handle(http.StatusCreated, a.createArtifact))
	r.Handle("POST", "/artifacts/filter", api.Handle(http.StatusOK, a.filterArtifacts))
	r.Handle("POST", "/artifacts/latest/filter", api.Handle(http.StatusOK, a.filterLatestArtifacts))
	r.Handle("POST", "/artifacts/count", api.Handle(http.StatusOK, a.countArtifacts))
	r.Handle("POST", "/artifacts/latest/count", api.Handle(http.StatusOK, a.countLatestArtifacts))
	r.Handle("GET", "/artifacts/{id:uuid}", api.Handle(http.StatusOK, a.readArtifact))
	r.Handle("PATCH", "/artifacts/{id:uuid}", api.Handle(http.StatusNoContent, a.updateArtifact))
	r.Handle("DELETE", "/artifacts/{id:uuid}", api.Handle(http.StatusNoContent, a.deleteArtifact))
	r.Handle("GET", "/artifacts/{key}/latest", api.Handle(http.StatusOK, a.readLatestArtifact))
}

type (
	// artifactFilter selects artifacts.
	artifactFilter struct{ core.Filter }
	// artifactCollectionFilter selects the newest artifacts of keys.
	artifactCollectionFilter struct{ core.Filter }
)

// DecodeWire implements wire's interface for types that decode themselves.
func (f *artifactFilter) DecodeWire(raw json.RawMessage) []wire.FieldError {
	return decodeFilter(core.EntityArtifact, raw, &f.Filter)
}

// DecodeWire implements wire's interface for types that decode themselves.
func (f *artifactCollectionFilter) DecodeWire(raw json.RawMessage) []wire.FieldError {
	return decodeFilter(core.EntityArtifactCollection, raw, &f.Filter)
}

// artifactSort is an order of artifacts and of collections.
type artifactSort string

// Enum lists the values.
func (artifactSort) Enum() []string {
	return []string{"CREATED_DESC", "UPDATED_DESC", "ID_DESC", "KEY_DESC", "KEY_ASC"}
}

type createArtifactIn struct {
	Body client.ArtifactCreate `body:""`
}

func (a *API) createArtifact(ctx context.Context, in createArtifactIn) (out client.Artifact, err error) {
	made, err := a.Engine.CreateArtifact(ctx, a.workspace(ctx), in.Body.Core())
	if err != nil {
		return out, err
	}
	return client.ArtifactOf(made), nil
}

// artifactRunFilters are the filters on what artifacts belong to.
type artifactRunFilters struct {
	FlowRuns    *flowRunFilter    `json:"flow_runs"`
	TaskRuns    *taskRunFilter    `json:"task_runs"`
	Flows       *flowFilter       `json:"flows"`
	Deployments *deploymentFilter `json:"deployments"`
}

func (f *artifactRunFilters) where(e core.Entity, own *core.Filter) map[core.Entity]*core.Filter {
	all := filters{FlowRuns: f.FlowRuns, TaskRuns: f.TaskRuns, Flows: f.Flows, Deployments: f.Deployments}
	where := all.where()
	where[e] = own
	return where
}

type filterArtifactsIn struct {
	Body struct {
		_ struct{} `wire:"embed"`
		page
		artifactRunFilters
		Artifacts *artifactFilter `json:"artifacts"`
		Sort      artifactSort    `json:"sort" wire:"default=ID_DESC"`
	} `body:""`
}

func (in *filterArtifactsIn) query(limit int) core.Query {
	var own *core.Filter
	if f := in.Body.Artifacts; f != nil {
		own = &f.Filter
	}
	return core.Query{
		Where: in.Body.where(core.EntityArtifact, own), Sort: string(in.Body.Sort), Limit: limit, Offset: in.Body.Offset,
	}
}

func (a *API) filterArtifacts(ctx context.Context, in filterArtifactsIn) (out []client.Artifact, err error) {
	n, err := limit(in.Body.Limit)
	if err != nil {
		return nil, err
	}
	err = a.view(ctx, func(tx core.Tx) error {
		found, err := tx.FilterArtifacts(in.query(n))
		out = mapped(found, client.ArtifactOf)
		return err
	})
	return out, err
}

func (a *API) countArtifacts(ctx context.Context, in filterArtifactsIn) (n int, err error) {
	err = a.view(ctx, func(tx core.Tx) (err error) {
		n, err = tx.CountArtifacts(in.query(0))
		return err
	})
	return n, err
}

type filterLatestArtifactsIn struct {
	Body struct {
		_ struct{} `wire:"embed"`
		page
		artifactRunFilters
		Artifacts *artifactCollectionFilter `json:"artifacts"`
		Sort      artifactSort              `json:"sort" wire:"default=ID_DESC"`
	} `body:""`
}

func (in *filterLatestArtifactsIn) query(limit int) core.Query {
	var own *core.Filter
	if f := in.Body.Artifacts; f != nil {
		own = &f.Filter
	}
	return core.Query{
		Where: in.Body.where(core.EntityArtifactCollection, own), Sort: string(in.Body.Sort), Limit: limit, Offset: in.Body.Offset,
	}
}

func (a *API) filterLatestArtifacts(ctx context.Context, in filterLatestArtifactsIn) (out []client.ArtifactCollection, err error) {
	n, err := limit(in.Body.Limit)
	if err != nil {
		return nil, err
	}
	err = a.view(ctx, func(tx core.Tx) error {
		found, err := tx.FilterArtifactCollections(in.query(n))
		out = mapped(found, client.ArtifactCollectionOf)
		return err
	})
	return out, err
}

func (a *API) countLatestArtifacts(ctx context.Context, in filterLatestArtifactsIn) (n int, err error) {
	err = a.view(ctx, func(tx core.Tx) (err error) {
		n, err = tx.CountArtifactCollections(in.query(0))
		return err
	})
	return n, err
}

func (a *API) readArtifact(ctx context.Context, in byID) (out client.Artifact, err error) {
	err = a.view(ctx, func(tx core.Tx) error {
		found, err := tx.Artifact(in.ID)
		if err == nil {
			out = client.ArtifactOf(found)
		}
		return err
	})
	return out, err
}

type byKey struct {
	Key string `path:"key"`
}

func (a *API) readLatestArtifact(ctx context.Context, in byKey) (out client.Artifact, err error) {
	err = a.view(ctx, func(tx core.Tx) error {
		found, err := tx.ArtifactCollection(in.Key)
		if err == nil {
			out = client.LatestArtifactOf(found)
		}
		return err
	})
	return out, err
}

type updateArtifactIn struct {
	ID   core.ID               `path:"id"`
	Body client.ArtifactUpdate `body:""`
}

func (a *API) updateArtifact(ctx context.Context, in updateArtifactIn) (struct{}, error) {
	b := in.Body
	return struct{}{}, a.Engine.UpdateArtifact(ctx, a.workspace(ctx), in.ID, engine.ArtifactChange{
		SetData: b.Data.Set, Data: b.Data.Value, SetMetadata: b.Metadata.Set, Metadata: json.RawMessage(b.Metadata.Value),
		SetDescription: b.Description.Set, Description: b.Description.Ptr(),
	})
}

func (a *API) deleteArtifact(ctx context.Context, in byID) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteArtifact(ctx, a.workspace(ctx), in.ID)
}
