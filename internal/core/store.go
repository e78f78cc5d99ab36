package core

import (
	"context"
	"time"
)

// Topic names a kind of row that followers wait for.
type Topic string

// The topics that a commit can wake.
const (
	// TopicEvents: events were stored.
	TopicEvents Topic = "events"
	// TopicLogs: log lines were stored.
	TopicLogs Topic = "logs"
	// TopicSchedules: schedules or deployments changed; the scheduler should look.
	TopicSchedules Topic = "schedules"
	// TopicScheduledRuns: runs became due or slots became free; whoever waits for runs should look.
	TopicScheduledRuns Topic = "scheduled_runs"
	// TopicTaskQueue: background task runs were scheduled.
	TopicTaskQueue Topic = "task_queue"
	// TopicActions: something is due, or sooner due, for an execution.
	TopicActions Topic = "actions"
	// TopicActivities: an activity has a task.
	TopicActivities Topic = "activities"
	// TopicExecutions: an execution ended that somebody may wait for.
	TopicExecutions Topic = "executions"
	// TopicTriggeredActions: automations want something done.
	TopicTriggeredActions Topic = "triggered_actions"
)

// Topics lists all topics.
func Topics() []Topic {
	return []Topic{
		TopicEvents, TopicLogs, TopicSchedules, TopicScheduledRuns, TopicTaskQueue, TopicActions, TopicActivities, TopicExecutions,
		TopicTriggeredActions,
	}
}

// Tx is what the engine does with one workspace's rows. Inside Store.Update
// all of it is one transaction; inside Store.View each read sees the newest
// committed rows. There is no access without a workspace.
type Tx interface {
	FlowTx
	FlowRunTx
	RunReadTx
	RunTallyTx
	TaskRunTx
	LogTx
	EventTx
	EventCountTx
	DeploymentTx
	ScheduleTx
	SchedulePolicyTx
	WorkPoolTx
	WorkQueueTx
	WorkerTx
	ConcurrencyLimitTx
	ConcurrencyLeaseTx
	VariableTx
	ArtifactTx
	FlowRunInputTx
	AutomationTx
	TriggerTx
	SavedSearchTx
	WebhookTx
	BlockTypeTx
	BlockSchemaTx
	BlockDocumentTx
	ExecutionTx
	StateMachineTx
	StateMachineVersionTx
	ActivityTx
	RetentionTx
	ImportTx
	// Workspace is the workspace that all rows read and written belong to.
	Workspace() WorkspaceID
	// Wake wakes the topic's followers, on every replica, once the transaction is committed.
	Wake(t Topic)
}

// Store keeps the domain in a database.
type Store interface {
	// Update runs fn in a transaction and returns after the commit is durable.
	// When ctx ends before fn has begun it does not run.
	// Callers that arrive while a commit is under way share the next one. fn may
	// run more than once, so it must not have effects outside the transaction
	// other than assigning results; when fn returns an error nothing that it did
	// remains, and Update returns that error.
	Update(ctx context.Context, ws WorkspaceID, fn func(Tx) error) error
	// View runs fn with reads only.
	View(ctx context.Context, ws WorkspaceID, fn func(Tx) error) error
	// Workspaces lists the workspaces.
	Workspaces(ctx context.Context) ([]WorkspaceID, error)
	// Workspace returns the workspace with the name, made if need be.
	Workspace(ctx context.Context, name string) (WorkspaceID, error)
	// Subscribe returns a channel that holds a value after commits that woke the
	// topic, on this or another replica, and a function that ends the
	// subscription. Several commits may be told by one value.
	Subscribe(t Topic) (<-chan struct{}, func())
	// Lease takes or renews the named lease for the holder and reports whether it
	// holds it until the given number of seconds from now.
	Lease(ctx context.Context, name, holder string, seconds float64) (bool, error)
	// ClaimActions takes at most limit actions that are due, of all workspaces,
	// for the owner until the time, and returns when the next one is due; nil for never.
	ClaimActions(ctx context.Context, owner string, now, until time.Time, limit int) ([]*ExecutionAction, *time.Time, error)
	// KeepActions puts off when the owner's actions are due for others. Owner ""
	// makes due what a process had in hand that is no more, where a database belongs to one process.
	KeepActions(ctx context.Context, owner string, until time.Time) error
	// Ping reports whether the database answers.
	Ping(ctx context.Context) error
	// Clear deletes all rows of all workspaces.
	Clear(ctx context.Context) error
	// Close ends all work: transactions accepted before are finished.
	Close() error
}
