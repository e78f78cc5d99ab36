package prefect3

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

func (a *API) runHistoryRoutes(r *api.Router) {
	r.Handle("POST", "/flow_runs/history", api.Handle(http.StatusOK, history[flowRunHistory](a, core.Tx.FlowRunHistory)))
	r.Handle("POST", "/flow_runs/lateness", api.Handle(http.StatusOK, a.flowRunLateness))
	r.Handle("POST", "/task_runs/history", api.Handle(http.StatusOK, history[taskRunHistory](a, core.Tx.TaskRunHistory)))
	r.Handle("POST", "/ui/flow_runs/history", api.Handle(http.StatusOK, a.briefFlowRuns))
	r.Handle("POST", "/ui/task_runs/dashboard/counts", api.Handle(http.StatusOK, a.endedTaskRuns))
	r.Handle("POST", "/ui/task_runs/count", api.Handle(http.StatusOK, a.countTaskRunsByState))
}

const (
	// maxIntervals is how many intervals a history has at most; what comes after them is left out.
	maxIntervals = 500
	// maxInterval is the longest interval in seconds: what a duration holds.
	maxInterval = 290 * 365 * 24 * 3600
)

// historyRange is the part of a body that divides time into intervals.
type historyRange struct {
	_        struct{}  `wire:"embed"`
	Start    wire.Time `json:"history_start" wire:"required"`
	End      wire.Time `json:"history_end" wire:"required"`
	Interval float64   `json:"history_interval_seconds" wire:"required"`
}

// buckets returns the intervals; an empty range has none.
func (h historyRange) buckets() (core.Buckets, error) {
	switch {
	case math.IsNaN(h.Interval) || h.Interval > maxInterval:
		return core.Buckets{}, refusal(http.StatusUnprocessableEntity, "History interval is too long.")
	case h.Interval < 1:
		return core.Buckets{}, refusal(http.StatusUnprocessableEntity, "History interval must not be less than 1 second.")
	}
	width := int64(math.RoundToEven(h.Interval * 1e6))
	elapsed := h.End.UnixMicro() - h.Start.UnixMicro()
	count := 0
	if elapsed > 0 {
		count = int(min((elapsed+width-1)/width, maxIntervals))
	}
	b := core.Buckets{Start: h.Start.Time, Width: time.Duration(width) * time.Microsecond, Count: count}
	if h.Start.UnixMicro() > lastMicro-int64(count)*width {
		return b, refusal(http.StatusUnprocessableEntity, "The last history interval ends after the year 9999.")
	}
	return b, nil
}

// lastMicro is the end of the year 9999, the last that the reference can write.
const lastMicro = 253402300800*1_000_000 - 1

func (h historyRange) over() historyRange { return h }

// The bodies of histories.
type (
	flowRunHistory struct {
		historyRange
		flowFilters
		// The reference calls this filter by another name here than in lists.
		WorkQueues *filter[ofWorkQueue] `json:"work_queues"`
	}
	taskRunHistory struct {
		historyRange
		runFilters
	}
)

func (h flowRunHistory) where() selection {
	s := h.flowFilters.where()
	h.WorkQueues.into(s)
	return s
}

// history makes a handler that counts runs by interval and state. Prefect REST:
// POST /flow_runs/history, POST /task_runs/history.
func history[B interface {
	selecting
	over() historyRange
}](
	a *API, counts func(core.Tx, core.Query, core.Buckets, time.Time) ([]core.RunCount, error),
) func(context.Context, bodyIn[B]) ([]client.History, error) {
	return func(ctx context.Context, in bodyIn[B]) ([]client.History, error) {
		b, err := in.Body.over().buckets()
		if err != nil || b.Count == 0 {
			return nil, err
		}
		return read(ctx, a, func(tx core.Tx) ([]client.History, error) {
			found, err := counts(tx, core.Query{Where: in.Body.where()}, b, a.Now())
			return client.HistoryOf(b, found), err
		})
	}
}

// flowRunLateness answers with an average in seconds, or null. Prefect REST: POST /flow_runs/lateness.
func (a *API) flowRunLateness(ctx context.Context, in bodyIn[filters]) (*wire.Float, error) {
	return read(ctx, a, func(tx core.Tx) (*wire.Float, error) {
		late, err := tx.FlowRunLateness(core.Query{Where: in.Body.where()}, a.Now())
		return (*wire.Float)(late), err
	})
}

// maxBrief is how many runs the UI draws at once.
const maxBrief = 1000

// briefFlowRunOrder is the part of a body that orders what the UI draws.
type briefFlowRunOrder struct {
	Sort flowRunSort `json:"sort" wire:"default=EXPECTED_START_TIME_DESC"`
}

// briefFlowRunList is the body of POST /ui/flow_runs/history.
type briefFlowRunList struct {
	_ struct{} `wire:"embed"`
	briefFlowRunOrder
	Limit  int `json:"limit" wire:"le=1000,default=1000"`
	Offset int `json:"offset" wire:"ge=0"`
	flowFilters
}

// briefFlowRuns lists runs as the UI draws them. A negative limit is none, and
// then the most that are shown are. Prefect REST: POST /ui/flow_runs/history.
func (a *API) briefFlowRuns(ctx context.Context, in bodyIn[briefFlowRunList]) ([]client.BriefFlowRun, error) {
	q := core.Query{Where: in.Body.where(), Sort: string(in.Body.Sort), Limit: in.Body.Limit, Offset: in.Body.Offset}
	if q.Limit < 0 {
		q.Limit = maxBrief
	}
	return read(ctx, a, func(tx core.Tx) ([]client.BriefFlowRun, error) {
		found, err := tx.BriefFlowRuns(q, a.Now())
		return mapped(found, client.BriefFlowRunOf), err
	})
}

func (a *API) countTaskRunsByState(ctx context.Context, in bodyIn[runFilters]) (client.StateCounts, error) {
	return read(ctx, a, func(tx core.Tx) (client.StateCounts, error) {
		n, err := tx.CountTaskRunsByState(core.Query{Where: in.Body.where()})
		return client.StateCountsOf(n), err
	})
}

// dashboardParts is into how many parts the dashboard divides its time.
const dashboardParts = 20

// endedTaskRunsBody is the body of POST /ui/task_runs/dashboard/counts.
type endedTaskRunsBody struct {
	_           struct{}              `wire:"embed"`
	TaskRuns    filter[ofTaskRun]     `json:"task_runs" wire:"required"`
	Flows       *filter[ofFlow]       `json:"flows"`
	FlowRuns    *filter[ofFlowRun]    `json:"flow_runs"`
	Deployments *filter[ofDeployment] `json:"deployments"`
	WorkPools   *filter[ofWorkPool]   `json:"work_pools"`
	WorkQueues  *filter[ofWorkQueue]  `json:"work_queues"`
}

// endedTaskRuns counts the task runs that have ended in twenty equal parts of
// the time that the filter spans. What the filter asks of states is not looked
// at. Prefect REST: POST /ui/task_runs/dashboard/counts.
func (a *API) endedTaskRuns(ctx context.Context, in bodyIn[endedTaskRunsBody]) ([]client.EndedTaskRuns, error) {
	b := &in.Body
	since, until := startBounds(&b.TaskRuns.Filter)
	if since == nil {
		return nil, refusal(http.StatusUnprocessableEntity, "task_runs.start_time.after_ is required")
	}
	if until == nil {
		now := a.Now()
		until = &now
	}
	out := make([]client.EndedTaskRuns, dashboardParts)
	for i := range out {
		out[i] = client.EndedTaskRuns{client.EndedCompleted: 0, client.EndedFailed: 0}
	}
	buckets := core.Buckets{Start: since.UTC().Truncate(time.Minute), Count: dashboardParts}
	buckets.Width = until.UTC().Truncate(time.Minute).Add(time.Minute).Sub(buckets.Start) / dashboardParts
	if buckets.Width < time.Microsecond {
		return out, nil
	}
	withoutStates(&b.TaskRuns.Filter)
	q := core.Query{Where: where(&b.TaskRuns, b.Flows, b.FlowRuns, b.Deployments, b.WorkPools, b.WorkQueues)}
	counts, err := read(ctx, a, func(tx core.Tx) ([]core.EndedCount, error) { return tx.CountEndedTaskRuns(q, buckets) })
	for _, c := range counts {
		at := out[min(max(c.Bucket, 0), dashboardParts-1)]
		at[client.EndedCompleted] += c.Completed
		at[client.EndedFailed] += c.Failed
	}
	return out, err
}

// startBounds returns between what times a filter wants its runs to have started.
func startBounds(f *core.Filter) (since, until *time.Time) {
	for i := range f.Groups {
		for _, c := range f.Groups[i].Conds {
			at, ok := c.Value.(time.Time)
			switch {
			case !ok || c.Field != "start_time":
			case c.Op == core.OpAfter:
				since = &at
			case c.Op == core.OpBefore:
				until = &at
			}
		}
	}
	return since, until
}

// withoutStates takes out what a filter asks of states.
func withoutStates(f *core.Filter) {
	groups := f.Groups[:0:0]
	for _, g := range f.Groups {
		if !asksState(&g) {
			groups = append(groups, g)
		}
	}
	f.Groups = groups
}

func asksState(f *core.Filter) bool {
	for _, c := range f.Conds {
		if c.Field == "state.type" || c.Field == "state.name" {
			return true
		}
	}
	for i := range f.Groups {
		if asksState(&f.Groups[i]) {
			return true
		}
	}
	return false
}
