package store

import "github.com/leat-dev/leat/internal/core"

const (
	artifactColumns = "a.id, a.created, a.updated, a.key, a.type, a.description, a.data, a.metadata, a.flow_run_id, a.task_run_id"
	artifactSelect  = "SELECT " + artifactColumns + " FROM artifact a WHERE a.ws = ? AND "

	collectionColumns = "ac.id, ac.created, ac.updated, ac.key, ac.latest_id, " + artifactColumns
	collectionJoin    = "JOIN artifact a ON a.id = ac.latest_id"
)

func artifactDest(a *core.Artifact) []any {
	return []any{
		&a.ID,
		timeInto{&a.Created},
		timeInto{&a.Updated},
		&a.Key, &a.Type, &a.Description,
		rawInto{&a.Data},
		rawInto{&a.Metadata},
		idPtrInto{&a.FlowRunID},
		idPtrInto{&a.TaskRunID},
	}
}

func scanArtifact(r rows) (*core.Artifact, error) {
	a := &core.Artifact{}
	return a, r.Scan(artifactDest(a)...)
}

func scanCollection(r rows) (*core.ArtifactCollection, error) {
	c := &core.ArtifactCollection{Latest: &core.Artifact{}}
	return c, r.Scan(append([]any{&c.ID, timeInto{&c.Created}, timeInto{&c.Updated}, &c.Key, &c.LatestID}, artifactDest(c.Latest)...)...)
}

func noArtifact() *core.Error { return core.Errorf(core.NotFound, "Artifact not found.") }

// InsertArtifact implements core.ArtifactTx.
func (t *tx) InsertArtifact(a *core.Artifact) error {
	return t.exec(`INSERT INTO artifact (id, ws, created, updated, key, type, description, data, metadata, flow_run_id, task_run_id)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		a.ID, int64(t.ws), micros(a.Created), micros(a.Updated), a.Key, a.Type, a.Description, text(a.Data), text(a.Metadata),
		a.FlowRunID, a.TaskRunID)
}

// Artifact implements core.ArtifactTx.
func (t *tx) Artifact(id core.ID) (*core.Artifact, error) {
	return one(t, noArtifact(), scanArtifact, artifactSelect+"a.id = ?"+t.lock("a"), int64(t.ws), id)
}

// UpdateArtifact implements core.ArtifactTx.
func (t *tx) UpdateArtifact(a *core.Artifact) error {
	return t.exec("UPDATE artifact SET updated = ?, description = ?, data = ?, metadata = ? WHERE ws + 0 = ? AND id = ?",
		micros(a.Updated), a.Description, text(a.Data), text(a.Metadata), int64(t.ws), a.ID)
}

// DeleteArtifact implements core.ArtifactTx.
func (t *tx) DeleteArtifact(id core.ID) (bool, error) {
	n, err := t.execN("DELETE FROM artifact WHERE ws + 0 = ? AND id = ?", int64(t.ws), id)
	return n > 0, err
}

// NewestArtifact implements core.ArtifactTx.
func (t *tx) NewestArtifact(key string) (*core.Artifact, error) {
	return one(t, noArtifact(), scanArtifact, artifactSelect+"a.key = ? ORDER BY a.created DESC, a.id DESC LIMIT 1", int64(t.ws), key)
}

// FilterArtifacts implements core.ArtifactTx.
func (t *tx) FilterArtifacts(q core.Query) ([]*core.Artifact, error) {
	return filter(t, core.EntityArtifact, artifactColumns, "", q, scanArtifact)
}

// CountArtifacts implements core.ArtifactTx.
func (t *tx) CountArtifacts(q core.Query) (int, error) { return count(t, core.EntityArtifact, q) }

// PutArtifactCollection implements core.ArtifactTx.
func (t *tx) PutArtifactCollection(c *core.ArtifactCollection) error {
	return t.exec(`INSERT INTO artifact_collection (id, ws, created, updated, key, latest_id) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (ws, key) DO UPDATE SET created = excluded.created, updated = excluded.updated, latest_id = excluded.latest_id`,
		c.ID, int64(t.ws), micros(c.Created), micros(c.Updated), c.Key, c.LatestID)
}

// ArtifactCollection implements core.ArtifactTx.
func (t *tx) ArtifactCollection(key string) (*core.ArtifactCollection, error) {
	return one(t, noArtifact(), scanCollection, "SELECT "+collectionColumns+" FROM artifact_collection ac "+collectionJoin+
		" WHERE ac.ws = ? AND ac.key = ?"+t.lock("ac"), int64(t.ws), key)
}

// DeleteArtifactCollection implements core.ArtifactTx.
func (t *tx) DeleteArtifactCollection(key string) error {
	return t.exec("DELETE FROM artifact_collection WHERE ws = ? AND key = ?", int64(t.ws), key)
}

// FilterArtifactCollections implements core.ArtifactTx.
func (t *tx) FilterArtifactCollections(q core.Query) ([]*core.ArtifactCollection, error) {
	return filter(t, core.EntityArtifactCollection, collectionColumns, collectionJoin, q, scanCollection)
}

// CountArtifactCollections implements core.ArtifactTx.
func (t *tx) CountArtifactCollections(q core.Query) (int, error) {
	return count(t, core.EntityArtifactCollection, q)
}

// typed compiles comparisons of an artifact's type: one without a type is not
// of another type than those named.
func typed(column string) func(*builder, core.Cond) string {
	return func(b *builder, c core.Cond) string {
		if c.Op == core.OpNotAny {
			return b.in(column, "NOT IN", c.Value)
		}
		return b.compare(column, c)
	}
}

func artifactTable() table {
	return table{
		name: "artifact", alias: "a",
		columns: map[string]string{
			"id": "a.id", "key": "a.key", "flow_run_id": "a.flow_run_id", "task_run_id": "a.task_run_id",
		},
		special: map[string]func(*builder, core.Cond) string{"key": orExists("a.key"), "type": typed("a.type")},
		sorts: map[string]string{
			"": "a.id DESC", "ID_DESC": "a.id DESC", "CREATED_DESC": "a.created DESC, a.id DESC", "UPDATED_DESC": "a.updated DESC, a.id DESC",
			"KEY_ASC": "a.key, a.id", "KEY_DESC": "a.key DESC, a.id DESC",
		},
		joins: ofRuns("a.flow_run_id", "a.task_run_id"),
	}
}

func artifactCollectionTable() table {
	of := func(column string) string {
		return "(SELECT x." + column + " FROM artifact x WHERE x.id = ac.latest_id)"
	}
	return table{
		name: "artifact_collection", alias: "ac",
		columns: map[string]string{
			"latest_id": "ac.latest_id", "flow_run_id": of("flow_run_id"), "task_run_id": of("task_run_id"),
		},
		special: map[string]func(*builder, core.Cond) string{"key": orExists("ac.key"), "type": typed(of("type"))},
		sorts: map[string]string{
			"": "ac.id DESC", "ID_DESC": "ac.id DESC", "CREATED_DESC": "ac.created DESC, ac.id DESC",
			"UPDATED_DESC": "ac.updated DESC, ac.id DESC", "KEY_ASC": "ac.key", "KEY_DESC": "ac.key DESC",
		},
		joins: ofRuns(of("flow_run_id"), of("task_run_id")),
	}
}

// orExists compares a column that may be NULL, also by whether it is.
func orExists(column string) func(*builder, core.Cond) string {
	yesOrNo := exists(core.OpExists, column+" IS NOT NULL", column+" IS NULL")
	return func(b *builder, c core.Cond) string {
		if c.Op == core.OpExists {
			return yesOrNo(b, c)
		}
		return b.compare(column, c)
	}
}

// ofRuns joins rows that name a flow run and a task run.
func ofRuns(flowRunID, taskRunID string) map[core.Entity]string {
	return map[core.Entity]string{
		core.EntityFlow:       "f.id = (SELECT x.flow_id FROM flow_run x WHERE x.id = " + flowRunID + ")",
		core.EntityFlowRun:    "fr.id = " + flowRunID,
		core.EntityTaskRun:    "tr.id = " + taskRunID,
		core.EntityDeployment: "d.id = (SELECT x.deployment_id FROM flow_run x WHERE x.id = " + flowRunID + ")",
	}
}
