package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

const executionColumns = `x.run_id, x.arn, x.name, x.machine_id, x.machine_arn, x.revision_id, x.version_arn, x.alias_arn, x.express, x.status,
	x.started, x.stopped, x.input, x.output, x.error, x.cause, x.events, x.version, x.redrives, x.redriven, x.map_run_id, x.item,
	x.trace_header, x.seed`

const executionSelect = "SELECT " + executionColumns + " FROM execution x WHERE "

func scanExecution(r rows) (*core.Execution, error) {
	x := &core.Execution{}
	return x, r.Scan(&x.RunID, &x.ARN, &x.Name, &x.MachineID, &x.MachineARN, &x.RevisionID, &x.VersionARN, &x.AliasARN, &x.Express, &x.Status,
		timeInto{&x.Started}, timePtrInto{&x.Stopped}, &x.Input, &x.Output, &x.Error, &x.Cause, &x.Events, &x.Version, &x.Redrives,
		timePtrInto{&x.Redriven}, idPtrInto{&x.MapRunID}, &x.Item, &x.TraceHeader, &x.Seed)
}

func noExecution() *core.Error { return core.Errorf(core.NotFound, "Execution not found") }

// storable is a text without what Postgres cannot hold.
func storable(s *string) any {
	if s == nil {
		return nil
	}
	return strings.ReplaceAll(strings.ToValidUTF8(*s, "\uFFFD"), "\x00", "\uFFFD")
}

// InsertExecution implements core.ExecutionTx.
func (t *tx) InsertExecution(x *core.Execution) error {
	return t.exec(`INSERT INTO execution (run_id, ws, arn, name, machine_id, machine_arn, revision_id, version_arn, alias_arn, express, status,
		started, stopped, input, output, error, cause, events, version, redrives, redriven, map_run_id, item, trace_header, seed)
		VALUES (`+placeholders(25)+")",
		x.RunID, int64(t.ws), x.ARN, x.Name, x.MachineID, x.MachineARN, x.RevisionID, x.VersionARN, x.AliasARN, x.Express, x.Status,
		micros(x.Started), microsPtr(x.Stopped), x.Input, x.Output, storable(x.Error), storable(x.Cause), x.Events, x.Version, x.Redrives,
		microsPtr(x.Redriven), x.MapRunID, x.Item, storable(x.TraceHeader), x.Seed)
}

// Execution implements core.ExecutionTx.
func (t *tx) Execution(runID core.ID) (*core.Execution, error) {
	return one(t, noExecution(), scanExecution, executionSelect+"x.ws + 0 = ? AND x.run_id = ?", int64(t.ws), runID)
}

// ExecutionByARN implements core.ExecutionTx.
func (t *tx) ExecutionByARN(arn string) (*core.Execution, error) {
	return one(t, noExecution(), scanExecution, executionSelect+"x.ws = ? AND x.arn = ?", int64(t.ws), arn)
}

// ChangeExecution implements core.ExecutionTx.
func (t *tx) ChangeExecution(c *core.ExecutionChange) (bool, error) {
	x := c.Execution
	n, err := t.execN(`UPDATE execution SET status = ?, stopped = ?, output = ?, error = ?, cause = ?, events = ?, version = version + 1,
		redrives = ?, redriven = ? WHERE ws + 0 = ? AND run_id = ? AND version = ?`,
		x.Status, microsPtr(x.Stopped), x.Output, storable(x.Error), storable(x.Cause), x.Events, x.Redrives, microsPtr(x.Redriven),
		int64(t.ws), x.RunID, x.Version)
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.writeStep(c)
}

// WriteExecutionStep implements core.ExecutionTx.
func (t *tx) WriteExecutionStep(c *core.ExecutionChange) error { return t.writeStep(c) }

func (t *tx) writeStep(c *core.ExecutionChange) error {
	id := c.Execution.RunID
	var err error
	do := func(q string, args ...any) {
		if err == nil {
			err = t.exec(q, args...)
		}
	}
	if c.Events != "" {
		do("INSERT INTO execution_history (run_id, first, ws, last, events) VALUES (?, ?, ?, ?, ?)", id, c.First, int64(t.ws), c.Last, c.Events)
	}
	for _, key := range c.Stop {
		do("DELETE FROM execution_action WHERE run_id = ? AND key = ? AND watch IS NULL", id, key)
		do("UPDATE execution_action SET kind = 'stop', resource = '', due = ?, owner = '', deadline = NULL, beat = NULL WHERE run_id = ? AND key = ?",
			micros(c.Due), id, key)
		t.Wake(core.TopicActions)
	}
	if c.Clean {
		do("DELETE FROM execution_piece WHERE run_id = ?", id)
		do("DELETE FROM execution_action WHERE run_id = ? AND kind NOT IN ('stop', 'tokens')", id)
	}
	for key, data := range c.Pieces {
		if data == nil {
			do("DELETE FROM execution_piece WHERE run_id = ? AND key = ?", id, key)
			continue
		}
		do(`INSERT INTO execution_piece (run_id, key, ws, data) VALUES (?, ?, ?, ?)
			ON CONFLICT (run_id, key) DO UPDATE SET data = excluded.data`, id, key, int64(t.ws), string(data))
	}
	for _, key := range c.Delete {
		do("DELETE FROM execution_action WHERE run_id = ? AND key = ?", id, key)
	}
	for _, a := range c.Insert {
		if a.Due != nil && a.Owner == "" {
			t.Wake(core.TopicActions)
		}
		if a.Resource != "" {
			t.Wake(core.TopicActivities)
		}
		do(`INSERT INTO execution_action (run_id, key, ws, kind, due, owner, resource, spec, watch, deadline, beat, created)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, a.RunID, a.Key, int64(t.ws), a.Kind, microsPtr(a.Due), a.Owner, a.Resource,
			text(a.Spec), text(a.Watch), microsPtr(a.Deadline), microsPtr(a.Beat), micros(a.Created))
	}
	return err
}

// ExecutionPieces implements core.ExecutionTx.
func (t *tx) ExecutionPieces(runID core.ID) (map[string][]byte, error) {
	out := map[string][]byte{}
	_, err := list(t, func(r rows) (struct{}, error) {
		var key, data string
		err := r.Scan(&key, &data)
		out[key] = []byte(data)
		return struct{}{}, err
	}, "SELECT key, data FROM execution_piece WHERE run_id = ?", runID)
	return out, err
}

// ExecutionHistory implements core.ExecutionTx.
func (t *tx) ExecutionHistory(runID core.ID, first, last int64) ([]core.HistoryChunk, error) {
	return list(t, func(r rows) (c core.HistoryChunk, err error) { return c, r.Scan(&c.First, &c.Last, &c.Events) },
		`SELECT first, last, events FROM execution_history WHERE run_id = ? AND last >= ? AND first <= ?
		AND first >= coalesce((SELECT max(first) FROM execution_history WHERE run_id = ? AND first <= ?), 0) ORDER BY first`,
		runID, first, last, runID, first)
}

// ListExecutions implements core.ExecutionTx.
func (t *tx) ListExecutions(q core.ExecutionQuery) ([]*core.Execution, error) {
	where, args := []string{"x.ws + 0 = ?"}, []any{int64(t.ws)}
	and := func(condition string, values ...any) {
		where = append(where, condition)
		args = append(args, values...)
	}
	switch {
	case q.MapRunID != nil:
		and("x.map_run_id = ?", *q.MapRunID)
	case q.AliasARN != nil:
		and("x.alias_arn = ?", *q.AliasARN)
	case q.VersionARN != nil:
		and("x.version_arn = ?", *q.VersionARN)
	case q.MachineID != nil:
		and("x.machine_id = ?", *q.MachineID)
		and("x.map_run_id IS NULL")
	}
	if q.Status != "" {
		and("x.status = ?", q.Status)
	}
	if q.Redriven != nil {
		if *q.Redriven {
			and("x.redrives > 0")
		} else {
			and("x.redrives = 0")
		}
	}
	if q.Before != nil {
		and("(x.started < ? OR x.started = ? AND x.run_id < ?)", micros(q.Before.Started), micros(q.Before.Started), q.Before.RunID)
	}
	return listOnce(t, scanExecution, executionSelect+strings.Join(where, " AND ")+" ORDER BY x.started DESC, x.run_id DESC LIMIT ?",
		append(args, q.Limit)...)
}

// RunningExecutions implements core.ExecutionTx.
func (t *tx) RunningExecutions(machineID core.ID) (bool, error) {
	n, err := number(t, false, "SELECT count(*) FROM (SELECT 1 FROM execution WHERE machine_id = ? AND status = 'RUNNING' LIMIT 1) x", machineID)
	return n > 0, err
}

const actionColumns = "a.run_id, a.key, a.kind, a.due, a.owner, a.resource, a.spec, a.watch, a.deadline, a.beat, a.created, a.ws"

func scanAction(r rows) (*core.ExecutionAction, error) {
	a := &core.ExecutionAction{}
	var ws int64
	err := r.Scan(&a.RunID, &a.Key, &a.Kind, timePtrInto{&a.Due}, &a.Owner, &a.Resource, rawInto{&a.Spec}, rawInto{&a.Watch},
		timePtrInto{&a.Deadline}, timePtrInto{&a.Beat}, timeInto{&a.Created}, &ws)
	a.Workspace = core.WorkspaceID(ws)
	return a, err
}

// ExecutionAction implements core.ExecutionTx.
func (t *tx) ExecutionAction(runID core.ID, key int64) (*core.ExecutionAction, error) {
	return one(t, core.Errorf(core.NotFound, "nothing waits under that key"), scanAction,
		"SELECT "+actionColumns+" FROM execution_action a WHERE a.ws + 0 = ? AND a.run_id = ? AND a.key = ?"+t.lock("a"), int64(t.ws), runID, key)
}

// UpdateExecutionAction implements core.ExecutionTx.
func (t *tx) UpdateExecutionAction(a *core.ExecutionAction) error {
	if a.Due != nil && a.Owner == "" {
		t.Wake(core.TopicActions)
	}
	return t.exec(`UPDATE execution_action SET due = ?, owner = ?, resource = ?, watch = ?, deadline = ?, beat = ?
		WHERE ws + 0 = ? AND run_id = ? AND key = ?`, microsPtr(a.Due), a.Owner, a.Resource, text(a.Watch), microsPtr(a.Deadline),
		microsPtr(a.Beat), int64(t.ws), a.RunID, a.Key)
}

// ActivityTask implements core.ExecutionTx.
func (t *tx) ActivityTask(resource string) (*core.ExecutionAction, error) {
	return one(t, core.Errorf(core.NotFound, "no task waits"), scanAction,
		"SELECT "+actionColumns+" FROM execution_action a WHERE a.ws = ? AND a.resource = ? AND a.resource <> '' ORDER BY a.created, a.run_id, a.key LIMIT 1"+
			t.claim("a"), int64(t.ws), resource)
}

// ClaimActions implements core.Store.
func (s *Store) ClaimActions(ctx context.Context, owner string, now, until time.Time, limit int) ([]*core.ExecutionAction, *time.Time, error) {
	due := func(t *tx, lock string) ([]*core.ExecutionAction, error) {
		return list(t, scanAction, "SELECT "+actionColumns+" FROM execution_action a WHERE a.due <= ? ORDER BY a.due LIMIT ?"+lock, micros(now), limit)
	}
	var claimed []*core.ExecutionAction
	var next *time.Time
	err := s.View(ctx, 0, func(ct core.Tx) (err error) {
		t := ct.(*tx)
		if claimed, err = due(t, ""); err != nil || len(claimed) > 0 {
			return err
		}
		next, err = one(t, core.Errorf(core.Internal, "no row"), func(r rows) (at *time.Time, err error) { return at, r.Scan(timePtrInto{&at}) },
			"SELECT min(due) FROM execution_action WHERE due IS NOT NULL")
		return err
	})
	if err != nil || len(claimed) == 0 {
		return nil, next, err
	}
	err = s.Update(ctx, 0, func(ct core.Tx) (err error) {
		t := ct.(*tx)
		if claimed, err = due(t, t.claim("a")); err != nil {
			return err
		}
		for _, a := range claimed {
			err = errors.Join(err, t.exec("UPDATE execution_action SET due = ?, owner = ? WHERE run_id = ? AND key = ?", micros(until), owner, a.RunID, a.Key))
		}
		return err
	})
	return claimed, &now, err
}

// KeepActions implements core.Store.
func (s *Store) KeepActions(ctx context.Context, owner string, until time.Time) error {
	if owner == "" && s.engine.dialect().takeLease != "" {
		return nil // other processes may be at work; what they do not keep becomes due by itself
	}
	return s.Update(ctx, 0, func(ct core.Tx) error {
		if owner == "" {
			return ct.(*tx).exec("UPDATE execution_action SET due = ?, owner = '' WHERE owner <> ''", micros(until))
		}
		return ct.(*tx).exec("UPDATE execution_action SET due = ? WHERE owner = ? AND owner <> ''", micros(until), owner)
	})
}
