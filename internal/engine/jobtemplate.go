package engine

import (
	"encoding/json"
	"slices"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/jsonschema"
)

// checkPoolVariables refuses job variables of a new deployment that do not
// conform to the template of the pool it names, or a pool that is not there.
func checkPoolVariables(tx core.Tx, in DeploymentFields) error {
	name := in.WorkPoolName.Or("")
	if name == "" || name == AgentPool {
		return nil
	}
	pool, err := tx.WorkPoolByName(name)
	if err != nil {
		return err
	}
	variables := in.JobVariables.Or(nil)
	if len(members(variables)) == 0 {
		return nil
	}
	return checkVariables(pool, variables, true, "Error creating deployment: ")
}

// checkVariables refuses job variables that, laid over the defaults of the
// pool's template, do not conform to it.
func checkVariables(pool *core.WorkPool, variables json.RawMessage, partial bool, prefix string) error {
	schema, ok := fieldOf(members(pool.BaseJobTemplate), "variables")
	if !ok || len(members(schema)) == 0 {
		return nil
	}
	if _, required := fieldOf(members(schema), "required"); !required && len(members(variables)) == 0 {
		return nil // only defaults, which were checked with the template
	}
	if err := jsonschema.CheckSchema(schema); err != nil {
		return invalidTemplate(err)
	}
	defaults, sound := templateDefaults(schema)
	err := jsonschema.Validate(mergeObjects(defaults, variables), schema,
		jsonschema.Options{IgnoreRequired: partial || !sound, NullWithDefault: true})
	if err != nil {
		return core.Errorf(core.Invalid, "%s%s", prefix, err)
	}
	return nil
}

func invalidTemplate(err error) error {
	if e, ok := err.(*jsonschema.Error); ok { //nolint:errorlint // CheckSchema returns it unwrapped
		return core.Errorf(core.Invalid, "Invalid schema: %s", e.Message)
	}
	return core.Errorf(core.Invalid, "Invalid schema: %s", err)
}

// templateDefaults lists the defaults of a template's variables, those left out
// that refer to blocks or do not conform to their own schema; sound reports
// that none was left out for that.
func templateDefaults(schema json.RawMessage) (defaults json.RawMessage, sound bool) {
	properties, _ := fieldOf(members(schema), "properties")
	var kept []member
	sound = true
	for _, p := range members(properties) {
		value, ok := fieldOf(members(p.value), "default")
		if !ok {
			continue
		}
		if _, isRef := fieldOf(members(value), "$ref"); isRef {
			sound = false
			continue
		}
		one := joinMembers([]member{{p.key, value}})
		part := slices.Clone(members(schema))
		if jsonschema.Validate(one, joinMembers(part), jsonschema.Options{IgnoreRequired: true, NullWithDefault: true}) != nil {
			sound = false
			continue
		}
		kept = append(kept, member{p.key, value})
	}
	return joinMembers(kept), sound
}

// checkTemplate refuses a template whose variables' defaults do not conform.
func checkTemplate(template json.RawMessage) error {
	schema, ok := fieldOf(members(template), "variables")
	if !ok || len(members(schema)) == 0 {
		return nil
	}
	if err := jsonschema.CheckSchema(schema); err != nil {
		return invalidTemplate(err)
	}
	properties, _ := fieldOf(members(schema), "properties")
	var defaults []member
	for _, p := range members(properties) {
		if value, ok := fieldOf(members(p.value), "default"); ok {
			if _, isRef := fieldOf(members(value), "$ref"); !isRef {
				defaults = append(defaults, member{p.key, value})
			}
		}
	}
	err := jsonschema.Validate(joinMembers(defaults), schema, jsonschema.Options{IgnoreRequired: true, NullWithDefault: true})
	if err != nil {
		return core.Errorf(core.Invalid, "Validation failed for work pool's job variable defaults: %s", err)
	}
	return nil
}
