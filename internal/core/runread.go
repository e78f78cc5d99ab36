package core

import (
	"encoding/json"
	"time"
)

// Buckets divides time from Start on into equal parts.
type Buckets struct {
	Start time.Time
	// Width is at least a microsecond.
	Width time.Duration
	Count int
}

// End returns when the last bucket ends.
func (b Buckets) End() time.Time { return b.At(b.Count) }

// At returns when the bucket with the number, from 0, begins.
func (b Buckets) At(i int) time.Time {
	return time.UnixMicro(b.Start.UnixMicro() + int64(i)*b.Width.Microseconds()).UTC()
}

// RunCount says how many runs expected in a bucket are in a state.
type RunCount struct {
	Bucket    int
	StateType StateType
	StateName string
	Runs      int
	// RunTime and Lateness are sums over the runs, each run's in whole seconds.
	RunTime, Lateness time.Duration
}

// BriefFlowRun is the little that is drawn of a flow run.
type BriefFlowRun struct {
	ID        ID
	StateType StateType
	// At is when the run started or, before that, is expected to.
	At                time.Time
	RunTime, Lateness time.Duration
}

// NextFlowRun is a flow's scheduled run that is due first.
type NextFlowRun struct {
	ID, FlowID ID
	Name       string
	StateName  string
	StateType  StateType
	Due        time.Time
}

// EndedCount counts task runs that started in a bucket and have ended.
type EndedCount struct {
	Bucket, Completed, Failed int
}

// GraphNode is a task run of a flow run, or the subflow run that it stands for.
type GraphNode struct {
	ID ID
	// Subflow tells that it is a flow run.
	Subflow bool
	// Label is the task run's name, or the flow's and the flow run's.
	Label     string
	StateType StateType
	Start     time.Time
	End       *time.Time
	// Inputs are the task run's inputs as they are stored.
	Inputs json.RawMessage
}

// GraphArtifact is an artifact of a flow run.
type GraphArtifact struct {
	Artifact
	// Latest tells that no newer artifact has its key.
	Latest bool
}

// RunReadTx answers questions about many runs at once: what dashboards show.
type RunReadTx interface {
	// FlowRunHistory counts the runs that q selects by the bucket of their
	// expected start and by state, in this order.
	FlowRunHistory(q Query, b Buckets, now time.Time) ([]RunCount, error)
	// TaskRunHistory is FlowRunHistory for task runs.
	TaskRunHistory(q Query, b Buckets, now time.Time) ([]RunCount, error)
	// FlowRunLateness returns the average lateness in seconds of the runs that q
	// selects, each in whole seconds; nil when there are none.
	FlowRunLateness(q Query, now time.Time) (*float64, error)
	// BriefFlowRuns lists runs that have a state and a time.
	BriefFlowRuns(q Query, now time.Time) ([]BriefFlowRun, error)
	// NextFlowRuns returns each flow's scheduled run that is due first, for those that have one.
	NextFlowRuns(flowIDs []ID) ([]NextFlowRun, error)
	// CountTasksOfRuns counts the task runs of each flow run that stand for no
	// subflow; flow runs without any are left out.
	CountTasksOfRuns(flowRunIDs []ID) (map[ID]int, error)
	// CountDeploymentsOfFlows counts each flow's deployments; flows without any are left out.
	CountDeploymentsOfFlows(flowIDs []ID) (map[ID]int, error)
	// CountTaskRunsByState counts task runs by the type of their state.
	CountTaskRunsByState(q Query) (map[StateType]int, error)
	// CountEndedTaskRuns counts task runs that have ended by the bucket in which they started.
	CountEndedTaskRuns(q Query, b Buckets) ([]EndedCount, error)
	// GraphNodes lists what a flow run consists of, by id.
	GraphNodes(flowRunID ID) ([]GraphNode, error)
	// CountGraphNodes counts the nodes that have not ended before the time, at most limit.
	CountGraphNodes(flowRunID ID, since time.Time, limit int) (int, error)
	// GraphArtifacts lists at most limit artifacts of a flow run that are no results, oldest first.
	GraphArtifacts(flowRunID ID, limit int) ([]GraphArtifact, error)
}

// RunTallyTx keeps a tally of flow runs, by which many of them are counted at
// once. The tally only makes RunReadTx and CountFlowRuns faster: what they
// answer is the same without it.
type RunTallyTx interface {
	// AdvanceRunTally brings the tally a step nearer to holding all runs that were
	// expected before the time, and reports whether another step should follow at once.
	AdvanceRunTally(before time.Time) (more bool, err error)
	// RunTallyMark returns up to when runs are in the tally; false when there is none yet.
	RunTallyMark() (time.Time, bool, error)
}
