package engine

import (
	"context"

	"github.com/leat-dev/leat/internal/core"
)

// ListExecutions lists the executions of a machine, a version or an alias, or
// those of a map run, the newest first: one of the two ARNs is given. Step
// Functions: ListExecutions.
func (e *Engine) ListExecutions(ctx context.Context, p core.Place, machine, mapRun *string, q core.ExecutionQuery) (out []*core.Execution, err error) {
	if (machine == nil) == (mapRun == nil) {
		return nil, notValid("Must provide a StateMachine ARN or MapRun ARN")
	}
	err = e.store.View(ctx, p.Workspace, func(tx core.Tx) error {
		if mapRun != nil {
			m, err := mapRunByARN(tx, *mapRun)
			if err != nil {
				return err
			}
			q.MapRunID = &m.ID
		} else if err := ofMachine(tx, *machine, &q); err != nil {
			return err
		}
		out, err = tx.ListExecutions(q)
		return err
	})
	return out, err
}

// ofMachine makes the query one of what the ARN names.
func ofMachine(tx core.Tx, arn string, q *core.ExecutionQuery) error {
	base, qualifier, _, err := splitMachineARN(arn)
	if err != nil {
		return err
	}
	m, err := machineByARN(tx, base, arn)
	if err != nil {
		return err
	}
	if m.Type == core.ExpressMachine {
		return wrongMachineType()
	}
	switch {
	case qualifier == "":
		q.MachineID = &m.ID
	case isNumber(qualifier):
		q.VersionARN = &arn
	default:
		q.AliasARN = &arn
	}
	return nil
}

func mapRunByARN(tx core.Tx, arn string) (*core.MapRun, error) {
	if err := CheckARN(arn, "mapRun"); err != nil {
		return nil, err
	}
	m, err := tx.MapRunByARN(arn)
	return m, or(err, noResource(arn))
}

// MapRun returns a map run and the execution that it is for. Step Functions: DescribeMapRun.
func (e *Engine) MapRun(ctx context.Context, p core.Place, arn string) (m *core.MapRun, x *core.Execution, err error) {
	err = e.store.View(ctx, p.Workspace, func(tx core.Tx) error {
		if m, err = mapRunByARN(tx, arn); err != nil {
			return err
		}
		x, err = tx.Execution(m.RunID)
		return err
	})
	return m, x, err
}

// MapRuns lists the map runs of an execution, the newest first. Step Functions: ListMapRuns.
func (e *Engine) MapRuns(ctx context.Context, p core.Place, arn string, before *core.ExecutionPosition, limit int) (out []*core.MapRun, err error) {
	err = e.store.View(ctx, p.Workspace, func(tx core.Tx) error {
		x, err := tx.ExecutionByARN(arn)
		if err != nil {
			return or(err, noExecution(arn))
		}
		out, err = tx.ListMapRuns(x.RunID, before, limit)
		return err
	})
	return out, err
}

func wrongMachineType() *core.Error {
	return core.Errorf(core.Invalid, "This operation is not supported by this type of state machine").Because("StateMachineTypeNotSupported")
}

// CheckExpress refuses an ARN that is not of an express machine, of a version or
// an alias of one. Step Functions: StartSyncExecution.
func (e *Engine) CheckExpress(ctx context.Context, p core.Place, arn string) error {
	base, _, _, err := splitMachineARN(arn)
	if err != nil {
		return err
	}
	return e.store.View(ctx, p.Workspace, func(tx core.Tx) error {
		m, err := tx.StateMachineByARN(base)
		if err != nil {
			return or(err, noMachine(arn))
		}
		if m.Type != core.ExpressMachine {
			return wrongMachineType()
		}
		return nil
	})
}
