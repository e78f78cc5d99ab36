package store

import "github.com/leat-dev/leat/internal/core"

const machineSelect = `SELECT m.id, m.created, m.updated, m.name, m.region, m.arn, m.type, m.status, m.flow_id, m.revision_id, m.last_version, m.tags
	FROM state_machine m WHERE `

func scanMachine(r rows) (*core.StateMachine, error) {
	m := &core.StateMachine{}
	return m, r.Scan(&m.ID, timeInto{&m.Created}, timeInto{&m.Updated}, &m.Name, &m.Region, &m.ARN, &m.Type, &m.Status,
		&m.FlowID, &m.RevisionID, &m.LastVersion, jsonInto{&m.Tags})
}

func noMachine() *core.Error { return core.Errorf(core.NotFound, "State machine not found") }

// InsertStateMachine implements core.StateMachineTx.
func (t *tx) InsertStateMachine(m *core.StateMachine) error {
	return t.exec(`INSERT INTO state_machine (id, ws, created, updated, name, region, arn, type, status, flow_id, revision_id, last_version, tags)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		m.ID, int64(t.ws), micros(m.Created), micros(m.Updated), m.Name, m.Region, m.ARN, string(m.Type), string(m.Status), m.FlowID,
		m.RevisionID, m.LastVersion, asJSON(m.Tags))
}

// StateMachine implements core.StateMachineTx.
func (t *tx) StateMachine(id core.ID) (*core.StateMachine, error) {
	return one(t, noMachine(), scanMachine, machineSelect+"m.ws + 0 = ? AND m.id = ?"+t.lock("m"), int64(t.ws), id)
}

// StateMachineByARN implements core.StateMachineTx.
func (t *tx) StateMachineByARN(arn string) (*core.StateMachine, error) {
	return one(t, noMachine(), scanMachine, machineSelect+"m.ws = ? AND m.arn = ?"+t.lock("m"), int64(t.ws), arn)
}

// UpdateStateMachine implements core.StateMachineTx.
func (t *tx) UpdateStateMachine(m *core.StateMachine) error {
	return t.exec("UPDATE state_machine SET updated = ?, status = ?, revision_id = ?, last_version = ?, tags = ? WHERE ws + 0 = ? AND id = ?",
		micros(m.Updated), string(m.Status), m.RevisionID, m.LastVersion, asJSON(m.Tags), int64(t.ws), m.ID)
}

// DeleteStateMachine implements core.StateMachineTx.
func (t *tx) DeleteStateMachine(id core.ID) error {
	for _, q := range []string{
		"DELETE FROM state_machine_alias WHERE ws + 0 = ? AND machine_id = ?",
		"DELETE FROM state_machine_version WHERE ws + 0 = ? AND machine_id = ?",
		"DELETE FROM state_machine WHERE ws + 0 = ? AND id = ?",
	} {
		if err := t.exec(q, int64(t.ws), id); err != nil {
			return err
		}
	}
	return nil
}

// StateMachines implements core.StateMachineTx.
func (t *tx) StateMachines(region, after string, limit int) ([]*core.StateMachine, error) {
	return list(t, scanMachine, machineSelect+"m.ws = ? AND m.region = ? AND m.name > ? ORDER BY m.name LIMIT ?", int64(t.ws), region, after, limit)
}

// CountStateMachines implements core.StateMachineTx.
func (t *tx) CountStateMachines(region string) (int, error) {
	return number(t, false, "SELECT COUNT(*) FROM state_machine m WHERE m.ws = ? AND m.region = ?", int64(t.ws), region)
}

// InsertStateMachineRevision implements core.StateMachineTx.
func (t *tx) InsertStateMachineRevision(r *core.StateMachineRevision) error {
	return t.exec("INSERT INTO state_machine_revision (id, ws, machine_id, created, initial, definition, role_arn, config) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		r.ID, int64(t.ws), r.MachineID, micros(r.Created), r.Initial, r.Definition, r.RoleARN, asJSON(r.Config))
}

// StateMachineRevision implements core.StateMachineTx.
func (t *tx) StateMachineRevision(id core.ID) (*core.StateMachineRevision, error) {
	scan := func(r rows) (*core.StateMachineRevision, error) {
		v := &core.StateMachineRevision{}
		return v, r.Scan(&v.ID, &v.MachineID, timeInto{&v.Created}, &v.Initial, &v.Definition, &v.RoleARN, jsonInto{&v.Config})
	}
	return one(t, core.Errorf(core.NotFound, "State machine revision not found"), scan,
		`SELECT r.id, r.machine_id, r.created, r.initial, r.definition, r.role_arn, r.config
		FROM state_machine_revision r WHERE r.ws + 0 = ? AND r.id = ?`, int64(t.ws), id)
}
