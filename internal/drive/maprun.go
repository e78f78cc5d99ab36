package drive

import (
	"context"
	"fmt"

	"github.com/leat-dev/leat/internal/asl"
)

// maxConcurrency is how many executions of a map run run at once when its
// definition does not say.
const maxConcurrency = 1000

// mapRun is a map run under way.
type mapRun struct {
	line   *line
	call   *Call
	out    *MapRun
	arn    string // of the machine of its executions
	inputs []asl.ItemInput
	// next is the number of the next execution; running, failed and total count
	// executions, items and items.
	next, running, failed, total int
	children                     []*line
	// known: the items were read. over: the state has its result.
	known, over bool
}

// startRun begins a map run.
func (d *driver) startRun(_ context.Context, l *line, a *asl.Action) error {
	label := a.Run.Label
	if label == "" {
		label = d.uuid()
	}
	r := &mapRun{line: l, call: &Call{Action: a, Execution: l.info}, arn: l.info.MachineARN + "/" + label}
	r.out = &MapRun{
		State: a.State,
		ARN:   fmt.Sprintf("arn:aws:states:%s:%s:mapRun:%s/%s:%s", d.cfg.Region, d.cfg.Account, d.cfg.Name, label, d.uuid()),
	}
	l.out.MapRuns = append(l.out.MapRuns, r.out)
	l.stops[a.Key] = func(ctx context.Context) error { return r.abort(ctx, d) }
	d.at(d.now, l, asl.Input{Kind: asl.InputRunStarted, Key: a.Key, Text: r.out.ARN})
	d.enter(&entry{at: d.now, run: r})
	return nil
}

// look carries the map run on.
func (r *mapRun) look(ctx context.Context, d *driver) error {
	if !r.known {
		failure, err := r.read(ctx, d)
		if err != nil {
			return err
		}
		if failure != nil {
			return r.fail(ctx, d, *failure)
		}
	}
	spec := r.call.Run
	most := int(spec.Concurrency)
	if most <= 0 {
		most = maxConcurrency
	}
	for r.tolerates() && r.next < len(r.inputs) && r.running < most {
		if err := r.start(ctx, d); err != nil {
			return err
		}
	}
	switch {
	case !r.tolerates():
		return r.exceeded(ctx, d)
	case r.next == len(r.inputs) && r.running == 0:
		return r.finish(ctx, d)
	}
	return nil
}

// read finds the items.
func (r *mapRun) read(ctx context.Context, d *driver) (*asl.Failure, error) {
	spec := r.call.Run
	items := spec.Items
	if spec.Reader != nil {
		if d.cfg.Items == nil {
			return nil, fmt.Errorf("nobody reads the items of the state %q", r.call.State)
		}
		var failure *asl.Failure
		var err error
		if items, failure, err = d.cfg.Items.Read(ctx, r.call, spec.MaxItems); failure != nil || err != nil {
			return failure, err
		}
		if spec.MaxItems > 0 && int64(len(items)) > spec.MaxItems {
			items = items[:spec.MaxItems]
		}
		if items, failure = r.line.x.Selected(r.call.Key, spec.Reader, items); failure != nil {
			return failure, nil
		}
	}
	r.inputs, r.total, r.known = spec.Inputs(items), len(items), true
	return nil, nil
}

func (r *mapRun) tolerates() bool {
	return asl.Tolerates(r.call.Run.ToleratedCount, r.call.Run.ToleratedPercentage, r.failed, r.total)
}

// start starts the next execution.
func (r *mapRun) start(ctx context.Context, d *driver) error {
	m, ok := d.cfg.Machine.Processor(r.call.State)
	if !ok {
		return fmt.Errorf("the machine has no Map state %q", r.call.State)
	}
	name := d.uuid()
	l := d.newLine(m, asl.Info{
		ExecutionARN: fmt.Sprintf("arn:aws:states:%s:%s:execution:%s:%s", d.cfg.Region, d.cfg.Account, r.arn[len(machinePrefix(d.cfg)):], name),
		MachineARN:   r.arn, Input: r.inputs[r.next].Input, Express: r.call.Run.ExecutionType == "EXPRESS", Seed: d.random.Uint64(),
	})
	l.run, l.slot = r, r.next
	r.next++
	r.running++
	r.children = append(r.children, l)
	r.out.Executions = append(r.out.Executions, l.out)
	return d.step(ctx, l, asl.Input{Kind: asl.InputStart})
}

func machinePrefix(cfg *Config) string {
	return fmt.Sprintf("arn:aws:states:%s:%s:stateMachine:", cfg.Region, cfg.Account)
}

// childEnded counts an execution that has ended and has the run looked after.
func (r *mapRun) childEnded(d *driver, l *line) {
	r.running--
	if s := l.x.Status(); s == asl.Failed || s == asl.TimedOut {
		r.failed += r.inputs[l.slot].Items
	}
	if !r.over {
		d.enter(&entry{at: d.now, run: r})
	}
}

// finish gives the state its result.
func (r *mapRun) finish(ctx context.Context, d *driver) error {
	r.over = true
	in := asl.Input{Kind: asl.InputSucceeded, Key: r.call.Key}
	if r.call.Run.Writer != nil {
		if d.cfg.Items == nil {
			return fmt.Errorf("nobody writes the results of the state %q", r.call.State)
		}
		out, failure, err := d.cfg.Items.Write(ctx, r.call, r.out)
		if err != nil {
			return err
		}
		if failure != nil {
			in.Kind, in.Failure = asl.InputFailed, *failure
		}
		in.Output = out
	} else {
		in.Output = r.out.Outputs()
	}
	d.at(d.now, r.line, in)
	return nil
}

// Outputs lists what the executions that succeeded gave.
func (r *MapRun) Outputs() []any {
	list := make([]any, 0, len(r.Executions))
	for _, x := range r.Executions {
		if x.Status == asl.Succeeded {
			list = append(list, x.Output)
		}
	}
	return list
}

// exceeded ends a run of which too many executions failed. What came of it is
// written all the same.
func (r *mapRun) exceeded(ctx context.Context, d *driver) error {
	if err := r.abort(ctx, d); err != nil {
		return err
	}
	if w := r.call.Run.Writer; w != nil && w.Resource != "" && d.cfg.Items != nil {
		for _, in := range r.inputs[r.next:] {
			r.out.Unstarted = append(r.out.Unstarted, in.Input)
		}
		// The run failed whether or not its results can be written.
		if _, _, err := d.cfg.Items.Write(ctx, r.call, r.out); err != nil {
			return err
		}
	}
	return r.fail(ctx, d, asl.ToleranceExceeded())
}

func (r *mapRun) fail(ctx context.Context, d *driver, why asl.Failure) error {
	if err := r.abort(ctx, d); err != nil {
		return err
	}
	d.at(d.now, r.line, asl.Input{Kind: asl.InputFailed, Key: r.call.Key, Failure: why})
	return nil
}

// abort ends the executions that still run.
func (r *mapRun) abort(ctx context.Context, d *driver) error {
	r.over = true
	for _, l := range r.children {
		if l.ended() {
			continue
		}
		if err := d.step(ctx, l, asl.Input{Kind: asl.InputAbort}); err != nil {
			return err
		}
	}
	return nil
}
