package server

import (
	"testing"
	"time"
)

func TestKeepAliveFitsTheHeartbeatTimeout(t *testing.T) {
	t.Parallel()
	for _, limit := range []time.Duration{time.Second, 3 * time.Second, 5 * time.Second, 20 * time.Second, time.Minute, 10 * time.Minute} {
		k := keepAlive(Config{HeartbeatTimeout: limit})
		if k.Idle < time.Second || k.Interval < time.Second || k.Count > 127 {
			t.Errorf("%s: %+v is beyond what systems take", limit, k)
		}
		if limit >= 3*time.Second && k.Idle+touchEvery(Config{HeartbeatTimeout: limit}) >= limit {
			t.Errorf("%s: %+v asks too seldom", limit, k)
		}
		if stands := k.Idle + time.Duration(k.Count)*k.Interval; stands < max(limit, 30*time.Second) {
			t.Errorf("%s: a silent connection stands for %s only", limit, stands)
		}
	}
	if k := keepAlive(Config{}); k.Idle+time.Duration(k.Count)*k.Interval != 30*time.Second {
		t.Errorf("without a timeout %+v", k)
	}
}
