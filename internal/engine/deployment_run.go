package engine

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/jsonschema"
)

// DeploymentRun describes a run to be made from a deployment; what it does not
// say comes from there.
type DeploymentRun struct {
	Name       string
	Parameters json.RawMessage
	// EnforceSchema overrides the deployment's own setting; nil leaves it.
	EnforceSchema            *bool
	Context                  json.RawMessage
	Policy                   core.RunPolicy
	Tags                     []string
	Labels                   json.RawMessage
	JobVariables             json.RawMessage
	CreatedBy                json.RawMessage
	IdempotencyKey           *string
	ParentTaskRunID          *core.ID
	InfrastructureDocumentID *core.ID
	// WorkQueueName sends the run to another queue of the deployment's pool.
	WorkQueueName *string
	// State is the first state; nil stands for Scheduled now.
	State *core.State
	// Depth is how many firings of automations led to the run; 0 for none.
	Depth int

	// bulk words refusals as the reference does for one run of many.
	bulk bool
}

// CreateDeploymentRun makes a run from a deployment, or returns the one with
// the same idempotency key, and reports which.
// Prefect REST: POST /deployments/{id}/create_flow_run.
func (e *Engine) CreateDeploymentRun(ctx context.Context, ws core.WorkspaceID, id core.ID, in DeploymentRun) (
	run *core.FlowRun, created bool, err error,
) {
	err = e.store.Update(ctx, ws, func(tx core.Tx) error {
		d, err := tx.Deployment(id)
		if err != nil {
			return err
		}
		now := e.now()
		run, created, err = createDeploymentRun(tx, now, d, in)
		if err == nil && in.Depth > 0 {
			err = tx.DeepenTriggers([]string{"prefect.flow-run." + run.ID.String()}, in.Depth, now, now.Add(-triggerLoop))
		}
		return err
	})
	return run, created, err
}

func createDeploymentRun(tx core.Tx, now time.Time, d *core.Deployment, in DeploymentRun) (*core.FlowRun, bool, error) {
	parameters, err := runParameters(tx, d, in)
	if err != nil {
		return nil, false, err
	}
	if d.WorkPoolID != nil {
		pool, err := tx.WorkPool(*d.WorkPoolID)
		if err != nil {
			return nil, false, err
		}
		if err := checkVariables(pool, mergeObjects(d.JobVariables, in.JobVariables), false, "Error creating flow run: "); err != nil {
			return nil, false, err
		}
	}
	queueID, queueName := d.WorkQueueID, d.QueueName
	if name := deref(in.WorkQueueName); name != "" {
		if d.WorkPoolName == nil && in.bulk {
			return nil, false, core.Errorf(core.BadRequest,
				"Cannot create flow run in work queue %s because deployment is not associated with a work pool.", name)
		}
		if d.WorkPoolName == nil {
			return nil, false, core.Errorf(core.BadRequest, "Cannot create flow run in work queue %s because deployment %s is not"+
				" associated with a work pool. Please remove work_pool_name and try again.", name, d.ID)
		}
		queue, err := queueOrNew(tx, now, *d.WorkPoolName, name)
		if err != nil {
			return nil, false, err
		}
		queueID, queueName = &queue.ID, &name
	}
	run := deploymentFlowRun(now, d, in, parameters, queueID)
	run.QueueName = queueName
	return createFlowRun(tx, now, run)
}

// runParameters lays the run's parameters over the deployment's and checks them.
func runParameters(tx core.Tx, d *core.Deployment, in DeploymentRun) (json.RawMessage, error) {
	hydrating, refused := "Error hydrating flow run parameters: ", "Error creating flow run: "
	if in.bulk {
		hydrating, refused = "", "Parameter validation failed: "
	}
	parameters, err := hydrate(tx, mergeObjects(d.Parameters, in.Parameters), renderBare)
	if err != nil {
		return nil, core.Errorf(core.BadRequest, "%s%s", hydrating, err)
	}
	enforce := d.EnforceParameterSchema
	if in.EnforceSchema != nil {
		enforce = *in.EnforceSchema
	}
	switch {
	case !enforce:
		return parameters, nil
	case d.ParameterSchema == nil && in.bulk:
		return nil, core.Errorf(core.Conflict, "Parameter schema enforcement is enabled but deployment has no valid schema.")
	case d.ParameterSchema == nil:
		return nil, errNoSchema()
	}
	return parameters, checkParameters(parameters, d.ParameterSchema, jsonschema.Options{}, refused)
}

func deploymentFlowRun(now time.Time, d *core.Deployment, in DeploymentRun, parameters json.RawMessage, queueID *core.ID) NewFlowRun {
	run := NewFlowRun{
		FlowID: d.FlowID, Name: in.Name, Deployment: d, DeploymentVersion: d.Version, WorkQueueID: queueID, Parameters: parameters,
		Context: in.Context, Policy: in.Policy, Labels: in.Labels, JobVariables: in.JobVariables,
		CreatedBy: in.CreatedBy, ParentTaskRunID: in.ParentTaskRunID, IdempotencyKey: in.IdempotencyKey,
		InfrastructureDocumentID: d.InfrastructureDocumentID, State: in.State,
	}
	for _, tag := range slices.Concat(d.Tags, in.Tags) {
		if !slices.Contains(run.Tags, tag) {
			run.Tags = append(run.Tags, tag)
		}
	}
	if in.InfrastructureDocumentID != nil {
		run.InfrastructureDocumentID = in.InfrastructureDocumentID
	}
	if run.State == nil {
		run.State = &core.State{
			Type: core.Scheduled, Name: core.Scheduled.DefaultName(), Timestamp: now, Details: core.StateDetails{Deferred: new(bool)},
		}
	}
	return run
}

// RunResult is what became of one run of many; Err is nil when it was made.
type RunResult struct {
	RunID core.ID
	Err   error
}

// MaxBulkRuns is how many runs CreateDeploymentRuns makes at most.
const MaxBulkRuns = 100

// CreateDeploymentRuns makes several runs from a deployment. One that is refused
// does not keep the others from being made.
// Prefect REST: POST /deployments/{id}/create_flow_run/bulk.
func (e *Engine) CreateDeploymentRuns(ctx context.Context, ws core.WorkspaceID, id core.ID, in []DeploymentRun) ([]RunResult, error) {
	if len(in) > MaxBulkRuns {
		return nil, core.Errorf(core.BadRequest, "Cannot create more than %d flow runs at once.", MaxBulkRuns)
	}
	var results []RunResult
	err := e.store.Update(ctx, ws, func(tx core.Tx) error {
		results = make([]RunResult, len(in))
		d, err := tx.Deployment(id)
		if err != nil {
			return err
		}
		for i, r := range in {
			// Refusals come before the first write, so that what others wrote stays.
			r.bulk = true
			run, _, err := createDeploymentRun(tx, e.now(), d, r)
			if core.CodeOf(err) == core.Internal || core.CodeOf(err) == core.Unavailable {
				return err
			}
			if err != nil {
				results[i].Err = err
				continue
			}
			results[i].RunID = run.ID
		}
		return nil
	})
	return results, err
}
