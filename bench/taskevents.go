package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

const (
	// confirmEvery is after how many events the SDK asks for a pong.
	confirmEvery = 700
	// visibleTime is how long events may take to become visible.
	visibleTime = 120 * time.Second
	// taskStates is how many events a task run has.
	taskStates = 3
)

// sender is one SDK process: an event socket and a flow run.
type sender struct {
	s       *server
	flow    string
	run     string
	ids     *ids
	ws      *websocket.Conn
	task    template
	pending int // events since the last pong
	sent    atomic.Int64
	pongs   []float64 // milliseconds
	acked   time.Time
}

// taskEvents sends the three events of each task run as the SDK does, and
// measures until the server shows all of them as Completed. Rate and CPU are
// over that whole time: what was taken in and is not yet shown is not recorded.
func taskEvents(ctx context.Context, s *server, l load) (sample, error) {
	ctx, cancel := context.WithTimeout(ctx, l.limit+visibleTime+answerTime)
	defer cancel()
	flow, err := s.flow(ctx)
	if err != nil {
		return sample{}, err
	}
	senders := make([]*sender, l.clients)
	for i := range senders {
		if senders[i], err = newSender(ctx, s, flow); err != nil {
			return sample{}, err
		}
		defer func() { _ = senders[i].ws.CloseNow() }()
	}
	before, start := s.usage(), time.Now()
	var work sync.WaitGroup
	errs := make([]error, len(senders))
	each := max(1, l.max/l.clients)
	for i, d := range senders {
		work.Go(func() { errs[i] = d.send(ctx, start.Add(l.limit), each) })
	}
	stop, lags := make(chan struct{}), make(chan []float64)
	go func() { lags <- senders[0].watch(ctx, stop) }()
	work.Wait()
	acked := time.Now()
	close(stop)
	seen := <-lags
	out := sample{Values: map[string]float64{}}
	for i, d := range senders {
		out.latencies = append(out.latencies, d.pongs...)
		out.Ops += int(d.sent.Load())
		if errs[i] == nil {
			_, errs[i] = d.await(ctx, d.sent.Load())
		}
		if errs[i] != nil {
			out.Errors++
			out.Note = errs[i].Error()
		}
	}
	out.Seconds = time.Since(start).Seconds()
	out.Values["all visible after the last pong, s"] = time.Since(acked).Seconds()
	if len(seen) > 0 {
		out.Values["visible after sending meanwhile, at most, s"] = slices.Max(seen)
	}
	out.spent(before, s.settled())
	out.quantiles()
	return out, nil
}

func newSender(ctx context.Context, s *server, flow string) (*sender, error) {
	d := &sender{s: s, flow: flow, ids: newIDs(), task: parseTemplate(taskEvent)}
	c := newConn(s.addr)
	defer c.close()
	body, err := c.post(ctx, "/flow_runs/", fmt.Appendf(nil, runBody, `{"type":"PENDING","name":"Pending","message":null,"state_details":{},"data":null}`, flow), http.StatusCreated)
	if err != nil {
		return nil, err
	}
	if d.run, err = createdID(body); err != nil {
		return nil, err
	}
	//nolint:bodyclose // the library closes it
	d.ws, _, err = websocket.Dial(ctx, "ws://"+s.addr+"/api/events/in", &websocket.DialOptions{Subprotocols: []string{"prefect"}})
	if err != nil {
		return nil, err
	}
	if err := d.ws.Write(ctx, websocket.MessageText, []byte(`{"type":"auth","token":null}`)); err != nil {
		return nil, err
	}
	if _, answer, err := d.ws.Read(ctx); err != nil || field(answer, "type") != "auth_success" {
		return nil, fmt.Errorf("event socket: %w %s", err, answer)
	}
	// From here on only pongs come; they are seen while something reads.
	d.ws.CloseRead(ctx)
	return d, d.confirm(ctx)
}

// send sends at most n task runs until the time is up, and returns when the
// last pong has come.
func (d *sender) send(ctx context.Context, end time.Time, n int) error {
	for i := 0; i < n && time.Now().Before(end); i++ {
		if err := d.taskRun(ctx); err != nil {
			return err
		}
		d.sent.Add(1)
	}
	return d.confirm(ctx)
}

// taskRun sends the three events of one task run.
func (d *sender) taskRun(ctx context.Context) error {
	task, dynamic, follows := d.ids.next(), d.ids.next(), "null"
	created := wireTime(time.Now())
	previous, initial, started := "null", "null", ""
	for i, name := range [taskStates]string{"Pending", "Running", "Completed"} {
		now, id, kind := wireTime(time.Now().Add(time.Duration(i)*time.Microsecond)), d.ids.next(), strings.ToUpper(name)
		runs, details, times := "1", "{}", ""
		switch name {
		case "Pending":
			runs = "0"
		case "Running":
			started = `"start_time":"` + now + `",`
			times = started
		case "Completed":
			details = `{"untrackable_result":true}`
			times = started + `"end_time":"` + now + `",`
		}
		text := d.task.fill(map[string]string{
			"occurred": now, "name": name, "kind": kind, "task": task, "runs": runs, "run": d.run, "flow": d.flow, "from": previous,
			"initial": initial, "details": details, "dynamic": dynamic, "created": created, "times": times, "id": id, "follows": follows,
		})
		if err := d.ws.Write(ctx, websocket.MessageText, text); err != nil {
			return err
		}
		previous, follows = strconv.Quote(kind), strconv.Quote(id)
		initial = `{"type":` + previous + `,"name":"` + name + `","message":"","state_details":{}}`
		if d.pending++; d.pending >= confirmEvery {
			if err := d.confirm(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// confirm asks for the pong, which is the only receipt on this socket.
func (d *sender) confirm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	start := time.Now()
	if err := d.ws.Ping(ctx); err != nil {
		return fmt.Errorf("no pong: %w", err)
	}
	if d.pending > 0 {
		d.pongs = append(d.pongs, float64(time.Since(start).Microseconds())/1000)
	}
	d.pending, d.acked = 0, time.Now()
	return nil
}

// await asks until the server shows n task runs of the sender as Completed and
// returns how long that took, in seconds.
func (d *sender) await(ctx context.Context, n int64) (float64, error) {
	c := newConn(d.s.addr)
	defer c.close()
	body := []byte(`{"flow_runs":{"id":{"any_":["` + d.run + `"]}},"task_runs":{"state":{"type":{"any_":["COMPLETED"]}}}}`)
	start, count := time.Now(), int64(0)
	for time.Since(start) < visibleTime && ctx.Err() == nil {
		answer, err := c.post(ctx, "/task_runs/count", body, http.StatusOK)
		if err == nil {
			if count, err = strconv.ParseInt(strings.TrimSpace(string(answer)), 10, 64); err == nil && count >= n {
				return time.Since(start).Seconds(), nil
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	return 0, fmt.Errorf("only %d of %d task runs are visible after %v", count, n, visibleTime)
}

// watch measures, twice a second until stop, how long it takes until what has
// been sent so far is visible.
func (d *sender) watch(ctx context.Context, stop <-chan struct{}) []float64 {
	var lags []float64
	every := time.NewTicker(500 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case <-stop:
			return lags
		case <-every.C:
		}
		if n := d.sent.Load(); n > 0 {
			if lag, err := d.await(ctx, n); err == nil {
				lags = append(lags, lag)
			}
		}
	}
}

// taskEvent is a task run's event as the SDK sends it.
const taskEvent = `{"occurred":"<occurred>","event":"prefect.task-run.<name>","resource":{"prefect.resource.id":"prefect.task-run.<task>",` +
	`"prefect.resource.name":"add-90a","prefect.run-count":"<runs>","prefect.state-message":"","prefect.state-name":"<name>",` +
	`"prefect.state-timestamp":"<occurred>","prefect.state-type":"<kind>","prefect.orchestration":"client"},"related":[` +
	`{"prefect.resource.id":"prefect.flow-run.<run>","prefect.resource.role":"flow-run","prefect.resource.name":"unbeatable-ostrich"},` +
	`{"prefect.resource.id":"prefect.flow.<flow>","prefect.resource.role":"flow","prefect.resource.name":"bench"}],` +
	`"payload":{"intended":{"from":<from>,"to":"<kind>"},"initial_state":<initial>,"validated_state":{"type":"<kind>","name":"<name>",` +
	`"message":"","state_details":<details>,"data":null},"task_run":{"name":"add-90a","task_key":"add-69bf0dfd","dynamic_key":"<dynamic>",` +
	`"empirical_policy":{"max_retries":0,"retry_delay_seconds":0.0,"retries":0,"retry_delay":0},"tags":[],"labels":{},` +
	`"task_inputs":{"i":[]},"run_count":<runs>,"flow_run_run_count":<runs>,"expected_start_time":"<created>",<times>` +
	`"total_run_time":0.0}},"id":"<id>","follows":<follows>}`
