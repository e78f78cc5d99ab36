package robust

import (
	"net/http"
	"testing"
	"time"
)

// A slot stays with its holder while nobody is there to hear that it still
// works, and goes to others when the holder really is gone.
func TestALeaseOutlivesAnAbsenceOfTheServer(t *testing.T) {
	t.Parallel()
	t.Run("the server is down", func(t *testing.T) {
		t.Parallel()
		s := startServer(t, "")
		keepsItsSlot(t, s, s.kill, s.start)
	})
	t.Run("Postgres is down", func(t *testing.T) {
		t.Parallel()
		p, through := newProxy(t, postgresDatabase(t))
		keepsItsSlot(t, startServer(t, through), p.down, p.up)
	})
}

// keepsItsSlot takes away what leases are renewed at for longer than a lease
// lasts, which is a minute at least.
func keepsItsSlot(t *testing.T, s *server, away, back func()) {
	t.Helper()
	const lasts = time.Minute
	name := unique("slot")
	s.must(http.MethodPost, "/v2/concurrency_limits/", object{"name": name, "limit": 1}, nil)
	acquire := func() (status int, lease string) {
		var got struct {
			Lease string `json:"lease_id"`
		}
		status, _ = s.call(t.Context(), http.MethodPost, "/v2/concurrency_limits/increment-with-lease",
			object{"names": []string{name}, "slots": 1, "mode": "concurrency", "lease_duration": lasts.Seconds()}, &got)
		return status, got.Lease
	}
	status, lease := acquire()
	if status != http.StatusOK {
		t.Fatalf("a free slot gives status %d", status)
	}
	if status, _ := acquire(); status != http.StatusLocked {
		t.Fatalf("a taken slot gives status %d", status)
	}
	away()
	gone := time.Now()
	waitFor(t, 2*lasts, "the lease's time to pass", func() bool { return time.Since(gone) > lasts+2*time.Second })
	back()
	waitFor(t, 20*time.Second, "an answer", func() bool {
		status, _ = acquire()
		return status != 0 && status != http.StatusServiceUnavailable
	})
	if status != http.StatusLocked {
		t.Fatalf("after the absence another client's request for the slot gives status %d", status)
	}
	s.must(http.MethodPost, "/v2/concurrency_limits/leases/"+lease+"/renew", object{"lease_duration": lasts.Seconds()}, nil)
	renewed := time.Now()
	waitFor(t, lasts+20*time.Second, "the slot of a holder that renews no more", func() bool {
		status, _ = acquire()
		return status == http.StatusOK
	})
	if held := time.Since(renewed); held < lasts-time.Second {
		t.Errorf("the slot went to another after %s, its holder had it for %s", held, lasts)
	}
}
