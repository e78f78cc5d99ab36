package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
)

// variables is the suite of variables.
func variables(t *testing.T, open Opener) {
	s := open(t)
	v := &core.Variable{ID: core.NewID(noon()), Created: noon(), Updated: noon(), Name: "Name", Value: json.RawMessage(`{"a":[1.0,null]}`), Tags: []string{"x"}}
	w := &core.Variable{ID: core.NewID(noon()), Created: noon(), Updated: noon(), Name: "other", Value: json.RawMessage(`null`)}
	update(t, s, func(tx core.Tx) error {
		if err := tx.InsertVariable(v); err != nil {
			return err
		}
		return tx.InsertVariable(w)
	})
	got := must(t, s, func(tx core.Tx) (*core.Variable, error) { return tx.VariableByName("Name") })
	if diff := cmp.Diff(v, got); diff != "" {
		t.Errorf("variable (-want +got)\n%s", diff)
	}
	for _, tt := range []struct {
		what string
		cond core.Cond
		want int
	}{
		{"like ignores case", core.Cond{Field: "name", Op: core.OpLike, Value: "nam"}, 1},
		{"any of the names", core.Cond{Field: "name", Op: core.OpAny, Value: []string{"Name", "other"}}, 2},
		{"all tags", core.Cond{Field: "tags", Op: core.OpAll, Value: []string{"x"}}, 1},
		{"no tags", core.Cond{Field: "tags", Op: core.OpIsNull, Value: true}, 1},
	} {
		n := must(t, s, func(tx core.Tx) (int, error) { return tx.CountVariables(core.On(core.EntityVariable, tt.cond)) })
		if n != tt.want {
			t.Errorf("%s: %d variables, want %d", tt.what, n, tt.want)
		}
	}
	v.Name, v.Value, v.Tags = "renamed", json.RawMessage(`1`), []string{}
	update(t, s, func(tx core.Tx) error { return tx.UpdateVariable(v) })
	if diff := cmp.Diff(v, must(t, s, func(tx core.Tx) (*core.Variable, error) { return tx.Variable(v.ID) })); diff != "" {
		t.Errorf("updated variable (-want +got)\n%s", diff)
	}
	update(t, s, func(tx core.Tx) error {
		there, err := tx.DeleteVariable(v.ID)
		if !there {
			t.Error("a variable that is there was not found")
		}
		return err
	})
}

// artifacts is the suite of artifacts and their collections.
func artifacts(t *testing.T, open Opener) {
	s := open(t)
	f := newFlow(t, s, "f", "blue")
	run := newRun(t, s, f, nil)
	key := "report"
	first := &core.Artifact{ID: core.NewID(noon()), Created: noon(), Updated: noon(), Key: &key, FlowRunID: &run.ID, Data: json.RawMessage(`"x"`)}
	second := &core.Artifact{ID: core.NewID(noon().Add(time.Second)), Created: noon().Add(time.Second), Updated: noon(), Key: &key}
	loose := &core.Artifact{ID: core.NewID(noon().Add(time.Minute)), Created: noon(), Updated: noon()}
	c := &core.ArtifactCollection{ID: core.NewID(noon()), Created: noon(), Updated: noon(), Key: key, LatestID: first.ID}
	update(t, s, func(tx core.Tx) error {
		for _, a := range []*core.Artifact{first, second, loose} {
			if err := tx.InsertArtifact(a); err != nil {
				return err
			}
		}
		return tx.PutArtifactCollection(c)
	})
	where := map[core.Entity]*core.Filter{core.EntityFlow: {Conds: []core.Cond{{Field: "name", Op: core.OpAny, Value: []string{"f"}}}}}
	of := must(t, s, func(tx core.Tx) ([]*core.Artifact, error) {
		return tx.FilterArtifacts(core.Query{Where: where, Limit: 10})
	})
	if diff := cmp.Diff([]*core.Artifact{first}, of); diff != "" {
		t.Errorf("artifacts of the flow (-want +got)\n%s", diff)
	}
	n := must(t, s, func(tx core.Tx) (int, error) { return tx.CountArtifactCollections(core.Query{Where: where}) })
	if n != 1 {
		t.Errorf("%d collections of the flow", n)
	}
	c.LatestID = second.ID
	update(t, s, func(tx core.Tx) error { return tx.PutArtifactCollection(c) })
	c.Latest = second
	got := must(t, s, func(tx core.Tx) ([]*core.ArtifactCollection, error) {
		return tx.FilterArtifactCollections(core.On(core.EntityArtifactCollection, core.Cond{Field: "key", Op: core.OpExists, Value: true}))
	})
	if diff := cmp.Diff([]*core.ArtifactCollection{c}, got); diff != "" {
		t.Errorf("collections (-want +got)\n%s", diff)
	}
	if newest := must(t, s, func(tx core.Tx) (*core.Artifact, error) { return tx.NewestArtifact(key) }); newest.ID != second.ID {
		t.Errorf("newest = %v", newest)
	}
	n = must(t, s, func(tx core.Tx) (int, error) {
		return tx.CountArtifacts(core.On(core.EntityArtifact, core.Cond{Field: "key", Op: core.OpExists, Value: false}))
	})
	if n != 1 {
		t.Errorf("%d artifacts without a key", n)
	}
}

// inputs is the suite of flow run inputs, saved searches and settings.
func inputs(t *testing.T, open Opener) {
	s := open(t)
	run := newRun(t, s, newFlow(t, s, "f"), nil)
	update(t, s, func(tx core.Tx) error {
		for i, key := range []string{"a-1", "a-2", "b"} {
			at := noon().Add(time.Duration(i) * time.Second)
			err := tx.InsertFlowRunInput(&core.FlowRunInput{ID: core.NewID(at), Created: at, Updated: at, FlowRunID: run.ID, Key: key, Value: "v"})
			if err != nil {
				return err
			}
		}
		return tx.SetSetting("color", "blue")
	})
	found := must(t, s, func(tx core.Tx) ([]*core.FlowRunInput, error) {
		return tx.FlowRunInputs(run.ID, "a-", []string{"a-1"}, 10)
	})
	if len(found) != 1 || found[0].Key != "a-2" {
		t.Errorf("inputs = %v", found)
	}
	if v := must(t, s, func(tx core.Tx) (string, error) { return tx.Setting("color") }); v != "blue" {
		t.Errorf("setting = %q", v)
	}
	first := &core.SavedSearch{ID: core.NewID(noon()), Created: noon(), Updated: noon(), Name: "s", Filters: json.RawMessage(`[1]`)}
	update(t, s, func(tx core.Tx) error {
		if err := tx.SetSetting("color", ""); err != nil {
			return err
		}
		if err := tx.PutSavedSearch(first); err != nil {
			return err
		}
		again := *first
		again.ID, again.Filters = core.NewID(noon()), json.RawMessage(`[]`)
		return tx.PutSavedSearch(&again)
	})
	first.Filters = json.RawMessage(`[]`)
	if diff := cmp.Diff(first, must(t, s, func(tx core.Tx) (*core.SavedSearch, error) { return tx.SavedSearchByName("s") })); diff != "" {
		t.Errorf("a search saved again keeps its id (-want +got)\n%s", diff)
	}
	if v := must(t, s, func(tx core.Tx) (string, error) { return tx.Setting("color") }); v != "" {
		t.Errorf("removed setting = %q", v)
	}
}

// automations is the suite of automations.
func automations(t *testing.T, open Opener) {
	s := open(t)
	a := &core.Automation{
		ID: core.NewID(noon()), Created: noon(), Updated: noon(), Name: "a", Enabled: true, Tags: []string{"x"},
		Trigger: json.RawMessage(`{}`), Actions: json.RawMessage(`[]`), ActionsOnTrigger: json.RawMessage(`[]`), ActionsOnResolve: json.RawMessage(`[]`),
	}
	update(t, s, func(tx core.Tx) error {
		if err := tx.InsertAutomation(a); err != nil {
			return err
		}
		if err := tx.RelateAutomation(a.ID, []string{"r1", "r2"}); err != nil {
			return err
		}
		return tx.OwnAutomation(a.ID, "owner")
	})
	update(t, s, func(tx core.Tx) error { return tx.RelateAutomation(a.ID, []string{"r2"}) })
	for _, tt := range []struct {
		resource string
		owned    bool
		want     int
	}{{"r1", false, 0}, {"r2", false, 1}, {"r2", true, 0}, {"owner", false, 1}, {"owner", true, 1}} {
		got := must(t, s, func(tx core.Tx) ([]*core.Automation, error) { return tx.AutomationsOf(tt.resource, tt.owned) })
		if len(got) != tt.want {
			t.Errorf("%d automations of %s, owned %t, want %d", len(got), tt.resource, tt.owned, tt.want)
		}
	}
	a.Enabled, a.Name = false, "b"
	update(t, s, func(tx core.Tx) error { return tx.UpdateAutomation(a) })
	got := must(t, s, func(tx core.Tx) ([]*core.Automation, error) {
		return tx.FilterAutomations(core.On(core.EntityAutomation,
			core.Cond{Field: "tags", Op: core.OpAny, Value: []string{"x"}}, core.Cond{Field: "created", Op: core.OpBefore, Value: noon()}))
	})
	if diff := cmp.Diff([]*core.Automation{a}, got); diff != "" {
		t.Errorf("automations (-want +got)\n%s", diff)
	}
	update(t, s, func(tx core.Tx) error {
		_, err := tx.DeleteAutomation(a.ID)
		return err
	})
	if left := must(t, s, func(tx core.Tx) ([]*core.Automation, error) { return tx.AutomationsOf("owner", true) }); len(left) != 0 {
		t.Errorf("automations of a deleted one's owner: %v", left)
	}
}

// blocks is the suite of block types, schemas and documents.
func blocks(t *testing.T, open Opener) {
	s := open(t)
	kind := &core.BlockType{ID: core.NewID(noon()), Created: noon(), Updated: noon(), Name: "Kind", Slug: "kind"}
	schema := &core.BlockSchema{
		ID: core.NewID(noon()), Created: noon(), Updated: noon(), Checksum: "sha256:1", Fields: json.RawMessage(`{"a":1}`), BlockTypeID: kind.ID,
		Capabilities: []string{"read", "write"}, Version: "1", Type: kind,
	}
	doc := func(name string) *core.BlockDocument {
		return &core.BlockDocument{
			ID: core.NewID(noon()), Created: noon(), Updated: noon(), Name: name, BlockTypeID: kind.ID, BlockSchemaID: schema.ID,
			Sealed: []byte{0, 255, 1}, Schema: schema, Type: kind,
		}
	}
	parent, child := doc("parent"), doc("child")
	child.Anonymous = true
	update(t, s, func(tx core.Tx) error {
		if err := tx.InsertBlockType(kind); err != nil {
			return err
		}
		if err := tx.InsertBlockSchema(schema); err != nil {
			return err
		}
		if err := tx.InsertBlockDocument(parent); err != nil {
			return err
		}
		if err := tx.InsertBlockDocument(child); err != nil {
			return err
		}
		return tx.SetBlockReferences(parent.ID, []core.BlockReference{{Parent: parent.ID, Name: "f", Reference: child.ID}})
	})
	if diff := cmp.Diff(parent, must(t, s, func(tx core.Tx) (*core.BlockDocument, error) { return tx.BlockDocumentByName("kind", "parent") })); diff != "" {
		t.Errorf("document (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"read", "write"}, must(t, s, core.Tx.BlockCapabilities)); diff != "" {
		t.Errorf("capabilities (-want +got)\n%s", diff)
	}
	q := core.Query{Limit: 10, Sort: "BLOCK_TYPE_AND_NAME_ASC", Where: map[core.Entity]*core.Filter{
		core.EntityBlockType:   {Conds: []core.Cond{{Field: "slug", Op: core.OpAny, Value: []string{"kind"}}}},
		core.EntityBlockSchema: {Conds: []core.Cond{{Field: "block_capabilities", Op: core.OpAll, Value: []string{"read"}}}},
	}}
	if got := must(t, s, func(tx core.Tx) ([]*core.BlockDocument, error) { return tx.FilterBlockDocuments(q) }); len(got) != 2 || got[0].Name != "child" {
		t.Errorf("documents by type and capability: %v", got)
	}
	q.Where[core.EntityBlockDocument] = &core.Filter{Conds: []core.Cond{{Field: "is_anonymous", Op: core.OpEq, Value: false}}}
	if n := must(t, s, func(tx core.Tx) (int, error) { return tx.CountBlockDocuments(q) }); n != 1 {
		t.Errorf("%d named documents", n)
	}
	for version, found := range map[string]bool{"": false, "1": true, "2": false} {
		update(t, s, func(tx core.Tx) error {
			if _, err := tx.BlockSchemaByChecksum("sha256:1", &version); (err == nil) != found {
				t.Errorf("schema of version %q: %v", version, err)
			}
			if _, err := tx.BlockSchemaByChecksum("sha256:1", nil); err != nil {
				t.Errorf("schema of any version: %v", err)
			}
			return nil
		})
	}
	update(t, s, func(tx core.Tx) error {
		_, err := tx.DeleteBlockType(kind.ID)
		return err
	})
	if refs := must(t, s, func(tx core.Tx) ([]core.BlockReference, error) { return tx.BlockReferences(parent.ID) }); len(refs) != 0 {
		t.Errorf("references of a deleted type's documents: %v", refs)
	}
}
