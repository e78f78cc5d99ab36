package sfn

import (
	"context"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

type mapRunRef struct {
	ARN string `json:"mapRunArn"`
}

// counts are how many executions or items of a map run are where.
type counts struct {
	Pending        int `json:"pending"`
	Running        int `json:"running"`
	Succeeded      int `json:"succeeded"`
	Failed         int `json:"failed"`
	TimedOut       int `json:"timedOut"`
	Aborted        int `json:"aborted"`
	Total          int `json:"total"`
	ResultsWritten int `json:"resultsWritten"`
	NotRedrivable  int `json:"failuresNotRedrivable,omitempty"`
	PendingRedrive int `json:"pendingRedrive,omitempty"`
}

func (n counts) pending() counts {
	n.Pending = n.Total - n.Running - n.Succeeded - n.Failed - n.TimedOut - n.Aborted - n.PendingRedrive
	return n
}

type describeMapRunOutput struct {
	ARN            string  `json:"mapRunArn"`
	ExecutionARN   string  `json:"executionArn"`
	Status         string  `json:"status"`
	Started        epoch   `json:"startDate"`
	Stopped        *epoch  `json:"stopDate,omitempty"`
	MaxConcurrency int     `json:"maxConcurrency"`
	Percentage     float64 `json:"toleratedFailurePercentage"`
	Count          int     `json:"toleratedFailureCount"`
	Items          counts  `json:"itemCounts"`
	Executions     counts  `json:"executionCounts"`
	RedriveCount   int     `json:"redriveCount,omitempty"`
	Redriven       *epoch  `json:"redriveDate,omitempty"`
}

func (a *API) describeMapRun(ctx context.Context, c *call, in mapRunRef) (describeMapRunOutput, error) {
	m, x, err := a.cfg.Engine.MapRun(ctx, c.Place, in.ARN)
	if err != nil {
		return describeMapRunOutput{}, err
	}
	n := m.MapRunCounts
	// Each result is of one execution; items come by their executions.
	itemsWritten := n.Written
	if n.Written >= n.Total {
		itemsWritten = n.Items.Succeeded + n.Items.Failed
	}
	return describeMapRunOutput{
		ARN: m.ARN, ExecutionARN: x.ARN, Status: m.Status, Started: epoch(m.Started), Stopped: epochPtr(m.Stopped),
		MaxConcurrency: n.Concurrency, Percentage: max(n.Percentage, 0), Count: max(n.Count, 0), RedriveCount: n.Redrives, Redriven: epochPtr(n.Redriven),
		Items: counts{
			Running: n.Items.Running, Succeeded: n.Items.Succeeded, Failed: n.Items.Failed, TimedOut: n.Items.TimedOut, Aborted: n.Items.Aborted,
			Total: n.ItemTotal, ResultsWritten: itemsWritten, NotRedrivable: n.NotRedrivableItems, PendingRedrive: n.PendingItems,
		}.pending(),
		Executions: counts{
			Running: n.Running, Succeeded: n.Succeeded, Failed: n.Failed, TimedOut: n.TimedOut, Aborted: n.Aborted,
			Total: n.Total, ResultsWritten: n.Written, NotRedrivable: n.NotRedrivable, PendingRedrive: n.Pending,
		}.pending(),
	}, nil
}

type listMapRunsInput struct {
	paged
	ARN string `json:"executionArn"`
}

type mapRunItem struct {
	ExecutionARN string `json:"executionArn"`
	ARN          string `json:"mapRunArn"`
	MachineARN   string `json:"stateMachineArn"`
	Started      epoch  `json:"startDate"`
	Stopped      *epoch `json:"stopDate,omitempty"`
}

type listMapRunsOutput struct {
	MapRuns   []mapRunItem `json:"mapRuns"`
	NextToken *string      `json:"nextToken,omitempty"`
}

func (a *API) listMapRuns(ctx context.Context, c *call, in listMapRunsInput) (out listMapRunsOutput, err error) {
	cursor, err := c.cursor(in.NextToken, in.ARN)
	if err != nil {
		return out, err
	}
	before, err := position(cursor)
	if err != nil {
		return out, err
	}
	if err := engine.CheckARN(in.ARN, "execution"); err != nil {
		return out, err
	}
	all, err := a.cfg.Engine.MapRuns(ctx, c.Place, in.ARN, before, in.size()+1)
	if err != nil {
		return out, err
	}
	all, out.NextToken = page(c, in.paged, all, func(m *core.MapRun) string { return cursorOf(m.Started, m.ID) }, in.ARN)
	out.MapRuns = make([]mapRunItem, len(all))
	for i, m := range all {
		out.MapRuns[i] = mapRunItem{in.ARN, m.ARN, m.MachineARN, epoch(m.Started), epochPtr(m.Stopped)}
	}
	return out, nil
}

type updateMapRunInput struct {
	ARN            string   `json:"mapRunArn"`
	MaxConcurrency *int     `json:"maxConcurrency"`
	Percentage     *float64 `json:"toleratedFailurePercentage"`
	Count          *int     `json:"toleratedFailureCount"`
}

func (a *API) updateMapRun(ctx context.Context, c *call, in updateMapRunInput) (empty, error) {
	if err := engine.CheckARN(in.ARN, "mapRun"); err != nil {
		return empty{}, err
	}
	return empty{}, a.cfg.Engine.UpdateMapRun(ctx, c.Workspace, in.ARN, in.MaxConcurrency, in.Count, in.Percentage)
}
