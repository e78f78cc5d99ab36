package core

import (
	"slices"
	"strings"
	"time"
)

// Log is one line that a run wrote.
type Log struct {
	// ID is given when the line is stored.
	ID      ID
	Created time.Time
	// Name is the logger's name.
	Name string
	// Level is Python's: 10 debug, 20 info, 30 warning, 40 error, 50 critical.
	Level     int
	Message   string
	Timestamp time.Time
	FlowRunID *ID
	TaskRunID *ID
	// WorkerID is the worker that wrote the line, when a worker did.
	WorkerID *ID
}

// LogTx reads and writes logs.
type LogTx interface {
	// InsertLogs stores lines and wakes TopicLogs.
	InsertLogs(logs []*Log) error
	// FilterLogs lists lines.
	FilterLogs(q Query) ([]*Log, error)
	// LogCursor returns the position after the newest line.
	LogCursor() (Cursor, error)
	// LogsAfter lists at most limit lines stored after the position, in the
	// order of their storing, and the position after the last of them.
	LogsAfter(c Cursor, limit int) ([]*Log, Cursor, error)
}

// MatchesLog reports whether a filter of log lines, as the store compiles it,
// selects the line. Followers use it for lines as they come.
func MatchesLog(f *Filter, l *Log) bool {
	if f.Empty() {
		return true
	}
	results := make([]bool, 0, len(f.Conds)+len(f.Groups))
	for _, c := range f.Conds {
		results = append(results, matchesLogCond(c, l))
	}
	for i := range f.Groups {
		results = append(results, MatchesLog(&f.Groups[i], l))
	}
	if f.Or {
		return slices.Contains(results, true)
	}
	return !slices.Contains(results, false)
}

func matchesLogCond(c Cond, l *Log) bool {
	switch c.Field {
	case "level":
		n, _ := c.Value.(int64)
		return c.Op == OpGe && l.Level >= int(n) || c.Op == OpLe && l.Level <= int(n)
	case "timestamp":
		t, _ := c.Value.(time.Time)
		return c.Op == OpBefore && !l.Timestamp.After(t) || c.Op == OpAfter && !l.Timestamp.Before(t)
	case "flow_run_id":
		return containsID(c.Value, l.FlowRunID)
	case "task_run_id":
		if c.Op == OpIsNull {
			return c.Value == (l.TaskRunID == nil)
		}
		return containsID(c.Value, l.TaskRunID)
	case "text":
		s, _ := c.Value.(string)
		return strings.Contains(strings.ToLower(l.Message), strings.ToLower(s))
	}
	return false
}

func containsID(list any, id *ID) bool {
	ids, _ := list.([]ID)
	return id != nil && slices.Contains(ids, *id)
}
