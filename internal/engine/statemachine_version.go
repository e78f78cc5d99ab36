package engine

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// InitialRevision is what the first revision of a machine is called where an id is asked for.
const InitialRevision = "INITIAL"

// PublishStateMachineVersion makes a version of the machine's current revision,
// or returns the one it has. A revision that is not current gives a Conflict
// error; nil takes the current one. Step Functions: PublishStateMachineVersion.
func (e *Engine) PublishStateMachineVersion(ctx context.Context, p core.Place, arn string, revision *string, description string) (v *core.StateMachineVersion, err error) {
	if err := CheckUnlabelled(arn); err != nil {
		return nil, err
	}
	err = e.store.Update(ctx, p.Workspace, func(tx core.Tx) error {
		now := e.now()
		m, err := liveMachine(tx, arn)
		if err != nil {
			return err
		}
		if err := currentRevision(tx, m, revision); err != nil {
			return err
		}
		made := false
		if v, made, err = publish(tx, m, description, now); err != nil || !made {
			return err
		}
		if err := tx.InsertStateMachineVersion(v); err != nil {
			return err
		}
		return tx.UpdateStateMachine(m)
	})
	return v, err
}

func currentRevision(tx core.Tx, m *core.StateMachine, asked *string) error {
	if asked == nil {
		return nil
	}
	r, err := tx.StateMachineRevision(m.RevisionID)
	if err != nil {
		return err
	}
	current := r.ID.String()
	if r.Initial {
		current = InitialRevision
	}
	if *asked != current {
		return inConflict("Failed to publish the State Machine version for revision %s. The current State Machine revision is %s.", *asked, current)
	}
	return nil
}

// publish returns the version of the machine's current revision. When made is
// true it and the machine are still to be stored.
func publish(tx core.Tx, m *core.StateMachine, description string, now time.Time) (v *core.StateMachineVersion, made bool, err error) {
	if v, err := publishedVersion(tx, m); err != nil || v != nil {
		return v, false, err
	}
	if m.LastVersion >= maxVersions {
		all, err := tx.StateMachineVersions(m.ID, 0, maxVersions)
		if err != nil || len(all) >= maxVersions {
			return nil, false, orErr(err, tooMany("The number of published versions of the state machine has reached its limit of %d", maxVersions))
		}
	}
	return nextVersion(m, description, now), true, nil
}

// publishedVersion returns the version of the machine's current revision, or
// nil. Revisions never come back, so it can only be the newest version.
func publishedVersion(tx core.Tx, m *core.StateMachine) (*core.StateMachineVersion, error) {
	newest, err := tx.StateMachineVersions(m.ID, 0, 1)
	if err != nil || len(newest) == 0 || newest[0].RevisionID != m.RevisionID {
		return nil, err
	}
	return newest[0], nil
}

// DeleteStateMachineVersion removes a version; one that is not there is no
// error, one that an alias leads to is a Conflict error. Step Functions:
// DeleteStateMachineVersion.
func (e *Engine) DeleteStateMachineVersion(ctx context.Context, p core.Place, arn string) error {
	if _, err := checkARN(arn, "stateMachine"); err != nil {
		return err
	}
	return e.store.Update(ctx, p.Workspace, func(tx core.Tx) error {
		v, err := tx.StateMachineVersion(arn)
		if missing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		aliases, err := aliasesTo(tx, v.MachineID, arn)
		if err != nil {
			return err
		}
		if len(aliases) > 0 {
			names := make([]string, len(aliases))
			for i, a := range aliases {
				names[i] = a.Name
			}
			return inConflict("Version to be deleted must not be referenced by an alias. Current list of aliases referencing this version: %s", javaList(names))
		}
		return tx.DeleteStateMachineVersion(arn)
	})
}

// aliasesTo lists the aliases of a machine that lead to the version with the ARN.
func aliasesTo(tx core.Tx, machine core.ID, arn string) ([]*core.StateMachineAlias, error) {
	all, err := tx.StateMachineAliases(machine, "", maxAliases)
	if err != nil {
		return nil, err
	}
	var out []*core.StateMachineAlias
	for _, a := range all {
		for _, r := range a.Routing {
			if r.VersionARN == arn {
				out = append(out, a)
			}
		}
	}
	return out, nil
}

// StateMachineVersions lists the versions of a machine with numbers below the
// given one (0: all), the newest first. A machine that is not there has none.
// Step Functions: ListStateMachineVersions.
func (e *Engine) StateMachineVersions(ctx context.Context, p core.Place, arn string, below, limit int) (out []*core.StateMachineVersion, err error) {
	if _, err := checkARN(arn, "stateMachine"); err != nil {
		return nil, err
	}
	err = e.store.View(ctx, p.Workspace, func(tx core.Tx) error {
		m, err := tx.StateMachineByARN(arn)
		if missing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		out, err = tx.StateMachineVersions(m.ID, below, limit)
		return err
	})
	return out, err
}
