package core

import "time"

// Log is one line that a run wrote.
type Log struct {
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
