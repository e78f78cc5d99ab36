package engine

import (
	"context"
	"reflect"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// MachineChange names what is to change in a state machine; nil leaves it.
type MachineChange struct {
	Place      core.Place
	ARN        string
	Definition *string
	RoleARN    *string
	Logging    *core.MachineLogging
	Tracing    *bool
	Encryption *core.MachineEncryption
	// Publish makes a version of the new revision, which Description belongs to.
	Publish     bool
	Description string
}

// UpdateStateMachine gives a machine a new revision, unless nothing changes.
// The version is nil when none was asked for. Step Functions: UpdateStateMachine.
func (e *Engine) UpdateStateMachine(ctx context.Context, c MachineChange) (r *core.StateMachineRevision, v *core.StateMachineVersion, at time.Time, err error) {
	if err := CheckUnlabelled(c.ARN); err != nil {
		return nil, nil, at, err
	}
	if c.Definition == nil && c.RoleARN == nil && c.Logging == nil && c.Tracing == nil && c.Encryption == nil {
		return nil, nil, at, core.Errorf(core.Invalid,
			"Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified").Because("MissingRequiredParameter")
	}
	if c.Description != "" && !c.Publish {
		return nil, nil, at, notValid("Version description can only be set when publish is true")
	}
	at = e.now()
	err = e.store.Update(ctx, c.Place.Workspace, func(tx core.Tx) error {
		r, v, err = e.updateMachine(tx, c, at)
		return err
	})
	return r, v, at, err
}

func (e *Engine) updateMachine(tx core.Tx, c MachineChange, now time.Time) (*core.StateMachineRevision, *core.StateMachineVersion, error) {
	m, err := liveMachine(tx, c.ARN)
	if err != nil {
		return nil, nil, err
	}
	old, err := tx.StateMachineRevision(m.RevisionID)
	if err != nil {
		return nil, nil, err
	}
	r, err := e.revise(old, m.Type, c)
	if err != nil {
		return nil, nil, err
	}
	changed := !reflect.DeepEqual(r, old)
	if changed {
		r.ID, r.Created, r.Initial = core.NewID(now), now, false
		m.RevisionID = r.ID
	}
	var v *core.StateMachineVersion
	made := false
	if c.Publish {
		if v, made, err = publish(tx, m, c.Description, now); err != nil {
			return nil, nil, err
		}
	}
	if changed {
		if err := tx.InsertStateMachineRevision(r); err != nil {
			return nil, nil, err
		}
	}
	if made {
		if err := tx.InsertStateMachineVersion(v); err != nil {
			return nil, nil, err
		}
	}
	m.Updated = now
	if err := tx.UpdateStateMachine(m); err != nil {
		return nil, nil, err
	}
	return r, v, tellMachine(tx, now, "updated", m)
}

// revise returns a copy of a revision with the changes, checked.
func (e *Engine) revise(old *core.StateMachineRevision, kind core.MachineType, c MachineChange) (*core.StateMachineRevision, error) {
	r := *old
	if c.RoleARN != nil {
		if err := checkRole(*c.RoleARN); err != nil {
			return nil, err
		}
		r.RoleARN = *c.RoleARN
	}
	set(&r.Config.Logging, c.Logging)
	set(&r.Config.Tracing, c.Tracing)
	if c.Encryption != nil {
		r.Config.Encryption = c.Encryption
	}
	if err := checkConfig(r.Config); err != nil {
		return nil, err
	}
	if c.Definition != nil {
		if err := e.checkDefinition(*c.Definition, kind); err != nil {
			return nil, err
		}
		r.Definition = *c.Definition
	}
	return &r, nil
}

// liveMachine returns the machine with exactly the ARN, unless it is being deleted.
func liveMachine(tx core.Tx, arn string) (*core.StateMachine, error) {
	m, err := machineByARN(tx, arn, arn)
	if err != nil {
		return nil, err
	}
	if m.Status == core.MachineDeleting {
		return nil, machineDeleting(arn)
	}
	return m, nil
}
