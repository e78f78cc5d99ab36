package client

import (
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// Flow is a flow as the API shows it. Prefect REST: Flow.
type Flow struct {
	ID      core.ID     `json:"id"`
	Created wire.Time   `json:"created"`
	Updated wire.Time   `json:"updated"`
	Name    string      `json:"name"`
	Tags    []string    `json:"tags"`
	Labels  wire.Labels `json:"labels"`
}

// FlowOf shows a flow.
func FlowOf(f *core.Flow) Flow {
	return Flow{
		ID: f.ID, Created: wire.FromTime(f.Created), Updated: wire.FromTime(f.Updated), Name: f.Name,
		Tags: NotNil(f.Tags), Labels: wire.Labels(f.Labels),
	}
}

// FlowCreate is the body of POST /flows/.
type FlowCreate struct {
	_      struct{}              `wire:"forbid"`
	Name   string                `json:"name" wire:"required,pattern=name"`
	Tags   []string              `json:"tags"`
	Labels wire.Opt[wire.Labels] `json:"labels,omitzero"`
}

// FlowUpdate is the body of PATCH /flows/{id}.
type FlowUpdate struct {
	_    struct{}          `wire:"forbid"`
	Tags NotNull[[]string] `json:"tags,omitzero"`
}

// NotNil shows a list without elements as [].
func NotNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
