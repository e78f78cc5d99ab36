package engine

import (
	"context"
	"errors"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/jsonschema"
	"github.com/leat-dev/leat/internal/wire"
)

// UpdateDeployment changes a deployment. Its future scheduled runs are removed,
// whatever changes, so that the scheduler makes them anew.
// Prefect REST: PATCH /deployments/{id}.
func (e *Engine) UpdateDeployment(ctx context.Context, ws core.WorkspaceID, id core.ID, in DeploymentFields) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		d, err := tx.Deployment(id)
		if missing(err) {
			return errDeploymentGone()
		}
		if err != nil {
			return err
		}
		plan, err := planSchedules(now, d.Schedules, in.Schedules)
		if err != nil {
			return err
		}
		hydrated, err := hydrateFields(tx, in)
		if err != nil {
			return err
		}
		if err := checkUpdate(tx, now, d, hydrated); err != nil {
			return err
		}
		return applyUpdate(tx, now, d, hydrated, plan)
	})
}

// checkOwnVariables refuses job variables that do not conform to the pool's
// template. Other than for a new deployment the defaults are not looked at.
func checkOwnVariables(pool *core.WorkPool, variables []byte) error {
	schema, ok := fieldOf(members(pool.BaseJobTemplate), "variables")
	if !ok || variables == nil {
		return nil
	}
	err := jsonschema.Validate(variables, schema, jsonschema.Options{IgnoreRequired: true})
	if refused, ok := errors.AsType[*jsonschema.Error](err); ok {
		return core.Errorf(core.Conflict, "Error creating deployment: %s", refused.Repr())
	}
	if err != nil {
		return core.Errorf(core.Conflict, "Error creating deployment: %s", err)
	}
	return nil
}

// errDeploymentGone is the refusal where the reference ends it with a full stop.
func errDeploymentGone() error { return core.Errorf(core.NotFound, "Deployment not found.") }

// hydrateFields replaces the placeholders in the parameters of a change, which
// are stored without them.
func hydrateFields(tx core.Tx, in DeploymentFields) (DeploymentFields, error) {
	given, ok := in.Parameters.Get()
	if !ok {
		return in, nil
	}
	parameters, err := hydrate(tx, given, renderBare)
	if err != nil {
		return in, core.Errorf(core.BadRequest, "Error hydrating deployment parameters: %s", err)
	}
	in.Parameters = wire.Some(parameters)
	return in, nil
}

func checkUpdate(tx core.Tx, now time.Time, d *core.Deployment, in DeploymentFields) error {
	if name := in.WorkPoolName.Or(""); name != "" {
		pool, err := tx.WorkPoolByName(name)
		if err != nil {
			return err
		}
		if err := checkOwnVariables(pool, in.JobVariables.Or(nil)); err != nil {
			return err
		}
	}
	parameters := in.Parameters.Or(d.Parameters)
	if in.EnforceParameterSchema.Or(d.EnforceParameterSchema) {
		schema := d.ParameterSchema
		if given, ok := in.ParameterSchema.Get(); ok && len(members(given)) > 0 {
			schema = given
		}
		if schema == nil {
			return errNoSchema()
		}
		if err := checkParameters(parameters, schema, jsonschema.Options{IgnoreRequired: true}, "Error updating deployment: "); err != nil {
			return err
		}
	}
	if err := checkLimit(tx, now, in.ConcurrencyLimitID); err != nil {
		return err
	}
	if in.Parameters.Null || in.EnforceParameterSchema.Null {
		return integrityConflict()
	}
	return checkBlocks(tx, in, func(string, core.ID) error { return integrityConflict() })
}

func errNoSchema() error {
	return core.Errorf(core.Conflict, "Error updating deployment: Cannot update parameters because"+
		" parameter schema enforcement is enabled and the deployment does not have a valid parameter schema.")
}

// checkParameters refuses parameters that do not conform to the schema.
func checkParameters(parameters, schema []byte, o jsonschema.Options, prefix string) error {
	err := jsonschema.Validate(parameters, schema, o)
	if errors.Is(err, jsonschema.ErrCircular) {
		return core.Errorf(core.Invalid, "Invalid schema: Unable to validate schema with circular references.")
	}
	if err != nil {
		return core.Errorf(core.Conflict, "%s%s", prefix, err)
	}
	return nil
}

func applyUpdate(tx core.Tx, now time.Time, d *core.Deployment, in DeploymentFields, plan schedulePlan) error {
	before := *d
	in.apply(d)
	d.Updated = now
	if err := placeDeployment(tx, now, d, in, false); err != nil {
		return err
	}
	if err := ownLimit(tx, now, d, in.ConcurrencyLimit); err != nil {
		return err
	}
	if err := tx.UpdateDeployment(d); err != nil {
		return err
	}
	if err := plan.write(tx, d.ID); err != nil {
		return err
	}
	if err := tx.DeleteScheduledRuns(d.ID, core.ScheduledRuns{Auto: true, After: &now}); err != nil {
		return err
	}
	after, err := tx.Deployment(d.ID)
	if err != nil {
		return err
	}
	return tellDeploymentChange(tx, now, &before, after)
}

// schedulePlan is what becomes of a deployment's schedules.
type schedulePlan struct {
	// replace tells that the created ones are all that remain.
	replace bool
	changed []*core.DeploymentSchedule
	created []*core.DeploymentSchedule
	// moved are the created ones that take the place of others.
	moved []succession
}

// planSchedules decides what a list of schedules means: when all schedules, old
// and new, have slugs, those given are changed or added by slug; else they
// replace the old ones.
func planSchedules(now time.Time, current []*core.DeploymentSchedule, given wire.Opt[[]ScheduleFields]) (schedulePlan, error) {
	slugged := len(current) > 0
	bySlug := map[string]*core.DeploymentSchedule{}
	for _, s := range current {
		if s.Slug == nil {
			slugged = false
			break
		}
		bySlug[*s.Slug] = s
	}
	if !slugged {
		var usable []ScheduleFields
		for _, s := range given.Value {
			if s.Schedule != nil {
				s.MaxScheduledRuns = nil
				usable = append(usable, s)
			}
		}
		created, err := newSchedules(now, usable)
		return schedulePlan{replace: given.Set, created: created, moved: succeed(current, usable, created)}, err
	}
	for _, s := range given.Value {
		if s.Slug == nil {
			return schedulePlan{}, core.Errorf(core.Invalid,
				"Please provide a slug for each schedule in your request to ensure schedules are updated correctly.")
		}
	}
	if err := checkRenames(bySlug, given.Value); err != nil {
		return schedulePlan{}, err
	}
	return planBySlug(now, bySlug, given.Value)
}

// checkRenames refuses renames that meet each other or a schedule that stays.
func checkRenames(current map[string]*core.DeploymentSchedule, given []ScheduleFields) error {
	renamed := map[string]bool{}
	for _, s := range given {
		old := deref(s.Replaces)
		if old == "" {
			continue
		}
		if renamed[old] {
			return core.Errorf(core.Invalid, "Multiple schedules have 'replaces' targeting the same slug: %s", old)
		}
		renamed[old] = true
	}
	for _, s := range given {
		if old := deref(s.Replaces); old != "" && *s.Slug != "" && current[*s.Slug] != nil && !renamed[*s.Slug] {
			return core.Errorf(core.Invalid, "Cannot rename schedule from '%s' to '%s': a schedule with slug '%s' already exists.",
				old, *s.Slug, *s.Slug)
		}
	}
	return nil
}

func planBySlug(now time.Time, current map[string]*core.DeploymentSchedule, given []ScheduleFields) (schedulePlan, error) {
	var plan schedulePlan
	var fresh []ScheduleFields
	for _, s := range given {
		target := deref(s.Replaces)
		if target == "" {
			target = *s.Slug
		}
		old := current[target]
		switch {
		case old != nil:
			// Each is a microsecond younger than the one before, as new ones are.
			changed, err := s.change(now.Add(time.Duration(len(plan.changed))*time.Microsecond), old)
			if err != nil {
				return schedulePlan{}, err
			}
			plan.changed = append(plan.changed, changed)
		case s.Schedule == nil:
			return schedulePlan{}, core.Errorf(core.Invalid, "Unable to create new deployment schedules without a schedule configuration.")
		default:
			s.MaxScheduledRuns = nil
			fresh = append(fresh, s)
		}
	}
	var err error
	plan.created, err = newSchedules(now.Add(time.Duration(len(plan.changed))*time.Microsecond), fresh)
	return plan, err
}

func (p schedulePlan) write(tx core.Tx, deploymentID core.ID) error {
	if p.replace {
		return replaceSchedules(tx, deploymentID, p.created, p.moved)
	}
	for _, s := range p.changed {
		if err := tx.UpdateSchedule(s); err != nil {
			return err
		}
	}
	for _, s := range p.created {
		s.DeploymentID = deploymentID
	}
	return tx.InsertSchedules(p.created)
}
