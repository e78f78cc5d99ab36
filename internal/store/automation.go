package store

import "github.com/leat-dev/leat/internal/core"

const automationColumns = `au.id, au.created, au.updated, au.name, au.description, au.enabled, au.tags, au.trigger_spec, au.actions,
	au.actions_on_trigger, au.actions_on_resolve`

func scanAutomation(r rows) (*core.Automation, error) {
	a := &core.Automation{}
	return a, r.Scan(&a.ID, timeInto{&a.Created}, timeInto{&a.Updated}, &a.Name, &a.Description, &a.Enabled, jsonInto{&a.Tags},
		rawInto{&a.Trigger}, rawInto{&a.Actions}, rawInto{&a.ActionsOnTrigger}, rawInto{&a.ActionsOnResolve})
}

// InsertAutomation implements core.AutomationTx.
func (t *tx) InsertAutomation(a *core.Automation) error {
	return t.exec(`INSERT INTO automation (id, ws, created, updated, name, description, enabled, tags, trigger_spec, actions,
		actions_on_trigger, actions_on_resolve) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		a.ID, int64(t.ws), micros(a.Created), micros(a.Updated), a.Name, a.Description, a.Enabled, tagsText(a.Tags),
		text(a.Trigger), text(a.Actions), text(a.ActionsOnTrigger), text(a.ActionsOnResolve))
}

// Automation implements core.AutomationTx.
func (t *tx) Automation(id core.ID) (*core.Automation, error) {
	return one(t, core.Errorf(core.NotFound, "Automation not found"), scanAutomation,
		"SELECT "+automationColumns+" FROM automation au WHERE au.ws + 0 = ? AND au.id = ?"+t.lock("au"), int64(t.ws), id)
}

// UpdateAutomation implements core.AutomationTx.
func (t *tx) UpdateAutomation(a *core.Automation) error {
	return t.exec(`UPDATE automation SET updated = ?, name = ?, description = ?, enabled = ?, tags = ?, trigger_spec = ?, actions = ?,
		actions_on_trigger = ?, actions_on_resolve = ? WHERE ws + 0 = ? AND id = ?`,
		micros(a.Updated), a.Name, a.Description, a.Enabled, tagsText(a.Tags), text(a.Trigger), text(a.Actions),
		text(a.ActionsOnTrigger), text(a.ActionsOnResolve), int64(t.ws), a.ID)
}

// DeleteAutomation implements core.AutomationTx.
func (t *tx) DeleteAutomation(id core.ID) (bool, error) {
	n, err := t.execN("DELETE FROM automation WHERE ws + 0 = ? AND id = ?", int64(t.ws), id)
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.exec("DELETE FROM automation_resource WHERE ws = ? AND automation_id = ?", int64(t.ws), id)
}

// FilterAutomations implements core.AutomationTx.
func (t *tx) FilterAutomations(q core.Query) ([]*core.Automation, error) {
	return filter(t, core.EntityAutomation, automationColumns, "", q, scanAutomation)
}

// CountAutomations implements core.AutomationTx.
func (t *tx) CountAutomations(q core.Query) (int, error) { return count(t, core.EntityAutomation, q) }

// RelateAutomation implements core.AutomationTx.
func (t *tx) RelateAutomation(id core.ID, resources []string) error {
	if err := t.exec("DELETE FROM automation_resource WHERE ws = ? AND automation_id = ? AND owned = ?", int64(t.ws), id, false); err != nil {
		return err
	}
	for _, r := range resources {
		err := t.exec(`INSERT INTO automation_resource (automation_id, resource_id, ws, owned) VALUES (?, ?, ?, ?)
			ON CONFLICT (automation_id, resource_id) DO NOTHING`, id, r, int64(t.ws), false)
		if err != nil {
			return err
		}
	}
	return nil
}

// OwnAutomation implements core.AutomationTx.
func (t *tx) OwnAutomation(id core.ID, owner string) error {
	return t.exec(`INSERT INTO automation_resource (automation_id, resource_id, ws, owned) VALUES (?, ?, ?, ?)
		ON CONFLICT (automation_id, resource_id) DO UPDATE SET owned = excluded.owned`, id, owner, int64(t.ws), true)
}

// AutomationsOf implements core.AutomationTx.
func (t *tx) AutomationsOf(resource string, owned bool) ([]*core.Automation, error) {
	return list(t, scanAutomation, "SELECT "+automationColumns+` FROM automation au JOIN automation_resource ar ON ar.automation_id = au.id
		WHERE ar.ws = ? AND ar.resource_id = ? AND (ar.owned OR NOT ?) ORDER BY au.created, au.id`, int64(t.ws), resource, owned)
}

func automationTable() table {
	return table{
		name: "automation", alias: "au",
		columns: map[string]string{"id": "au.id", "name": "au.name", "created": "au.created"},
		special: map[string]func(*builder, core.Cond) string{"tags": tags("au.tags")},
		sorts: map[string]string{
			"": "au.name, au.id", "NAME_ASC": "au.name, au.id", "NAME_DESC": "au.name DESC, au.id DESC",
			"CREATED_DESC": "au.created DESC, au.id DESC", "UPDATED_DESC": "au.updated DESC, au.id DESC",
		},
	}
}
