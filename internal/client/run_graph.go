package client

import (
	"encoding/json"
	"reflect"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// Graph is what a flow run consists of. Prefect REST: Graph.
type Graph struct {
	StartTime   *wire.Time      `json:"start_time"`
	EndTime     *wire.Time      `json:"end_time"`
	RootNodeIDs []core.ID       `json:"root_node_ids"`
	Nodes       []GraphEntry    `json:"nodes"`
	Artifacts   []GraphArtifact `json:"artifacts"`
	States      []GraphState    `json:"states"`
}

// GraphEntry is a node after its id.
type GraphEntry struct {
	ID   core.ID
	Node GraphNode
}

// MarshalJSON writes the pair as a list.
func (e GraphEntry) MarshalJSON() ([]byte, error) { return json.Marshal([]any{e.ID, e.Node}) }

// WireSchema describes the pair.
func (GraphEntry) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	two := 2
	return &wire.Schema{Type: "array", MinItems: &two, MaxItems: &two}
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *GraphEntry) UnmarshalJSON(data []byte) error {
	pair := []any{&e.ID, &e.Node}
	return json.Unmarshal(data, &pair)
}

// GraphNode is a task run or a subflow run. Prefect REST: Node.
type GraphNode struct {
	Kind          GraphKind       `json:"kind"`
	ID            core.ID         `json:"id"`
	Label         string          `json:"label"`
	StateType     core.StateType  `json:"state_type"`
	StartTime     wire.Time       `json:"start_time"`
	EndTime       *wire.Time      `json:"end_time"`
	Parents       []GraphEdge     `json:"parents"`
	Children      []GraphEdge     `json:"children"`
	Encapsulating []GraphEdge     `json:"encapsulating"`
	Artifacts     []GraphArtifact `json:"artifacts"`
}

// GraphKind says what a node is.
type GraphKind string

// The kinds of nodes.
const (
	FlowRunNode GraphKind = "flow-run"
	TaskRunNode GraphKind = "task-run"
)

// Enum lists the values.
func (GraphKind) Enum() []string { return []string{string(FlowRunNode), string(TaskRunNode)} }

// GraphEdge names the other end. Prefect REST: Edge.
type GraphEdge struct {
	ID core.ID `json:"id"`
}

// GraphArtifact is an artifact of a node or of the flow run. Prefect REST: GraphArtifact.
type GraphArtifact struct {
	ID       core.ID         `json:"id"`
	Created  wire.Time       `json:"created"`
	Key      *string         `json:"key"`
	Type     *string         `json:"type"`
	IsLatest bool            `json:"is_latest"`
	Data     json.RawMessage `json:"data"`
}

// GraphArtifactOf shows an artifact; data are told of progress only.
func GraphArtifactOf(a *core.GraphArtifact) GraphArtifact {
	out := GraphArtifact{ID: a.ID, Created: wire.FromTime(a.Created), Key: a.Key, Type: a.Type, IsLatest: a.Latest}
	if a.Type != nil && *a.Type == "progress" {
		out.Data = a.Data
	}
	return out
}

// GraphState is a state that the flow run was in. Prefect REST: GraphState.
type GraphState struct {
	ID        core.ID        `json:"id"`
	Timestamp wire.Time      `json:"timestamp"`
	Type      core.StateType `json:"type"`
	Name      string         `json:"name"`
}

// GraphStateOf shows a state.
func GraphStateOf(s *core.State) GraphState {
	return GraphState{ID: s.ID, Timestamp: wire.FromTime(s.Timestamp), Type: s.Type, Name: s.Name}
}

// Dependency is a task run and what it waited for. Prefect REST: DependencyResult.
type Dependency struct {
	ID                core.ID         `json:"id"`
	Name              string          `json:"name"`
	Upstream          []TaskRunResult `json:"upstream_dependencies"`
	State             *State          `json:"state"`
	ExpectedStartTime *wire.Time      `json:"expected_start_time"`
	StartTime         *wire.Time      `json:"start_time"`
	EndTime           *wire.Time      `json:"end_time"`
	TotalRunTime      *wire.Float     `json:"total_run_time"`
	EstimatedRunTime  *wire.Float     `json:"estimated_run_time"`
	UntrackableResult bool            `json:"untrackable_result"`
}

// TaskRunResult is an input of a task run that another one made. Prefect REST: TaskRunResult.
type TaskRunResult struct {
	InputType TaskRunInput `json:"input_type"`
	ID        core.ID      `json:"id"`
}

// TaskRunInput is the type of such an input.
type TaskRunInput string

// Enum lists the values.
func (TaskRunInput) Enum() []string { return []string{"task_run"} }

// DependencyOf shows a task run, with its inputs that are results of task runs, each once.
func DependencyOf(t TaskRun) Dependency {
	d := Dependency{
		ID: t.ID, Name: t.Name, Upstream: []TaskRunResult{}, State: t.State, ExpectedStartTime: t.ExpectedStartTime, StartTime: t.StartTime,
		EndTime: t.EndTime, TotalRunTime: &t.TotalRunTime, EstimatedRunTime: &t.EstimatedRunTime,
	}
	if t.State != nil {
		d.UntrackableResult = t.State.Details.UntrackableResult
	}
	seen := map[core.ID]bool{}
	for _, in := range core.TaskInputs(json.RawMessage(t.TaskInputs)) {
		if in.Type == "task_run" && !seen[in.ID] {
			seen[in.ID] = true
			d.Upstream = append(d.Upstream, TaskRunResult{InputType: TaskRunInput(in.Type), ID: in.ID})
		}
	}
	return d
}
