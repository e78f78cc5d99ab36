package client

import (
	"encoding/json"
	"reflect"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// Artifact is an artifact as the API shows it. Prefect REST: Artifact.
type Artifact struct {
	ID          core.ID          `json:"id"`
	Created     wire.Time        `json:"created"`
	Updated     wire.Time        `json:"updated"`
	Key         *string          `json:"key"`
	Type        *string          `json:"type"`
	Description *string          `json:"description"`
	Data        json.RawMessage  `json:"data"`
	Metadata    ArtifactMetadata `json:"metadata_"`
	FlowRunID   *core.ID         `json:"flow_run_id"`
	TaskRunID   *core.ID         `json:"task_run_id"`
}

// ArtifactOf shows an artifact.
func ArtifactOf(a *core.Artifact) Artifact {
	return Artifact{
		ID: a.ID, Created: wire.FromTime(a.Created), Updated: wire.FromTime(a.Updated), Key: a.Key, Type: a.Type, Description: a.Description,
		Data: a.Data, Metadata: ArtifactMetadata(a.Metadata), FlowRunID: a.FlowRunID, TaskRunID: a.TaskRunID,
	}
}

// LatestArtifactOf shows a collection as the artifact that it stands for: with
// the collection's own id and times. Prefect REST: GET /artifacts/{key}/latest.
func LatestArtifactOf(c *core.ArtifactCollection) Artifact {
	a := ArtifactOf(c.Latest)
	a.ID, a.Created, a.Updated = c.ID, wire.FromTime(c.Created), wire.FromTime(c.Updated)
	return a
}

// ArtifactCollection is the newest artifact of a key as the API lists it.
// Prefect REST: ArtifactCollection.
type ArtifactCollection struct {
	ID          core.ID          `json:"id"`
	Created     wire.Time        `json:"created"`
	Updated     wire.Time        `json:"updated"`
	Key         string           `json:"key"`
	LatestID    core.ID          `json:"latest_id"`
	Type        *string          `json:"type"`
	Description *string          `json:"description"`
	Data        json.RawMessage  `json:"data"`
	Metadata    ArtifactMetadata `json:"metadata_"`
	FlowRunID   *core.ID         `json:"flow_run_id"`
	TaskRunID   *core.ID         `json:"task_run_id"`
}

// ArtifactCollectionOf shows a collection.
func ArtifactCollectionOf(c *core.ArtifactCollection) ArtifactCollection {
	a := c.Latest
	return ArtifactCollection{
		ID: c.ID, Created: wire.FromTime(c.Created), Updated: wire.FromTime(c.Updated), Key: c.Key, LatestID: c.LatestID, Type: a.Type,
		Description: a.Description, Data: a.Data, Metadata: ArtifactMetadata(a.Metadata), FlowRunID: a.FlowRunID, TaskRunID: a.TaskRunID,
	}
}

// ArtifactCreate is the body of POST /artifacts/.
type ArtifactCreate struct {
	_           struct{}         `wire:"forbid"`
	Key         *ArtifactKey     `json:"key"`
	Type        *string          `json:"type"`
	Description *string          `json:"description"`
	Data        json.RawMessage  `json:"data"`
	Metadata    ArtifactMetadata `json:"metadata_"`
	FlowRunID   *core.ID         `json:"flow_run_id"`
	TaskRunID   *core.ID         `json:"task_run_id"`
}

// Core returns the artifact as the domain keeps it.
func (a *ArtifactCreate) Core() core.Artifact {
	return core.Artifact{
		Key: (*string)(a.Key), Type: a.Type, Description: a.Description, Data: notNull(a.Data), Metadata: json.RawMessage(a.Metadata),
		FlowRunID: a.FlowRunID, TaskRunID: a.TaskRunID,
	}
}

// ArtifactUpdate is the body of PATCH /artifacts/{id}.
type ArtifactUpdate struct {
	_           struct{}                   `wire:"forbid"`
	Data        wire.Opt[json.RawMessage]  `json:"data,omitzero"`
	Description wire.Opt[string]           `json:"description,omitzero"`
	Metadata    wire.Opt[ArtifactMetadata] `json:"metadata_,omitzero"`
}

// ArtifactMetadata is an object of strings; long ones are cut.
type ArtifactMetadata json.RawMessage

// maxMetadata is the most characters of a value; what is cut is shown by dots.
const maxMetadata = 500

// MarshalJSON implements json.Marshaler.
func (m ArtifactMetadata) MarshalJSON() ([]byte, error) { return json.RawMessage(m).MarshalJSON() }

// DecodeWire implements wire's interface for types that decode themselves.
func (m *ArtifactMetadata) DecodeWire(raw json.RawMessage) []wire.FieldError {
	out, errs := readTexts(raw, func(text string) string {
		if runes := []rune(text); len(runes) > maxMetadata {
			return string(runes[:maxMetadata]) + "..."
		}
		return text
	})
	*m = ArtifactMetadata(out)
	return errs
}

// WireSchema implements wire's interface for types that describe themselves.
func (*ArtifactMetadata) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	return textsSchema()
}
