package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// settled is for how long after the end of a run its lines and the states of its
// tasks may still come in at the source.
const settled = 10 * time.Minute

// runHead is what a copy must know of a run.
type runHead struct {
	head
	Expected      *wire.Time     `json:"expected_start_time"`
	EndTime       *wire.Time     `json:"end_time"`
	StateType     core.StateType `json:"state_type"`
	StateName     string         `json:"state_name"`
	AutoScheduled bool           `json:"auto_scheduled"`
}

// run is a run on its way.
type run struct {
	runHead
	raw json.RawMessage
}

// history copies runs with all that belongs to them, then artifacts and events.
func (c *copying) history(ctx context.Context) error {
	if c.o.wants(FlowRuns) || c.o.wants(TaskRuns) || c.o.wants(Logs) {
		c.o.tell(FlowRuns)
		if err := c.flowRuns(ctx); err != nil {
			return fmt.Errorf("flow runs: %w", err)
		}
		if err := c.looseTaskRuns(ctx); err != nil {
			return fmt.Errorf("task runs without a flow run: %w", err)
		}
	}
	for _, step := range []struct {
		kind Kind
		copy func(context.Context) error
	}{{Artifacts, c.artifacts}, {ArtifactCollections, c.collections}, {Events, c.events}} {
		if !c.o.wants(step.kind) {
			continue
		}
		c.o.tell(step.kind)
		if err := step.copy(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.kind.words(), err)
		}
	}
	return nil
}

// flowRuns reads pages of runs, and has each copied by one of several workers.
func (c *copying) flowRuns(ctx context.Context) error {
	workers, ctx := newCrew(ctx, c.o.Workers)
	workers.fail(c.api.read(ctx, series{
		path: "/flow_runs/filter",
		body: func(after *time.Time) object {
			if after == nil && !c.o.Since.IsZero() {
				after = &c.o.Since
			}
			body := object{"sort": "EXPECTED_START_TIME_ASC"}
			if after != nil {
				body["flow_runs"] = object{"expected_start_time": between(after)}
			}
			return body
		},
		at: func(raw json.RawMessage) (core.ID, *time.Time, error) {
			var h runHead
			err := json.Unmarshal(raw, &h)
			return h.ID, h.Expected.Ptr(), err
		},
	}, func(rows []json.RawMessage) error {
		c.report.read(FlowRuns, len(rows))
		runs, err := c.chosen(FlowRuns, rows)
		if err == nil {
			workers.run(func() error { return c.page(ctx, runs) })
		}
		return err
	}))
	return workers.wait()
}

// chosen returns the runs that are to be copied; the others are told.
func (c *copying) chosen(k Kind, rows []json.RawMessage) ([]run, error) {
	var out []run
	for _, raw := range rows {
		r := run{raw: raw}
		if err := json.Unmarshal(raw, &r.runHead); err != nil {
			return nil, err
		}
		switch {
		case c.o.IncludeActive && r.StateType == core.Pending && k == FlowRuns:
			// leat would offer it to its own workers when none of them starts it.
			c.report.skip(k, r.ID, "not copied, for somebody at the source is about to start it (Pending)")
		case r.StateType.Terminal() || c.o.IncludeActive && (!r.AutoScheduled || r.StateType != core.Scheduled):
			if !r.StateType.Terminal() && r.StateType != core.Scheduled {
				c.report.remark(k, r.ID, "copied as it is, "+r.StateName+": it goes on at the source, and this copy does not hear of it")
			}
			out = append(out, r)
		case r.StateType == core.Scheduled && r.AutoScheduled:
			c.report.skip(k, r.ID, "")
		case r.StateType == core.Scheduled && k == FlowRuns:
			out = append(out, r)
		default:
			state := r.StateName
			if state == "" {
				state = "without a state"
			}
			c.report.skip(k, r.ID, "not copied, for it has not ended at the source ("+state+"); the next import takes it when it has")
		}
	}
	return out, nil
}

// page copies a page of flow runs: what belongs to them first, they themselves last.
func (c *copying) page(ctx context.Context, runs []run) error {
	runs, err := c.unknown(ctx, runs)
	if err != nil || len(runs) == 0 {
		return err
	}
	ids := make([]core.ID, len(runs))
	for i := range runs {
		ids[i] = runs[i].ID
	}
	if c.o.wants(TaskRuns) {
		if err := c.taskRuns(ctx, object{"flow_run_id": object{"any_": ids}}); err != nil {
			return fmt.Errorf("task runs: %w", err)
		}
	}
	if c.o.wants(Logs) {
		if err := c.logs(ctx, object{"flow_run_id": object{"any_": ids}}); err != nil {
			return fmt.Errorf("logs: %w", err)
		}
	}
	if !c.o.wants(FlowRuns) {
		return nil
	}
	rows := make([]json.RawMessage, len(runs))
	for i := range runs {
		if rows[i], err = c.recorded(ctx, runs[i]); err != nil {
			return err
		}
	}
	return c.put(ctx, FlowRuns, rows)
}

// unknown returns the runs that the target does not have as they are. A run
// that had only just ended when the last copy began is looked at again.
func (c *copying) unknown(ctx context.Context, runs []run) ([]run, error) {
	versions := make([]client.ImportVersion, len(runs))
	for i := range runs {
		versions[i] = client.ImportVersion{ID: runs[i].ID, Updated: runs[i].Updated}
	}
	answer, err := c.into.known(ctx, c.report.Source, versions)
	if err != nil {
		return nil, err
	}
	here := make(map[core.ID]bool, len(answer.FlowRuns))
	for _, id := range answer.FlowRuns {
		here[id] = true
	}
	// What ended before this moment was complete when it was copied.
	complete := c.report.Began.Add(-settled)
	if answer.Last != nil {
		complete = answer.Last.Add(-settled)
	}
	var out []run
	for _, r := range runs {
		if here[r.ID] && (r.StateType == core.Scheduled || r.EndTime != nil && r.EndTime.Before(complete)) {
			c.report.unchanged(FlowRuns, 1)
			continue
		}
		out = append(out, r)
	}
	return out, nil
}

// recorded is a flow run's row with its states and inputs.
func (c *copying) recorded(ctx context.Context, r run) (json.RawMessage, error) {
	var states []json.RawMessage
	if err := c.api.do(ctx, "GET", "/flow_run_states/?flow_run_id="+r.ID.String(), nil, &states); err != nil {
		return nil, fmt.Errorf("states of flow run %s: %w", r.ID, err)
	}
	fields := object{"states": states}
	asks := !r.StateType.Terminal()
	for _, raw := range states {
		var s stateHead
		if err := json.Unmarshal(raw, &s); err != nil {
			return nil, err
		}
		asks = asks || s.Type == core.Paused
	}
	if asks {
		var inputs []json.RawMessage
		body := object{"prefix": "", "limit": pageSize, "exclude_keys": []string{}}
		if err := c.api.do(ctx, "POST", "/flow_runs/"+r.ID.String()+"/input/filter", body, &inputs); err != nil {
			return nil, fmt.Errorf("inputs of flow run %s: %w", r.ID, err)
		}
		fields["inputs"] = inputs
	}
	return extended(r.raw, fields)
}

type stateHead struct {
	Type core.StateType `json:"type"`
}

// extended is a JSON object with more fields.
func extended(raw json.RawMessage, fields object) (json.RawMessage, error) {
	more, err := wire.Marshal(fields)
	if err != nil {
		return nil, err
	}
	end := len(raw) - 1
	for end >= 0 && raw[end] != '}' {
		end--
	}
	if end < 1 {
		return nil, fmt.Errorf("a row is no object: %.40s", raw)
	}
	out := append(make(json.RawMessage, 0, len(raw)+len(more)), raw[:end]...)
	return append(append(out, ','), more[1:]...), nil
}

// taskRuns copies the task runs that the filter selects.
func (c *copying) taskRuns(ctx context.Context, filter object) error {
	body := object{"sort": "ID_DESC", "task_runs": filter}
	return c.api.list(ctx, "/task_runs/filter", body, func(rows []json.RawMessage) error {
		c.report.read(TaskRuns, len(rows))
		return c.putTaskRuns(ctx, rows)
	})
}

func (c *copying) putTaskRuns(ctx context.Context, rows []json.RawMessage) error {
	if c.o.NoTaskStates || c.o.DryRun {
		return c.put(ctx, TaskRuns, rows)
	}
	out := make([]json.RawMessage, len(rows))
	for i, raw := range rows {
		var h head
		if err := json.Unmarshal(raw, &h); err != nil {
			return err
		}
		var states []json.RawMessage
		if err := c.api.do(ctx, "GET", "/task_run_states/?task_run_id="+h.ID.String(), nil, &states); err != nil {
			return fmt.Errorf("states of task run %s: %w", h.ID, err)
		}
		var err error
		if out[i], err = extended(raw, object{"states": states}); err != nil {
			return err
		}
	}
	return c.put(ctx, TaskRuns, out)
}

// looseTaskRuns copies task runs that belong to no flow run, with their lines.
func (c *copying) looseTaskRuns(ctx context.Context) error {
	if !c.o.wants(TaskRuns) {
		return nil
	}
	filter := object{"flow_run_id": object{"is_null_": true}}
	if !c.o.Since.IsZero() {
		filter["expected_start_time"] = between(&c.o.Since)
	}
	return c.api.list(ctx, "/task_runs/filter", object{"sort": "ID_DESC", "task_runs": filter}, func(rows []json.RawMessage) error {
		c.report.read(TaskRuns, len(rows))
		runs, err := c.chosen(TaskRuns, rows)
		if err != nil || len(runs) == 0 {
			return err
		}
		ids, chosen := make([]core.ID, len(runs)), make([]json.RawMessage, len(runs))
		for i := range runs {
			ids[i], chosen[i] = runs[i].ID, runs[i].raw
		}
		if c.o.wants(Logs) {
			if err := c.logs(ctx, object{"task_run_id": object{"any_": ids}}); err != nil {
				return err
			}
		}
		return c.putTaskRuns(ctx, chosen)
	})
}

// maxHeld is how many lines of one time wait for each other.
const maxHeld = 8000

// logs copies the lines that the filter selects. Lines of one time are sent
// together, for equal ones among them are counted.
func (c *copying) logs(ctx context.Context, filter object) error {
	type lineHead struct {
		ID        core.ID   `json:"id"`
		Timestamp wire.Time `json:"timestamp"`
	}
	var held []json.RawMessage
	var newest time.Time
	sent := 0 // the lines before this one may be sent
	err := c.api.read(ctx, series{
		path: "/logs/filter",
		body: func(after *time.Time) object {
			if after == nil {
				return object{"sort": "TIMESTAMP_ASC", "logs": filter}
			}
			return object{"sort": "TIMESTAMP_ASC", "logs": merge(filter, object{"timestamp": between(after)})}
		},
		at: func(raw json.RawMessage) (core.ID, *time.Time, error) {
			var l lineHead
			err := json.Unmarshal(raw, &l)
			return l.ID, l.Timestamp.Ptr(), err
		},
	}, func(rows []json.RawMessage) error {
		c.report.read(Logs, len(rows))
		for _, raw := range rows {
			var l lineHead
			if err := json.Unmarshal(raw, &l); err != nil {
				return err
			}
			if l.Timestamp.After(newest) {
				newest, sent = l.Timestamp.Time, len(held)
			}
			held = append(held, raw)
		}
		if len(held) < maxRows || sent == 0 && len(held) < maxHeld {
			return nil
		}
		if sent == 0 {
			sent = len(held)
		}
		if err := c.put(ctx, Logs, held[:sent]); err != nil {
			return err
		}
		held, sent = append([]json.RawMessage{}, held[sent:]...), 0
		return nil
	})
	if err != nil {
		return err
	}
	return c.put(ctx, Logs, held)
}
