package core

import "time"

// ImportTx writes what another server has recorded, as it recorded it. Nobody
// is told of it: it happened elsewhere, and before.
type ImportTx interface {
	// FlowRunTimes returns when those of the flow runs that are there were updated last.
	FlowRunTimes(ids []ID) (map[ID]time.Time, error)
	// PutFlowRun stores a run with all that it has, whether it is there already or
	// not. Who claimed it and what signs of life came stay as they are.
	PutFlowRun(r *FlowRun) error
	// InsertFlowRunStates adds states to a run's history; those that are there are left alone.
	InsertFlowRunStates(runID ID, states []*State) error
	// InsertPastEvents stores events that followers must not see: none of
	// EventsAfter's positions comes before them. Events whose id is there are left alone.
	InsertPastEvents(events []*Event) error
	// LogsBetween lists the lines of a flow run, or without one of a task run,
	// from the first time to the last.
	LogsBetween(flowRunID, taskRunID *ID, first, last time.Time) ([]*Log, error)
}
