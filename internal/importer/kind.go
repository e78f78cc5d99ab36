package importer

import (
	"fmt"
	"slices"
	"strings"
)

// Kind names what a row is; it is also the name of a file of an export.
type Kind string

// The kinds.
const (
	Flows               Kind = "flows"
	ConcurrencyLimits   Kind = "concurrency_limits"
	WorkPools           Kind = "work_pools"
	WorkQueues          Kind = "work_queues"
	BlockTypes          Kind = "block_types"
	BlockSchemas        Kind = "block_schemas"
	BlockDocuments      Kind = "block_documents"
	ResultStorage       Kind = "result_storage"
	Variables           Kind = "variables"
	Deployments         Kind = "deployments"
	Automations         Kind = "automations"
	SavedSearches       Kind = "saved_searches"
	TaskRuns            Kind = "task_runs"
	Logs                Kind = "logs"
	FlowRuns            Kind = "flow_runs"
	Artifacts           Kind = "artifacts"
	ArtifactCollections Kind = "artifact_collections"
	Events              Kind = "events"
	// marks say that a copy came to its end.
	marks Kind = "marks"
)

// Kinds lists all kinds in the order in which they are copied.
func Kinds() []Kind { return append(settingKinds(), historyKinds()...) }

// settingKinds are what users have set up.
func settingKinds() []Kind {
	return []Kind{
		Flows, ConcurrencyLimits, BlockTypes, BlockSchemas, BlockDocuments, ResultStorage, WorkPools, WorkQueues, Variables, Deployments,
		Automations, SavedSearches,
	}
}

// historyKinds are what has happened.
func historyKinds() []Kind {
	return []Kind{TaskRuns, Logs, FlowRuns, Artifacts, ArtifactCollections, Events}
}

// ParseKinds reads names of kinds; blocks stands for all three kinds of blocks,
// work_pools brings the queues along and artifacts their collections.
func ParseKinds(names []string) ([]Kind, error) {
	var out []Kind
	for _, name := range names {
		k := Kind(strings.ReplaceAll(strings.TrimSpace(name), "-", "_"))
		switch {
		case k == "blocks":
			out = append(out, BlockTypes, BlockSchemas, BlockDocuments, ResultStorage)
		case k == WorkPools:
			out = append(out, WorkPools, WorkQueues)
		case k == Artifacts:
			out = append(out, Artifacts, ArtifactCollections)
		case slices.Contains(Kinds(), k):
			out = append(out, k)
		default:
			return nil, fmt.Errorf("there is no kind %q; there are blocks and %s", name, joinKinds(Kinds()))
		}
	}
	return out, nil
}

func joinKinds(kinds []Kind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

// words is a kind as people read it.
func (k Kind) words() string { return strings.ReplaceAll(string(k), "_", " ") }
