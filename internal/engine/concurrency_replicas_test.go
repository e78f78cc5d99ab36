package engine_test

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/store"
)

// Replicas share a database: a slot taken at one is taken at all, and those who
// name limits in another order do not wait for each other in a circle.
func TestSlotsAreNeverTakenTwiceByReplicas(t *testing.T) {
	t.Parallel()
	url := os.Getenv("LEAT_TEST_POSTGRES")
	if url == "" {
		t.Skip("LEAT_TEST_POSTGRES is not set; run scripts/with-postgres.sh go test ./internal/engine")
	}
	replicas := openReplicas(t, url)
	var names []string
	for i := range 4 {
		name := fmt.Sprintf("replicas-%d-%d", time.Now().UnixNano(), i)
		names = append(names, name)
		if _, err := replicas[0].CreateConcurrencyLimit(t.Context(), ws, engine.NewConcurrencyLimit{Name: name, Limit: 2, Active: true}); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for i := range 60 {
		e := replicas[i%len(replicas)]
		mine := []string{names[i%4], names[(i+1+i/4)%4]}
		wg.Go(func() {
			got, err := e.AcquireConcurrencySlots(t.Context(), ws, engine.AcquireSlots{Names: mine, Slots: 1, Lease: time.Minute})
			switch {
			case core.CodeOf(err) == core.Locked:
				return
			case err != nil:
				t.Error(err)
				return
			}
			for _, l := range got.Limits {
				if n := l.ActiveSlots(time.Now()); n > l.Limit {
					t.Errorf("%d slots of %d are taken", n, l.Limit)
				}
			}
			if err := e.ReleaseConcurrencyLease(t.Context(), ws, *got.LeaseID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, name := range names {
		l, err := replicas[1].ConcurrencyLimit(t.Context(), ws, engine.LimitRef{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		if n := l.ActiveSlots(time.Now()); n != 0 {
			t.Errorf("%s: %d slots are taken after all were released", name, n)
		}
	}
}

// Two replicas that make the same name at once both look before they write.
func TestANameIsMadeOnceByReplicas(t *testing.T) {
	t.Parallel()
	url := os.Getenv("LEAT_TEST_POSTGRES")
	if url == "" {
		t.Skip("LEAT_TEST_POSTGRES is not set; run scripts/with-postgres.sh go test ./internal/engine")
	}
	replicas := openReplicas(t, url)
	for round := range 10 {
		name := fmt.Sprintf("once-%d-%d", time.Now().UnixNano(), round)
		var made atomic.Int64
		var wg sync.WaitGroup
		for _, e := range replicas {
			wg.Go(func() {
				_, err := e.CreateVariable(t.Context(), ws, name, json.RawMessage("1"), nil)
				switch {
				case err == nil:
					made.Add(1)
				case core.CodeOf(err) != core.Conflict:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if made.Load() != 1 {
			t.Errorf("%d replicas made %s", made.Load(), name)
		}
	}
}

func openReplicas(t *testing.T, url string) []*engine.Engine {
	t.Helper()
	var replicas []*engine.Engine
	for range 3 {
		s, err := store.Open(t.Context(), store.Config{Database: url})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		replicas = append(replicas, engine.New(engine.Config{Store: s, Now: time.Now}))
	}
	return replicas
}
