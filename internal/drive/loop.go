package drive

import (
	"cmp"
	"container/heap"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/leat-dev/leat/internal/asl"
)

// driver runs an execution and those of its map runs. One goroutine steps them;
// calls that take real time work beside it and report by a channel.
type driver struct {
	cfg    *Config
	now    time.Time
	random *rand.Rand
	agenda agenda
	serial int
	// pending counts the calls under way.
	pending int
	reports reports
	calls   sync.WaitGroup
}

// line is one execution under way.
type line struct {
	x    *asl.Execution
	info asl.Info
	out  *Execution
	// run and slot are the map run that it belongs to; nil is none.
	run  *mapRun
	slot int
	// stops withdraws what is under way for an action.
	stops map[int64]func(context.Context) error
}

func (l *line) ended() bool { return l.x.Status() != asl.Running }

func newDriver(cfg *Config) *driver {
	cfg.Name = cmp.Or(cfg.Name, "machine")
	cfg.Region = cmp.Or(cfg.Region, "us-east-1")
	cfg.Account = cmp.Or(cfg.Account, "000000000000")
	if cfg.Start.IsZero() {
		cfg.Start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	d := &driver{cfg: cfg, now: cfg.Start, random: rand.New(rand.NewPCG(cfg.Seed, 0x6c656174)), reports: reports{signal: make(chan struct{}, 1)}}
	if cfg.Real {
		d.now = cfg.Now()
	}
	return d
}

// uuid draws a name by the seed.
func (d *driver) uuid() string {
	a, b := d.random.Uint64(), d.random.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>48&0x3fff, b&(1<<48-1))
}

func (d *driver) newLine(m *asl.Machine, info asl.Info) *line {
	arn := info.ExecutionARN
	info.Name = arn[strings.LastIndexByte(arn, ':')+1:]
	info.MachineName = d.cfg.Name
	info.RoleARN = fmt.Sprintf("arn:aws:iam::%s:role/local", d.cfg.Account)
	info.Started = d.now.UTC().Truncate(time.Millisecond)
	info.Limits, info.Prepare = d.cfg.Limits, d.cfg.Prepare
	info.Token = func(key int64) string {
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(fmt.Appendf(nil, "%d %s ", d.cfg.Seed, arn), uint64(key)))
		return base64.StdEncoding.EncodeToString(sum[:])
	}
	return &line{
		x: asl.New(m, info), info: info, stops: map[int64]func(context.Context) error{},
		out: &Execution{Name: info.Name, ARN: arn, Status: asl.Running, Input: info.Input, Started: info.Started, machineARN: info.MachineARN},
	}
}

// step gives an input to an execution and does what it asks for.
func (d *driver) step(ctx context.Context, l *line, inputs ...asl.Input) error {
	for {
		res := l.x.Step(d.now, inputs...)
		inputs = nil
		l.out.Events = append(l.out.Events, res.Events...)
		l.out.Visits = append(l.out.Visits, res.Visits...)
		if d.cfg.Observe != nil && len(res.Events) > 0 {
			d.cfg.Observe(l.out, res.Events)
		}
		for _, key := range res.Cancelled {
			stop := l.stops[key]
			delete(l.stops, key)
			if stop == nil {
				continue
			}
			if err := stop(ctx); err != nil {
				return err
			}
		}
		for _, key := range res.Finished {
			delete(l.stops, key)
		}
		for _, a := range res.Actions {
			if l.x.Waits(a.Key) {
				if err := d.perform(ctx, l, a); err != nil {
					return err
				}
			}
		}
		if res.Ended {
			d.close(l, res)
			return nil
		}
		if !res.More {
			return nil
		}
		if l.info.Express && l.x.Events() > maxExpress {
			return fmt.Errorf("the express execution has more than %d events: it may be a loop without end", maxExpress)
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
	}
}

// close notes how an execution ended.
func (d *driver) close(l *line, res *asl.Result) {
	l.out.Status, l.out.Output, l.out.Failure = res.Status, res.Output, res.Failure
	l.out.Stopped = d.now.UTC().Truncate(time.Millisecond)
	if l.run != nil {
		l.run.childEnded(d, l)
	}
}

// perform takes an action in hand.
func (d *driver) perform(ctx context.Context, l *line, a *asl.Action) error {
	switch a.Kind {
	case asl.ActionTimer:
		d.at(a.At, l, asl.Input{Kind: asl.InputTimer, Key: a.Key})
		return nil
	case asl.ActionMapRun:
		return d.startRun(ctx, l, a)
	case asl.ActionTask, asl.ActionActivity:
	}
	if d.cfg.Performer == nil {
		return fmt.Errorf("nobody answers the task of the state %q", a.State)
	}
	work, err := d.cfg.Performer.Begin(&Call{Action: a, Execution: l.info})
	if err != nil {
		return err
	}
	if a.Timeout > 0 {
		d.at(d.now.Add(time.Duration(a.Timeout)*time.Second), l, asl.Input{Kind: asl.InputTimedOut, Key: a.Key})
	}
	if work.Do != nil {
		d.call(ctx, l, a.Key, work)
		return nil
	}
	if a.Heartbeat > 0 && beats(a) {
		d.at(d.now.Add(time.Duration(a.Heartbeat)*time.Second), l, asl.Input{Kind: asl.InputTimedOut, Key: a.Key})
	}
	if a.Kind == asl.ActionActivity {
		d.at(d.now, l, asl.Input{Kind: asl.InputWorker, Key: a.Key, Text: "local"})
	}
	d.at(d.now.Add(work.Answer.After), l, work.Answer.input(a.Key))
	return nil
}

// beats tells whether heartbeats are sent for an action: answers by mocks send none.
func beats(a *asl.Action) bool {
	return asl.ParseResource(a.Resource).ByToken()
}

func (a Answer) input(key int64) asl.Input {
	if a.Failure != nil {
		return asl.Input{Kind: asl.InputFailed, Key: key, Failure: *a.Failure}
	}
	return asl.Input{Kind: asl.InputSucceeded, Key: key, Output: a.Output}
}

// call lets a task work beside the execution.
func (d *driver) call(ctx context.Context, l *line, key int64, work Work) {
	ctx, cancel := context.WithCancel(ctx)
	l.stops[key] = func(context.Context) error { cancel(); return nil }
	d.pending++
	d.calls.Go(func() {
		defer cancel()
		answer, err := work.Do(ctx, func(output any) {
			d.reports.add(report{line: l, key: key, input: asl.Input{Kind: asl.InputSubmitted, Key: key, Output: output}})
		})
		d.reports.add(report{line: l, key: key, input: answer.input(key), err: err, last: true})
	})
}

// next lets the next thing happen: what a call reported, what is due, or, when
// nothing is under way, what will be due.
func (d *driver) next(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	reported := d.reports.take()
	for _, r := range reported {
		if r.last {
			d.pending--
		}
		if !r.line.x.Waits(r.key) {
			continue // it was withdrawn
		}
		if r.err != nil {
			return r.err
		}
		if err := d.step(ctx, r.line, r.input); err != nil {
			return err
		}
	}
	if len(reported) > 0 {
		return nil
	}
	e := d.agenda.first()
	if e != nil && !e.at.After(d.now) {
		heap.Pop(&d.agenda)
		if e.run != nil {
			return e.run.look(ctx, d)
		}
		return d.step(ctx, e.line, e.input)
	}
	switch {
	case d.pending > 0 || d.cfg.Real && e != nil:
		d.wait(ctx, e)
	case e != nil:
		d.now = e.at
	case d.reports.empty():
		return errStuck
	}
	return nil
}

// wait lets real time pass, until a call reports or the entry is due.
func (d *driver) wait(ctx context.Context, e *entry) {
	var due <-chan time.Time
	if e != nil {
		timer := time.NewTimer(e.at.Sub(d.now))
		defer timer.Stop()
		due = timer.C
	}
	var began time.Time
	if d.cfg.Now != nil {
		began = d.cfg.Now()
	}
	select {
	case <-d.reports.signal:
	case <-due:
	case <-ctx.Done():
	}
	switch {
	case d.cfg.Real:
		d.now = d.cfg.Now()
	case d.cfg.Now != nil:
		d.now = d.now.Add(d.cfg.Now().Sub(began))
	}
}

// at enters what will happen to an execution into the agenda.
func (d *driver) at(t time.Time, l *line, in asl.Input) { d.enter(&entry{at: t, line: l, input: in}) }

func (d *driver) enter(e *entry) {
	d.serial++
	e.order = d.serial
	heap.Push(&d.agenda, e)
}

// report is what a call has to tell.
type report struct {
	line  *line
	key   int64
	input asl.Input
	err   error
	last  bool
}

// reports passes what calls have to tell to the driver, and never blocks them.
type reports struct {
	mu     sync.Mutex
	list   []report
	signal chan struct{} // holds one when there is something new
}

func (r *reports) add(one report) {
	r.mu.Lock()
	r.list = append(r.list, one)
	r.mu.Unlock()
	select {
	case r.signal <- struct{}{}:
	default:
	}
}

func (r *reports) take() []report {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.list
	r.list = nil
	return list
}

func (r *reports) empty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.list) == 0
}
