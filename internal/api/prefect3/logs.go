package prefect3

import (
	"context"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
)

func (a *API) logRoutes(r *api.Router) {
	r.Handle("POST", "/logs/", api.Handle(http.StatusCreated, a.createLogs))
	r.Handle("POST", "/logs/filter", api.Handle(http.StatusOK, a.filterLogs))
	r.HandleOpen("GET", "/logs/out", api.Socket(a.logsOut))
}

// logLines is the body of POST /logs/.
type logLines []client.LogCreate

// Sequence tells wire how the reference declares the body.
func (logLines) Sequence() {}

type createLogsIn struct {
	Body logLines `body:""`
}

func (a *API) createLogs(ctx context.Context, in createLogsIn) (struct{}, error) {
	lines := make([]core.Log, len(in.Body))
	logs := make([]*core.Log, len(in.Body))
	for i := range in.Body {
		b := &in.Body[i]
		lines[i] = core.Log{
			Name: b.Name, Level: b.Level, Message: b.Message, Timestamp: b.Timestamp.Time, FlowRunID: b.FlowRunID, TaskRunID: b.TaskRunID,
			WorkerID: b.WorkerID,
		}
		logs[i] = &lines[i]
	}
	return struct{}{}, a.Engine.RecordLogs(ctx, a.workspace(ctx), logs)
}

// logSort is an order of lines.
type logSort string

// Enum lists the values.
func (logSort) Enum() []string { return []string{"TIMESTAMP_ASC", "TIMESTAMP_DESC"} }

type filterLogsIn struct {
	Body struct {
		_ struct{} `wire:"embed"`
		page
		Logs *logFilter `json:"logs"`
		Sort logSort    `json:"sort" wire:"default=TIMESTAMP_ASC"`
	} `body:""`
}

func (a *API) filterLogs(ctx context.Context, in filterLogsIn) ([]client.Log, error) {
	q, err := query(filters{}, string(in.Body.Sort), in.Body.page)
	if err != nil {
		return nil, err
	}
	if in.Body.Logs != nil {
		q.Where[core.EntityLog] = &in.Body.Logs.Filter
	}
	logs, err := read(ctx, a, func(tx core.Tx) ([]*core.Log, error) { return tx.FilterLogs(q) })
	return mapped(logs, client.LogOf), err
}
