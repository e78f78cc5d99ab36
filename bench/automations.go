package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

// The load of the row of automations.
const (
	automationCount = 500
	eventsPerSecond = 10_000
	// eventsPerPost is how many events a request has, the last of them a probe.
	eventsPerPost = 100
	// settleTime is how long the last probe's firing may take to be told.
	settleTime = 30 * time.Second
)

// Names of the figures of the row of automations.
const (
	sentRate   = "events/s"
	lagMiddle  = "event lag p50, ms"
	lagLate    = "event lag p95, ms"
	lagLongest = "event lag at most, ms"
	probesSeen = "probes seen, of all"
)

// automated sends events at a steady rate to a fresh server with many
// automations, and reads from the events of their firings how late those came.
func automated(ctx context.Context, b *bench, t target) (sample, error) {
	s, err := b.fresh(ctx, t)
	if err != nil {
		return sample{}, err
	}
	defer s.stop()
	if err := s.automate(ctx); err != nil {
		return sample{}, err
	}
	rate := eventsPerSecond
	if t.product == reference {
		rate /= 100 // more is never seen in time
	}
	return watchedEvents(ctx, s, load{clients: 4, limit: b.duration()}, rate)
}

// automate makes automations of several kinds, each of which watches a share of
// the events, and one that fires for each probe.
func (s *server) automate(ctx context.Context) error {
	c := newConn(s.addr)
	defer c.close()
	for i := range automationCount {
		trigger := fmt.Sprintf(`{"type":"event","posture":"Reactive","expect":["bench.%d"],"for_each":["prefect.resource.id"],"threshold":100000,"within":60}`, i)
		switch i % 4 {
		case 1:
			trigger = fmt.Sprintf(`{"type":"event","posture":"Reactive","expect":["bench.*"],"match":{"prefect.resource.id":"bench.resource.%d"},"threshold":100000,"within":60}`, i)
		case 2:
			trigger = fmt.Sprintf(`{"type":"event","posture":"Proactive","expect":["bench.%d"],"threshold":1,"within":3600}`, i)
		}
		if i == 0 {
			trigger = `{"type":"event","posture":"Reactive","expect":["probe"],"threshold":1,"within":0}`
		}
		body := fmt.Appendf(nil, `{"name":"bench-%d","trigger":%s,"actions":[{"type":"do-nothing"}]}`, i, trigger)
		if _, err := c.post(ctx, "/automations/", body, http.StatusCreated); err != nil {
			return err
		}
	}
	return nil
}

// watchedEvents sends so many events a second and measures how late automations fire.
func watchedEvents(ctx context.Context, s *server, l load, rate int) (sample, error) {
	pace := time.NewTicker(time.Second * eventsPerPost / time.Duration(rate))
	defer pace.Stop()
	begin, probes := time.Now(), 0
	out := drive(ctx, s, l, func(ctx context.Context, c *conn, n int) error {
		select {
		case <-pace.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		_, err := c.post(ctx, "/events", postedEvents(n), http.StatusNoContent)
		return err
	})
	probes = out.Ops
	out.Ops *= eventsPerPost
	lags, err := s.lags(ctx, begin, probes)
	if err != nil {
		return out, err
	}
	out.Values = map[string]float64{
		sentRate: out.rate(), lagMiddle: quantile(lags, 0.5), lagLate: quantile(lags, 0.95), lagLongest: quantile(lags, 1),
		probesSeen: float64(len(lags)) / float64(max(probes, 1)),
	}
	return out, nil
}

// postedEvents is the body of one request.
func postedEvents(n int) []byte {
	var body bytes.Buffer
	body.WriteByte('[')
	now := time.Now().UTC().Format(time.RFC3339Nano)
	for i := range eventsPerPost {
		name := fmt.Sprintf("bench.%d", rand.N(automationCount)) //nolint:gosec // any will do
		if i == eventsPerPost-1 {
			name = "probe"
		}
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"id":"%08x-%04x-7000-8000-%012x","occurred":%q,"event":%q,"resource":{"prefect.resource.id":"bench.resource.%d"},`+
			`"related":[{"prefect.resource.id":"prefect.flow.bench","prefect.resource.role":"flow"}],"payload":{"n":%d}}`,
			time.Now().Unix(), i, n, now, name, rand.N(automationCount), n) //nolint:gosec // any will do
	}
	body.WriteByte(']')
	return body.Bytes()
}

// lags reads how many milliseconds after their probes the automation fired,
// sorted, once as many are told as probes were sent.
func (s *server) lags(ctx context.Context, since time.Time, probes int) ([]float64, error) {
	var out []float64
	for end := time.Now().Add(settleTime); ; {
		var err error
		if out, err = s.readLags(ctx, since); err != nil || len(out) >= probes || time.Now().After(end) {
			slices.Sort(out)
			return out, err
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// firings is a page of events that tell that automations fired.
type firings struct {
	Events []struct {
		Occurred time.Time `json:"occurred"`
		Payload  struct {
			Event *struct {
				Event    string    `json:"event"`
				Occurred time.Time `json:"occurred"`
			} `json:"triggering_event"`
		} `json:"payload"`
	} `json:"events"`
	NextPage string `json:"next_page"`
}

func (s *server) readLags(ctx context.Context, since time.Time) ([]float64, error) {
	c := newConn(s.addr)
	defer c.close()
	answer, err := c.post(ctx, "/events/filter", fmt.Appendf(nil, `{"filter":{"occurred":{"since":%q,"until":%q},"event":{"name":["prefect.automation.triggered"]}},"limit":50}`,
		since.UTC().Format(time.RFC3339Nano), time.Now().Add(time.Minute).UTC().Format(time.RFC3339Nano)), http.StatusOK)
	var out []float64
	for err == nil {
		var page firings
		if err := json.Unmarshal(answer, &page); err != nil {
			return nil, err
		}
		for _, e := range page.Events {
			if probe := e.Payload.Event; probe != nil && probe.Event == "probe" {
				out = append(out, float64(e.Occurred.Sub(probe.Occurred).Microseconds())/1000)
			}
		}
		_, token, more := bytes.Cut([]byte(page.NextPage), []byte("/api"))
		if !more {
			return out, nil
		}
		answer, err = c.do(ctx, http.MethodGet, string(token), nil, http.StatusOK)
	}
	return out, err
}
