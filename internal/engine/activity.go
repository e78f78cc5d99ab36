package engine

import (
	"context"

	"github.com/leat-dev/leat/internal/core"
)

// CreateActivity makes an activity, or returns the one of that name. Step
// Functions: CreateActivity.
func (e *Engine) CreateActivity(ctx context.Context, p core.Place, name string, encryption *core.MachineEncryption, tags []core.Tag) (a *core.Activity, err error) {
	for _, err := range []error{CheckName(name), checkEncryption(encryption), checkTags(tags)} {
		if err != nil {
			return nil, err
		}
	}
	arn := p.ARN("activity:" + name)
	err = e.store.Update(ctx, p.Workspace, func(tx core.Tx) error {
		old, err := tx.ActivityByARN(arn)
		if err == nil && !sameEncryption(old.Encryption, encryption) {
			return core.Errorf(core.Conflict, "Activity Already Exists: '%s'", arn).Because("ActivityAlreadyExists")
		}
		if !missing(err) {
			a = old
			return err
		}
		if all, err := tx.Activities(p.Region, "", e.maxMachines); err != nil || len(all) >= e.maxMachines {
			return orErr(err, core.Errorf(core.Conflict, "Activity limit exceeded: '%d'", e.maxMachines).Because("ActivityLimitExceeded"))
		}
		now := e.now()
		a = &core.Activity{
			ID: core.NewID(now), Created: now, Name: name, Region: p.Region, ARN: arn, Encryption: encryption, Tags: mergeTags(nil, tags),
		}
		return tx.InsertActivity(a)
	})
	return a, err
}

// sameEncryption tells whether two configurations mean the same; nil is the default.
func sameEncryption(a, b *core.MachineEncryption) bool {
	own := core.MachineEncryption{Type: "AWS_OWNED_KEY"}
	x, y := own, own
	set(&x, a)
	set(&y, b)
	return x == y
}

// Activity returns an activity. Step Functions: DescribeActivity.
func (e *Engine) Activity(ctx context.Context, p core.Place, arn string) (a *core.Activity, err error) {
	if _, err := checkARN(arn, "activity"); err != nil {
		return nil, err
	}
	err = e.store.View(ctx, p.Workspace, func(tx core.Tx) error {
		a, err = tx.ActivityByARN(arn)
		return or(err, noActivity(arn))
	})
	return a, err
}

// DeleteActivity removes an activity; one that is not there is no error. Step
// Functions: DeleteActivity.
func (e *Engine) DeleteActivity(ctx context.Context, p core.Place, arn string) error {
	if _, err := checkARN(arn, "activity"); err != nil {
		return err
	}
	return e.store.Update(ctx, p.Workspace, func(tx core.Tx) error { return tx.DeleteActivity(arn) })
}

// Activities lists the activities of the region by name: those after the given
// one. Step Functions: ListActivities.
func (e *Engine) Activities(ctx context.Context, p core.Place, after string, limit int) (out []*core.Activity, err error) {
	err = e.store.View(ctx, p.Workspace, func(tx core.Tx) error {
		out, err = tx.Activities(p.Region, after, limit)
		return err
	})
	return out, err
}
