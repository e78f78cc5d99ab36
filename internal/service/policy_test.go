package service

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/wire"
)

func TestRunsThatAreTooLateAreSkippedAndThatIsTold(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	ctx, ws := t.Context(), core.DefaultWorkspace
	f, _, err := s.eng.CreateFlow(ctx, ws, "flow", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	d, _, err := s.eng.PutDeployment(ctx, ws, f.ID, "d", engine.DeploymentFields{Schedules: wire.Some([]engine.ScheduleFields{
		{Schedule: json.RawMessage(`{"cron":"* * * * *"}`), Policy: engine.PolicyFields{CatchupWindow: wire.Some(90 * time.Second)}},
		{Schedule: json.RawMessage(`{"cron":"* * * * *"}`)},
	})})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.eng.FillDeployment(ctx, ws, d.ID, engine.Horizon{From: s.now, MinRuns: 4, MaxRuns: 4}); err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(3 * time.Minute)
	p := Policy{Engine: s.eng, Now: func() time.Time { return s.now }}
	for range 2 { // a second round finds nothing to do
		if err := p.Tick(ctx); err != nil {
			t.Fatal(err)
		}
	}
	err = s.eng.Store().View(ctx, ws, func(tx core.Tx) error {
		runs, err := tx.CountFlowRuns(core.On(core.EntityFlowRun, core.Cond{Field: "state.name", Op: core.OpAny, Value: []string{core.NameSkipped}}))
		if runs != 2 {
			t.Errorf("%d runs were skipped, want 2 of the schedule with a window", runs)
		}
		if err != nil {
			return err
		}
		events, err := tx.RecentEvents(s.now.Add(-time.Hour), 100)
		told := 0
		for _, e := range events {
			if e.Event == "prefect.flow-run.Skipped" {
				told++
			}
		}
		if told != 2 {
			t.Errorf("%d events told of it, want 2", told)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
