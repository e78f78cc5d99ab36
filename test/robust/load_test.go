package robust

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// user is one client. It works on one server until that fails it; a patient
// one then goes on with the next.
type user struct {
	servers []*server
	at      int
	patient bool
	flow    string
	limit   string // a concurrency limit, or ""
	ledger  *ledger
	// alive ends when the user shall stop.
	alive context.Context
}

// impatience is how long a patient user tries to get an acknowledgement.
const impatience = 30 * time.Second

// ask makes a request until a server acknowledges it. Only requests that may
// come twice are asked so.
func (u *user) ask(ctx context.Context, method, path string, in, out any) error {
	return u.insist(ctx, func(s *server) error {
		_, err := s.call(ctx, method, path, in, out)
		return err
	})
}

func (u *user) insist(ctx context.Context, try func(*server) error) error {
	ctx, cancel := context.WithTimeout(ctx, impatience)
	defer cancel()
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for {
		err := try(u.servers[u.at])
		var answered *httpError
		if err == nil || !u.patient || errors.As(err, &answered) && answered.status != http.StatusServiceUnavailable {
			return err
		}
		u.at = (u.at + 1) % len(u.servers)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return fmt.Errorf("nobody acknowledges: %w", err)
		}
	}
}

// lives takes runs through their lives until n are done or the user shall stop.
func (u *user) lives(n int) error {
	for range n {
		if u.alive.Err() != nil {
			return nil //nolint:nilerr // the user was told to stop
		}
		if err := u.life(context.WithoutCancel(u.alive)); err != nil {
			return err
		}
	}
	return nil
}

// life is one run's, with a state, logs, two task runs and a lease.
func (u *user) life(ctx context.Context) error {
	var run withID
	create := object{"flow_id": u.flow, "idempotency_key": newID()}
	if err := u.ask(ctx, http.MethodPost, "/flow_runs/", create, &run); err != nil {
		u.ledger.note(func() { u.ledger.unanswered++ })
		return err
	}
	u.ledger.note(func() { u.ledger.runs[run.ID] = []string{"Pending"} })
	for _, name := range []string{"Running", "Completed"} {
		if err := u.move(ctx, run.ID, name); err != nil {
			u.ledger.note(func() { u.ledger.unsure[run.ID] = true })
			return err
		}
		if err := u.log(ctx, run.ID, name); err != nil {
			return err
		}
		if err := u.task(ctx, run.ID); err != nil {
			return err
		}
		if err := u.lease(ctx); err != nil {
			return err
		}
	}
	return nil
}

// move proposes a state under a transition id, so that it may be proposed twice.
func (u *user) move(ctx context.Context, run, name string) error {
	kind := map[string]string{"Pending": "PENDING", "Running": "RUNNING", "Completed": "COMPLETED"}[name]
	proposal := object{"state": object{"type": kind, "name": name, "state_details": object{"transition_id": newID()}}}
	var out struct {
		Status string
		State  struct{ Name string }
	}
	if err := u.ask(ctx, http.MethodPost, "/flow_runs/"+run+"/set_state", proposal, &out); err != nil {
		return err
	}
	if out.State.Name != name {
		return fmt.Errorf("flow run %s to %s: %s %s", run, name, out.Status, out.State.Name)
	}
	u.ledger.note(func() { u.ledger.runs[run] = append(u.ledger.runs[run], name) })
	return nil
}

// log sends two lines, once: nothing tells a server that it has them already.
func (u *user) log(ctx context.Context, run, about string) error {
	var lines []object
	for i := range 2 {
		lines = append(lines, object{
			"name": "robust", "level": 20, "message": fmt.Sprintf("%s %s %d", about, newID(), i), "timestamp": time.Now().UTC(), "flow_run_id": run,
		})
	}
	_, err := u.servers[u.at].call(ctx, http.MethodPost, "/logs/", lines, nil)
	if err != nil && u.patient {
		return nil // what was not acknowledged is not missed
	}
	if err == nil {
		u.ledger.note(func() {
			for _, line := range lines {
				u.ledger.logs[line["message"].(string)] = run
			}
		})
	}
	return err
}

// task sends a task run's events over a socket, again until a pong confirms them.
func (u *user) task(ctx context.Context, run string) error {
	task, key := newID(), newID()
	var events []object
	at := time.Now()
	for i, name := range []string{"Pending", "Running", "Completed"} {
		events = append(events, taskEvent(run, task, key, name, at.Add(time.Duration(i)*time.Millisecond)))
	}
	err := u.insist(ctx, func(s *server) error { return s.sendEvents(ctx, events) })
	if err == nil {
		u.ledger.note(func() {
			u.ledger.tasks[task] = run
			for _, e := range events {
				u.ledger.events[e["id"].(string)] = true
			}
		})
	}
	return err
}

// lease takes a slot and gives it back.
func (u *user) lease(ctx context.Context) error {
	if u.limit == "" {
		return nil
	}
	var got struct {
		LeaseID string `json:"lease_id"`
	}
	take := object{"names": []string{u.limit}, "slots": 1, "mode": "concurrency", "lease_duration": 60}
	if err := u.ask(ctx, http.MethodPost, "/v2/concurrency_limits/increment-with-lease", take, &got); err != nil {
		return err
	}
	return u.ask(ctx, http.MethodPost, "/v2/concurrency_limits/decrement-with-lease", object{"lease_id": got.LeaseID}, nil)
}
