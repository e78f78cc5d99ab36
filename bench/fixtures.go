package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// fixtures are what rows need on a server before they measure. Each is made
// once, when a row asks for it.
type fixtures struct {
	flow       string
	deployment string
	limit      bool
	filled     int // runs stored for the row of filters
	scheduled  int // runs that wait for the rows of polls
	// machines are the ARNs of the state machines made, by name.
	machines map[string]string
	// looped is the execution with a long history.
	looped []byte
}

// leaseLimit is the name of the concurrency limit that leases are taken of.
const leaseLimit = "bench"

func (s *server) flow(ctx context.Context) (string, error) {
	if s.fixtures.flow != "" {
		return s.fixtures.flow, nil
	}
	c := newConn(s.addr)
	defer c.close()
	body, err := c.post(ctx, "/flows/", []byte(`{"name":"bench","tags":[],"labels":{}}`), http.StatusCreated)
	if err != nil {
		return "", err
	}
	s.fixtures.flow, err = createdID(body)
	return s.fixtures.flow, err
}

// deployed makes a work pool and a deployment that uses it.
func (s *server) deployed(ctx context.Context) (string, error) {
	if s.fixtures.deployment != "" {
		return s.fixtures.deployment, nil
	}
	flow, err := s.flow(ctx)
	if err != nil {
		return "", err
	}
	c := newConn(s.addr)
	defer c.close()
	const pool = `{"name":"bench","type":"process","base_job_template":{"job_configuration":{"command":"{{ command }}"},` +
		`"variables":{"type":"object","properties":{"command":{"type":"string","title":"Command"}}}}}`
	if _, err := c.post(ctx, "/work_pools/", []byte(pool), http.StatusCreated); err != nil {
		return "", err
	}
	body, err := c.post(ctx, "/deployments/", fmt.Appendf(nil, deploymentBody, flow), http.StatusCreated)
	if err != nil {
		return "", err
	}
	s.fixtures.deployment, err = createdID(body)
	return s.fixtures.deployment, err
}

const deploymentBody = `{"name":"bench","flow_id":"%s","paused":false,"schedules":[],"concurrency_limit":null,` +
	`"concurrency_options":null,"enforce_parameter_schema":true,"parameter_openapi_schema":{"title":"Parameters","type":"object",` +
	`"properties":{"x":{"default":1,"position":0,"title":"x","type":"integer"}}},"parameters":{},"tags":[],"labels":{},` +
	`"pull_steps":[{"prefect.deployments.steps.set_working_directory":{"directory":"/tmp"}}],"work_queue_name":null,` +
	`"work_pool_name":"bench","storage_document_id":null,"infrastructure_document_id":null,"description":null,"path":null,` +
	`"entrypoint":"bench.py:bench","job_variables":{},"version":"1","version_info":{"type":"prefect:simple","version":"1"}}`

// limited makes the concurrency limit; it is wide enough never to be full.
func (s *server) limited(ctx context.Context) error {
	if s.fixtures.limit {
		return nil
	}
	c := newConn(s.addr)
	defer c.close()
	_, err := c.post(ctx, "/v2/concurrency_limits/",
		[]byte(`{"name":"`+leaseLimit+`","limit":1000,"active":true,"active_slots":0,"slot_decay_per_second":0.0}`), http.StatusCreated)
	s.fixtures.limit = err == nil
	return err
}

// fill stores flow runs that have ended, by the public API, until there are n
// or time is up, and returns how many there are.
func (s *server) fill(ctx context.Context, n int, l load) (int, error) {
	if s.fixtures.filled >= n {
		return s.fixtures.filled, nil
	}
	flow, err := s.flow(ctx)
	if err != nil {
		return 0, err
	}
	l.max = n - s.fixtures.filled
	got := drive(ctx, s, l, func(ctx context.Context, c *conn, i int) error {
		state := `{"type":"COMPLETED","name":"Completed","message":null,"state_details":{},"data":null}`
		if i%10 == 0 {
			state = `{"type":"FAILED","name":"Failed","message":"it failed","state_details":{},"data":null}`
		}
		_, err := c.post(ctx, "/flow_runs/", fmt.Appendf(nil, runBody, state, flow), http.StatusCreated)
		return err
	})
	s.fixtures.filled += got.Ops
	if got.Ops == 0 {
		return 0, fmt.Errorf("no runs could be stored: %s", got.Note)
	}
	return s.fixtures.filled, nil
}

// wireTime is the form of times in bodies.
func wireTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
