package prefect3

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/wire"
)

func (a *API) deploymentRoutes(r *api.Router) {
	r.Handle("POST", "/deployments/", api.Handle(http.StatusCreated, a.createDeployment))
	r.Handle("PATCH", "/deployments/{id:uuid}", api.Handle(http.StatusNoContent, a.updateDeployment))
	r.Handle("GET", "/deployments/{id:uuid}", api.Handle(http.StatusOK, get[byID](a, a.deployment)))
	r.Handle("DELETE", "/deployments/{id:uuid}", api.Handle(http.StatusNoContent, do[byID](a, a.Engine.DeleteDeployment)))
	r.Handle("GET", "/deployments/name/{flow}/{deployment}", api.Handle(http.StatusOK, get[byFlowAndName](a, a.deploymentByName)))
	r.Handle("POST", "/deployments/filter", api.Handle(http.StatusOK, list[deploymentList](a, a.deployments)))
	r.Handle("POST", "/deployments/paginate", api.Handle(http.StatusOK, paginate[deploymentPages](a, a.deployments, core.Tx.CountDeployments)))
	r.Handle("POST", "/deployments/count", api.Handle(http.StatusOK, count[filters](a, core.Tx.CountDeployments)))
	r.Handle("POST", "/deployments/bulk_delete", api.Handle(http.StatusOK, a.deleteDeployments))
	r.Handle("POST", "/deployments/get_scheduled_flow_runs", api.Handle(http.StatusOK, a.pollDeployments))
	r.Handle("POST", "/deployments/{id:uuid}/pause_deployment", api.Handle(http.StatusOK, a.pauseDeployment))
	r.Handle("POST", "/deployments/{id:uuid}/resume_deployment", api.Handle(http.StatusOK, a.resumeDeployment))
	r.Handle("POST", "/deployments/{id:uuid}/create_flow_run", api.Handle(http.StatusCreated, a.createDeploymentRun))
	r.Handle("POST", "/deployments/{id:uuid}/create_flow_run/bulk", api.Handle(http.StatusOK, a.createDeploymentRuns))
	r.Handle("GET", "/deployments/{id:uuid}/work_queue_check", api.Handle(http.StatusOK, get[byID](a, each(queuesForDeployment, client.BareWorkQueueOf))))
	r.Handle("POST", "/deployments/{id:uuid}/schedule", api.Handle(http.StatusOK, a.fillDeployment))
	r.Handle("GET", "/deployments/{id:uuid}/schedules", api.Handle(http.StatusOK, get[byID](a, each(schedulesOf, client.DeploymentScheduleOf))))
	r.Handle("POST", "/deployments/{id:uuid}/schedules", api.Handle(http.StatusCreated, a.addSchedules))
	r.Handle("PATCH", "/deployments/{id:uuid}/schedules/{schedule:uuid}", api.Handle(http.StatusNoContent, a.updateSchedule))
	r.Handle("DELETE", "/deployments/{id:uuid}/schedules/{schedule:uuid}", api.Handle(http.StatusNoContent, a.deleteSchedule))
}

// The bodies of lists of deployments.
type (
	deploymentList struct {
		page
		filters
		nameOrder
	}
	deploymentPages struct {
		numbered
		filters
		nameOrder
	}
)

func (a *API) createDeployment(ctx context.Context, in bodyIn[client.DeploymentCreate]) (api.Reply[client.Deployment], error) {
	b := in.Body
	f := engine.DeploymentFields{
		Version: b.Version, Description: b.Description, Paused: b.Paused.Opt(), ConcurrencyLimit: b.ConcurrencyLimit,
		ConcurrencyLimitID: b.GlobalConcurrencyLimitID, ConcurrencyOptions: asRaw(b.ConcurrencyOptions),
		EnforceParameterSchema: b.EnforceParameterSchema.Opt(), ParameterSchema: b.ParameterSchema, Parameters: b.Parameters, Tags: b.Tags.Opt(),
		Labels: optRaw(b.Labels), PullSteps: asRaw(b.PullSteps), WorkPoolName: b.WorkPoolName, WorkQueueName: b.WorkQueueName,
		Path: b.Path, Entrypoint: b.Entrypoint, StorageDocumentID: b.StorageDocumentID,
		InfrastructureDocumentID: b.InfrastructureDocumentID, Schedules: wire.Some(mapped(b.Schedules, newSchedule)),
	}
	if b.JobVariables != nil {
		f.JobVariables = wire.Some(b.JobVariables)
	}
	d, created, err := a.Engine.PutDeployment(ctx, a.workspace(ctx), b.FlowID, b.Name, f)
	if err != nil {
		return api.Reply[client.Deployment]{}, err
	}
	shown, err := read(ctx, a, func(tx core.Tx) (client.Deployment, error) { return a.showDeployment(tx, d, nil) })
	return made(shown, created, err, func(d client.Deployment) client.Deployment { return d })
}

// asRaw turns what was checked into JSON as it is stored.
func asRaw[T any](o wire.Opt[T]) wire.Opt[json.RawMessage] {
	v, ok := o.Get()
	if !ok {
		return wire.Opt[json.RawMessage]{Set: o.Set, Null: o.Null}
	}
	b, err := wire.Marshal(v)
	if err != nil {
		return wire.Opt[json.RawMessage]{} // what was decoded always marshals
	}
	return wire.Some(json.RawMessage(b))
}

func newSchedule(s client.ScheduleCreate) engine.ScheduleFields {
	return engine.ScheduleFields{
		Schedule: json.RawMessage(s.Schedule), Active: &s.Active, MaxScheduledRuns: (*int)(s.MaxScheduledRuns), Parameters: s.Parameters,
		Slug: s.Slug, Replaces: s.Replaces, Policy: policyFields(s.CatchupWindow, s.Overlap, s.MaxWaiting),
	}
}

// policyFields reads the seconds of a policy's window.
func policyFields(window wire.Opt[float64], overlap wire.Opt[core.Overlap], waiting wire.Opt[int]) engine.PolicyFields {
	p := engine.PolicyFields{Overlap: overlap, MaxWaiting: waiting}
	p.CatchupWindow.Set, p.CatchupWindow.Null = window.Set, window.Null
	p.CatchupWindow.Value = time.Duration(window.Value * float64(time.Second)).Truncate(time.Microsecond)
	return p
}

func changedSchedule(s client.ScheduleUpdate) engine.ScheduleFields {
	f := engine.ScheduleFields{
		Active: s.Active, MaxScheduledRuns: (*int)(s.MaxScheduledRuns), Parameters: s.Parameters, Slug: s.Slug, Replaces: s.Replaces,
		Policy: policyFields(s.CatchupWindow, s.Overlap, s.MaxWaiting),
	}
	if s.Schedule != nil {
		f.Schedule = json.RawMessage(*s.Schedule)
	}
	return f
}

func (a *API) updateDeployment(ctx context.Context, in idIn[client.DeploymentUpdate]) (struct{}, error) {
	b := in.Body
	f := engine.DeploymentFields{
		Version: b.Version, Description: b.Description, ConcurrencyLimit: b.ConcurrencyLimit,
		ConcurrencyLimitID: b.GlobalConcurrencyLimitID, ConcurrencyOptions: asRaw(b.ConcurrencyOptions),
		EnforceParameterSchema: b.EnforceParameterSchema, ParameterSchema: b.ParameterSchema, Parameters: b.Parameters,
		PullSteps: asRaw(b.PullSteps), JobVariables: b.JobVariables, WorkPoolName: b.WorkPoolName, WorkQueueName: b.WorkQueueName,
		Path: b.Path, Entrypoint: b.Entrypoint, StorageDocumentID: b.StorageDocumentID,
		InfrastructureDocumentID: b.InfrastructureDocumentID,
	}
	if p, ok := b.Paused.Get(); ok {
		f.Paused = wire.Some(p)
	}
	if t, ok := b.Tags.Get(); ok {
		f.Tags = wire.Some(t)
	}
	if s, ok := b.Schedules.Get(); ok {
		f.Schedules = wire.Some(mapped(s, changedSchedule))
	}
	return struct{}{}, a.Engine.UpdateDeployment(ctx, a.workspace(ctx), in.ID, f)
}

// showDeployments shows deployments with the limits that they use.
func (a *API) showDeployments(tx core.Tx, list []*core.Deployment) ([]client.Deployment, error) {
	var ids []core.ID
	for _, d := range list {
		if d.ConcurrencyLimitID != nil {
			ids = append(ids, *d.ConcurrencyLimitID)
		}
	}
	limits := map[core.ID]*core.ConcurrencyLimit{}
	now := a.Now()
	if len(ids) > 0 {
		found, err := tx.ConcurrencyLimits(core.LimitSelect{IDs: ids}, now)
		if err != nil {
			return nil, err
		}
		for _, l := range found {
			limits[l.ID] = l
		}
	}
	return mapped(list, func(d *core.Deployment) client.Deployment {
		if d.ConcurrencyLimitID == nil {
			return client.DeploymentOf(d, nil, now)
		}
		return client.DeploymentOf(d, limits[*d.ConcurrencyLimitID], now)
	}), nil
}

// showDeployment shows a deployment that was looked for.
func (a *API) showDeployment(tx core.Tx, d *core.Deployment, err error) (out client.Deployment, _ error) {
	if err != nil {
		return out, missingAs(err, "Deployment not found")
	}
	shown, err := a.showDeployments(tx, []*core.Deployment{d})
	if err != nil {
		return out, err
	}
	return shown[0], nil
}

func (a *API) deployment(tx core.Tx, id core.ID) (client.Deployment, error) {
	d, err := tx.Deployment(id)
	return a.showDeployment(tx, d, err)
}

type byFlowAndName struct {
	Flow string `path:"flow"`
	Name string `path:"deployment"`
}

func (in byFlowAndName) key() byFlowAndName { return in }

func (a *API) deploymentByName(tx core.Tx, in byFlowAndName) (client.Deployment, error) {
	f, err := tx.FlowByName(in.Flow)
	if err != nil {
		return a.showDeployment(tx, nil, err)
	}
	d, err := tx.DeploymentByName(f.ID, in.Name)
	return a.showDeployment(tx, d, err)
}

func (a *API) deployments(tx core.Tx, q core.Query) ([]client.Deployment, error) {
	found, err := tx.FilterDeployments(q)
	if err != nil {
		return nil, err
	}
	return a.showDeployments(tx, found)
}

type deleteDeploymentsIn struct {
	Body struct {
		_           struct{}              `wire:"embed"`
		Deployments *filter[ofDeployment] `json:"deployments"`
		Limit       int                   `json:"limit" wire:"default=50,ge=1,le=50"`
	} `body:""`
}

func (a *API) deleteDeployments(ctx context.Context, in deleteDeploymentsIn) (client.Deleted, error) {
	ids, err := a.Engine.DeleteDeployments(ctx, a.workspace(ctx), core.Query{Where: where(in.Body.Deployments), Limit: in.Body.Limit})
	return client.Deleted{Deleted: client.NotNil(ids)}, err
}

type pollDeploymentsIn struct {
	Body struct {
		_             struct{}   `wire:"embed"`
		DeploymentIDs []core.ID  `json:"deployment_ids" wire:"required"`
		Before        *wire.Time `json:"scheduled_before"`
		Limit         *int       `json:"limit"`
	} `body:""`
}

func (a *API) pollDeployments(ctx context.Context, in pollDeploymentsIn) ([]client.FlowRun, error) {
	n, err := limit(in.Body.Limit)
	if err != nil {
		return nil, err
	}
	runs, err := a.Engine.PollDeployments(ctx, a.workspace(ctx), in.Body.DeploymentIDs, in.Body.Before.Ptr(), n)
	return mapped(runs, a.flowRunOf), err
}

func (a *API) pauseDeployment(ctx context.Context, in byID) (struct{}, error) {
	return struct{}{}, a.Engine.PauseDeployment(ctx, a.workspace(ctx), in.ID, true)
}

func (a *API) resumeDeployment(ctx context.Context, in byID) (struct{}, error) {
	return struct{}{}, a.Engine.PauseDeployment(ctx, a.workspace(ctx), in.ID, false)
}

func deploymentRun(b client.DeploymentFlowRunCreate) engine.DeploymentRun {
	run := engine.DeploymentRun{
		Name: string(b.Name), Parameters: b.Parameters, EnforceSchema: b.EnforceParameterSchema, Context: b.Context, Policy: b.Policy.Core(), Tags: b.Tags,
		Labels: optRaw(b.Labels), IdempotencyKey: b.IdempotencyKey, ParentTaskRunID: b.ParentTaskRunID,
		InfrastructureDocumentID: b.InfrastructureDocumentID, WorkQueueName: b.WorkQueueName,
	}
	if !isNull(b.JobVariables) {
		run.JobVariables = b.JobVariables
	}
	if b.State != nil {
		s := b.State.Core()
		run.State = &s
	}
	return run
}

func (a *API) createDeploymentRun(ctx context.Context, in idIn[client.DeploymentFlowRunCreate]) (api.Reply[client.FlowRun], error) {
	run, created, err := a.Engine.CreateDeploymentRun(ctx, a.workspace(ctx), in.ID, deploymentRun(in.Body))
	return made(run, created, err, a.flowRunOf)
}

func (a *API) createDeploymentRuns(ctx context.Context, in idIn[[]client.DeploymentFlowRunCreate]) (out client.BulkResults, err error) {
	results, err := a.Engine.CreateDeploymentRuns(ctx, a.workspace(ctx), in.ID, mapped(in.Body, deploymentRun))
	if err != nil {
		return out, err
	}
	out.Results = mapped(results, func(r engine.RunResult) client.BulkResult {
		if r.Err != nil {
			text := r.Err.Error()
			return client.BulkResult{Status: "FAILED", Error: &text}
		}
		return client.BulkResult{FlowRunID: &r.RunID, Status: "CREATED"}
	})
	return out, nil
}

// queuesForDeployment lists the queues that may take the deployment's runs: all
// but those of the oldest clients whose filters leave them out.
func queuesForDeployment(tx core.Tx, id core.ID) ([]*core.WorkQueue, error) {
	d, err := tx.Deployment(id)
	if err != nil {
		return nil, err
	}
	all, err := tx.FilterWorkQueues(core.Query{Sort: "CREATED", Limit: maxLimit})
	if err != nil {
		return nil, err
	}
	return engine.QueuesFor(d, all)
}

type fillDeploymentIn struct {
	ID   core.ID `path:"id"`
	Body struct {
		_         struct{}   `wire:"embed"`
		StartTime *wire.Time `json:"start_time"`
		EndTime   *wire.Time `json:"end_time"`
		MinTime   *float64   `json:"min_time"`
		MinRuns   *int       `json:"min_runs"`
		MaxRuns   *int       `json:"max_runs"`
	} `body:""`
}

func (a *API) fillDeployment(ctx context.Context, in fillDeploymentIn) (struct{}, error) {
	h := engine.DefaultHorizon(a.Now())
	b := in.Body
	if b.StartTime != nil {
		h.From, h.To = b.StartTime.Time, b.StartTime.Add(engine.MaxHorizon)
	}
	if b.EndTime != nil {
		h.To = b.EndTime.Time
	}
	if b.MinTime != nil {
		h.MinTime = time.Duration(*b.MinTime * float64(time.Second))
	}
	if b.MinRuns != nil {
		h.MinRuns = *b.MinRuns
	}
	if b.MaxRuns != nil {
		h.MaxRuns = *b.MaxRuns
	}
	return struct{}{}, a.Engine.FillDeployment(ctx, a.workspace(ctx), in.ID, h)
}

func schedulesOf(tx core.Tx, id core.ID) ([]*core.DeploymentSchedule, error) {
	d, err := tx.Deployment(id)
	if err != nil {
		return nil, missingAs(err, "Deployment not found.")
	}
	return d.Schedules, nil
}

func (a *API) addSchedules(ctx context.Context, in idIn[[]client.ScheduleCreate]) ([]client.DeploymentSchedule, error) {
	added, err := a.Engine.AddSchedules(ctx, a.workspace(ctx), in.ID, mapped(in.Body, newSchedule))
	return mapped(added, client.DeploymentScheduleOf), err
}

type updateScheduleIn struct {
	ID       core.ID               `path:"id"`
	Schedule core.ID               `path:"schedule"`
	Body     client.ScheduleUpdate `body:""`
}

func (a *API) updateSchedule(ctx context.Context, in updateScheduleIn) (struct{}, error) {
	return struct{}{}, a.Engine.UpdateSchedule(ctx, a.workspace(ctx), in.ID, in.Schedule, changedSchedule(in.Body))
}

type bySchedule struct {
	ID       core.ID `path:"id"`
	Schedule core.ID `path:"schedule"`
}

func (a *API) deleteSchedule(ctx context.Context, in bySchedule) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteSchedule(ctx, a.workspace(ctx), in.ID, in.Schedule)
}
