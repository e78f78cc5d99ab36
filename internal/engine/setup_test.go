package engine_test

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/store/storetest"
)

// clock is a time that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// setup returns an engine on a SQLite file of its own.
func setup(t *testing.T) (*engine.Engine, *clock) {
	t.Helper()
	s := storetest.Open(t)
	c := &clock{at: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	sealer, err := engine.NewSealer(bytes.Repeat([]byte{7}, engine.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return engine.New(engine.Config{Store: s, Now: c.now, Sealer: sealer}), c
}
