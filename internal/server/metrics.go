package server

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/leat-dev/leat/internal/core"
)

// metrics is what GET /metrics shows.
type metrics struct {
	registry    *prometheus.Registry
	commits     prometheus.Histogram
	closures    prometheus.Histogram
	transitions *prometheus.CounterVec
	eventLag    prometheus.Histogram
	eventCount  prometheus.Counter
	requests    *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "leat_store_commit_seconds", Help: "Time to make a group of writes durable.", Buckets: prometheus.ExponentialBuckets(0.0002, 2, 14),
		}),
		closures: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "leat_store_commit_writes", Help: "Writers that shared one commit.", Buckets: prometheus.ExponentialBuckets(1, 2, 9),
		}),
		transitions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "leat_flow_run_transitions_total", Help: "State changes of flow runs.",
		}, []string{"from", "to"}),
		eventLag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "leat_event_lag_seconds", Help: "Time from an event to its storing, by the sender's clock.", Buckets: prometheus.ExponentialBuckets(0.001, 3, 12),
		}),
		eventCount: prometheus.NewCounter(prometheus.CounterOpts{Name: "leat_events_total", Help: "Events that clients sent."}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "leat_http_requests_total", Help: "Requests by status.",
		}, []string{"code"}),
	}
	m.registry.MustRegister(m.commits, m.closures, m.transitions, m.eventLag, m.eventCount, m.requests,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) commit(closures int, took time.Duration) {
	m.commits.Observe(took.Seconds())
	m.closures.Observe(float64(closures))
}

func (m *metrics) transition(from, to core.StateType) {
	m.transitions.WithLabelValues(string(from), string(to)).Inc()
}

func (m *metrics) events(count int, lag time.Duration) {
	m.eventCount.Add(float64(count))
	m.eventLag.Observe(lag.Seconds())
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// count counts answers by status.
func (m *metrics) count(next http.Handler) http.Handler {
	return promhttp.InstrumentHandlerCounter(m.requests, next)
}

// watch adds what is asked of the database when somebody looks.
func (m *metrics) watch(db core.Store, now func() time.Time) {
	m.registry.MustRegister(&queueCollector{
		db: db, now: now,
		depth: prometheus.NewDesc("leat_flow_runs_due", "Scheduled flow runs whose time has come.", nil, nil),
		late:  prometheus.NewDesc("leat_flow_run_lateness_seconds", "How late the latest of the due flow runs is.", nil, nil),
	})
}

// queueCollector asks how many runs wait and how late they are.
type queueCollector struct {
	db          core.Store
	now         func() time.Time
	depth, late *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (q *queueCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- q.depth
	ch <- q.late
}

// Collect implements prometheus.Collector.
func (q *queueCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	now := q.now()
	due := &core.Filter{Conds: []core.Cond{
		{Field: "state.type", Op: core.OpAny, Value: []core.StateType{core.Scheduled}},
		{Field: "next_scheduled_start_time", Op: core.OpBefore, Value: now},
	}}
	depth, latest := 0, time.Duration(0)
	err := q.db.View(ctx, core.DefaultWorkspace, func(tx core.Tx) error {
		query := core.Query{Where: map[core.Entity]*core.Filter{core.EntityFlowRun: due}, Sort: "NEXT_SCHEDULED_START_TIME_ASC", Limit: 1}
		runs, err := tx.FilterFlowRuns(query)
		if err != nil {
			return err
		}
		if len(runs) > 0 && runs[0].NextScheduledStartTime != nil {
			latest = now.Sub(*runs[0].NextScheduledStartTime)
		}
		depth, err = tx.CountFlowRuns(query)
		return err
	})
	if err != nil {
		ch <- prometheus.NewInvalidMetric(q.depth, err)
		return
	}
	ch <- prometheus.MustNewConstMetric(q.depth, prometheus.GaugeValue, float64(depth))
	ch <- prometheus.MustNewConstMetric(q.late, prometheus.GaugeValue, latest.Seconds())
}
