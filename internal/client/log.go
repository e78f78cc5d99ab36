package client

import (
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// Log is a line as the API shows it. Prefect REST: Log.
type Log struct {
	ID        core.ID   `json:"id"`
	Created   wire.Time `json:"created"`
	Updated   wire.Time `json:"updated"`
	Name      string    `json:"name"`
	Level     int       `json:"level"`
	Message   string    `json:"message"`
	Timestamp wire.Time `json:"timestamp"`
	FlowRunID *core.ID  `json:"flow_run_id"`
	TaskRunID *core.ID  `json:"task_run_id"`
}

// LogOf shows a line.
func LogOf(l *core.Log) Log {
	created := wire.FromTime(l.Created)
	return Log{
		ID: l.ID, Created: created, Updated: created, Name: l.Name, Level: l.Level, Message: l.Message,
		Timestamp: wire.FromTime(l.Timestamp), FlowRunID: l.FlowRunID, TaskRunID: l.TaskRunID,
	}
}

// LogCreate is an element of the body of POST /logs/.
type LogCreate struct {
	_         struct{}  `wire:"forbid"`
	Name      string    `json:"name" wire:"required"`
	Level     int       `json:"level" wire:"required"`
	Message   string    `json:"message" wire:"required"`
	Timestamp wire.Time `json:"timestamp" wire:"required"`
	FlowRunID *core.ID  `json:"flow_run_id"`
	TaskRunID *core.ID  `json:"task_run_id"`
	// WorkerID is sent by Prefect Cloud's workers.
	WorkerID *core.ID `json:"worker_id,omitempty"`
}
