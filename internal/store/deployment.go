package store

import (
	"fmt"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

const deploymentColumns = `d.id, d.created, d.updated, d.name, d.version, d.description, d.flow_id, d.paused, d.concurrency_limit_id,
	d.concurrency_options, d.job_variables, d.parameters, d.parameter_openapi_schema, d.enforce_parameter_schema, d.tags, d.labels,
	d.pull_steps, d.path, d.entrypoint, d.work_queue_id, d.work_queue_name, d.storage_document_id, d.infrastructure_document_id,
	d.created_by, d.updated_by, d.last_polled, d.status, dq.last_polled, dq.name, df.name, dp.id, dp.name, dp.type`

// deploymentJoins brings the names that a deployment is shown with.
const deploymentJoins = `LEFT JOIN flow df ON df.id = d.flow_id
	LEFT JOIN work_queue dq ON dq.id = d.work_queue_id
	LEFT JOIN work_pool dp ON dp.id = dq.work_pool_id`

const deploymentSelect = "SELECT " + deploymentColumns + " FROM deployment d " + deploymentJoins + " WHERE d.ws = ? AND "

func noDeployment() *core.Error { return core.Errorf(core.NotFound, "Deployment not found") }

func scanDeployment(r rows) (*core.Deployment, error) {
	d := &core.Deployment{}
	var queuePolled *time.Time
	var flowName, queueName *string
	err := r.Scan(&d.ID, timeInto{&d.Created}, timeInto{&d.Updated}, &d.Name, &d.Version, &d.Description, &d.FlowID, &d.Paused,
		idPtrInto{&d.ConcurrencyLimitID}, rawInto{&d.ConcurrencyOptions}, rawInto{&d.JobVariables}, rawInto{&d.Parameters},
		rawInto{&d.ParameterSchema}, &d.EnforceParameterSchema, jsonInto{&d.Tags}, rawInto{&d.Labels}, rawInto{&d.PullSteps},
		&d.Path, &d.Entrypoint, idPtrInto{&d.WorkQueueID}, &d.QueueName, idPtrInto{&d.StorageDocumentID},
		idPtrInto{&d.InfrastructureDocumentID}, rawInto{&d.CreatedBy}, rawInto{&d.UpdatedBy}, timePtrInto{&d.LastPolled},
		&d.Status, timePtrInto{&queuePolled}, &queueName, &flowName, idPtrInto{&d.WorkPoolID}, &d.WorkPoolName, &d.WorkPoolType)
	if flowName != nil {
		d.FlowName = *flowName
	}
	d.WorkQueueName = queueName
	if queueName == nil {
		d.WorkQueueName = d.QueueName
	}
	// A poll of the queue is one of each of its deployments, but is written to the
	// queue's row alone.
	if d.Status == core.Ready && queuePolled != nil && (d.LastPolled == nil || queuePolled.After(*d.LastPolled)) {
		d.LastPolled = queuePolled
	}
	return d, err
}

// InsertDeployment implements core.DeploymentTx.
func (t *tx) InsertDeployment(d *core.Deployment) error {
	return t.exec(`INSERT INTO deployment (id, ws, created, updated, name, version, description, flow_id, paused, concurrency_limit_id,
		concurrency_options, job_variables, parameters, parameter_openapi_schema, enforce_parameter_schema, tags, labels, pull_steps,
		path, entrypoint, work_queue_id, work_queue_name, storage_document_id, infrastructure_document_id, created_by, updated_by,
		last_polled, status)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		d.ID, int64(t.ws), micros(d.Created), micros(d.Updated), d.Name, d.Version, d.Description, d.FlowID, d.Paused,
		d.ConcurrencyLimitID, text(d.ConcurrencyOptions), text(d.JobVariables), text(d.Parameters), text(d.ParameterSchema),
		d.EnforceParameterSchema, tagsText(d.Tags), text(d.Labels), text(d.PullSteps), d.Path, d.Entrypoint, d.WorkQueueID,
		d.QueueName, d.StorageDocumentID, d.InfrastructureDocumentID, text(d.CreatedBy), text(d.UpdatedBy),
		microsPtr(d.LastPolled), string(d.Status))
}

// Deployment implements core.DeploymentTx.
func (t *tx) Deployment(id core.ID) (*core.Deployment, error) {
	d, err := one(t, noDeployment(), scanDeployment, deploymentSelect+"d.id = ?"+t.lock("d"), int64(t.ws), id)
	if err != nil {
		return nil, err
	}
	return d, t.attachSchedules([]*core.Deployment{d})
}

// DeploymentByName implements core.DeploymentTx.
func (t *tx) DeploymentByName(flowID core.ID, name string) (*core.Deployment, error) {
	d, err := one(t, noDeployment(), scanDeployment,
		deploymentSelect+"d.flow_id = ? AND d.name = ?"+t.lock("d"), int64(t.ws), flowID, name)
	if err != nil {
		return nil, err
	}
	return d, t.attachSchedules([]*core.Deployment{d})
}

// UpdateDeployment implements core.DeploymentTx.
func (t *tx) UpdateDeployment(d *core.Deployment) error {
	return t.exec(`UPDATE deployment SET updated = ?, version = ?, description = ?, paused = ?, concurrency_limit_id = ?,
		concurrency_options = ?, job_variables = ?, parameters = ?, parameter_openapi_schema = ?, enforce_parameter_schema = ?,
		tags = ?, labels = ?, pull_steps = ?, path = ?, entrypoint = ?, work_queue_id = ?, work_queue_name = ?,
		storage_document_id = ?, infrastructure_document_id = ?, updated_by = ? WHERE ws + 0 = ? AND id = ?`,
		micros(d.Updated), d.Version, d.Description, d.Paused, d.ConcurrencyLimitID, text(d.ConcurrencyOptions),
		text(d.JobVariables), text(d.Parameters), text(d.ParameterSchema), d.EnforceParameterSchema, tagsText(d.Tags),
		text(d.Labels), text(d.PullSteps), d.Path, d.Entrypoint, d.WorkQueueID, d.QueueName, d.StorageDocumentID,
		d.InfrastructureDocumentID, text(d.UpdatedBy), int64(t.ws), d.ID)
}

// DeleteDeployment implements core.DeploymentTx.
func (t *tx) DeleteDeployment(id core.ID) (bool, error) {
	n, err := t.execN("DELETE FROM deployment WHERE ws + 0 = ? AND id = ?", int64(t.ws), id)
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.DeleteSchedules(id)
}

// FilterDeployments implements core.DeploymentTx.
func (t *tx) FilterDeployments(q core.Query) ([]*core.Deployment, error) {
	found, err := filter(t, core.EntityDeployment, deploymentColumns, deploymentJoins, q, scanDeployment)
	if err != nil {
		return nil, err
	}
	return found, t.attachSchedules(found)
}

// CountDeployments implements core.DeploymentTx.
func (t *tx) CountDeployments(q core.Query) (int, error) { return count(t, core.EntityDeployment, q) }

// attachSchedules reads the schedules of the deployments.
func (t *tx) attachSchedules(deployments []*core.Deployment) error {
	if len(deployments) == 0 {
		return nil
	}
	byID := make(map[core.ID]*core.Deployment, len(deployments))
	args := []any{int64(t.ws)}
	for _, d := range deployments {
		byID[d.ID] = d
		args = append(args, d.ID)
	}
	q := "SELECT " + scheduleColumns + " FROM deployment_schedule s WHERE s.ws = ? AND s.deployment_id IN (" +
		placeholders(len(deployments)) + ") ORDER BY s.updated DESC, s.id DESC"
	read := listOnce[*core.DeploymentSchedule]
	if len(deployments) == 1 {
		read = list[*core.DeploymentSchedule]
	}
	schedules, err := read(t, scanSchedule, q, args...)
	for _, s := range schedules {
		d := byID[s.DeploymentID]
		d.Schedules = append(d.Schedules, s)
	}
	return err
}

// UnreadyDeployments implements core.DeploymentTx.
func (t *tx) UnreadyDeployments(ids, queueIDs []core.ID) ([]core.ID, error) {
	var unready []core.ID
	for _, by := range []struct {
		column string
		ids    []core.ID
	}{{"id", ids}, {"work_queue_id", queueIDs}} {
		if len(by.ids) == 0 {
			continue
		}
		found, err := listOnce(t, scanID, fmt.Sprintf("SELECT d.id FROM deployment d WHERE d.ws = ? AND d.status = 'NOT_READY' AND d.%s IN (%s)",
			by.column, placeholders(len(by.ids))), t.withIDs(by.ids)...)
		if err != nil {
			return nil, err
		}
		unready = append(unready, found...)
	}
	return unready, nil
}

// withIDs returns the arguments of a statement about rows of the workspace with the ids.
func (t *tx) withIDs(ids []core.ID) []any {
	args := []any{int64(t.ws)}
	for _, id := range ids {
		args = append(args, id)
	}
	return args
}

// SilentDeployments implements core.DeploymentTx.
func (t *tx) SilentDeployments(since time.Time, limit int) ([]core.ID, error) {
	return list(t, scanID, `SELECT d.id FROM deployment d LEFT JOIN work_queue q ON q.id = d.work_queue_id
		WHERE d.ws = ? AND d.status = 'READY' AND (d.last_polled IS NULL OR d.last_polled < ?)
		AND (q.last_polled IS NULL OR q.last_polled < ?) LIMIT ?`, int64(t.ws), micros(since), micros(since), limit)
}

// SetDeploymentStatus implements core.DeploymentTx.
func (t *tx) SetDeploymentStatus(id core.ID, s core.Readiness, polled *time.Time) error {
	return t.exec("UPDATE deployment SET status = ?, last_polled = coalesce(?, last_polled) WHERE ws + 0 = ? AND id = ?",
		string(s), microsPtr(polled), int64(t.ws), id)
}

// DeleteScheduledRuns implements core.DeploymentTx. The plus keeps SQLite from
// taking the index that begins with the workspace.
func (t *tx) DeleteScheduledRuns(id core.ID, s core.ScheduledRuns) error {
	after := int64(-1 << 62)
	if s.After != nil {
		after = micros(*s.After)
	}
	doomed, err := list(t, scanID, `SELECT fr.id FROM flow_run fr WHERE +fr.ws + 0 = ? AND fr.deployment_id = ? AND fr.state_type = 'SCHEDULED'
		AND fr.state_name <> 'AwaitingConcurrencySlot' AND fr.run_count = 0 AND (fr.auto_scheduled OR NOT ?)
		AND (fr.next_scheduled_start_time > ? OR NOT ?)`+t.lock("fr"), int64(t.ws), id, s.Auto, after, s.After != nil)
	if err != nil {
		return err
	}
	for _, run := range doomed {
		if _, err := t.DeleteFlowRun(run); err != nil {
			return err
		}
	}
	t.Wake(core.TopicSchedules)
	return t.exec("UPDATE deployment_schedule SET due = 0 WHERE deployment_id = ?", id)
}
