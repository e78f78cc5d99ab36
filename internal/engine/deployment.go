package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// DeploymentFields is what a client says of a deployment; what is not set is
// left as it is, or has its default when the deployment is new.
type DeploymentFields struct {
	Version     wire.Opt[string]
	Description wire.Opt[string]
	Paused      wire.Opt[bool]
	Schedules   wire.Opt[[]ScheduleFields]
	// ConcurrencyLimit asks for a limit of the deployment's own.
	ConcurrencyLimit wire.Opt[int]
	// ConcurrencyLimitID names a limit that others may share.
	ConcurrencyLimitID       wire.Opt[core.ID]
	ConcurrencyOptions       wire.Opt[json.RawMessage]
	EnforceParameterSchema   wire.Opt[bool]
	ParameterSchema          wire.Opt[json.RawMessage]
	Parameters               wire.Opt[json.RawMessage]
	Tags                     wire.Opt[[]string]
	Labels                   json.RawMessage
	PullSteps                wire.Opt[json.RawMessage]
	JobVariables             wire.Opt[json.RawMessage]
	WorkPoolName             wire.Opt[string]
	WorkQueueName            wire.Opt[string]
	Path                     wire.Opt[string]
	Entrypoint               wire.Opt[string]
	StorageDocumentID        wire.Opt[core.ID]
	InfrastructureDocumentID wire.Opt[core.ID]
}

// apply lays the fields over d, except those that need more than the deployment.
func (f *DeploymentFields) apply(d *core.Deployment) {
	assign(&d.Version, f.Version)
	assign(&d.Description, f.Description)
	assign(&d.Path, f.Path)
	assign(&d.Entrypoint, f.Entrypoint)
	assign(&d.QueueName, f.WorkQueueName)
	assign(&d.StorageDocumentID, f.StorageDocumentID)
	assign(&d.InfrastructureDocumentID, f.InfrastructureDocumentID)
	assign(&d.ConcurrencyLimitID, f.ConcurrencyLimitID)
	assignRaw(&d.ConcurrencyOptions, f.ConcurrencyOptions)
	assignRaw(&d.ParameterSchema, f.ParameterSchema)
	if given, ok := f.ParameterSchema.Get(); ok && len(members(given)) == 0 {
		d.ParameterSchema = json.RawMessage(`{"type":"object","properties":{}}`)
	}
	assignRaw(&d.PullSteps, f.PullSteps)
	d.Paused = f.Paused.Or(d.Paused)
	d.EnforceParameterSchema = f.EnforceParameterSchema.Or(d.EnforceParameterSchema)
	d.Parameters = f.Parameters.Or(d.Parameters)
	d.Tags = f.Tags.Or(d.Tags)
	d.JobVariables = f.JobVariables.Or(d.JobVariables)
}

// assign sets what the client said, null included.
func assign[T any](dst **T, o wire.Opt[T]) {
	if o.Set {
		*dst = o.Ptr()
	}
}

func assignRaw(dst *json.RawMessage, o wire.Opt[json.RawMessage]) {
	if o.Set {
		*dst = o.Value
		if o.Null {
			*dst = nil
		}
	}
}

// newDeployment is a deployment with the reference's defaults.
func newDeployment(now time.Time, flowID core.ID, name string) *core.Deployment {
	empty := json.RawMessage("{}")
	return &core.Deployment{
		ID: core.NewID(now), Created: now, Name: name, FlowID: flowID, JobVariables: empty, Parameters: empty,
		ParameterSchema: empty, EnforceParameterSchema: true, PullSteps: json.RawMessage("[]"), Status: core.NotReady,
	}
}

// PutDeployment makes the flow's deployment of the name or changes the one that
// is there, and reports which. All its schedules are replaced, and its future
// scheduled runs are removed so that the scheduler makes them anew.
// Prefect REST: POST /deployments/.
func (e *Engine) PutDeployment(ctx context.Context, ws core.WorkspaceID, flowID core.ID, name string, in DeploymentFields) (
	d *core.Deployment, created bool, err error,
) {
	now := e.now()
	err = e.store.Update(ctx, ws, func(tx core.Tx) error {
		d, created, err = putDeployment(tx, now, flowID, name, in)
		return err
	})
	return d, created, err
}

func putDeployment(tx core.Tx, now time.Time, flowID core.ID, name string, in DeploymentFields) (*core.Deployment, bool, error) {
	if err := checkPoolVariables(tx, in); err != nil {
		return nil, false, err
	}
	if err := checkLimit(tx, now, in.ConcurrencyLimitID); err != nil {
		return nil, false, err
	}
	if strings.ContainsAny(name, "/%&><") {
		return nil, false, core.Errorf(core.Invalid, "A deployment's name may have none of these characters: / %% & > <")
	}
	if err := checkBlocks(tx, in, errNoBlock); err != nil {
		return nil, false, err
	}
	flow, err := tx.Flow(flowID)
	if missing(err) {
		return nil, false, integrityConflict()
	}
	if err != nil {
		return nil, false, err
	}
	schedules, err := newSchedules(now, in.Schedules.Value)
	if err != nil {
		return nil, false, err
	}
	d, err := tx.DeploymentByName(flowID, name)
	created := missing(err)
	if err != nil && !created {
		return nil, false, err
	}
	var before core.Deployment
	if created {
		d = newDeployment(now, flowID, name)
	} else {
		before = *d
	}
	in.apply(d)
	if !in.Parameters.Set {
		d.Parameters = json.RawMessage("{}") // the only field that another deployment of the name does not keep
	}
	d.Updated = now
	d.Labels = mergeObjects(flow.Labels, object("prefect.flow.id", flowID.String()), in.Labels)
	if err := placeDeployment(tx, now, d, in, created); err != nil {
		return nil, false, err
	}
	if err := ownLimit(tx, now, d, in.ConcurrencyLimit); err != nil {
		return nil, false, err
	}
	if err := storeDeployment(tx, d, created); err != nil {
		return nil, false, err
	}
	if err := replaceSchedules(tx, d.ID, schedules, succeed(d.Schedules, in.Schedules.Value, schedules)); err != nil {
		return nil, false, err
	}
	if err := tx.DeleteScheduledRuns(d.ID, core.ScheduledRuns{Auto: true, After: &now}); err != nil {
		return nil, false, err
	}
	if d, err = tx.Deployment(d.ID); err != nil {
		return nil, false, err
	}
	if created {
		return d, true, tellDeployment(tx, now, "created", d, nil)
	}
	return d, false, tellDeploymentChange(tx, now, &before, d)
}

func storeDeployment(tx core.Tx, d *core.Deployment, created bool) error {
	if created {
		return tx.InsertDeployment(d)
	}
	return tx.UpdateDeployment(d)
}

func checkLimit(tx core.Tx, now time.Time, id wire.Opt[core.ID]) error {
	wanted, ok := id.Get()
	if !ok {
		return nil
	}
	_, err := tx.ConcurrencyLimit(wanted, now)
	if missing(err) {
		return core.Errorf(core.NotFound, "Concurrency limit not found")
	}
	return err
}

// checkBlocks refuses a deployment that is given blocks which are not there.
func checkBlocks(tx core.Tx, in DeploymentFields, absent func(what string, id core.ID) error) error {
	for _, ref := range []struct {
		what string
		id   wire.Opt[core.ID]
	}{{"infrastructure", in.InfrastructureDocumentID}, {"storage", in.StorageDocumentID}} {
		id, given := ref.id.Get()
		if !given {
			continue
		}
		if _, err := tx.BlockDocument(id); missing(err) {
			return absent(ref.what, id)
		} else if err != nil {
			return err
		}
	}
	return nil
}

func errNoBlock(what string, id core.ID) error {
	return core.Errorf(core.Conflict, "Error creating deployment. Could not find %s block with id: %s. This usually occurs"+
		" when applying a deployment specification that was built against a different Prefect database / workspace.", what, id)
}

// ownLimit makes, changes or removes the limit that only this deployment uses.
func ownLimit(tx core.Tx, now time.Time, d *core.Deployment, limit wire.Opt[int]) error {
	if !limit.Set {
		return nil
	}
	want, some := limit.Get()
	if d.ConcurrencyLimitID != nil {
		l, err := tx.ConcurrencyLimit(*d.ConcurrencyLimitID, now)
		if err != nil && !missing(err) {
			return err
		}
		if err == nil && some {
			if l.Limit == want {
				return nil
			}
			l.Settle(now)
			l.Limit = want
			tx.Wake(core.TopicScheduledRuns)
			return tx.UpdateConcurrencyLimit(l)
		}
	}
	name := core.DeploymentLimitPrefix + d.ID.String()
	if !some {
		d.ConcurrencyLimitID = nil
		return deleteOwnLimit(tx, now, d.ID)
	}
	l, err := tx.ConcurrencyLimitByName(name, now)
	if err != nil && !missing(err) {
		return err
	}
	if err == nil {
		l.Settle(now)
		l.Limit = want
		d.ConcurrencyLimitID = &l.ID
		return tx.UpdateConcurrencyLimit(l)
	}
	l = newLimit(now, name, want)
	d.ConcurrencyLimitID = &l.ID
	return tx.InsertConcurrencyLimit(l)
}

func deleteOwnLimit(tx core.Tx, now time.Time, deploymentID core.ID) error {
	l, err := tx.ConcurrencyLimitByName(core.DeploymentLimitPrefix+deploymentID.String(), now)
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = tx.DeleteConcurrencyLimit(l.ID)
	tx.Wake(core.TopicScheduledRuns)
	return err
}

// placeDeployment gives the deployment the queue that the client names, and
// makes a queue that is not there.
func placeDeployment(tx core.Tx, now time.Time, d *core.Deployment, in DeploymentFields, created bool) error {
	pool, queue := in.WorkPoolName.Or(""), in.WorkQueueName.Or("")
	switch {
	case pool != "" && queue != "":
		q, err := queueOrNew(tx, now, pool, queue)
		if err != nil {
			return err
		}
		d.WorkQueueID = &q.ID
	case pool != "":
		p, err := tx.WorkPoolByName(pool)
		if err != nil {
			return err
		}
		d.WorkQueueID = p.DefaultQueueID
	case in.WorkPoolName.Null && !created:
		d.WorkQueueID = nil
	case queue != "":
		q, err := agentQueue(tx, now, queue)
		if err != nil {
			return err
		}
		d.WorkQueueID = &q.ID
	}
	return nil
}

// DeleteDeployment removes a deployment with its schedules and all its runs that
// have not been started. Prefect REST: DELETE /deployments/{id}.
func (e *Engine) DeleteDeployment(ctx context.Context, ws core.WorkspaceID, id core.ID) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error { return deleteDeployment(tx, now, id) })
}

func deleteDeployment(tx core.Tx, now time.Time, id core.ID) error {
	d, err := tx.Deployment(id)
	if err != nil {
		return err
	}
	if err := tx.DeleteScheduledRuns(id, core.ScheduledRuns{}); err != nil {
		return err
	}
	if err := deleteOwnLimit(tx, now, id); err != nil {
		return err
	}
	if _, err := tx.DeleteDeployment(id); err != nil {
		return err
	}
	return tellDeployment(tx, now, "deleted", d, nil)
}

// DeleteDeployments removes those deployments that q selects and returns their
// ids. Prefect REST: POST /deployments/bulk_delete.
func (e *Engine) DeleteDeployments(ctx context.Context, ws core.WorkspaceID, q core.Query) ([]core.ID, error) {
	now := e.now()
	var deleted []core.ID
	err := e.store.Update(ctx, ws, func(tx core.Tx) error {
		deleted = nil
		found, err := tx.FilterDeployments(q)
		if err != nil {
			return err
		}
		for _, d := range found {
			if err := deleteDeployment(tx, now, d.ID); err != nil {
				return err
			}
			deleted = append(deleted, d.ID)
		}
		return nil
	})
	return deleted, err
}

// PauseDeployment stops making runs by schedule and removes those that were made
// ahead, or begins again. Prefect REST: POST /deployments/{id}/pause_deployment
// and /resume_deployment.
func (e *Engine) PauseDeployment(ctx context.Context, ws core.WorkspaceID, id core.ID, paused bool) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		d, err := tx.Deployment(id)
		if err != nil {
			return err
		}
		if d.Paused != paused {
			d.Paused, d.Updated = paused, now
			if err := tx.UpdateDeployment(d); err != nil {
				return err
			}
		}
		if !paused {
			tx.Wake(core.TopicSchedules)
			return nil
		}
		return tx.DeleteScheduledRuns(id, core.ScheduledRuns{Auto: true})
	})
}

// tellDeployment stores an event about a deployment.
func tellDeployment(tx core.Tx, now time.Time, what string, d *core.Deployment, payload any) error {
	about := []core.Labels{{
		{Key: core.ResourceID, Value: "prefect.flow." + d.FlowID.String()},
		{Key: core.ResourceName, Value: d.FlowName},
		{Key: core.ResourceRole, Value: "flow"},
	}}
	if d.WorkQueueID != nil && d.WorkQueueName != nil {
		about = append(about, core.Labels{
			{Key: core.ResourceID, Value: "prefect.work-queue." + d.WorkQueueID.String()},
			{Key: core.ResourceName, Value: *d.WorkQueueName},
			{Key: core.ResourceRole, Value: "work-queue"},
		})
	}
	if d.WorkPoolID != nil {
		about = append(about, poolRole(*d.WorkPoolID, deref(d.WorkPoolName), deref(d.WorkPoolType)))
	}
	if d.ConcurrencyLimitID != nil {
		about = append(about, core.Labels{
			{Key: core.ResourceID, Value: "prefect.concurrency-limit." + d.ConcurrencyLimitID.String()},
			{Key: core.ResourceRole, Value: "concurrency-limit"},
		})
	}
	return tellChange(tx, now, "deployment", what, d.ID, d.Name, payload, about...)
}

// update is what an event says of a field that changed.
type update struct {
	From any `json:"from"`
	To   any `json:"to"`
}

// updates is the payload of an event about changed fields.
type updates struct {
	Fields  []string
	Updates map[string]update
}

func (u *updates) compare(field string, from, to any) {
	a, errA := json.Marshal(from)
	b, errB := json.Marshal(to)
	if errA == nil && errB == nil && bytes.Equal(a, b) {
		return
	}
	if u.Updates == nil {
		u.Updates = map[string]update{}
	}
	u.Fields = append(u.Fields, field)
	u.Updates[field] = update{from, to}
}

// MarshalJSON writes the fields in the order in which they were compared.
func (u *updates) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	names, err := json.Marshal(u.Fields)
	if err != nil {
		return nil, err
	}
	b.WriteString(`{"updated_fields":`)
	b.Write(names)
	b.WriteString(`,"updates":{`)
	for i, f := range u.Fields {
		if i > 0 {
			b.WriteByte(',')
		}
		change, err := json.Marshal(u.Updates[f])
		if err != nil {
			return nil, err
		}
		b.Write(quote(f))
		b.WriteByte(':')
		b.Write(change)
	}
	b.WriteString("}}")
	return b.Bytes(), nil
}

func tellDeploymentChange(tx core.Tx, now time.Time, from, to *core.Deployment) error {
	u := &updates{}
	u.compare("description", from.Description, to.Description)
	u.compare("tags", slices.Concat([]string{}, from.Tags), slices.Concat([]string{}, to.Tags))
	u.compare("parameters", from.Parameters, to.Parameters)
	u.compare("parameter_openapi_schema", from.ParameterSchema, to.ParameterSchema)
	u.compare("enforce_parameter_schema", from.EnforceParameterSchema, to.EnforceParameterSchema)
	u.compare("entrypoint", from.Entrypoint, to.Entrypoint)
	u.compare("path", from.Path, to.Path)
	u.compare("pull_steps", from.PullSteps, to.PullSteps)
	u.compare("work_queue_id", from.WorkQueueID, to.WorkQueueID)
	u.compare("infra_overrides", from.JobVariables, to.JobVariables)
	u.compare("paused", from.Paused, to.Paused)
	u.compare("labels", from.Labels, to.Labels)
	u.compare("version", from.Version, to.Version)
	u.compare("concurrency_limit_id", from.ConcurrencyLimitID, to.ConcurrencyLimitID)
	u.compare("concurrency_options", from.ConcurrencyOptions, to.ConcurrencyOptions)
	if len(u.Fields) == 0 {
		return nil
	}
	return tellDeployment(tx, now, "updated", to, u)
}
