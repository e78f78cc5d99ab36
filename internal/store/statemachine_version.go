package store

import (
	"math"

	"github.com/leat-dev/leat/internal/core"
)

const versionSelect = "SELECT v.machine_id, v.number, v.revision_id, v.description, v.created, v.arn FROM state_machine_version v WHERE "

func scanVersion(r rows) (*core.StateMachineVersion, error) {
	v := &core.StateMachineVersion{}
	return v, r.Scan(&v.MachineID, &v.Number, &v.RevisionID, &v.Description, timeInto{&v.Created}, &v.ARN)
}

// InsertStateMachineVersion implements core.StateMachineVersionTx.
func (t *tx) InsertStateMachineVersion(v *core.StateMachineVersion) error {
	return t.exec("INSERT INTO state_machine_version (machine_id, number, ws, created, arn, revision_id, description) VALUES (?, ?, ?, ?, ?, ?, ?)",
		v.MachineID, v.Number, int64(t.ws), micros(v.Created), v.ARN, v.RevisionID, v.Description)
}

// StateMachineVersion implements core.StateMachineVersionTx.
func (t *tx) StateMachineVersion(arn string) (*core.StateMachineVersion, error) {
	return one(t, core.Errorf(core.NotFound, "State machine version not found"), scanVersion,
		versionSelect+"v.ws = ? AND v.arn = ?"+t.lock("v"), int64(t.ws), arn)
}

// StateMachineVersions implements core.StateMachineVersionTx.
func (t *tx) StateMachineVersions(machine core.ID, below, limit int) ([]*core.StateMachineVersion, error) {
	if below == 0 {
		below = math.MaxInt64
	}
	return list(t, scanVersion, versionSelect+"v.ws + 0 = ? AND v.machine_id = ? AND v.number < ? ORDER BY v.number DESC LIMIT ?",
		int64(t.ws), machine, below, limit)
}

// DeleteStateMachineVersion implements core.StateMachineVersionTx.
func (t *tx) DeleteStateMachineVersion(arn string) error {
	return t.exec("DELETE FROM state_machine_version WHERE ws = ? AND arn = ?", int64(t.ws), arn)
}

const aliasSelect = "SELECT a.machine_id, a.name, a.description, a.routing, a.created, a.updated, a.arn FROM state_machine_alias a WHERE "

func scanAlias(r rows) (*core.StateMachineAlias, error) {
	a := &core.StateMachineAlias{}
	return a, r.Scan(&a.MachineID, &a.Name, &a.Description, jsonInto{&a.Routing}, timeInto{&a.Created}, timeInto{&a.Updated}, &a.ARN)
}

// PutStateMachineAlias implements core.StateMachineVersionTx.
func (t *tx) PutStateMachineAlias(a *core.StateMachineAlias) error {
	return t.exec(`INSERT INTO state_machine_alias (machine_id, name, ws, created, updated, arn, description, routing) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (machine_id, name) DO UPDATE SET updated = excluded.updated, description = excluded.description, routing = excluded.routing`,
		a.MachineID, a.Name, int64(t.ws), micros(a.Created), micros(a.Updated), a.ARN, a.Description, asJSON(a.Routing))
}

// StateMachineAlias implements core.StateMachineVersionTx.
func (t *tx) StateMachineAlias(arn string) (*core.StateMachineAlias, error) {
	return one(t, core.Errorf(core.NotFound, "State machine alias not found"), scanAlias,
		aliasSelect+"a.ws = ? AND a.arn = ?"+t.lock("a"), int64(t.ws), arn)
}

// StateMachineAliases implements core.StateMachineVersionTx.
func (t *tx) StateMachineAliases(machine core.ID, after string, limit int) ([]*core.StateMachineAlias, error) {
	return list(t, scanAlias, aliasSelect+"a.ws + 0 = ? AND a.machine_id = ? AND a.name > ? ORDER BY a.name LIMIT ?",
		int64(t.ws), machine, after, limit)
}

// DeleteStateMachineAlias implements core.StateMachineVersionTx.
func (t *tx) DeleteStateMachineAlias(arn string) error {
	return t.exec("DELETE FROM state_machine_alias WHERE ws = ? AND arn = ?", int64(t.ws), arn)
}
