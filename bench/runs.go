package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// runBody is what the SDK sends to create a flow run: state and flow.
const runBody = `{"state":%s,"name":null,"flow_id":"%s","flow_version":"12095f3e4944dd468cd7307de6e114f4","parameters":{},` +
	`"context":{},"parent_task_run_id":null,"empirical_policy":{"retries":0,"retry_delay":0},"tags":[]}`

// stateBody is what the SDK sends to set a state: type, name, flow run,
// transition, and whether the result is kept nowhere.
const stateBody = `{"state":{"type":"%s","name":"%s","message":null,"state_details":{"flow_run_id":"%s","task_run_id":null,` +
	`"child_flow_run_id":null,"scheduled_time":null,"cache_key":null,"cache_expiration":null,"deferred":null,` +
	`"untrackable_result":%t,"pause_timeout":null,"pause_reschedule":false,"pause_key":null,"run_input_keyset":null,` +
	`"refresh_cache":null,"retriable":null,"transition_id":"%s","task_parameters_id":null,"traceparent":null,` +
	`"deployment_concurrency_lease_id":null},"data":null},"force":false}`

// runLife creates a flow run and takes it through Pending and Running to
// Completed: four requests, each of which the server must accept.
func runLife(ctx context.Context, s *server, l load) (sample, error) {
	flow, err := s.flow(ctx)
	if err != nil {
		return sample{}, err
	}
	ids := newIDs()
	return drive(ctx, s, l, func(ctx context.Context, c *conn, _ int) error { return oneLife(ctx, c, flow, ids) }), nil
}

func oneLife(ctx context.Context, c *conn, flow string, ids *ids) error {
	scheduled := `{"type":"SCHEDULED","name":"Scheduled","message":null,"state_details":{"scheduled_time":"` +
		wireTime(time.Now()) + `","traceparent":null},"data":null}`
	body, err := c.post(ctx, "/flow_runs/", fmt.Appendf(nil, runBody, scheduled, flow), http.StatusCreated)
	if err != nil {
		return err
	}
	id, err := createdID(body)
	if err != nil {
		return err
	}
	for _, name := range [...]string{"Pending", "Running", "Completed"} {
		kind := strings.ToUpper(name)
		// 201 says that the state was accepted as proposed.
		_, err := c.post(ctx, "/flow_runs/"+id+"/set_state",
			fmt.Appendf(nil, stateBody, kind, name, id, name == "Completed", ids.next()), http.StatusCreated)
		if err != nil {
			return err
		}
	}
	return nil
}

// deploymentRuns creates flow runs from a deployment. They lie an hour ahead,
// so that no background work on late runs comes between.
func deploymentRuns(ctx context.Context, s *server, l load) (sample, error) {
	deployment, err := s.deployed(ctx)
	if err != nil {
		return sample{}, err
	}
	path := "/deployments/" + deployment + "/create_flow_run"
	body := fmt.Appendf(nil, `{"state":{"type":"SCHEDULED","name":"Scheduled","message":null,"state_details":{"scheduled_time":"%s",`+
		`"traceparent":null},"data":null},"name":null,"parameters":{},"context":{},"tags":[],"idempotency_key":null,`+
		`"parent_task_run_id":null,"job_variables":{},"labels":{}}`, wireTime(time.Now().Add(time.Hour)))
	return drive(ctx, s, l, func(ctx context.Context, c *conn, _ int) error {
		_, err := c.post(ctx, path, body, http.StatusCreated)
		return err
	}), nil
}

const (
	// logLines is how many lines one request brings, logTasks of how many task
	// runs they are.
	logLines = 100
	logTasks = 10
)

// logs stores log lines of one flow run, a hundred to a request. Each request
// is of task runs of its own, as a batch of the SDK is.
func logs(ctx context.Context, s *server, l load) (sample, error) {
	ids := newIDs()
	run := ids.next()
	lines := make([]string, logLines)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"name":"prefect.task_runs","level":20,"message":"Finished in state Completed() after step %d of the work",`+
			`"timestamp":"<now>","flow_run_id":"%s","task_run_id":"<%d>"}`, i, run, i%logTasks)
	}
	body := parseTemplate("[" + strings.Join(lines, ",") + "]")
	return drive(ctx, s, l, func(ctx context.Context, c *conn, _ int) error {
		values := map[string]string{"now": wireTime(time.Now())}
		for i := range logTasks {
			values[strconv.Itoa(i)] = ids.next()
		}
		_, err := c.post(ctx, "/logs/", body.fill(values), http.StatusCreated)
		return err
	}), nil
}

// leases takes a slot of a limit under a lease and gives it back.
func leases(ctx context.Context, s *server, l load) (sample, error) {
	if err := s.limited(ctx); err != nil {
		return sample{}, err
	}
	ids := newIDs()
	return drive(ctx, s, l, func(ctx context.Context, c *conn, _ int) error {
		acquire := fmt.Appendf(nil, `{"names":["%s"],"slots":1,"mode":"concurrency","lease_duration":60,"holder":{"type":"task_run","id":"%s"}}`,
			leaseLimit, ids.next())
		body, err := c.post(ctx, "/v2/concurrency_limits/increment-with-lease", acquire, http.StatusOK)
		if err != nil {
			return err
		}
		lease := field(body, "lease_id")
		_, err = c.post(ctx, "/v2/concurrency_limits/decrement-with-lease", []byte(`{"lease_id":"`+lease+`"}`), http.StatusNoContent)
		return err
	}), nil
}

// filters lists the newest runs of a state and counts all of it.
func filters(ctx context.Context, s *server, l load) (sample, error) {
	const selection = `"flow_runs":{"state":{"type":{"any_":["COMPLETED"]}}}`
	list := []byte(`{"flows":null,` + selection + `,"task_runs":null,"deployments":null,"work_pools":null,"work_pool_queues":null,` +
		`"sort":"EXPECTED_START_TIME_DESC","limit":15,"offset":0}`)
	count := []byte(`{` + selection + `}`)
	return drive(ctx, s, l, func(ctx context.Context, c *conn, _ int) error {
		if _, err := c.post(ctx, "/flow_runs/filter", list, http.StatusOK); err != nil {
			return err
		}
		_, err := c.post(ctx, "/flow_runs/count", count, http.StatusOK)
		return err
	}), nil
}

// ids makes UUIDs of version 7 that no other run of this program makes.
type ids struct {
	start int64
	n     atomic.Int64
}

func newIDs() *ids { return &ids{start: time.Now().UnixNano()} }

func (g *ids) next() string {
	ms := time.Now().UnixMilli()
	return fmt.Sprintf("%08x-%04x-7%03x-8%03x-%012x", ms>>16, ms&0xffff, g.start>>8&0xfff, g.start>>20&0xfff, g.n.Add(1)&0xffffffffffff)
}
