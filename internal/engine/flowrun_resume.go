package engine

import (
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// resumed is the state proposed for a paused run that goes on: a suspended run
// is scheduled again, since its process has ended; another runs on.
func resumed(paused *core.State, now time.Time) core.State {
	s := core.State{ID: core.NewID(now), Timestamp: now, Type: core.Running, Name: core.Running.DefaultName()}
	if paused.Details.PauseReschedule {
		s.Type, s.Name = core.Scheduled, core.NameResuming
		s.Details.ScheduledTime = &now
	}
	return s
}
