package core

import (
	"encoding/json"
	"time"
)

// Artifact is something that a run made for people to look at.
type Artifact struct {
	ID      ID
	Created time.Time
	Updated time.Time
	// Key joins versions of the same artifact; nil for one without versions.
	Key         *string
	Type        *string
	Description *string
	// Data is any JSON value; nil is null.
	Data json.RawMessage
	// Metadata is a JSON object of strings; nil is null.
	Metadata  json.RawMessage
	FlowRunID *ID
	TaskRunID *ID
}

// ArtifactCollection is all artifacts with a key, seen as the newest of them.
type ArtifactCollection struct {
	ID      ID
	Created time.Time
	Updated time.Time
	Key     string
	// LatestID is the newest artifact's id.
	LatestID ID
	// Latest is the newest artifact. It comes with the collection when it is read.
	Latest *Artifact
}

// ArtifactTx reads and writes artifacts.
type ArtifactTx interface {
	// InsertArtifact stores a new artifact; collections are the caller's business.
	InsertArtifact(a *Artifact) error
	// Artifact returns the artifact, or a NotFound error.
	Artifact(id ID) (*Artifact, error)
	// UpdateArtifact stores data, metadata and description of an existing artifact.
	UpdateArtifact(a *Artifact) error
	// DeleteArtifact removes the artifact and reports whether it existed.
	DeleteArtifact(id ID) (bool, error)
	// NewestArtifact returns the newest artifact with the key, or a NotFound error.
	NewestArtifact(key string) (*Artifact, error)
	// FilterArtifacts lists artifacts.
	FilterArtifacts(q Query) ([]*Artifact, error)
	// CountArtifacts counts artifacts; sort, limit and offset do not matter.
	CountArtifacts(q Query) (int, error)
	// PutArtifactCollection stores the collection of its key.
	PutArtifactCollection(c *ArtifactCollection) error
	// ArtifactCollection returns the collection of the key, or a NotFound error.
	ArtifactCollection(key string) (*ArtifactCollection, error)
	// DeleteArtifactCollection removes the collection of the key.
	DeleteArtifactCollection(key string) error
	// FilterArtifactCollections lists collections.
	FilterArtifactCollections(q Query) ([]*ArtifactCollection, error)
	// CountArtifactCollections counts collections; sort, limit and offset do not matter.
	CountArtifactCollections(q Query) (int, error)
}
