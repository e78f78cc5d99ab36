package engine

import (
	"math"
	"testing"

	"github.com/leat-dev/leat/internal/core"
)

func TestRetryInterval(t *testing.T) {
	t.Parallel()
	limit := func(name string, max, denied int, average, decay float64) *core.ConcurrencyLimit {
		return &core.ConcurrencyLimit{Name: name, Limit: max, DeniedSlots: denied, AvgSlotOccupancySeconds: average, SlotDecayPerSecond: decay}
	}
	for _, tt := range []struct {
		name   string
		limits []*core.ConcurrencyLimit
		want   float64
	}{
		{"nobody waits", []*core.ConcurrencyLimit{limit("x", 1, 0, 2, 0)}, 2},
		{"many wait", []*core.ConcurrencyLimit{limit("x", 2, 5, 2, 0)}, 6},
		{"slots are held long", []*core.ConcurrencyLimit{limit("x", 1, 0, 500, 0)}, 30},
		{"slots of a tag are held long", []*core.ConcurrencyLimit{limit("tag:x", 1, 0, 500, 0)}, 10},
		{"a rate limit", []*core.ConcurrencyLimit{limit("x", 1, 1, 2, 0.1)}, 20},
		{"the longest line counts", []*core.ConcurrencyLimit{limit("x", 1, 0, 2, 0), limit("y", 1, 3, 1, 0)}, 4},
	} {
		if got := retryInterval(tt.limits, 1); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s: %v seconds, want %v", tt.name, got, tt.want)
		}
	}
}

func TestClampedPoissonStaysNearTheAverage(t *testing.T) {
	t.Parallel()
	const average = 10
	last := 0.0
	for i := range 100 {
		got := clampedPoisson(average, float64(i)/100)
		if got <= last || got > 1.3*average || got < 7.4 {
			t.Fatalf("%d %%: %v after %v", i, got, last)
		}
		last = got
	}
	if got := clampedPoisson(0, 0.5); got != 0 {
		t.Errorf("no average gives %v", got)
	}
}
