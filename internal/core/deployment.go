package core

import (
	"encoding/json"
	"time"
)

// Readiness says whether somebody is there to take work.
type Readiness string

// The values of Readiness. Deployments are never Paused in this sense.
const (
	Ready       Readiness = "READY"
	NotReady    Readiness = "NOT_READY"
	PausedReady Readiness = "PAUSED"
)

// Enum lists the values.
func (Readiness) Enum() []string {
	return []string{string(Ready), string(NotReady), string(PausedReady)}
}

// Deployment says how and when a flow is run: where its code lies, with what
// parameters, on what schedules and by which work queue.
type Deployment struct {
	ID      ID
	Created time.Time
	// Updated is when a user changed it; polls leave it alone.
	Updated     time.Time
	Name        string
	Version     *string
	Description *string
	FlowID      ID
	// Paused deployments get no runs by schedule.
	Paused bool
	// ConcurrencyLimitID is the limit that the runs of this deployment share.
	ConcurrencyLimitID *ID
	// ConcurrencyOptions is a JSON object or nil.
	ConcurrencyOptions json.RawMessage
	// JobVariables and Parameters are JSON objects.
	JobVariables json.RawMessage
	Parameters   json.RawMessage
	// ParameterSchema is the JSON schema of the flow's parameters, or nil.
	ParameterSchema          json.RawMessage
	EnforceParameterSchema   bool
	Tags                     []string
	Labels                   json.RawMessage
	PullSteps                json.RawMessage
	Path                     *string
	Entrypoint               *string
	WorkQueueID              *ID
	QueueName                *string // the queue that a client named, there or not
	StorageDocumentID        *ID
	InfrastructureDocumentID *ID
	CreatedBy                json.RawMessage
	UpdatedBy                json.RawMessage
	// LastPolled is when somebody last asked for its runs, directly or by its queue.
	LastPolled *time.Time
	Status     Readiness

	// What comes with a deployment when it is read, and is not stored with it.
	Schedules []*DeploymentSchedule
	FlowName  string
	// WorkQueueName is the name of the queue, or else QueueName.
	WorkQueueName *string
	WorkPoolID    *ID
	WorkPoolName  *string
	WorkPoolType  *string
}

// DeploymentSchedule says when runs of a deployment are made.
type DeploymentSchedule struct {
	ID           ID
	Created      time.Time
	Updated      time.Time
	DeploymentID ID
	// Schedule is the wire form of an interval, cron or recurrence rule.
	Schedule         json.RawMessage
	Active           bool
	MaxScheduledRuns *int
	// Parameters is a JSON object laid over the deployment's.
	Parameters json.RawMessage
	Slug       *string
	// Policy is what becomes of its runs that are late or meet each other.
	Policy SchedulePolicy
}

// DueSchedule names a schedule that has too few runs ahead of it.
type DueSchedule struct {
	DeploymentID ID
	ScheduleID   ID
	// Fresh tells that it is new or changed: it may have no runs at all.
	Fresh bool
	// Filled is the last time for which runs were made; nil when that is not known.
	Filled *time.Time
}

// ScheduledRuns selects runs of a deployment that are Scheduled and have not
// been run yet, those that wait for a slot left out.
type ScheduledRuns struct {
	// Auto leaves out runs that no schedule made.
	Auto bool
	// After leaves out runs that are due up to the time; nil selects them too.
	After *time.Time
}

// DeploymentTx reads and writes deployments.
type DeploymentTx interface {
	// InsertDeployment stores a new deployment without its schedules; the flow's name for it must be free.
	InsertDeployment(d *Deployment) error
	// Deployment returns the deployment with its schedules, or a NotFound error. In Update the row is locked.
	Deployment(id ID) (*Deployment, error)
	// DeploymentByName returns the deployment of the flow with its schedules, or a
	// NotFound error. In Update the row is locked.
	DeploymentByName(flowID ID, name string) (*Deployment, error)
	// UpdateDeployment stores all that a user may change; schedules, status and polls are not part of it.
	UpdateDeployment(d *Deployment) error
	// DeleteDeployment removes the deployment with its schedules and reports
	// whether it existed. Its runs remain.
	DeleteDeployment(id ID) (bool, error)
	// FilterDeployments lists deployments with their schedules.
	FilterDeployments(q Query) ([]*Deployment, error)
	// CountDeployments counts deployments; sort, limit and offset do not matter.
	CountDeployments(q Query) (int, error)
	// UnreadyDeployments lists those of the deployments, and of the queues'
	// deployments, that are NotReady.
	UnreadyDeployments(ids, queueIDs []ID) ([]ID, error)
	// SilentDeployments lists at most limit Ready deployments that neither were
	// polled nor had their queue polled since the time.
	SilentDeployments(since time.Time, limit int) ([]ID, error)
	// SetDeploymentStatus stores a status and, unless it is nil, when the deployment was polled.
	SetDeploymentStatus(id ID, s Readiness, polled *time.Time) error
	// DeleteScheduledRuns removes the runs of the deployment that s selects and
	// makes its schedules due for filling.
	DeleteScheduledRuns(id ID, s ScheduledRuns) error
}

// ScheduleTx reads and writes the schedules of deployments.
type ScheduleTx interface {
	// InsertSchedules stores new schedules. They are due for filling at once.
	InsertSchedules(s []*DeploymentSchedule) error
	// UpdateSchedule stores a changed schedule. It is due for filling at once.
	UpdateSchedule(s *DeploymentSchedule) error
	// DeleteSchedule removes a schedule of the deployment and reports whether it existed.
	DeleteSchedule(deploymentID, id ID) (bool, error)
	// DeleteSchedules removes all schedules of the deployment.
	DeleteSchedules(deploymentID ID) error
	// DueSchedules lists at most limit active schedules of deployments that are not
	// paused whose time for filling has come, the longest overdue first.
	DueSchedules(now time.Time, limit int) ([]DueSchedule, error)
	// SetScheduleDue stores when the schedule is to be filled again; nil means never.
	SetScheduleDue(id ID, at *time.Time) error
	// SetScheduleFilled stores up to when runs were made, and when to do so again.
	SetScheduleFilled(id ID, until, again time.Time) error
	// KnownRunKeys returns those of the idempotency keys that runs of the flow have.
	KnownRunKeys(flowID ID, keys []string) (map[string]bool, error)
}
