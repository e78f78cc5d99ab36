package engine

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// CreateStateMachineAlias makes an alias of the machine whose versions the
// routing names. Making it again gives what is there. Step Functions:
// CreateStateMachineAlias.
func (e *Engine) CreateStateMachineAlias(ctx context.Context, p core.Place, name, description string, routing []core.AliasRoute) (a *core.StateMachineAlias, err error) {
	base, err := checkRouting(routing)
	if err != nil {
		return nil, err
	}
	err = e.store.Update(ctx, p.Workspace, func(tx core.Tx) error {
		a, err = createAlias(tx, base, name, description, routing, e.now())
		return err
	})
	return a, err
}

func createAlias(tx core.Tx, base, name, description string, routing []core.AliasRoute, now time.Time) (*core.StateMachineAlias, error) {
	m, err := routedMachine(tx, base, routing)
	if err != nil {
		return nil, err
	}
	a := &core.StateMachineAlias{
		MachineID: m.ID, Name: name, Description: description, Routing: routing, Created: now, Updated: now, ARN: m.ARN + ":" + name,
	}
	old, err := tx.StateMachineAlias(a.ARN)
	if err == nil {
		if old.Description != description || !reflect.DeepEqual(old.Routing, routing) {
			return nil, inConflict("Failed to create alias because an alias with the same name and a different routing configuration already exists.")
		}
		return old, nil
	}
	if !missing(err) {
		return nil, err
	}
	if all, err := tx.StateMachineAliases(m.ID, "", maxAliases); err != nil || len(all) >= maxAliases {
		return nil, orErr(err, tooMany("The number of aliases of the state machine has reached its limit of %d", maxAliases))
	}
	return a, tx.PutStateMachineAlias(a)
}

// UpdateStateMachineAlias changes description and routing of an alias; nil
// leaves them. Step Functions: UpdateStateMachineAlias.
func (e *Engine) UpdateStateMachineAlias(ctx context.Context, p core.Place, arn string, description *string, routing []core.AliasRoute) (a *core.StateMachineAlias, err error) {
	if err := checkAliasARN(arn); err != nil {
		return nil, err
	}
	if description == nil && routing == nil {
		return nil, notValid("Either the description or the RoutingConfiguration must be specified")
	}
	base := ""
	if routing != nil {
		if base, err = checkRouting(routing); err != nil {
			return nil, err
		}
	}
	err = e.store.Update(ctx, p.Workspace, func(tx core.Tx) error {
		if a, err = tx.StateMachineAlias(arn); err != nil {
			return or(err, noReference())
		}
		if routing != nil {
			m, err := routedMachine(tx, base, routing)
			if err != nil {
				return err
			}
			if m.ID != a.MachineID {
				return notValid("Routing configuration must contain state machine version ARNs of the alias's state machine. Received: %s", javaList(routedARNs(routing)))
			}
			a.Routing = routing
		}
		set(&a.Description, description)
		a.Updated = e.now()
		return tx.PutStateMachineAlias(a)
	})
	return a, err
}

// checkRouting checks the shape of a routing configuration and returns the ARN
// of the machine.
func checkRouting(routing []core.AliasRoute) (string, error) {
	arns, base, sum := routedARNs(routing), "", 0
	weights := make([]int, len(routing))
	for i, r := range routing {
		if slices.Contains(arns[:i], r.VersionARN) {
			return "", notValid("Routing configuration must contain distinct state machine version ARNs. Received: %s", javaList(arns))
		}
		machine, qualifier, _, err := splitMachineARN(r.VersionARN)
		if err != nil {
			return "", err
		}
		if !isNumber(qualifier) {
			return "", notValid("Routing configuration must contain state machine version ARNs. Received: %s", javaList(arns))
		}
		if i > 0 && machine != base {
			return "", notValid("Routing configuration must contain state machine version ARNs of one state machine. Received: %s", javaList(arns))
		}
		base, weights[i] = machine, r.Weight
		sum += r.Weight
	}
	if sum != 100 {
		return "", notValid("Sum of routing configuration weights must equal 100. Received: %s", javaList(weights))
	}
	return base, nil
}

func routedARNs(routing []core.AliasRoute) []string {
	arns := make([]string, len(routing))
	for i, r := range routing {
		arns[i] = r.VersionARN
	}
	return arns
}

// routedMachine returns the machine of a routing configuration all of whose versions exist.
func routedMachine(tx core.Tx, base string, routing []core.AliasRoute) (*core.StateMachine, error) {
	m, err := tx.StateMachineByARN(base)
	if err != nil {
		return nil, or(err, noReference())
	}
	if m.Status == core.MachineDeleting {
		return nil, machineDeleting(base)
	}
	for _, r := range routing {
		if _, err := tx.StateMachineVersion(r.VersionARN); err != nil {
			return nil, or(err, noReference())
		}
	}
	return m, nil
}

func checkAliasARN(arn string) error {
	_, qualifier, _, err := splitMachineARN(arn)
	if err == nil && (qualifier == "" || isNumber(qualifier)) {
		err = invalidARN("Invalid State Machine Alias Arn: %s", arn)
	}
	return err
}

// StateMachineAlias returns an alias. Step Functions: DescribeStateMachineAlias.
func (e *Engine) StateMachineAlias(ctx context.Context, p core.Place, arn string) (a *core.StateMachineAlias, err error) {
	if err := checkAliasARN(arn); err != nil {
		return nil, err
	}
	err = e.store.View(ctx, p.Workspace, func(tx core.Tx) error {
		a, err = tx.StateMachineAlias(arn)
		return or(err, noReference())
	})
	return a, err
}

// DeleteStateMachineAlias removes an alias; one that is not there is no error.
// Step Functions: DeleteStateMachineAlias.
func (e *Engine) DeleteStateMachineAlias(ctx context.Context, p core.Place, arn string) error {
	if err := checkAliasARN(arn); err != nil {
		return err
	}
	return e.store.Update(ctx, p.Workspace, func(tx core.Tx) error { return tx.DeleteStateMachineAlias(arn) })
}

// StateMachineAliases lists the aliases of a machine, or those that lead to a
// version, by name: those after the given one. Step Functions:
// ListStateMachineAliases.
func (e *Engine) StateMachineAliases(ctx context.Context, p core.Place, arn, after string, limit int) (out []*core.StateMachineAlias, err error) {
	base, qualifier, _, err := splitMachineARN(arn)
	if err != nil {
		return nil, err
	}
	err = e.store.View(ctx, p.Workspace, func(tx core.Tx) error {
		m, err := liveMachine(tx, base)
		if err != nil {
			return err
		}
		if qualifier == "" {
			out, err = tx.StateMachineAliases(m.ID, after, limit)
			return err
		}
		if _, err := tx.StateMachineVersion(arn); err != nil {
			return or(err, noReference())
		}
		all, err := aliasesTo(tx, m.ID, arn)
		out = nil
		for _, a := range all {
			if a.Name > after && len(out) < limit {
				out = append(out, a)
			}
		}
		return err
	})
	return out, err
}
