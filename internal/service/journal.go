package service

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/value"
)

// The limits of a journal and of one call of PutLogEvents.
const (
	// journalBytes bounds the records that wait.
	journalBytes = 64 << 20
	batchLines   = 5_000
	batchBytes   = 1 << 20
	// lineOverhead is what CloudWatch adds to the size of a record.
	lineOverhead = 26
	// maxLine is how large a record may be; inputs and outputs make way.
	maxLine = 256<<10 - lineOverhead
	// journalTries is how often a batch is sent before it is dropped.
	journalTries = 8
	journalPause = 200 * time.Millisecond
	journalCall  = 30 * time.Second
)

// LogStream takes records.
type LogStream interface {
	Put(ctx context.Context, lines []integration.LogLine) error
}

// Journal delivers the events of executions to the log groups of their machines:
// in order, in the background, and again when a delivery fails. The zero value
// with Open and Log is ready.
type Journal struct {
	// Open returns the stream for a machine in a log group.
	Open func(groupARN, machineARN string) (LogStream, error)
	Log  *slog.Logger

	mu      sync.Mutex
	streams map[string]*journalStream
	bytes   int
	dropped int
	busy    int
	// idle is closed when nothing is left to deliver; nil when nobody waits for it.
	idle chan struct{}
}

// journalStream is what waits for one stream. One goroutine delivers while
// something does.
type journalStream struct {
	group, machine string
	stream         LogStream
	lines          []integration.LogLine
	// giveUp ends the delivery under way; nil without one.
	giveUp context.CancelFunc
}

// Take takes the events of an execution; it does not block.
func (j *Journal) Take(_ core.WorkspaceID, x *core.Execution, logging core.MachineLogging, events []*asl.Event) {
	var lines []integration.LogLine
	size := 0
	for _, ev := range events {
		if !logged(logging.Level, ev.Type) {
			continue
		}
		line := integration.LogLine{Time: ev.Time, Message: logRecord(x, ev, logging.IncludeData)}
		lines, size = append(lines, line), size+len(line.Message)
	}
	if len(lines) == 0 {
		return
	}
	machine, _, _ := strings.Cut(x.MachineARN, "/")
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, group := range logging.Groups {
		if j.bytes+size > journalBytes {
			j.dropped += len(lines)
			continue
		}
		j.bytes += size
		if j.streams == nil {
			j.streams = map[string]*journalStream{}
		}
		key := group + " " + machine
		s := j.streams[key]
		if s == nil {
			s = &journalStream{group: group, machine: machine}
			j.streams[key] = s
		}
		s.lines = append(s.lines, lines...)
		if s.giveUp == nil {
			j.busy++
			var ctx context.Context
			ctx, s.giveUp = context.WithCancel(context.Background())
			go j.deliver(ctx, s)
		}
	}
}

// Flush waits until all is delivered; what is not when ctx ends is given up.
func (j *Journal) Flush(ctx context.Context) {
	j.mu.Lock()
	if j.busy == 0 {
		j.mu.Unlock()
		return
	}
	if j.idle == nil {
		j.idle = make(chan struct{})
	}
	idle := j.idle
	j.mu.Unlock()
	select {
	case <-idle:
		return
	case <-ctx.Done():
	}
	j.mu.Lock()
	for _, s := range j.streams {
		if s.giveUp != nil {
			s.giveUp()
		}
	}
	j.mu.Unlock()
	<-idle
}

// deliver sends what waits for a stream until nothing does.
func (j *Journal) deliver(ctx context.Context, s *journalStream) {
	for {
		batch := j.next(s)
		if batch == nil {
			return
		}
		if err := j.send(ctx, s, batch); err != nil {
			j.Log.Error("events of executions were not delivered to their log and are dropped", "log_group", s.group, "state_machine", s.machine, "events", len(batch), "error", err)
		}
	}
}

// next takes a batch; without one the stream is idle.
func (j *Journal) next(s *journalStream) []integration.LogLine {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.dropped > 0 {
		j.Log.Error("events of executions were dropped because their logs did not take them fast enough", "events", j.dropped)
		j.dropped = 0
	}
	n, size := 0, 0
	for n < len(s.lines) && n < batchLines {
		more := len(s.lines[n].Message) + lineOverhead
		if n > 0 && size+more > batchBytes {
			break
		}
		size += more
		n++
	}
	if n > 0 {
		batch := slices.Clone(s.lines[:n])
		s.lines = slices.Delete(s.lines, 0, n)
		j.bytes -= size - n*lineOverhead
		slices.SortStableFunc(batch, func(a, b integration.LogLine) int { return cmp.Compare(a.Time.UnixMilli(), b.Time.UnixMilli()) })
		return batch
	}
	s.giveUp()
	s.giveUp = nil
	if s.lines = nil; s.stream == nil {
		delete(j.streams, s.group+" "+s.machine)
	}
	if j.busy--; j.busy == 0 && j.idle != nil {
		close(j.idle)
		j.idle = nil
	}
	return nil
}

// send delivers a batch, again and again while that may help.
func (j *Journal) send(ctx context.Context, s *journalStream, batch []integration.LogLine) (err error) {
	if s.stream == nil {
		if s.stream, err = j.Open(s.group, s.machine); err != nil {
			return err
		}
	}
	pause := journalPause
	for try := 1; ; try++ {
		call, cancel := context.WithTimeout(ctx, journalCall)
		err = s.stream.Put(call, batch)
		cancel()
		if err == nil || try == journalTries || integration.Refused(err) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
		pause *= 2
	}
}

// logged reports whether a log of the level has events of the type, as
// https://docs.aws.amazon.com/step-functions/latest/dg/cloudwatch-log-level.html lists them.
func logged(level, kind string) bool {
	switch level {
	case "ALL":
		return true
	case "ERROR":
		return kind == "FailStateEntered" || strings.HasSuffix(kind, "Failed") || strings.HasSuffix(kind, "TimedOut") || strings.HasSuffix(kind, "Aborted")
	case "FATAL":
		return kind == asl.EventExecutionFailed || kind == asl.EventExecutionTimedOut || kind == asl.EventExecutionAborted
	}
	return false
}

// logRecord is an event as AWS writes it to a log.
func logRecord(x *core.Execution, ev *asl.Event, withData bool) string {
	text := recordText(x, ev, withData, false)
	if len(text) > maxLine {
		text = recordText(x, ev, false, withData)
	}
	return text
}

func recordText(x *core.Execution, ev *asl.Event, withData, truncated bool) string {
	details := value.NewObject(0)
	if ev.Details != nil {
		details = ev.Details
	}
	if !withData {
		details = withoutData(details, truncated)
	}
	return value.String(value.Of("id", strconv.FormatInt(ev.ID, 10), "type", ev.Type, "details", details,
		"previous_event_id", strconv.FormatInt(ev.Previous, 10), "event_timestamp", strconv.FormatInt(ev.Time.UnixMilli(), 10),
		"execution_arn", x.ARN, "redrive_count", strconv.Itoa(x.Redrives)))
}

// withoutData leaves out what an execution works with; truncated tells instead
// that it was too large.
func withoutData(details *value.Object, truncated bool) *value.Object {
	out := value.NewObject(details.Len())
	for k, v := range details.All() {
		switch k {
		case "input", "output", "parameters":
		case "inputDetails", "outputDetails":
			if truncated {
				out.Set(k, value.Of("truncated", true))
			}
		default:
			out.Set(k, v)
		}
	}
	return out
}
