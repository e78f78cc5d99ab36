package service_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/service"
	"github.com/leat-dev/leat/internal/store/storetest"
	"github.com/leat-dev/leat/internal/trigger"
)

// TestActionsThatFailForNowAreTakenUpAgain lets an action fail, panic and then
// succeed, as a clock goes on that the test holds.
func TestActionsThatFailForNowAreTakenUpAgain(t *testing.T) {
	t.Parallel()
	at := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	store := storetest.Open(t)
	e := engine.New(engine.Config{Store: store, Now: func() time.Time { return at }})
	spec := engine.ActionSpec{
		Automation: engine.AutomationFacts{Trigger: json.RawMessage(`{"type":"event"}`)}, Firing: &trigger.Firing{}, Action: json.RawMessage(`{"type":"x"}`),
	}
	raw, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Update(t.Context(), core.DefaultWorkspace, func(tx core.Tx) error {
		return tx.InsertTriggeredActions([]*core.TriggeredAction{{ID: core.NewID(at), Created: at, Due: at, Spec: raw}})
	}); err != nil {
		t.Fatal(err)
	}
	tries := 0
	s := service.Actions{
		Engine: e, Log: slog.New(slog.DiscardHandler), Owner: "me",
		Perform: func(context.Context, core.WorkspaceID, *core.TriggeredAction) (engine.ActionSpec, engine.ActionResult, error) {
			tries++
			switch tries {
			case 1:
				return spec, engine.ActionResult{}, errors.New("not now")
			case 2:
				panic("a defect")
			}
			return spec, engine.ActionResult{}, nil
		},
	}
	tick := func() {
		if err := s.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.Wait()
	}
	for want := 1; want <= 3; want++ {
		tick()
		tick() // it rests for a while
		if tries != want {
			t.Fatalf("performed %d times, want %d", tries, want)
		}
		at = at.Add(10 * time.Second)
	}
	tick()
	if tries != 3 {
		t.Errorf("performed %d times after it was done", tries)
	}
}
