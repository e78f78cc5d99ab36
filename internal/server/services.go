package server

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/service"
)

// background is work that goes on until ctx ends.
type background struct {
	name string
	run  func(ctx context.Context) error
}

// services lists the background work of a server.
func services(cfg Config, env Environment, log *slog.Logger, eng *engine.Engine, db core.Store, states *service.States) []background {
	host, _ := os.Hostname() // only a part of a name that is unique without it
	holder := fmt.Sprintf("%s/%d/%s", host, os.Getpid(), core.NewID(env.Now()))
	loop := func(name string, every time.Duration, tick func(context.Context) error, topics ...core.Topic) background {
		return background{name, service.Loop{
			Name: name, Store: db, Holder: holder, Interval: every, Topics: topics, Pace: 50 * time.Millisecond, Log: log, Tick: tick,
		}.Run}
	}
	states.Owner = holder
	journal := &service.Journal{Log: log, Open: func(group, machine string) (service.LogStream, error) { return states.Calls.LogStream(group, machine) }}
	states.Journal = journal.Take
	herald := &service.Herald{Log: log, Tell: func(ctx context.Context, c integration.StatusChange) error {
		return states.Calls.TellStatusChange(ctx, c)
	}}
	if states.Calls.TellsStatusChanges(context.Background()) {
		states.Herald = herald.Take
	}
	eng.PerformBy(states, holder, service.ActionHold)
	late := service.Late{Engine: eng, Now: env.Now, After: cfg.LateAfter}
	policy := service.Policy{Engine: eng, Now: env.Now}
	zombie := service.Zombie{Engine: eng, Now: env.Now, Heartbeat: cfg.HeartbeatTimeout, Silence: cfg.SilenceTimeout, Claim: cfg.ClaimTimeout}
	zombie.Attendance = &service.Attendance{Gap: 2 * zombieInterval(cfg)}
	cancel := service.Cancel{Engine: eng, Now: env.Now}
	scheduler := service.Scheduler{
		Engine: eng, Now: env.Now, MinRuns: 3, MaxRuns: 100, MinTime: time.Hour, MaxTime: 100 * 24 * time.Hour, Batch: 100, Parallel: 32,
	}
	foreman := service.Foreman{Engine: eng, Silence: engine.Silence{MissedBeats: 3, Interval: 30 * time.Second, Poll: 60 * time.Second, Batch: 200}}
	reaper := service.LeaseReaper{Engine: eng}
	retention := &service.Retention{Store: db, Now: env.Now, Keep: cfg.Keep, Round: retentionRound, Log: log}
	return append(automations(env, log, eng, db, holder, cfg.guard()), []background{
		loop("retention", retentionInterval, retention.Tick),
		loop("scheduler", cfg.SchedulerInterval, scheduler.Tick, core.TopicSchedules),
		loop("foreman", 5*time.Second, foreman.Tick),
		loop("lease reaper", 5*time.Second, reaper.Tick),
		{"lease attendant", service.Loop{Name: "lease attendant", Store: db, Interval: 3 * time.Second, Log: log, Tick: service.LeaseAttendant{Engine: eng}.Tick}.Run},
		loop("late", min(5*time.Second, max(cfg.LateAfter, time.Second)), late.Tick),
		loop("schedule policy", time.Second, policy.Tick),
		loop("zombie", zombieInterval(cfg), zombie.Tick),
		loop("cancel", 5*time.Second, cancel.Tick),
		loop("tally", 2*time.Second, service.Tally{Store: db, Now: env.Now, After: 90 * time.Second}.Tick),
		{"states", func(ctx context.Context) error {
			err := states.Run(ctx)
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(2*time.Second, cfg.StopTimeout/20))
			defer cancel()
			journal.Flush(last)
			herald.Flush(last)
			return err
		}},
	}...)
}

// Retention looks once a minute, for at most another minute, so that its lease
// of three intervals outlasts a round.
const retentionInterval, retentionRound = time.Minute, time.Minute

// zombieInterval looks often enough for the shortest limit.
func zombieInterval(cfg Config) time.Duration {
	shortest := min(cfg.SilenceTimeout, cfg.ClaimTimeout)
	if cfg.HeartbeatTimeout > 0 {
		shortest = min(shortest, cfg.HeartbeatTimeout)
	}
	return min(max(shortest/3, 500*time.Millisecond), 10*time.Second)
}

// restartPause is how long a service that failed rests.
const restartPause = time.Second

// supervise runs services until ctx ends, and again when one fails or panics.
// The function that it returns waits for their end, at most until its own ctx
// ends, and lists those that have not.
func supervise(ctx context.Context, log *slog.Logger, services []background) (wait func(ctx context.Context) (left []string)) {
	ended := make([]chan struct{}, len(services))
	for i, s := range services {
		ended[i] = make(chan struct{})
		go func() {
			defer close(ended[i])
			for ctx.Err() == nil {
				if err := guarded(ctx, s); err != nil && ctx.Err() == nil {
					log.Error("a service failed and is started again", "service", s.name, "error", err)
				}
				select {
				case <-time.After(restartPause):
				case <-ctx.Done():
				}
			}
		}()
	}
	return func(ctx context.Context) (left []string) {
		for i, s := range services {
			if !ends(ctx, ended[i]) {
				left = append(left, s.name)
			}
		}
		return left
	}
}

func guarded(ctx context.Context, s background) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return s.run(ctx)
}
