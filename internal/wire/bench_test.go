package wire_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

type stateCreate struct {
	_         struct{}        `wire:"forbid"`
	Type      core.StateType  `json:"type" wire:"required"`
	Name      *string         `json:"name"`
	Message   *string         `json:"message"`
	Data      json.RawMessage `json:"data"`
	Timestamp *wire.Time      `json:"timestamp"`
}

type flowRunCreate struct {
	_          struct{}        `wire:"forbid"`
	Name       *string         `json:"name"`
	FlowID     core.ID         `json:"flow_id" wire:"required"`
	Parameters json.RawMessage `json:"parameters" wire:"object"`
	Context    json.RawMessage `json:"context" wire:"object"`
	Tags       []string        `json:"tags"`
	Labels     wire.Labels     `json:"labels"`
	ParentID   *core.ID        `json:"parent_task_run_id"`
	State      *stateCreate    `json:"state"`
	Key        *string         `json:"idempotency_key"`
}

type logCreate struct {
	_         struct{}  `wire:"forbid"`
	Name      string    `json:"name" wire:"required"`
	Level     int       `json:"level" wire:"required"`
	Message   string    `json:"message" wire:"required"`
	Timestamp wire.Time `json:"timestamp" wire:"required"`
	FlowRunID *core.ID  `json:"flow_run_id"`
	TaskRunID *core.ID  `json:"task_run_id"`
}

const flowRunBody = `{"name":"merry-otter","flow_id":"0190d0f0-0000-7000-8000-000000000001","parameters":{"n":3,"names":["a","b"],"rate":1.5},` +
	`"context":{},"tags":["prod","etl"],"labels":{"prefect.flow.id":"0190d0f0-0000-7000-8000-000000000001"},"parent_task_run_id":null,` +
	`"state":{"type":"PENDING","name":"Pending","message":null,"data":null,"timestamp":"2026-11-22T07:24:09.092036Z"},"idempotency_key":null}`

func logsBody() []byte {
	lines := make([]string, 100)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"name":"prefect.flow_runs","level":20,"message":"Line %d of a run that says \"hello\" now and then","timestamp":"2026-11-22T07:24:09.%06dZ",`+
			`"flow_run_id":"0190d0f0-0000-7000-8000-000000000001","task_run_id":null}`, i, i)
	}
	return []byte("[" + strings.Join(lines, ",") + "]")
}

func BenchmarkDecode(b *testing.B) {
	b.Run("flow run", func(b *testing.B) { benchmark[flowRunCreate](b, []byte(flowRunBody), wire.Decode) })
	b.Run("100 logs", func(b *testing.B) { benchmark[[]logCreate](b, logsBody(), wire.Decode) })
}

// BenchmarkEncodingJSON is what Decode is measured against.
func BenchmarkEncodingJSON(b *testing.B) {
	decode := func(body []byte, dst any) error { return json.Unmarshal(body, dst) }
	b.Run("flow run", func(b *testing.B) { benchmark[flowRunCreate](b, []byte(flowRunBody), decode) })
	b.Run("100 logs", func(b *testing.B) { benchmark[[]logCreate](b, logsBody(), decode) })
}

func benchmark[T any](b *testing.B, body []byte, decode func([]byte, any) error) {
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var v T
		if err := decode(body, &v); err != nil {
			b.Fatal(err)
		}
	}
}
