package store

import "github.com/leat-dev/leat/internal/core"

const activitySelect = "SELECT a.id, a.created, a.name, a.region, a.arn, a.encryption, a.tags FROM activity a WHERE "

func scanActivity(r rows) (*core.Activity, error) {
	a := &core.Activity{}
	return a, r.Scan(&a.ID, timeInto{&a.Created}, &a.Name, &a.Region, &a.ARN, jsonInto{&a.Encryption}, jsonInto{&a.Tags})
}

// InsertActivity implements core.ActivityTx.
func (t *tx) InsertActivity(a *core.Activity) error {
	var encryption any
	if a.Encryption != nil {
		encryption = asJSON(a.Encryption)
	}
	return t.exec("INSERT INTO activity (id, ws, created, name, region, arn, encryption, tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		a.ID, int64(t.ws), micros(a.Created), a.Name, a.Region, a.ARN, encryption, asJSON(a.Tags))
}

// ActivityByARN implements core.ActivityTx.
func (t *tx) ActivityByARN(arn string) (*core.Activity, error) {
	return one(t, core.Errorf(core.NotFound, "Activity not found"), scanActivity,
		activitySelect+"a.ws = ? AND a.arn = ?"+t.lock("a"), int64(t.ws), arn)
}

// UpdateActivity implements core.ActivityTx.
func (t *tx) UpdateActivity(a *core.Activity) error {
	return t.exec("UPDATE activity SET tags = ? WHERE ws + 0 = ? AND id = ?", asJSON(a.Tags), int64(t.ws), a.ID)
}

// DeleteActivity implements core.ActivityTx.
func (t *tx) DeleteActivity(arn string) error {
	return t.exec("DELETE FROM activity WHERE ws = ? AND arn = ?", int64(t.ws), arn)
}

// Activities implements core.ActivityTx.
func (t *tx) Activities(region, after string, limit int) ([]*core.Activity, error) {
	return list(t, scanActivity, activitySelect+"a.ws = ? AND a.region = ? AND a.name > ? ORDER BY a.name LIMIT ?", int64(t.ws), region, after, limit)
}
