package store

import "github.com/leat-dev/leat/internal/core"

const variableColumns = "v.id, v.created, v.updated, v.name, v.value, v.tags"

const variableSelect = "SELECT " + variableColumns + " FROM variable v WHERE v.ws = ? AND "

func scanVariable(r rows) (*core.Variable, error) {
	v := &core.Variable{}
	return v, r.Scan(&v.ID, timeInto{&v.Created}, timeInto{&v.Updated}, &v.Name, rawInto{&v.Value}, jsonInto{&v.Tags})
}

func noVariable() *core.Error { return core.Errorf(core.NotFound, "Variable not found.") }

// InsertVariable implements core.VariableTx.
func (t *tx) InsertVariable(v *core.Variable) error {
	return t.exec("INSERT INTO variable (id, ws, created, updated, name, value, tags) VALUES (?, ?, ?, ?, ?, ?, ?)",
		v.ID, int64(t.ws), micros(v.Created), micros(v.Updated), v.Name, text(v.Value), tagsText(v.Tags))
}

// Variable implements core.VariableTx.
func (t *tx) Variable(id core.ID) (*core.Variable, error) {
	return one(t, noVariable(), scanVariable, variableSelect+"v.id = ?"+t.lock("v"), int64(t.ws), id)
}

// VariableByName implements core.VariableTx.
func (t *tx) VariableByName(name string) (*core.Variable, error) {
	return one(t, noVariable(), scanVariable, variableSelect+"v.name = ?"+t.lock("v"), int64(t.ws), name)
}

// UpdateVariable implements core.VariableTx.
func (t *tx) UpdateVariable(v *core.Variable) error {
	return t.exec("UPDATE variable SET updated = ?, name = ?, value = ?, tags = ? WHERE ws + 0 = ? AND id = ?",
		micros(v.Updated), v.Name, text(v.Value), tagsText(v.Tags), int64(t.ws), v.ID)
}

// DeleteVariable implements core.VariableTx.
func (t *tx) DeleteVariable(id core.ID) (bool, error) {
	n, err := t.execN("DELETE FROM variable WHERE ws + 0 = ? AND id = ?", int64(t.ws), id)
	return n > 0, err
}

// FilterVariables implements core.VariableTx.
func (t *tx) FilterVariables(q core.Query) ([]*core.Variable, error) {
	return filter(t, core.EntityVariable, variableColumns, "", q, scanVariable)
}

// CountVariables implements core.VariableTx.
func (t *tx) CountVariables(q core.Query) (int, error) { return count(t, core.EntityVariable, q) }

func variableTable() table {
	return table{
		name: "variable", alias: "v",
		columns: map[string]string{"id": "v.id", "name": "v.name"},
		special: map[string]func(*builder, core.Cond) string{"tags": tags("v.tags")},
		sorts: map[string]string{
			"": "v.name", "NAME_ASC": "v.name", "NAME_DESC": "v.name DESC",
			"CREATED_DESC": "v.created DESC, v.id DESC", "UPDATED_DESC": "v.updated DESC, v.id DESC",
		},
	}
}
