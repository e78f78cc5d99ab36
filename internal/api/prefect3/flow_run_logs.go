package prefect3

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/core"
)

func (a *API) logDownloadRoutes(r *api.Router) {
	r.Handle("GET", "/flow_runs/{id:uuid}/logs/download", api.Handle(http.StatusOK, a.downloadLogs))
}

// downloadPage is how many lines are read at once.
const downloadPage = 1000

// downloadLogs sends the lines of a flow run and its task runs as CSV, as
// Python's csv module writes it. Prefect REST: GET /flow_runs/{id}/logs/download.
func (a *API) downloadLogs(ctx context.Context, in byID) (api.Response, error) {
	run, err := read(ctx, a, func(tx core.Tx) (*core.FlowRun, error) { return tx.FlowRun(in.ID) })
	if err != nil {
		return api.Response{}, err
	}
	name := strings.ReplaceAll(url.QueryEscape(run.Name+"-logs.csv"), "+", "%20")
	return api.Response{
		Header: http.Header{
			"Content-Type":        {"text/csv; charset=utf-8"},
			"Content-Disposition": {`attachment; filename="flow-run-logs.csv"; filename*=UTF-8''` + name},
		},
		Body: api.Stream(func(w io.Writer) error { return a.writeLogs(ctx, w, in.ID) }),
	}, nil
}

func (a *API) writeLogs(ctx context.Context, w io.Writer, runID core.ID) error {
	if _, err := io.WriteString(w, "timestamp,level,flow_run_id,task_run_id,message\r\n"); err != nil {
		return err
	}
	q := core.On(core.EntityLog, core.Cond{Field: "flow_run_id", Op: core.OpAny, Value: []core.ID{runID}})
	q.Sort, q.Limit = "TIMESTAMP_ASC", downloadPage
	for ; ; q.Offset += downloadPage {
		logs, err := read(ctx, a, func(tx core.Tx) ([]*core.Log, error) { return tx.FilterLogs(q) })
		if err != nil {
			return err
		}
		var page []byte
		for _, l := range logs {
			page = appendLog(page, l)
		}
		if _, err := w.Write(page); err != nil || len(logs) < downloadPage {
			return err
		}
	}
}

// appendLog writes a line.
func appendLog(b []byte, l *core.Log) []byte {
	layout := "2006-01-02 15:04:05+00:00"
	if l.Timestamp.Nanosecond() >= 1000 {
		layout = "2006-01-02 15:04:05.000000+00:00"
	}
	b = l.Timestamp.UTC().AppendFormat(b, layout)
	b = append(strconv.AppendInt(append(b, ','), int64(l.Level), 10), ',')
	if l.FlowRunID != nil {
		b = append(b, l.FlowRunID.String()...)
	}
	b = append(b, ',')
	if l.TaskRunID != nil {
		b = append(b, l.TaskRunID.String()...)
	}
	b = append(b, ',')
	if strings.ContainsAny(l.Message, ",\"\r\n") {
		b = append(b, '"')
		b = append(b, strings.ReplaceAll(l.Message, `"`, `""`)...)
		b = append(b, '"')
	} else {
		b = append(b, l.Message...)
	}
	return append(b, "\r\n"...)
}
