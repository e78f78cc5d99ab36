package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
)

const machinePrefix = "arn:aws:states:us-east-1:000000000000:stateMachine:"

// newMachine stores a machine with its first revision.
func newMachine(t *testing.T, s core.Store, name string) (*core.StateMachine, *core.StateMachineRevision) {
	t.Helper()
	m := &core.StateMachine{
		ID: core.NewID(noon()), Created: noon(), Updated: noon(), Name: name, Region: "us-east-1", ARN: machinePrefix + name,
		Type: core.StandardMachine, Status: core.MachineActive, FlowID: core.NewID(noon()), Tags: []core.Tag{{Key: "k", Value: "v"}},
	}
	r := &core.StateMachineRevision{
		ID: core.NewID(noon()), MachineID: m.ID, Created: noon(), Initial: true, Definition: "{\n}", RoleARN: "arn:aws:iam::000000000000:role/r",
		Config: core.MachineConfig{Logging: core.MachineLogging{Level: "ALL", IncludeData: true, Groups: []string{"g"}}, Tracing: true},
	}
	m.RevisionID = r.ID
	update(t, s, func(tx core.Tx) error {
		if err := tx.InsertStateMachineRevision(r); err != nil {
			return err
		}
		return tx.InsertStateMachine(m)
	})
	return m, r
}

// stateMachines is the suite of state machines and their revisions.
func stateMachines(t *testing.T, open Opener) {
	s := open(t)
	m, r := newMachine(t, s, "b")
	newMachine(t, s, "a")
	newMachine(t, s, "B")
	if diff := cmp.Diff(r, must(t, s, func(tx core.Tx) (*core.StateMachineRevision, error) { return tx.StateMachineRevision(r.ID) })); diff != "" {
		t.Errorf("revision (-want +got)\n%s", diff)
	}
	m.Updated, m.Status, m.LastVersion, m.RevisionID, m.Tags = noon().Add(time.Second), core.MachineDeleting, 3, core.NewID(noon()), nil
	update(t, s, func(tx core.Tx) error { return tx.UpdateStateMachine(m) })
	for what, read := range map[string]func(core.Tx) (*core.StateMachine, error){
		"by id":  func(tx core.Tx) (*core.StateMachine, error) { return tx.StateMachine(m.ID) },
		"by ARN": func(tx core.Tx) (*core.StateMachine, error) { return tx.StateMachineByARN(m.ARN) },
	} {
		if diff := cmp.Diff(m, must(t, s, read)); diff != "" {
			t.Errorf("machine %s (-want +got)\n%s", what, diff)
		}
	}
	var names []string
	for _, m := range must(t, s, func(tx core.Tx) ([]*core.StateMachine, error) { return tx.StateMachines("us-east-1", "B", 10) }) {
		names = append(names, m.Name)
	}
	if diff := cmp.Diff([]string{"a", "b"}, names); diff != "" {
		t.Errorf("names after B in the order of bytes (-want +got)\n%s", diff)
	}
	for region, want := range map[string]int{"us-east-1": 3, "eu-west-1": 0} {
		if n := must(t, s, func(tx core.Tx) (int, error) { return tx.CountStateMachines(region) }); n != want {
			t.Errorf("%d machines in %s, want %d", n, region, want)
		}
	}
	versions(t, s, m)
	update(t, s, func(tx core.Tx) error { return tx.DeleteStateMachine(m.ID) })
	view(t, s, func(tx core.Tx) error {
		if _, err := tx.StateMachineByARN(m.ARN); core.CodeOf(err) != core.NotFound {
			t.Errorf("a deleted machine: %v", err)
		}
		if left, err := tx.StateMachineVersions(m.ID, 0, 10); len(left) != 0 || err != nil {
			t.Errorf("versions of a deleted machine: %v %v", left, err)
		}
		_, err := tx.StateMachineRevision(r.ID)
		return err
	})
}

// versions is the suite of the versions and aliases of a machine.
func versions(t *testing.T, s core.Store, m *core.StateMachine) {
	t.Helper()
	var made []*core.StateMachineVersion
	for n := range 3 {
		v := &core.StateMachineVersion{
			MachineID: m.ID, Number: n + 1, RevisionID: m.RevisionID, Description: "d", Created: noon(), ARN: fmt.Sprintf("%s:%d", m.ARN, n+1),
		}
		update(t, s, func(tx core.Tx) error { return tx.InsertStateMachineVersion(v) })
		made = append(made, v)
	}
	all := must(t, s, func(tx core.Tx) ([]*core.StateMachineVersion, error) { return tx.StateMachineVersions(m.ID, 3, 10) })
	if diff := cmp.Diff([]*core.StateMachineVersion{made[1], made[0]}, all); diff != "" {
		t.Errorf("versions below 3 (-want +got)\n%s", diff)
	}
	update(t, s, func(tx core.Tx) error { return tx.DeleteStateMachineVersion(made[2].ARN) })
	if all := must(t, s, func(tx core.Tx) ([]*core.StateMachineVersion, error) { return tx.StateMachineVersions(m.ID, 0, 10) }); len(all) != 2 {
		t.Errorf("versions that are left: %v", all)
	}
	a := &core.StateMachineAlias{
		MachineID: m.ID, Name: "prod", Routing: []core.AliasRoute{{VersionARN: made[0].ARN, Weight: 100}}, Created: noon(), Updated: noon(), ARN: m.ARN + ":prod",
	}
	b := *a
	b.Name, b.ARN = "test", m.ARN+":test"
	update(t, s, func(tx core.Tx) error {
		if err := tx.PutStateMachineAlias(a); err != nil {
			return err
		}
		a.Description, a.Updated = "changed", noon().Add(time.Second)
		if err := tx.PutStateMachineAlias(a); err != nil {
			return err
		}
		return tx.PutStateMachineAlias(&b)
	})
	if diff := cmp.Diff(a, must(t, s, func(tx core.Tx) (*core.StateMachineAlias, error) { return tx.StateMachineAlias(a.ARN) })); diff != "" {
		t.Errorf("alias (-want +got)\n%s", diff)
	}
	update(t, s, func(tx core.Tx) error { return tx.DeleteStateMachineAlias(a.ARN) })
	left := must(t, s, func(tx core.Tx) ([]*core.StateMachineAlias, error) { return tx.StateMachineAliases(m.ID, "", 10) })
	if diff := cmp.Diff([]*core.StateMachineAlias{&b}, left); diff != "" {
		t.Errorf("aliases (-want +got)\n%s", diff)
	}
}

// activities is the suite of activities.
func activities(t *testing.T, open Opener) {
	s := open(t)
	a := &core.Activity{
		ID: core.NewID(noon()), Created: noon(), Name: "act", Region: "us-east-1", ARN: "arn:aws:states:us-east-1:000000000000:activity:act",
		Encryption: &core.MachineEncryption{Type: "AWS_OWNED_KEY"},
	}
	update(t, s, func(tx core.Tx) error { return tx.InsertActivity(a) })
	a.Tags = []core.Tag{{Key: "b"}, {Key: "a", Value: "1"}}
	update(t, s, func(tx core.Tx) error { return tx.UpdateActivity(a) })
	if diff := cmp.Diff(a, must(t, s, func(tx core.Tx) (*core.Activity, error) { return tx.ActivityByARN(a.ARN) })); diff != "" {
		t.Errorf("activity (-want +got)\n%s", diff)
	}
	for after, want := range map[string]int{"": 1, "act": 0} {
		if got := must(t, s, func(tx core.Tx) ([]*core.Activity, error) { return tx.Activities("us-east-1", after, 5) }); len(got) != want {
			t.Errorf("%d activities after %q, want %d", len(got), after, want)
		}
	}
	update(t, s, func(tx core.Tx) error { return tx.DeleteActivity(a.ARN) })
	if got := must(t, s, func(tx core.Tx) ([]*core.Activity, error) { return tx.Activities("us-east-1", "", 5) }); len(got) != 0 {
		t.Errorf("activities that are left: %v", got)
	}
}

// workspaces is the suite of workspaces by name.
func workspaces(t *testing.T, open Opener) {
	s := open(t)
	ctx := context.WithoutCancel(t.Context())
	ids := map[core.WorkspaceID]bool{}
	for _, name := range []string{"default", "111111111111", "222222222222", "111111111111"} {
		id, err := s.Workspace(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "default" && id != core.DefaultWorkspace {
			t.Errorf("the default workspace is number %d", id)
		}
		ids[id] = true
	}
	if len(ids) != 3 {
		t.Errorf("three names have the numbers %v", ids)
	}
	if all, err := s.Workspaces(ctx); len(all) != 3 || err != nil {
		t.Errorf("workspaces %v, %v", all, err)
	}
}
