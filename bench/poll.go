package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// polledRuns is how many runs wait in a pool while it is polled.
const polledRuns = 10_000

// polled stores runs that wait in a pool, and asks for them by the body that
// path and body make of the time and the deployment's id: the answer holds the
// first 200. The runs lie ahead, so that nothing marks them late meanwhile.
func polled(path string, body func(deployment string) string) func(context.Context, *bench, target) (sample, error) {
	return func(ctx context.Context, b *bench, t target) (sample, error) {
		s, err := b.server(ctx, t)
		if err != nil {
			return sample{}, err
		}
		n, l := polledRuns, load{clients: manyClients, limit: b.fill}
		if t == (target{reference, sqlite}) {
			l.clients = 1 // more get little but errors
		}
		if b.quick {
			n, l.limit = 1000, 5*time.Second
		}
		waiting, err := s.schedule(ctx, n, l)
		if err != nil {
			return sample{}, err
		}
		request := []byte(body(s.fixtures.deployment))
		out := drive(ctx, s, load{clients: 1, limit: b.duration(), max: 20_000}, func(ctx context.Context, c *conn, _ int) error {
			_, err := c.post(ctx, path, request, http.StatusOK)
			return err
		})
		out.Values = map[string]float64{"runs waiting": float64(waiting)}
		return out, nil
	}
}

// schedule makes runs of the deployment until n wait or time is up, and returns
// how many there are.
func (s *server) schedule(ctx context.Context, n int, l load) (int, error) {
	if s.fixtures.scheduled >= n {
		return s.fixtures.scheduled, nil
	}
	l.max = n - s.fixtures.scheduled
	got, err := deploymentRuns(ctx, s, l)
	if err != nil {
		return 0, err
	}
	s.fixtures.scheduled += got.Ops
	if got.Ops == 0 {
		return 0, fmt.Errorf("no runs could be scheduled: %s", got.Note)
	}
	return s.fixtures.scheduled, nil
}

// pollRows measure what a worker and a served flow ask for every few seconds.
func pollRows() []row {
	before := func() string { return wireTime(time.Now().Add(24 * time.Hour)) }
	goals := func(string) goal {
		return goal{"p95 < 20 ms", false, func(ours, _ *sample) bool { return ours.Ops > 0 && ours.P95 < 20 && ours.Errors == 0 }}
	}
	return []row{
		{key: "poll", work: "a worker's poll, 10,000 runs scheduled", goal: goals, run: polled("/work_pools/bench/get_scheduled_flow_runs",
			func(string) string {
				return `{"work_queue_names":[],"scheduled_before":"` + before() + `","limit":200}`
			})},
		{key: "pollserved", work: "a served flow's poll, 10,000 runs scheduled", goal: goals, run: polled("/deployments/get_scheduled_flow_runs",
			func(id string) string {
				return `{"deployment_ids":["` + id + `"],"scheduled_before":"` + before() + `"}`
			})},
	}
}
