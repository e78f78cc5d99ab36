package core

import (
	"encoding/json"
	"time"
)

// WorkPool is a place where runs are started, with a template of how. Its runs
// wait in queues.
type WorkPool struct {
	ID          ID
	Created     time.Time
	Updated     time.Time
	Name        string
	Description *string
	Type        string
	// BaseJobTemplate is a JSON object: the job's configuration and the schema of its variables.
	BaseJobTemplate json.RawMessage
	IsPaused        bool
	// ConcurrencyLimit bounds the runs that are Pending or Running in all queues; nil means none.
	ConcurrencyLimit *int
	DefaultQueueID   *ID
	// Status is nil for pools that agents, not workers, serve.
	Status *Readiness
	// LastStatusEventID is the event that told of the status.
	LastStatusEventID *ID
	// StorageConfiguration is a JSON object.
	StorageConfiguration json.RawMessage
}

// WorkQueue is a line of runs in a work pool.
type WorkQueue struct {
	ID          ID
	Created     time.Time
	Updated     time.Time
	WorkPoolID  ID
	Name        string
	Description string
	IsPaused    bool
	// ConcurrencyLimit bounds the runs of the queue that are Pending or Running; nil means none.
	ConcurrencyLimit *int
	// Priority orders the queues of a pool: runs of lower numbers go first.
	Priority   int
	LastPolled *time.Time
	Status     Readiness
	// Filter is what a queue of the oldest clients selects runs by, or nil.
	Filter json.RawMessage

	// WorkPoolName and WorkPoolType come with a queue when it is read.
	WorkPoolName string
	WorkPoolType string
}

// WorkerStatus says whether a worker was heard of lately.
type WorkerStatus string

// The values of WorkerStatus.
const (
	WorkerOnline  WorkerStatus = "ONLINE"
	WorkerOffline WorkerStatus = "OFFLINE"
)

// Enum lists the values.
func (WorkerStatus) Enum() []string { return []string{string(WorkerOnline), string(WorkerOffline)} }

// Worker is a process that polls a work pool and starts its runs.
type Worker struct {
	ID            ID
	Created       time.Time
	Updated       time.Time
	WorkPoolID    ID
	Name          string
	LastHeartbeat time.Time
	// HeartbeatInterval is in seconds; nil when the worker does not say.
	HeartbeatInterval *int
	Status            WorkerStatus
}

// DueRuns asks for runs of a queue, or of deployments, that are due.
type DueRuns struct {
	QueueID ID
	// Deployments are asked for when there is no queue.
	Deployments []ID
	// Before and After bound the time at which the runs are due; nil means no bound.
	Before *time.Time
	After  *time.Time
	Limit  int
	// Offset passes over the first runs.
	Offset int
}

// WorkPoolTx reads and writes work pools.
type WorkPoolTx interface {
	// InsertWorkPool stores a new pool; the name must be free.
	InsertWorkPool(p *WorkPool) error
	// WorkPool returns the pool, or a NotFound error. In Update the row is locked.
	WorkPool(id ID) (*WorkPool, error)
	// WorkPoolByName returns the pool, or a NotFound error. In Update the row is locked.
	WorkPoolByName(name string) (*WorkPool, error)
	// UpdateWorkPool stores all that may change in a pool.
	UpdateWorkPool(p *WorkPool) error
	// DeleteWorkPool removes the pool with its queues and workers. Runs and
	// deployments remain, without a queue.
	DeleteWorkPool(id ID) error
	// FilterWorkPools lists pools.
	FilterWorkPools(q Query) ([]*WorkPool, error)
	// CountWorkPools counts pools; sort, limit and offset do not matter.
	CountWorkPools(q Query) (int, error)
	// DesertedWorkPools lists at most limit Ready pools without an online worker.
	DesertedWorkPools(limit int) ([]ID, error)
}

// WorkQueueTx reads and writes work queues.
type WorkQueueTx interface {
	// InsertWorkQueue stores a new queue; the name must be free in its pool.
	InsertWorkQueue(q *WorkQueue) error
	// WorkQueue returns the queue, or a NotFound error. In Update the row is locked.
	WorkQueue(id ID) (*WorkQueue, error)
	// WorkQueues lists the queues of a pool by priority, at most 10,000.
	WorkQueues(poolID ID) ([]*WorkQueue, error)
	// UpdateWorkQueue stores all that may change in a queue.
	UpdateWorkQueue(q *WorkQueue) error
	// DeleteWorkQueue removes the queue. Runs and deployments remain, without a queue.
	DeleteWorkQueue(id ID) error
	// FilterWorkQueues lists queues.
	FilterWorkQueues(q Query) ([]*WorkQueue, error)
	// PollWorkQueues records that the queues were asked for runs.
	PollWorkQueues(ids []ID, at time.Time) error
	// SilentWorkQueues lists at most limit Ready queues that were not polled since the time.
	SilentWorkQueues(since time.Time, limit int) ([]ID, error)
	// DueFlowRuns lists runs that are due, the longest overdue first. Those of a
	// queue that retry in their own process are left out.
	DueFlowRuns(q DueRuns) ([]*FlowRun, error)
	// SlotsInUse counts the runs of each queue that hold a slot: Pending, Running
	// and, when asked for, Cancelling.
	SlotsInUse(queueIDs []ID, cancelling bool) (map[ID]int, error)
	// SlotHolders lists the runs that SlotsInUse counts in a queue, by id.
	SlotHolders(queueID ID, cancelling bool, limit, offset int) ([]*FlowRun, error)
}

// WorkerTx reads and writes workers.
type WorkerTx interface {
	// BeatWorker stores the worker, or that it was heard of: its last heartbeat,
	// interval (nil keeps the stored one) and status.
	BeatWorker(w *Worker) error
	// DeleteWorker removes the worker and reports whether it existed.
	DeleteWorker(poolID ID, name string) (bool, error)
	// FilterWorkers lists workers.
	FilterWorkers(q Query) ([]*Worker, error)
	// SilenceWorkers marks workers as offline whose last heartbeat is longer ago
	// than missed of their intervals, or of fallback for those that do not say.
	SilenceWorkers(now time.Time, missed int, fallback time.Duration) (int, error)
	// WorkerLives lists what is known of the lives of the pool's worker, by id.
	WorkerLives(poolID ID, name string) ([]WorkerLife, error)
	// PutWorkerLife stores a life, whether it is known or not.
	PutWorkerLife(poolID ID, name string, life WorkerLife) error
	// ForgetWorkerLives removes the lives of all workers that ended before the time.
	ForgetWorkerLives(before time.Time) error
}

// WorkerLife is one process of a worker: a worker that is started again under
// its name has another life.
type WorkerLife struct {
	// ID is made by the worker at its start; "" stands for lives that do not say theirs.
	ID string
	// Since is when it was heard of first, Until the time until which it counts as alive.
	Since, Until time.Time
}
