package service

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/value"
)

const (
	// heraldBytes bounds the details of the changes that wait to be told.
	heraldBytes = 16 << 20
	// heraldData is how large input and output together may be to be told.
	heraldData = 248 << 10
	heraldCall = 10 * time.Second
)

// Herald tells EventBridge when the status of a standard execution changes: in
// order, in the background, each change once. What it cannot deliver it drops.
type Herald struct {
	Tell func(ctx context.Context, c integration.StatusChange) error
	Log  *slog.Logger

	mu      sync.Mutex
	waiting []integration.StatusChange
	bytes   int
	dropped int
	// idle is closed when nothing waits any more; nil while nothing does.
	idle chan struct{}
}

// Take takes the events of an execution; it does not block.
func (h *Herald) Take(_ core.WorkspaceID, x *core.Execution, _ core.MachineLogging, events []*asl.Event) {
	if x.Express {
		return
	}
	var changes []integration.StatusChange
	for _, ev := range events {
		switch ev.Type {
		case asl.EventExecutionStarted, asl.EventExecutionRedriven:
			began := *x
			began.Status, began.Stopped, began.Output, began.Error, began.Cause = string(asl.Running), nil, nil, nil, nil
			changes = append(changes, integration.StatusChange{ExecutionARN: x.ARN, At: ev.Time, Detail: changeDetail(&began)})
		case asl.EventExecutionSucceeded, asl.EventExecutionFailed, asl.EventExecutionTimedOut, asl.EventExecutionAborted:
			changes = append(changes, integration.StatusChange{ExecutionARN: x.ARN, At: ev.Time, Detail: changeDetail(x)})
		}
	}
	if len(changes) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range changes {
		if h.bytes+len(c.Detail) > heraldBytes {
			h.dropped++
			continue
		}
		h.bytes += len(c.Detail)
		h.waiting = append(h.waiting, c)
	}
	if h.idle == nil {
		h.idle = make(chan struct{})
		go h.deliver()
	}
}

// Flush waits until all is told; what is not when ctx ends is dropped.
func (h *Herald) Flush(ctx context.Context) {
	h.mu.Lock()
	idle := h.idle
	h.mu.Unlock()
	if idle == nil {
		return
	}
	select {
	case <-idle:
	case <-ctx.Done():
		h.mu.Lock()
		h.dropped += len(h.waiting)
		h.waiting, h.bytes = nil, 0
		h.mu.Unlock()
	}
}

func (h *Herald) deliver() {
	for {
		h.mu.Lock()
		dropped := h.dropped
		h.dropped = 0
		var next *integration.StatusChange
		if len(h.waiting) > 0 {
			next = &h.waiting[0]
			h.waiting = h.waiting[1:]
			h.bytes -= len(next.Detail)
		} else {
			close(h.idle)
			h.idle = nil
		}
		h.mu.Unlock()
		if dropped > 0 {
			h.Log.Error("changes of executions were not told to EventBridge, which did not take them fast enough", "events", dropped)
		}
		if next == nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), heraldCall)
		if err := h.Tell(ctx, *next); err != nil {
			h.Log.Error("a change of an execution was not told to EventBridge", "execution", next.ExecutionARN, "error", err)
		}
		cancel()
	}
}

// changeDetail is what an event tells of an execution: what DescribeExecution would,
// with null for what it leaves out.
func changeDetail(x *core.Execution) string {
	var input, output, outputDetails any
	size := len(x.Input)
	if x.Output != nil {
		size += len(*x.Output)
	}
	included := size <= heraldData
	if x.Output != nil {
		outputDetails = value.Of("included", included)
	}
	if included {
		input, output = x.Input, optional(x.Output)
	}
	status, reason := "REDRIVABLE", any(nil)
	if x.Status == string(asl.Running) || x.Status == string(asl.Succeeded) {
		status, reason = "NOT_REDRIVABLE", "Execution is "+x.Status+" and cannot be redriven"
	} else if x.MapRunID != nil {
		status = "REDRIVABLE_BY_MAP_RUN"
	}
	return value.String(value.Of("executionArn", x.ARN, "stateMachineArn", x.MachineARN, "name", x.Name, "status", x.Status,
		"startDate", x.Started.UnixMilli(), "stopDate", millis(x.Stopped), "input", input, "output", output,
		"stateMachineVersionArn", optional(x.VersionARN), "stateMachineAliasArn", optional(x.AliasARN),
		"redriveCount", int64(x.Redrives), "redriveDate", millis(x.Redriven), "redriveStatus", status, "redriveStatusReason", reason,
		"inputDetails", value.Of("included", included), "outputDetails", outputDetails, "error", optional(x.Error), "cause", optional(x.Cause)))
}

func optional(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}

func millis(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UnixMilli()
}
