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
	r.Handle("POST", "/logs/filter", api.Handle(http.StatusOK, list[logList](a, each(core.Tx.FilterLogs, client.LogOf))))
	r.HandleOpen("GET", "/logs/out", api.Socket(a.logsOut))
}

// logLines is the body of POST /logs/.
type logLines []client.LogCreate

// Sequence tells wire how the reference declares the body.
func (logLines) Sequence() {}

func (a *API) createLogs(ctx context.Context, in bodyIn[logLines]) (struct{}, error) {
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

// logList is the body of POST /logs/filter.
type logList struct {
	_ struct{} `wire:"embed"`
	page
	Logs *filter[ofLog] `json:"logs"`
	Sort logSort        `json:"sort" wire:"default=TIMESTAMP_ASC"`
}

func (l logList) order() string    { return string(l.Sort) }
func (l logList) where() selection { return where(l.Logs) }
