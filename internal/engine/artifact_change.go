package engine

import (
	"context"
	"encoding/json"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// ArtifactChange names what is to change in an artifact; what is not set stays.
type ArtifactChange struct {
	SetData, SetMetadata, SetDescription bool

	Data        json.RawMessage
	Metadata    json.RawMessage
	Description *string
}

// CreateArtifact stores an artifact and, when it has a key, makes it the newest
// of its collection. Identity and times are set here.
func (e *Engine) CreateArtifact(ctx context.Context, ws core.WorkspaceID, a core.Artifact) (*core.Artifact, error) {
	now := e.now()
	a.ID, a.Created, a.Updated = core.NewID(now), now, now
	return &a, e.store.Update(ctx, ws, func(tx core.Tx) error {
		var c *core.ArtifactCollection
		what := "updated"
		if a.Key != nil {
			var err error
			c, err = tx.ArtifactCollection(*a.Key)
			if missing(err) {
				what = "created"
				c, err = &core.ArtifactCollection{ID: core.NewID(now), Created: now, Key: *a.Key}, nil
			}
			if err != nil {
				return err
			}
		}
		if err := tx.InsertArtifact(&a); err != nil || c == nil {
			return err
		}
		c.Updated, c.LatestID, c.Latest = now, a.ID, &a
		if err := tx.PutArtifactCollection(c); err != nil {
			return err
		}
		return tellCollection(tx, now, what, c)
	})
}

func tellCollection(tx core.Tx, now time.Time, what string, c *core.ArtifactCollection) error {
	related := []core.Labels{relatedTo("artifact", c.LatestID, "latest", "")}
	if id := c.Latest.FlowRunID; id != nil {
		related = append(related, relatedTo("flow-run", *id, "flow-run", ""))
	}
	if id := c.Latest.TaskRunID; id != nil {
		related = append(related, relatedTo("task-run", *id, "task-run", ""))
	}
	return tellChange(tx, now, "artifact-collection", what, c.ID, c.Key, struct {
		Key         string          `json:"key"`
		Type        *string         `json:"type"`
		Data        json.RawMessage `json:"data"`
		Description *string         `json:"description"`
	}{c.Key, c.Latest.Type, orNull(c.Latest.Data), c.Latest.Description}, related...)
}

// orNull shows JSON that is not there as null.
func orNull(raw json.RawMessage) json.RawMessage {
	if raw == nil {
		return json.RawMessage("null")
	}
	return raw
}

// artifactIn returns an artifact and its collection, nil if it has none.
func artifactIn(tx core.Tx, id core.ID) (*core.Artifact, *core.ArtifactCollection, error) {
	a, err := tx.Artifact(id)
	if err != nil || a.Key == nil {
		return a, nil, err
	}
	c, err := tx.ArtifactCollection(*a.Key)
	if missing(err) {
		return a, nil, nil
	}
	return a, c, err
}

// UpdateArtifact changes an artifact.
func (e *Engine) UpdateArtifact(ctx context.Context, ws core.WorkspaceID, id core.ID, change ArtifactChange) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		a, c, err := artifactIn(tx, id)
		if err != nil {
			return err
		}
		if change.SetData {
			a.Data = change.Data
		}
		if change.SetMetadata {
			a.Metadata = change.Metadata
		}
		if change.SetDescription {
			a.Description = change.Description
		}
		a.Updated = now
		if err := tx.UpdateArtifact(a); err != nil {
			return err
		}
		if c == nil || c.LatestID != id {
			return nil
		}
		c.Updated = now
		return tx.PutArtifactCollection(c)
	})
}

// DeleteArtifact removes an artifact; the one before it becomes the newest of
// its collection, which ends with its last artifact.
func (e *Engine) DeleteArtifact(ctx context.Context, ws core.WorkspaceID, id core.ID) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		_, c, err := artifactIn(tx, id)
		if err != nil {
			return err
		}
		if _, err := tx.DeleteArtifact(id); err != nil {
			return err
		}
		if c == nil || c.LatestID != id {
			return nil
		}
		next, err := tx.NewestArtifact(c.Key)
		switch {
		case missing(err):
			if err := tx.DeleteArtifactCollection(c.Key); err != nil {
				return err
			}
			return tellCollection(tx, now, "deleted", c)
		case err != nil:
			return err
		}
		c.Created, c.Updated, c.LatestID, c.Latest = next.Created, next.Updated, next.ID, next
		if err := tx.PutArtifactCollection(c); err != nil {
			return err
		}
		return tellCollection(tx, now, "updated", c)
	})
}
