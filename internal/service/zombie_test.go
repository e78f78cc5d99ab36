package service

import (
	"strings"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

func TestARunIsDeadOnlyWhenNothingSpeaksForItsLife(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) *time.Time {
		at := now.Add(-d)
		return &at
	}
	auto := Zombie{Silence: 30 * time.Second}
	tests := map[string]struct {
		zombie Zombie
		run    core.StaleRun
		// want is a part of the reason; "" means that the run lives.
		want string
	}{
		"a run that never sent a heartbeat lives however long it is silent": {
			auto, core.StaleRun{Since: now.Add(-48 * time.Hour)}, "",
		},
		"nor does a limit by setting end it": {
			Zombie{Silence: time.Second, Heartbeat: time.Second}, core.StaleRun{Since: now.Add(-48 * time.Hour), LastSeen: ago(47 * time.Hour)}, "",
		},
		"one heartbeat shows no rhythm, so the SDK's usual one counts": {
			auto, core.StaleRun{Since: now.Add(-time.Hour), LastBeat: ago(8 * time.Minute), LastSeen: ago(8 * time.Minute)}, "",
		},
		"three of those beats missed": {
			auto, core.StaleRun{Since: now.Add(-time.Hour), LastBeat: ago(10 * time.Minute), LastSeen: ago(10 * time.Minute)}, "No heartbeat",
		},
		"a run with a fast rhythm is noticed sooner": {
			auto, core.StaleRun{Since: now.Add(-time.Hour), LastBeat: ago(100 * time.Second), LastSeen: ago(100 * time.Second), Rhythm: 31 * time.Second}, "No heartbeat",
		},
		"a rhythm is the longest pause that the run has shown": {
			auto, core.StaleRun{Since: now.Add(-time.Hour), LastBeat: ago(100 * time.Second), LastSeen: ago(100 * time.Second), Rhythm: time.Minute}, "",
		},
		"beats faster than the SDK's fastest are not taken for a rhythm": {
			auto, core.StaleRun{Since: now.Add(-time.Hour), LastBeat: ago(20 * time.Second), LastSeen: ago(20 * time.Second), Rhythm: time.Second}, "",
		},
		"logs and task runs speak for a run whose heartbeats stopped": {
			auto, core.StaleRun{Since: now.Add(-time.Hour), LastBeat: ago(30 * time.Minute), LastSeen: ago(time.Second)}, "",
		},
		"a run that was resumed just now has time": {
			auto, core.StaleRun{Since: now.Add(-time.Second), LastBeat: ago(time.Hour), LastSeen: ago(time.Hour)}, "",
		},
		"a limit by setting counts instead of the rhythm": {
			Zombie{Silence: 30 * time.Second, Heartbeat: 5 * time.Second},
			core.StaleRun{Since: now.Add(-time.Hour), LastBeat: ago(6 * time.Second), LastSeen: ago(6 * time.Second)},
			"No heartbeat",
		},
		"its connection broke and nothing came since": {
			auto, core.StaleRun{Since: now.Add(-time.Hour), LastBeat: ago(50 * time.Second), LastSeen: ago(40 * time.Second), Lost: ago(35 * time.Second)}, "ended without a word",
		},
		"its connection broke a moment ago": {
			auto, core.StaleRun{Since: now.Add(-time.Hour), LastBeat: ago(50 * time.Second), LastSeen: ago(40 * time.Second), Lost: ago(10 * time.Second)}, "",
		},
		"its connection broke and it came back": {
			auto, core.StaleRun{Since: now.Add(-time.Hour), LastBeat: ago(5 * time.Minute), LastSeen: ago(2 * time.Minute), Lost: ago(3 * time.Minute)}, "",
		},
		"its connection broke before it was resumed": {
			auto, core.StaleRun{Since: now.Add(-time.Minute), LastBeat: ago(time.Hour), LastSeen: ago(time.Hour), Lost: ago(50 * time.Minute)}, "",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := tt.zombie.dead(tt.run, now, time.Time{})
			if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
				t.Errorf("reason %q, want %q", got, tt.want)
			}
		})
	}
}
