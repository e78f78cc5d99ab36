package prefect3

import (
	"context"
	"fmt"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

func (a *API) flowRunGraphRoutes(r *api.Router) {
	r.Handle("GET", "/flow_runs/{id:uuid}/graph", api.Handle(http.StatusOK, a.dependencies))
	r.Handle("GET", "/flow_runs/{id:uuid}/graph-v2", api.Handle(http.StatusOK, a.graph))
}

// dependencies lists the newest task runs of a flow run with what they waited
// for. Prefect REST: GET /flow_runs/{id}/graph.
func (a *API) dependencies(ctx context.Context, in byID) ([]client.Dependency, error) {
	return read(ctx, a, func(tx core.Tx) ([]client.Dependency, error) {
		if _, err := tx.FlowRun(in.ID); err != nil {
			return nil, missingException(err, "Flow run with id "+in.ID.String()+" not found")
		}
		q := core.On(core.EntityTaskRun, core.Cond{Field: "flow_run_id", Op: core.OpAny, Value: []core.ID{in.ID}})
		q.Limit = maxNodes
		found, err := tx.FilterTaskRuns(q)
		return mapped(found, func(r *core.TaskRun) client.Dependency { return client.DependencyOf(a.taskRunOf(r)) }), err
	})
}

const (
	// maxNodes is how many nodes a graph has at most.
	maxNodes = 10_000
	// maxArtifacts is how many of a flow run's artifacts are shown.
	maxArtifacts = 10_000
)

type graphIn struct {
	ID    core.ID   `path:"id"`
	Since wire.Time `query:"since" wire:"default=0001-01-01T00:00:00+00:00"`
}

// graph shows the task runs and subflow runs of a flow run, or those that have
// not ended before a time. Prefect REST: GET /flow_runs/{id}/graph-v2.
func (a *API) graph(ctx context.Context, in graphIn) (client.Graph, error) {
	return read(ctx, a, func(tx core.Tx) (out client.Graph, err error) {
		run, err := tx.FlowRun(in.ID)
		if err != nil {
			return out, missingException(err, "Flow run "+in.ID.String()+" not found")
		}
		out = client.Graph{EndTime: wire.FromTimePtr(run.EndTime), RootNodeIDs: []core.ID{}, Nodes: []client.GraphEntry{}}
		out.StartTime = wire.FromTimePtr(run.ExpectedStartTime)
		if run.StartTime != nil {
			out.StartTime = wire.FromTimePtr(run.StartTime)
		}
		n, err := tx.CountGraphNodes(in.ID, in.Since.Time, maxNodes+1)
		if err != nil {
			return out, err
		}
		if n > maxNodes {
			return out, refusal(http.StatusBadRequest, fmt.Sprintf("The graph of flow run %s has more than %d nodes.", in.ID, maxNodes))
		}
		artifacts, err := graphArtifacts(tx, in.ID)
		if err != nil {
			return out, err
		}
		states, err := tx.FlowRunStates(in.ID)
		if err != nil {
			return out, err
		}
		nodes, err := tx.GraphNodes(in.ID)
		if err != nil {
			return out, err
		}
		out.Artifacts, out.States = client.NotNil(artifacts[core.ID{}]), mapped(states, client.GraphStateOf)
		for _, node := range core.LinkNodes(nodes, in.Since.Time) {
			if len(node.Parents) == 0 {
				out.RootNodeIDs = append(out.RootNodeIDs, node.ID)
			}
			out.Nodes = append(out.Nodes, client.GraphEntry{ID: node.ID, Node: graphNode(node, artifacts[node.ID])})
		}
		return out, nil
	})
}

// graphArtifacts returns a flow run's artifacts by task run, those of none under the zero id.
func graphArtifacts(tx core.Tx, flowRunID core.ID) (map[core.ID][]client.GraphArtifact, error) {
	found, err := tx.GraphArtifacts(flowRunID, maxArtifacts)
	out := map[core.ID][]client.GraphArtifact{}
	for i := range found {
		var of core.ID
		if found[i].TaskRunID != nil {
			of = *found[i].TaskRunID
		}
		out[of] = append(out[of], client.GraphArtifactOf(&found[i]))
	}
	return out, err
}

func graphNode(n core.LinkedNode, artifacts []client.GraphArtifact) client.GraphNode {
	kind := client.TaskRunNode
	if n.Subflow {
		kind = client.FlowRunNode
	}
	edges := func(ids []core.ID) []client.GraphEdge {
		return mapped(ids, func(id core.ID) client.GraphEdge { return client.GraphEdge{ID: id} })
	}
	return client.GraphNode{
		Kind: kind, ID: n.ID, Label: n.Label, StateType: n.StateType, StartTime: wire.FromTime(n.Start), EndTime: wire.FromTimePtr(n.End),
		Parents: edges(n.Parents), Children: edges(n.Children), Encapsulating: edges(n.Encapsulating), Artifacts: client.NotNil(artifacts),
	}
}
