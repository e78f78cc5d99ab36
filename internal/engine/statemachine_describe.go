package engine

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// MachineView is what an ARN of a state machine stands for.
type MachineView struct {
	Machine  *core.StateMachine
	Revision *core.StateMachineRevision
	// Version is nil unless the ARN names one.
	Version *core.StateMachineVersion
	// Label is set when the ARN names the executions of a distributed map.
	Label string
}

// StateMachine returns the machine, the version or the map's executions that
// the ARN names. An alias is none of them. Step Functions: DescribeStateMachine.
func (e *Engine) StateMachine(ctx context.Context, p core.Place, arn string) (v *MachineView, err error) {
	_, qualifier, _, err := splitMachineARN(arn)
	if err != nil {
		return nil, err
	}
	if qualifier != "" && !isNumber(qualifier) {
		return nil, noMachine(arn)
	}
	err = e.store.View(ctx, p.Workspace, func(tx core.Tx) error {
		t, err := resolveMachine(tx, arn, nil)
		if err == nil {
			v = &MachineView{Machine: t.machine, Revision: t.revision, Version: t.version, Label: t.label}
		}
		return err
	})
	return v, err
}

// StateMachines lists the machines of the region by name: those after the given
// one. Step Functions: ListStateMachines.
func (e *Engine) StateMachines(ctx context.Context, p core.Place, after string, limit int) (out []*core.StateMachine, err error) {
	err = e.store.View(ctx, p.Workspace, func(tx core.Tx) error {
		out = nil
		for len(out) < limit {
			page, err := tx.StateMachines(p.Region, after, limit)
			if err != nil {
				return err
			}
			for _, m := range page {
				gone, err := idle(tx, m)
				if err != nil {
					return err
				}
				if !gone && len(out) < limit {
					out = append(out, m)
				}
			}
			if len(page) < limit {
				return nil
			}
			after = page[len(page)-1].Name
		}
		return nil
	})
	return out, err
}

// DeleteStateMachine removes a machine with its versions and aliases; one that
// is not there is no error. While executions of it run it stays, and takes no
// new ones. Its flow and its executions stay. Step Functions: DeleteStateMachine.
func (e *Engine) DeleteStateMachine(ctx context.Context, p core.Place, arn string) error {
	if err := CheckUnlabelled(arn); err != nil {
		return err
	}
	if _, qualifier, _, err := splitMachineARN(arn); err != nil {
		return err
	} else if qualifier != "" {
		return invalidARN("Resource name not valid in this context: %s", arn)
	}
	return e.store.Update(ctx, p.Workspace, func(tx core.Tx) error {
		m, err := tx.StateMachineByARN(arn)
		if missing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		runs, err := tx.RunningExecutions(m.ID)
		if err != nil {
			return err
		}
		if runs {
			m.Status = core.MachineDeleting
			return tx.UpdateStateMachine(m)
		}
		return removeMachine(tx, m, e.now())
	})
}

func removeMachine(tx core.Tx, m *core.StateMachine, now time.Time) error {
	if err := tx.DeleteStateMachine(m.ID); err != nil {
		return err
	}
	return tellMachine(tx, now, "deleted", m)
}

// idle tells that a machine was deleted while executions of it ran, and that
// the last has ended: then it is gone for everybody who looks, and its row goes
// when its name is used again. Executions that end need not ask for that.
func idle(tx core.Tx, m *core.StateMachine) (bool, error) {
	if m.Status != core.MachineDeleting {
		return false, nil
	}
	runs, err := tx.RunningExecutions(m.ID)
	return !runs, err
}

// machineByARN returns the machine with exactly the ARN, unless it is gone.
func machineByARN(tx core.Tx, arn, asked string) (*core.StateMachine, error) {
	m, err := tx.StateMachineByARN(arn)
	if err != nil {
		return nil, or(err, noMachine(asked))
	}
	if gone, err := idle(tx, m); gone || err != nil {
		return nil, orErr(err, noMachine(asked))
	}
	return m, nil
}
