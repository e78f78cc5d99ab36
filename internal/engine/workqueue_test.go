package engine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
)

func TestRankQueues(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		given map[string]int
		moved string
		want  map[string]int
	}{
		{"distinct priorities stay", map[string]int{"a": 1, "b": 4}, "b", map[string]int{"a": 1, "b": 4}},
		{"the one that is in the way gives way", map[string]int{"a": 1, "b": 1}, "b", map[string]int{"a": 2, "b": 1}},
		{"as many give way as must", map[string]int{"a": 1, "b": 2, "c": 5, "d": 1}, "d", map[string]int{"a": 2, "b": 3, "c": 5, "d": 1}},
		{"into the middle", map[string]int{"a": 1, "b": 2, "c": 2}, "c", map[string]int{"a": 1, "b": 3, "c": 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var queues []*core.WorkQueue
			var moved core.ID
			for _, name := range []string{"a", "b", "c", "d"} {
				if p, ok := tt.given[name]; ok {
					q := &core.WorkQueue{ID: core.NewID(time.Unix(0, 0)), Name: name, Priority: p}
					queues = append(queues, q)
					if name == tt.moved {
						moved = q.ID
					}
				}
			}
			rankQueues(queues, moved)
			got := map[string]int{}
			for _, q := range queues {
				got[q.Name] = q.Priority
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestFreePriority(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		taken []int
		want  int
	}{{nil, 1}, {[]int{1, 2}, 3}, {[]int{3, 1}, 2}, {[]int{2}, 1}, {[]int{1, 99}, 2}} {
		var queues []*core.WorkQueue
		for _, p := range tt.taken {
			queues = append(queues, &core.WorkQueue{Priority: p})
		}
		if got := freePriority(queues); got != tt.want {
			t.Errorf("beside %v: %d, want %d", tt.taken, got, tt.want)
		}
	}
}

func TestNextFill(t *testing.T) {
	t.Parallel()
	from := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	h := DefaultHorizon(from)
	every := func(d time.Duration, n int) (dates []time.Time) {
		for i := range n {
			dates = append(dates, from.Add(time.Duration(i+1)*d))
		}
		return dates
	}
	for _, tt := range []struct {
		name  string
		dates []time.Time
		want  time.Duration
	}{
		{"a minutely schedule is filled again when its first run is due", every(time.Minute, 60), time.Minute},
		{"so is a daily one, which has three ahead", every(24*time.Hour, 3), 24 * time.Hour},
		{"one with a run to spare waits for the second", every(2*time.Hour, 4), 4 * time.Hour},
		{"one cut off by the maximum is not filled before its first run", every(time.Second, 100), time.Second},
	} {
		if got := h.nextFill(tt.dates).Sub(from).Truncate(time.Millisecond); got != tt.want {
			t.Errorf("%s: after %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestPythonTime(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", -5*3600)
	for want, at := range map[string]time.Time{
		"2026-11-22 10:00:00+00:00":        time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC),
		"2026-11-22 10:00:00.120000-05:00": time.Date(2026, 11, 22, 10, 0, 0, 120e6, zone),
	} {
		if got := pythonTime(at); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
