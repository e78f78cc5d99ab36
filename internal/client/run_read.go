package client

import (
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// History is one interval of a history of runs. Prefect REST: HistoryResponse.
type History struct {
	IntervalStart wire.Time      `json:"interval_start"`
	IntervalEnd   wire.Time      `json:"interval_end"`
	States        []HistoryState `json:"states"`
}

// HistoryState counts an interval's runs in a state. Prefect REST: HistoryResponseState.
type HistoryState struct {
	StateType core.StateType `json:"state_type"`
	StateName string         `json:"state_name"`
	Runs      int            `json:"count_runs"`
	// RunTime and Lateness are in seconds.
	RunTime  wire.Float `json:"sum_estimated_run_time"`
	Lateness wire.Float `json:"sum_estimated_lateness"`
}

// HistoryOf shows a history; counts are in the order of their buckets. Runs
// without a state are left out.
func HistoryOf(b core.Buckets, counts []core.RunCount) []History {
	out := make([]History, b.Count)
	for i := range out {
		out[i] = History{IntervalStart: wire.FromTime(b.At(i)), IntervalEnd: wire.FromTime(b.At(i + 1)), States: []HistoryState{}}
	}
	for _, c := range counts {
		if c.StateType != "" && c.Bucket >= 0 && c.Bucket < len(out) {
			out[c.Bucket].States = append(out[c.Bucket].States, HistoryState{
				StateType: c.StateType, StateName: c.StateName, Runs: c.Runs, RunTime: seconds(c.RunTime), Lateness: seconds(c.Lateness),
			})
		}
	}
	return out
}

// BriefFlowRun is what the UI draws of a flow run. Prefect REST: SimpleFlowRun.
type BriefFlowRun struct {
	ID        core.ID        `json:"id"`
	StateType core.StateType `json:"state_type"`
	Timestamp wire.Time      `json:"timestamp"`
	Duration  wire.Float     `json:"duration"`
	Lateness  wire.Float     `json:"lateness"`
}

// BriefFlowRunOf shows a run.
func BriefFlowRunOf(r core.BriefFlowRun) BriefFlowRun {
	return BriefFlowRun{
		ID: r.ID, StateType: r.StateType, Timestamp: wire.FromTime(r.At), Duration: seconds(r.RunTime), Lateness: seconds(r.Lateness),
	}
}

// NextFlowRun is a flow's next scheduled run. Prefect REST: SimpleNextFlowRun.
type NextFlowRun struct {
	ID        core.ID        `json:"id"`
	FlowID    core.ID        `json:"flow_id"`
	Name      string         `json:"name"`
	StateName string         `json:"state_name"`
	StateType core.StateType `json:"state_type"`
	Due       wire.Time      `json:"next_scheduled_start_time"`
}

// NextFlowRunOf shows a run.
func NextFlowRunOf(r core.NextFlowRun) NextFlowRun {
	return NextFlowRun{ID: r.ID, FlowID: r.FlowID, Name: r.Name, StateName: r.StateName, StateType: r.StateType, Due: wire.FromTime(r.Due)}
}

// StateCounts counts runs by the type of their state. Prefect REST: CountByState.
type StateCounts struct {
	Completed  int `json:"COMPLETED"`
	Pending    int `json:"PENDING"`
	Running    int `json:"RUNNING"`
	Failed     int `json:"FAILED"`
	Cancelled  int `json:"CANCELLED"`
	Crashed    int `json:"CRASHED"`
	Paused     int `json:"PAUSED"`
	Cancelling int `json:"CANCELLING"`
	Scheduled  int `json:"SCHEDULED"`
}

// StateCountsOf shows counts.
func StateCountsOf(n map[core.StateType]int) StateCounts {
	return StateCounts{
		Completed: n[core.Completed], Pending: n[core.Pending], Running: n[core.Running], Failed: n[core.Failed], Cancelled: n[core.Cancelled],
		Crashed: n[core.Crashed], Paused: n[core.Paused], Cancelling: n[core.Cancelling], Scheduled: n[core.Scheduled],
	}
}

// EndedTaskRuns counts task runs of a part of the time that the dashboard
// shows. Prefect REST: TaskRunCount.
type EndedTaskRuns map[string]int

// The keys of EndedTaskRuns.
const (
	EndedCompleted = "completed"
	EndedFailed    = "failed"
)

// NamedTaskRun is a task run with the name of its flow run, if that has one.
// Prefect REST: UITaskRun.
type NamedTaskRun struct {
	TaskRun
	FlowRunName *string `json:"flow_run_name"`
}

// ListedTaskRun is a task run as pages of them show it. Prefect REST: TaskRunResponse.
type ListedTaskRun struct {
	ID                      core.ID               `json:"id"`
	Created                 wire.Time             `json:"created"`
	Updated                 wire.Time             `json:"updated"`
	Name                    string                `json:"name"`
	FlowRunID               *core.ID              `json:"flow_run_id"`
	TaskKey                 string                `json:"task_key"`
	StateID                 *core.ID              `json:"state_id"`
	State                   *State                `json:"state"`
	TaskVersion             *string               `json:"task_version"`
	TaskInputs              wire.JSON[taskInputs] `json:"task_inputs"`
	Policy                  TaskRunPolicy         `json:"empirical_policy"`
	Tags                    []string              `json:"tags"`
	StartTime               *wire.Time            `json:"start_time"`
	EndTime                 *wire.Time            `json:"end_time"`
	TotalRunTime            wire.Float            `json:"total_run_time"`
	EstimatedRunTime        wire.Float            `json:"estimated_run_time"`
	EstimatedStartTimeDelta wire.Float            `json:"estimated_start_time_delta"`
}

// ListedTaskRunOf shows a run; what is estimated is so for the time now.
func ListedTaskRunOf(r *core.TaskRun, now time.Time) ListedTaskRun {
	t := TaskRunOf(r, now)
	return ListedTaskRun{
		ID: t.ID, Created: t.Created, Updated: t.Updated, Name: t.Name, FlowRunID: t.FlowRunID, TaskKey: t.TaskKey, StateID: t.StateID,
		State: t.State, TaskVersion: t.TaskVersion, TaskInputs: t.TaskInputs, Policy: t.Policy, Tags: t.Tags,
		StartTime: t.StartTime, EndTime: t.EndTime, TotalRunTime: t.TotalRunTime, EstimatedRunTime: t.EstimatedRunTime,
		EstimatedStartTimeDelta: t.EstimatedStartTimeDelta,
	}
}

// OrchestrationResult is what became of one run of many for which a state was
// proposed. Prefect REST: FlowRunOrchestrationResult.
type OrchestrationResult struct {
	FlowRunID core.ID        `json:"flow_run_id"`
	Status    SetStateStatus `json:"status"`
	State     *State         `json:"state"`
	Details   map[string]any `json:"details"`
}

// OrchestrationResults is the answer to bulk_set_state. Prefect REST: FlowRunBulkSetStateResponse.
type OrchestrationResults struct {
	Results []OrchestrationResult `json:"results"`
}

// TaskWorker is a process that takes background task runs. Prefect REST: TaskWorkerResponse.
type TaskWorker struct {
	Identifier string    `json:"identifier"`
	TaskKeys   []string  `json:"task_keys"`
	Timestamp  wire.Time `json:"timestamp"`
}
