package prefect3

import (
	"encoding/json"
	"testing"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// FuzzFilter decodes filters of flow runs: whatever is accepted names only
// fields and comparisons that core knows.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"operator": "or_", "name": {"any_": ["a"], "like_": null}}`, `{"state": {"operator": "or_", "type": {"any_": ["RUNNING"]}}}`,
		`{"start_time": {"before_": "2026-01-01T00:00:00Z"}}`, `{"tags": {"operator": "and_", "all_": ["x"], "is_null_": false}}`, `{"id": {"any_": ["x"]}}`,
		`[1]`, `{"nope": 1}`, `{"state": {"type": {"any_": null}}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var filter filter[ofFlowRun]
		if err := wire.Decode([]byte(text), &filter); err != nil {
			return
		}
		known := map[string]bool{}
		for _, field := range core.FilterFields(core.EntityFlowRun) {
			known[field.Name] = true
			for _, inner := range field.Fields {
				known[field.Name+"."+inner.Name] = true
			}
		}
		var check func(core.Filter)
		check = func(fl core.Filter) {
			for _, c := range fl.Conds {
				if !known[c.Field] || c.Value == nil {
					t.Errorf("condition %+v", c)
				}
			}
			for _, g := range fl.Groups {
				check(g)
			}
		}
		check(filter.Filter)
	})
}

// FuzzEvent decodes events as a client sends them: whatever is accepted can be
// shown again and means the same.
func FuzzEvent(f *testing.F) {
	f.Add(`{"occurred": "2026-11-22T07:24:09.826890Z", "event": "e", "resource": {"prefect.resource.id": "r"}, "related": [], "payload": {}, "id": "01a20224-18e2-77b5-bf8b-8a8b36cfa4ce", "follows": null}`)
	f.Add(`{"occurred": 1, "event": "", "resource": {}, "related": [{"a": "b"}], "id": "00000000000000000000000000000000"}`)
	f.Add(`{"occurred": "x", "event": 1, "resource": {"a": 1}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var e, again client.Event
		if err := wire.Decode([]byte(text), &e); err != nil {
			return
		}
		shown, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if err := wire.Decode(shown, &again); err != nil {
			t.Fatalf("%s is shown as %s, which is refused: %v", text, shown, err)
		}
		if again.Event != e.Event || !again.Occurred.Equal(e.Occurred.Time) || again.ID != e.ID || len(again.Resource) != len(e.Resource) {
			t.Errorf("%s became %s", text, shown)
		}
	})
}
