package engine_test

import (
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// A sign of life counts from the time it was given, and never takes back a later one.
func TestASignOfLifeIsAsOldAsItIs(t *testing.T) {
	t.Parallel()
	b := newPollBench(t)
	run := b.deploy("default", 0)
	start := b.now()
	seen := func() (at *time.Time) {
		b.must(b.Store().View(t.Context(), ws, func(tx core.Tx) error {
			s, err := tx.StaleFlowRun(run)
			at = s.LastSeen
			return err
		}))
		return at
	}
	b.advance(time.Minute)
	for _, step := range []struct{ ago, want time.Duration }{
		{20 * time.Second, 40 * time.Second}, {30 * time.Second, 40 * time.Second}, {0, time.Minute}, {time.Second, time.Minute},
	} {
		b.must(b.TouchFlowRuns(t.Context(), ws, []core.ID{run, core.NewID(start)}, step.ago))
		if at := seen(); at == nil || at.Sub(start) != step.want {
			t.Errorf("a sign of %s ago: last seen at %v, want %s after the start", step.ago, at, step.want)
		}
	}
}
