package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/leat-dev/leat/internal/action"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/jinja"
	"github.com/leat-dev/leat/internal/notify"
	"github.com/leat-dev/leat/internal/service"
)

// automations are the services that follow events for automations and perform
// what those want done. The first works on one replica, the second on each.
func automations(env Environment, log *slog.Logger, eng *engine.Engine, db core.Store, holder string, guard *notify.Guard) []background {
	triggers := &service.Triggers{Engine: eng, Log: log}
	performer := &action.Performer{
		Engine: eng, Sender: &notify.Sender{Guard: guard, Now: env.Now}, Templates: jinja.Environment{Now: env.Now}, Now: env.Now,
	}
	actions := &service.Actions{Engine: eng, Log: log, Owner: holder, Perform: performer.Perform}
	return []background{
		{"triggers", service.Loop{
			Name: "triggers", Store: db, Holder: holder, Interval: time.Second, Topics: []core.Topic{core.TopicEvents},
			Pace: 50 * time.Millisecond, Log: log, Tick: triggers.Tick,
		}.Run},
		{"actions", func(ctx context.Context) error {
			defer actions.Wait()
			return service.Loop{
				Name: "actions", Store: db, Interval: 500 * time.Millisecond, Topics: []core.Topic{core.TopicTriggeredActions},
				Log: log, Tick: actions.Tick,
			}.Run(ctx)
		}},
	}
}
